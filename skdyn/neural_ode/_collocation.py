"""Collocation: smooth the trajectories, then read states and velocities off the smooth curves.

A network can be fitted to velocities by plain regression, without solving an equation: a start
that costs little and lands near the solution (Varah 1982; Roesch, Rackauckas & Stumpf 2021).

The curve of a channel is the natural cubic smoothing spline that minimizes

    sum_k (x_k - s(t_k))^2 + lam * integral s''(t)^2 dt,

with one ``lam`` for all cases of a channel, by robust generalized cross-validation (Craven & Wahba
1979; Lukas 2006): all cases together tell noise from dynamics better than each alone. Where it
finds no noise, a quintic spline through the points gives better velocities.
"""

from typing import NamedTuple

import numpy as np
from scipy.interpolate import make_interp_spline, make_smoothing_spline

from skdyn._scales import units

__all__ = ["SmoothTrajectories", "smooth_trajectories", "smoothing_strength"]

_BLOCK = 128  # points an eigendecomposition: cubic cost
_MAX_BLOCKS = 64  # of a channel: more would not move the estimate
_MIN_POINTS = 5  # of a smoothing spline
# Lukas's gamma. Plain cross-validation (1) now and then follows the noise of a short series, small
# values smooth coarse but exact data; 0.4 finds the noise of 40 points within a fifth.
_ROBUSTNESS = 0.4
_UPPER_QUARTILE = 1.1503  # of the size of a standard normal variable
_TOO_MUCH = 3.0  # times a bound on the noise: more is no noise
_CLEAN = 1e-3  # noise below this share of the channel's deviation: interpolate


class SmoothTrajectories(NamedTuple):
    """Smooth curves, read at the time points of the trajectories.

    Attributes
    ----------
    states : ndarray of shape (n_cases, n_timepoints, n_states)
        States on the curves; after the end of a case, its last.
    velocities : ndarray of shape (n_cases, n_timepoints, n_states)
        Their derivatives.
    known : ndarray of shape (n_cases, n_timepoints)
        Whether all channels were observed both before (or at) and after (or at) the time, so that
        the velocity is not an extrapolation.
    noise : ndarray of shape (n_states,)
        Estimated standard deviation of the noise of each channel.
    """

    states: np.ndarray
    velocities: np.ndarray
    known: np.ndarray
    noise: np.ndarray


def smooth_trajectories(trajectories):
    """Fit smooth curves to trajectories with noise, gaps and irregular times.

    Parameters
    ----------
    trajectories : Trajectories
        The data.

    Returns
    -------
    SmoothTrajectories
    """
    times, unit = trajectories.times, units(trajectories.values.transpose(0, 2, 1))
    trajectories = trajectories._replace(values=trajectories.values / unit)
    values = trajectories.values
    states, velocities = np.zeros_like(values), np.zeros_like(values)
    known = ~np.isnan(times)
    noise = np.zeros(values.shape[2])
    for channel in range(values.shape[2]):
        series = _observed_series(trajectories, channel)
        lam, noise[channel] = smoothing_strength(series, most=typical_noise(series))
        deviation = np.std(np.concatenate([y for _, y in series]))
        clean = noise[channel] <= _CLEAN * deviation
        for case, (t, y) in enumerate(series):
            n_points = trajectories.n_points[case]
            at = times[case, :n_points]
            inside = (at >= t[0]) & (at <= t[-1])
            state, velocity = _curve(t, y, lam, clean, np.clip(at, t[0], t[-1]))
            states[case, :n_points, channel] = state
            states[case, n_points:, channel] = state[-1]
            velocities[case, :n_points, channel] = velocity
            known[case, :n_points] &= inside & (len(t) > 1)
    return SmoothTrajectories(states * unit, velocities * unit, known, noise * unit)


def _observed_series(trajectories, channel):
    seen = trajectories.observed[:, :, channel]
    return [
        (trajectories.times[case, mask], trajectories.values[case, mask, channel])
        for case, mask in enumerate(seen)
    ]


def _curve(t, y, lam, clean, at):
    """Return the values and derivatives of one series' curve."""
    if len(t) == 1:
        return np.full(len(at), y[0]), np.zeros(len(at))
    if len(t) < _MIN_POINTS or clean:
        degree = min(5 if clean else 3, len(t) - 1)
        degree -= degree % 2 == 0  # odd degrees need no choice of side
        spline = make_interp_spline(t, y, k=degree)
    else:
        spline = make_smoothing_spline(t, y, lam=lam)
    return spline(at), spline.derivative()(at)


def typical_noise(series):
    """Estimate the noise where most points are, which a few fast changes do not raise.

    A point is compared with the line between its neighbors (Gasser, Sroka & Jennen-Steinmetz
    1986). Bends count as noise too: an upper bound, except where less than a quarter is noisy.

    Parameters
    ----------
    series : list of (ndarray, ndarray)
        Times and observed values of each case.

    Returns
    -------
    float
        Standard deviation; infinite where there are too few points.
    """
    residuals = []
    for t, y in series:
        if len(t) >= _MIN_POINTS:
            after = (t[1:-1] - t[:-2]) / (t[2:] - t[:-2])
            line = (1 - after) * y[:-2] + after * y[2:]
            residuals.append((y[1:-1] - line) / np.sqrt((1 - after) ** 2 + after**2 + 1))
    if not residuals:
        return np.inf
    return float(np.percentile(np.abs(np.concatenate(residuals)), 75) / _UPPER_QUARTILE)


def smoothing_strength(series, most=np.inf):
    """Choose one penalty for the curves of a channel by robust generalized cross-validation.

    Parameters
    ----------
    series : list of (ndarray, ndarray)
        Times and observed values of each case.
    most : float, default=np.inf
        An upper bound on the noise. Where cross-validation finds several times as much, it takes
        changes that are faster than the rest for noise: the penalty is then the largest that
        leaves no more than the bound.

    Returns
    -------
    lam : float
        Penalty on the integrated squared second derivative.
    noise : float
        Standard deviation of the noise, estimated at that penalty; 0 where nothing could tell.
    """
    blocks = _blocks(series)
    if not blocks:
        return 0.0, 0.0
    spectra = _spectra(blocks)
    lams = _candidates(spectra)
    residual, freedom, roughness = np.zeros((3, len(lams)))
    n_points = 0
    for penalty, coefficients in spectra:
        kept = 1.0 / (1.0 + lams[:, None] * penalty)
        residual += (((1.0 - kept) * coefficients) ** 2).sum(axis=1)
        freedom += kept.sum(axis=1)
        roughness += (kept**2).sum(axis=1)
        n_points += len(penalty)
    robust = _ROBUSTNESS + (1.0 - _ROBUSTNESS) * roughness / n_points
    best = np.argmin(robust * residual / (n_points - freedom) ** 2)
    noise = np.sqrt(residual / (n_points - freedom))
    if noise[best] > _TOO_MUCH * most:
        best = max(0, int(np.searchsorted(noise, most)) - 1)  # it grows with the penalty
        return lams[best], min(noise[best], most)
    return lams[best], noise[best]


def _blocks(series):
    """Cut the series to a size that can be decomposed, and take an even choice of them."""
    blocks = []
    for t, y in series:
        n_parts = -(-len(t) // _BLOCK)
        parts = zip(np.array_split(t, n_parts), np.array_split(y, n_parts), strict=True)
        blocks += [(a, b) for a, b in parts if len(a) >= _MIN_POINTS]
    if len(blocks) > _MAX_BLOCKS:
        chosen = np.linspace(0, len(blocks) - 1, _MAX_BLOCKS).astype(int)
        blocks = [blocks[index] for index in chosen]
    return blocks


def _spectra(blocks):
    """Return, for each block, the penalty's eigenvalues and the data in its eigenbasis."""
    bases, spectra = {}, []
    for t, y in blocks:
        gaps = np.diff(t)
        key = gaps.round(12).tobytes()
        if key not in bases:
            bases[key] = np.linalg.eigh(_roughness(gaps))
        penalty, basis = bases[key]
        spectra.append((penalty.clip(min=0.0), basis.T @ y))
    return spectra


def _roughness(gaps):
    """Matrix K with y' K y the integrated squared second derivative of the natural spline.

    Green & Silverman (1994), section 2.1.2: K = Q R^-1 Q'.
    """
    n = len(gaps) + 1
    Q, R = np.zeros((n, n - 2)), np.zeros((n - 2, n - 2))
    j = np.arange(n - 2)
    Q[j, j], Q[j + 2, j] = 1 / gaps[:-1], 1 / gaps[1:]
    Q[j + 1, j] = -1 / gaps[:-1] - 1 / gaps[1:]
    R[j, j] = (gaps[:-1] + gaps[1:]) / 3
    R[j[:-1], j[1:]] = R[j[1:], j[:-1]] = gaps[1:-1] / 6
    K = Q @ np.linalg.solve(R, Q.T)
    return (K + K.T) / 2


def _candidates(spectra):
    """Penalties from "the roughest wave hardly feels it" to "only straight lines are left"."""
    largest = max(penalty[-1] for penalty, _ in spectra)
    smallest = min(penalty[2] for penalty, _ in spectra)  # the first two are the straight lines
    return np.geomspace(1e-4 / largest, 1e2 / max(smallest, 1e-12 * largest), 80)
