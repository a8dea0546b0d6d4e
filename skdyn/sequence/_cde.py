"""The network of the neural controlled differential equations."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import torch

from skdyn._validation import Interval, StrOptions, is_whole
from skdyn.base import TorchEstimator
from skdyn.sequence._control import AUGMENTATIONS, INTERPOLATIONS, n_path_channels
from skdyn.sequence._fields import FIELDS
from skdyn.sequence._readout import READOUTS, Readout
from skdyn.sequence._thinning import POINTS_DROPPED, kept_points
from skdyn.solvers import solve_cde
from skdyn.solvers._paths import Path

__all__ = ["CDE_CONSTRAINTS", "CDENetwork", "check_path", "path_config"]

SOLVERS = ("heun", "bosh3", "tsit5", "dopri5")
CDE_CONSTRAINTS = {
    **TorchEstimator._parameter_constraints,
    "hidden_channels": [Interval(Integral, 1, None, closed="left")],
    "hidden_layer_sizes": ["array-like"],
    "vector_field": [StrOptions(set(FIELDS))],
    "rank": [Interval(Integral, 1, None, closed="left")],
    "interpolation": [StrOptions(set(INTERPOLATIONS))],
    "augment": [tuple, list],
    "solver": [StrOptions(set(SOLVERS))],
    "rtol": [Interval(Real, 0, None, closed="neither")],
    "atol": [Interval(Real, 0, None, closed="neither")],
    "max_steps": [Interval(Integral, 1, None, closed="left")],
    "readout": [StrOptions(set(READOUTS))],
    "point_dropout": [Interval(Real, 0, 1, closed="left"), StrOptions({"auto"})],
    "time_channel": [Integral, None],
}
_START = 0.3  # size of the first field beside a layer of torch's: states first move a little


class CDENetwork(torch.nn.Module):
    """A state that a path drives, and a readout.

    Parameters
    ----------
    n_path, n_outputs : int
        Width of paths and outputs.
    hidden_channels : int
        Width of the state.
    hidden_layer_sizes : tuple of int
        Hidden layers of the field.
    vector_field : str
        One of ``FIELDS``.
    rank : int
        Of the field "low_rank".
    solver : str
        "heun", a step for each piece of the path, or an adaptive solver.
    rtol, atol : float
        Tolerances of adaptive solvers.
    max_steps : int
        Bound on the steps of a solve.
    readout : str
        One of ``READOUTS``.
    point_dropout : float
        Share of knots that is left out of paths of straight lines.
    """

    def __init__(
        self,
        n_path: int,
        n_outputs: int,
        hidden_channels: int,
        hidden_layer_sizes: tuple[int, ...],
        vector_field: str,
        rank: int,
        solver: str,
        rtol: float,
        atol: float,
        max_steps: int,
        readout: str,
        point_dropout: float,
    ) -> None:
        super().__init__()
        self.start = torch.nn.Linear(n_path, hidden_channels)
        self.field = FIELDS[vector_field](hidden_channels, n_path, hidden_layer_sizes, rank)
        with torch.no_grad():
            self.field.last.weight.mul_(_START)
            self.field.last.bias.mul_(_START)
        self.readout = Readout(hidden_channels, n_outputs, readout)
        self.solver, self.point_dropout = solver, point_dropout
        self.options = {"rtol": rtol, "atol": atol, "max_steps": max_steps}

    def states(self, start, pieces, n_pieces):
        """Return the states at all knots, (n, k + 1, hidden_channels)."""
        pieces = pieces[:, : int(n_pieces.max())]
        z = self.start(start)
        if self.solver != "heun":
            return self._solved(z, pieces)
        states, moved = [z], self.field.mover()
        ends = [pieces[:, :, 0]] * 2 if pieces.shape[2] == 1 else [pieces[:, :, 0], pieces.sum(2)]
        for first, last in zip(*(end.unbind(1) for end in ends), strict=True):
            z = torch.lerp(z, moved(moved(z, first), last), 0.5)  # Heun's method
            states.append(z)
        return torch.stack(states, dim=1)

    def _solved(self, z, pieces):
        n, k, degree, width = pieces.shape
        powers = torch.arange(1, degree + 1).to(pieces)[:, None]
        zero = pieces.new_zeros(n, k, 1, width)  # where the path is does not matter
        coefficients = torch.cat([zero, pieces / powers], dim=2)
        path = Path(torch.arange(k + 1.0).to(pieces), coefficients, smoothness=0)
        return solve_cde(
            lambda t, z: self.field.matrix(z), z, path, solver=self.solver,
            step_control="joint" if self.training else "per_sample", **self.options,
        ).ys  # fmt: skip

    def forward(self, start, pieces, n_pieces, generator=None):
        """Return the outputs of shape (n, n_outputs)."""
        if generator is not None and self.training and self.point_dropout:
            pieces, n_pieces = _thinned(pieces, n_pieces, self.point_dropout, generator)
        return self.readout(self.states(start, pieces, n_pieces), n_pieces + 1)


def _thinned(pieces, n_pieces, share, generator):
    """Leave knots out by chance: straight on from the one before to the one after."""
    gone = torch.nn.functional.pad(pieces[:, :, 0].cumsum(dim=1), (0, 0, 1, 0))
    places, n_kept = kept_points(n_pieces + 1, gone.shape[1], share, generator)
    gone = gone.gather(1, places[:, :, None].expand(*places.shape, gone.shape[2]))
    return gone.diff(dim=1)[:, :, None], n_kept - 1


def path_config(estimator: Any, n_channels: int, n_outputs: int) -> dict[str, Any]:
    """Return the arguments of the network.

    Parameters
    ----------
    estimator : estimator
        With the parameters of ``CDE_CONSTRAINTS``; it knows the units of its series.
    n_channels, n_outputs : int
        Width of series and outputs.

    Returns
    -------
    dict
    """
    unknown = [name for name in estimator.augment if name not in AUGMENTATIONS]
    if unknown or len(set(estimator.augment)) < len(estimator.augment):
        raise ValueError(
            f"augment must hold some of {AUGMENTATIONS}, each once; got {estimator.augment!r}."
        )
    sizes = tuple(estimator.hidden_layer_sizes)
    if not all(is_whole(size, 1) for size in sizes):
        raise ValueError(
            f"hidden_layer_sizes must be positive whole numbers, e.g. (64,) or (64, 64); got "
            f"{estimator.hidden_layer_sizes!r}."
        )
    has_gaps, even = estimator._has_gaps, estimator._even_times
    return {
        "n_path": n_path_channels(tuple(estimator.augment), n_channels, has_gaps, even),
        "n_outputs": n_outputs,
        "hidden_channels": estimator.hidden_channels,
        "hidden_layer_sizes": tuple(int(size) for size in sizes),
        "vector_field": estimator.vector_field,
        "rank": estimator.rank,
        "solver": estimator.solver,
        "rtol": estimator.rtol,
        "atol": estimator.atol,
        "max_steps": estimator.max_steps,
        "readout": estimator.readout,
        "point_dropout": _share_dropped(estimator),
    }


def _share_dropped(estimator):
    straight = estimator.interpolation == "linear"
    if estimator.point_dropout == "auto":
        return POINTS_DROPPED * straight
    if estimator.point_dropout and not straight:
        raise ValueError(
            f"point_dropout={estimator.point_dropout} needs interpolation='linear', whose lines "
            f"run on where a point is left out; got {estimator.interpolation!r}. Set it to 'auto' "
            "or 0."
        )
    return float(estimator.point_dropout)


def check_path(name: str, state: dict[str, Any]) -> None:
    """Refuse a state whose network follows other paths than its series make.

    Parameters
    ----------
    name : str
        Of the class.
    state : dict
        What was saved.
    """
    if "_module_config" not in state:
        return
    augment = state["augment"]
    if not all(isinstance(part, str) for part in augment):
        raise ValueError(f"augment of {name} must hold texts; got {augment}.")
    made = n_path_channels(
        tuple(augment), state["n_channels_"], state["_has_gaps"], state["_even_times"]
    )
    if state["_module_config"].get("n_path") != made or not state["_step"] > 0:
        raise ValueError(f"The state of {name} has a network for other series.")
    positive = (state["_most_counts"] > 0).all() and (state["_reach"] > 0).all()
    if state["interpolation"] not in INTERPOLATIONS or not positive:
        raise ValueError(f"The state of {name} lays paths that no fit would have laid.")
