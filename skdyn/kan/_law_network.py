"""A formula as a network: every operation of one column an edge, every sum and product a node."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import torch

from skdyn.kan._library import torch_function
from skdyn.kan._network import KAN

_NAMES = {"exp": "exp", "log": "log", "sin": "sin", "tan": "tan", "tanh": "tanh", "Abs": "abs"}
_POWERS: dict[float, str] = {
    1: "x", 2: "x^2", 3: "x^3", 4: "x^4", -1: "1/x", -2: "1/x^2", 0.5: "sqrt", -0.5: "1/sqrt",
}  # fmt: skip


class Edge(NamedTuple):
    """A part of a sum: ``c f(a x + b)`` of an earlier value."""

    name: str
    a: float
    b: float
    c: float
    source: Any  # a formula


class Node(NamedTuple):
    """A value of a layer: the product of one sum or of two, each of edges and a bias."""

    factors: tuple  # of (list of Edge, float)


def network_of(formulas, columns, scales, like):
    """Return a network that computes formulas.

    Parameters
    ----------
    formulas : list of sympy.Expr
        One an output, in the user's units.
    columns : list of sympy.Symbol
        The inputs.
    scales : Scales
        Units of the network's inputs and outputs.
    like : KAN
        A network whose other settings to take.

    Returns
    -------
    KAN
        In float64, all edges in closed form.
    """
    return _Plan(columns).network(formulas, scales, like)


class _Plan:
    def __init__(self, columns):
        self.columns = list(columns)
        self.level = {column: 0 for column in columns}
        self.nodes: dict[Any, Node] = {}

    def network(self, formulas, scales, like):
        outputs = [self._sum(formula) for formula in formulas]
        depth = max(
            [1, *(1 + self.level[edge.source] for edges, _ in outputs for edge in edges)]
        )  # fmt: skip
        layers: list[list[Any]] = [self.columns, *([] for _ in range(1, depth))]
        for value, level in self.level.items():
            if level:
                layers[level].append(value)
        needed = self._passed_on(outputs, layers, depth)
        for level in range(1, depth):
            layers[level] += [value for value in needed[level] if value not in layers[level]]
            layers[level].sort(key=lambda value: self._is_product(value, level))
        built = [[self._node(value, level) for value in layers[level]] for level in range(1, depth)]
        built.append([Node((output,)) for output in outputs])
        sizes = [(len(self.columns), 0)]
        sizes += [
            (sum(len(node.factors) == 1 for node in nodes),
             sum(len(node.factors) == 2 for node in nodes))
            for nodes in built
        ]  # fmt: skip
        return _written(sizes, built, layers, scales, like)

    def _is_product(self, value, level):
        return self.level[value] == level and len(self.nodes[value].factors) == 2

    def _node(self, value, level):
        if self.level[value] == level:
            return self.nodes[value]
        return Node((([Edge("x", 1.0, 0.0, 1.0, value)], 0.0),))

    def _passed_on(self, outputs, layers, depth):
        """Return what each level must hand on, beside what is made there."""
        needed: list[list[Any]] = [[] for _ in range(depth + 1)]

        def need(edges, level):  # of a value at a level: its sources on the level before
            for edge in edges:
                for between in range(self.level[edge.source] + 1, level):
                    if edge.source not in needed[between]:
                        needed[between].append(edge.source)

        for edges, _ in outputs:
            need(edges, depth)
        for value, node in self.nodes.items():
            for edges, _ in node.factors:
                need(edges, self.level[value])
        return needed

    def _sum(self, formula):
        """Return the edges and the bias of a sum."""
        import sympy

        edges, bias = [], 0.0
        for term in sympy.Add.make_args(formula):
            factor, rest = term.as_coeff_Mul()
            if not rest.free_symbols:
                bias += float(term)
                continue
            numbers, others = rest.as_independent(*rest.free_symbols, as_Add=False)
            edges.append(self._edge(float(factor) * float(numbers), others))
        return edges, bias

    def _edge(self, c, form: Any):
        """Return a multiple of a function of one value, of the last of its operations."""
        import sympy

        if form in self.columns:
            return Edge("x", 1.0, 0.0, c, form)
        if isinstance(form, sympy.Mul):
            return Edge("x", 1.0, 0.0, c, self._product(form))
        if isinstance(form, sympy.Add):  # a number beside a sum in brackets
            return Edge("x", 1.0, 0.0, c, self._value(form))
        if isinstance(form, sympy.Pow) and form.base != sympy.E and not form.base.free_symbols:
            form = sympy.exp(form.exp * sympy.log(form.base).n(17), evaluate=False)
        if isinstance(form, sympy.Pow) and form.exp.free_symbols and form.base != sympy.E:
            form = sympy.exp(form.exp * sympy.log(form.base), evaluate=False)
        if isinstance(form, sympy.exp) or getattr(form, "base", None) == sympy.E:
            name, inside = "exp", form.exp
        elif isinstance(form, sympy.Pow):
            power, inside = float(form.exp), form.base
            name = str(_POWERS.get(power, f"x^({power!r})"))
        else:
            own, inside = form.func.__name__, form.args[0]
            name = str(_NAMES.get(own, own))
            if name not in _NAMES.values():
                name = f"{name}(x)"
        a, b, source = self._affine(inside)
        return Edge(name, a, b, c, source)

    def _affine(self, inside):
        """Return a form as a x + b of one value x."""
        import sympy

        bias, rest = inside.as_independent(*inside.free_symbols, as_Add=True)
        if isinstance(rest, sympy.Add):
            return 1.0, float(bias), self._value(rest)
        number, form = rest.as_independent(*rest.free_symbols, as_Add=False)
        return float(number), float(bias), self._value(form)

    def _value(self, form):
        """Return a form as a value: a column, or a node that is planned."""
        import sympy

        if form in self.level:
            return form
        if isinstance(form, sympy.Mul):
            return self._product(form)
        return self._plan(form, (self._sum(form),))

    def _product(self, form):
        if form in self.level:
            return form
        arguments = list(form.args)
        middle = (len(arguments) + 1) // 2
        left, right = form.func(*arguments[:middle]), form.func(*arguments[middle:])
        return self._plan(form, (self._sum(left), self._sum(right)))

    def _plan(self, form, factors):
        self.level[form] = 1 + max(
            [self.level[edge.source] for edges, _ in factors for edge in edges], default=0
        )
        self.nodes[form] = Node(factors)
        return form


@torch.no_grad()
def _written(sizes, built, layers, scales, like):
    symbolic, affines = [], []
    for depth, nodes in enumerate(built):
        place = {value: i for i, value in enumerate(layers[depth])}
        subnode = 0
        for node in nodes:
            for edges, _ in node.factors:
                merged: dict[int, list[Edge]] = {}
                for edge in edges:
                    merged.setdefault(place[edge.source], []).append(edge)
                for i, several in merged.items():
                    edge = _one_edge(several)
                    symbolic.append((depth, i, subnode, edge.name))
                    affines.append((depth, i, subnode, edge))
                subnode += 1
    module = KAN(**{**like.config(), "layer_sizes": tuple(sizes), "symbolic": tuple(symbolic)})
    module = module.double()
    for depth, (layer, nodes) in enumerate(zip(module.layers, built, strict=True)):
        layer.mask.zero_()
        layer.weight.zero_()
        bias = [constant for node in nodes for _, constant in node.factors]
        if depth == len(built) - 1:
            bias = [
                (b - o) / s for b, o, s in zip(bias, scales.y_offset, scales.y_scale, strict=True)
            ]
        layer.bias.copy_(torch.tensor(bias, dtype=torch.float64))
    for depth, i, j, edge in affines:
        a, b, c = edge.a, edge.b, edge.c
        if depth == 0:
            a, b = a * scales.x_scale[i], b + a * scales.x_offset[i]
        if depth == len(built) - 1:
            c = c / scales.y_scale[j]
        module.layers[depth].symbolic[f"{i}_{j}"].affine.copy_(
            torch.tensor([a, b, c, 0.0], dtype=torch.float64)
        )
    return module.requires_grad_(False).eval()


def _one_edge(edges):
    """Return several edges between the same nodes as one."""
    if len(edges) == 1:
        return edges[0]
    text = " + ".join(
        f"({edge.c!r})*({_body(edge.name, edge.a, edge.b)})" for edge in edges
    )  # fmt: skip
    return Edge(text, 1.0, 0.0, 1.0, edges[0].source)


def _body(name, a, b):
    text = torch_function(name).text
    return re.sub(r"\bx\b", f"(({a!r})*x + ({b!r}))", text)
