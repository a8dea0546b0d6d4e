"""Systems near a fitted one: exchanges of terms, judged by how the solution answers to them.

Along a solution that follows the data, the answer to any further term is one more column of the
shooting's Jacobian. What exchanging terms would do to the residuals is then linear algebra, free
of the smoothing that the first candidates came from.
"""

from itertools import product
from typing import Any

import numpy as np

from skdyn.symbolic.discovery import _prices as prices
from skdyn.symbolic.discovery._search import FLOOR, structure_cost
from skdyn.symbolic.discovery._shooting import System, jacobian
from skdyn.symbolic.discovery._terms import evaluate

_WIDTH = 6  # systems of one exchange from which a second one starts
_RIDGE = 1e-9


def neighbors(joint, fitted, pools, n=8):
    """Propose systems that differ in one term or two.

    Parameters
    ----------
    joint : Joint
        The data.
    fitted : Fitted
        A system that follows them.
    pools : list of list of Term
        Terms that each equation may take.
    n : int, default=8
        Most proposals.

    Returns
    -------
    list of (equations, coefficients)
        The most promising first.
    """
    model = _Linear(joint, fitted, pools)
    if not model.works:
        return []
    now = tuple(range(len(terms)) for terms in fitted.equations)
    now = tuple(frozenset(row) for row in now)
    judged: dict[tuple, Any] = {now: model.judge(now)}
    front = [now]
    for _ in range(2):
        for origin in front:
            for other in model.moves(origin):
                if other not in judged:
                    judged[other] = model.judge(other)
        front = sorted(judged, key=lambda s: judged[s][0])[:_WIDTH]
    ranked = sorted((s for s in judged if s != now), key=lambda s: judged[s][0])
    limit = judged[now][0] + prices.SLACK
    return [model.system(s, judged[s][1]) for s in ranked[:n] if judged[s][0] < limit]


class _Linear:
    """The residuals of a fit, linear in the constants of its own and of other terms."""

    def __init__(self, joint, fitted, pools):
        self.n, self.max_terms, self.kept = joint.n, joint.max_terms, []
        self.terms, further = [], []
        for i, terms in enumerate(fitted.equations):
            have = {term.form.text for term in terms}
            more = [
                term
                for term in pools[i]
                if term.form.text not in have and np.isfinite(evaluate(term, joint.nodes)).all()
            ]
            self.terms.append((*terms, *more))
            further += [(i, term) for term in more]
            required = () if joint.priors is None else joint.priors.required(i)
            texts = {term.form.text for term in required}
            self.kept.append({j for j, term in enumerate(terms) if term.form.text in texts})
        system = System(fitted.equations)
        constants = system.constants(fitted.coefficients)
        found: Any = jacobian(
            system, constants, joint.windows, fitted.shot.x0, joint.ties[-1], further
        )
        self.works = found is not None
        if not self.works:
            return
        r, A, starts, state = found
        misfit = fitted.rss / joint.n
        weight = np.sqrt(misfit / (misfit**2 + FLOOR**2))[state]  # of the cost near this misfit
        A, r = A * weight[:, None], r * weight
        q = np.linalg.qr(starts * weight[:, None])[0]
        A = A - q @ (q.T @ A)
        r = r - q @ (q.T @ r)
        self.places, own, new, target = [], iter(range(len(constants))), len(constants), -r
        for terms, all_terms in zip(fitted.equations, self.terms):
            row = [[next(own) for _ in range(1 + len(term.inner))] for term in terms]
            for (at, *_), c in zip(row, fitted.coefficients[len(self.places)]):
                target = target + A[:, at] * c
            # The inner constants of a term that is not there yet stay as they are.
            end = new + len(all_terms) - len(terms)
            self.places.append(row + [[at] for at in range(new, end)])
            new = end
        self.size = np.linalg.norm(A, axis=0)
        self.size[self.size == 0] = 1.0
        A = A / self.size
        self.gram, self.b, self.total = A.T @ A, A.T @ target, float(target @ target)

    def judge(self, chosen):
        """Return (description length, constants) of a choice of terms."""
        at = [k for row, places in zip(chosen, self.places) for j in sorted(row) for k in places[j]]
        G = self.gram[np.ix_(at, at)]
        x = np.linalg.solve(G + _RIDGE * np.eye(len(at)), self.b[at])
        rss = self.total - x @ (2 * self.b[at] - G @ x)
        cost = sum(
            structure_cost([terms[j] for j in row], n)
            for terms, row, n in zip(self.terms, chosen, self.n)
        )
        return 0.5 * rss + cost, dict(zip(at, x / self.size[at]))

    def moves(self, chosen):
        """Yield choices with one term taken out, put in, or both."""
        for i, row in enumerate(chosen):
            others = [j for j in range(len(self.terms[i])) if j not in row]
            for out, new in product([None, *(row - self.kept[i])], [None, *others]):
                changed = (row - {out}) | ({new} - {None})
                if row != changed and 0 < len(changed) <= max(self.max_terms, len(row)):
                    yield (*chosen[:i], frozenset(changed), *chosen[i + 1 :])

    def system(self, chosen, constants):
        """Return equations and coefficients of a choice."""
        equations, coefficients = [], []
        for terms, row, places in zip(self.terms, chosen, self.places):
            equations.append(tuple(terms[j] for j in sorted(row)))
            coefficients.append(tuple(float(constants[places[j][0]]) for j in sorted(row)))
        return tuple(equations), tuple(coefficients)
