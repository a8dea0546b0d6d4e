"""Laws beside an estimator: looked for with its data, kept in its state, and reported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state

from skdyn.exceptions import warn_user
from skdyn.formulas import to_sympy
from skdyn.formulas._expression import written
from skdyn.kan._curves import MORE
from skdyn.kan._formula import expression_of
from skdyn.kan._law_search import LawSearch
from skdyn.kan._laws import judged
from skdyn.kan._library import DEFAULT_LIBRARY, make_library

if TYPE_CHECKING:
    import pandas as pd

_HELD_OUT = 0.2  # of the rows, to judge formulas
_FEWEST = 20  # rows that can tell laws apart
_MOST_COLUMNS = 6  # that a law is looked for in
_MINOR = 1e-3  # importance of a column that has no part in a law
_KEPT = 8  # laws of a report


def names_of(model):
    """Return the names of the columns."""
    default = [f"x{i}" for i in range(model.n_features_in_)]
    return list(getattr(model, "feature_names_in_", default))


def split_rows(model, n):
    """Return rows to fit formulas to, and rows to judge them by."""
    seed = check_random_state(model.random_state).randint(np.iinfo(np.int32).max)
    return train_test_split(np.arange(n), test_size=_HELD_OUT, random_state=seed)


class LawHunt:
    """The search for the laws of a regressor's outputs.

    Parameters
    ----------
    model : KANRegressor
        The fitted network; it tells which columns matter.
    X, y, weight : ndarray
        Data, in the user's units.
    library : iterable of str, dict or None
        What functions may be called.
    verbose : bool
        Whether to print how it goes.
    """

    def __init__(self, model, X, y, weight, library, verbose):
        there = weight > 0
        self.X, self.weight = X[there].astype(float), weight[there].astype(float)
        self.y = y.reshape(len(y), -1)[there].astype(float)
        self.rows: Any = split_rows(model, len(self.X)) if len(self.X) >= _FEWEST else None
        self.library = make_library({**DEFAULT_LIBRARY, **MORE} if library is None else library)
        self.verbose = verbose
        shares, moving = model.feature_importances_, np.ptp(self.X, axis=0) > 0
        likely = [k for k in np.argsort(-shares)[:_MOST_COLUMNS] if moving[k]]
        self.columns = [int(k) for k in likely if shares[k] > _MINOR] or [
            int(k) for k in likely[:1]
        ]
        self.columns.sort()
        self._found, self.symbols = [], []

    def run(self):
        """Look for laws; return those of each output, the best first, or None without rows."""
        if self.rows is None or not self.columns:
            return None
        laws = []
        for k, y in enumerate(self.y.T):
            if np.ptp(y) == 0:
                return None
            fitted = self.rows[0]
            search = LawSearch(self.X[fitted], y[fitted], self.library, self.columns, self._tell)
            self.symbols = search.symbols
            found = search.run()
            self._found.append([expression_of(each.node) for each in found])
            laws.append(self.judged(k, []))
        return laws

    def judged(self, k, more):
        """Return the laws of an output, other formulas among them."""
        return judged(
            [*more, *self._found[k]], self.symbols, self.X, self.y[:, k], self.weight, *self.rows,
            library=self.library,
        )  # fmt: skip

    def _tell(self, text):
        if self.verbose:
            print(f"[auto_symbolic] {text}", flush=True)


def keep_laws(model, laws, symbols, X, taken):
    """Keep laws in a model's state, as plain values."""
    own = {symbol: _own(symbol, symbols) for symbol in symbols}
    model._laws = [
        [(written(law.expression.xreplace(own)), law.doubt,
          [law.complexity, law.error, law.score]) for law in each[:_KEPT]]
        for each in laws
    ]  # fmt: skip
    model._law_ranges = np.stack([X.min(axis=0), X.max(axis=0)]).astype(float)
    model._law_taken = bool(taken)


def forget_laws(model):
    """Leave no law behind where the network has become another."""
    for name in ("_laws", "_law_ranges", "_law_taken"):
        vars(model).pop(name, None)


def law_formulas(model, names):
    """Return the laws taken for a network's formulas, or None."""
    if not getattr(model, "_law_taken", False):
        return None
    return [_read(each[0][0], names) for each in model._laws]


def warn_of_doubts(model):
    """Say what speaks against taking a network's formulas for laws."""
    for k, each in enumerate(getattr(model, "_laws", [])):
        doubt = each[0][1]
        if doubt:
            of = f" of output {k}" if len(model._laws) > 1 else ""
            warn_user(
                f"The formula{of} may only look like the law: {doubt}. symbolic_report_ has the "
                "alternatives; more rows, a wider range or less noise may tell them apart.",
                UserWarning,
            )


def report_of(model) -> pd.DataFrame:
    """Return the laws that were compared, as a table."""
    import pandas as pd

    names = names_of(model)
    if not hasattr(model, "_laws"):
        raise AttributeError(
            f"{type(model).__name__} has no symbolic_report_: call auto_symbolic with the data, "
            "X and y, of a regressor first."
        )
    rows = []
    for k, each in enumerate(model._laws):
        for rank, (text, doubt, (complexity, error, score)) in enumerate(each):
            formula = _read(text, names)
            rows.append({
                "output": k, "formula": formula, "complexity": int(complexity),
                "error": error**0.5, "score": score, "stands_out": rank == 0 and not doubt,
                "doubt": doubt, "domain": _domain(formula, names, model._law_ranges),
            })  # fmt: skip
    return pd.DataFrame(rows)


def _own(symbol, symbols):
    import sympy

    return sympy.Symbol(f"column{list(symbols).index(symbol)}", real=True)


def _read(text, names):
    import sympy

    return to_sympy(
        text, {f"column{k}": sympy.Symbol(name, real=True) for k, name in enumerate(names)}
    )


def _domain(formula, names, ranges):
    used = {str(symbol) for symbol in formula.free_symbols}
    return ", ".join(
        f"{low:.4g} <= {name} <= {high:.4g}"
        for name, low, high in zip(names, *ranges, strict=True) if name in used
    )  # fmt: skip
