"""The plan of a fit: collocation first, then windows that grow."""

from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch

from skdyn._scales import units
from skdyn._trajectories import Trajectories
from skdyn.exceptions import warn_user
from skdyn.neural_ode._collocation import SmoothTrajectories, smooth_trajectories
from skdyn.neural_ode._depth import penalty_weight
from skdyn.neural_ode._dynamics import (
    CollocationObjective,
    HiddenCollocation,
    WindowObjective,
)
from skdyn.neural_ode._hidden import hidden_velocities, prefixes
from skdyn.neural_ode._inputs import Driven
from skdyn.neural_ode._running_away import FARTHEST, LONGER
from skdyn.neural_ode._windows import cut_windows, window_lengths
from skdyn.training import Stage, resolve_device, resolve_dtype

__all__ = [
    "NEGLIGIBLE",
    "Prepared",
    "Scales",
    "certainty",
    "collocation_stage",
    "doubt_few_points",
    "fitted_starts",
    "learn_scales",
    "moving_channels",
    "plan_stages",
    "prepare",
    "what_faded",
]

_WINDOWS = "windows of"  # begins the names of stages
_NOISY = 1e-3  # share of a channel's deviation from which on start states are learned by "auto"
NEGLIGIBLE = 5.0  # an epoch that gains less log-likelihood than this has stood still
# Variance of noise, in units of the data's, below which data count as exact: float32 resolves less.
_EXACT = 1e-10
# Losses of trajectories fall to the noise, well below one; a solve has tens of steps to penalize.
_ERROR_SHARE = 1e-3
# What was learned over short windows does not hold over long ones: by the ratio of their losses,
# and by a loss that leaves a share of the data's variance unexplained.
_FADED, _UNEXPLAINED = 10.0, 0.1
# Time points that L-BFGS learns from in a stage: of many cases a part says what all would.
_MOST_POINTS = 6_000
_PRETRAINING = 0.4  # share of the epochs for collocation: its epochs are the cheapest by far


class Scales(NamedTuple):
    """What makes states and times dimensionless.

    Attributes
    ----------
    offset, scale : ndarray of shape (n_states,)
        Mean and deviation of each channel's observations.
    time : float
        Time in which a state typically moves by its deviation.
    """

    offset: np.ndarray
    scale: np.ndarray
    time: float


class Prepared(NamedTuple):
    """Dimensionless trajectories, the smooth curves through them, and what drives them."""

    trajectories: Trajectories
    smooth: SmoothTrajectories
    driven: Driven | None = None
    read: np.ndarray | None = None


def learn_scales(trajectories, smooth):
    """Learn the scales from trajectories and their smooth curves.

    Parameters
    ----------
    trajectories : Trajectories
        The data.
    smooth : SmoothTrajectories
        Their curves.

    Returns
    -------
    Scales
    """
    offset, scale = _mean_and_deviation(trajectories)
    scale = np.where(_varies(offset, scale), scale, 1.0)
    speeds = smooth.velocities[smooth.known] / scale
    speed = np.sqrt(np.mean(speeds**2)) if speeds.size else 0.0
    typical = float(np.median(trajectories.intervals))
    # Data that stand still have no time scale of their own but that of their sampling.
    return Scales(offset, scale, float(1.0 / speed) if speed * typical > 1e-9 else typical)


def moving_channels(trajectories):
    """Tell which channels move; all, where none does.

    Parameters
    ----------
    trajectories : Trajectories
        The data, in their units.

    Returns
    -------
    tuple of int
    """
    moves = _varies(*_mean_and_deviation(trajectories))
    return tuple(np.flatnonzero(moves if moves.any() else ~moves).tolist())


def _mean_and_deviation(trajectories):
    """Return those of each channel, whatever unit it is in."""
    unit = units(trajectories.values.transpose(0, 2, 1))
    values = trajectories.values / unit
    return tuple(function(values, axis=(0, 1)) * unit for function in (np.nanmean, np.nanstd))


def _varies(offset, scale):
    return scale > 1e-12 * np.abs(offset).clip(1e-300)


def prepare(trajectories, scales, smooth=None, drive=None, n_read=0):
    """Make trajectories dimensionless.

    Parameters
    ----------
    trajectories : Trajectories
        The data.
    scales : Scales
        The units to express them in.
    smooth : SmoothTrajectories or None, default=None
        Their curves, where already known.
    drive : callable or None, default=None
        ``drive(trajectories, times, began)`` returns what drives them, on dimensionless times.
    n_read : int, default=0
        Time points that an encoder of hidden starts reads; 0 without one.

    Returns
    -------
    Prepared
    """
    smooth = smooth_trajectories(trajectories) if smooth is None else smooth
    began = trajectories.times[:, 0]
    times = (trajectories.times - began[:, None]) / scales.time
    driven = None if drive is None else drive(trajectories, times, began)
    scaled = trajectories._replace(
        values=(trajectories.values - scales.offset) / scales.scale, times=times
    )
    return Prepared(
        driven=driven,
        read=prefixes(scaled, n_read) if n_read else None,
        trajectories=scaled,
        smooth=smooth._replace(
            states=(smooth.states - scales.offset) / scales.scale,
            velocities=smooth.velocities * scales.time / scales.scale,
            noise=smooth.noise / scales.scale,
        ),
    )


def doubt_few_points(trajectories, channels):
    """Warn of fewer velocities than even a linear field has unknowns in a channel.

    Parameters
    ----------
    trajectories : Trajectories
        The data.
    channels : tuple of int
        Those that move.
    """
    n_points = int(trajectories.n_points.sum())
    if n_points - len(trajectories.values) <= len(channels):
        warn_user(
            f"X has {len(channels)} channels that move, but {n_points} time points only: not even "
            "a linear field is determined by so few. Expect nothing of other states than these; "
            "give more time points or cases, or fewer channels (PCA)."
        )


def certainty(prepared):
    """Count observations in units of their noise's variance: what a prior is weighed against.

    Parameters
    ----------
    prepared : Prepared
        Dimensionless data.

    Returns
    -------
    float
    """
    variance = max(float(np.mean(prepared.smooth.noise**2)), _EXACT)
    return prepared.trajectories.observed.sum() / variance


def plan_stages(estimator, training, validation, generator, time_scale=1.0):
    """Turn an estimator's parameters and its data into training stages.

    Parameters
    ----------
    estimator : NeuralODE
        Whose parameters count.
    training, validation : Prepared
        Dimensionless data; ``validation`` may be None.
    generator : torch.Generator
        Source of randomness.
    time_scale : float, default=1.0
        Unit of their times, for errors.

    Returns
    -------
    list of Stage
    """
    device = resolve_device(estimator.device)
    dtype = resolve_dtype(estimator.dtype, device)
    gaps = np.median(training.trajectories.intervals)
    n_intervals = int(training.trajectories.n_points.max()) - 1
    lengths = window_lengths(estimator.window, n_intervals, 1.0 / gaps)
    # Hidden dimensions that begin at 0 have no velocities to be fitted to, and the observed ones do
    # not determine their own: collocation would lead away from the solution. Those that are read
    # off the data may be velocities to begin with.
    encoded = training.read is not None
    observable = (estimator.augment_dim == 0 or encoded) and training.smooth.known.any()
    pretrain = estimator.pretrain == "collocation" and observable
    shares = _epochs(estimator.max_iter, len(lengths), pretrain)
    # Mean squared error over twice the noise's variance, times the observations: log-likelihood.
    tol = max(estimator.tol, 2.0 * NEGLIGIBLE / certainty(training)) if estimator.tol else 0.0
    learn = _learns_starts(estimator.learn_x0, training)
    sampled = estimator.optimizer == "lbfgs"  # which looks at all that it is given at every step
    penalty = {
        "regularization": estimator.regularization,
        "regularization_mode": estimator.regularization_mode,
        "generator": generator,
    }

    def stage_of(length, n_iter, shorter):
        windows, starts = _windows(training, length, estimator), ()
        if sampled:
            windows = windows.select(_some(len(windows.case), _MOST_POINTS // length, generator))
        if learn:
            start = torch.tensor(windows.starts, device=device, dtype=dtype, requires_grad=True)
            starts = (start,)
        objective = WindowObjective(
            *(starts or (None,)), windows, penalty, penalty_weight(estimator, _ERROR_SHARE),
            time_scale,
        )  # fmt: skip
        watched = windows
        if validation is not None:
            watched = _windows(validation, length, estimator)
        stage = Stage(
            objective, windows.batch_arrays, n_iter, f"{_WINDOWS} {length} intervals", tol=tol,
            validation=None if validation is None else watched.batch_arrays, parameters=starts,
            trivial_loss=float((watched.targets**2 * watched.weights).mean()),
        )  # fmt: skip
        return stage._replace(easier=partial(between, stage, length, shorter))

    def between(stage, length, shorter):
        """Return windows of a length between, and after them the stage that could not start."""
        halfway = round((shorter * length) ** 0.5)
        if not shorter < halfway < length:
            return []
        half = max(1, stage.max_iter // 2)
        again = stage._replace(max_iter=half)
        again = again._replace(easier=partial(between, again, length, halfway))
        return [stage_of(halfway, half, shorter), again]

    collocation = partial(_hidden, estimator=estimator) if encoded else _known
    stages = []
    if pretrain:
        first = collocation_stage(training, validation, shares[0], tol, collocation)
        if sampled:
            arrays: Any = first.arrays
            some = _some(len(arrays[0]), _MOST_POINTS, generator)
            first = first._replace(arrays=tuple(part[some] for part in arrays))
        stages.append(first)
    shorter = 1
    for length, n_iter in zip(lengths, shares[len(stages) :], strict=True):
        if n_iter:
            stages.append(stage_of(length, n_iter, shorter))
            shorter = length
    if shorter < n_intervals and estimator.max_iter > 1:
        further = stage_of(min(n_intervals, LONGER * shorter), estimator.max_iter // 2, shorter)
        stages.append(further._replace(only_if_above=FARTHEST))
    return stages


def what_faded(record):
    """Say where a fit ended far from what it reached over shorter windows.

    Parameters
    ----------
    record : TrainingRecord
        How the training went.

    Returns
    -------
    str or None
        None where nothing is to be said.
    """
    losses = [pair for pair in record.kept_losses if pair[0].startswith(_WINDOWS)]
    if len(losses) < 2:
        return None
    (longest, last), (shorter, least) = losses[-1], min(losses[:-1], key=lambda pair: pair[1])
    trivial = record.trivial_loss
    if not max(_FADED * least, _UNEXPLAINED * trivial) < last <= trivial:
        return None  # a loss above the trivial one is told anyway
    return (
        f"learned {shorter} to a loss of {least:.3g}, but {longest} to {last:.3g} only, where "
        f"{trivial:.3g} is that of the mean: trust it over short times. Try another random_state, "
        "raise max_iter, or give more time points about the fastest changes; or set window to the "
        "number of intervals that you want to forecast."
    )


def fitted_starts(stages, prepared, scales):
    """Return the start states of the trajectories as the last stage left them.

    Parameters
    ----------
    stages : list of Stage
        After the training.
    prepared : Prepared
        The training data.
    scales : Scales
        Their units.

    Returns
    -------
    ndarray of shape (n_cases, n_states)
        In the data's units: learned where starts were learned, else smoothed.
    """
    starts = prepared.smooth.states[:, 0].copy()
    objective = stages[-1].objective if stages else None
    if isinstance(objective, WindowObjective) and objective.starts is not None:
        heads = np.flatnonzero(objective.windows.first == 0)
        learnt = objective.starts.detach().cpu().numpy()
        starts[objective.windows.case[heads]] = learnt[heads]
    return starts * scales.scale + scales.offset


def _windows(prepared, length, estimator):
    trajectories, states = prepared.trajectories, prepared.smooth.states
    overlap = estimator.augment_dim == 0 or prepared.read is not None
    return cut_windows(
        trajectories, states, length, overlap=overlap, driven=prepared.driven, read=prepared.read
    )


def collocation_stage(training, validation, n_iter, tol, arrays=None):
    """Return the stage that fits velocities.

    Parameters
    ----------
    training, validation : Prepared
        Dimensionless data; ``validation`` may be None.
    n_iter : int
        Epochs at most.
    tol : float
        Tolerance of the loss.
    arrays : callable or None, default=None
        ``arrays(prepared)`` returns what is fitted; None takes states and their velocities.

    Returns
    -------
    Stage
    """
    arrays = arrays or _known
    watched = None if validation is None or not validation.smooth.known.any() else validation
    return Stage(
        CollocationObjective() if arrays is _known else HiddenCollocation(),
        arrays(training), n_iter, name="collocation", tol=tol,
        validation=None if watched is None else arrays(watched),
    )  # fmt: skip


def _known(prepared):
    smooth, driven = prepared.smooth, prepared.driven
    states = smooth.states
    if driven is not None:
        states = np.concatenate([states, driven.at_points()], axis=2)
    return states[smooth.known], smooth.velocities[smooth.known]


def _hidden(prepared, estimator):
    """States, inputs, hidden states, velocities, and what an encoder reads there."""
    smooth, (n_cases, length, n_states) = prepared.smooth, prepared.smooth.states.shape
    times, n_points = prepared.trajectories.times, prepared.trajectories.n_points
    states, velocities = hidden_velocities(smooth, times, estimator.augment_dim)
    moving = moving_channels(prepared.trajectories) if estimator.known is None else range(n_states)
    velocities = velocities[..., [*moving, *range(n_states, states.shape[2])]]
    inputs = np.zeros((n_cases, length, 0))
    if prepared.driven is not None:
        inputs = prepared.driven.at_points()
    whole = np.arange(length) + estimator.hidden_points <= n_points[:, None]
    parts = (
        states[..., :n_states], inputs, states[..., n_states:], velocities, prepared.read,
        whole[..., None].astype(float),
    )  # fmt: skip
    return tuple(part[smooth.known] for part in parts)


def _some(n, most, generator):
    """Return numbers below ``n`` in their order, so many of them by chance at most."""
    if n <= max(most, 1):
        return np.arange(n)
    return np.sort(torch.randperm(n, generator=generator)[: max(most, 1)].numpy())


def _learns_starts(learn_x0, prepared):
    """Tell whether start states are learned: smooth curves err in noise, and in gaps."""
    if learn_x0 != "auto":
        return learn_x0
    inside = ~np.isnan(prepared.trajectories.times)
    complete = prepared.trajectories.observed[inside].all()
    return bool((prepared.smooth.noise > _NOISY).any() or not complete)


def _epochs(max_iter, n_windows, pretrain):
    """Share the epochs among the stages, the collocation first; some may go empty-handed."""
    first = [max(1, round(_PRETRAINING * max_iter))] if pretrain else []
    left = max_iter - sum(first)
    rest = [left // n_windows] * n_windows
    for late in range(left % n_windows):
        rest[-1 - late] += 1
    return first + rest
