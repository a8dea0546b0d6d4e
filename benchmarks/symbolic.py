"""Symbolic ODE discovery beside pysindy: the same equations, and how long they take.

    python benchmarks/symbolic.py [sindy | recovery | prices] [--odebench FOLDER]

``sindy``: one fit of :class:`skdyn.SINDyRegressor` and of pysindy in the same configuration,
polynomials up to a degree, on trajectories of ``skdyn.datasets``. Contestants are run in turn, so
that a slow moment of the machine hits both alike; medians of one thread. "difference" is the
largest one between the coefficients of the two. Where it exceeds 1e-6, the norms of the residuals
of both follow: the terms are then nearly dependent, and normal equations lose their digits.
Ensembles draw different rows, and weak forms have different windows, so that those are compared
with the true coefficients of a system with noise: "errors" are the largest of each. Install pysindy
with ``pip install "skdyn[bench]"``; without it, what needs it is left out.

``recovery``: see ``symbolic_recovery.py``. ``prices``: what each constant in nats does to the
answers for random systems, see ``symbolic_prices.py``; it takes half an hour.
"""

import argparse
import os
import statistics
import time
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy starts its threads

import numpy as np
from symbolic_prices import prices
from symbolic_recovery import pysindy, recovery
from threadpoolctl import threadpool_limits

from skdyn import SINDyRegressor
from skdyn.datasets import make_lorenz63, make_lotka_volterra, make_van_der_pol
from skdyn.symbolic.differentiation import FiniteDifference, SmoothedFiniteDifference, WeakForm
from skdyn.symbolic.libraries import PolynomialLibrary
from skdyn.symbolic.optimizers import SR3, STLSQ, EnsembleOptimizer

LORENZ = {"x0": [-10, 28, 0], "x1": [10, -1, 0], "x0 x2": [0, -1, 0],
          "x0 x1": [0, 0, 1], "x2": [0, 0, -8 / 3]}  # fmt: skip


def optimizers():
    """Pairs (ours, pysindy's) of equal meaning."""
    threshold, nu = 0.1, 1.0
    return {
        "STLSQ": (STLSQ(threshold), pysindy.STLSQ(threshold)),
        "SR3": (
            SR3(threshold, nu=nu, unbias=False),
            pysindy.SR3(
                reg_weight_lam=threshold**2 / (2 * nu), relax_coeff_nu=nu, regularizer="l0"
            ),
        ),
    }


def methods():
    """Pairs (ours, pysindy's) of equal meaning."""
    return {
        "differences": (FiniteDifference(), pysindy.FiniteDifference(order=2)),
        "smoothed": (
            SmoothedFiniteDifference(),
            pysindy.SmoothedFiniteDifference(smoother_kws={"window_length": 11, "polyorder": 3}),
        ),
    }


def data(n_timepoints):
    span = {"n_cases": 1, "n_timepoints": n_timepoints, "random_state": 0}
    return {
        "Lorenz": make_lorenz63(t_span=(0, 10), **span),
        "Lotka-Volterra": make_lotka_volterra(t_span=(0, 20), **span),
        "van der Pol": make_van_der_pol(t_span=(0, 20), **span),
        "Lorenz, 20 cases": make_lorenz63(
            n_cases=20, n_timepoints=n_timepoints // 10, t_span=(0, 2), random_state=0
        ),
    }


def in_turn(ours, theirs, rounds):
    """Return both results and the median milliseconds of each."""
    results, times = (ours(), theirs()), ([], [])
    for _ in range(rounds):
        for run, spent in zip((ours, theirs), times, strict=True):
            start = time.perf_counter()
            run()
            spent.append(1e3 * (time.perf_counter() - start))
    return results, [statistics.median(spent) for spent in times]


def pair(X, t, degree, method, optimizer):
    """Return functions that fit both and give the coefficients."""
    theirs = [np.ascontiguousarray(case.T) for case in X]
    theirs = theirs[0] if len(theirs) == 1 else theirs

    def ours():
        return SINDyRegressor(PolynomialLibrary(degree), method[0], optimizer[0]).fit(X, t=t).coef_

    def peers():
        library = pysindy.PolynomialLibrary(degree)
        model = pysindy.SINDy(optimizer[1], library, method[1])
        return model.fit(theirs, t=t).coefficients()

    return ours, peers


def residual(X, t, degree, method, coef):
    """Return the norm of what coefficients leave of the derivatives."""
    library = PolynomialLibrary(degree).fit(X[0].T)
    pairs = [method.system(library, case.T, t) for case in X]
    return np.sqrt(sum(np.linalg.norm(B - A @ coef.T) ** 2 for A, B in pairs))


def sindy(options):
    if pysindy is None:
        print("sindy: left out; pysindy is not installed")
        return
    print(f"{'':52}{'skdyn':>10}{'pysindy':>10}{'ratio':>8}{'difference':>12}")
    ratios, differences = [], []
    for system, (X, t) in data(options.timepoints).items():
        for degree in options.degrees:
            for way, method in methods().items():
                for name, optimizer in optimizers().items():
                    both = pair(X, t, degree, method, optimizer)
                    (coef, theirs), (mine, other) = in_turn(*both, options.rounds)
                    ratios.append(other / mine)
                    differences.append(np.abs(coef - theirs).max())
                    label = f"{system}, degree {degree}, {way}, {name}"
                    line = f"{label:52}{mine:>7.2f} ms{other:>7.2f} ms{ratios[-1]:>8.1f}"
                    line += f"{differences[-1]:>12.1e}"
                    if differences[-1] > 1e-6:
                        left = [residual(X, t, degree, method[0], c) for c in (coef, theirs)]
                        line += f"   residuals {left[0]:.3g}, {left[1]:.3g}"
                    print(line, flush=True)
    n_small = sum(difference <= 1e-6 for difference in differences)
    print(
        f"ratio: median {statistics.median(ratios):.1f}, least {min(ratios):.1f}; "
        f"difference at most 1e-6 in {n_small} of {len(differences)}"
    )
    noisy(options)


def error(coef, names):
    """Return how far coefficients are from those of Lorenz's equations."""
    truth = np.array([LORENZ.get(name, [0, 0, 0]) for name in names]).T
    return np.abs(coef - truth).max()


def noisy(options):
    """Methods that differ in detail, on a record with noise."""
    X, t = make_lorenz63(
        n_cases=1, n_timepoints=options.timepoints, t_span=(0, 10), noise=0.01, random_state=0
    )
    rows = np.ascontiguousarray(X[0].T)
    smoothed = methods()["smoothed"]
    ensemble = (
        EnsembleOptimizer(STLSQ(), n_models=20, random_state=0),
        lambda: pysindy.EnsembleOptimizer(pysindy.STLSQ(), bagging=True, n_models=20),
    )

    def weak_ours():
        model = SINDyRegressor(differentiation_method=WeakForm()).fit(X, t=t)
        return error(model.coef_, model.get_feature_names())

    def weak_peers():
        np.random.seed(0)  # noqa: NPY002  (pysindy draws its windows from the global generator)
        library = pysindy.WeakPDELibrary(pysindy.PolynomialLibrary(2), spatiotemporal_grid=t, K=100)
        model = pysindy.SINDy(pysindy.STLSQ(), library).fit(rows, t=t)
        names = [
            name.replace("x0x", "x0 x").replace("x1x", "x1 x") for name in model.get_feature_names()
        ]
        return error(model.coefficients(), names)

    def ensemble_ours():
        model = SINDyRegressor(None, smoothed[0], ensemble[0]).fit(X, t=t)
        return error(model.coef_, model.get_feature_names())

    def ensemble_peers():
        np.random.seed(0)  # noqa: NPY002
        model = pysindy.SINDy(ensemble[1](), pysindy.PolynomialLibrary(2), smoothed[1])
        model.fit(rows, t=t)
        return error(model.coefficients(), model.get_feature_names())

    print(f"\n{'Lorenz, noise 1 %':52}{'skdyn':>10}{'pysindy':>10}{'ratio':>8}{'errors':>20}")
    for name, both in {
        "weak form": (weak_ours, weak_peers),
        "ensemble of 20": (ensemble_ours, ensemble_peers),
    }.items():
        (mine_off, other_off), (mine, other) = in_turn(*both, max(3, options.rounds // 5))
        print(
            f"{name:52}{mine:>7.1f} ms{other:>7.1f} ms{other / mine:>8.1f}"
            f"{mine_off:>11.2g} {other_off:>8.2g}"
        )


TABLES = {"sindy": sindy, "recovery": recovery, "prices": prices}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", nargs="?", choices=[*TABLES, "all"], default="all")
    parser.add_argument("--systems", type=int, default=72, help="random ones, for prices")
    parser.add_argument("--seed", type=int, default=0, help="of the random systems")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--timepoints", type=int, default=2000)
    parser.add_argument("--degrees", type=int, nargs="+", default=[2, 3, 5])
    parser.add_argument("--odebench", help="folder of the harness and its systems")
    parser.add_argument("--noise", type=float, nargs="+", default=[0.0, 0.03, 0.05])
    parser.add_argument("--dropped", type=float, nargs="+", default=[0.0, 0.5])
    parser.add_argument("--ids", type=int, nargs="+", help="systems; all by default")
    parser.add_argument(
        "--only", nargs="+", default=[""], help="parts of contestants' or prices' names"
    )
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--out", help="file to which every result is appended as JSON")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    with threadpool_limits(1):
        for table in TABLES if options.table == "all" else [options.table]:
            TABLES[table](options)


if __name__ == "__main__":
    main()
