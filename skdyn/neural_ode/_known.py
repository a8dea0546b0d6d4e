r"""Equations that are known in part: formulas with constants to fit, beside a network.

.. math:: \frac{dx}{dt} = g(x, u; \theta) + f_w(x, u)

Formulas are in the units of the data; the network, which begins at zero, learns what they leave.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from skdyn.formulas import on_tensors

__all__ = ["GrayField", "KnownPart", "check_known", "gray"]


class KnownPart(nn.Module):
    """Formulas on standardized states and times.

    Parameters
    ----------
    formulas : tuple of str
        One per state, in the units of the data.
    names : tuple of str
        Names of the states, then of the controls.
    parameters : tuple of (str, float)
        Constants, and their start values.
    offset, scale : tuple of float
        Mean and deviation of each of ``names``.
    time_scale : float
        Unit of time.
    """

    offset: torch.Tensor
    scale: torch.Tensor
    start: torch.Tensor
    size: torch.Tensor

    def __init__(
        self,
        formulas: tuple[str, ...],
        names: tuple[str, ...],
        parameters: tuple[tuple[str, float], ...],
        offset: tuple[float, ...],
        scale: tuple[float, ...],
        time_scale: float,
    ) -> None:
        super().__init__()
        self.formulas, self.names, self.time_scale = formulas, names, time_scale
        self.constants = [name for name, _ in parameters]
        start = torch.tensor([value for _, value in parameters])
        self.register_buffer("offset", torch.tensor(offset), persistent=False)
        self.register_buffer("scale", torch.tensor(scale), persistent=False)
        # Changes in units of the start values: a common size for the optimizer.
        self.register_buffer("start", start, persistent=False)
        self.register_buffer("size", torch.where(start == 0, 1.0, start.abs()), persistent=False)
        self.change = nn.Parameter(torch.zeros(len(parameters)))

    @property
    def values(self):
        """Constants, shape (n_parameters,)."""
        return self.start + self.size * self.change

    def forward(self, x, controls):
        """Return velocities (n, n_states) of standardized states and controls."""
        columns = torch.cat([x, controls], dim=1) * self.scale + self.offset
        named = dict(zip(self.names, columns.unbind(1), strict=True))
        named |= dict(zip(self.constants, self.values.unbind(0), strict=True))
        moves = [on_tensors(formula, named) for formula in self.formulas]
        return torch.stack(moves, dim=1) * (self.time_scale / self.scale[: len(self.formulas)])


class GrayField(nn.Module):
    """A known part and a network, along inputs where there are any.

    Parameters
    ----------
    known : KnownPart
        The formulas.
    network : MLPField
        What they leave, of all states and of hidden ones.
    drive : Drive or None
        Inputs, controls first.
    """

    def __init__(self, known, network, drive):
        super().__init__()
        self.known, self.network, self.drive = known, network, drive

    def forward(self, t, y):
        """Return the derivatives (n, d) of states at a time."""
        inputs = y[:, :0] if self.drive is None else self.drive(t)
        return gray(self.known, self.network, t, y, inputs)


def gray(known, network, t, y, inputs):
    """Add what is known to what a network says, both of states ``y`` with hidden ones last."""
    n_states = len(known.formulas)
    controls = inputs[:, : len(known.names) - n_states]
    moves = known(y[:, :n_states], controls)
    hidden = y.shape[1] - n_states
    learnt = network(t, y, inputs) if network.n_inputs else network(t, y)
    return learnt + (nn.functional.pad(moves, (0, hidden)) if hidden else moves)


def check_known(known: Any, parameters: Any, names: list[str], n_states: int):
    """Validate formulas and constants.

    Parameters
    ----------
    known : list of str or None
        Formulas.
    parameters : dict of str to float or None
        Constants, and their start values.
    names : list of str
        Names of the states, then of the controls.
    n_states : int
        How many of them are states.

    Returns
    -------
    formulas : tuple of str
        Empty without any.
    parameters : tuple of (str, float)
        Constants.

    Raises
    ------
    ValueError
        If formulas do not fit the states, or do not read a constant.
    """
    constants = tuple((str(name), float(value)) for name, value in (parameters or {}).items())
    if known is None:
        if constants:
            raise ValueError("parameters are constants of formulas: pass these as known.")
        return (), ()
    formulas = tuple(known)
    if len(formulas) != n_states or not all(isinstance(text, str) for text in formulas):
        raise ValueError(
            f"known must hold a formula as text for each of the {n_states} states, '0' where "
            f"nothing is known; got {known!r}."
        )
    taken = sorted({name for name, _ in constants} & set(names))
    if taken:
        raise ValueError(f"parameters must not be called like states or controls: {taken}.")
    values = {name: torch.ones(1) for name in names}
    leaves = {name: torch.tensor(value, requires_grad=True) for name, value in constants}
    total = sum(on_tensors(formula, values | leaves).sum() for formula in formulas)
    unread = []
    if leaves:
        grads: Any = [None] * len(leaves)
        if isinstance(total, torch.Tensor) and total.requires_grad:
            grads = torch.autograd.grad(total, list(leaves.values()), allow_unused=True)
        unread = [name for name, grad in zip(leaves, grads, strict=True) if grad is None]
    unread = [name for name in unread if not any(name in formula for formula in formulas)]
    if unread:
        raise ValueError(f"known does not read the parameters {unread}; leave them out.")
    return formulas, constants
