"""How well KANs know what they do not know, on a pile for choices and on one looked at once.

Regression: share of new rows inside 95 % intervals, and minus the mean log-density of new rows, of
``KANRegressor().predict(X, return_std=True)``, a Gaussian process with a length for each column and
Bayesian ridge, all by default. Classification: log-loss of ``KANClassifier()`` beside logistic
regression, a calibrated SVC, a forest and class frequencies.

Run: ``python benchmarks/kan_uncertainty.py [development|second]``
"""

import sys
import warnings
from functools import partial

import numpy as np
from sklearn import datasets
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.linear_model import BayesianRidge, LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skdyn import KANClassifier, KANRegressor

SEEDS = range(3)


def function(name, n_columns, low, high, noise, n=300):
    """Return rows of a function with noise."""

    def draw(seed):
        rng = np.random.default_rng(seed)
        X = rng.uniform(low, high, (n + 1000, n_columns))
        y = name(X)
        return X, y + noise * y.std() * rng.normal(size=len(y)), n

    return draw


def generated(maker, n, **arguments):
    """Return rows of one of scikit-learn's generators."""

    def draw(seed):
        return *maker(n_samples=n + 1000, random_state=seed, **arguments), n

    return draw


def table(loader, n):
    """Return a bundled table in an order that the seed sets."""

    def draw(seed):
        X, y = loader(return_X_y=True)
        rows = np.random.default_rng(seed).permutation(len(X))
        return X[rows], y[rows], n

    return draw


REGRESSION = {
    "development": {
        "sinc": function(lambda X: np.sinc(X[:, 0] / np.pi), 1, -8, 8, 0.3, n=150),
        "friedman1 200": generated(datasets.make_friedman1, 200, noise=1.0),
        "friedman1 500": generated(datasets.make_friedman1, 500, noise=1.0),
        "diabetes": table(datasets.load_diabetes, 260),
        "linear 50 columns": generated(
            datasets.make_regression, 240, n_features=50, n_informative=10, noise=20.0
        ),
        "linear 200 columns": generated(
            datasets.make_regression, 333, n_features=200, n_informative=10, noise=20.0
        ),
        "noise": function(
            lambda X: np.random.default_rng(len(X)).normal(size=len(X)), 20, -1, 1, 1
        ),
    },
    "second": {
        "ripple": function(lambda X: np.exp(-(X[:, 0] ** 2)) * np.cos(5 * X[:, 0]), 1, -2, 2, 0.3),
        "two columns": function(
            lambda X: np.sin(3 * X[:, 0]) * X[:, 1] + X[:, 1] ** 2, 2, -1, 1, 0.3
        ),
        "friedman2": generated(datasets.make_friedman2, 300, noise=100.0),
        "friedman3": generated(datasets.make_friedman3, 300, noise=0.1),
        "five of 30 columns": function(
            lambda X: X[:, 0] * X[:, 1] + np.abs(X[:, 2]) + X[:, 3] - X[:, 4] ** 3, 30, -1, 1, 0.3
        ),
        "sparse": generated(datasets.make_sparse_uncorrelated, 200, n_features=40),
    },
}
CLASSES = {
    "development": {
        "cancer": table(datasets.load_breast_cancer, 190),
        "wine": table(datasets.load_wine, 60),
        "iris": table(datasets.load_iris, 50),
        "20 columns": generated(
            datasets.make_classification, 200, n_features=20, n_informative=5, flip_y=0.1
        ),
        "moons": generated(datasets.make_moons, 140, noise=0.3),
        "hastie": generated(datasets.make_hastie_10_2, 300),
        "noise": generated(
            datasets.make_classification,
            100,
            n_features=60,
            n_informative=2,
            n_redundant=0,
            flip_y=1.0,
        ),
    },
    "second": {
        "digits 0 to 4": table(partial(datasets.load_digits, n_class=5), 300),
        "circles": generated(datasets.make_circles, 200, noise=0.2, factor=0.5),
        "quantiles": generated(datasets.make_gaussian_quantiles, 300, n_features=8, n_classes=4),
        "12 columns, 4 classes": generated(
            datasets.make_classification,
            400,
            n_features=12,
            n_informative=8,
            n_classes=4,
            flip_y=0.05,
        ),
        "150 columns": generated(
            datasets.make_classification, 200, n_features=150, n_informative=6, flip_y=0.05
        ),
        "blobs": generated(datasets.make_blobs, 150, centers=4, n_features=3, cluster_std=4.0),
    },
}


def gaussian_process(n_columns):
    """Return the peer that is best at this."""
    kernel = ConstantKernel() * RBF(np.ones(n_columns)) + WhiteKernel()
    return GaussianProcessRegressor(kernel, normalize_y=True, random_state=0)


def told_of(mean, std, y):
    """Return the share inside 95 % intervals, and minus the mean log-density."""
    z = (y - mean) / std
    return np.mean(np.abs(z) < 1.96), np.mean(0.5 * z**2 + np.log(std) + 0.5 * np.log(2 * np.pi))


def regress(pile):
    """Print a row a task: coverage and log-density."""
    print(f"{pile:24s}{'KAN':>16s}{'GP':>16s}{'Bayesian ridge':>18s}")
    for name, draw in REGRESSION[pile].items():
        rows = []
        for seed in SEEDS:
            X, y, n = draw(seed)
            found = []
            for model in (
                KANRegressor(random_state=seed),
                gaussian_process(X.shape[1]),
                BayesianRidge(),
            ):
                model = make_pipeline(StandardScaler(), model).fit(X[:n], y[:n])
                found += told_of(*model.predict(X[n:], return_std=True), y[n:])
            rows.append(found)
        means = np.mean(rows, axis=0)
        told = [f"{share:9.3f}{loss:8.3f}" for share, loss in means.reshape(3, 2)]
        print(f"{name:24s}" + "".join(told), flush=True)


def classify(pile):
    """Print a row a task: log-losses."""
    names = "KAN", "logistic", "SVC", "forest", "frequencies"
    print(f"{pile:24s}" + "".join(f"{name:>12s}" for name in names))
    everything = []
    for name, draw in CLASSES[pile].items():
        rows = []
        for seed in SEEDS:
            X, y, n = draw(seed)
            X, new, y, labels = train_test_split(X, y, train_size=n, stratify=y, random_state=seed)
            shares = [np.tile(np.unique(y, return_counts=True)[1] / n, (len(new), 1))]
            for model in (
                KANClassifier(random_state=seed),
                LogisticRegression(max_iter=1000),
                CalibratedClassifierCV(SVC(), ensemble=False),
                RandomForestClassifier(500, random_state=0),
            ):
                model = make_pipeline(StandardScaler(), model).fit(X, y)
                shares.insert(-1, model.predict_proba(new))
            rows.append([log_loss(labels, share) for share in shares])
        everything.append(np.mean(rows, axis=0))
        print(f"{name:24s}" + "".join(f"{loss:12.3f}" for loss in everything[-1]), flush=True)
    print(f"{'mean':24s}" + "".join(f"{loss:12.3f}" for loss in np.mean(everything, axis=0)))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    for pile in sys.argv[1:] or ["development", "second"]:
        regress(pile)
        classify(pile)
