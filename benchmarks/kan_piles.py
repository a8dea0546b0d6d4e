"""Formulas and tables that KAN's defaults are chosen on, and others that they are reported on.

The development pile may be looked at as often as one likes; the second pile is for the end.
"""

import numpy as np
from scipy.special import ellipkinc, jv
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
    make_circles,
    make_classification,
    make_friedman1,
    make_friedman2,
    make_friedman3,
    make_gaussian_quantiles,
    make_hastie_10_2,
    make_moons,
    make_regression,
    make_s_curve,
    make_sparse_uncorrelated,
    make_swiss_roll,
)
from sklearn.model_selection import train_test_split

N_FORMULA = 1000  # points to learn from, and as many to test

# name: formula in the columns of X, ends of the range of all columns, number of columns
FORMULAS = {
    "development": {
        "exp(sin(pi x) + y^2)": (lambda x, y: np.exp(np.sin(np.pi * x) + y**2), -1, 1, 2),
        "sin(3 x) cos(2 y)": (lambda x, y: np.sin(3 * x) * np.cos(2 * y), -1, 1, 2),
        "(x + y) / (1 + x y)": (lambda x, y: (x + y) / (1 + x * y), -0.9, 0.9, 2),
        "1 / (1 + x^2 + y^2)": (lambda x, y: 1 / (1 + x**2 + y**2), -2, 2, 2),
        "sqrt(x^2 + y^2)": (lambda x, y: np.sqrt(x**2 + y**2), 0.1, 1, 2),
        "arcsin(x sin y)": (lambda x, y: np.arcsin(x * np.sin(y)), -0.95, 0.95, 2),
        "J(3 x, 10 y)": (lambda x, y: jv(3 * x, 10 * y), 0.1, 1, 2),
        "a exp(-b) cos(3 c)": (lambda a, b, c: a * np.exp(-b) * np.cos(3 * c), 0, 2, 3),
        "distance": (lambda a, s, t: np.sqrt(1 + a**2 - 2 * a * np.cos(s - t)), -0.9, 0.9, 3),
        "log(1 + a + b c)": (lambda a, b, c: np.log(1 + a + b * c), 0, 2, 3),
        "a (exp(b c) - 1)": (lambda a, b, c: a * (np.exp(b * c) - 1), 0, 1, 3),
        "four: two circles": (
            lambda a, b, c, d: np.exp((np.sin(np.pi * (a**2 + b**2))
                                       + np.sin(np.pi * (c**2 + d**2))) / 2), -1, 1, 4),
        "four: a b / (c^2 + d^2)": (lambda a, b, c, d: a * b / (c**2 + d**2), 0.5, 1.5, 4),
    },
    "second": {
        "arctan(3 x y)": (lambda x, y: np.arctan(3 * x * y), -1, 1, 2),
        "x exp(-y^2)": (lambda x, y: x * np.exp(-(y**2)), -2, 2, 2),
        "sin(x y)": (lambda x, y: np.sin(x * y), -2, 2, 2),
        "sqrt(1 + x) / (1 + y^2)": (lambda x, y: np.sqrt(1 + x) / (1 + y**2), 0, 2, 2),
        "x^y": (lambda x, y: x**y, 0.5, 2, 2),
        "Franke": (lambda x, y: 0.75 * np.exp(-((9 * x - 2) ** 2 + (9 * y - 2) ** 2) / 4)
                   + 0.75 * np.exp(-((9 * x + 1) ** 2) / 49 - (9 * y + 1) / 10)
                   + 0.5 * np.exp(-((9 * x - 7) ** 2 + (9 * y - 3) ** 2) / 4)
                   - 0.2 * np.exp(-((9 * x - 4) ** 2) - (9 * y - 7) ** 2), 0, 1, 2),
        "elliptic": (lambda x, y: ellipkinc(1.5 * x, 0.95 * y), 0, 1, 2),
        "log-sum-exp": (lambda a, b, c: np.log(np.exp(a) + np.exp(b) + np.exp(c)), -2, 2, 3),
        "a / (b + c)": (lambda a, b, c: a / (b + c), 0.5, 2, 3),
        "a b c": (lambda a, b, c: a * b * c, -1, 1, 3),
        "bell": (lambda a, b, c: np.exp(-((a - b) ** 2) / (2 * c**2)) / c, 1, 2, 3),
        "four: sum of products": (lambda a, b, c, d: a * b + np.sin(c * d), -1.5, 1.5, 4),
        "four: relativity": (
            lambda a, b, c, d: a * b / np.sqrt(1 - c**2) + d, 0.1, 0.8, 4),
    },
    "third": {
        "exp(-x) sin(3 y)": (lambda x, y: np.exp(-x) * np.sin(3 * y), 0, 2, 2),
        "x / sqrt(1 + y^2)": (lambda x, y: x / np.sqrt(1 + y**2), -2, 2, 2),
        "log cosh(2 x + y)": (lambda x, y: np.log(np.cosh(2 * x + y)), -1, 1, 2),
        "x y / (x + y)": (lambda x, y: x * y / (x + y), 0.5, 2, 2),
        "exp(-a b^2) cos(b c)": (lambda a, b, c: np.exp(-a * b**2) * np.cos(b * c), 0, 1.5, 3),
        "cosine rule": (
            lambda a, b, c: np.sqrt(a**2 + b**2 - 2 * a * b * np.cos(c)), 0.5, 1.5, 3),
    },
}  # fmt: skip


def formula_data(pile, name, noise, seed):
    """Return X, y, X_test, y_test; noise is a part of the spread, and y_test has none."""
    function, low, high, n_columns = FORMULAS[pile][name]
    rng = np.random.default_rng(seed)
    X, X_test = rng.uniform(low, high, (2, N_FORMULA, n_columns))
    y, y_test = function(*X.T), function(*X_test.T)
    return X, y + noise * y_test.std() * rng.standard_normal(len(y)), X_test, y_test


def bundled(load, n_train=None, keep=lambda y: np.ones(len(y), dtype=bool)):
    """Split a set that scikit-learn brings."""

    def draw(seed):
        X, y = load(return_X_y=True)
        X, y = X[keep(y)], y[keep(y)]
        strata = None if load is load_diabetes else y
        n_train = 0.75 if draw.n_train is None else draw.n_train
        X, X_test, y, y_test = train_test_split(
            X, y, train_size=n_train, random_state=seed, stratify=strata
        )
        return X, y, X_test, y_test

    draw.n_train, draw.is_bundled = n_train, True
    return draw


def generated(make, n_train, n_test=1000, own=1, **options):
    """Draw more rows than are learned from; ``own`` keeps piles apart by their seeds."""

    def draw(seed):
        X, y = make(n_samples=n_train + n_test, random_state=1000 * own + seed, **options)
        return X[:n_train], y[:n_train], X[n_train:], y[n_train:]

    return draw


def drawn(function, n_train, n_columns, noise, own=1, low=-1.0):
    """Draw uniform columns, a target and noise, a part of its spread, on what is learned from."""

    def draw(seed):
        rng = np.random.default_rng(1000 * own + seed)
        X = rng.uniform(low, 1, (n_train + 1000, n_columns))
        y = function(X).astype(float)
        y[:n_train] += noise * y.std() * rng.standard_normal(n_train)
        return X[:n_train], y[:n_train], X[n_train:], y[n_train:]

    return draw


def classes_of(function, n_train, n_columns, flipped, own=1):
    """Draw normal columns and the sign of a function of them, a part of the labels flipped."""

    def draw(seed):
        rng = np.random.default_rng(1000 * own + seed)
        X = rng.standard_normal((n_train + 1000, n_columns))
        y = (function(X) > 0).astype(int)
        flip = rng.uniform(size=n_train) < flipped
        y[:n_train][flip] = 1 - y[:n_train][flip]
        return X[:n_train], y[:n_train], X[n_train:], y[n_train:]

    return draw


def linear(make, n_train, n_columns, own, **options):
    return generated(make, n_train, own=own, n_features=n_columns, **options)


def steps(X):
    return (X[:, 0] > 0.2).astype(float) + 0.5 * (X[:, 1] > -0.3)


def mixed(X):
    """Two columns that are levels, two that bend, four that say nothing."""
    level = np.floor(2 * X[:, 0] + 2)
    return (level == 1) + np.where(X[:, 1] > 0, 1.0, -0.5) * X[:, 2] + np.sin(4 * X[:, 3])


def noisy(mean, n_train, n_columns, noise, own=3, low=-1.0):
    """Draw uniform columns and a target around its mean, to learn from and to test on alike."""

    def draw(seed):
        rng = np.random.default_rng(1000 * own + seed)
        X = rng.uniform(low, 1, (n_train + 1000, n_columns))
        y = noise(rng, mean(X), X)
        return X[:n_train], y[:n_train], X[n_train:], y[n_train:]

    return draw


def arm(X):
    """How far the hand of an arm of four joints is from where it should be, as its angles say."""
    angles = np.cumsum(np.pi / 2 * X[:, :4], axis=1)
    lengths = 1 + 0.5 * X[:, 4:]
    across, up = ((lengths * turn(angles)).sum(axis=1) for turn in (np.cos, np.sin))
    return np.hypot(across - 1, up - 1)


def lags(seed, n_train=400, n_lags=6):
    """The next value of a delayed feedback [Mackey-Glass] from some before it."""
    rng = np.random.default_rng(3000 + seed)
    x = list(1.2 + 0.1 * rng.standard_normal(18))
    for _ in range(n_train + 1300):
        x.append(x[-1] + 0.2 * x[-17] / (1 + x[-17] ** 10) - 0.1 * x[-1])
    x = np.array(x[200:]) + 0.02 * rng.standard_normal(len(x) - 200)
    rows = np.arange(6 * n_lags, len(x) - 6)
    X, y = np.stack([x[rows - 6 * k] for k in range(n_lags)], axis=1), x[rows + 6]
    return X[:n_train], y[:n_train], X[n_train:], y[n_train:]


def alcohol(seed):
    """What a wine holds of alcohol, by all else that was measured."""
    X = load_wine().data
    X, X_test, y, y_test = train_test_split(X[:, 1:], X[:, 0], train_size=100, random_state=seed)
    return X, y, X_test, y_test


def spirals(seed, n_train=400):
    """Three arms that wind around each other, and three columns that say nothing."""
    rng = np.random.default_rng(3000 + seed)
    y, radius = rng.integers(0, 3, n_train + 1000), rng.uniform(0.2, 1, n_train + 1000)
    angle = 2 * np.pi * y / 3 + 4 * radius + 0.3 * rng.standard_normal(len(y))
    X = np.c_[radius * np.cos(angle), radius * np.sin(angle), rng.standard_normal((len(y), 3))]
    return X[:n_train], y[:n_train], X[n_train:], y[n_train:]


def words(seed, n_train=300, n_words=60):
    """Counts of words in texts on three subjects."""
    rng = np.random.default_rng(3000 + seed)
    often = rng.gamma(0.5, 1.0, n_words) * rng.lognormal(0, 0.5, (3, n_words))
    y = rng.integers(0, 3, n_train + 1000)
    X = rng.poisson(often[y] * rng.gamma(2, 0.5, (len(y), 1))).astype(float)
    return X[:n_train], y[:n_train], X[n_train:], y[n_train:]


def rate(X):
    return np.exp(0.5 + X[:, 0] + np.sin(3 * X[:, 1]) * (X[:, 2] > 0) - X[:, 3] ** 2)


# name: draw(seed) gives X, y, X_test, y_test; y is of floats where numbers are to be found
TABLES = {
    "development": {
        "diabetes": bundled(load_diabetes),
        "wine": bundled(load_wine, 60),
        "cancer": bundled(load_breast_cancer, 300),
        "digits, 300 rows": bundled(load_digits, 300),
        "friedman1, 300": generated(make_friedman1, 300, noise=1.0),
        "friedman3, 300": generated(make_friedman3, 300, noise=0.1),
        "linear 300 x 50": linear(make_regression, 300, 50, 1, n_informative=40, noise=40.0),
        "linear 333 x 200": linear(make_regression, 333, 200, 1, n_informative=10, noise=10.0),
        "sparse, 100 x 30": generated(make_sparse_uncorrelated, 100, n_features=30),
        "step, 500": drawn(steps, 500, 2, 0.0),
        "levels, 600 x 8": drawn(mixed, 600, 8, 0.3),
        "moons": generated(make_moons, 300, noise=0.3),
        "circles": generated(make_circles, 200, noise=0.2, factor=0.5),
        "hastie, 500": generated(make_hastie_10_2, 500),
        "quantiles, 5 columns": generated(
            make_gaussian_quantiles, 400, n_features=5, n_classes=3),
        "clusters, 20 columns": generated(
            make_classification, 400, n_features=20, n_informative=6, flip_y=0.05,
            n_clusters_per_class=2),
        "clusters, 400 x 600": generated(
            make_classification, 400, n_features=600, n_informative=8, n_redundant=4),
    },
    "second": {
        "iris": bundled(load_iris, 60),
        "digits, 5 to 9": bundled(load_digits, 200, lambda y: y > 4),
        "cancer, 100 rows": bundled(load_breast_cancer, 100),
        "diabetes, 200 rows": bundled(load_diabetes, 200),
        "friedman1, 1000 x 20": generated(
            make_friedman1, 1000, own=2, n_features=20, noise=2.0),
        "friedman2, 400": generated(make_friedman2, 400, own=2, noise=100.0),
        "linear 300 x 50": linear(make_regression, 300, 50, 2, n_informative=10, noise=20.0),
        "linear 333 x 200": linear(make_regression, 333, 200, 2, n_informative=150, noise=30.0),
        "swiss roll": generated(make_swiss_roll, 400, own=2, noise=0.3),
        "S curve": generated(make_s_curve, 300, own=2, noise=0.2),
        "one step, 300": drawn(lambda X: (X[:, 0] > 0.1) * 1.0, 300, 1, 0.0, own=2),
        "interaction, 500 x 6": drawn(
            lambda X: 3 * X[:, 0] * X[:, 1] + np.abs(X[:, 2]), 500, 6, 0.3, own=2),
        "two clouds, 10 columns": generated(
            make_classification, 300, own=2, n_features=10, n_informative=4, flip_y=0.1),
        "clusters, 500 x 1000": generated(
            make_classification, 500, own=2, n_features=1000, n_informative=6),
        "ring, 4 columns": classes_of(
            lambda X: np.abs(np.sum(X[:, :3] ** 2, axis=1) - 2.5) - 1.2, 400, 4, 0.05, own=2),
        "signs, 6 columns": classes_of(lambda X: X[:, 0] * X[:, 1] + X[:, 2], 400, 6, 0.1, own=2),
        "one line, 30 columns": classes_of(
            lambda X: X @ np.linspace(-1, 1, X.shape[1]), 200, 30, 0.05, own=2),
    },
    "third": {  # looked at once, 2026-11-30
        "arm, 600 x 8": noisy(arm, 600, 8, lambda rng, y, X: y + 0.1 * rng.standard_normal(len(y))),
        "lags": lags,
        "spreading noise": noisy(
            lambda X: 2 * X[:, 0] + np.abs(X[:, 1]) * X[:, 2], 500, 5,
            lambda rng, y, X: y + 0.4 * np.exp(1.2 * X[:, 0]) * rng.standard_normal(len(y))),
        "heavy tails": noisy(
            lambda X: 2 * X[:, 0] * X[:, 1] + np.sin(4 * X[:, 2]), 500, 6,
            lambda rng, y, X: y + 0.4 * rng.standard_t(2.5, len(y))),
        "counts": noisy(rate, 500, 6, lambda rng, y, X: rng.poisson(y).astype(float)),
        "alcohol": alcohol,
        "spirals": spirals,
        "words": words,
    },
}  # fmt: skip


def is_classification(y):
    """Labels are whole numbers, as arrays of integers."""
    return np.issubdtype(np.asarray(y).dtype, np.integer)


def table_data(pile, name, seed):
    """Return X, y, X_test, y_test of a table."""
    X, y, X_test, y_test = TABLES[pile][name](seed)
    if name.startswith("hastie"):  # its labels are floats
        y, y_test = y.astype(int), y_test.astype(int)
    if name.startswith(("diabetes", "friedman", "linear", "swiss", "S curve", "sparse")):
        y, y_test = y.astype(float), y_test.astype(float)
    return X, y, X_test, y_test
