"""Formulas one function away from another: what else may be the law where data are noisy.

A search names what it comes across. Among noise ``sin(311 cos(x / 7))`` fits what is
``sin(3 x^2)``, and nothing speaks against it as long as the other was never tried. So each function
in a formula is exchanged for those that go nearly its way over the range of its argument, plain
ones above all.
"""

import numpy as np

from skdyn.kan._constants import ConstantFit, evaluated
from skdyn.kan._curves import as_node
from skdyn.kan._edge_fit import fit_edge
from skdyn.kan._formula import affine, apply, expression_of
from skdyn.kan._library import torch_function

__all__ = ["near_laws", "plainly_written", "tuning"]

_N_POINTS = 120  # of a function
_N_OTHERS = 4  # functions tried in the place of one
_ALIKE = 0.03  # unexplained share of a function up to which another may take its place
_NEARLY = 0.05  # of an argument's own size: a shift that is none
_SAME = 1e-12  # share that is rounding: the function itself, written otherwise
_FREE = 1.0  # change of outputs, in spreads, by one of a constant's logarithm: as a factor's


def near_laws(expression, columns, X, library, noise):
    """Return formulas that differ in one function.

    Parameters
    ----------
    expression : sympy.Expr
        A formula of the columns' symbols.
    columns : list of sympy.Dummy
        The columns.
    X : ndarray of shape (n, n_columns)
        Their values.
    library : list of SymbolicFunction
        Functions to take.
    noise : float
        Share of the target's variance that the formula leaves unexplained.

    Returns
    -------
    list of sympy.Expr
        Their constants are those of the other functions' best fits: to be fitted.
    """
    import sympy

    rows = _some(X)
    found = []
    for part in dict.fromkeys(sympy.preorder_traversal(expression)):
        if not _is_function(part):
            continue
        inside = part.args[0]
        u, f = (evaluated(form, columns, X[rows]) for form in (inside, part))
        if not (np.isfinite(u).all() and np.isfinite(f).all() and np.ptp(f) > 0):
            continue
        others = fit_edge(u, f, library, floor=max(noise, _SAME))[:_N_OTHERS]
        found += [
            expression.xreplace({part: _written(other, inside, np.abs(u).max())})
            for other in others if _SAME < 1 - other.r2 < max(_ALIKE, noise) and other.c
        ]  # fmt: skip
    return list(dict.fromkeys(found))


def _is_function(part):
    """Tell whether a part is a function of one argument, powers among them."""
    if not part.free_symbols:
        return False
    return part.is_Function or (part.is_Pow and not part.exp.free_symbols)


def _written(other, inside, reach):
    shift = 0.0 if abs(other.b) <= _NEARLY * abs(other.a) * reach else other.b
    node = apply(torch_function(other.name), affine(as_node(inside), other.a, shift))
    return expression_of(affine(node, other.c, other.d))


def plainly_written(expression):
    """Write products of numbers as one, and waves with the least shift.

    What is fitted is no multiple of pi, and a shift by many turns would hide that it is none.

    Parameters
    ----------
    expression : sympy.Expr
        A formula.

    Returns
    -------
    sympy.Expr
        The same function.
    """
    import sympy

    def one_number(product):
        number, rest = product.as_independent(*product.free_symbols, as_Add=False)
        return number.n() * rest

    def least_shift(wave):
        shift, rest = wave.args[0].as_independent(*wave.free_symbols, as_Add=True)
        turns = round(float(shift) / np.pi)
        return (-1) ** turns * wave.func(rest + sympy.Float(float(shift) - turns * np.pi))

    return expression.replace(
        lambda form: form.is_Mul and form.has(sympy.Float) and form.has(sympy.NumberSymbol),
        one_number,
    ).replace(
        lambda form: form.func in (sympy.sin, sympy.cos) and _is_shifted(form.args[0]), least_shift
    )


def _is_shifted(inside):
    shift = inside.as_independent(*inside.free_symbols, as_Add=True)[0]
    return bool(inside.free_symbols and shift.is_real and abs(float(shift)) > np.pi)


def tuning(expression, columns, X, spread):
    """Return what the numbers of a formula cost beyond their count, in logarithms.

    A number that decides outputs many times their spread must be known as many times better: such
    are the large ones whose effects cancel.

    Parameters
    ----------
    expression : sympy.Expr
        A formula of the columns' symbols.
    columns : list of sympy.Dummy
        The columns.
    X : ndarray of shape (n, n_columns)
        Their values.
    spread : float
        Standard deviation of the target.

    Returns
    -------
    float
    """
    rows = _some(X)
    problem = ConstantFit(_with_floats(expression), columns, X[rows], np.zeros(len(rows)), None)
    if not len(problem.start):
        return 0.0
    slopes = problem.jacobian(problem.start) * problem.start / spread
    size = np.sqrt(np.mean(slopes**2, axis=0))
    return float(np.log(np.maximum(size / _FREE, 1.0)).sum())


def _some(X):
    return np.linspace(0, len(X) - 1, min(len(X), _N_POINTS)).astype(int)


def _with_floats(form):
    """Return a formula whose numbers, but for exponents, are floats."""
    import sympy

    if form.is_number:
        return form if form in (0, 1, -1) or not form.is_real else sympy.Float(float(form))
    if form.is_Pow and form.exp.is_number:
        return sympy.Pow(_with_floats(form.base), form.exp)
    return form.func(*map(_with_floats, form.args)) if form.args else form
