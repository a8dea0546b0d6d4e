"""The energy of a memory of two features."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd

from skdyn._validation import as_floats
from skdyn.inspection._axes import axes_or_new, end_beside, keep_inside, title_if_named
from skdyn.inspection._fitted import unwrapped
from skdyn.inspection._style import VERMILION
from skdyn.inspection._units import with_unit

__all__ = ["EnergyLandscapeDisplay"]

_MARGIN = 0.15  # of the range of the patterns, on each side


class EnergyLandscapeDisplay:
    """Energy over a plane, the stored patterns, and the paths of queries down to rest.

    Parameters
    ----------
    axes : sequence of ndarray of shape (grid_resolution,)
        Values of the two features.
    energies : ndarray of shape (grid_resolution, grid_resolution)
        Energies; the first feature varies along the last axis.
    patterns : ndarray of shape (n_patterns, 2)
        Stored patterns.
    paths : sequence of ndarray of shape (n_updates + 1, 2)
        States of each query.
    names : sequence of str
        Names of the features.
    units : mapping of str to str or None, default=None
        Units of the features by name, written on the axes.

    Attributes
    ----------
    ax_ : matplotlib axes
        Where it was drawn.
    figure_ : matplotlib figure
        The figure of ``ax_``.
    contours_ : matplotlib contours
        The energy.
    points_ : matplotlib line
        The patterns.
    lines_ : list of matplotlib lines
        The paths, a marker at every state.

    Examples
    --------
    >>> from skdyn import HopfieldMemory
    >>> from skdyn.inspection import EnergyLandscapeDisplay
    >>> memory = HopfieldMemory(beta=20.0).fit([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    >>> display = EnergyLandscapeDisplay.from_estimator(memory, [[0.4, 0.6], [0.9, 0.6]])
    >>> display.paths[0][-1].round(1)
    array([0., 1.])
    """

    def __init__(
        self,
        axes: Sequence[np.ndarray],
        energies: np.ndarray,
        patterns: np.ndarray,
        paths: Sequence[np.ndarray],
        names: Sequence[str],
        units: Mapping[str, str] | None = None,
    ) -> None:
        self.axes = axes
        self.energies = energies
        self.patterns = patterns
        self.paths = paths
        self.names = names
        self.units = units

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any = None,
        *,
        n_steps: int = 100,
        bounds: Any = None,
        grid_resolution: int = 80,
        units: Mapping[str, str] | None = None,
        ax: Any = None,
        name: str | None = None,
        **style: Any,
    ) -> Self:
        """Evaluate the energy on a grid, follow queries, and draw.

        Parameters
        ----------
        estimator : estimator
            Fitted on two features, with ``energy``, ``retrieve`` and ``patterns_``.
        X : array-like of shape (n_queries, 2) or None, default=None
            Queries to follow.
        n_steps : int, default=100
            Number of updates at most.
        bounds : array-like of shape (2, 2) or None, default=None
            Lowest and highest value of each feature; None is the range of patterns and queries,
            with a margin.
        grid_resolution : int, default=80
            Points along each axis.
        units : mapping of str to str or None, default=None
            Units of the features by name, written on the axes.
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            Title.
        **style : dict
            Settings of matplotlib's ``contourf``, such as ``cmap``.

        Returns
        -------
        EnergyLandscapeDisplay

        Raises
        ------
        ValueError
            If the estimator was not fitted on two features, or its states are not real numbers.
        """
        fitted = unwrapped(estimator)
        estimator, X = fitted.estimator, fitted.seen(X)
        patterns = estimator.patterns_
        if patterns.shape[1] != 2:
            raise ValueError(
                "An energy landscape is drawn of a memory of 2 features; this one has "
                f"{patterns.shape[1]}. Fit it on two columns, or on two principal components."
            )
        queries = np.empty((0, 2)) if X is None else as_floats(X)
        if bounds is None:
            everything = np.concatenate([patterns, queries])
            low, high = everything.min(axis=0), everything.max(axis=0)
            margin = np.where(high > low, _MARGIN * (high - low), 0.5)
            bounds = np.stack([low - margin, high + margin], axis=1)
        axes = [np.linspace(low, high, grid_resolution) for low, high in bounds]
        grid = np.stack(np.meshgrid(*axes), axis=-1)
        energies = estimator.energy(_named(estimator, grid.reshape(-1, 2)))
        states = [queries]
        while len(queries) and len(states) <= n_steps:
            states.append(estimator.retrieve(_named(estimator, states[-1]), n_steps=1))
            if np.allclose(states[-1], states[-2], rtol=1e-6):
                break
        paths = list(np.stack(states, axis=1))
        names = fitted.names() or list(estimator.get_feature_names_out())
        energies = energies.reshape(grid.shape[:2])
        return cls(axes, energies, patterns, paths, names, units).plot(ax=ax, name=name, **style)

    def plot(self, *, ax: Any = None, name: str | None = None, **style: Any) -> Self:
        """Draw contours, patterns and paths.

        Parameters
        ----------
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            Title.
        **style : dict
            Settings of matplotlib's ``contourf``, such as ``cmap``.

        Returns
        -------
        self : EnergyLandscapeDisplay
        """
        self.ax_ = axes_or_new(ax)
        self.figure_ = self.ax_.figure
        looks = {"levels": 24, "cmap": "viridis", **style}
        self.contours_ = self.ax_.contourf(*self.axes, self.energies, **looks)
        right = end_beside(self.ax_)
        bar = self.figure_.colorbar(self.contours_, ax=self.ax_, label="energy")
        (self.points_,) = self.ax_.plot(*self.patterns.T, "o", color="white", mec="black", ms=6)
        self.lines_ = []
        for path in self.paths:
            self.lines_ += self.ax_.plot(*path.T, ".-", color=VERMILION, ms=5, lw=1)
        x, y = (with_unit(feature, self.units) for feature in self.names)
        self.ax_.set(xlabel=x, ylabel=y)
        title_if_named(self.ax_, name)
        keep_inside(self.ax_, bar.ax, right=right)
        return self


def _named(estimator, states):
    if hasattr(estimator, "feature_names_in_"):
        return pd.DataFrame(states, columns=estimator.feature_names_in_)
    return states
