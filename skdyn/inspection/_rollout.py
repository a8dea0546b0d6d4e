"""How the error of a rollout grows with time."""

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from skdyn._validation import as_floats
from skdyn.inspection._axes import axes_or_new

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

__all__ = ["RolloutDisplay"]


class RolloutDisplay:
    """Relative error against time: the median over the cases, and between which half of them lie.

    Parameters
    ----------
    errors : ndarray of shape (n_cases, n_times)
        Relative L2 error of each case at each time.
    times : ndarray of shape (n_times,)
        The times.
    name : str or None, default=None
        What the legend calls it.

    Attributes
    ----------
    ax_ : matplotlib axes
        Where it was drawn.
    line_ : matplotlib line
        The median.
    band_ : matplotlib collection
        From the first to the third quartile.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn.inspection import RolloutDisplay
    >>> truth = np.random.default_rng(0).normal(size=(5, 1, 10, 16))  # (cases, 1, times, points)
    >>> display = RolloutDisplay.from_predictions(truth, 1.1 * truth)
    >>> bool(np.allclose(display.errors, 0.1))
    True
    """

    def __init__(self, errors: np.ndarray, times: np.ndarray, name: str | None = None) -> None:
        self.errors = errors
        self.times = times
        self.name = name

    @classmethod
    def from_estimator(
        cls,
        estimator: "BaseEstimator",
        X: Any,
        *,
        times: Any = None,
        name: str | None = None,
        ax: Any = None,
    ) -> Self:
        """Roll out from the first states of trajectories, and draw the error.

        Parameters
        ----------
        estimator : estimator
            Fitted, with ``rollout``, and ``n_history`` where it looks back on more than one state.
        X : array-like of shape (n_cases, n_channels, n_timepoints, \\*grid) or (n_cases, width, \
                n_timepoints)
            True trajectories.
        times : array-like of shape (n_timepoints,) or None, default=None
            Their times; None counts steps.
        name : str or None, default=None
            What the legend calls it; None is the class of the estimator.
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        RolloutDisplay
        """
        X = as_floats(X)
        h = getattr(estimator, "n_history", 1)
        rolled = estimator.rollout(X[:, :, :h], X.shape[2] - h)
        times = np.arange(X.shape[2]) if times is None else np.asarray(times)
        name = type(estimator).__name__ if name is None else name
        return cls.from_predictions(X[:, :, h:], rolled, times=times[h:], name=name, ax=ax)

    @classmethod
    def from_predictions(
        cls,
        y_true: Any,
        y_pred: Any,
        *,
        times: Any = None,
        name: str | None = None,
        ax: Any = None,
    ) -> Self:
        """Draw the error of predicted trajectories.

        Parameters
        ----------
        y_true : array-like of shape (n_cases, n_channels, n_times, \\*grid) or (n_cases, width, \
                n_times)
            True trajectories, without the states that were given.
        y_pred : array-like of the same shape
            Predictions.
        times : array-like of shape (n_times,) or None, default=None
            The times; None counts steps from 1.
        name : str or None, default=None
            What the legend calls it.
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        RolloutDisplay

        Raises
        ------
        ValueError
            If shapes differ, there is no axis of times, or a true state is zero everywhere.
        """
        truth, prediction = (np.asarray(y, dtype=np.float64) for y in (y_true, y_pred))
        if truth.shape != prediction.shape or truth.ndim < 3:
            raise ValueError(
                f"y_true of shape {truth.shape} and y_pred of shape {prediction.shape} must be "
                "equal shapes (n_cases, n_channels, n_times, *grid)."
            )
        truth, gap = (_time_second(y) for y in (truth, prediction - truth))
        size = np.linalg.norm(truth, axis=2)
        if (size == 0).any():
            case, step = (int(i) for i in np.argwhere(size == 0)[0])
            raise ValueError(
                f"Case {case} of y_true is zero everywhere at time index {step}: no error is "
                "relative to it. Leave it out."
            )
        times = np.arange(1, truth.shape[1] + 1) if times is None else np.asarray(times)
        return cls(np.linalg.norm(gap, axis=2) / size, times, name).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw the error against time.

        Parameters
        ----------
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        self : RolloutDisplay
        """
        self.ax_ = axes_or_new(ax)
        low, middle, high = np.percentile(self.errors, [25, 50, 75], axis=0)
        (self.line_,) = self.ax_.plot(self.times, middle, label=self.name)
        self.band_ = self.ax_.fill_between(
            self.times, low, high, color=self.line_.get_color(), alpha=0.2, lw=0
        )
        self.ax_.set(xlabel="time", ylabel="relative L2 error", yscale="log")
        if self.name is not None:
            self.ax_.legend()
        return self


def _time_second(trajectories):
    """Return ``(n_cases, n_times, values)``."""
    moved = np.moveaxis(trajectories, 2, 1)
    return moved.reshape(*moved.shape[:2], -1)
