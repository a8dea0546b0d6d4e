"""A network drawn with the functions on its edges."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from skdyn.inspection._axes import axes_or_new
from skdyn.inspection._network import (
    EdgeLayer,
    check_network,
    edge_layers,
    input_names,
    output_names,
)

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

__all__ = ["KANDisplay"]

_RESOLUTION = 100  # points of a curve
# The unit of length is the place of one edge; each has a square box.
_BOX = 0.8
_PITCH = 0.9  # inches of a unit in a figure of our own, while there is room
_WIDEST = 15.0  # inches
_ONE_ROW = 24  # boxes; more of them stand in several rows, one behind the other
_MARGIN = 0.3
_FACTORS = 0.22, 0.45  # how far a product's factors are beside it, and below
_INK, _IN_CLOSED_FORM = "black", "tab:red"
_FAINTEST_EDGE, _FAINTEST_NODE = 0.05, 0.25  # opacity where the score is zero


class KANDisplay:
    """A Kolmogorov-Arnold network: inputs below, outputs above, on every edge its function.

    Each box shows one edge function over the range of its data, on a scale of its own; how dark it
    is tells how much the edge matters: its opacity grows as ``tanh(beta * score)`` [1]_. Edges in
    closed form are red and named, nodes are marked as sums or products. Edges that were pruned are
    not there, and neither are inputs and hidden nodes without edges.

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
    >>> model = KANRegressor((2,), solver="lm", max_iter=5, tol=0, random_state=0)
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
        estimator: "BaseEstimator",
        *,
        ax: Any = None,
        feature_names: Sequence[str] | None = None,
        beta: float = 3.0,
        max_edges: int = 400,
    ) -> Self:
        """Evaluate the edges of a fitted network and draw it.

        Parameters
        ----------
        estimator : estimator
            Fitted Kolmogorov-Arnold network.
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure that fits the network.
        feature_names : sequence of str or None, default=None
            Names of the inputs; None takes ``feature_names_in_``, else ``x0``, ``x1``, ...
        beta : float, default=3.0
            Contrast: the higher, the darker are edges of low score.
        max_edges : int, default=400
            Refuse to draw more edges: nobody could read them.

        Returns
        -------
        KANDisplay

        Raises
        ------
        ValueError
            If the estimator has no edge functions, or too many.
        """
        check_network(estimator)
        n_edges = sum(int(layer.standing().sum()) for layer in estimator.module_.layers)
        if n_edges > max_edges:
            raise ValueError(
                f"The network has {n_edges} edges, more than max_edges={max_edges}. Draw "
                "estimator.prune(), fit fewer hidden nodes or with lamb > 0, or raise max_edges."
            )
        layers = edge_layers(estimator, _RESOLUTION)
        names = input_names(estimator, feature_names)
        outputs = output_names(estimator, layers[-1].n_sum)
        return cls(layers, names, outputs, beta=beta).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw the network.

        Parameters
        ----------
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure that fits the network.

        Returns
        -------
        self : KANDisplay
        """
        page = _layout(self.layers)
        self.ax_ = axes_or_new(ax, figsize=page.figsize)
        self.figure_ = self.ax_.figure
        top = page.nodes[-1][0][1]
        self.ax_.set(xlim=(-_MARGIN, page.width + _MARGIN), ylim=(-0.4, top + 0.4), aspect="equal")
        self.ax_.set_axis_off()
        self.nodes_, self.curves_, self.boxes_ = page.nodes, [], []
        unit = _points_of_a_unit(self.ax_)
        for depth, layer in enumerate(self.layers):
            self._draw_edges(layer, page.boxes[depth], *page.nodes[depth : depth + 2], unit)
            self._draw_nodes(layer, page.nodes[depth + 1], self._node_opacity(depth + 1), unit)
        opacity = self._node_opacity(0)
        for k, place in page.nodes[0].items():
            self.ax_.plot(*place, "o", color=_INK, alpha=opacity[k], ms=min(5.0, 0.12 * unit))
        self._write_names(page.nodes[0], self.feature_names, opacity, page.width * unit, below=True)
        opacity = self._node_opacity(len(self.layers))
        self._write_names(page.nodes[-1], self.output_names, opacity, page.width * unit)
        return self

    def _opacity(self, scores, least):
        return least + (1 - least) * np.tanh(self.beta * scores)

    def _node_opacity(self, depth):
        """Return how dark each node is: an output entirely, others as all their edges together."""
        if depth == len(self.layers):
            return np.ones(self.layers[-1].n_sum + self.layers[-1].n_mult)
        layer = self.layers[depth]
        scores = np.bincount(layer.edges[:, 0], layer.scores, minlength=layer.n_in)
        return self._opacity(scores, _FAINTEST_NODE)

    def _draw_edges(self, layer, centres, below, above, unit):
        from matplotlib.patches import FancyBboxPatch

        curves, boxes = [], []
        opacity = self._opacity(layer.scores, _FAINTEST_EDGE)
        for (i, j), alpha, x, values, name, (cx, cy) in zip(
            layer.edges, opacity, layer.x, layer.values, layer.functions, centres, strict=True
        ):
            color = _INK if name is None else _IN_CLOSED_FORM
            half = _BOX / 2
            end = _entrance(layer, above, j)
            for start, stop in ((below[i], (cx, cy - half)), ((cx, cy + half), end)):
                self.ax_.plot(*zip(start, stop, strict=True), color=_INK, alpha=alpha,
                              lw=min(1.2, 0.025 * unit), zorder=1)  # fmt: skip
            # Its paper hides the lines behind it as far as it matters itself.
            box = FancyBboxPatch(
                (cx - half, cy - half), _BOX, _BOX, zorder=2, facecolor="white", edgecolor=color,
                boxstyle=f"round,pad=0,rounding_size={half / 5}", alpha=alpha,
                lw=min(1.0, 0.02 * unit),
            )  # fmt: skip
            self.ax_.add_patch(box)
            boxes.append(box)
            # A name stands in the lower part of its box.
            height, middle = (0.8, cy) if name is None else (0.55, cy + 0.1 * _BOX)
            curves += self.ax_.plot(
                cx + 0.8 * half * _to_unit(x), middle + height * half * _to_unit(values),
                color=color, alpha=alpha, lw=min(1.8, 0.035 * unit), zorder=3,
            )  # fmt: skip
            if name is not None:
                size = min(9.0, 0.2 * unit, 1.5 * _BOX * unit / len(name))
                self.ax_.text(cx, cy - 0.72 * half, name, color=color, alpha=alpha, fontsize=size,
                              ha="center", va="center", zorder=3)  # fmt: skip
        self.curves_.append(curves)
        self.boxes_.append(boxes)

    def _draw_nodes(self, layer, nodes, opacity, unit):
        size = min(11.0, 0.25 * unit)
        for k, (x, y) in nodes.items():
            look = {"color": _INK, "alpha": opacity[k]}
            if k >= layer.n_sum:
                for side in (-1, 1):
                    dx, dy = side * _FACTORS[0], _FACTORS[1]
                    self.ax_.plot([x, x + dx], [y, y - dy], lw=0.1 * size, zorder=1, **look)
                    self.ax_.plot(x + dx, y - dy, "o", ms=size / 3, **look)
            sign = "+" if k < layer.n_sum else "x"
            self.ax_.plot(x, y, "o", color="white", ms=size, zorder=4)
            self.ax_.plot(x, y, "o", mfc="none", ms=size, mew=0.1 * size, zorder=4, **look)
            self.ax_.plot(x, y, sign, ms=0.6 * size, mew=0.1 * size, zorder=5, **look)

    def _write_names(self, nodes, names, opacity, room, below=False):
        longest = max((len(names[k]) for k in nodes), default=0)
        slanted = 0.6 * 10 * longest * len(nodes) > room  # a letter is so many points wide
        for k, place in nodes.items():
            self.ax_.annotate(
                names[k], place, (0, -6 if below else 9), textcoords="offset points",
                alpha=opacity[k], rotation=45 if slanted else 0, rotation_mode="anchor",
                ha=("right" if below else "left") if slanted else "center",
                va="top" if below else "bottom",
            )  # fmt: skip


class _Page(NamedTuple):
    """Where things stand, in units of an edge's place."""

    nodes: list
    boxes: list
    width: float
    figsize: tuple


def _layout(layers):
    drawn = [np.unique(layer.edges[:, 0]) for layer in layers]
    for depth, layer in enumerate(layers[:-1]):  # a node may have edges on one side only
        entered = [_node(layer, j)[0] for j in layer.edges[:, 1]]
        drawn[depth + 1] = np.union1d(drawn[depth + 1], entered).astype(int)
    drawn.append(np.arange(layers[-1].n_sum + layers[-1].n_mult))
    rows = [max(1, -(-len(layer.edges) // _ONE_ROW)) for layer in layers]
    width = max(3, *(len(layer.edges) / n for layer, n in zip(layers, rows)), *map(len, drawn))
    gap = np.clip(0.2 * width, 2.2, 4.0)  # between nodes and boxes, twice
    foot = [0.0, *np.cumsum([gap + n - 1 for n in rows]).tolist()]
    nodes = [
        {k: (x, y) for k, x in zip(ks.tolist(), _spread(len(ks), width), strict=True)}
        for ks, y in zip(drawn, foot, strict=True)
    ]
    boxes = [
        [(x, y + gap / 2 + k % n) for k, x in enumerate(_spread(len(layer.edges), width))]
        for layer, y, n in zip(layers, foot, rows)
    ]
    inches = min(_PITCH * (width + 2 * _MARGIN), _WIDEST)
    return _Page(
        nodes, boxes, width, (inches, inches / (width + 2 * _MARGIN) * (foot[-1] + 0.8) + 0.6)
    )


def _spread(n, width):
    return ((np.arange(n) + 0.5) * width / n).tolist()


def _node(layer, j):
    """Return the node that a subnode belongs to, and on which side it is a factor (0: a sum)."""
    product, second = divmod(j - layer.n_sum, 2)
    return (j, 0) if j < layer.n_sum else (layer.n_sum + product, 2 * second - 1)


def _entrance(layer, nodes, j):
    """Return where the edges of a subnode end: at the sum, or at the factor of a product."""
    node, side = _node(layer, j)
    x, y = nodes[node]
    return (x + side * _FACTORS[0], y - _FACTORS[1]) if side else (x, y)


def _points_of_a_unit(ax):
    room = ax.get_window_extent()
    pixels = min(room.width / np.ptp(ax.get_xlim()), room.height / np.ptp(ax.get_ylim()))
    return 72 * pixels / ax.figure.dpi


def _to_unit(values):
    """Map a curve onto [-1, 1]; a constant goes to the middle."""
    low, high = values.min(), values.max()
    flat = high - low <= 1e-9 * max(abs(low), abs(high))
    return np.zeros_like(values) if flat else (2 * values - low - high) / (high - low)
