"""Where the nodes, boxes and wires of a drawn network stand.

A small network is a tree: inputs below, every edge function in a box on its way up. A larger one
is a crossbar, without lines that cross: a layer is a table of boxes, with a column for each input
and a row for each node it leads to; the next layer takes these rows on to the right as its inputs,
and leads up, and so on. Inputs too many for one table stand in several, one below the other.
"""

from typing import Any, NamedTuple

import numpy as np

__all__ = ["BOX", "Page", "letters_of", "page_of"]

BOX = 0.8  # side of a box; the unit of length is the place of one edge
_LETTER = 0.4  # units along which one letter of a name runs, at most
_EM, _LARGEST = 0.62, 10.0  # width of a letter of size one, and the largest size, in points
_SHORT = 4  # letters of names that stand side by side at nodes one unit apart
_PASSES = 5  # over a page until its letters take what room they need
_TREE = 24  # boxes of a layer, beyond which a network is no longer drawn as a tree
_FACTORS = 0.22, 0.45  # how far a product's factors are beside it, and below
_PITCH = 0.9  # inches of a unit in a figure of our own, while there is room
_ROOM = 12.0, 8.0  # inches of such a figure at most
_ROW, _BUS = (
    1.0,
    0.35,
)  # from a table to the nodes beside it, and from one wire around it to another


class Page(NamedTuple):
    """Where things stand, in units of an edge's place.

    Attributes
    ----------
    nodes : list of dict of int to tuple of float
        The nodes of each layer, inputs first.
    boxes : list of list of tuple of float
        Middles of the boxes, in the order of each layer's edges.
    wires : list of list of tuple of (list of tuple of float, list of int)
        Of each layer, paths and the edges that run along them.
    factors : list of dict of int to list of tuple of float
        Of each layer, where the two factors of a product node are.
    upright : tuple of (bool, bool)
        Whether names of inputs and of outputs are too long to stand side by side.
    beside : bool
        Whether outputs are named to the right of their nodes, not above.
    limits : tuple of float
        Left, right, bottom and top.
    """

    nodes: list
    boxes: list
    wires: list
    factors: list
    upright: tuple
    beside: bool
    limits: tuple

    @property
    def size(self) -> tuple[float, float]:
        """Width and height."""
        left, right, bottom, top = self.limits
        return right - left, top - bottom

    def unit(self, room: tuple[float, float] | None) -> float:
        """Return how long a unit is.

        Parameters
        ----------
        room : tuple of float or None
            Width and height to be filled, in points; None is a figure of our own.

        Returns
        -------
        float
            In points.
        """
        width, height = (72 * inches for inches in _ROOM) if room is None else room
        most = 72 * _PITCH if room is None else np.inf
        return min(most, width / self.size[0], height / self.size[1])


def letters_of(unit: float) -> float:
    """Return the size of letters that fit a page.

    Parameters
    ----------
    unit : float
        Length of its unit, in points.

    Returns
    -------
    float
        In points.
    """
    return min(_LARGEST, _LETTER * unit / _EM)


def page_of(layers: list, longest: tuple[int, ...], room: tuple[float, float] | None) -> Page:
    """Lay out a network.

    Parameters
    ----------
    layers : list of EdgeLayer
        The edges.
    longest : tuple of int
        Letters of the longest name of an input, and of an output.
    room : tuple of float or None
        Width and height to be filled, in points; None is a figure of our own.

    Returns
    -------
    Page
    """
    letter = _LETTER
    # Letters do not grow with the page; the less room they leave idle, the larger it gets.
    page = _largest(layers, [letter * n for n in longest], longest, room)
    for _ in range(_PASSES - 1):
        letter = _EM * letters_of(page.unit(room)) / page.unit(room)
        page = _largest(layers, [letter * n for n in longest], longest, room)
    return page


def _largest(layers, lengths, longest, room):
    """Return the page with the largest boxes for names of these lengths and numbers of letters."""
    if max(len(layer.edges) for layer in layers) <= _TREE:
        return _tree(layers, lengths, longest)
    n_inputs = len(np.unique(layers[0].edges[:, 0]))
    pages = [_crossbar(layers, lengths, longest, n) for n in range(1, min(n_inputs, 8) + 1)]
    return max(pages, key=lambda page: page.unit(room))


def _drawn(layers):
    """Return the nodes of each layer that have edges; of the last one, all."""
    drawn = [np.unique(layer.edges[:, 0]) for layer in layers]
    for depth, layer in enumerate(layers[:-1]):  # a node may have edges on one side only
        entered = [_node(layer, j)[0] for j in layer.edges[:, 1]]
        drawn[depth + 1] = np.union1d(drawn[depth + 1], entered).astype(int)
    drawn.append(np.arange(layers[-1].n_sum + layers[-1].n_mult))
    return [nodes.tolist() for nodes in drawn]


def _node(layer, j):
    """Return the node that a subnode belongs to, and on which side it is a factor (0: a sum)."""
    product, second = divmod(j - layer.n_sum, 2)
    return (j, 0) if j < layer.n_sum else (layer.n_sum + product, 2 * second - 1)


def _subnodes(layer, node):
    """Return the subnodes of a node: itself, or the two factors of a product."""
    first = layer.n_sum + 2 * (node - layer.n_sum)
    return [node] if node < layer.n_sum else [first, first + 1]


# -- trees --------------------------------------------------------------------------------------


def _tree(layers, lengths, longest):
    drawn = _drawn(layers)
    width = max(3, *(len(layer.edges) for layer in layers), *map(len, drawn))
    gap = float(np.clip(0.2 * width, 2.2, 4.0))  # from the nodes of one layer to those of the next
    nodes = [
        dict(zip(ks, [(x, depth * gap) for x in _spread(len(ks), width)], strict=True))
        for depth, ks in enumerate(drawn)
    ]
    boxes, wires, factors = [], [], []
    for depth, layer in enumerate(layers):
        above = nodes[depth + 1]
        boxes.append([(x, (depth + 0.5) * gap) for x in _spread(len(layer.edges), width)])
        factors.append({
            k: [(x - _FACTORS[0], y - _FACTORS[1]), (x + _FACTORS[0], y - _FACTORS[1])]
            for k, (x, y) in above.items() if k >= layer.n_sum
        })  # fmt: skip
        wires.append([])
        for number, ((i, j), (x, y)) in enumerate(zip(layer.edges, boxes[-1], strict=True)):
            node, side = _node(layer, j)
            end = factors[-1][node][int(side > 0)] if side else above[node]
            wires[-1] += [
                ([nodes[depth][i], (x, y - BOX / 2)], [number]),
                ([(x, y + BOX / 2), end], [number]),
            ]
    upright = tuple(
        letters > _SHORT * width / max(1, len(nodes[end])) for letters, end in zip(longest, (0, -1))
    )
    foot, head = (
        0.5 + (length if up else 0.6) for length, up in zip(lengths, upright, strict=True)
    )
    top = len(layers) * gap
    return Page(nodes, boxes, wires, factors, upright, False, (0.0, width, -foot, top + head))


def _spread(n, width):
    return ((np.arange(n) + 0.5) * width / max(n, 1)).tolist()


# -- crossbars ----------------------------------------------------------------------------------


def _crossbar(layers, lengths, longest, n_tables):
    drawn = _drawn(layers)
    per_table = -(-len(drawn[0]) // n_tables)
    n_rows = sum(len(_subnodes(layers[0], k)) for k in drawn[1])
    upright = longest[0] > _SHORT
    foot = 0.8 + (lengths[0] if upright else 0.6)
    nodes = [{
        k: (number % per_table, -(n_rows + foot + 0.4) * (number // per_table))
        for number, k in enumerate(drawn[0])
    }]  # fmt: skip
    boxes, wires, factors = [], [], []
    # The corner that a layer's table fills to the right of and above; x and y swap in every other.
    across, along = 0.0, 0.0
    for depth, layer in enumerate(layers):
        swapped = depth % 2 == 1
        places = [_swap(place, swapped) for place in nodes[-1].values()]
        right = max([x for x, _ in places], default=across)
        line = _lines_of(layer, drawn[depth + 1], along + _ROW)
        tops = {k: y for k, (_, y) in zip(nodes[-1], places, strict=True)}
        table = _Table(layer, dict(zip(nodes[-1], places, strict=True)), tops, line, along, right)
        found = table.laid_out()
        boxes.append([_swap(place, swapped) for place in found.boxes])
        wires.append([
            ([_swap(place, swapped) for place in path], edges) for path, edges in found.wires
        ])  # fmt: skip
        made = {}
        factors.append({})
        for k in drawn[depth + 1]:
            ys = [line[j] for j in _subnodes(layer, k)]
            made[k] = _swap((found.end, float(np.mean(ys))), swapped)
            if len(ys) > 1:
                factors[-1][k] = [_swap((found.end - _FACTORS[1], y), swapped) for y in ys]
        nodes.append(made)
        # In the next layer the lines of this one are the columns.
        across, along = max(line.values(), default=along), found.end
    beside = len(layers) % 2 == 1
    over = not beside and longest[1] > _SHORT
    upright = (upright, over)
    return _bounded(nodes, boxes, wires, factors, upright, beside, lengths[1], foot)


def _swap(place, swapped):
    return place[::-1] if swapped else place


def _lines_of(layer, drawn, first):
    """Return where the line of each subnode runs."""
    subnodes = [j for k in drawn for j in _subnodes(layer, k)]
    return {j: first + number for number, j in enumerate(subnodes)}


class _Laid(NamedTuple):
    boxes: list
    wires: list
    end: float


class _Table(NamedTuple):
    """One layer: inputs below, lines of its subnodes to the right; more tables further down."""

    layer: Any
    places: dict
    tops: dict
    line: dict
    along: float
    right: float

    def laid_out(self):
        """Return boxes, wires and how far to the right the nodes are."""
        edges = self.layer.edges.tolist()
        # Inputs of lower tables are that much lower; so are the lines that they meet.
        boxes = [
            (self.places[i][0], self.line[j] + self.places[i][1] - self.along) for i, j in edges
        ]
        wires = []
        for i, (x, y) in self.places.items():
            own = [k for k, edge in enumerate(edges) if edge[0] == i]
            if own:
                wires.append(([(x, y), (x, max(boxes[k][1] for k in own))], own))
        depths = sorted({y for _, y in self.places.values()}, reverse=True)
        end = self.right + _ROW + (_BUS * len(self.line) if len(depths) > 1 else 0.0)
        for number, (j, y) in enumerate(self.line.items()):
            own = [k for k, edge in enumerate(edges) if edge[1] == j]
            bus = end if len(depths) == 1 else self.right + 0.7 + _BUS * number
            for level in depths:
                met = [k for k in own if self.places[edges[k][0]][1] == level]
                if met:
                    low = y + level - self.along
                    path = [(min(boxes[k][0] for k in met), low), (bus, low), (bus, y), (end, y)]
                    wires.append((path, met))
        return _Laid(boxes, wires, end)


def _bounded(nodes, boxes, wires, factors, upright, beside, name, foot):
    """Return the page with room for the names around it."""
    middles = np.array(
        [place for layer in [*boxes, *(n.values() for n in nodes)] for place in layer]
    )
    (left, bottom), (right, top) = middles.min(axis=0), middles.max(axis=0)
    limits = (
        left - 0.6, right + (0.8 + name if beside else 0.6),
        bottom - foot, top + (0.6 if beside else 1.0 + (name if upright[1] else 0.4)),
    )  # fmt: skip
    return Page(nodes, boxes, wires, factors, upright, beside, limits)
