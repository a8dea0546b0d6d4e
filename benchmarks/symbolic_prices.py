"""What each constant in nats does: the prices of the symbolic search, halved and doubled.

Used by ``benchmarks/symbolic.py prices``. Systems are drawn (``symbolic_systems.py``), so that no
price is chosen on a benchmark. A system is exact when its terms are the true ones, and it follows
when its solutions, from the start that was seen and from another, reach an R2 above 0.9.

Each system is searched once, and all that was fitted on the way is kept. Prices that enter scores,
and those of the last step, round numbers, are tried on what was kept ("judged again"): that tells
which of it would have been taken, but not what another search would have fitted. Prices that
only steer the search are tried by searching again, and so are some of the others, all at once, to
show how much judging again does not see.
"""

from contextlib import ExitStack
from copy import copy
from typing import NamedTuple
from unittest.mock import patch

import numpy as np
import pandas as pd
from symbolic_systems import T, judged, problems, skeleton

from skdyn import SymbolicODERegressor
from skdyn.symbolic._found import plain_equations, system_of
from skdyn.symbolic.discovery import _discover, _prices
from skdyn.symbolic.discovery._fitted import forms_of
from skdyn.symbolic.discovery._library import library
from skdyn.symbolic.discovery._rounding import rounded

QUICK = {"max_iter": 2, "max_terms": 4}
NOISE = (0.0, 0.03, 0.03)
STEERING = ("INNER", "COMMON", "SLACK", "HOPELESS")
ROUNDING = ("DECIMAL", "WHOLE", "THIRD", "STATED", "WORSE", "ODDS")
NEVER_MET = ("BREACH", "GIVEN", "MORE_DEGREE")  # without priors, and below degree 7
TOGETHER = ("DEGREES", "FORMS", "RARER", "NO_ANGLE", "ESCAPE")  # searched again as well
SHARE = 4  # of the systems, one of this many is searched again
USUAL_ESCAPE = _prices.ESCAPE


class Price(NamedTuple):
    """A constant, or all of a table of constants."""

    label: str
    values: dict  # (name, key or None) -> nats

    @property
    def names(self):
        return {name for name, _ in self.values}

    def times(self, factor):
        """Return a context in which it is larger."""
        stack = ExitStack()
        for (name, key), value in self.values.items():
            if key is None:
                stack.enter_context(patch.object(_prices, name, factor * value))
            else:
                stack.enter_context(patch.dict(getattr(_prices, name), {key: factor * value}))
        return stack


def all_prices():
    """Return every price that a search without priors meets, and whole tables of them."""
    found = []
    for name, value in vars(_prices).items():
        if not name.isupper() or name in NEVER_MET:
            continue
        if isinstance(value, dict):
            found.append(Price(f"{name}, all", {(name, key): v for key, v in value.items()}))
            found += [Price(f"{name} {key}", {(name, key): v}) for key, v in value.items()]
        else:
            found.append(Price(name, {(name, None): value}))
    return found


class Answer(NamedTuple):
    """Terms, whether they are the true ones, and whether solutions are followed."""

    terms: tuple
    exact: bool
    follows: bool


class Searched:
    """One search, with all that it fitted in its last round.

    Parameters
    ----------
    problem : Problem
        A system.
    """

    def __init__(self, problem):
        self.problem, self.columns, self.rounded, self.judged = problem, [], {}, {}
        contenders = _discover._contenders

        def library_seen(columns, *args):
            self.columns.append(columns)
            return library(columns, *args)

        def contenders_seen(joint, fitted):
            self.joint = copy(joint)
            self.joint.seen = {k: f for k, f in joint.seen.items() if f is not None}
            return contenders(joint, fitted)

        with (
            patch.object(_discover, "library", library_seen),
            patch.object(_discover, "_contenders", contenders_seen),
        ):
            self.answer = answer(problem)
        self.usual = [library(columns) for columns in self.columns]

    def again(self, keep=True):
        """Return the answer that the present prices make of what was fitted then.

        Parameters
        ----------
        keep : bool, default=True
            Whether round numbers are those at the usual prices.
        """
        repriced = self._repriced()
        joint, rounds = copy(self.joint), self.rounded if keep else {}
        joint.seen = {key: repriced(fitted) for key, fitted in self.joint.seen.items()}
        best = min(joint.seen.values(), key=lambda fitted: fitted.score)
        finals = []
        for fitted in _discover._contenders(joint, best):
            forms = forms_of(fitted.equations)
            if forms not in rounds:
                rounds[forms] = rounded(self.joint, self.joint.seen[forms])[0]
            finals.append(repriced(rounds[forms]))
        return self._answer(min(finals, key=lambda fitted: fitted.score))

    def _repriced(self):
        """Return a function that scores a system by the present prices."""
        costs = {
            (old.form.text, old.form.cost): new.form.cost
            for usual, columns in zip(self.usual, self.columns, strict=True)
            for old, new in zip(usual, library(columns), strict=True)
        }
        escape = _prices.ESCAPE / USUAL_ESCAPE

        def repriced(fitted):
            forms = [term.form for terms in fitted.equations for term in terms]
            more = sum(costs[form.text, form.cost] - form.cost for form in forms)
            parts = fitted.parts._replace(
                structure=fitted.parts.structure + more, escapes=escape * fitted.parts.escapes
            )
            return fitted._replace(parts=parts, score=sum(parts))

        return repriced

    def _answer(self, fitted):
        key = forms_of(fitted.equations), str(fitted.coefficients)
        if key not in self.judged:
            equations = plain_equations(fitted.equations, fitted.coefficients)
            exprs = system_of(equations, names_of(self.problem), []).to_sympy()
            self.judged[key] = answered(self.problem, exprs)
        return self.judged[key]


def names_of(problem):
    return [f"x_{i}" for i in range(problem.measured.shape[1])]


def answer(problem):
    """Search a system."""
    data = pd.DataFrame(problem.measured, columns=names_of(problem))
    return answered(problem, SymbolicODERegressor(**QUICK).fit(data, t=T).to_sympy())


def answered(problem, exprs):
    return Answer(tuple(frozenset(skeleton(e)) for e in exprs), *judged(problem, exprs))


class Trial(NamedTuple):
    """How a price is tried.

    Attributes
    ----------
    word : str
        Its name.
    usual : list of Answer
        At the usual price.
    answer : callable
        Returns the k-th answer at the present price.
    """

    word: str
    usual: list
    answer: callable


def compared(usual, now):
    """Return how many answers differ, and how many more are exact and follow."""
    pairs = list(zip(usual, now, strict=True))
    n_other = sum(a.terms != b.terms for a, b in pairs)
    exact, follow = (sum(b[i] - a[i] for a, b in pairs) for i in (1, 2))
    return f"{n_other:>8}{exact:>+7}{follow:>+7}"


def print_trial(price, trial):
    """Print what half and twice a price do, and return the answers."""
    value = f"{next(iter(price.values.values())):.4g}" if len(price.values) == 1 else ""
    line, answers = f"{price.label:32}{value:>5} {trial.word:8}{len(trial.usual):>4}", []
    for factor in (0.5, 2.0):
        with price.times(factor):
            now = [trial.answer(k) for k in range(len(trial.usual))]
        line += compared(trial.usual, now)
        answers += now
    print(line, flush=True)
    return answers


def print_unseen(price, judged_again, searched):
    """Print on how many systems another search finds what judging again does not."""
    n_other = sum(a.terms != b.terms for a, b in zip(judged_again, searched, strict=True))
    print(f"    searched otherwise than judged: {n_other} of {len(searched)}", flush=True)


def prices(options):
    """Print what halving and doubling each price does to the answers."""
    with np.errstate(all="ignore"):
        some = [Searched(p) for p in problems(options.systems, options.seed, NOISE)]
        few = range(-(-len(some) // SHARE))
        base = [one.again() for one in some]
        n_other = sum(one.answer.terms != b.terms for one, b in zip(some, base, strict=True))
        print(
            f"{len(some)} systems of seed {options.seed}, noise {NOISE} in turn, {QUICK}: exact "
            f"{sum(one.answer.exact for one in some)}, follow "
            f"{sum(one.answer.follows for one in some)}; judged again at the same prices, others "
            f"are {n_other}"
        )
        columns = f"{'changed':>8}{'exact':>7}{'follow':>7}"
        print(f"{'':50}{'halved':>22}{'doubled':>22}\n{'':50}{columns}{columns}")
        again = Trial("judged", base, lambda k: some[k].again())
        part = again._replace(usual=[base[k] for k in few])
        anew = Trial("searched", [some[k].answer for k in few], lambda k: answer(some[k].problem))
        fresh = Trial("judged", base, lambda k: some[k].again(keep=False))
        for price in all_prices():
            if not any(name in price.label for name in options.only):
                continue
            if price.names & {*STEERING}:
                print_trial(price, anew)
            else:
                print_trial(price, fresh if price.names & {*ROUNDING} else again)
            if price.label.removesuffix(", all") in TOGETHER:
                print_unseen(price, print_trial(price, part), print_trial(price, anew))
