"""What small things cost: a fit of 200 x 5, one row of a prediction, the first fit of a process.

Each estimator with its defaults and 20 epochs, beside scikit-learn's MLPRegressor; contestants are
run in turn and medians are printed. The first fit runs in processes of their own: what it takes
beyond the second one there is what it imports and prepares.

    python benchmarks/latency.py
    python benchmarks/latency.py --rounds 3 KANRegressor FNORegressor
"""

import argparse
import statistics
import subprocess
import sys
import time
import warnings

import numpy as np
import torch
from sklearn.neural_network import MLPRegressor

import skdyn

NAMES = ["HopfieldRegressor", "KANRegressor", "NeuralODERegressor", "DeepONetRegressor",
         "FNORegressor"]  # fmt: skip
ROWS = 20  # predictions of one row a round


def make_data():
    X = np.random.default_rng(0).normal(size=(200, 5))
    return X, X[:, 0] + X[:, 1] ** 2


def make_model(name):
    cls = MLPRegressor if name == "MLPRegressor" else getattr(skdyn, name)
    return cls(max_iter=20, random_state=0)


def seconds(action):
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def first_and_second_fit(name):
    """Print, in a new process, how long the first and the second fit take."""
    X, y = make_data()
    print(*(seconds(lambda: make_model(name).fit(X, y)) for _ in range(2)))


def extra_of_the_first(name):
    command = [sys.executable, __file__, "--process", name]
    first, second = map(float, subprocess.check_output(command, text=True).split())
    return first - second


def measure(names, rounds):
    X, y = make_data()
    times = {name: {"fit": [], "float64": [], "float32": [], "first": []} for name in names}
    for name in names:
        make_model(name).fit(X, y)
    for _ in range(rounds):
        for name, found in times.items():
            model = make_model(name)
            found["fit"].append(seconds(lambda model=model: model.fit(X, y)))
            for _ in range(ROWS):
                for dtype in ("float64", "float32"):
                    row = X[:1].astype(dtype)
                    found[dtype].append(seconds(lambda m=model, row=row: m.predict(row)))
            found["first"].append(extra_of_the_first(name))
    return {name: {k: statistics.median(v) for k, v in f.items()} for name, f in times.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--process", help="one estimator: the mode of the processes started here")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    if options.process:
        first_and_second_fit(options.process)
        return
    found = measure(["MLPRegressor", *options.names], options.rounds)
    floor = found["MLPRegressor"]["fit"]
    print(
        f"{'':22}{'fit, ms':>9}{'x MLP':>7}{'row f64, ms':>13}{'f32, ms':>9}{'first fit, + s':>16}"
    )
    for name, one in found.items():
        print(
            f"{name:22}{1e3 * one['fit']:>9.1f}{one['fit'] / floor:>7.1f}"
            f"{1e3 * one['float64']:>13.2f}{1e3 * one['float32']:>9.2f}{one['first']:>16.2f}"
        )


if __name__ == "__main__":
    main()
