"""What every way to differentiate offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from skdyn._state import PlainState
from skdyn._validation import check_array

__all__ = ["Differentiated", "Differentiator"]


class Differentiated(NamedTuple):
    """States and their derivatives over time.

    Attributes
    ----------
    smooth : ndarray of shape (n_timepoints, n_features)
        States as the method sees them: the data themselves where it does not smooth.
    derivative : ndarray of shape (n_timepoints, n_features)
        Their derivatives.
    """

    smooth: np.ndarray
    derivative: np.ndarray


class Differentiator(PlainState, BaseEstimator, ABC):
    """Base of the ways to turn a trajectory into a regression on its dynamics.

    A subclass writes ``_differentiate`` and, where its parameters ask for more than two points,
    ``_fewest``. There is nothing to fit: the parameters are all there is to an object.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn.symbolic.differentiation import Differentiated, Differentiator
    >>> class NumpyGradient(Differentiator):
    ...     def _differentiate(self, X, t):
    ...         return Differentiated(X, np.gradient(X, t, axis=0))
    >>> NumpyGradient().differentiate([[0.0], [1.0], [4.0]], [0.0, 1.0, 2.0]).derivative
    array([[1.],
           [2.],
           [3.]])
    """

    _parameter_constraints: dict = {}

    def differentiate(self, X: ArrayLike, t: ArrayLike) -> Differentiated:
        """Return states and their derivatives.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_features)
            States of one trajectory, without missing values.
        t : array-like of shape (n_timepoints,)
            Times, strictly increasing.

        Returns
        -------
        Differentiated
            ``smooth`` and ``derivative``, each of shape (n_timepoints, n_features).

        Raises
        ------
        ValueError
            If there are too few points, if times do not increase, or if they are irregular where
            the method needs regular ones.
        """
        return self._differentiate(*self._check_trajectory(X, t))

    def system(
        self, library: Any, X: ArrayLike, t: ArrayLike, u: ArrayLike | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the linear system ``A @ coef.T = B`` that the dynamics satisfy.

        Parameters
        ----------
        library : transformer
            Fitted feature library of the states and, to their right, the controls.
        X : array-like of shape (n_timepoints, n_features)
            States of one trajectory, without missing values.
        t : array-like of shape (n_timepoints,)
            Times, strictly increasing.
        u : array-like of shape (n_timepoints, n_controls), default=None
            Controls, in the same rows.

        Returns
        -------
        A : ndarray of shape (n_rows, n_terms)
            Terms of the library.
        B : ndarray of shape (n_rows, n_features)
            What the terms are to add up to: derivatives or, for :class:`WeakForm` and
            :class:`IntegralForm`, averages of them.

        Raises
        ------
        ValueError
            As ``differentiate`` does, and if ``u`` has not as many rows as ``X``.
        """
        X, t = self._check_trajectory(X, t)
        return self._system(lambda states: library.transform(_with_controls(states, u)), X, t)

    @abstractmethod
    def _differentiate(self, X, t) -> Differentiated:
        """Return states and derivatives of checked data."""
        ...

    def _system(self, terms, X, t):
        """Return ``A`` and ``B``; ``terms`` maps states at the times to the library's terms."""
        smooth, derivative = self._differentiate(X, t)
        known = np.isfinite(derivative).all(axis=1)
        return terms(smooth)[known], derivative[known]

    def _fewest(self) -> int:
        """Return how many points the method needs."""
        return 2

    def _check_trajectory(self, X, t):
        self._validate_params()
        X = check_array(X, dtype=np.float64, input_name="X")
        t = check_array(t, dtype=np.float64, ensure_2d=False, input_name="t")
        if t.shape != (len(X),):
            raise ValueError(
                f"t must hold one time for each of the {len(X)} rows of X, but its shape is "
                f"{t.shape}."
            )
        if len(X) < self._fewest():
            raise ValueError(
                f"{self} needs at least {self._fewest()} time points, but X has {len(X)}. Pass "
                "longer trajectories or another differentiator."
            )
        stuck = np.flatnonzero(np.diff(t) <= 0)
        if len(stuck):
            i = stuck[0]
            raise ValueError(
                f"t must increase strictly, but t[{i + 1}] = {t[i + 1]:g} follows t[{i}] = "
                f"{t[i]:g}. Sort the rows by time and merge duplicates."
            )
        return X, t


def _with_controls(X, u):
    """Return states with the controls as further columns."""
    if u is None:
        return X
    u = check_array(u, dtype=np.float64, ensure_2d=False, input_name="u")
    u = u[:, None] if u.ndim == 1 else u
    if len(u) != len(X):
        raise ValueError(f"u must have one row for each of the {len(X)} rows of X, not {len(u)}.")
    return np.hstack([X, u])


def common_step(t):
    """Return the step of a regular grid, or None where times are irregular."""
    step = (t[-1] - t[0]) / (len(t) - 1)
    # Times are rounded: a grid counts as regular when it could not be told from one.
    tolerance = 1e-10 * step + 8 * np.finfo(float).eps * np.abs(t[[0, -1]]).max()
    return step if np.abs(np.diff(t) - step).max() <= tolerance else None
