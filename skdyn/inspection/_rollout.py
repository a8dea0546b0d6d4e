"""How the error of a rollout grows with time."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from skdyn._validation import as_floats
from skdyn.inspection._axes import axes_or_new, keep_inside
from skdyn.inspection._fitted import unwrapped
from skdyn.inspection._legend import place_legend
from skdyn.inspection._style import styled
from skdyn.inspection._units import with_unit

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
    units : mapping of str to str or None, default=None
        Unit of "time", written on its axis.

    Attributes
    ----------
    ax_ : matplotlib axes
        Where it was drawn.
    figure_ : matplotlib figure
        The figure of ``ax_``.
    line_ : matplotlib line
        The median.
    band_ : matplotlib collection
        From the first to the third quartile.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn.inspection import RolloutDisplay
    >>> rng = np.random.default_rng(0)
    >>> truth, noise = rng.normal(size=(2, 5, 1, 10, 16))  # (cases, 1, times, points)
    >>> growth = 0.02 * np.arange(1, 11)[:, None]
    >>> display = RolloutDisplay.from_predictions(truth, truth + growth * noise)
    >>> bool(0.1 < display.errors[:, -1].mean() < 0.3)
    True
    """

    def __init__(
        self, errors: np.ndarray, times: np.ndarray, name: str | None = None,
        units: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.errors = errors
        self.times = times
        self.name = name
        self.units = units

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        times: Any = None,
        units: Mapping[str, str] | None = None,
        ax: Any = None,
        name: str | None = None,
        **style: Any,
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
        units : mapping of str to str or None, default=None
            Unit of "time", written on its axis; None is steps where times are counted.
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            What the legend calls it; None is the class of the estimator.
        **style : dict
            Settings of matplotlib for the median, such as ``color``.

        Returns
        -------
        RolloutDisplay
        """
        fitted = unwrapped(estimator)
        estimator, X = fitted.estimator, as_floats(fitted.seen(X))
        h = getattr(estimator, "n_history", 1)
        rolled = estimator.rollout(X[:, :, :h], X.shape[2] - h)
        if times is None:
            times, units = np.arange(X.shape[2]), {"time": "steps"} if units is None else units
        times = np.asarray(times)
        name = type(estimator).__name__ if name is None else name
        return cls.from_predictions(
            X[:, :, h:], rolled, times=times[h:], units=units, ax=ax, name=name, **style
        )

    @classmethod
    def from_predictions(
        cls,
        y_true: Any,
        y_pred: Any,
        *,
        times: Any = None,
        units: Mapping[str, str] | None = None,
        ax: Any = None,
        name: str | None = None,
        **style: Any,
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
        units : mapping of str to str or None, default=None
            Unit of "time", written on its axis; None is steps where times are counted.
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            What the legend calls it; None is the class of the estimator.
        **style : dict
            Settings of matplotlib for the median, such as ``color``.

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
        if times is None:
            times = np.arange(1, truth.shape[1] + 1)
            units = {"time": "steps"} if units is None else units
        errors = np.linalg.norm(gap, axis=2) / size
        return cls(errors, np.asarray(times), name, units).plot(ax=ax, **style)

    def plot(self, *, ax: Any = None, name: str | None = None, **style: Any) -> Self:
        """Draw the error against time.

        Parameters
        ----------
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            What the legend calls it; None is the class of the estimator.
        **style : dict
            Settings of matplotlib for the median, such as ``color``.

        Returns
        -------
        self : RolloutDisplay
        """
        from matplotlib.lines import Line2D

        self.ax_ = axes_or_new(ax)
        self.figure_ = self.ax_.figure
        name = self.name if name is None else name
        low, middle, high = np.percentile(self.errors, [25, 50, 75], axis=0)
        looks = styled(Line2D, style, label=name)
        (self.line_,) = self.ax_.plot(self.times, middle, **looks)
        self.band_ = self.ax_.fill_between(
            self.times, low, high, color=self.line_.get_color(), alpha=0.2, lw=0
        )
        x = with_unit("time", self.units)
        self.ax_.set(xlabel=x, ylabel="relative L2 error", yscale="log")
        if name is not None:
            place_legend(self.ax_)
        keep_inside(self.ax_)
        return self


def _time_second(trajectories):
    """Return ``(n_cases, n_times, values)``."""
    moved = np.moveaxis(trajectories, 2, 1)
    return moved.reshape(*moved.shape[:2], -1)
