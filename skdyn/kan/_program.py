"""A formula as a list of torch's operations: quick to make, for the many that are tried once.

sympy's ``lambdify`` writes and compiles source text, which takes longer than to fit the constants
of a short formula.
"""

import math
from typing import Any

import torch

from skdyn.formulas._functions import functions_for


class Program:
    """A formula of dummy symbols, its floats taken out as constants.

    Parameters
    ----------
    expression : sympy.Expr
        The formula.
    columns : list of sympy.Symbol
        Its variables, in the order of the arguments.
    floats : bool, default=True
        Whether floats become constants, the last arguments; else they stay what they are.

    Attributes
    ----------
    start : list of float
        The constants. Those of a part that comes more than once are shared.
    """

    def __init__(self, expression, columns, floats=True):
        self.start: list[float] = []
        self._steps: list[Any] = []
        self._seen: dict[Any, int] = {}
        self._floats, self._expression = floats, expression
        self._place = {column: k for k, column in enumerate(columns)}
        self._n_columns = len(columns)
        self._functions = functions_for("torch")
        self._last = self._read(expression)

    def __call__(self, arguments):
        """Return the values for columns and, after them, constants."""
        values: list[Any] = []
        for step in self._steps:
            values.append(step(arguments, values))
        return torch.as_tensor(values[self._last]) + torch.zeros_like(arguments[0])

    def expression(self, constants):
        """Return the formula with other constants, numbers of sympy."""
        remaining = iter(constants)
        seen: dict[Any, Any] = {}

        def build(node):
            if node.is_Float:
                return next(remaining)
            if not node.args:
                return node
            if node not in seen:
                parts = [build(part) for part in node.args]
                same = all(new is old for new, old in zip(parts, node.args, strict=True))
                seen[node] = node if same else node.func(*parts)
            return seen[node]

        return build(self._expression)

    def _add(self, step):
        self._steps.append(step)
        return len(self._steps) - 1

    def _read(self, node):
        if node.is_Float:
            return self._number(node)
        if node not in self._seen:
            self._seen[node] = self._operation(node)
        return self._seen[node]

    def _number(self, node):
        if not self._floats:
            value = float(node)
            return self._add(lambda arguments, values: value)
        self.start.append(float(node))
        k = self._n_columns + len(self.start) - 1
        return self._add(lambda arguments, values: arguments[k])

    def _operation(self, node):
        if node in self._place:
            k = self._place[node]
            return self._add(lambda arguments, values: arguments[k])
        import sympy

        if not node.args or (node.is_number and not (self._floats and node.has(sympy.Float))):
            value = float(node)
            return self._add(lambda arguments, values: value)
        parts = [self._read(part) for part in node.args]
        if node.is_Add:
            return self._add(lambda arguments, values: sum(values[k] for k in parts))
        if node.is_Mul:
            return self._add(lambda arguments, values: math.prod(values[k] for k in parts))
        if node.is_Pow:
            return self._add(_power(node, parts))
        function = self._functions[node.func.__name__]
        return self._add(lambda arguments, values: function(*(values[k] for k in parts)))


def _power(node, parts):
    base, power = parts
    if node.exp == -1:
        return lambda arguments, values: 1.0 / values[base]
    if node.exp.is_Rational and node.exp.q == 2:
        whole = int(node.exp.p)
        return lambda arguments, values: _tensor(values[base]).sqrt() ** whole
    if node.exp.is_Integer:
        whole = int(node.exp)
        return lambda arguments, values: values[base] ** whole
    return lambda arguments, values: _tensor(values[base]) ** values[power]


def _tensor(value):
    return value if isinstance(value, torch.Tensor) else torch.tensor(value, dtype=torch.float64)
