"""Laws of a table: shapes, then names of the functions of one column that they are made of."""

import collections
import functools
import itertools
from typing import NamedTuple

import numpy as np

from skdyn._time_limit import time_is_over
from skdyn.kan._constants import ConstantFit
from skdyn.kan._curves import as_node, complexity, curves, skeleton
from skdyn.kan._edge_fit import cost
from skdyn.kan._formula import affine, apply, expression_of, plus, times
from skdyn.kan._library import torch_function
from skdyn.kan._shapes import relevant, shapes

_N_ROWS = 2000  # for shapes
_N_SCREEN = 250  # rows for the constants of candidates
_DEEPEST = 4
_BREADTH = (8, 4, 2, 2)  # shapes that are gone into, by depth
_KEPT = (14, 6, 5, 4)  # candidates that are handed up
_N_CURVES = 6  # names of a curve
_WORSE = 300.0  # mean square beside the best shape's beyond which none is gone into
_ALIKE = 2  # candidates that differ in constants only
_N_COMBINED = 16
_FLOOR = 1e-14
_KNOWN = 1e-9  # share of a target's variance
_SHARE = 0.1  # of what a shape leaves unexplained, that its parts are off by
_AS_GOOD = 1.3  # mean square beside the best smooth fit's, on other rows
_ENOUGH = 3  # shapes that explain what smooth fits do
_EXACT = 1e-13  # relative mean square that is rounding


class Found(NamedTuple):
    """A candidate: a node of a formula, and what it leaves unexplained of a target's variance."""

    node: dict
    error: float
    complexity: float


class Column(NamedTuple):
    """A column, or a function of several that act as one."""

    node: dict
    values: np.ndarray


class LawSearch:
    """Candidates for the law of one output.

    Parameters
    ----------
    X : ndarray of shape (n, n_features)
        Columns.
    y : ndarray of shape (n,)
        Targets.
    library : list of SymbolicFunction
        What functions may be called.
    columns : list of int, default=None
        Those that a law may be of; None for all.
    tell : callable
        ``tell(text)`` is told how it goes.
    """

    def __init__(self, X, y, library, columns=None, tell=lambda text: None):
        import sympy

        self.columns = list(range(X.shape[1])) if columns is None else list(columns)
        some = slice(None, None, -(-len(X) // _N_ROWS))
        self.X, self.y = X[some], y[some]
        self.library, self.tell = library, tell
        self.found: list[Found] = []
        self.names = {function.name for function in library}
        # What is positive in the data may be: the root of a square is then the column itself.
        self.symbols = [
            sympy.Dummy(f"column{k}", **({"positive": True} if low > 0 else {"real": True}))
            for k, low in enumerate(X.min(axis=0))
        ]

    def run(self):
        """Return candidates, the best first."""
        z, keep = self.y, self.columns
        if len(keep) > 1:
            keep = [keep[k] for k in relevant(self.X[:, keep], z)]
        columns = [Column({self.symbols[k]: 1.0}, self.X[:, k]) for k in keep]
        self.solve(columns, z, 0, _KNOWN)
        return self.found

    def solve(self, columns, z, depth, known):
        """Return candidates for a target, known as well as that, as a function of some columns."""
        if len(columns) == 1:
            if time_is_over():
                return []
            found = self.curve(columns[0], z, known)
            if depth == 0:
                self.found = found
                self.tell(self.text(found[0]) if found else "no formula")
            return found
        if depth >= _DEEPEST or time_is_over():
            return []
        X, spread = np.column_stack([column.values for column in columns]), np.var(z)
        if depth:
            keep = relevant(X, z)
            if len(keep) < len(columns):
                return self.solve([columns[k] for k in keep], z, depth, known)
        sign = -1.0 if z.max() <= 0 else 1.0
        found: list[Found] = []
        options = shapes(X, sign * z, self._may)
        least = min((shape.error for shape in options), default=0.0)
        n_good = 0
        for shape in options[: _BREADTH[depth]]:
            if time_is_over():
                break
            if shape.error > _WORSE * least + 1e-9 * spread:
                continue
            part_known = max(known, _SHARE * shape.error / spread)
            nodes = self._built(shape, columns, sign * z, depth, part_known)
            found += self.fitted([affine(node, sign, 0.0) for node in nodes], z)
            found = _best(found, _KEPT[depth], known)
            if depth == 0:
                self.found = found
                self.tell(f"{shape}: " + (self.text(found[0]) if found else "no formula"))
            least_found = min((each.error for each in found), default=np.inf)
            if least_found <= (_EXACT if depth == 0 else known):
                break
            n_good += least_found <= _AS_GOOD * least / spread
            if n_good >= (_ENOUGH if depth == 0 else 1):
                break
        return found

    def text(self, found):
        """Return a candidate, and what it leaves unexplained, as text."""
        import sympy

        form = expression_of(found.node)
        form = form.xreplace({number: sympy.Float(number, 4) for number in form.atoms(sympy.Float)})
        return f"{str(form).replace('_column', 'x')} leaves {found.error:.1e}"

    def _may(self, name):
        return name in self.names

    def _built(self, shape, columns, z, depth, known):
        """Return nodes of a shape, its parts solved."""
        link = torch_function(shape.link.name)
        if shape.kind == "merge":
            (i, j), (merge, ratio, u) = shape.groups[0], shape.parts
            rest = [column for k, column in enumerate(columns) if k not in (i, j)]
            merged = Column(_merged(columns[i].node, columns[j].node, merge, ratio), u)
            return [each.node for each in self.solve([merged, *rest], z, depth + 1, known)]
        groups = list(shape.groups)
        if shape.kind == "free product":
            groups.append(shape.groups[0])
        parts = []
        for group, part in zip(groups, shape.parts[: len(groups)], strict=True):
            parts.append(self.solve([columns[k] for k in group], part, depth + 1, known))
            if not parts[-1]:
                return []
        nodes = []
        for pick in _combinations(parts):
            if shape.kind == "sum":
                terms = [*pick, {_one(): shape.parts[-1]}]
                nodes.append(apply(link, functools.reduce(plus, terms)))
                continue
            product = times(pick[0], pick[1])
            nodes.append(apply(link, product))
            if shape.kind == "free product":
                nodes.append(apply(link, plus(product, pick[2])))
                continue
            rest = float(np.mean(shape.parts[2]))
            nodes.append(apply(link, plus(product, {_one(): rest})))
        return nodes

    def fitted(self, nodes, z):
        """Return nodes with their constants fitted to a target."""
        found: list[Found] = []
        rows = slice(None, None, -(-len(z) // _N_SCREEN))
        seen = set()
        for node in nodes:
            expression = expression_of(node)
            key = str(expression)
            if time_is_over():
                break
            if key in seen or not expression.free_symbols:
                continue
            seen.add(key)
            try:
                problem = ConstantFit(expression, self.symbols, self.X[rows], z[rows], None)
            except ValueError:
                continue
            if len(problem.y) < 0.98 * len(z[rows]):
                continue
            fit = problem.fit(problem.start, {}, n_steps=60, tol=1e-10)
            error = fit.loss / len(problem.y)
            if not np.isfinite(error):
                continue
            node = as_node(problem.expression(fit, {}))
            found.append(Found(node, error, complexity(expression)))
        return found

    def curve(self, column, z, known):
        """Return names of a function of one column."""
        found = curves(column.node, column.values, z, self.library, known=known)
        found = [Found(e.node, e.error, complexity(expression_of(e.node))) for e in found]
        return _best(found, _N_CURVES, known)


def _merged(left, right, merge, ratio):
    import sympy

    if merge.name == "power":
        weight = sympy.Integer(int(ratio)) if ratio == int(ratio) else sympy.Float(ratio)
        return {expression_of(left) ** weight * expression_of(right): 1.0}
    function = torch_function(merge.function)
    return plus(affine(apply(function, left), ratio, 0.0), apply(function, right))


def _combinations(parts):
    """Return combinations of candidates, those of small ranks first."""
    ranks = sorted(itertools.product(*[range(len(part)) for part in parts]), key=sum)
    return [tuple(part[k].node for part, k in zip(parts, pick, strict=True))
            for pick in ranks[:_N_COMBINED]]  # fmt: skip


def _best(found, n, floor=_FLOOR):
    """Return the best candidates, of each kind two at most."""
    found = sorted(found, key=lambda each: cost(each.error, each.complexity / 3, floor))
    kept, kinds = [], collections.Counter()
    for each in found:
        kind = skeleton(expression_of(each.node))
        kinds[kind] += 1
        if kinds[kind] <= _ALIKE:
            kept.append(each)
    return kept[:n]


def _one():
    import sympy

    return sympy.S.One
