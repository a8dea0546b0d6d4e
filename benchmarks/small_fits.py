"""What a fit of few rows costs, as a multiple of scikit-learn's MLPRegressor: 200 x 5, 20 epochs.

Every estimator with a training is fitted on 200 rows of 5 numbers, read as what it takes: a table,
series of 5 times, bags of 5 instances, fields of 5 points. All use Adam, 20 epochs and batches of
200, as the MLP does; what else there is has its default. Estimators are fitted in turn, CPU times
of pairs compared, medians printed. ``steps`` is the share of a fit that is gradients and moves of
weights: the rest is validation of input, choices by default and what is learned of new rows.

    python benchmarks/small_fits.py
    python benchmarks/small_fits.py --rounds 5 KANRegressor NeuralODERegressor
    python benchmarks/small_fits.py --defaults KANRegressor NeuralODERegressor  # beside MLP's own
"""

import argparse
import statistics
import time
import warnings
from functools import partial
from unittest import mock

import numpy as np
import torch
from sklearn.neural_network import MLPRegressor

import skdyn
from skdyn.datasets import FieldData
from skdyn.training import LeanNet

X = np.random.default_rng(0).normal(size=(200, 5))
Y = X[:, 0] + X[:, 1] ** 2
LABELS = (Y > 1).astype(int)
BAGS = [row[:, None] for row in X]

DATA = {
    "AdaFNNClassifier": (X, LABELS),
    "AdaFNNRegressor": (X, Y),
    "CodebookTransformer": (X,),
    "Crosscoder": (X,),
    "DeepONetRegressor": (X, Y),
    "FNORegressor": (X, X),
    "HopfieldClassifier": (X, LABELS),
    "HopfieldPoolingClassifier": (BAGS, LABELS),
    "HopfieldPoolingRegressor": (BAGS, Y),
    "HopfieldRegressor": (X, Y),
    "KANClassifier": (X, LABELS),
    "KANRegressor": (X, Y),
    "MgNORegressor": (X, X),
    "NeuralCDEClassifier": (X, LABELS),
    "NeuralCDERegressor": (X, Y),
    "NeuralODE": (X[:, None],),  # series of 5 times
    "NeuralODEClassifier": (X, LABELS),
    "NeuralODERegressor": (X, Y),
    "PointCloudOperatorRegressor": (FieldData.from_grid(X[:, None]), X),
    "SSMClassifier": (X, LABELS),
    "SSMRegressor": (X, Y),
    "SparseAutoencoder": (X,),
    "Transcoder": (X, X),
}
SAME = {"max_iter": 20, "batch_size": 200, "optimizer": "adam", "random_state": 0}


def cpu_seconds(action):
    start = time.process_time()
    action()
    return time.process_time() - start


def fit(name, options):
    if name == "MLPRegressor":
        options = {k: v for k, v in options.items() if k != "optimizer"}
        return MLPRegressor(**options).fit(X, Y)
    return getattr(skdyn, name)(**options).fit(*DATA[name])


def share_in_steps(action):
    """Fit once more with a clock around each step."""
    plain, spent = LeanNet.train_step, []

    def timed(net, batch):
        start = time.process_time()
        loss = plain(net, batch)
        spent.append(time.process_time() - start)
        return loss

    with mock.patch.object(LeanNet, "train_step", timed):
        whole = cpu_seconds(action)
    return sum(spent) / whole, len(spent)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=[*DATA])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--defaults", action="store_true", help="all parameters at their defaults")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    given = {"random_state": 0} if options.defaults else SAME
    mlp = partial(fit, "MLPRegressor", given)
    actions = {name: partial(fit, name, given) for name in options.names}
    pairs = {name: [] for name in actions}
    for action in (mlp, *actions.values()):
        action()
    for _ in range(options.rounds):
        for name, action in actions.items():
            floor = statistics.median(cpu_seconds(mlp) for _ in range(3))
            pairs[name].append((cpu_seconds(action), floor))
    print(f"{'':28}{'x MLP':>7}{'fastest':>9}{'ms':>8}{'steps':>7}{'of fit':>8}")
    for name, found in sorted(pairs.items()):
        middle = statistics.median(cost / floor for cost, floor in found)
        cost, floor = (min(times) for times in zip(*found, strict=True))
        share, n_steps = share_in_steps(actions[name])
        print(
            f"{name:28}{middle:>7.1f}{cost / floor:>9.1f}{1e3 * cost:>8.1f}"
            f"{n_steps:>7}{share:>8.0%}",
            flush=True,
        )


if __name__ == "__main__":
    main()
