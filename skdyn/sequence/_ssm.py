"""The network of the state-space models, and what it reads of series."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np
import torch

from skdyn._series import laid_paths
from skdyn._trajectories import Trajectories
from skdyn._validation import Interval, StrOptions
from skdyn.base import TorchEstimator
from skdyn.sequence._readout import READOUTS, Readout
from skdyn.sequence._state_space import KERNELS, SelectiveLayer, StateSpaceLayer
from skdyn.sequence._thinning import POINTS_DROPPED, kept_points
from skdyn.training._devices import sent

__all__ = [
    "SSM_CONSTRAINTS",
    "SSMNetwork",
    "check_inputs",
    "inputs_of",
    "module_config",
]

SSM_CONSTRAINTS = {
    **TorchEstimator._parameter_constraints,
    "n_layers": [Interval(Integral, 1, None, closed="left")],
    "hidden_channels": [Interval(Integral, 1, None, closed="left")],
    "state_size": [Interval(Integral, 2, None, closed="left")],
    "kernel": [StrOptions(set(KERNELS))],
    "selective": ["boolean"],
    "dt_min": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
    "dt_max": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
    "readout": [StrOptions(set(READOUTS))],
    "dropout": [Interval(Real, 0, 1, closed="left")],
    "point_dropout": [Interval(Real, 0, 1, closed="left"), StrOptions({"auto"})],
    "time_channel": [Integral, None],
}
_SLOW = 0.3  # rate of what sets time scales, beside that of the other weights
_EVEN = 1e-9  # how far a gap may be from one and is taken for rounding


class SSMNetwork(torch.nn.Module):
    """Layers through time and across channels by turns, and a readout.

    Parameters
    ----------
    n_inputs, n_outputs : int
        Width of inputs and outputs.
    n_layers : int
        Number of layers.
    hidden_channels : int
        Width between them.
    state_size : int
        Size of the state of each layer.
    kernel : str
        Where the states start.
    selective : bool
        Whether what is kept of a state depends on the input.
    dt_min, dt_max : float
        Range of the first rates, for steps of one.
    readout : str
        One of ``READOUTS``.
    dropout : float
        Share of channels dropped after each layer.
    point_dropout : float
        Share of points left out of series.
    reads_gaps : bool
        Whether the length of steps is one more input.
    """

    def __init__(
        self,
        n_inputs: int,
        n_outputs: int,
        n_layers: int,
        hidden_channels: int,
        state_size: int,
        kernel: str,
        selective: bool,
        dt_min: float,
        dt_max: float,
        readout: str,
        dropout: float,
        point_dropout: float,
        reads_gaps: bool,
    ) -> None:
        super().__init__()
        self.reads_gaps = reads_gaps
        self.encoder = torch.nn.Linear(n_inputs + reads_gaps, hidden_channels)
        self.blocks: Any = torch.nn.ModuleList()
        for _ in range(n_layers):
            layer: torch.nn.Module = (
                SelectiveLayer(hidden_channels, state_size)
                if selective
                else StateSpaceLayer(hidden_channels, state_size // 2, kernel, dt_min, dt_max)
            )
            self.blocks.append(_Block(layer, hidden_channels))
        self.norm = torch.nn.LayerNorm(hidden_channels)
        self.readout = Readout(hidden_channels, n_outputs, readout)
        self.dropout, self.point_dropout = dropout, point_dropout

    def parameter_groups(self) -> list[dict]:
        """Ask for a lower rate and no decay of what sets time scales."""
        slow = [weight for block in self.blocks for weight in block.layer.slow_parameters()]
        return [{"params": slow, "rate": _SLOW, "decay": False}]

    def states(self, x, gaps, n_points, generator=None):
        """Return what is read out, (n, k, hidden_channels), up to the longest series."""
        longest = int(n_points.max())
        x, gaps = x[:, :longest], gaps[:, :longest]
        if self.reads_gaps:
            x = torch.cat([x, gaps.log1p()[:, :, None]], dim=2)
        h = self.encoder(x)
        for block in self.blocks:
            new = block(h, gaps)
            if generator is not None and self.training and self.dropout:
                new = new * self._mask(new, generator)
            h = h + new
        return self.norm(h)

    def _mask(self, like, generator):
        """Draw which channels of a case are dropped, and scale up the others."""
        shape = len(like), 1, like.shape[2]
        kept = torch.rand(shape, generator=generator, dtype=torch.float64) >= self.dropout
        return sent(kept.to(like.dtype), like.device) / (1 - self.dropout)

    def forward(self, x, gaps, n_points, generator=None):
        """Return the outputs of shape (n, n_outputs)."""
        if generator is not None and self.training and self.point_dropout:
            x, gaps, n_points = _thinned(x, gaps, n_points, self.point_dropout, generator)
        return self.readout(self.states(x, gaps, n_points, generator), n_points)

    def multiply_adds(self, shape: tuple[int, ...]) -> int:
        """Count the multiply-adds of a pass over a batch of this shape.

        Parameters
        ----------
        shape : tuple of int
            Of the inputs, (n, k, n_inputs).

        Returns
        -------
        int
        """
        return shape[0] * shape[1] * sum(weight.numel() for weight in self.parameters())


class _Block(torch.nn.Module):
    def __init__(self, layer, n_channels):
        super().__init__()
        self.norm = torch.nn.LayerNorm(n_channels)
        self.layer = layer
        self.mix = torch.nn.Linear(n_channels, 2 * n_channels)

    def forward(self, h, gaps):
        h = torch.nn.functional.gelu(self.layer(self.norm(h), gaps))
        return torch.nn.functional.glu(self.mix(h), dim=-1)


def module_config(estimator: Any, n_channels: int, n_outputs: int) -> dict[str, Any]:
    """Return the arguments of the network.

    Parameters
    ----------
    estimator : estimator
        With the parameters of ``SSM_CONSTRAINTS``; it knows the units of its series.
    n_channels, n_outputs : int
        Width of series and outputs.

    Returns
    -------
    dict
    """
    n_steps = max(2.0, estimator._duration / estimator._step)
    # From memories twice as long as the longest series to those of some steps.
    low = 1 / n_steps if estimator.dt_min == "auto" else float(estimator.dt_min)
    high = max(0.1, min(1.0, 10 / n_steps)) if estimator.dt_max == "auto" else estimator.dt_max
    if low > high:
        raise ValueError(
            f"dt_min must be at most dt_max; got {low:.3g} and {float(high):.3g}. Set both."
        )
    dropped = estimator.point_dropout
    if dropped == "auto":  # a selective model is for what hangs on each single point
        dropped = 0.0 if estimator.selective else POINTS_DROPPED
    return {
        "n_inputs": _n_inputs(n_channels, estimator._has_gaps, estimator._even_times),
        "n_outputs": n_outputs,
        "n_layers": estimator.n_layers,
        "hidden_channels": estimator.hidden_channels,
        "state_size": estimator.state_size,
        "kernel": estimator.kernel,
        "selective": estimator.selective,
        "dt_min": low,
        "dt_max": float(high),
        "readout": estimator.readout,
        "dropout": float(estimator.dropout),
        "point_dropout": float(dropped),
        "reads_gaps": not estimator._even_times,
    }


def _thinned(x, gaps, n_points, share, generator):
    """Leave points out by chance; the steps become those between the others."""
    places, n_kept = kept_points(n_points, gaps.shape[1], share, generator)
    times = gaps.cumsum(dim=1).gather(1, places)
    steps = times.diff(dim=1, prepend=times[:, :1] - gaps[:, :1])
    after = torch.arange(places.shape[1], device=gaps.device) >= n_kept[:, None]
    x = x.gather(1, places[:, :, None].expand(*places.shape, x.shape[2]))
    return x, steps.masked_fill(after, 1.0), n_kept


def _n_inputs(n_channels, has_gaps, even_times):
    return n_channels * (1 + has_gaps) + (not even_times)


def check_inputs(name: str, state: dict[str, Any]) -> None:
    """Refuse a state whose network reads other inputs than its series make.

    Parameters
    ----------
    name : str
        Of the class.
    state : dict
        What was saved.
    """
    if "_module_config" not in state:
        return
    made = _n_inputs(state["n_channels_"], state["_has_gaps"], state["_even_times"])
    if state["_module_config"].get("n_inputs") != made or not state["_step"] > 0:
        raise ValueError(f"The state of {name} has a network for other series.")


def inputs_of(estimator: Any, series: Trajectories) -> tuple[np.ndarray, ...]:
    """Return what the network reads.

    Parameters
    ----------
    estimator : estimator
        Fitted, or being so.
    series : Trajectories
        In deviations of the training data.

    Returns
    -------
    x : ndarray of shape (n, k, n_inputs)
        Values, filled; where training data have gaps whether they were seen; where their steps are
        uneven the time since the first point.
    gaps : ndarray of shape (n, k)
        Steps in units of the median one of training, one before the first point.
    n_points : ndarray of int of shape (n,)
        Points of each series.
    """
    paths = laid_paths(series, np.zeros(series.values.shape[2]))
    gaps = np.diff(paths.times, axis=1, prepend=paths.times[:, :1]) / estimator._step
    after = np.arange(gaps.shape[1]) >= series.n_points[:, None]
    gaps[:, 0] = 1.0
    gaps[after | (np.abs(gaps - 1) < _EVEN)] = 1.0
    parts = [paths.values]
    if estimator._has_gaps:
        parts.append(paths.seen)
    if not estimator._even_times:
        parts.append((paths.times - paths.times[:, :1])[:, :, None] / estimator._duration)
    return np.concatenate(parts, axis=2), gaps, series.n_points
