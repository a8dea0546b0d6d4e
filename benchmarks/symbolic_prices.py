"""What each constant in nats does: the prices of the symbolic search, halved and doubled.

Used by ``benchmarks/symbolic.py prices``. Systems are drawn (``symbolic_systems.py``), so that no
price is chosen on a benchmark. A system is exact when its terms are the true ones, and it follows
when its solutions, from the start that was seen and from another, reach an R2 above 0.9.
"""

from contextlib import contextmanager
from unittest.mock import patch

import numpy as np
import pandas as pd
from symbolic_systems import T, judged, problems, skeleton

from skdyn import SymbolicODERegressor
from skdyn.symbolic.discovery import _prices
from skdyn.symbolic.discovery._library import library
from skdyn.symbolic.discovery._smoothing import smooth

QUICK = {"max_rounds": 2, "max_terms": 4}
NOISE = (0.0, 0.03, 0.03)
BY_FORM = ("DEGREES", "FORMS", "RARER", "NO_ANGLE")  # these act through what forms cost
NEVER_MET = ("BREACH", "GIVEN", "MORE_DEGREE")  # without priors, and below degree 7


def all_prices():
    """Return (name, key or None, value) of every price that a search without priors meets."""
    found = []
    for name, value in vars(_prices).items():
        if name.isupper() and name not in NEVER_MET:
            pairs = value.items() if isinstance(value, dict) else [(None, value)]
            found += [(name, key, each) for key, each in pairs]
    return found


@contextmanager
def priced(name, key, value):
    """Set a price for a while."""
    if key is None:
        with patch.object(_prices, name, value):
            yield
    else:
        with patch.dict(getattr(_prices, name), {key: value}):
            yield


def costs(problem):
    """Return what forms cost that are tried on a problem."""
    record = smooth([T], [problem.measured])
    return {term.form.text: term.form.cost for term in library(record.nodes())}


def answer(problem):
    names = [f"x_{i}" for i in range(problem.measured.shape[1])]
    model = SymbolicODERegressor(**QUICK).fit(pd.DataFrame(problem.measured, columns=names), t=T)
    exprs = model.to_sympy()
    return [skeleton(expr) for expr in exprs], *judged(problem, exprs)


def trial(some, usual, before):
    """Return answers at the present prices; where forms cost what they did, those from before."""
    return [
        old if same and costs(problem) == cost else answer(problem)
        for problem, cost, (same, old) in zip(some, usual, before, strict=True)
    ]


def prices(options):
    """Print what halving and doubling each price does to the answers."""
    some = problems(options.systems, options.seed, NOISE)
    with np.errstate(all="ignore"):
        usual = [costs(problem) for problem in some]
        now = [answer(problem) for problem in some]
        print(
            f"{len(some)} systems, noise {NOISE} in turn, {QUICK}: "
            f"exact {sum(a[1] for a in now)}, follow {sum(a[2] for a in now)}"
        )
        print(f"{'':34}{'nats':>8} {'halved':>24}{'doubled':>24}")
        print(f"{'':43}{'changed   exact  follow':>24}{'changed   exact  follow':>24}")
        for name, key, value in all_prices():
            if options.only != [""] and not any(part in f"{name} {key}" for part in options.only):
                continue
            line = f"{name + ('' if key is None else f' {key}'):34}{value:>8.4g} "
            for factor in (0.5, 2.0):
                with priced(name, key, factor * value):
                    then = trial(some, usual, [(name in BY_FORM, old) for old in now])
                line += f"{sum(a[0] != b[0] for a, b in zip(now, then, strict=True)):>8}"
                line += "".join(
                    f"{sum(a[i] for a in then) - sum(a[i] for a in now):>+8}" for i in (1, 2)
                )
            print(line, flush=True)
