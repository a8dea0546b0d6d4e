"""A network drawn with the functions on its edges."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from skdyn.inspection._axes import axes_or_new, extent, keep_inside, title_if_named
from skdyn.inspection._fitted import unwrapped
from skdyn.inspection._kan_page import BOX, letters_of, page_of
from skdyn.inspection._network import (
    EdgeLayer,
    check_network,
    edge_layers,
    input_names,
    output_names,
)
from skdyn.inspection._style import VERMILION, styled

__all__ = ["KANDisplay"]

_RESOLUTION = 100  # points of a curve
_INK, _IN_CLOSED_FORM = "black", VERMILION
_EM = 0.62  # width of a letter of size one
_FAINTEST_EDGE, _FAINTEST_NODE = 0.05, 0.25  # opacity where the score is zero


class KANDisplay:
    """A Kolmogorov-Arnold network: inputs below, outputs above, on every edge its function.

    Each box shows one edge function over the range of its data, on a scale of its own; how dark it
    is tells how much the edge matters: its opacity grows as ``tanh(beta * score)`` [1]_, scores as
    shares of the highest. Edges in closed form are red and named, nodes are marked as sums or
    products. Edges that were pruned are not there, and neither are inputs and hidden nodes without
    edges.

    A layer of more than 24 edges is a table, in which no lines cross: a column for each input and a
    row for each node it leads to. These rows go on to the right, as the inputs of the next layer,
    which leads up again.

    Parameters
    ----------
    layers : list of EdgeLayer
        Edges, their scores and their curves, as :meth:`from_estimator` collects them.
    feature_names, output_names : sequence of str
        Names below the inputs and above the outputs.
    beta : float, default=3.0
        Contrast: the higher, the darker are edges of low score.

    Attributes
    ----------
    ax_ : matplotlib axes
        Where it was drawn.
    figure_ : matplotlib figure
        The figure of ``ax_``.
    curves_ : list of list of matplotlib lines
        The edge functions of each layer, in the order of ``layers[k].edges``.
    boxes_ : list of list of matplotlib patches
        The boxes around them.
    nodes_ : list of dict of int to tuple of float
        Where the nodes of each layer stand, inputs first.

    References
    ----------
    .. [1] Z. Liu et al., "KAN: Kolmogorov-Arnold Networks", ICLR 2025.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn import KANRegressor
    >>> from skdyn.inspection import KANDisplay
    >>> X = np.random.default_rng(0).uniform(-1, 1, (100, 2))
    >>> model = KANRegressor((2,), optimizer="lm", max_iter=5, tol=0, random_state=0)
    >>> display = KANDisplay.from_estimator(model.fit(X, X[:, 0] * X[:, 1]))
    >>> [len(curves) for curves in display.curves_]
    [4, 2]
    """

    def __init__(
        self,
        layers: list[EdgeLayer],
        feature_names: Sequence[str],
        output_names: Sequence[str],
        *,
        beta: float = 3.0,
    ) -> None:
        self.layers = layers
        self.feature_names = feature_names
        self.output_names = output_names
        self.beta = beta

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        feature_names: Sequence[str] | None = None,
        beta: float = 3.0,
        max_edges: int = 400,
        ax: Any = None,
        name: str | None = None,
        **style: Any,
    ) -> Self:
        """Evaluate the edges of a fitted network and draw it.

        Parameters
        ----------
        estimator : estimator
            Fitted Kolmogorov-Arnold network.
        feature_names : sequence of str or None, default=None
            Names of the inputs; None takes ``feature_names_in_``, else ``x0``, ``x1``, ...
        beta : float, default=3.0
            Contrast: the higher, the darker are edges of low score.
        max_edges : int, default=400
            Refuse to draw more edges: nobody could read them.
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure that fits the network.
        name : str or None, default=None
            Title.
        **style : dict
            Settings of matplotlib for the curves, such as ``lw``.

        Returns
        -------
        KANDisplay

        Raises
        ------
        ValueError
            If the estimator has no edge functions, or too many.
        """
        fitted = unwrapped(estimator)
        estimator = fitted.estimator
        check_network(estimator)
        n_edges = sum(int(layer.standing().sum()) for layer in estimator.module_.layers)
        if n_edges > max_edges:
            raise ValueError(
                f"The network has {n_edges} edges, more than max_edges={max_edges}. Draw "
                "estimator.prune(), fit fewer hidden nodes or with lamb > 0, or raise max_edges."
            )
        layers = edge_layers(estimator, _RESOLUTION)
        known = fitted.names() if feature_names is None else feature_names
        names = input_names(estimator, known)
        outputs = output_names(estimator, layers[-1].n_sum)
        return cls(layers, names, outputs, beta=beta).plot(ax=ax, name=name, **style)

    def plot(self, *, ax: Any = None, name: str | None = None, **style: Any) -> Self:
        """Draw the network.

        Parameters
        ----------
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure that fits the network.
        name : str or None, default=None
            Title.
        **style : dict
            Settings of matplotlib for the curves, such as ``lw``.

        Returns
        -------
        self : KANDisplay
        """
        longest = tuple(
            max(map(len, names), default=0) for names in (self.feature_names, self.output_names)
        )
        room = None if ax is None else extent(ax)
        page = page_of(self.layers, longest, room)
        inches = page.unit(room) / 72
        self.ax_ = axes_or_new(ax, figsize=(inches * page.size[0], inches * page.size[1]))
        self.figure_ = self.ax_.figure
        left, right, bottom, top = page.limits
        self.ax_.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
        self.ax_.set_axis_off()
        self.nodes_, self.curves_, self.boxes_ = page.nodes, [], []
        unit = _points_of_a_unit(self.ax_)
        for depth, layer in enumerate(self.layers):
            opacity = self._opacity(layer.scores, _FAINTEST_EDGE)
            for points, edges in page.wires[depth]:
                self.ax_.plot(*zip(*points, strict=True), color=_INK, alpha=opacity[edges].max(),
                              ls="-", lw=min(1.2, 0.04 * unit), zorder=1)  # fmt: skip
            self._draw_edges(layer, page.boxes[depth], opacity, unit, style)
            self._draw_nodes(layer, page, depth + 1, unit)
        opacity = self._node_opacity(0)
        for k, place in page.nodes[0].items():
            self.ax_.plot(*place, "o", color=_INK, alpha=opacity[k], ms=min(5.0, 0.2 * unit))
        self._write_names(page, unit)
        title_if_named(self.ax_, name)
        keep_inside(self.ax_)
        return self

    def _opacity(self, scores, least):
        highest = max((layer.scores.max(initial=0.0) for layer in self.layers), default=0.0)
        return least + (1 - least) * np.tanh(self.beta * scores / (highest or 1.0))

    def _node_opacity(self, depth):
        """Return how dark each node is: an output entirely, others as all their edges together."""
        if depth == len(self.layers):
            return np.ones(self.layers[-1].n_sum + self.layers[-1].n_mult)
        layer = self.layers[depth]
        scores = np.bincount(layer.edges[:, 0], layer.scores, minlength=layer.n_in)
        return self._opacity(scores, _FAINTEST_NODE)

    def _draw_edges(self, layer, centers, opacity, unit, style):
        from matplotlib.lines import Line2D
        from matplotlib.patches import FancyBboxPatch

        curves, boxes, half = [], [], BOX / 2
        for alpha, x, values, name, (cx, cy) in zip(
            opacity, layer.x, layer.values, layer.functions, centers, strict=True
        ):
            color = _INK if name is None else _IN_CLOSED_FORM
            # Its paper hides the lines behind it.
            paper = {
                "boxstyle": f"round,pad=0,rounding_size={half / 5}",
                "lw": min(1.0, 0.03 * unit),
            }
            corner, faces = (cx - half, cy - half), {"facecolor": "white", "edgecolor": color}
            self.ax_.add_patch(FancyBboxPatch(corner, BOX, BOX, zorder=2, color="white", **paper))
            box = FancyBboxPatch(corner, BOX, BOX, zorder=2, alpha=alpha, **faces, **paper)
            self.ax_.add_patch(box)
            boxes.append(box)
            # A name stands in the lower part of its box.
            height, middle = (0.8, cy) if name is None else (0.55, cy + 0.1 * BOX)
            looks = styled(
                Line2D, style, color=color, alpha=alpha, ls="-", lw=np.clip(0.05 * unit, 0.5, 1.8)
            )
            curves += self.ax_.plot(
                cx + 0.8 * half * _to_unit(x), middle + height * half * _to_unit(values),
                zorder=3, **looks,
            )  # fmt: skip
            if name is not None:
                size = min(9.0, 0.25 * unit, 1.5 * BOX * unit / len(name))
                self.ax_.text(cx, cy - 0.72 * half, name, color=color, alpha=alpha, fontsize=size,
                              ha="center", va="center", zorder=3)  # fmt: skip
        self.curves_.append(curves)
        self.boxes_.append(boxes)

    def _draw_nodes(self, layer, page, depth, unit):
        size, opacity = min(11.0, 0.45 * unit), self._node_opacity(depth)
        for k, (x, y) in page.nodes[depth].items():
            look = {"color": _INK, "alpha": opacity[k]}
            for fx, fy in page.factors[depth - 1].get(k, []):
                self.ax_.plot([x, fx], [y, fy], "-", lw=0.1 * size, zorder=1, **look)
                self.ax_.plot(fx, fy, "o", ms=size / 3, **look)
            sign = "+" if k < layer.n_sum else "x"
            self.ax_.plot(x, y, "o", color="white", ms=size, zorder=4)
            self.ax_.plot(x, y, "o", mfc="none", ms=size, mew=0.1 * size, zorder=4, **look)
            self.ax_.plot(x, y, sign, ms=0.6 * size, mew=0.1 * size, zorder=5, **look)

    def _write_names(self, page, unit):
        size = letters_of(unit)
        below = {"xytext": (0, -0.35 * unit), "ha": "center", "va": "top"}
        above = {"xytext": (0, 0.45 * unit), "ha": "center", "va": "bottom"}
        if page.beside:
            above = {"xytext": (0.45 * unit, 0), "ha": "left", "va": "center"}
        for end, names, place in ((0, self.feature_names, below), (-1, self.output_names, above)):
            opacity = self._node_opacity(0 if end == 0 else len(self.layers))
            small = size
            if not (page.upright[end] or (end and page.beside)):
                places = np.unique([x for x, _ in page.nodes[end].values()])
                apart = np.diff(places, append=np.inf).min(initial=np.inf) * unit
                longest = max((len(names[k]) for k in page.nodes[end]), default=1)
                small = min(size, apart / (_EM * (longest + 0.5)))
            for k, node in page.nodes[end].items():
                self.ax_.annotate(
                    names[k], node, textcoords="offset points", alpha=opacity[k], fontsize=small,
                    rotation=90 if page.upright[end] else 0, annotation_clip=False, **place,
                )  # fmt: skip


def _points_of_a_unit(ax):
    width, height = extent(ax)
    return min(width / np.ptp(ax.get_xlim()), height / np.ptp(ax.get_ylim()))


def _to_unit(values):
    """Map a curve onto [-1, 1]; a constant goes to the middle."""
    low, high = values.min(), values.max()
    flat = high - low <= 1e-9 * max(abs(low), abs(high))
    return np.zeros_like(values) if flat else (2 * values - low - high) / (high - low)
