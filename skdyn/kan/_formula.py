"""The formula of a network whose edges are all given in closed form.

A node is kept as a sum of terms, so that factors and shifts which could as well stand elsewhere
are moved to one place on the way: ``2 sqrt(3 x + 3 y)`` and ``exp(x + 1)`` come out as constants
before ``sqrt(x + y)`` and ``exp(x)``. The constants left determine the formula, and not more.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch

from skdyn.kan._library import torch_function

_LARGEST_EXPONENT = 300.0


class LayerFormula(NamedTuple):
    """A layer in closed form: edges ``{(i, j): (name, a, b, c, d)}``, where no edge is zero.

    An edge without a closed form has an :class:`Unnamed` in place of the name.
    """

    edges: dict
    bias: tuple  # of each subnode: the sums, then two factors a product
    n_sum: int
    n_mult: int


class Unnamed(NamedTuple):
    """A function without a closed form, as a formula shows it."""

    name: str

    def sympy(self, u):
        """Return the function of a sympy expression."""
        import sympy

        return sympy.Function(self.name)(u)


class Scales(NamedTuple):
    """How user's units are standardized: ``(x - x_offset) / x_scale``, and y likewise."""

    x_offset: Sequence[float] | np.ndarray
    x_scale: Sequence[float] | np.ndarray
    y_offset: Sequence[float] | np.ndarray
    y_scale: Sequence[float] | np.ndarray


def network_formula(layers, names, scales=None):
    """Write out a network in the user's units.

    Parameters
    ----------
    layers : list of LayerFormula
        The network.
    names : list of str
        Names of the inputs, one each.
    scales : Scales, default=None
        Of inputs and outputs; None for none.

    Returns
    -------
    list of sympy.Expr
        One an output. Constants are floats; variables are real symbols of the given names.
    """
    import sympy

    symbols = [sympy.Symbol(name, real=True) for name in names]
    nodes = [{symbol: 1.0} for symbol in symbols]
    if scales is not None:
        nodes = [
            affine(node, 1 / scale, -offset / scale)
            for node, offset, scale in zip(nodes, scales.x_offset, scales.x_scale, strict=True)
        ]
    for layer in layers:
        subnodes = [{sympy.S.One: float(bias)} for bias in layer.bias]
        for (i, j), (name, a, b, c, d) in sorted(layer.edges.items()):
            function = torch_function(name) if isinstance(name, str) else name
            edge = affine(apply(function, affine(nodes[i], a, b)), c, d)
            subnodes[j] = plus(subnodes[j], edge)
        pairs = zip(subnodes[layer.n_sum :: 2], subnodes[layer.n_sum + 1 :: 2], strict=True)
        nodes = subnodes[: layer.n_sum] + [times(left, right) for left, right in pairs]
    if scales is not None:
        nodes = [
            affine(node, scale, offset)
            for node, offset, scale in zip(nodes, scales.y_offset, scales.y_scale, strict=True)
        ]
    return [expression_of(node) for node in nodes]


def plus(left, right):
    return {term: left.get(term, 0.0) + right.get(term, 0.0) for term in {**left, **right}}


def affine(node, factor, shift):
    import sympy

    scaled = {term: float(factor) * value for term, value in node.items()}
    return plus(scaled, {sympy.S.One: float(shift)})


def expression_of(node):
    import sympy

    one = {1.0: sympy.S.One, -1.0: sympy.S.NegativeOne}  # no constants to be determined
    terms = (one.get(value, sympy.Float(value)) * term for term, value in node.items() if value)
    return sympy.Add(*terms)


def _lead(node):
    """Return the largest coefficient of a term that varies; zero if none does."""
    return max((v for term, v in node.items() if term.free_symbols), key=abs, default=0.0)


def _over(node, divisor):
    # Division gives exactly one where a product with the inverse may not.
    return expression_of({term: value / divisor for term, value in node.items()})


def apply(function, node):
    """Return a function of a node, the constants inside moved out where they can be."""
    import sympy

    one = sympy.S.One
    lead, t = _lead(node), sympy.Symbol("t", real=True)
    form = function.sympy(t)
    if isinstance(function, Unnamed):
        return {function.sympy(expression_of(node)): 1.0}
    if lead == 0.0 or form.is_number:
        point = torch.tensor(node.get(one, 0.0), dtype=torch.float64)
        return {one: float(function(point))}
    if form == t:
        return node
    base, power = form.as_base_exp()
    if base == t and power.is_Integer:
        return {_over(node, lead) ** power: lead ** int(power)}
    unit = _over(node, abs(lead))
    if base == t:
        return {unit**power: abs(lead) ** float(power)}
    if form == sympy.Abs(t):
        return {sympy.Abs(unit): abs(lead)}
    if form == sympy.log(t):
        return {sympy.log(unit): 1.0, one: math.log(abs(lead))}
    shift = node.get(one, 0.0)
    if form == sympy.exp(t) and abs(shift) < _LARGEST_EXPONENT:
        return {sympy.exp(expression_of(affine(node, 1.0, -shift))): math.exp(shift)}
    return {function.sympy(expression_of(node)): 1.0}


def times(left, right):
    """Return the product of two nodes, each scaled to a largest coefficient of one."""
    import sympy

    units, factor = sympy.S.One, 1.0
    for node in (left, right):
        lead = _lead(node) or 1.0
        units, factor = units * _over(node, lead), factor * lead
    return {units: factor}
