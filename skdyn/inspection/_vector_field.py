"""The field that a model has learned."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from skdyn.inspection._axes import axes_or_new, end_beside, keep_inside, title_if_named
from skdyn.inspection._channels import as_cases, channel_names
from skdyn.inspection._fitted import unwrapped
from skdyn.inspection._plane import field_on_grid
from skdyn.inspection._style import VERMILION
from skdyn.inspection._units import rate_label, with_unit

__all__ = ["VectorFieldDisplay"]


class VectorFieldDisplay:
    """Learned velocities as arrows over a plane of two channels, trajectories as curves.

    Arrows have one length; their color is the speed.

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
    units : mapping of str to str or None, default=None
        Units of the channels by name, and of "time", written on the axes.

    Attributes
    ----------
    ax_ : matplotlib axes
        Where it was drawn.
    figure_ : matplotlib figure
        The figure of ``ax_``.
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
        units: Mapping[str, str] | None = None,
    ) -> None:
        self.points = points
        self.velocities = velocities
        self.trajectories = trajectories
        self.names = names
        self.units = units

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        channels: tuple[int, int] = (0, 1),
        grid_resolution: int = 20,
        units: Mapping[str, str] | None = None,
        ax: Any = None,
        name: str | None = None,
        **style: Any,
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
        units : mapping of str to str or None, default=None
            Units of the channels by name, and of "time", written on the axes.
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            Title.
        **style : dict
            Settings of matplotlib's ``quiver``, such as ``cmap``.

        Returns
        -------
        VectorFieldDisplay

        Raises
        ------
        ValueError
            If there are fewer than two channels.
        """
        fitted = unwrapped(estimator)
        X = as_cases(fitted.seen(X))
        if X.shape[1] < 2:
            raise ValueError(f"A vector field needs 2 channels; X has {X.shape[1]}.")
        chosen = list(channels)
        field = field_on_grid(fitted.estimator, X, chosen, grid_resolution)
        points, velocities = field.points.reshape(-1, 2), field.velocities.reshape(-1, 2)
        names = [channel_names(fitted.names(), X.shape[1])[c] for c in chosen]
        display = cls(points, velocities, X[:, chosen], names, units)
        return display.plot(ax=ax, name=name, **style)

    def plot(self, *, ax: Any = None, name: str | None = None, **style: Any) -> Self:
        """Draw arrows and trajectories.

        Parameters
        ----------
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            Title.
        **style : dict
            Settings of matplotlib's ``quiver``, such as ``cmap``.

        Returns
        -------
        self : VectorFieldDisplay
        """
        self.ax_ = axes_or_new(ax)
        self.figure_ = self.ax_.figure
        speed = np.linalg.norm(self.velocities, axis=1)
        # On the page an arrow must point where the curves go, whatever the channels' units.
        extent = np.ptp(self.points, axis=0)
        extent[extent == 0] = 1.0
        arrows = self.velocities / extent
        arrows /= np.linalg.norm(arrows, axis=1, keepdims=True).clip(1e-12)
        looks = {"pivot": "mid", "angles": "uv", "cmap": "viridis", **style}
        self.quiver_ = self.ax_.quiver(*self.points.T, *arrows.T, speed, **looks)
        self.lines_ = []
        for x, y in self.trajectories:
            self.lines_ += self.ax_.plot(x, y, color=VERMILION, ls="-", lw=1, alpha=0.6)
        x, y = (with_unit(name, self.units) for name in self.names)
        self.ax_.set(xlabel=x, ylabel=y)
        label = rate_label("speed", list(self.names), self.units)
        right = end_beside(self.ax_)
        bar = self.figure_.colorbar(self.quiver_, ax=self.ax_, label=label)
        title_if_named(self.ax_, name)
        keep_inside(self.ax_, bar.ax, right=right)
        return self
