"""Which instances of a bag an answer rests on."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from skdyn.inspection._axes import axes_or_new, keep_inside, name_ticks, title_if_named
from skdyn.inspection._fitted import unwrapped
from skdyn.inspection._panels import SINGLE, small_panels
from skdyn.inspection._style import BLUE, VERMILION, styled

__all__ = ["InstanceWeightsDisplay"]


class InstanceWeightsDisplay:
    """Weights of the instances of each bag, as bars side by side.

    More than eight bags have a small panel each.

    Parameters
    ----------
    weights : list of ndarray of shape (n_instances_i,)
        Weights of each bag's instances.
    marked : list of array-like of bool, or None, default=None
        Instances drawn in a color of their own, such as those known to be positive.
    names : list of str or None, default=None
        Names of the bags; None numbers them.

    Attributes
    ----------
    ax_ : matplotlib axes
        Where it was drawn.
    figure_ : matplotlib figure
        The figure of ``ax_``.
    bars_ : matplotlib bar container
        The bars, bag after bag; of small panels a list of such, one per bag.

    Examples
    --------
    >>> from skdyn import HopfieldPoolingClassifier
    >>> from skdyn.datasets import make_bags
    >>> from skdyn.inspection import InstanceWeightsDisplay
    >>> X, y, planted = make_bags(random_state=0)
    >>> model = HopfieldPoolingClassifier(max_iter=20, tol=0, random_state=0).fit(X, y)
    >>> display = InstanceWeightsDisplay.from_estimator(model, X, bags=[0, 1], marked=planted)
    >>> len(display.bars_) == len(X[0]) + len(X[1])
    True
    """

    def __init__(
        self,
        weights: list[np.ndarray],
        marked: list[np.ndarray] | None = None,
        names: list[str] | None = None,
    ) -> None:
        self.weights = weights
        self.marked = marked
        self.names = names

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        bags: int | Sequence[int] | None = None,
        marked: Sequence[Any] | None = None,
        ax: Any = None,
        name: str | None = None,
        **style: Any,
    ) -> Self:
        """Weigh the instances and draw.

        Parameters
        ----------
        estimator : estimator
            Fitted, with ``instance_weights``.
        X : list of array-like of shape (n_instances_i, n_features), or array-like
            Bags, in any layout that the estimator takes.
        bags : int, sequence of int, or None, default=None
            Which of them to draw; None draws all.
        marked : sequence of array-like of bool, or None, default=None
            For every bag of ``X``, which instances to draw in a color of their own.
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            Title.
        **style : dict
            Settings of matplotlib for the bars, such as ``alpha``.

        Returns
        -------
        InstanceWeightsDisplay

        Raises
        ------
        ValueError
            If ``marked`` does not have a value for each instance.
        """
        numbers = range(len(X)) if bags is None else np.atleast_1d(bags).tolist()
        fitted = unwrapped(estimator)
        weights = fitted.estimator.instance_weights(fitted.seen(X))
        weights = [weights[number] for number in numbers]
        if marked is not None:
            marked = [np.asarray(marked[number], dtype=bool) for number in numbers]
            for number, of_bag, chosen in zip(numbers, weights, marked, strict=True):
                if chosen.shape != of_bag.shape:
                    raise ValueError(
                        f"marked must have a value for each of the {len(of_bag)} instances of bag "
                        f"{number}; got shape {chosen.shape}."
                    )
        return cls(weights, marked, [f"bag {number}" for number in numbers]).plot(
            ax=ax, name=name, **style
        )

    def plot(self, *, ax: Any = None, name: str | None = None, **style: Any) -> Self:
        """Draw the bars.

        Parameters
        ----------
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            Title.
        **style : dict
            Settings of matplotlib for the bars, such as ``alpha``.

        Returns
        -------
        self : InstanceWeightsDisplay
        """
        names = self.names or [f"bag {number}" for number in range(len(self.weights))]
        if len(self.weights) > SINGLE:
            self._draw_panels(ax, names, style)
        else:
            self._draw_side_by_side(ax, names, style)
        title_if_named(self.ax_, name)
        keep_inside(*np.ravel(self.ax_))
        return self

    def _draw_side_by_side(self, ax, names, style):
        sizes = np.array([len(of_bag) for of_bag in self.weights])
        ends = np.cumsum(sizes + 1)  # a gap of one bar between bags
        places = np.concatenate([end - 1 - np.arange(n, 0, -1) for end, n in zip(ends, sizes)])
        width = np.clip(0.15 * ends[-1], 3.0, 12.0)
        self.ax_ = axes_or_new(ax, figsize=(width, 3.0))
        self.figure_ = self.ax_.figure
        marked = None if self.marked is None else np.concatenate(self.marked)
        looks = _looks(len(places), marked, style)
        self.bars_ = self.ax_.bar(places, np.concatenate(self.weights), **looks)
        name_ticks(self.ax_, ends - 1 - (sizes + 1) / 2, names)
        self.ax_.tick_params(axis="x", length=0)
        self.ax_.set(ylabel="weight of the instance", ylim=(0, 1))

    def _draw_panels(self, ax, names, style):
        outer = axes_or_new(ax, figsize=(8.0, min(12.0, 1.0 + 0.16 * len(names))))
        self.ax_ = small_panels(outer, names, "instance", "weight of the instance")
        self.figure_ = outer.figure
        self.bars_ = []
        highest = max(of_bag.max() for of_bag in self.weights)
        for number, (panel, of_bag) in enumerate(zip(self.ax_, self.weights, strict=True)):
            looks = _looks(len(of_bag), None if self.marked is None else self.marked[number], style)
            self.bars_.append(panel.bar(np.arange(len(of_bag)), of_bag, **looks))
            # The names stand above the bars.
            panel.set(ylim=(0, 1.5 * highest), xticks=[])


def _looks(n_bars, marked, style):
    from matplotlib.patches import Rectangle

    colors = np.full(n_bars, BLUE)
    if marked is not None:
        colors[np.asarray(marked)] = VERMILION
    return styled(Rectangle, style, color=colors)
