"""How a model follows a trajectory."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from skdyn.inspection._axes import axes_or_new
from skdyn.inspection._channels import as_cases, channel_names
from skdyn.inspection._course import follow_case, times_of_case

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

__all__ = ["TrajectoryDisplay"]


class TrajectoryDisplay:
    """Observations of one trajectory as points, the model's own course as curves.

    Parameters
    ----------
    t : ndarray of shape (n_timepoints,)
        Times of the observations.
    observed : ndarray of shape (n_channels, n_timepoints)
        Observations; NaN where missing.
    t_model : ndarray of shape (n_times,)
        Times of the curves.
    modelled : ndarray of shape (n_channels, n_times)
        The curves.
    names : sequence of str
        Names of the channels.

    Attributes
    ----------
    ax_ : matplotlib axes
        Where it was drawn.
    points_, lines_ : list of matplotlib lines
        Observations and curves, one a channel.

    Examples
    --------
    >>> from skdyn import NeuralODE
    >>> from skdyn.datasets import load_lynx_hare
    >>> from skdyn.inspection import TrajectoryDisplay
    >>> X, t = load_lynx_hare(return_X_t=True)
    >>> model = NeuralODE(max_iter=5, tol=0, random_state=0).fit(X, t=t)
    >>> display = TrajectoryDisplay.from_estimator(model, X, t=t, horizon=1925)
    >>> float(display.t_model[-1])
    1925.0
    """

    def __init__(
        self,
        t: np.ndarray,
        observed: np.ndarray,
        t_model: np.ndarray,
        modelled: np.ndarray,
        names: Sequence[str],
    ) -> None:
        self.t = t
        self.observed = observed
        self.t_model = t_model
        self.modelled = modelled
        self.names = names

    @classmethod
    def from_estimator(
        cls,
        estimator: "BaseEstimator",
        X: Any,
        *,
        t: Any = None,
        case: int = 0,
        horizon: float | None = None,
        ax: Any = None,
    ) -> Self:
        """Follow one trajectory from its first complete state and draw both.

        Parameters
        ----------
        estimator : estimator
            Fitted, with ``simulate``.
        X : array-like of shape (n_cases, n_channels, n_timepoints) or (n_timepoints, n_channels)
            Trajectories, or one, without a channel of times.
        t : array-like of shape (n_timepoints,) or (n_cases, n_timepoints), default=None
            Times; None counts 0, 1, 2, ...
        case : int, default=0
            Which trajectory to draw.
        horizon : float or None, default=None
            Time until which to follow; None is that of the last observation.
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        TrajectoryDisplay

        Raises
        ------
        ValueError
            If no state of the trajectory is complete.
        """
        observed = as_cases(X)[case]
        times = times_of_case(t, case, observed.shape[1])
        t_model, modelled = follow_case(estimator, observed, times, case, horizon)
        names = channel_names(estimator, len(observed))
        return cls(times, observed, t_model, modelled, names).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw observations and curves.

        Parameters
        ----------
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        self : TrajectoryDisplay
        """
        self.ax_ = axes_or_new(ax)
        self.points_, self.lines_ = [], []
        for seen, curve, name in zip(self.observed, self.modelled, self.names, strict=True):
            (line,) = self.ax_.plot(self.t_model, curve, label=name)
            self.lines_.append(line)
            self.points_ += self.ax_.plot(self.t, seen, "o", ms=4, color=line.get_color())
        self.ax_.set(xlabel="time", ylabel="state")
        self.ax_.legend()
        return self
