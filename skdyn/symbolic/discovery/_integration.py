"""Solutions of candidate systems: many windows and perturbed constants in one integration.

The arrays are small, so that what counts is the number of operations on whole arrays. A stage takes
four, whatever the number of terms that are plain variables: states from slopes, terms gathered,
weighted, and summed to the equations. Steps are folded into the weights.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from skdyn.formulas._functions import functions_for
from skdyn.symbolic.discovery._terms import substituted

# Dormand, Prince 1980: the fifth-order solution. The first column is the state itself.
_A = (
    (1, 1 / 5), (1, 3 / 40, 9 / 40), (1, 44 / 45, -56 / 15, 32 / 9),
    (1, 19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (1, 9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (1, 35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)  # fmt: skip
_A = [np.array(row, float) for row in _A]
_POWER = re.compile(r"\b(x\d+)\*\*([3-9])(?![\d.])")
_CHECKED = 8  # steps after which what is not finite is given up


class Field(NamedTuple):
    """Right-hand sides as weighted sums of terms, whose constants are given later.

    Attributes
    ----------
    fill : callable
        ``fill(values, p)`` writes the values of terms below those of the variables; both are lists
        of rows.
    n_rows : int
        Number of rows of values.
    index : ndarray of shape (n_terms,)
        Row of each term.
    weights : ndarray of shape (n_terms,)
        Place of each term's coefficient among the constants.
    sums : ndarray of shape (n_equations, n_terms)
        1 where a term belongs to an equation.
    """

    fill: Callable[..., None]
    n_rows: int
    index: np.ndarray  # pyright: ignore[reportIncompatibleMethodOverride]: not a tuple's search
    weights: np.ndarray
    sums: np.ndarray


def field(equations, order):
    """Compile right-hand sides.

    Parameters
    ----------
    equations : tuple of tuple of Term
        Terms of each equation.
    order : sequence of int
        The variables in the order of their rows: those that are integrated come first.

    Returns
    -------
    Field
    """
    return _field(tuple(tuple(t.form for t in terms) for terms in equations), tuple(order))


@lru_cache(maxsize=1024)
def _field(equations, order):
    rows = {f"x{i}": row for row, i in enumerate(order)}
    index, weights, lines, at = [], [], [], 0
    for form in (form for forms in equations for form in forms):
        weights.append(at)
        inner = [f"p[{at + 1 + b}]" for b in range(form.n_inner)]
        text = substituted(form, inner)
        if text not in rows:  # a term without constants inside is the same in every equation
            rows[text] = len(rows)
            lines.append(f"    values[{rows[text]}][:] = {_POWER.sub(_product, text)}")
        index.append(rows[text])
        at += 1 + form.n_inner
    names = sorted(set(re.findall(r"\bx\d+\b", " ".join(lines))))
    variables = [f"    {name} = values[{rows[name]}]" for name in names]
    body = [*variables, *lines] or ["    pass"]
    scope = {"__builtins__": {}, **functions_for("numpy")}  # the terms are checked, see substituted
    exec("def fill(values, p):\n" + "\n".join(body), scope)
    sums = np.repeat(np.eye(len(equations)), [len(forms) for forms in equations], axis=1)
    return Field(scope["fill"], len(rows), np.array(index, int), np.array(weights, int), sums)


def _product(power):
    """Write a small power as a product, which takes a tenth of the time."""
    return f"({'*'.join([power[1]] * int(power[2]))})"


def integrate(f, x0, p, windows, lanes, parts=(slice(None),)):
    """Integrate all lanes over their windows.

    Parameters
    ----------
    f : Field
        The right-hand sides.
    x0 : ndarray of shape (n_states, n_lanes)
        Start states.
    p : ndarray of shape (n_constants, n_lanes) or (n_constants, 1)
        Constants.
    windows : Windows
        Times and inputs.
    lanes : ndarray of shape (n_lanes,) or slice
        The window of each lane.
    parts : sequence of slice, default=(slice(None),)
        Lanes that are given up together, once one of them is not finite.

    Returns
    -------
    ndarray of shape (width + 1, n_states, n_lanes)
        States at the windows' times; not finite where they were left.
    """
    h = windows.h[:, lanes]
    out = np.empty((len(windows.times), *x0.shape))
    out[0] = x0
    known = np.empty((7, *x0.shape))  # the state, then the slopes of the stages times the step
    known[0] = x0
    flat = known.reshape(7, -1)
    heads = [flat[: s + 2] for s in range(6)]
    values = np.empty((f.n_rows, x0.shape[1]))
    now, given = values[: len(x0)], values[len(x0) : len(windows.order)]
    now[:] = x0
    flat_now = now.reshape(-1)
    rows, constants, weights = list(values), list(p), p[f.weights]
    scaled, weighted = np.empty((2, len(weights), x0.shape[1]))
    going, left = list(parts), []
    stages = list(zip(_A, heads, known[1:]))
    for step in range(len(h)):
        np.multiply(weights, h[step], out=scaled)
        inputs = None if windows.table is None else windows.table[step][..., lanes]
        for sub in range(windows.n_sub):
            for s, (share, head, slope) in enumerate(stages):
                if inputs is not None:
                    given[:] = inputs[sub, s]
                f.fill(rows, constants)
                values.take(f.index, 0, weighted, "clip")
                np.multiply(weighted, scaled, weighted)
                np.dot(f.sums, weighted, slope)
                np.dot(share, head, flat_now)
            known[0] = now
        out[step + 1] = now
        if step % _CHECKED == _CHECKED - 1 and not np.isfinite(now).all():
            for part in going[:]:
                if not np.isfinite(now[:, part]).all():
                    going.remove(part)
                    left.append((part, step + 1))
            if not going:
                break
    for part, end in left:
        out[end:, :, part] = np.nan
    return out
