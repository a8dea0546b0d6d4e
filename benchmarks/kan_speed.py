"""What fits of KANs cost: CPU time as multiples of that of scikit-learn's MLPRegressor.

Contestants are run in turn on one thread; medians of CPU times are compared.

    python benchmarks/kan_speed.py [large] [small] [formulas] [memory] [warnings]

``large``: an epoch of Adam at 90000 x 30, beside an MLP with as many weights and the same batch,
and the test error of both. ``small``: 20 epochs at 200 x 5. ``formulas``: default fits of 1000
rows, beside an MLP of (64, 64) with L-BFGS. ``memory``: what a fit of 100000 x 30 adds to a fresh
process, as multiples of the data. ``warnings``: default fits that tell of no convergence.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import time
import warnings

import numpy as np
import torch
from kan_piles import FORMULAS, TABLES, formula_data, is_classification, table_data
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdyn import KANClassifier, KANRegressor

LOADERS = (load_diabetes, load_iris, load_wine, load_breast_cancer, load_digits)


def cpu_seconds(action):
    start = time.process_time()
    action()
    return time.process_time() - start


def medians(contestants, rounds):
    """Return the median CPU time of each action, run in turn."""
    times = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, action in contestants.items():
            times[name].append(cpu_seconds(action))
    return {name: statistics.median(log) for name, log in times.items()}


def large_data(n_rows):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, 30))
    y = np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2] + np.abs(X[:, 3]) + 0.3 * X[:, 4:10].sum(axis=1)
    return X, y + 0.1 * rng.normal(size=n_rows)


def large(options):
    """Epochs as the difference of a longer and a shorter fit; then whole fits."""
    X, y = large_data(90000)
    X_test, y_test = large_data(100000)
    X_test, y_test = X_test[90000:], y_test[90000:]
    few, many = 1, 11
    for batch in ("auto", 200):
        given = {} if batch == "auto" else {"optimizer": "adam", "batch_size": batch}
        first = KANRegressor(max_iter=1, random_state=0, **given).fit(X, y)
        n_weights = sum(weight.numel() for weight in first.module_.parameters())
        size = first._settings().batch_size_for(len(X))
        made = {
            "KAN": lambda n, given=given: KANRegressor(max_iter=n, random_state=0, **given),
            "MLP": lambda n, size=size, n_weights=n_weights: MLPRegressor(
                hidden_layer_sizes=(round((n_weights - 1) / 32),), batch_size=size, max_iter=n,
                tol=0.0, n_iter_no_change=n, random_state=0,
            ),
        }  # fmt: skip
        models = {name: {n: make(n) for n in (few, many)} for name, make in made.items()}
        actions = {(name, n): lambda model=model: model.fit(X, y)
                   for name, pair in models.items() for n, model in pair.items()}  # fmt: skip
        found = medians(actions, options.rounds)
        epoch = {name: (found[name, many] - found[name, few]) / (many - few) for name in made}
        whole = {name: found[name, many] for name in made}
        error = {name: np.sqrt(np.mean((pair[many].predict(X_test) - y_test) ** 2)) / y_test.std()
                 for name, pair in models.items()}  # fmt: skip
        ratios = [found_of["KAN"] / found_of["MLP"] for found_of in (epoch, whole)]
        print(
            f"\n90000 x 30, {n_weights} weights, batches of {size}: "
            f"{epoch['KAN']:.2f} s an epoch, {ratios[0]:.1f} x MLP's; "
            f"{many} epochs in all {ratios[1]:.1f} x"
        )
        print("test error, part of the spread: "
              + ", ".join(f"{name} {error[name]:.3f}" for name in made), flush=True)  # fmt: skip


def small(options):
    """20 epochs of few rows: what is not arithmetic."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 5))
    y = X[:, 0] + X[:, 1] ** 2
    models = {
        "MLP": MLPRegressor(max_iter=20, random_state=0),
        "KAN, adam": KANRegressor(optimizer="adam", max_iter=20, random_state=0),
        "KAN": KANRegressor(max_iter=20, random_state=0),
    }
    actions = {name: lambda model=model: model.fit(X, y) for name, model in models.items()}
    medians(actions, 1)
    found = medians(actions, 3 * options.rounds)
    print("\n200 x 5, 20 epochs: " + ", ".join(
        f"{name} {1e3 * cost:.0f} ms ({cost / found['MLP']:.1f} x)" for name, cost in found.items()
    ), flush=True)  # fmt: skip


def relative_error(model, X, y):
    return float(np.sqrt(np.mean((np.ravel(model.predict(X)) - y) ** 2)) / y.std())


def formulas(options):
    """Default fits: times and errors, and their medians."""
    names = [*FORMULAS[options.pile]][:: options.every]
    for noise in (0.0, 0.05):
        print(f"\n{options.pile} formulas, 1000 rows, noise {noise:.0%}: error, CPU seconds, x MLP")
        ratios, errors = [], []
        for name in names:
            X, y, X_test, y_test = formula_data(options.pile, name, noise, 0)
            mlp = MLPRegressor(hidden_layer_sizes=(64, 64), solver="lbfgs", random_state=0)
            mlp = make_pipeline(StandardScaler(), mlp)
            models = {
                "MLP": TransformedTargetRegressor(mlp, transformer=StandardScaler()),
                "KAN": KANRegressor(random_state=0),
            }
            actions = {who: lambda m=model, X=X, y=y: m.fit(X, y) for who, model in models.items()}
            found = medians(actions, options.rounds)
            error = [relative_error(model, X_test, y_test) for model in models.values()]
            ratios.append(found["KAN"] / found["MLP"])
            errors.append(error[1])
            print(f"{name:26}{error[1]:>9.1e} ({error[0]:.1e}){found['KAN']:>7.2f}"
                  f"{ratios[-1]:>6.1f}", flush=True)  # fmt: skip
        print(f"{'median':26}{statistics.median(errors):>9.1e}{statistics.median(ratios):>24.1f}")


def memory(options):
    """The peak of a fresh process, with and without the fit."""
    command = [sys.executable, __file__, "--process"]
    peaks = [int(subprocess.check_output([*command, what], text=True)) for what in ("data", "fit")]
    size = 100000 * 30 * 8
    print(f"\n100000 x 30: a fit adds {(peaks[1] - peaks[0]) / size:.1f} x the data to the peak")


def in_a_process(what):
    """Print the peak of the resident memory, after a small fit has loaded all that it needs."""
    torch.set_num_threads(1)
    X, y = large_data(100000)
    KANRegressor(optimizer="adam", max_iter=1).fit(X[:500], y[:500])
    if what == "fit":
        KANRegressor(max_iter=6, random_state=0).fit(X, y)
    print(1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def told(model, X, y):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y)
    return [str(one.message) for one in caught if issubclass(one.category, ConvergenceWarning)]


def warned(options):
    """Toy data sets, and the tables and clean formulas of a pile."""
    data = {load.__name__: load(return_X_y=True) for load in LOADERS}
    data |= {name: table_data(options.pile, name, 0)[:2] for name in TABLES[options.pile]}
    data |= {name: formula_data(options.pile, name, 0.0, 0)[:2] for name in FORMULAS[options.pile]}
    print()
    n_told, names = 0, [*data][:: options.every]
    for name in names:
        X, y = data[name]
        classifies = name not in FORMULAS[options.pile] and is_classification(y)
        model = (KANClassifier if classifies else KANRegressor)(random_state=0)
        messages = told(model, X, y)
        n_told += bool(messages)
        for message in messages:
            print(f"{name} ({model.optimizer_}): {message}", flush=True)
    print(f"{n_told} of {len(names)} default fits tell of no convergence")


PARTS = {"large": large, "small": small, "formulas": formulas, "memory": memory,
         "warnings": warned}  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", default=list(PARTS), help=", ".join(PARTS))
    parser.add_argument("--pile", choices=list(FORMULAS), default="development")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--every", type=int, default=1, help="which of the formulas and tables")
    parser.add_argument("--process", choices=["data", "fit"], help="what a process begun here does")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    if options.process:
        in_a_process(options.process)
        return
    for part in options.parts:
        PARTS[part](options)


if __name__ == "__main__":
    main()
