"""Covariances of series and their delays, laid out flat, as features."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Annotated

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from skdyn._series import values_at
from skdyn._state import Shape
from skdyn._validation import Interval, StrOptions
from skdyn.exceptions import warn_user
from skdyn.sequence._series_transformer import SeriesTransformer

__all__ = ["AugmentedCovariance"]

_SINGULAR = 1e-12  # of the largest eigenvalue, below which a logarithm has no digits
_MOST_STEPS, _STILL = 100, 1e-10  # of the mean, and when it stands still


class AugmentedCovariance(SeriesTransformer):
    """Covariances of the channels and their delays: which of them swing together.

    A series of c channels is put beside itself, delayed by 0, h, 2h, ..., and the covariance C of
    these :math:`c \\cdot n_{lags}` signals tells how strong each one is, how they go together, and
    at which frequencies [1]_. Covariances lie on a curved space; they are mapped to the flat one
    that touches it at their Riemannian mean M [2]_:

    .. math:: \\log(M^{-1/2} \\, C \\, M^{-1/2}),

    whose entries on and above the diagonal, those above times :math:`\\sqrt 2`, are the features.
    Distances of these do not change where channels are mixed with each other, as sensors on a skull
    mix what they listen to.

    Parameters
    ----------
    n_lags : int, default=2
        Number of copies of each channel, the one without a delay included.
    step : float or "auto", default="auto"
        Time between the delays, in the unit of the times. "auto" is the median time between the
        points of the training data.
    shrinkage : float or None, default=0.1
        How far each covariance is drawn towards independent signals of the training data's
        variances: 0 not at all, 1 all the way. None is 0, and then changes of units and mixtures
        change no distance; but series that are short, or whose channels depend on each other, are
        refused.
    time_channel : int or None, default=None
        Channel of ``X`` that holds the times, instead of ``t``.

    Attributes
    ----------
    lags_ : ndarray of shape (n_lags,)
        The delays.
    reference_ : ndarray of shape (n_signals, n_signals)
        The Riemannian mean of the training data's covariances, of standardized channels.
    n_signals_ : int
        Number of channels times ``n_lags``.
    n_channels_ : int
        Number of channels of the series.
    n_features_in_ : int
        Number of columns of a table, else of channels.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, when all are strings.

    See Also
    --------
    SignatureTransformer : What happened in which order among the channels.

    Notes
    -----
    Each point counts by the time around it, so that where a series was measured more often does not
    matter; points from the longest delay on. A series that is too short for that stands at its
    first value before its first point, with a warning.

    References
    ----------
    .. [1] I. Carrara, T. Papadopoulo, "Classification of BCI-EEG Based on the Augmented Covariance
       Matrix", IEEE Transactions on Biomedical Engineering 71, 2024.
    .. [2] A. Barachant, S. Bonnet, M. Congedo, C. Jutten, "Multiclass Brain-Computer Interface
       Classification by Riemannian Geometry", IEEE Transactions on Biomedical Engineering 59, 2012.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skdyn import AugmentedCovariance
    >>> rng = np.random.default_rng(0)
    >>> t = np.linspace(0, 10, 100)
    >>> pace = rng.uniform(2, 6, (60, 1, 1))  # radians a unit of time
    >>> X = np.sin(pace * t + rng.uniform(0, 6, (60, 3, 1))) + rng.normal(size=(60, 3, 100)) / 5
    >>> y = pace.ravel() > 4
    >>> delays = AugmentedCovariance(step=0.3)
    >>> features = delays.fit_transform(X, t=t)
    >>> model = LogisticRegression().fit(features[:40], y[:40])
    >>> model.score(features[40:], y[40:]) > 0.9
    True
    """

    _n_lags: int
    lags_: Annotated[np.ndarray, Shape("_n_lags")]
    n_signals_: int
    reference_: Annotated[np.ndarray, Shape("n_signals_ n_signals_")]

    _parameter_constraints = {
        "n_lags": [Interval(Integral, 1, None, closed="left")],
        "step": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "shrinkage": [Interval(Real, 0, 1, closed="both"), None],
        "time_channel": [Integral, None],
    }

    def __init__(
        self,
        n_lags: int = 2,
        *,
        step: float | str = "auto",
        shrinkage: float | None = 0.1,
        time_channel: int | None = None,
    ) -> None:
        self.n_lags = n_lags
        self.step = step
        self.shrinkage = shrinkage
        self.time_channel = time_channel

    def _learn(self, paths):
        step = self._step if isinstance(self.step, str) else float(self.step)
        self._n_lags = int(self.n_lags)
        self.lags_ = step * np.arange(self.n_lags)
        self.n_signals_ = self.n_channels_ * self.n_lags
        self.reference_ = riemannian_mean(self._covariances(paths))

    def _features(self, paths):
        whiten = _on_eigenvalues(self.reference_, lambda values: values**-0.5)
        flat = _on_eigenvalues(whiten @ self._covariances(paths) @ whiten, np.log)
        rows, columns = np.triu_indices(self.n_signals_)
        return flat[:, rows, columns] * np.where(rows == columns, 1.0, np.sqrt(2.0))

    def _names(self, channels):
        signals = [
            f"{c}_lag{lag}" if lag else c for lag in range(len(self.lags_)) for c in channels
        ]
        rows, columns = np.triu_indices(self.n_signals_)
        return [f"cov({signals[i]},{signals[j]})" for i, j in zip(rows, columns, strict=True)]

    @classmethod
    def _check_state(cls, state):
        super()._check_state(state)
        fitted = "n_signals_" in state
        if fitted and state["n_signals_"] != state["n_channels_"] * state["_n_lags"]:
            raise ValueError(f"The sizes of the state of {cls.__name__} do not fit each other.")

    def _covariances(self, paths):
        paths = self._standardized(paths)
        delayed = [values_at(paths, paths.times - lag) for lag in self.lags_]
        signals = np.concatenate(delayed, axis=2)
        weight = self._weights(paths)[:, :, None]
        signals = signals - (weight * signals).sum(axis=1, keepdims=True)
        found = (signals * weight).transpose(0, 2, 1) @ signals
        drawn = self.shrinkage or 0.0
        found = (1 - drawn) * found + drawn * np.eye(self.n_signals_)
        self._refuse_singular(found)
        return found

    def _weights(self, paths):
        """Return the share of each point: the time around it, half a gap on either side."""
        since = paths.times - paths.times[:, :1]
        points = paths.seen.any(axis=2)
        inside = points & (since >= self.lags_[-1] * (1 - 1e-9))
        short = inside.sum(axis=1) < 2
        if short.any():
            warn_user(
                f"{short.sum()} series, case {np.argmax(short)} the first, are too short for "
                f"delays of {self.lags_[-1]:.3g}: before their first point they are held at its "
                "value. Lower n_lags or step, or leave them out."
            )
            inside[short] = points[short]
        gaps = np.diff(paths.times, axis=1) * (inside[:, 1:] & inside[:, :-1])
        none = np.zeros((len(gaps), 1))
        before, after = np.hstack([none, gaps]), np.hstack([gaps, none])
        # The first and the last point stand for as much time beyond them as before.
        weight = np.where(before > 0, before, after) + np.where(after > 0, after, before)
        weight[:, 0] += weight.sum(axis=1) == 0  # a single point
        return weight / weight.sum(axis=1, keepdims=True)

    def _refuse_singular(self, covariances):
        values = np.linalg.eigvalsh(covariances)
        singular = np.flatnonzero(values[:, 0] <= _SINGULAR * values[:, -1])
        if len(singular):
            raise ValueError(
                f"The covariance of case {singular[0]} is singular: it is too short, or its "
                "signals depend on each other. Set shrinkage=0.1, or lower n_lags."
            )


def riemannian_mean(covariances: np.ndarray) -> np.ndarray:
    """Return the matrix from which the sum of squared Riemannian distances is least.

    Parameters
    ----------
    covariances : ndarray of shape (n, d, d)
        Positive definite.

    Returns
    -------
    ndarray of shape (d, d)
    """
    mean, length, size = covariances.mean(axis=0), 1.0, np.inf
    for _ in range(_MOST_STEPS):
        root = _on_eigenvalues(mean, np.sqrt)
        whiten = _on_eigenvalues(mean, lambda values: values**-0.5)
        slope = _on_eigenvalues(whiten @ covariances @ whiten, np.log).mean(axis=0)
        last, size = size, float(np.abs(slope).max())
        if size < _STILL:
            return mean
        length = length if size < last else length / 2  # spread matrices: less far
        mean = root @ _on_eigenvalues(length * slope, np.exp) @ root
    warn_user(
        f"The Riemannian mean still moves by {size:.3g} after {_MOST_STEPS} steps: covariances of "
        "the training data are nearly singular. Raise shrinkage.",
        ConvergenceWarning,
    )
    return mean


def _on_eigenvalues(matrices, function):
    """Apply a function to symmetric matrices (..., d, d)."""
    values, vectors = np.linalg.eigh((matrices + matrices.swapaxes(-1, -2)) / 2)
    return (vectors * function(values)[..., None, :]) @ vectors.swapaxes(-1, -2)
