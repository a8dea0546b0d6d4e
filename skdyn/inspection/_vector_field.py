"""The field that a model has learnt."""

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from skdyn.inspection._axes import axes_or_new
from skdyn.inspection._channels import as_cases, channel_names
from skdyn.inspection._plane import field_on_grid

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

__all__ = ["VectorFieldDisplay"]


class VectorFieldDisplay:
    """Learnt velocities as arrows over a plane of two channels, trajectories as curves.

    Arrows have one length; their colour is the speed.

    Parameters
    ----------
    points : ndarray of shape (n_points, 2)
        Where the arrows stand.
    velocities : ndarray of shape (n_points, 2)
        Velocities there.
    trajectories : ndarray of shape (n_cases, 2, n_timepoints)
        Trajectories to draw over them.
    names : sequence of two str
        Names of the channels.

    Attributes
    ----------
    ax_ : matplotlib axes
        Where it was drawn.
    quiver_ : matplotlib quiver
        The arrows.
    lines_ : list of matplotlib lines
        The trajectories.

    Examples
    --------
    >>> from skdyn import NeuralODE
    >>> from skdyn.datasets import make_pendulum
    >>> from skdyn.inspection import VectorFieldDisplay
    >>> X, t = make_pendulum(n_cases=3, random_state=0)
    >>> model = NeuralODE(max_iter=5, tol=0, random_state=0).fit(X, t=t)
    >>> VectorFieldDisplay.from_estimator(model, X, grid_resolution=10).velocities.shape
    (100, 2)
    """

    def __init__(
        self,
        points: np.ndarray,
        velocities: np.ndarray,
        trajectories: np.ndarray,
        names: tuple[str, str] | list[str],
    ) -> None:
        self.points = points
        self.velocities = velocities
        self.trajectories = trajectories
        self.names = names

    @classmethod
    def from_estimator(
        cls,
        estimator: "BaseEstimator",
        X: Any,
        *,
        channels: tuple[int, int] = (0, 1),
        grid_resolution: int = 20,
        ax: Any = None,
    ) -> Self:
        """Evaluate a fitted estimator's field around trajectories and draw it.

        Parameters
        ----------
        estimator : estimator
            Fitted, with ``vector_field``, or with ``predict`` that gives velocities.
        X : array-like of shape (n_cases, n_channels, n_timepoints) or (n_timepoints, n_channels)
            Trajectories, without a channel of times; they set the range and are drawn.
        channels : tuple of two int, default=(0, 1)
            The plane; the other channels rest at their means.
        grid_resolution : int, default=20
            Arrows along each axis.
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        VectorFieldDisplay

        Raises
        ------
        ValueError
            If there are fewer than two channels.
        """
        X = as_cases(X)
        if X.shape[1] < 2:
            raise ValueError(f"A vector field needs 2 channels; X has {X.shape[1]}.")
        channels = list(channels)
        field = field_on_grid(estimator, X, channels, grid_resolution)
        points, velocities = field.points.reshape(-1, 2), field.velocities.reshape(-1, 2)
        names = [channel_names(estimator, X.shape[1])[c] for c in channels]
        return cls(points, velocities, X[:, channels], names).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw arrows and trajectories.

        Parameters
        ----------
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        self : VectorFieldDisplay
        """
        self.ax_ = axes_or_new(ax)
        speed = np.linalg.norm(self.velocities, axis=1)
        # On the page an arrow must point where the curves go, whatever the channels' units.
        extent = np.ptp(self.points, axis=0)
        extent[extent == 0] = 1.0
        arrows = self.velocities / extent
        arrows /= np.linalg.norm(arrows, axis=1, keepdims=True).clip(1e-12)
        self.quiver_ = self.ax_.quiver(
            *self.points.T, *arrows.T, speed, pivot="mid", angles="uv", cmap="viridis"
        )
        self.lines_ = []
        for x, y in self.trajectories:
            self.lines_ += self.ax_.plot(x, y, color="tab:red", lw=1, alpha=0.6)
        self.ax_.set(xlabel=self.names[0], ylabel=self.names[1])
        self.ax_.figure.colorbar(self.quiver_, ax=self.ax_, label="speed")
        return self
