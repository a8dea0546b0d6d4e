"""Kolmogorov-Arnold networks beside pykan, dense splines and multilayer perceptrons.

    python benchmarks/kan.py [speed] [accuracy] [tabular]

``speed``: one training step (forward, backward, fused Adam) and one prediction of networks of
widths 10-64-64-1 on batches of 1024, float32, one thread, cubic splines on grids of 5, 20 and 50
intervals. Contestants are run in turn, so that a slow moment of the machine hits all alike;
medians. The perceptron has as many weights as ours, in two hidden layers. ``MB`` is the largest sum
of tensors that a step held at a time beyond what it found. "dense" splines evaluate every function
at every point by the recursion of Cox and de Boor, as most implementations do. Install pykan with
``pip install "skdyn[bench]"``; without it the others are measured.

``accuracy``: test error and CPU seconds on exp(sin(pi x) + y^2) and eight of Feynman's formulas,
1000 samples to learn from and 1000 to test, the same widths (one hidden layer of 5 nodes, 1 for the
first) and grids of 3, 5, 10 and 20 intervals. pykan fits as in its own examples, 50 steps of L-BFGS
a grid, in float64, its better precision; ours by Levenberg-Marquardt, the best of four starts, all
else by default.

``tabular``: five folds with everybody's defaults, and perceptrons that may train to the end. Our
learning rate, alpha, smoothness, width and first weights were chosen on these very data sets, so
the table says that they are reasonable, not how they rank on new data.
"""

import argparse
import contextlib
import gc
import io
import itertools
import statistics
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from skdyn import KANClassifier, KANRegressor
from skdyn.kan._network import KAN

GRIDS = (3, 5, 10, 20)
WIDTHS, BATCH, ORDER = (10, 64, 64, 1), 1024, 3


class DenseSpline(torch.nn.Module):
    """A layer of splines, all functions evaluated everywhere, autograd doing the rest."""

    def __init__(self, n_in, n_out, grid_size):
        super().__init__()
        step = 2 / grid_size
        knots = torch.arange(-ORDER, grid_size + ORDER + 1) * step - 1
        self.register_buffer("knots", knots)
        self.base = torch.nn.Parameter(torch.randn(n_in, n_out) / n_in**0.5)
        size = n_in * (grid_size + ORDER), n_out
        self.weight = torch.nn.Parameter(0.1 * torch.randn(size) / n_in**0.5)

    def forward(self, x):
        t, point = self.knots, x[..., None]
        values = ((point >= t[:-1]) & (point < t[1:])).to(x.dtype)
        for k in range(1, ORDER + 1):
            left = (point - t[: -k - 1]) / (t[k:-1] - t[: -k - 1])
            right = (t[k + 1 :] - point) / (t[k + 1 :] - t[1:-k])
            values = left * values[..., :-1] + right * values[..., 1:]
        return torch.nn.functional.silu(x) @ self.base + values.flatten(1) @ self.weight


def dense_splines(grid_size):
    pairs = itertools.pairwise(WIDTHS)
    return torch.nn.Sequential(*(DenseSpline(*sizes, grid_size) for sizes in pairs))


def ours(grid_size, x=None):
    sizes = tuple((width, 0) for width in WIDTHS)
    module = KAN(sizes, "bspline", grid_size, ORDER, "linear")
    if x is not None:
        module.adapt(x)
    return module


def perceptron(n_weights):
    """Two hidden layers of the width that gives the number of weights."""
    n_in, n_out = WIDTHS[0], WIDTHS[-1]
    linear = n_in + n_out + 2
    width = round(((linear**2 + 4 * (n_weights - n_out)) ** 0.5 - linear) / 2)
    return torch.nn.Sequential(
        torch.nn.Linear(n_in, width), torch.nn.SiLU(),
        torch.nn.Linear(width, width), torch.nn.SiLU(), torch.nn.Linear(width, n_out),
    )  # fmt: skip


def import_pykan():
    # This file bears the name of pykan's package: its folder must not be searched.
    sys.path = [path for path in sys.path if Path(path).resolve() != Path(__file__).parent]
    import kan

    return kan


def pykan(grid_size, fast):
    kan = import_pykan()
    # auto_save would write every state of the model to the working directory.
    module = kan.KAN(width=list(WIDTHS), grid=grid_size, k=ORDER, seed=0, auto_save=False)
    return module.speed() if fast else module


def n_weights(module):
    return sum(weight.numel() for weight in module.parameters() if weight.requires_grad)


def training_step(module, x, y):
    weights = [weight for weight in module.parameters() if weight.requires_grad]
    optimizer = torch.optim.Adam(weights, lr=1e-3, fused=True)

    def step():
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(module(x), y).backward()
        optimizer.step()

    return step


def prediction(module, x):
    def predict():
        with torch.inference_mode():
            module(x)

    return predict


def seconds(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def peak_bytes(run):
    """Follow the tensors that come and go; the most they held together, beyond the start."""
    with torch.profiler.profile(profile_memory=True) as profile:
        run()
    events = profile.profiler.kineto_results.events()
    changes = [(e.start_ns(), e.nbytes()) for e in events if e.name() == "[memory]"]
    return max(itertools.accumulate(change for _, change in sorted(changes)))


def contestants(grid_size, x, with_pykan):
    """Modules by name."""
    mine = ours(grid_size, x)
    found = {
        "skdyn, adapted grid": mine,
        "skdyn, uniform grid": ours(grid_size),
        "perceptron": perceptron(n_weights(mine)),
        "dense splines": dense_splines(grid_size),
    }
    if with_pykan:
        found["pykan, speed()"] = pykan(grid_size, fast=True)
        found["pykan, default"] = pykan(grid_size, fast=False)
    return found


def speed(options):
    """Print one table a grid."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(BATCH, WIDTHS[0], generator=generator)
    y = torch.sin(3 * x[:, :1]) + x[:, 1:2] * x[:, 2:3]
    for grid_size in options.grids:
        modules = contestants(grid_size, x, options.pykan)
        steps = {name: training_step(module, x, y) for name, module in modules.items()}
        predicts = {name: prediction(module, x) for name, module in modules.items()}
        times = {name: ([], []) for name in modules}
        for i in range(options.rounds):
            for name in modules:
                if name == "pykan, default" and i >= options.slow_rounds:
                    continue
                gc.collect()
                for log, run in zip(times[name], (steps[name], predicts[name]), strict=True):
                    run()  # lest one pay for the caches and memory that the one before left
                    log.append(1e3 * seconds(run))
        medians = {name: [statistics.median(log) for log in logs] for name, logs in times.items()}
        mine, mlp = medians["skdyn, adapted grid"], medians["perceptron"]
        print(f"\nG = {grid_size}, k = {ORDER}, widths {WIDTHS}, batch {BATCH}")
        print(f"{'':22}{'weights':>9}{'step ms':>10}{'/ ours':>8}{'/ MLP':>8}"
              f"{'predict ms':>12}{'/ ours':>8}{'MB':>8}")  # fmt: skip
        for name, (step, predict) in medians.items():
            print(f"{name:22}{n_weights(modules[name]):>9}{step:>10.2f}{step / mine[0]:>8.2f}"
                  f"{step / mlp[0]:>8.2f}{predict:>12.2f}{predict / mine[1]:>8.2f}"
                  f"{peak_bytes(steps[name]) / 1e6:>8.1f}", flush=True)  # fmt: skip


# name: formula in the columns of X, range of the columns, columns, hidden nodes
FORMULAS = {
    "exp(sin(pi x) + y^2)": (lambda x, y: np.exp(np.sin(np.pi * x) + y**2), (-1, 1), 2, 1),
    "I.6.20": (lambda t, s: np.exp(-(t**2) / (2 * s**2)) / np.sqrt(2 * np.pi * s**2), (1, 3), 2, 5),
    "I.12.11": (lambda a, t: 1 + a * np.sin(t), (-1, 1), 2, 5),
    "I.16.6": (lambda a, b: (a + b) / (1 + a * b), (-0.9, 0.9), 2, 5),
    "I.18.4": (lambda a, b: (1 + a * b) / (1 + a), (0, 1), 2, 5),
    "I.26.2": (lambda n, t: np.arcsin(n * np.sin(t)), (-0.99, 0.99), 2, 5),
    "I.29.16": (lambda a, s, t: np.sqrt(1 + a**2 - 2 * a * np.cos(s - t)), (-1, 1), 3, 5),
    "I.37.4": (lambda a, d: 1 + a + 2 * np.sqrt(a) * np.cos(d), (0.1, 1), 2, 5),
    "II.6.15a": (lambda a, b, c: c * np.sqrt(a**2 + b**2) / (4 * np.pi), (0.1, 1), 3, 5),
}


def rmse(prediction, y):
    return float(np.sqrt(np.mean((np.ravel(prediction) - y) ** 2)))


def by_pykan(data, hidden, seed):
    """Fit as pykan's own examples do: 50 steps of L-BFGS on each grid, in float64."""
    X, y, X_test, _ = (torch.as_tensor(part) for part in data)
    sets = {"train_input": X, "train_label": y[:, None],
            "test_input": X, "test_label": y[:, None]}  # fmt: skip
    torch.set_default_dtype(torch.float64)
    try:
        # It writes a history of its models somewhere, whatever one asks.
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(None), \
                contextlib.redirect_stderr(io.StringIO()):  # fmt: skip
            model = import_pykan().KAN([X.shape[1], hidden, 1], grid=GRIDS[0], k=ORDER, seed=seed,
                                       ckpt_path=folder)  # fmt: skip
            for grid_size in GRIDS:
                model = model if grid_size == GRIDS[0] else model.refine(grid_size)
                model.fit(sets, opt="LBFGS", steps=50)
        return model(X_test).detach().numpy()
    finally:
        torch.set_default_dtype(torch.float32)


def by_skdyn(data, hidden, seed):
    X, y, X_test, _ = data
    model = KANRegressor((hidden,), optimizer="lm", grid_sizes=GRIDS, n_init=4, random_state=seed)
    return model.fit(X, y).predict(X_test)


def accuracy(options):
    """Test error and CPU seconds on exact formulas, 1000 samples to learn and 1000 to test."""
    contestants = {"skdyn": by_skdyn} | ({"pykan": by_pykan} if options.pykan else {})
    print(f"\ntest RMSE (CPU s), grids {GRIDS}, median of {options.seeds} seeds [of each seed]")
    ratios = []
    for name, (function, (low, high), n_columns, hidden) in FORMULAS.items():
        errors, costs = ({who: [] for who in contestants} for _ in range(2))
        for seed in range(options.seeds):
            X, X_test = np.random.default_rng(seed).uniform(low, high, (2, 1000, n_columns))
            data = X, function(*X.T), X_test, function(*X_test.T)
            for who, fit in contestants.items():
                start = time.process_time()
                try:
                    errors[who].append(rmse(fit(data, hidden, seed), data[3]))
                except Exception as error:  # a peer's crash is a result too
                    errors[who].append(float("nan"))
                    print(f"  {who} failed on {name}, seed {seed}: {error!r}"[:100])
                costs[who].append(time.process_time() - start)
        middle = {who: statistics.median(sorted(log, key=lambda e: (e != e, e)))
                  for who, log in errors.items()}  # fmt: skip
        cells = [
            f"{who} {middle[who]:.1e} ({statistics.median(costs[who]):.1f}) "
            f"[{' '.join(f'{error:.0e}' for error in errors[who])}]"
            for who in contestants
        ]
        if options.pykan:
            ratios.append(middle["pykan"] / middle["skdyn"])
            cells.append(f"{ratios[-1]:.1f} times lower")
        print(f"{name:22}" + "   ".join(cells), flush=True)
    if ratios:
        print(f"median over the formulas: {statistics.median(ratios):.1f} times lower")


def tabular(options):
    """Mean score of five folds (R2, accuracy) and seconds, with everybody's defaults."""

    def scaled(model):
        return make_pipeline(StandardScaler(), model)

    models = {
        "KAN": (KANRegressor(random_state=0), KANClassifier(random_state=0)),
        "MLP": (scaled(MLPRegressor(random_state=0)), scaled(MLPClassifier(random_state=0))),
        "MLP, max_iter=1000": (scaled(MLPRegressor(max_iter=1000, random_state=0)),
                               scaled(MLPClassifier(max_iter=1000, random_state=0))),
        "SVC / SVR": (scaled(SVR()), scaled(SVC())),
        "HistGradientBoosting": (HistGradientBoostingRegressor(random_state=0),
                                 HistGradientBoostingClassifier(random_state=0)),
    }  # fmt: skip
    loaders = [load_diabetes, load_wine, load_breast_cancer, load_digits]
    names = [load.__name__.removeprefix("load_") for load in loaders]
    print(f"\n{'':22}" + "".join(f"{name:>22}" for name in names) + f"{'mean':>9}")
    for name, (regressor, classifier) in models.items():
        cells, scores = "", []
        for load in loaders:
            X, y = load(return_X_y=True)
            folds = KFold if load is load_diabetes else StratifiedKFold
            folds = folds(5, shuffle=True, random_state=0)
            start = time.perf_counter()
            model = regressor if load is load_diabetes else classifier
            scores.append(cross_val_score(model, X, y, cv=folds).mean())
            cells += f"{scores[-1]:>13.3f} ({time.perf_counter() - start:>4.1f} s)"
        print(f"{name:22}{cells}{statistics.mean(scores):>9.3f}", flush=True)


TABLES = {"speed": speed, "accuracy": accuracy, "tabular": tabular}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", nargs="*", choices=TABLES, default=list(TABLES))
    parser.add_argument("--rounds", type=int, default=30, help="of the speed table")
    parser.add_argument("--slow-rounds", type=int, default=3, help="of pykan's default mode")
    parser.add_argument("--grids", type=int, nargs="+", default=[5, 20, 50])
    parser.add_argument("--seeds", type=int, default=3, help="of the accuracy table")
    parser.add_argument("--no-pykan", dest="pykan", action="store_false")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    for table in options.table:
        TABLES[table](options)


if __name__ == "__main__":
    main()
