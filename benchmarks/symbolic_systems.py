"""Random systems on which prices of the symbolic search are chosen, apart from any benchmark.

Drawn from kinds of models that textbooks are full of, with constants of two digits: populations,
which are never negative, react, saturate and compete; swings, of both signs, which are driven and
damped; and plain polynomials. A system counts only if its solutions stay bounded, move, and each
of its terms is felt along them.
"""

from typing import NamedTuple

import numpy as np
import sympy
from scipy.integrate import solve_ivp
from sklearn.metrics import r2_score

T = np.linspace(0.0, 10.0, 100)
LARGEST = 30.0  # of a state that counts as bounded
FELT = 0.1  # least mean of a term, in the largest rate of its equation
MOVES = 0.2  # least spread of a state
PATIENCE = 20_000  # evaluations of a right-hand side

X, Y = sympy.symbols("x_0 x_1", real=True)


class Problem(NamedTuple):
    """A system, what is measured of it, and the solutions that an answer is judged by."""

    kind: str
    exprs: list
    measured: np.ndarray
    solutions: list


def constant(rng):
    """Return a constant as people write it down: of two digits, between 0.2 and 3."""
    return sympy.Float(f"{np.exp(rng.uniform(np.log(0.2), np.log(3.0))):.2g}")


def pick(rng, *choices):
    return choices[rng.integers(len(choices))]


def population(rng):
    a, b, c, d, k = (constant(rng) for _ in range(5))
    eaten = pick(rng, X * Y, X * Y / (k + X))
    return pick(
        rng,
        [a * pick(rng, 1, X, X / (k + X), X**2 / (k + X**2)) - b * pick(rng, X, X**2, X**3)],
        [a * X - b / 4 * X**2 - c * pick(rng, 1, X / (k + X), X**2 / (k + X**2))],
        [a * X - b / 4 * pick(rng, 0, X**2) - c * eaten, d * eaten - pick(rng, a, b) * Y],
        [a - b * X - c * X * Y, c * X * Y - d * Y],
    )


def swing(rng):
    a, b, c, d = (constant(rng) for _ in range(4))
    force = pick(rng, sympy.sin(X), X, X + c * X**3, X**3 - X)
    drag = pick(rng, 0, Y, Y * sympy.Abs(Y), (X**2 - 1) * Y)
    return pick(
        rng,
        [a - b * pick(rng, sympy.sin(X), sympy.cos(X), sympy.sin(2 * X))],
        [Y, -a * force - b * drag],
        [Y, d / 2 - a * sympy.sin(X) - b * Y],
        [Y - b * X, -a * force - d * Y],
    )


def plain(rng):
    d = rng.integers(1, 3)
    terms = [1, X, X**2, X**3] if d == 1 else [1, X, Y, X * Y, X**2, Y**2, X**3, X**2 * Y]
    some = [rng.choice(len(terms), rng.integers(1, 4), replace=False) for _ in range(d)]
    return [sum(pick(rng, -1, 1) * constant(rng) * terms[j] for j in row) for row in some]


KINDS = {"population": population, "swing": swing, "plain": plain}


def function_of(exprs, names):
    """Return a function of the states' columns whose rows are the expressions' values."""
    each = [sympy.lambdify(names, expr, "numpy") for expr in exprs]
    return lambda x: np.stack([np.broadcast_to(f(*x), np.shape(x[0])) for f in each])


def solved(f, start):
    """Return a solution, (n_times, n_states), or None where it blows up or takes too long."""
    count = iter(range(PATIENCE))

    def rates(_, x):
        if next(count, None) is None or not np.abs(x).max() < LARGEST:
            raise FloatingPointError
        return f(x)

    try:
        found = solve_ivp(rates, (T[0], T[-1]), start, "LSODA", T, rtol=1e-8, atol=1e-10)
    except (FloatingPointError, ValueError):  # what is not finite
        return None
    return found.y.T if found.success else None


def is_felt(exprs, names, solution):
    """Whether each term of each equation matters along a solution."""
    for expr in exprs:
        values = function_of(sympy.Add.make_args(sympy.expand(expr)), names)(list(solution.T))
        if np.abs(values).mean(axis=1).min() < FELT * np.abs(values.sum(axis=0)).max():
            return False
    return bool((np.ptp(solution, axis=0) > MOVES).all())


def problems(n, seed, noise):
    """Draw systems, of all kinds in turn.

    Parameters
    ----------
    n : int
        Number of systems.
    seed : int
        Of the generator.
    noise : sequence of float
        Noise, in shares of each value, of one system of each kind after the other.

    Returns
    -------
    list of Problem
    """
    rng, found, kinds = np.random.default_rng(seed), [], list(KINDS)
    while len(found) < n:
        kind = kinds[len(found) % len(kinds)]
        exprs = [sympy.sympify(expr) for expr in KINDS[kind](rng)]
        names = (X, Y)[: len(exprs)]
        low = 0.2 if kind == "population" else -2.0
        starts = rng.uniform(low, 2.5, (2, len(exprs)))
        with np.errstate(all="ignore"):
            f = function_of(exprs, names)
            solutions = [solved(f, start) for start in starts]
            if any(s is None for s in solutions) or not is_felt(exprs, names, solutions[0]):
                continue
        level = noise[len(found) // len(kinds) % len(noise)]
        measured = solutions[0] * (1 + level * rng.normal(size=solutions[0].shape))
        found.append(Problem(kind, exprs, measured, solutions))
    return found


def judged(problem, exprs):
    """Return whether the terms are the true ones, and whether both solutions are followed."""
    names = (X, Y)[: len(problem.exprs)]
    with np.errstate(all="ignore"):
        f = function_of(exprs, names)
        own = [solved(f, s[0]) for s in problem.solutions]
    follows = all(
        mine is not None and r2_score(s, mine, multioutput="variance_weighted") > 0.9
        for mine, s in zip(own, problem.solutions, strict=True)
    )
    pairs = zip(exprs, problem.exprs, strict=True)
    return all(skeleton(one) == skeleton(other) for one, other in pairs), follows


def skeleton(expr):
    """Return the terms of an expression, their constants but for whole exponents masked."""
    terms = sympy.Add.make_args(sympy.expand(expr, trig=True))
    return {_masked(term.as_coeff_Mul()[1]) for term in terms if term != 0}


def _masked(expr):
    if expr.is_Number:
        return sympy.Symbol("C")
    if expr.is_Pow and expr.exp.is_Integer:
        return sympy.Pow(_masked(expr.base), expr.exp, evaluate=False)
    return expr.func(*map(_masked, expr.args)) if expr.args else expr
