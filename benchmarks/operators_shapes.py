"""The operator on clouds of points beside trees on features of a point: errors and CPU time.

    python benchmarks/operators_shapes.py [--shapes N] [--data SEED] [--epochs N] [--gino N ...]

Poisson's equation on random star-shaped domains of some 150 points, learned from 240 of them and
asked of 60 others; "error" is the mean relative L2 error of a shape, "CPU" the processor time of
the fit on one thread, descriptions of points included. The trees see, of each point, where it is,
how far from the edge, the source there, the nearest and the mean value of the edge, the integral
of the source, and sums of source and edge values with the free-space Green function. A second row
gives them the very features that the operator begins with. neuraloperator's GINO (``pip install
neuraloperator``) has a latent grid of 16 x 16 and takes one shape a step.
"""

import argparse
import contextlib
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


class GINO:
    """neuraloperator's, given source, edge value and whether a point lies on the edge."""

    def __init__(self, epochs, seed):
        from neuralop.models import GINO as Network

        torch.manual_seed(seed)
        self.epochs = epochs
        with contextlib.redirect_stdout(None):  # it says that points have two coordinates
            self.network = Network(
                in_channels=3, out_channels=1, gno_coord_dim=2, in_gno_radius=0.15,
                out_gno_radius=0.15, fno_in_channels=3, fno_n_modes=(8, 8),
                fno_hidden_channels=32, gno_use_open3d=False, gno_use_torch_scatter=False,
                out_gno_channel_mlp_hidden_layers=[64, 32],
            )  # fmt: skip
        axis = torch.linspace(0, 1, 16)
        self.latent = torch.stack(torch.meshgrid(axis, axis, indexing="ij"), -1)[None]

    def _answer(self, case):
        inputs = np.column_stack([(case.values - self.offset) / self.scale, case.edge])
        points = torch.as_tensor((case.coords - self.low) / self.width, dtype=torch.float32)[None]
        inputs = torch.as_tensor(inputs, dtype=torch.float32)[None]
        return self.network(points, self.latent, points[0], x=inputs).reshape(-1)

    def fit(self, X, y):
        self.low = X.coords.min(axis=0)
        self.width = (X.coords.max(axis=0) - self.low).max()
        self.offset, self.scale = X.values.mean(axis=0), X.values.std(axis=0)
        self.of_answers = y.values.mean(), y.values.std()
        optimizer = torch.optim.AdamW(self.network.parameters(), lr=2e-3, weight_decay=1e-4)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, self.epochs * len(X))
        mean, std = self.of_answers
        for _ in range(self.epochs):
            for row in torch.randperm(len(X)).tolist():
                optimizer.zero_grad()
                truth = torch.as_tensor(y[row].values[:, 0], dtype=torch.float32)
                off = self._answer(X[row]) * std + mean - truth
                (off.norm() / truth.norm()).backward()
                optimizer.step()
                schedule.step()

    @torch.no_grad()
    def predict(self, X):
        mean, std = self.of_answers
        return X.with_values(np.concatenate([self._answer(case) * std + mean for case in X]))


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


def compare_on_shapes(n_shapes=240, data=0, epochs=None, gino_epochs=(1, 10)):
    """Print the error and the processor time of each model."""
    X, y = make_poisson_shapes(n_shapes + N_NEW, random_state=data)
    ours = PointCloudOperatorRegressor(random_state=0)
    models = {
        "mean of the edge": EdgeMean(),
        "trees, Green sums": Trees(green_features),
        "trees, our features": Trees(our_features),
        "PointCloudOperator": ours.set_params(max_iter=epochs or ours.max_iter),
    }
    try:
        models |= {f"GINO, {n} epochs": GINO(n, 0) for n in gino_epochs}
    except ImportError:
        print("neuraloperator's GINO: not installed")
    torch.set_num_threads(1)
    print(f"\nshapes: {n_shapes} to learn from, {N_NEW} to test, data of seed {data}")
    with threadpool_limits(1):
        for name, model in models.items():
            start = time.process_time()
            model.fit(X[:-N_NEW], y[:-N_NEW])
            seconds = time.process_time() - start
            error = relative_error(y[-N_NEW:], model.predict(X[-N_NEW:]))
            print(f"{name:20s} error {error:.4f}  CPU {seconds:6.1f} s", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shapes", type=int, default=240)
    parser.add_argument("--data", type=int, default=0)
    parser.add_argument("--epochs", type=int, help="of the operator, instead of its own")
    parser.add_argument("--gino", type=int, nargs="*", default=[1, 10], metavar="EPOCHS")
    options = parser.parse_args()
    compare_on_shapes(options.shapes, options.data, options.epochs, options.gino)


if __name__ == "__main__":
    main()
