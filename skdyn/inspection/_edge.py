"""One edge of a network, with the data it saw."""

import copy
from typing import Any, Self

import numpy as np

from skdyn.inspection._axes import axes_or_new, keep_inside
from skdyn.inspection._fitted import unwrapped
from skdyn.inspection._legend import place_legend
from skdyn.inspection._network import check_network, input_names, node_inputs, output_names
from skdyn.inspection._style import BLUE, VERMILION, styled

__all__ = ["EdgeDisplay"]

_RESOLUTION = 300  # points of the curve
_BEYOND = 0.15  # of the range, drawn on either side to show how the function goes on
_N_BINS = 30
_FOOT = 0.2  # height of the density, of the axes


class EdgeDisplay:
    """One edge function as a curve, dashed where it is extrapolated, over the density of its data.

    Parameters
    ----------
    x, values : ndarray of shape (n_points,)
        Points, and the edge function there.
    ends : tuple of two float
        Between them the function was learned; beyond it is extrapolated.
    inputs : ndarray of shape (n,)
        Data, whose density is drawn.
    breaks : ndarray of shape (n_breaks,) or None, default=None
        Where the pieces of a spline meet.
    suggested : ndarray of shape (n_points,) or None, default=None
        A function in closed form to compare with.
    name : str or None, default=None
        Name of the closed form: of ``suggested`` if there is one, else of the edge itself.
    xlabel, ylabel : str, default=""
        Names of the edge's ends.
    levels : list of str or None, default=None
        Names of the levels, where the edge is from a column of categories; x numbers them.

    Attributes
    ----------
    ax_ : matplotlib axes
        Where it was drawn.
    figure_ : matplotlib figure
        The figure of ``ax_``.
    lines_ : list of matplotlib lines
        The curve inside the range, the curve outside, and ``suggested`` if there is one.
    bars_ : matplotlib bars
        The density.
    ticks_ : list of matplotlib lines
        The breaks.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn import KANRegressor
    >>> from skdyn.inspection import EdgeDisplay
    >>> X = np.random.default_rng(0).uniform(-1, 1, (100, 1))
    >>> model = KANRegressor((), optimizer="lm", max_iter=5, tol=0).fit(X, np.sin(3 * X[:, 0]))
    >>> EdgeDisplay.from_estimator(model, 0, 0, 0).ax_.get_xlabel()
    'x0'
    """

    def __init__(
        self,
        x: np.ndarray,
        values: np.ndarray,
        ends: tuple[float, float],
        inputs: np.ndarray,
        breaks: np.ndarray | None = None,
        suggested: np.ndarray | None = None,
        name: str | None = None,
        xlabel: str = "",
        ylabel: str = "",
        levels: Any = None,
    ) -> None:
        self.x = x
        self.values = values
        self.ends = ends
        self.inputs = inputs
        self.breaks = breaks
        self.suggested = suggested
        self.name = name
        self.xlabel = xlabel
        self.ylabel = ylabel
        self.levels = levels

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        layer: int,
        i: int,
        j: int,
        *,
        X: Any = None,
        suggest: str | None = None,
        feature_names: Any = None,
        ax: Any = None,
        name: str | None = None,
        **style: Any,
    ) -> Self:
        """Evaluate one edge of a fitted network and draw it.

        Parameters
        ----------
        estimator : estimator
            Fitted Kolmogorov-Arnold network.
        layer : int
            The layer, the first is 0.
        i : int
            The input of the layer. Those of the first are drawn in the feature's own units.
        j : int
            The subnode of the layer; the factors of its products come last, in pairs.
        X : array-like of shape (n_samples, n_features) or None, default=None
            Data whose density to draw; None takes that of the training data.
        suggest : str or None, default=None
            Name of a function, such as ``"sin"``, to fit to the edge and to draw beside it.
        feature_names : sequence of str or None, default=None
            Names of the inputs; None takes ``feature_names_in_``, else ``x0``, ``x1``, ...
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            What the legend calls the edge.
        **style : dict
            Settings of matplotlib for the curve, such as ``lw``.

        Returns
        -------
        EdgeDisplay

        Raises
        ------
        ValueError
            If the estimator has no edge functions, or not this one.
        """
        fitted = unwrapped(estimator)
        estimator, X = fitted.estimator, fitted.seen(X)
        check_network(estimator)
        estimator.module_.check_edge(layer, i, j)
        part = estimator.module_.layers[layer]
        if not part.standing()[i, j]:
            raise ValueError(
                f"The edge layer={layer}, i={i}, j={j} was pruned or fixed as a constant: there is "
                "no function to draw."
            )
        names = input_names(estimator, fitted.names() if feature_names is None else feature_names)
        seen = node_inputs(estimator, layer, i, X)
        place = f"{i}_{j}"
        closed = part.symbolic[place].name if place in part.symbolic else suggest
        breaks = None
        levels = _levels(estimator, layer, i)
        if levels is not None:
            ends = np.array([-0.5, len(levels) - 0.5])
        elif place in part.symbolic:  # in closed form it needs no range; what it saw is known
            ends = estimator._node_quantiles[layer][[0, -1], i]
        else:
            ends = np.array([part.basis.low[i].item(), part.basis.high[i].item()])
            if hasattr(part.basis, "breaks"):
                breaks = part.basis.breaks[i].double().cpu().numpy()
        low, high = min(ends[0], seen.min()), max(ends[1], seen.max())
        reach = 0.0 if levels is not None else _BEYOND * (high - low)
        x = np.union1d(np.linspace(low - reach, high + reach, _RESOLUTION), ends)
        values, suggested = estimator.edge_function(layer, i, j, x), None
        if suggest is not None:
            fixed = copy.deepcopy(estimator).fix_symbolic(layer, i, j, suggest)
            suggested, closed = fixed.edge_function(layer, i, j, x), suggest
        offset, scale = 0.0, 1.0
        if layer == 0:
            offset, scale = estimator._x_offset[i], estimator._x_scale[i]
        return cls(
            offset + scale * x, values, tuple(offset + scale * ends), offset + scale * seen,
            None if breaks is None else offset + scale * breaks, suggested, closed,
            names[i] if layer == 0 else f"node {i} of layer {layer}",
            f"to {_target(estimator, layer, j)}", levels,
        ).plot(ax=ax, name=name, **style)  # fmt: skip

    def plot(self, *, ax: Any = None, name: str | None = None, **style: Any) -> Self:
        """Draw the curve and the density.

        Parameters
        ----------
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            What the legend calls the edge.
        **style : dict
            Settings of matplotlib for the curve, such as ``lw``.

        Returns
        -------
        self : EdgeDisplay
        """
        from matplotlib.lines import Line2D

        self.ax_ = axes_or_new(ax)
        self.figure_ = self.ax_.figure
        low, high = self.ends
        inside = (self.x >= low) & (self.x <= high)
        outside = (self.x <= low) | (self.x >= high)
        closed = self.name if self.suggested is None else None
        color = BLUE if closed is None else VERMILION
        looks = styled(Line2D, style, color=color, ls="-", label=name or closed or "edge")
        self.lines_ = self.ax_.plot(self.x, np.where(inside, self.values, np.nan), **looks)
        looks |= {"linestyle": "--", "label": "_extrapolated"}
        self.lines_ += self.ax_.plot(self.x, np.where(outside, self.values, np.nan), **looks)
        lowest, highest = self.values.min(), self.values.max()
        room = _FOOT * (highest - lowest)
        if self.suggested is not None:  # near a pole it would leave the edge no room
            near = (self.suggested > lowest - room) & (self.suggested < highest + room)
            self.lines_ += self.ax_.plot(
                self.x, np.where(near, self.suggested, np.nan), ":", color=VERMILION, lw=2,
                label=self.name,
            )  # fmt: skip
        if self.name is not None or name is not None:
            place_legend(self.ax_)
        # Heights count from the foot of the axes, whatever the values of the curve.
        foot = self.ax_.get_xaxis_transform()
        counts, edges = np.histogram(self._sample(), _N_BINS)
        self.bars_ = self.ax_.bar(
            edges[:-1], _FOOT * counts / counts.max(), np.diff(edges), align="edge", color="0.85",
            transform=foot, zorder=0,
        )  # fmt: skip
        self.ticks_ = []
        if self.breaks is not None:
            self.ticks_ = self.ax_.plot(
                self.breaks, np.zeros(len(self.breaks)), "|", ms=12, color=color, transform=foot
            )
        self.ax_.update_datalim([(self.x[0], lowest - 1.5 * room)])
        self.ax_.autoscale_view()
        self.ax_.set(xlabel=self.xlabel, ylabel=self.ylabel)
        if self.levels is not None:
            self.ax_.set_xticks(range(len(self.levels)), self.levels)
        keep_inside(self.ax_)
        return self

    def _sample(self):
        """Return the data, or as many as fill a histogram where there are only quantiles."""
        levels = np.linspace(0, 1, max(1000, len(self.inputs)))
        return np.interp(levels, np.linspace(0, 1, len(self.inputs)), np.sort(self.inputs))


def _levels(estimator, layer, i):
    """Return what the levels of a column of categories are called, None of numbers."""
    levels = estimator.categories_[i] if layer == 0 and estimator.categories_ else None
    if levels is None:
        return None
    return [*map(str, levels), *(["missing"] if estimator._lacks[i] else [])]


def _target(estimator, layer, j):
    """Return what the node that an edge leads to is called."""
    part = estimator.module_.layers[layer]
    if layer == len(estimator.module_.layers) - 1:
        return output_names(estimator, part.n_sum)[j]
    if j < part.n_sum:
        return f"node {j} of layer {layer + 1}"
    product, second = divmod(j - part.n_sum, 2)
    return f"factor {second + 1} of node {part.n_sum + product} of layer {layer + 1}"
