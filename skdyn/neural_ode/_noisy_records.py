"""Short records with noise that drives them: sunspots, animals, the weather.

Where noise moves the states, no start explains a whole trajectory, and solutions that are fitted to
one end at its mean or run away. What can be learned is a forecast as far as anything is known of
it: from measured states, over windows of about a period, near the linear model of one step, which
is what such records are forecast by otherwise. How near is chosen by the last quarter of the
record.
"""

from typing import NamedTuple

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from skdyn.exceptions import SolverError, warn_user
from skdyn.neural_ode._dynamics import WindowObjective
from skdyn.neural_ode._line import Line, fit_line
from skdyn.neural_ode._plan import NEGLIGIBLE, certainty, collocation_stage
from skdyn.neural_ode._windows import cut_windows
from skdyn.training import (
    LeanNet,
    Stage,
    new_generator,
    resolve_device,
    resolve_dtype,
    seeded_rng,
)

__all__ = [
    "RecordPlan",
    "doubt_forecasts",
    "is_driven_by_noise",
    "plan_of_a_record",
    "stage_of_a_record",
]

_PERIOD = 2 * np.pi  # characteristic times, of a wave
_LEARNT = 0.75  # share of the time points that trials learn from
_NEARER = (100.0, 10.0, 1.0)  # times alpha, from near the line on
_ON_THE_LINE = 1e4  # times alpha, where the line alone is best
_MOST = 256  # windows of a look
_UNEVEN = 1e-3  # share of an interval by which intervals may differ
_COMPLETE = 0.9  # share of the values that must be there
_SOON = 4  # intervals, of the shortest forecasts that are looked at
_APART = 3  # windows beside each other that the last part must hold to tell one answer from another
_TRIAL = 8  # epochs of a trial
# Shares of the variance: an error above the first loses the data, one below the second foretells.
_LOST, _FORETOLD = 0.3, 0.7
_NOISY = 0.05  # share of a channel's deviation from which on noise may move the states
_FEWEST = 24  # time points of all cases


class RecordPlan(NamedTuple):
    """How to learn a record.

    Attributes
    ----------
    line : Line or None
        What the network corrects; None leaves it as it is.
    length : int
        Intervals of a window.
    certainty : float
        Observations in units of the variance of what the line cannot foretell over a window.
    factor : float
        What ``alpha`` is multiplied by.
    error, trivial : float
        Mean squared errors of forecasts of the last quarter, learned from the others, and of the
        mean.
    """

    line: Line | None
    length: int
    certainty: float
    factor: float
    error: float
    trivial: float


def window_of_a_period(trajectories):
    """Return intervals of about one period."""
    gap = float(np.median(trajectories.intervals))
    longest = int(trajectories.n_points.max()) - 1
    return int(np.clip(round(_PERIOD / gap), 4, max(4, longest // 4)))


def is_driven_by_noise(smooth_error, line_error, trivial):
    """Tell noise that moves the states from noise that only covers them.

    Where it only covers them, a field that follows the smoothed curves forecasts well, or at least
    better than a line (chaos).

    Parameters
    ----------
    smooth_error, line_error, trivial : float
        Mean squared errors over a period of such a field, of the line and of the mean.

    Returns
    -------
    bool
    """
    foretold = line_error < _FORETOLD * trivial and smooth_error > _LOST * trivial
    return smooth_error > line_error or foretold


def errors_over(module, windows):
    """Return the mean squared error of a solution over each window, and those of the mean.

    Parameters
    ----------
    module : TrajectoryODE
        What is solved.
    windows : Windows
        Of dimensionless data.

    Returns
    -------
    errors, trivial : ndarray of shape (n_windows,)
        Infinite where it cannot be solved.
    """
    like = next(module.parameters())
    starts, times = (torch.as_tensor(part).to(like) for part in (windows.starts, windows.times))
    shared = bool((times == times[0]).all())
    trivial = (windows.targets**2 * windows.weights).mean(axis=(1, 2))
    try:
        with torch.no_grad():
            ys = module.eval().flow(starts, times[0] if shared else times).ys.double().cpu().numpy()
    except SolverError:
        return np.full(len(starts), np.inf), trivial
    errors = ((ys - windows.targets) ** 2 * windows.weights).mean(axis=(1, 2))
    return np.where(np.isfinite(errors), errors, np.inf), trivial


def error_over(module, windows):
    """Return means of the same over some of the windows."""
    some = np.unique(np.linspace(0, len(windows.case) - 1, _MOST).astype(int))
    errors, trivial = errors_over(module, windows.select(some))
    return float(errors.mean()), float(trivial.mean())


def measured(prepared):
    """Return states where measured, else smoothed."""
    values = prepared.trajectories.values
    return np.where(np.isnan(values), prepared.smooth.states, values)


def line_of(prepared, moving):
    """Fit a line to the channels that move."""
    states, n_points = measured(prepared)[..., list(moving)], prepared.trajectories.n_points
    rows = [row[:n] for row, n in zip(states, n_points, strict=True)]
    return fit_line(rows, float(np.median(prepared.trajectories.intervals)))


def first_part(prepared):
    """Return what trials learn from."""
    n_points = np.maximum(2, (_LEARNT * prepared.trajectories.n_points).astype(int))
    width = int(n_points.max())
    inside = np.arange(width) < n_points[:, None]
    values = np.where(inside[..., None], prepared.trajectories.values[:, :width], np.nan)
    times = np.where(inside, prepared.trajectories.times[:, :width], np.nan)
    data = prepared.trajectories._replace(values=values, times=times, n_points=n_points)
    smooth = prepared.smooth
    smooth = smooth._replace(
        states=smooth.states[:, :width], velocities=smooth.velocities[:, :width]
    )
    return prepared._replace(trajectories=data, smooth=smooth)


def windows_of_a_record(prepared, length):
    """Cut windows that start where states were measured.

    Parameters
    ----------
    prepared : Prepared
        The data.
    length : int
        Intervals of a window.

    Returns
    -------
    Windows
    """
    return cut_windows(prepared.trajectories, measured(prepared), length)


def later_windows(prepared, length):
    """Cut windows of the last part, from each of its time points."""
    trajectories = prepared.trajectories
    cut = np.maximum(2, (_LEARNT * trajectories.n_points).astype(int)) - 1
    length = max(1, min(length, int((trajectories.n_points - cut).max()) // 2))
    windows = cut_windows(trajectories, measured(prepared), length, stride=1)
    late = windows.first >= cut[windows.case]
    return windows.select(late) if late.any() else windows


def stage_of_a_record(plan, prepared, max_iter, time_scale=1.0):
    """Return the stage that fits windows of a record.

    Parameters
    ----------
    plan : RecordPlan
        How.
    prepared : Prepared
        The data.
    max_iter : int
        Epochs at most.
    time_scale : float, default=1.0
        Unit of their times, for errors.

    Returns
    -------
    Stage
    """

    def before_epoch(module, epoch):
        if epoch == 0 and plan.line is not None:
            module.take_line(plan.line)
        return epoch == 0

    windows = windows_of_a_record(prepared, plan.length)
    stage = _stage(windows, max_iter, plan.certainty, time_scale)
    return stage._replace(before_epoch=before_epoch)


def _stage(windows, max_iter, certain, time_scale=1.0):
    return Stage(
        WindowObjective(None, windows, {}, 0.0, time_scale), windows.batch_arrays, max_iter,
        f"windows of {windows.times.shape[1] - 1} intervals", tol=2.0 * NEGLIGIBLE / certain,
        trivial_loss=float((windows.targets**2 * windows.weights).mean()),
    )  # fmt: skip


def doubt_forecasts(plan, module, prepared):
    """Warn where forecasts are no better than the mean: of what was left out, else of the data.

    Parameters
    ----------
    plan : RecordPlan or None
        How a record was learned; None where it was learned as solutions.
    module : TrajectoryODE
        As fitted.
    prepared : Prepared
        The data.
    """
    if plan is not None:
        if plan.error >= plan.trivial:
            warn_user(
                "NeuralODE found nothing to foretell: noise moves the states, and forecasts of the "
                f"last quarter of the data over {plan.length} intervals, learned from the rest, "
                f"err by {plan.error:.3g} variances, the mean by {plan.trivial:.3g} only. Add "
                "channels that say more, such as values of earlier times.",
                ConvergenceWarning,
            )
        return
    apart = prepared.driven is None and prepared.read is None and not module.augment_dim
    if not apart or not (prepared.smooth.noise[module.moving] > _NOISY).any():
        return
    for length in (_SOON, window_of_a_period(prepared.trajectories)):
        error, trivial = error_over(module, windows_of_a_record(prepared, length))
        if error >= trivial:
            warn_user(
                f"Forecasts from measured states over {length} intervals err by {error:.3g} "
                f"variances of the training data, the mean by {trivial:.3g} only: there is too "
                "much noise in a state to start from it. Start from several, such as x0_ or means "
                "of the last values, or add values of earlier times as channels.",
                ConvergenceWarning,
            )
            return


def plan_of_a_record(estimator, config, prepared, goes_on=False):
    """Look whether noise moves the states, and choose how near a line the network is to stay.

    Parameters
    ----------
    estimator : NeuralODE
        Whose parameters count.
    config : dict
        Of its module.
    prepared : Prepared
        The data.
    goes_on : bool, default=False
        Whether training goes on from a module, which keeps its line if it has one.

    Returns
    -------
    RecordPlan or None
        None where noise does not move the states, or where parameters say how to learn them.
    """
    if goes_on:
        return _same_plan(estimator, prepared) if estimator.module_.lined else None
    if not _may_be_asked(estimator, config, prepared):
        return None
    seed = check_random_state(estimator.random_state).randint(2**31 - 1)

    def build(lined):
        device = resolve_device(estimator.device)
        with seeded_rng(seed):
            module = estimator._build_module(**config, lined=lined)
        return module.to(device, resolve_dtype(estimator.dtype, device))

    settings, generator = estimator._settings()._replace(verbose=0), new_generator(seed)
    length, line = window_of_a_period(prepared.trajectories), line_of(prepared, config["moving"])
    windows = cut_windows(prepared.trajectories, prepared.smooth.states, length)
    module, certain = build(False), certainty(prepared)
    stage = collocation_stage(prepared, None, estimator.max_iter, 2 * NEGLIGIBLE / certain)
    LeanNet(module, _weighed(settings, 1.0 / certain), generator).run([stage])
    smooth_error, trivial = error_over(module, windows)
    line_error, _ = error_over(build(True).take_line(line), windows)
    if not is_driven_by_noise(smooth_error, line_error, trivial):
        return None
    chosen = _choose(estimator.max_iter, settings, build, prepared, length, generator)
    return RecordPlan(
        line, length, _certainty(build(True).take_line(line), prepared, length), *chosen
    )


def _same_plan(estimator, prepared):
    """Go on beside the same line, under the same penalty."""
    length = window_of_a_period(prepared.trajectories)
    certain = _certainty(estimator.module_, prepared, length)
    factor = estimator.alpha_ / estimator.alpha if estimator.alpha else 1.0
    return RecordPlan(None, length, certain, factor, 0.0, 1.0)


def _certainty(module, prepared, length):
    """Count observations in units of the variance of what the module cannot foretell."""
    error, _ = error_over(module, windows_of_a_record(prepared, length))
    return prepared.trajectories.observed.sum() / error


def _may_be_asked(estimator, config, prepared):
    """Tell data with noise, where no parameter says how they are to be learned."""
    own = estimator.augment_dim == 0 and estimator.known is None and prepared.driven is None
    plain = estimator.optimizer == "lbfgs" and estimator.regularization is None and estimator.alpha
    default = estimator.window == "auto" and estimator.learn_x0 == "auto" and estimator.pretrain
    # Curves over gaps may lose the data without any noise, and a step must be one.
    gaps, data = prepared.trajectories.intervals, prepared.trajectories
    even = gaps.max() - gaps.min() <= _UNEVEN * gaps.max()
    complete = data.observed.sum() >= _COMPLETE * data.n_points.sum() * data.values.shape[2]
    noisy = (prepared.smooth.noise[list(config["moving"])] > _NOISY).any()
    n_points = prepared.trajectories.n_points
    wide = len(config["moving"])
    many = n_points.sum() >= max(_FEWEST, 4 * wide) and n_points.max() >= _FEWEST // 2
    return bool(
        own
        and plain
        and default
        and noisy
        and many
        and even
        and complete
        and not estimator.early_stopping
    )


def _choose(max_iter, settings, build, prepared, length, generator):
    """Return how many times alpha is best, the error of forecasts with it, and that of the mean."""
    part, later = first_part(prepared), later_windows(prepared, length)
    module = build(True)
    module.take_line(line_of(part, module.moving))
    best, trivial = errors_over(module, later)
    factor, n_apart = _ON_THE_LINE, len(later.case) / length
    if n_apart >= _APART:
        windows = windows_of_a_record(part, length)
        certain = part.trajectories.observed.sum() / error_over(module, windows)[0]
        stage = _stage(windows, min(max_iter, _TRIAL), certain)
        for nearer in _NEARER:  # from the one before on
            try:
                LeanNet(module, _weighed(settings, nearer / certain), generator).run([stage])
            except SolverError:
                break
            errors, _ = errors_over(module, later)
            gains = best - errors
            if not gains.mean() > gains.std() / np.sqrt(n_apart):
                break
            best, factor = errors, nearer
    return factor, float(best.mean()), float(trivial.mean())


def _weighed(settings, by):
    return settings._replace(alpha=settings.alpha * by)
