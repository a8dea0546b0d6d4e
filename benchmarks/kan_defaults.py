"""KANRegressor() and KANClassifier() as they come, beside peers as they come, on both piles.

Formulas: error as a part of the spread, 1000 points, clean and with 5 % noise. Tables: R2 or
accuracy, mean over seeds. Times are CPU seconds of fit on one thread.
"""

import argparse
import statistics
import time
import warnings

import numpy as np
import torch
from kan_piles import FORMULAS, TABLES, formula_data, is_classification, table_data
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.linear_model import LogisticRegressionCV, RidgeCV
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from skdyn import KANClassifier, KANRegressor

PENALTIES = np.logspace(-3, 3, 13)


def scaled(model):
    return make_pipeline(StandardScaler(), model)


def both_scaled(model):
    return TransformedTargetRegressor(scaled(model), transformer=StandardScaler())


def gaussian_process(X):
    kernel = ConstantKernel() * RBF(np.ones(X.shape[1])) + WhiteKernel(1e-3, (1e-12, 1e1))
    return both_scaled(GaussianProcessRegressor(kernel, alpha=1e-12, random_state=0))


def ridged_mlp(X):
    model = MLPRegressor(hidden_layer_sizes=(64, 64), solver="lbfgs", max_iter=500, random_state=0)
    return both_scaled(GridSearchCV(model, {"alpha": [0.01, 0.1, 1.0, 10.0]}, cv=3))


# name: model for the data X
FORMULA_CONTESTANTS = {
    "KAN": lambda X: KANRegressor(random_state=0),
    "KAN adam": lambda X: KANRegressor(optimizer="adam", random_state=0),
    "MLP lbfgs": lambda X: both_scaled(
        MLPRegressor(hidden_layer_sizes=(64, 64), solver="lbfgs", random_state=0)
    ),
    "MLP ridge": ridged_mlp,
    "GP": gaussian_process,
}

# name: regressor, classifier
TABLE_CONTESTANTS = {
    "KAN": (KANRegressor(random_state=0), KANClassifier(random_state=0)),
    "KAN adam": (
        KANRegressor(optimizer="adam", random_state=0),
        KANClassifier(optimizer="adam", random_state=0),
    ),
    "HGB": (HistGradientBoostingRegressor(random_state=0),
            HistGradientBoostingClassifier(random_state=0)),
    "SVM": (both_scaled(SVR()), scaled(SVC())),
    "MLP": (both_scaled(MLPRegressor(random_state=0)), scaled(MLPClassifier(random_state=0))),
    "linear": (scaled(RidgeCV(PENALTIES)), scaled(LogisticRegressionCV(
        use_legacy_attributes=False, l1_ratios=(0,)))),
    "forest": (RandomForestRegressor(random_state=0), RandomForestClassifier(random_state=0)),
    "GP": (
        both_scaled(GaussianProcessRegressor(
            ConstantKernel() * RBF() + WhiteKernel(1e-1, (1e-9, 1e1)), random_state=0)),
        None,
    ),
    "neighbors": (both_scaled(KNeighborsRegressor()), scaled(KNeighborsClassifier())),
}  # fmt: skip


def run(model, data, score):
    """Return a score, the CPU seconds of the fit, and whether it warned of no convergence."""
    X, y, X_test, y_test = data
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        start = time.process_time()
        model.fit(X, y)
        cost = time.process_time() - start
        value = score(model, X_test, y_test)
    return value, cost, any(issubclass(one.category, ConvergenceWarning) for one in told)


def relative_error(model, X, y):
    return float(np.sqrt(np.mean((np.ravel(model.predict(X)) - y) ** 2)) / y.std())


def asked_for(contestants, options):
    return {who: made for who, made in contestants.items()
            if options.who is None or who in options.who}  # fmt: skip


def header(first, names, width):
    print(f"\n{first:26}" + "".join(f"{name:>{width}}" for name in names), flush=True)


def formulas(pile, options, contestants=None):
    """Print errors of each formula, and their medians."""
    contestants = asked_for(FORMULA_CONTESTANTS if contestants is None else contestants, options)
    for noise in options.noise:
        header(f"{pile}, noise {noise:.0%}", contestants, 19)
        found = {who: [] for who in contestants}
        names = [n for n in FORMULAS[pile] if options.only is None or n in options.only]
        for name in names:
            cells = ""
            for who, make in contestants.items():
                runs = []
                for seed in range(options.formula_seeds):
                    data = formula_data(pile, name, noise, seed)
                    runs.append(run(make(data[0]), data, relative_error))
                error, cost = (statistics.median(part) for part in list(zip(*runs))[:2])
                found[who].append((error, cost))
                cells += f"{error:>9.1e} ({cost:>5.1f} s)" + "!" * any(r[2] for r in runs)
                cells += " " * (not any(r[2] for r in runs))
            print(f"{name:26}{cells}", flush=True)
        cells = ""
        for log in found.values():
            error, cost = (statistics.median(part) for part in zip(*log))
            cells += f"{error:>9.1e} ({cost:>5.1f} s) "
        print(f"{'median':26}{cells}", flush=True)
    return found


def tables(pile, options, contestants=None):
    """Print scores of each table, and their means."""
    contestants = asked_for(TABLE_CONTESTANTS if contestants is None else contestants, options)
    header(f"{pile} tables", contestants, 17)
    found = {who: [] for who in contestants}
    for name in [n for n in TABLES[pile] if options.only is None or n in options.only]:
        cells = ""
        for who, pair in contestants.items():
            runs = []
            for seed in range(options.seeds):
                data = table_data(pile, name, seed)
                model = pair[is_classification(data[1])]
                if model is not None:
                    runs.append(run(model, data, lambda model, X, y: model.score(X, y)))
            if not runs:
                cells += 17 * " "
                continue
            score, cost, told = (statistics.mean(part) for part in zip(*runs))
            found[who].append((score, cost))
            cells += f"{score:>7.3f} ({cost:>4.1f} s)" + ("! " if told else "  ")
        print(f"{name:26}{cells}", flush=True)
    cells = ""
    for log in found.values():
        score, cost = (statistics.mean(part) for part in zip(*log))
        cells += f"{score:>7.3f} ({cost:>4.1f} s)  "
    print(f"{'mean':26}{cells}", flush=True)
    return found


KINDS = {"formulas": formulas, "tables": tables}


def make_parser():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", nargs="*", choices=[*KINDS, []], default=[])
    parser.add_argument("--pile", nargs="+", choices=list(TABLES), default=["development"])
    parser.add_argument("--seeds", type=int, default=2, help="of each table")
    parser.add_argument("--formula-seeds", type=int, default=1, help="of each formula")
    parser.add_argument("--noise", type=float, nargs="+", default=[0.0, 0.05])
    parser.add_argument("--only", nargs="+", help="names of formulas and tables")
    parser.add_argument("--who", nargs="+", help="names of contestants")
    return parser


def main():
    options = make_parser().parse_args()
    torch.set_num_threads(1)
    for pile in options.pile:
        for kind in options.kind or KINDS:
            KINDS[kind](pile, options)


if __name__ == "__main__":
    main()
