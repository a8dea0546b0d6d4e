"""The operator on clouds of points beside trees on features of a point: errors and CPU time.

    python benchmarks/operators_shapes.py [--shapes N] [--data SEED] [--epochs N]

Poisson's equation on random star-shaped domains of some 150 points, learned from 240 of them and
asked of 60 others; "error" is the mean relative L2 error of a shape, "CPU" the processor time of
the fit on one thread, descriptions of points included. The trees see, of each point, where it is,
how far from the edge, the source there, the nearest and the mean value of the edge, the integral
of the source, and sums of source and edge values with the free-space Green function. A second row
gives them the very features that the operator begins with.
"""

import argparse
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy starts its threads

import numpy as np
import torch
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from skdyn import PointCloudOperatorRegressor
from skdyn.datasets import make_poisson_shapes
from skdyn.operators._cloud_features import cloud_features, learn_cloud_scales

N_NEW = 60


def green_features(X):
    """What a person who knows the equation would tell trees of a point."""
    found = []
    for case in X:
        source, at_edge = case.values[:, 0], case.values[case.edge, 1]
        to_edge = np.linalg.norm(case.coords[:, None] - case.coords[case.edge], axis=2)
        apart = np.linalg.norm(case.coords[:, None] - case.coords, axis=2)
        np.fill_diagonal(apart, 0.05)
        columns = [
            case.coords, to_edge.min(axis=1), source, at_edge[to_edge.argmin(axis=1)],
            -np.log(apart) @ (case.weights * source), -np.log(to_edge + 0.02) @ at_edge,
        ]  # fmt: skip
        whole = at_edge.mean(), case.weights @ source, case.weights.sum(), len(at_edge)
        columns += [np.full(len(source), number) for number in whole]
        found.append(np.column_stack(columns))
    return np.concatenate(found)


def our_features(X):
    """What our network begins with."""
    return cloud_features(X, learn_cloud_scales(X, np.ones(len(X))))


class Trees:
    """Gradient boosting on features of a point."""

    def __init__(self, describe):
        self.describe = describe

    def fit(self, X, y):
        self.trees = HistGradientBoostingRegressor(max_iter=300, random_state=0)
        self.trees.fit(self.describe(X), y.values[:, 0])

    def predict(self, X):
        return X.with_values(self.trees.predict(self.describe(X)))


class EdgeMean:
    """The mean value of the edge everywhere."""

    def fit(self, X, y):
        return self

    def predict(self, X):
        means = [case.values[case.edge, 1].mean() for case in X]
        return X.with_values(np.repeat(means, X.sizes))


def relative_error(y, predicted):
    pairs = zip(y.split(y.values), y.split(predicted.values), strict=True)
    return np.mean([np.linalg.norm(u - v) / np.linalg.norm(u) for u, v in pairs])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shapes", type=int, default=240)
    parser.add_argument("--data", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=PointCloudOperatorRegressor().max_iter)
    options = parser.parse_args()
    X, y = make_poisson_shapes(options.shapes + N_NEW, random_state=options.data)
    models = {
        "mean of the edge": EdgeMean(),
        "trees, Green sums": Trees(green_features),
        "trees, our features": Trees(our_features),
        "PointCloudOperator": PointCloudOperatorRegressor(
            max_iter=options.epochs, random_state=0
        ),
    }  # fmt: skip
    torch.set_num_threads(1)
    print(f"{options.shapes} shapes, seed {options.data}")
    with threadpool_limits(1):
        for name, model in models.items():
            start = time.process_time()
            model.fit(X[:-N_NEW], y[:-N_NEW])
            seconds = time.process_time() - start
            error = relative_error(y[-N_NEW:], model.predict(X[-N_NEW:]))
            print(f"{name:20s} error {error:.4f}  CPU {seconds:6.1f} s", flush=True)


if __name__ == "__main__":
    main()
