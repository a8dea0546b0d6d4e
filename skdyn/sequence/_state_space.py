"""Layers of state-space models: a linear recurrence through time with steps of its own."""

from __future__ import annotations

import math

import numpy as np
import torch

from skdyn.sequence._scan import linear_scan
from skdyn.training._devices import is_near

__all__ = ["KERNELS", "SelectiveLayer", "StateSpaceLayer", "spectrum"]

KERNELS = ("s4d_lin", "s4d_legs")
_LEAST = 1e-4  # absolute value of a coefficient whose logarithm is taken


def spectrum(kernel: str, n: int) -> np.ndarray:
    """Return the frequencies that a layer starts with, one of each conjugate pair.

    Parameters
    ----------
    kernel : {"s4d_lin", "s4d_legs"}
        Equal distances, or those of the normal part of HiPPO-LegS.
    n : int
        How many.

    Returns
    -------
    ndarray of shape (n,)
        Imaginary parts; all real parts are -1/2.
    """
    if kernel == "s4d_lin":
        return math.pi * np.arange(n)
    root = np.sqrt(2 * np.arange(2 * n) + 1.0)
    skew = np.tril(np.outer(root, root), -1) / 2
    return np.sort(np.linalg.eigvalsh(1j * (skew - skew.T)))[n:]


class StateSpaceLayer(torch.nn.Module):
    """A diagonal linear equation that all channels drive and all read.

    .. math:: \\dot x = \\Delta (A x + B u), \\qquad y = 2 \\operatorname{Re}(C x) + D u,

    solved exactly for inputs that are held from one point to the next, however far apart.

    Parameters
    ----------
    n_channels : int
        Width of inputs and outputs.
    n_pairs : int
        Number of states, one of each conjugate pair.
    kernel : str
        Where A starts, see :func:`spectrum`.
    dt_min, dt_max : float
        Range of the first rates :math:`\\Delta`, in the unit of the gaps.
    """

    def __init__(
        self, n_channels: int, n_pairs: int, kernel: str, dt_min: float, dt_max: float
    ) -> None:
        super().__init__()
        low, high = math.log(dt_min), math.log(dt_max)
        log_dt = low + (high - low) * torch.rand(n_pairs)
        self.log_dt = torch.nn.Parameter(log_dt)
        self.log_decay = torch.nn.Parameter(torch.full((n_pairs,), math.log(0.5)))
        frequency = torch.as_tensor(spectrum(kernel, n_pairs), dtype=torch.get_default_dtype())
        self.frequency = torch.nn.Parameter(frequency)
        # White noise of one channel then makes states of one size, whatever their rate.
        into = torch.randn(n_pairs, n_channels, 2) / math.sqrt(2 * n_channels)
        self.into = torch.nn.Parameter(into * torch.exp(-log_dt / 2)[:, None, None])
        self.out = torch.nn.Parameter(torch.randn(n_channels, n_pairs, 2) / math.sqrt(2 * n_pairs))
        self.direct = torch.nn.Parameter(torch.randn(n_channels))

    def slow_parameters(self) -> list[torch.nn.Parameter]:
        """List what is learned at a lower rate, and without decay."""
        return [self.log_dt, self.log_decay, self.frequency]

    def forward(self, u, gaps):
        """Return outputs (n, k, n_channels) of inputs u, gaps (n, k) before each point."""
        poles = torch.complex(-self.log_decay.exp(), self.frequency)
        one_step = self.log_dt.exp() * poles
        even = is_near(gaps) and bool((gaps == 1).all())  # elsewhere the general way is as good
        exponent = one_step if even else one_step * gaps[:, :, None]
        step = torch.expm1(exponent)
        into = torch.view_as_complex(self.into) / poles[:, None]
        drive = torch.matmul(u.to(into.dtype), into.T) * step
        x = linear_scan((step + 1).expand_as(drive), drive)
        out = torch.view_as_complex(self.out)
        return 2 * torch.matmul(x, out.T).real + self.direct * u


class SelectiveLayer(torch.nn.Module):
    """A real recurrence whose coefficients depend on the input, and may be negative.

    .. math:: h_k = \\operatorname{sign}(\\lambda_k) |\\lambda_k|^{g_k} h_{k-1} + B u_k,
        \\qquad \\lambda_k = 2 \\sigma(W u_k + b) - 1, \\qquad y_k = C h_k + D u_k,

    where g are the gaps. Signs let it keep track of a state that inputs turn over.

    Parameters
    ----------
    n_channels : int
        Width of inputs and outputs.
    n_states : int
        Number of states.
    """

    def __init__(self, n_channels: int, n_states: int) -> None:
        super().__init__()
        self.keep = torch.nn.Linear(n_channels, n_states)
        with torch.no_grad():  # memories from one step to a hundred
            self.keep.bias.copy_(torch.linspace(0.0, 5.0, n_states))
        self.into = torch.nn.Linear(n_channels, n_states, bias=False)
        self.out = torch.nn.Linear(n_states, n_channels, bias=False)
        self.direct = torch.nn.Parameter(torch.randn(n_channels))

    def slow_parameters(self) -> list[torch.nn.Parameter]:
        """List what is learned at a lower rate, and without decay: none."""
        return []

    def coefficients(self, u: torch.Tensor) -> torch.Tensor:
        """Return what is kept of each state over a step of one.

        Parameters
        ----------
        u : tensor of shape (n, k, n_channels)
            Inputs.

        Returns
        -------
        tensor of shape (n, k, n_states)
            From -1 to 1.
        """
        return torch.tanh(self.keep(u) / 2)  # 2 sigma - 1

    def forward(self, u, gaps):
        """Return outputs (n, k, n_channels) of inputs u, gaps (n, k) before each point."""
        kept = self.coefficients(u)
        if not (is_near(gaps) and bool((gaps == 1).all())):
            size = kept.abs().clamp(min=_LEAST)
            kept = kept * torch.exp((gaps[:, :, None] - 1) * size.log())
        return self.out(linear_scan(kept, self.into(u))) + self.direct * u
