"""Laws judged: by rows that nothing was fitted to, by how short they are, and by their rivals."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.neighbors import NearestNeighbors

from skdyn._time_limit import time_is_over
from skdyn.kan._constants import ConstantFit, evaluated, tidied
from skdyn.kan._curves import complexity, skeleton
from skdyn.kan._near_laws import near_laws, plainly_written, tuning
from skdyn.kan._smooth_fit import Basis, held_out, smooth

_N_JUDGED = 10  # candidates that are fitted to all rows
_N_TIDIED = 4  # of which constants are named
_EXACT = 1e-18  # mean square, relative, that is as good as none
_CLOSE = 10.0  # difference of scores that does not tell two laws apart
_WORD = 2.0  # of the score: a part of a formula
_LEFT = 0.05  # share of the residuals that smooth fits may explain by chance
_SIGMAS = 4.5  # of the correlation of neighboring residuals
_FAR = 500.0  # of the score, behind the first, beyond which no constants are named
_NEAR_ONE = 0.2
_N_TRIAL, _TRIAL = 60, 1e-10  # steps and tolerance of a fit that only asks which constant goes
_HOPELESS = 50.0  # of the score, above the best, beyond which nothing simpler will do
_SAME = 1e-10  # relative mean square between two formulas that are one
_FEW_COLUMNS = 4  # for smooth fits of what is left
_N_ROUNDS = 3  # of formulas one function away
_N_NEAR = 2  # of them that are gone into, each round
_LONG = 24  # parts of a formula up to which others are tried around it
_RIVAL = 30.0  # of the score, behind the first, of what may be no worse once it is shortened


class Law(NamedTuple):
    """A candidate for the law of an output.

    Attributes
    ----------
    expression : sympy.Expr
    complexity : float
        Columns, numbers and operations.
    error : float
        Mean square on rows that nothing was fitted to, relative to the variance.
    score : float
        The less the better: twice the log-likelihood's loss, constants and length.
    doubt : str
        What speaks against taking it for the law; empty where nothing does.
    """

    expression: Any
    complexity: float
    error: float
    score: float
    doubt: str = ""


def judged(found, columns, X, y, weight, fitted, tested, library=()):
    """Fit candidates to some rows, judge them by the others, and say what is in doubt.

    Parameters
    ----------
    found : list of sympy.Expr
        Candidates, in the columns' symbols.
    columns : list of sympy.Dummy
        The columns.
    X : ndarray of shape (n, n_columns)
    y, weight : ndarray of shape (n,)
    fitted, tested : ndarray of int
        Rows to fit to, and to judge by.
    library : list of SymbolicFunction, default=()
        Functions that may take the place of others where there is noise.

    Returns
    -------
    list of Law
        The best first.
    """

    def law(expression):
        return _law(expression, columns, X, y, weight, fitted, tested)

    found = found[:_N_JUDGED]
    found = [*found, *(other for other in map(_as_sigmoid, found) if other is not None)]

    def laws_of(forms, best, n, most_behind, n_steps):
        """Return laws of some forms, the best shortened and their constants named."""
        laws = _ranked(law(_refitted(form, columns, X, y, weight, fitted, n_steps))
                       for form in forms)  # fmt: skip
        best = min([best, *(each.score for each in laws)])
        near = [each for each in laws[:n] if each.score < best + most_behind]
        near = [_shortened(each, law, columns, X, y, weight, fitted) for each in near]
        tidy = [
            law(tidied(each.expression, columns, X[fitted], y[fitted], weight[fitted]))
            for each in near if each.score < best + most_behind and not time_is_over()
        ]  # fmt: skip
        return [*tidy, *near, *laws]

    laws = _ranked(laws_of(map(plainly_written, found), np.inf, _N_TIDIED, _FAR, None))
    seen = set()
    for _ in range(_N_ROUNDS if library else 0):
        first = laws[0] if laws else None
        if first is None or _is_exact(first) or first.complexity > _LONG:
            break
        if first.expression in seen:
            break
        seen.add(first.expression)
        others = near_laws(first.expression, columns, X[fitted], library, first.error)
        others = map(plainly_written, others)
        laws = _ranked([*laws, *laws_of(others, first.score, _N_NEAR, _RIVAL, _N_TRIAL)])
    laws = _apart(laws, columns, X, y)
    return [each._replace(doubt=doubt) for each, doubt in
            zip(laws, _doubts(laws, columns, X, y), strict=True)]  # fmt: skip


def _ranked(laws):
    return sorted((each for each in laws if np.isfinite(each.score)), key=_by_score)


def _shortened(first, law, columns, X, y, weight, rows):
    """Leave out constants one by one, or make them one; return the best on the way to none."""
    best = now = first
    while not _is_exact(now) and not time_is_over():
        problem = ConstantFit(now.expression, columns, X[rows], y[rows], weight[rows])
        trials = [
            (problem.fit(problem.start, {k: number}, n_steps=_N_TRIAL, tol=_TRIAL), k, number)
            for k, value in enumerate(problem.start) for number in _simpler(value)
        ]  # fmt: skip
        trials = [trial for trial in trials if np.isfinite(trial[0].loss)]
        if not trials:
            break
        fit, k, number = min(trials, key=lambda trial: trial[0].loss)
        now = law(problem.expression(fit, {k: number}))
        if now.score > best.score + _HOPELESS:
            break
        best = min(best, now, key=_by_score)
    return best


def _simpler(value):
    """Return the numbers that a constant may be by the look of it: none at all, or one."""
    import sympy

    near = [sympy.Integer(sign) for sign in (1, -1) if abs(value - sign) < _NEAR_ONE]
    return [sympy.S.Zero, *near]


def _as_sigmoid(expression):
    """Write hyperbolic tangents as logistic functions, which may be shorter; None without any."""
    import sympy

    if not expression.has(sympy.tanh):
        return None
    return expression.replace(sympy.tanh, lambda u: 2 / (1 + sympy.exp(-2 * u)) - 1)


def _is_exact(law):
    return law.error <= _EXACT * 100


def _by_score(law):
    return law.score


def _refitted(expression, columns, X, y, weight, rows, n_steps=None):
    how = {} if n_steps is None else {"n_steps": n_steps, "tol": _TRIAL}
    if time_is_over():
        return expression
    try:
        problem = ConstantFit(expression, columns, X[rows], y[rows], weight[rows])
    except ValueError:
        return expression
    fit = problem.fit(problem.start, {}, **how)
    for _ in range(len(fit.values)):
        idle = problem.idle(fit.values)
        if idle is None:
            break
        k, start = idle
        named = {k: _unit(fit.values[k])}
        now = problem.fit(start, named, **how)
        if not now.loss <= fit.loss * (1 + 1e-6) + _EXACT * len(rows):
            break
        problem = ConstantFit(
            problem.expression(now, named), columns, X[rows], y[rows], weight[rows]
        )
        fit = problem.fit(problem.start, {}, **how)
    return problem.expression(fit, {})


def _unit(value):
    import sympy

    return sympy.Integer(1 if value > 0 else -1)


def _law(expression, columns, X, y, weight, fitted, tested):
    import sympy

    values, spread = evaluated(expression, columns, X), np.var(y) or 1.0
    n_constants = len(expression.atoms(sympy.Float))
    length = complexity(expression)
    off = (values - y) ** 2 / spread
    error = np.average(off[tested], weights=weight[tested])
    loss = np.average(off[fitted], weights=weight[fitted])
    n = len(fitted)
    score = n * np.log(loss + _EXACT) + n_constants * np.log(n) + _WORD * length
    if not np.isfinite(off).all():
        return Law(expression, length, float(error), np.inf)
    score += 2 * tuning(expression, columns, X[fitted], spread**0.5)
    return Law(expression, length, float(error), float(score))


def _apart(laws, columns, X, y):
    """Leave out what is the same function as one before."""
    kept, values = [], []
    for law in laws:
        now = evaluated(law.expression, columns, X)
        if all(np.mean((now - other) ** 2) > _SAME * np.var(y) for other in values):
            kept.append(law)
            values.append(now)
    return kept


def _doubts(laws, columns, X, y):
    """Return what speaks against each law."""
    doubts = []
    for k, law in enumerate(laws):
        if k:
            behind = law.score - laws[0].score
            doubts.append("not distinguished from the first" if behind < _CLOSE else "worse")
            continue
        told = []
        if not _is_exact(law):
            left = y - evaluated(law.expression, columns, X)
            if leaves_structure(X, left):
                told.append("it leaves a pattern unexplained")
            if law.complexity > _LONG:
                told.append("it is so long that others may well be as good")
        kind = skeleton(law.expression)
        rivals = [other for other in laws[1:] if other.score - law.score < _CLOSE
                  and skeleton(other.expression) != kind]  # fmt: skip
        if rivals:
            told.append(f"not distinguished from {len(rivals)} other{'s' * (len(rivals) > 1)}")
        doubts.append("; ".join(told))
    return doubts


def leaves_structure(X, left):
    """Tell whether residuals follow from the columns, be it smoothly or among neighbors."""
    left = left - left.mean()
    hidden = held_out(len(left))
    spread = np.mean(left[hidden] ** 2)
    if spread == 0:
        return False
    if X.shape[1] <= _FEW_COLUMNS and smooth(Basis(X, 4), left).error < (1 - _LEFT) * spread:
        return True
    scaled = (X - X.mean(axis=0)) / np.where(X.std(axis=0) > 0, X.std(axis=0), 1.0)
    near = NearestNeighbors(n_neighbors=2).fit(scaled).kneighbors(return_distance=False)[:, 0]
    product = left * left[near]
    return bool(product.sum() > _SIGMAS * np.sqrt((product**2).sum()))
