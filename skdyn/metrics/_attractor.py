"""Distance between attractors: do two systems visit the same places as often?"""

from __future__ import annotations

from numbers import Real
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import cdist
from scipy.special import logsumexp
from sklearn.utils import check_random_state

from skdyn._validation import is_whole
from skdyn.metrics._arrays import as_trajectories, check_observed

__all__ = ["attractor_distance"]

# Rows of the sample-to-center distances held at once: 256 x 10^5 centers take 200 MB.
_CHUNK = 256


def attractor_distance(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    method: Literal["bins", "gmm"] = "bins",
    n_bins: int = 30,
    smoothing: float = 1e-5,
    bandwidth: float = 1.0,
    n_samples: int = 1000,
    random_state: int | np.random.RandomState | None = None,
) -> float:
    r"""Divergence between the occupations of state space, known as D_stsp.

    With p and q the densities of the states that `y_true` and `y_pred` visit, all cases and times
    together, it is the Kullback-Leibler divergence [1]_, [2]_

    .. math:: D = \int p(x) \ln \frac{p(x)}{q(x)} \, dx,

    in nats: 0 for the same occupation, whatever the order in time. It is meant for chaotic systems,
    where no forecast stays close for long but a good model has the right climate. States are
    first standardized by the mean and deviation of each channel of `y_true`.

    Parameters
    ----------
    y_true : array-like of shape (n_cases, n_channels, n_timepoints) or (n_timepoints, n_channels)
        Observed trajectories. Time points with a missing value (NaN) are left out.
    y_pred : array-like of shape (n_cases, n_channels, n_timepoints) or (n_timepoints, n_channels)
        Trajectories of the model, of any number and length.
    method : {"bins", "gmm"}, default="bins"
        How densities are estimated: counts in boxes over the range of `y_true` and one box for all
        that lies outside, or Gaussians around each state, integrated by sampling. Above 5 or so
        channels nearly every state has a box of its own: take `"gmm"`.
    n_bins : int, default=30
        Number of boxes along each channel, for `"bins"`.
    smoothing : float, default=1e-5
        Count added to each box that either visits, for `"bins"`; bounds the price of a place never
        visited.
    bandwidth : float, default=1.0
        Standard deviation of the Gaussians, in standard deviations of the channel, for `"gmm"`.
    n_samples : int, default=1000
        Number of states drawn from p to take the integral, for `"gmm"`.
    random_state : int, RandomState instance or None, default=None
        Source of randomness of `"gmm"`; an int makes its result reproducible.

    Returns
    -------
    float
        Divergence in nats, at least 0 up to the sampling error of `"gmm"`.

    Raises
    ------
    ValueError
        If the numbers of channels differ, `y_pred` is not finite, or a channel of `y_true` stands
        still.

    References
    ----------
    .. [1] G. Koppe et al. (2019). Identifying nonlinear dynamical systems via generative recurrent
           neural networks with applications to fMRI. PLoS Computational Biology 15(8), e1007263.
    .. [2] M. Brenner et al. (2022). Tractable dendritic RNNs for reconstructing nonlinear dynamical
           systems. ICML.

    Examples
    --------
    >>> from skdyn.datasets import make_lorenz63
    >>> from skdyn.metrics import attractor_distance
    >>> X, _ = make_lorenz63(2, random_state=0)
    >>> attractor_distance(X, X)
    0.0
    >>> attractor_distance(X[:1], X[1:], n_bins=10) < attractor_distance(X, X + 10, n_bins=10)
    True
    """
    if method not in ("bins", "gmm"):
        raise ValueError(f"method must be 'bins' or 'gmm'; got {method!r}.")
    for name, value in (("n_bins", n_bins), ("n_samples", n_samples)):
        if not is_whole(value, 1):
            raise ValueError(f"{name} must be a positive integer; got {value!r}.")
    for name, value in (("smoothing", smoothing), ("bandwidth", bandwidth)):
        if not isinstance(value, Real) or not 0 < value < np.inf:
            raise ValueError(f"{name} must be a positive number; got {value!r}.")
    true, pred = _standardised_states(y_true, y_pred)
    if method == "bins":
        return _divergence_of_counts(true, pred, n_bins, smoothing)
    rng = check_random_state(random_state)
    return _divergence_of_mixtures(true, pred, bandwidth, n_samples, rng)


def _standardised_states(y_true, y_pred):
    """All states visited, ``(n_states, n_channels)`` each, in units of `y_true`."""
    y_true, y_pred = as_trajectories("y_true", y_true), as_trajectories("y_pred", y_pred)
    if y_true.shape[1] != y_pred.shape[1]:
        raise ValueError(
            "y_true and y_pred must have the same number of channels (axis 1, or the last axis of "
            f"one trajectory); got {y_true.shape[1]} and {y_pred.shape[1]}."
        )
    check_observed(y_true)
    if not np.isfinite(y_pred).all():
        raise ValueError(
            "y_pred must be finite; got NaN or infinity. A model that diverges has no attractor: "
            "simulate it for less long."
        )
    true, pred = (np.moveaxis(y, 1, 2).reshape(-1, y.shape[1]) for y in (y_true, y_pred))
    true = true[~np.isnan(true).any(axis=1)]
    if len(true) == 0:
        raise ValueError("y_true has no time point at which all channels are observed.")
    mean, deviation = true.mean(axis=0), true.std(axis=0)
    if not (deviation > 0).all():
        raise ValueError(
            f"Channel {int(deviation.argmin())} of y_true stands still, so that it cannot be "
            "standardized. Leave it out."
        )
    return (true - mean) / deviation, (pred - mean) / deviation


def _divergence_of_counts(true, pred, n_bins, smoothing):
    """Kullback-Leibler divergence of smoothed counts over the boxes that either visits."""
    low, high = true.min(axis=0), true.max(axis=0)
    boxes = [_boxes(states, low, high, n_bins) for states in (true, pred)]
    _, index = np.unique(np.concatenate(boxes), axis=0, return_inverse=True)
    index = index.ravel()
    n_boxes = index.max() + 1
    p, q = (
        (np.bincount(part, minlength=n_boxes) + smoothing) / (len(part) + smoothing * n_boxes)
        for part in (index[: len(true)], index[len(true) :])
    )
    return float(max(0.0, (p * np.log(p / q)).sum()))


def _boxes(states, low, high, n_bins):
    """Integer box of each state; the same box -1 for every state outside of the range."""
    box = np.floor((states - low) / (high - low) * n_bins)
    box[states == high] -= 1  # the last box is closed
    outside = ((states < low) | (states > high)).any(axis=1)
    box[outside] = -1
    return box.astype(np.int64)


def _divergence_of_mixtures(true, pred, bandwidth, n_samples, rng):
    """Monte Carlo estimate of the divergence of two mixtures with a Gaussian at each state."""
    centers = true[rng.randint(len(true), size=n_samples)]
    samples = centers + bandwidth * rng.standard_normal(centers.shape)
    ratio = _log_density(samples, true, bandwidth) - _log_density(samples, pred, bandwidth)
    return float(ratio.mean())


def _log_density(samples, centers, bandwidth):
    """Log density of the mixture up to the constant that both mixtures share."""
    chunks = [
        logsumexp(
            -cdist(samples[start : start + _CHUNK], centers, "sqeuclidean") / (2 * bandwidth**2),
            axis=1,
        )
        for start in range(0, len(samples), _CHUNK)
    ]
    return np.concatenate(list(map(np.asarray, chunks))) - np.log(len(centers))
