"""Names of a function of one column: one function of a library, or two of them together.

Pairs begin on a mesh of constants, where all of them are compared by linear regressions; the few
that are left have their constants fitted.
"""

import collections
import itertools
from typing import Any, NamedTuple

import numpy as np
import torch

from skdyn.kan._constants import ConstantFit
from skdyn.kan._edge_fit import cost, fit_edge
from skdyn.kan._formula import affine, apply, expression_of, plus
from skdyn.kan._library import torch_function

_N_POINTS = 160
_N_NAMES = 4  # of one function
_N_PAIRS = 5  # of sums, and of products, whose constants are fitted
_N_RANKED = 500
_NEARLY = 0.05  # of a function's own size: a shift or an offset that may be none
_KNOWN = 1e-9  # unexplained share that leaves nothing to look for
_RATES = (0.4, 1.0, 2.0, 4.0, 7.0)  # of exponentials and the like, per largest size of the column
_WAVES = tuple(np.geomspace(0.6, 15.0, 22))
_POWERS = (1, 2, 3, 4, -1, -2, -3)
_ROOTS = (0.5, -0.5, 1.5)

# More functions of one column than edges are called by, each of which a pair of edges could be.
MORE = {
    "cosh": 4, "sinh": 4, "sech": 4, "1/(1+x^2)": 4, "1/(1+exp(-x))": 4, "log(1+exp(x))": 5,
    "1/sqrt(1+x^2)": 5, "sqrt(1+x^2)": 4, "log(1+x^2)": 5, "sqrt(1-x^2)": 5, "x*exp(x)": 4,
    "sin(x)/x": 5, "sin(x)^2": 4, "sin(x^2)": 5, "cos(x^2)": 5, "x^2*exp(x)": 5, "x*log(x)": 5,
    "arccos": 4, "1/(1-x^2)": 4,
}  # fmt: skip


class Curve(NamedTuple):
    """A name of a function of one column: a node, and the share of the variance it leaves."""

    node: dict
    error: float


def curves(node, x, z, library, pairs=True, known=_KNOWN):
    """Return what a function of one column may be called.

    Parameters
    ----------
    node : dict
        The column, as a node of a formula.
    x, z : ndarray of shape (n,)
        Its values, and those of the function.
    library : list of SymbolicFunction
        The functions.
    pairs : bool, default=True
        Whether two of them may come together.
    known : float, default=1e-9
        Share of the variance that is not known any better.

    Returns
    -------
    list of Curve
    """
    order = np.argsort(x)
    picked = order[np.linspace(0, len(order) - 1, min(len(order), _N_POINTS)).astype(int)]
    x, z = x[picked], z[picked]
    if np.ptp(x) <= 0 or not (np.isfinite(z).all() and np.isfinite(x).all()):
        return []
    found = _single(node, x, z, library, known)
    if pairs and np.var(z) > 0 and min((each.error for each in found), default=1.0) > 2 * known:
        found += _pairs(node, x, z, {function.name for function in library}, known)
    return found


def _single(node, x, z, library, known):
    found = []
    for each in fit_edge(x, z, library, floor=max(known, 1e-8))[:_N_NAMES]:
        error = 1 - each.r2
        if each.name == "0" or each.c == 0:
            found.append(Curve(affine({}, 1.0, each.d), error))
            continue
        function = torch_function(each.name)
        values = function(torch.from_numpy(each.a * x + each.b)).numpy()
        if each.name == "x":
            each = each._replace(b=0.0, d=each.d + each.c * each.b)
        shifts, offsets = [each.b], [each.d]
        if each.b and abs(each.b) <= _NEARLY * abs(each.a) * np.abs(x).max():
            shifts.append(0.0)
        if abs(each.d) <= _NEARLY * abs(each.c) * np.abs(values).max():
            offsets.append(0.0)
        for b, d in itertools.product(shifts, offsets):
            inner = apply(function, affine(node, each.a, b))
            found.append(Curve(_with(affine(inner, each.c, 0.0), d), error))
    return found


def _with(node, d):
    return affine(node, 1.0, d) if d else node


def _pairs(node, x, z, names, known):
    """Return sums and products of two functions, and of these under some links."""
    import sympy

    u = sympy.Dummy("u", real=True)
    forms, values = _atoms(u, x, names)
    shapes = [_shape(form) for form in forms]
    kinds = np.unique(shapes, return_inverse=True)[1]  # those that differ in constants only
    trials = []
    for forth, slope, around in _links(z, names):
        t = forth(z)
        if not np.isfinite(t).all():
            continue
        weight = slope(z)  # so that errors count as they do in z
        trials += _products(values, t, weight, around, kinds)
        trials += _sums(values, t, weight, around, kinds)
    trials.sort(key=lambda trial: trial[0])
    found, seen, n_fitted = [], set(), collections.Counter()
    for _, kind, i, j, numbers, around in trials:
        key = (kind, kinds[i], kinds[j], around)
        if key in seen or n_fitted[kind] >= _N_PAIRS:
            continue
        seen.add(key)
        n_fitted[kind] += 1
        c = [sympy.Float(number) for number in numbers]
        both = (
            c[0] * forms[i] * forms[j] + c[1] if kind == "product"
            else c[0] * forms[i] + c[1] * forms[j] + c[2]
        )  # fmt: skip
        inner = both - c[-1]
        nearly = abs(numbers[-1]) <= _NEARLY * np.abs(numbers[0] * values[i]).max()
        for inside in [inner, both] if nearly else [both]:
            outside = around(inside) if around else inside
            try:
                problem = ConstantFit(outside, [u], x[:, None], z, None)
            except ValueError:
                continue
            if len(problem.y) < len(z):
                continue
            fit = problem.fit(problem.start, {}, n_steps=40, tol=1e-9)
            if not np.isfinite(fit.loss):
                continue
            expression = problem.expression(fit, {}).xreplace({u: expression_of(node)})
            found.append(Curve(as_node(expression), fit.loss / len(z)))
    return sorted(found, key=lambda each: _price(each, known))[:_N_NAMES]


def _price(curve, known):
    return cost(curve.error, complexity(expression_of(curve.node)) / 3, known)


def complexity(expression):
    """Return how many parts a formula has: each function, operation, column and number."""
    import sympy

    return float(sum(part not in (-1, 1) for part in sympy.preorder_traversal(expression)))


def skeleton(form):
    """Return a formula without its numbers, other than powers."""
    if form.is_Add or form.is_Mul:
        parts = sorted(skeleton(part) for part in form.args if part.free_symbols)
        return parts[0] if len(parts) == 1 else f"{form.func.__name__}({','.join(parts)})"
    if form.is_Pow and form.exp.is_Float:
        return f"Pow({skeleton(form.base)})"
    if not form.args:
        return str(form)
    return f"{form.func.__name__}({','.join(map(skeleton, form.args))})"


def as_node(expression):
    """Return the terms of a formula and their factors."""
    import sympy

    node: dict[Any, float] = {}
    for term in sympy.Add.make_args(expression):
        factor, rest = term.as_coeff_Mul()
        node = plus(node, {rest: float(factor)})
    return node


def _shape(form):
    import sympy

    return str(form.xreplace({number: sympy.Float(7) for number in form.atoms(sympy.Float)}))


def _links(z, names):
    """Yield the links of pairs: forth, the slope of what leads back, and that as sympy's."""
    import sympy

    one = lambda z: np.ones_like(z)  # noqa: E731
    yield (lambda z: z), one, None
    signed = z.min() > 0 or z.max() < 0
    sign = 1 if z.max() > 0 else -1
    if signed and "1/x" in names and np.abs(z).min() > 1e-3 * np.abs(z).max():
        yield (lambda z: 1 / z), np.square, lambda form: 1 / form
    if signed and "exp" in names:
        yield (lambda z: np.log(sign * z)), np.abs, lambda form: sign * sympy.exp(form)
    if signed and "sqrt" in names:
        yield np.square, lambda z: 0.5 / np.abs(z), lambda form: sign * sympy.sqrt(form)
    if "log" in names and np.ptp(z) < 20:
        yield np.exp, lambda z: np.exp(-z), lambda form: sympy.log(form)


def _atoms(u, x, names):
    """Return functions of a column with constants on a mesh: forms and values (n_forms, n)."""
    import sympy

    F, size = sympy.Float, np.abs(x).max()
    forms: list[Any] = [sympy.S.One]  # of a product: one function alone, under a link
    forms += [u**power for power in _POWERS if power > 0 or np.abs(x).min() > 1e-3 * size]
    if x.min() > 1e-3 * size:
        forms += [u ** F(power) for power in _ROOTS]
        if "log" in names:
            forms.append(sympy.log(u))
    rates = [F(rate / size) for rate in _RATES]
    squares = [F((rate / size) ** 2) for rate in _RATES]
    if "exp" in names:
        forms += [sympy.exp(s * rate * u) for rate in rates for s in (1, -1)]
        forms += [sympy.exp(-rate * u**2) for rate in squares]
        forms += [1 / (sympy.exp(rate * u) + 1) for rate in rates[1:]]
        if x.min() > 0:
            forms += [1 / (sympy.exp(rate * u) - 1) for rate in rates]
    if "sin" in names:
        waves = [F(wave / size) for wave in _WAVES]
        forms += [sympy.sin(wave * u) for wave in waves] + [sympy.cos(wave * u) for wave in waves]
    if "1/x" in names:
        forms += [1 / (rate * u**2 + 1) for rate in squares]
        if x.min() > 0:
            forms += [1 / (rate * u + 1) for rate in rates]
    if "sqrt" in names:
        forms += [sympy.sqrt(rate * u**2 + 1) for rate in squares[::2]]
    if "log" in names and x.min() > 0:
        forms += [sympy.log(rate * u + 1) for rate in rates[::2]]
    if "tanh" in names:
        forms += [sympy.tanh(rate * u) for rate in rates]
    if "abs" in names and x.min() < 0 < x.max():
        forms.append(sympy.Abs(u))
    values = np.array([_evaluated(form, u, x) for form in forms])
    there = np.isfinite(values).all(axis=1) & (np.abs(values).max(axis=1) < 1e12)
    return [form for form, ok in zip(forms, there, strict=True) if ok], values[there]


def _evaluated(form, u, x):
    import sympy

    return sympy.lambdify([u], form, "numpy")(x) + np.zeros_like(x)


def _products(values, t, weight, around, kinds):
    """Regress a target on the product of each pair, and a constant."""
    i, j = np.triu_indices(len(values))
    root = weight / np.sqrt(np.mean(weight**2))
    f = values[i] * values[j] * root
    one, target = root, t * root
    size = one @ one
    f_off = f - (f @ one / size)[:, None] * one
    t_off = target - (target @ one / size) * one
    square = (f_off**2).sum(axis=1)
    good = square > 1e-10 * (f**2).sum(axis=1)
    good &= (j > 0) & ((i > 0) | (around is not None))  # one alone is what singles are for
    c = np.where(good, (f_off @ t_off) / np.where(good, square, 1.0), 0.0)
    error = (t_off @ t_off) - c * (f_off @ t_off)
    error = np.where(good, error, np.inf)
    scale = _unit(t, weight)
    best = _of_each_kind(error, i, j, kinds)
    return [
        (error[k] / scale, "product", i[k], j[k],
         (c[k], float((target - c[k] * f[k]) @ one / size)), around)
        for k in best
    ]  # fmt: skip


def _of_each_kind(error, i, j, kinds):
    """Return the best pair of each kind, the best kinds first."""
    order = np.argsort(error)[:_N_RANKED]
    first = np.unique(np.column_stack([kinds[i[order]], kinds[j[order]]]), axis=0,
                      return_index=True)[1]  # fmt: skip
    return order[np.sort(first)][:_N_PAIRS]


def _unit(t, weight):
    """Return what turns weighted squares of t into squares of z."""
    return 1.0 / np.mean(weight**2)


def _sums(values, t, weight, around, kinds):
    """Regress a target on each pair, and a constant."""
    root = weight / np.sqrt(np.mean(weight**2))
    size = root @ root
    f, target = values * root, t * root
    f = f - np.outer(f @ root / size, root)
    t_off = target - (target @ root / size) * root
    square = (f**2).sum(axis=1)
    good = square > 1e-10 * ((values * root) ** 2).sum(axis=1)
    f[~good] = 0.0
    f /= np.sqrt(np.where(good, square, 1.0))[:, None]
    gram, by_t = f @ f.T, f @ t_off
    i, j = np.triu_indices(len(values), 1)
    rho = gram[i, j]
    free = 1 - rho**2
    fine = (free > 1e-8) & good[i] & good[j]
    square = by_t[i] ** 2 + by_t[j] ** 2 - 2 * rho * by_t[i] * by_t[j]
    gain = np.where(fine, square / np.where(fine, free, 1), 0)
    error = t_off @ t_off - gain
    scale, found = _unit(t, weight), []
    for k in _of_each_kind(error, i, j, kinds):
        design = np.column_stack([values[i[k]] * root, values[j[k]] * root, root])
        c = np.linalg.lstsq(design, target, rcond=None)[0]
        found.append((max(error[k], 0) / scale, "sum", i[k], j[k], tuple(c), around))
    return found
