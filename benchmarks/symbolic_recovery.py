"""Systems of ODEBench rediscovered from one noisy trajectory each, beside pysindy.

Used by ``benchmarks/symbolic.py recovery --odebench FOLDER``; the folder holds an evaluation
harness (``odebench.py``: ``evaluate(factory, ...)``, ``summarize(rows)``) and its systems. A system
counts as reconstructed when the found equations, integrated from the start of the trajectory that
was seen, reach an R2 above 0.9, and as generalized when they do from another start; it is exact
when its terms are the true ones and no others.
"""

import importlib
import sys

import numpy as np
import pandas as pd

from skdyn import SymbolicODERegressor

try:
    import pysindy
except ImportError:
    pysindy = None

THRESHOLD = 0.05


def names(X):
    return [f"x_{i}" for i in range(X.shape[1])]


class Ours:
    """Adapter of :class:`skdyn.SymbolicODERegressor` with its defaults."""

    def fit(self, t, X):
        self.model = SymbolicODERegressor().fit(pd.DataFrame(X, columns=names(X)), t=t)

    def rhs(self, X):
        return self.model.system_.rhs(X)

    def expressions(self):
        return [str(expression) for expression in self.model.to_sympy()]


class Peer:
    """Adapter of pysindy."""

    def __init__(self, library, method=None, weak=False):
        self.library, self.method, self.weak = library, method, weak

    def fit(self, t, X):
        self.names, library, options = names(X), self.library, {}
        if self.weak:
            library = pysindy.WeakPDELibrary(
                self.library, spatiotemporal_grid=t, K=200, is_uniform=False
            )
        else:
            options["differentiation_method"] = self.method
        optimizer = pysindy.STLSQ(threshold=THRESHOLD)
        np.random.seed(0)  # noqa: NPY002  (pysindy draws its windows from the global generator)
        model = pysindy.SINDy(optimizer=optimizer, feature_library=library, **options)
        self.coef = np.asarray(model.fit(X, t=t).coefficients())
        self.library.fit(X)

    def rhs(self, X):
        return np.asarray(self.library.transform(np.asarray(X))) @ self.coef.T

    def expressions(self):
        terms = self.library.get_feature_names(self.names)
        terms = [term.replace("^", "**").replace(" ", "*") for term in terms]
        return [
            " + ".join(f"({c!r})*({term})" for c, term in zip(row.tolist(), terms) if c) or "0"
            for row in self.coef
        ]


def polynomials(degree):
    return pysindy.PolynomialLibrary(degree)


PEERS = {
    "pysindy: degree 2, differences": lambda: Peer(polynomials(2), pysindy.FiniteDifference()),
    "pysindy: degree 2, smoothed": lambda: Peer(polynomials(2), pysindy.SmoothedFiniteDifference()),
    "pysindy: degree 3, smoothed": lambda: Peer(polynomials(3), pysindy.SmoothedFiniteDifference()),
    "pysindy: degree 3 + Fourier, smoothed": lambda: Peer(
        polynomials(3) + pysindy.FourierLibrary(1), pysindy.SmoothedFiniteDifference()
    ),
    "pysindy: degree 2, weak": lambda: Peer(polynomials(2), weak=True),
    "pysindy: degree 3, weak": lambda: Peer(polynomials(3), weak=True),
}


def recovery(options):
    """Print one line a contestant, a noise level and a share of points dropped."""
    if options.odebench is None:
        print("recovery: left out; pass --odebench FOLDER")
        return
    sys.path.insert(0, options.odebench)
    harness = importlib.import_module("odebench")
    contestants = {"skdyn: SymbolicODERegressor()": Ours} | ({} if pysindy is None else PEERS)
    if pysindy is None:
        print("recovery: peers are left out; pysindy is not installed")
    print(f"{'':40}{'noise':>6}{'dropped':>8}{'reconstr.':>10}{'general.':>9}{'exact':>7}"
          f"{'median s':>9}{'most s':>8}")  # fmt: skip
    for name, factory in contestants.items():
        if not any(part in name for part in options.only):
            continue
        rows = harness.evaluate(
            factory, sigmas=options.noise, rhos=options.dropped, ids=options.ids,
            jobs=options.jobs, limit_s=300.0, verbose=0, out=options.out,
        )  # fmt: skip
        for sigma in options.noise:
            for rho in options.dropped:
                cell = [row for row in rows if (row["sigma"], row["rho"]) == (sigma, rho)]
                spent = [row.get("fit_s", np.nan) for row in cell]
                print(
                    f"{name:40}{sigma:>6}{rho:>8}"
                    f"{100 * np.mean([row['recon'] > 0.9 for row in cell]):>9.1f}%"
                    f"{100 * np.mean([row['gen'] > 0.9 for row in cell]):>8.1f}%"
                    f"{100 * np.mean([bool(row.get('exact')) for row in cell]):>6.1f}%"
                    f"{np.nanmedian(spent):>9.2f}{np.nanmax(spent):>8.1f}",
                    flush=True,
                )
