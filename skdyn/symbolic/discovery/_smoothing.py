"""States between the measurements, and how noisy the measurements are."""

from typing import NamedTuple

import numpy as np
from scipy.interpolate import PchipInterpolator, make_interp_spline
from scipy.optimize import nnls

from skdyn.symbolic.differentiation._spline import smoothing_spline
from skdyn.symbolic.discovery._outliers import stand_out

_CLEAN = 3e-4  # noise, in standard deviations of the signal, below which data are interpolated
_CLEAN_SHARE, _SEEN = 1e-3, 1e-3  # the same in shares of the value, of those that are not nothing
_FLOOR = 1e-6  # errors of interpolation and integration, in standard deviations of the signal
_WINDOW = 7  # points whose departure from a polynomial of degree 5 measures the noise
FEWEST = 6  # points of the shortest segment that a quintic spline can pass through
_LEAST_PACE = 0.3  # of a warped time, in its mean pace
_WARP_MARGIN = 0.98  # share of the error that a warped time must not exceed to be chosen
_MARGIN = 0.15  # gain in log likelihood a point by which logarithms must win: they bend more freely
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(4)


class Record(NamedTuple):
    """Measurements, and curves through them.

    Attributes
    ----------
    t : list of ndarray of shape (n_i,)
        Times of each segment.
    X : list of ndarray of shape (n_i, n_states)
        Measured states.
    sd : list of ndarray of shape (n_i, n_states)
        Standard deviation of the noise of each measurement.
    curves : list of list of callable
        ``curves[k][j](times)``: state, or after the states control, ``j`` in segment ``k``.
    clean : ndarray of shape (n_states,)
        Whether a channel is without noise worth the name.
    ignored : list of ndarray of bool of shape (n_i, n_states) or None, default=None
        Measurements that stand out of their neighbors: ``X`` holds what these suggest instead.
    """

    t: list
    X: list
    sd: list
    curves: list
    clean: np.ndarray
    ignored: list | None = None

    @property
    def n_states(self):
        """Number of states."""
        return self.X[0].shape[1]

    @property
    def n_variables(self):
        """Number of states and controls."""
        return len(self.curves[0])

    def at(self, k, times):
        """Evaluate all variables of a segment, shape (n_variables, *times.shape)."""
        return np.stack([curve(times) for curve in self.curves[k]])

    def nodes(self):
        """Evaluate all variables at the Gauss nodes of all intervals: one array a variable."""
        parts = [self.at(k, gauss_times(t)[0]) for k, t in enumerate(self.t)]
        return list(np.concatenate(parts, axis=1))


def gauss_times(t):
    """Return four Gauss nodes in each interval and their weights.

    Parameters
    ----------
    t : ndarray of shape (n,)
        Increasing times.

    Returns
    -------
    nodes, weights : ndarray of shape ((n - 1) * 4,)
    """
    h = np.diff(t)[:, None]
    return (t[:-1, None] + h * (_NODES + 1) / 2).ravel(), (h * _WEIGHTS / 2).ravel()


def smooth(t, X, u=None):
    """Smooth each channel of each segment as much as its noise asks for.

    Noise may grow with the state: its variance is modeled as ``a^2 + b^2 x^2``. Measurements that
    stand out of their neighbors are ignored.

    Parameters
    ----------
    t : list of ndarray of shape (n_i,)
        Times.
    X : list of ndarray of shape (n_i, n_states)
        Measured states.
    u : list of ndarray of shape (n_i, n_controls), default=None
        Controls: known without noise, linear between the times.

    Returns
    -------
    Record
    """
    n_states = X[0].shape[1]
    ignored = [np.stack([stand_out(column) for column in x.T], axis=1) for x in X]
    X = list(map(_bridged, t, X, ignored))
    spread = np.concatenate(X).std(axis=0)
    rough = [roughness(t, [x[:, i] for x in X], spread[i]) for i in range(n_states)]
    noise, share = np.array(rough).T
    clean = (noise < _CLEAN * spread) & (share < _CLEAN_SHARE)
    sd, curves = [np.empty_like(x) for x in X], [[] for _ in X]
    for i in range(n_states):
        series = [x[:, i] for x in X]
        if clean[i]:
            found = [interpolant(s, x) for s, x in zip(t, series)]
            scales = [np.full(len(x), max(noise[i], _FLOOR * spread[i])) for x in series]
        else:
            found, scales = _noisy(t, series)
        for k, (curve, scale) in enumerate(zip(found, scales)):
            sd[k][:, i] = scale
            curves[k].append(curve)
    for k, controls in enumerate(u or []):
        curves[k] += [make_interp_spline(t[k], column, k=1) for column in controls.T]
    return Record(list(t), X, sd, curves, clean, ignored)


def _bridged(t, X, ignored):
    X = X.copy()
    for x, out in zip(X.T, ignored.T):
        if out.any():
            x[out] = interpolant(t[~out], x[~out])(t[out])
    return X


def roughness(t, series, spread):
    """Estimate noise by the median departure of points from quintics through their neighbors.

    Parameters
    ----------
    t, series : list of ndarray of shape (n_i,)
        Times and values of each segment.
    spread : float
        Standard deviation of the values.

    Returns
    -------
    noise : float
        Standard deviation; 0 where there are too few points to tell.
    share : float
        The same in shares of the values that are not about zero: most of a state that decays is,
        and has as little noise if that is in proportion.
    """
    found, size = [], []
    for s, x in zip(t, series):
        if len(s) < _WINDOW:
            continue
        windows = np.lib.stride_tricks.sliding_window_view(s, _WINDOW)
        z = (windows - windows.mean(axis=1, keepdims=True)) / np.ptp(windows, axis=1)[:, None]
        powers = z[:, :, None] ** np.arange(_WINDOW - 1)
        # The one direction that no quintic reaches: the last vector of a full QR.
        q = np.linalg.qr(powers, mode="complete")[0][:, :, -1]
        values = np.lib.stride_tricks.sliding_window_view(x, _WINDOW)
        found.append(np.abs((q * values).sum(axis=1)))
        size.append(np.abs(values.mean(axis=1)))
    if not found:
        return 0.0, 0.0
    found, size = np.concatenate(found), np.concatenate(size)
    seen = size > _SEEN * spread
    share = np.median(found[seen] / size[seen]) if seen.any() else 0.0
    return float(np.median(found)) / 0.6745, float(share) / 0.6745


def interpolant(s, x):
    """Return the spline through all points: quintic, or lower where there are few."""
    return make_interp_spline(s, x, k=5 if len(s) >= FEWEST else min(3, len(s) - 1))


def _curves(t, series, scales):
    """Smooth each segment, in time or in a time that runs as fast as the state changes."""
    weights = [1 / scale**2 for scale in scales]
    warped = sum(map(_held_out_gain, t, series, weights)) > 0
    curves = list(map(_spline, t, series, weights))
    return list(map(_warped, curves, t, series, weights)) if warped else curves


def _spline(s, x, weights):
    if len(s) <= FEWEST:
        return make_interp_spline(s, x, k=1)
    return smoothing_spline(s, x, weights)


def _warped(curve, s, x, weights, n_rounds=2):
    """Smooth over a time that passes quickly in transients: one roughness cannot serve both."""
    if len(s) <= 2 * FEWEST:
        return curve
    times = np.linspace(s[0], s[-1], 4 * len(s))
    for _ in range(n_rounds):
        speed = np.abs(np.gradient(curve(times), times))
        if not speed.mean() > 0:
            return curve
        pace = PchipInterpolator(times, speed / speed.mean() + _LEAST_PACE).antiderivative()
        inner = _spline(pace(s), x, weights)
        curve = lambda at, inner=inner, pace=pace: inner(pace(at))  # noqa: E731
    return curve


def _held_out_gain(s, x, weights):
    """How much better every second point is foretold by the warped curve, less a margin."""
    if len(s) < 40:
        return 0.0
    gain = 0.0
    for seen, held in ((slice(0, None, 2), slice(1, -1, 2)), (slice(1, None, 2), slice(2, -1, 2))):
        half = s[seen], x[seen], weights[seen]
        plain = _spline(*half)
        loss, other = (
            (weights[held] * (curve(s[held]) - x[held]) ** 2).sum()
            for curve in (plain, _warped(plain, *half))
        )
        gain += _WARP_MARGIN * loss - other
    return gain


def _noisy(t, series):
    """Curves through noisy data and the noise of each point."""
    values = np.concatenate(series)
    same_sign = (values > 0).all() or (values < 0).all()
    curves = _curves(t, series, [np.ones(len(x)) for x in series])
    scales, value = noise_model([curve(s) for s, curve in zip(t, curves)], series)
    curves = _curves(t, series, scales)
    scales, value = noise_model([curve(s) for s, curve in zip(t, curves)], series)
    if not same_sign:
        return curves, scales
    # Noise in proportion to the state is constant in its logarithm, whatever the state's range.
    sign = np.sign(values[0])
    logs = [np.log(sign * x) for x in series]
    inner = _curves(t, logs, [np.ones(len(x)) for x in logs])
    others = [lambda at, f=f: sign * np.exp(f(at)) for f in inner]
    their_scales, theirs = noise_model([curve(s) for s, curve in zip(t, others)], series)
    return (others, their_scales) if theirs < value - _MARGIN * len(values) else (curves, scales)


def noise_model(fitted, series):
    """Fit ``a^2 + b^2 x^2`` to squared departures: constant, proportional, or both.

    Parameters
    ----------
    fitted, series : list of ndarray of shape (n_i,)
        Smooth and measured values of each segment.

    Returns
    -------
    scales : list of ndarray of shape (n_i,)
        Standard deviations.
    value : float
        Negative log likelihood and what the form's parameters cost; lower is better.
    """
    x, y = np.concatenate(fitted), np.concatenate(series)
    r, ones = y - x, np.ones_like(x)
    least = 1e-12 * max((r**2).mean(), 1e-300)
    best = (np.inf, ones)
    for form in ([ones], [x**2], [ones, x**2]):
        form = np.stack(form, axis=1)
        variance = np.full(len(x), max(r.var(), 1e-300))
        # Reweighted least squares: the variance of r^2 is twice its mean squared.
        for _ in range(5):
            coef, _ = nnls(form / variance[:, None], r**2 / variance)
            variance = np.maximum(form @ coef, least)
        variance = np.maximum(variance, 1e-4 * np.median(variance))
        value = 0.5 * (np.log(variance) + r**2 / variance).sum() + form.shape[1] * np.log(len(x))
        if value < best[0]:
            best = (value, variance)
    cuts = np.cumsum([len(s) for s in series])[:-1]
    return np.split(np.sqrt(best[1]), cuts), best[0]
