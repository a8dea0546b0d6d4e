"""Tables that Hopfield estimators are compared on, in two piles.

Defaults were chosen on the first pile; the second was looked at once. All tables come with
scikit-learn, or are drawn or counted out here, some as in well-known collections: Breiman's
waveforms, two norms, three norms and ring norm, the three monks' problems, the balance scale and
the ends of tic-tac-toe.
"""

from itertools import product

import numpy as np
from sklearn import datasets

__all__ = ["FIRST", "FIRST_NUMBERS", "SECOND", "SECOND_NUMBERS"]

N = 600  # rows, of which two thirds are learned from


def real(load, n_rows=N, label=None, columns=None):
    """Return a table of scikit-learn's, its rows in random order."""

    def draw(rng):
        X, y = load(return_X_y=True)
        rows = rng.permutation(len(X))[:n_rows]
        X, y = X[rows], y[rows]
        if columns is not None:
            X, y = X[:, columns], y
        return X, y if label is None else label(y)

    return draw


def generated(make, **how):
    def draw(rng):
        return make(random_state=int(rng.integers(2**31)), **how)

    return draw


def xor(rng):
    X = rng.uniform(-1, 1, size=(N, 2))
    return X, ((X[:, 0] > 0) ^ (X[:, 1] > 0)) ^ (rng.random(N) < 0.05)


def circles_among_noise(rng):
    X, y = datasets.make_circles(N, noise=0.1, factor=0.6, random_state=int(rng.integers(2**31)))
    return np.column_stack([X, rng.normal(size=(N, 2)) / 2]), y


def noise(rng):
    return rng.normal(size=(150, 40)), (rng.random(150) < 0.35).astype(int)


def waves(rng, n_noise=0):
    """Breiman's waveforms: three classes, each a mixture of two of three triangles."""
    t = np.arange(1, 22)
    triangles = np.maximum(6 - abs(t - np.array([[11], [15], [7]])), 0)
    y = rng.integers(0, 3, N)
    share = rng.random((N, 1))
    X = share * triangles[np.array([0, 0, 1])[y]] + (1 - share) * triangles[np.array([1, 2, 2])[y]]
    return X + rng.normal(size=X.shape), y


def monks(number):
    """Return one of the three monks' problems, with one column for each category."""

    def draw(rng):
        a = np.array(list(product([1, 2, 3], [1, 2, 3], [1, 2], [1, 2, 3], [1, 2, 3, 4], [1, 2])))
        y = {
            1: (a[:, 0] == a[:, 1]) | (a[:, 4] == 1),
            2: (a == 1).sum(axis=1) == 2,
            3: ((a[:, 4] == 3) & (a[:, 3] == 1)) | ((a[:, 4] != 4) & (a[:, 1] != 3)),
        }[number]
        y = y ^ ((rng.random(len(y)) < 0.05) & (number == 3))
        return np.column_stack([a[:, [i]] == np.unique(a[:, i]) for i in range(6)]) * 1.0, y * 1

    return draw


def boxes(rng):
    """Rules on single columns, as a tree has them, ten columns of which four count."""
    X = rng.random((N, 10))
    y = np.where(X[:, 0] > 0.5, X[:, 1] > 0.4, (X[:, 2] > 0.6) | (X[:, 3] > 0.8))
    return X, y ^ (rng.random(N) < 0.05)


def norms(kind):
    """Return Breiman's two norms, three norms, or ring norm in twenty columns."""

    def draw(rng):
        y, a = rng.integers(0, 2, N), 2 / np.sqrt(20)
        X = rng.normal(size=(N, 20))
        if kind == "two":
            X += a * (2 * y - 1)[:, None]
        elif kind == "three":
            other = np.where(np.arange(20) % 2, -a, a)
            ends = rng.choice([-a, a], size=(N, 1))
            X += np.where(y[:, None] == 1, other, ends)
        else:
            X = np.where(y[:, None] == 1, 2 * X, X + a / 2)
        return X, y

    return draw


def tic_tac_toe(rng):
    """All ends of the game, one of three columns a square: has x won?"""
    lines = [(0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6)]
    ends, seen = {}, set()

    def won(board, who):
        return any(all(board[i] == who for i in line) for line in lines)

    def play(board, who):
        if tuple(board) in seen:
            return
        seen.add(tuple(board))
        if won(board, 1) or won(board, -1) or 0 not in board:
            ends[tuple(board)] = won(board, 1)
            return
        for i in range(9):
            if board[i] == 0:
                board[i] = who
                play(board, -who)
                board[i] = 0

    play([0] * 9, 1)
    boards, y = np.array(list(ends)), np.array(list(ends.values()))
    rows = rng.permutation(len(y))[:N]
    X = np.concatenate([boards == value for value in (1, 0, -1)], axis=1) * 1.0
    return X[rows], y[rows] * 1


def balance(rng):
    """The balance scale: left, right, or even by the products of weights and distances."""
    X = np.array(list(product(range(1, 6), repeat=4)), dtype=float)
    return X, np.sign(X[:, 0] * X[:, 1] - X[:, 2] * X[:, 3]).astype(int)


def spirals(rng):
    y = np.arange(N) % 2
    angle = np.sqrt(rng.random(N)) * 3 * np.pi
    X = np.column_stack([np.cos(angle), np.sin(angle)]) * angle[:, None] * (1 - 2 * y)[:, None]
    return X + 0.6 * rng.normal(size=(N, 2)), y


def lights(rng):
    """Digits of seven segments, each wrong one time in ten, beside ten that say nothing."""
    shown = ["1110111", "0010010", "1011101", "1011011", "0111010",
             "1101011", "1101111", "1010010", "1111111", "1111011"]  # fmt: skip
    y = rng.integers(0, 10, N)
    X = np.array([[int(bit) for bit in row] for row in shown])[y] ^ (rng.random((N, 7)) < 0.1)
    return np.column_stack([X, rng.random((N, 10)) < 0.5]) * 1.0, y


def long_tails(rng):
    """A linear border in columns of long tails and other units."""
    Z = rng.normal(size=(N, 6))
    y = (Z @ [1, -1, 0.5, 0.5, 0, 0] + 0.5 * rng.normal(size=N) > 0.5).astype(int)
    return np.exp(1.5 * Z) * 10.0 ** np.arange(-2, 4), y


make_classes = datasets.make_classification
FIRST = {
    "iris": real(datasets.load_iris),
    "wine": real(datasets.load_wine),
    "cancer": real(datasets.load_breast_cancer),
    "digits": real(datasets.load_digits),
    "diabetes": real(datasets.load_diabetes, label=lambda y: (y > 140).astype(int)),
    "circles": circles_among_noise,
    "xor": xor,
    "hastie": generated(datasets.make_hastie_10_2, n_samples=N),
    "few of 20": generated(
        make_classes, n_samples=N, n_informative=4, n_redundant=2, flip_y=0.05, n_classes=2
    ),
    "clusters": generated(
        make_classes, n_samples=N, n_features=10, n_informative=6, n_classes=3,
        n_clusters_per_class=2,
    ),
    "waves": waves,
    "monks 1": monks(1),
    "boxes": boxes,
    "noise": noise,
}  # fmt: skip
SECOND = {
    "digits, few": real(datasets.load_digits, 150),
    "cancer, few": real(datasets.load_breast_cancer, 90),
    "even digits": real(datasets.load_digits, 450, lambda y: y % 2),
    "two norms": norms("two"),
    "three norms": norms("three"),
    "ring norm": norms("ring"),
    "monks 2": monks(2),
    "monks 3": monks(3),
    "tic-tac-toe": tic_tac_toe,
    "balance": balance,
    "spirals": spirals,
    "lights": lights,
    "long tails": long_tails,
    "rare": generated(
        make_classes, n_samples=N, n_features=12, n_informative=5, weights=[0.9], flip_y=0.02
    ),
    "quantiles": generated(
        datasets.make_gaussian_quantiles, n_samples=N, n_features=5, n_classes=3
    ),
}  # fmt: skip


def linear(n_features, n_informative, spread, n_rows=N):
    return generated(
        datasets.make_regression, n_samples=n_rows, n_features=n_features,
        n_informative=n_informative, noise=spread,
    )  # fmt: skip


def column(load, which, n_rows=N):
    """Return one column of a table to be told from the others."""

    def draw(rng):
        X, _ = load(return_X_y=True)
        X = X[rng.permutation(len(X))[:n_rows]]
        return np.delete(X, which, axis=1), X[:, which]

    return draw


def steps(rng):
    X = rng.random((N, 6))
    y = np.floor(4 * X[:, 0]) + 2 * (X[:, 1] > 0.5) * (X[:, 2] > 0.3)
    return X, y + 0.2 * rng.normal(size=N)


def waves_and_line(rng):
    X = rng.uniform(-2, 2, size=(N, 5))
    return X, 2 * X[:, 0] - X[:, 1] + np.sin(3 * X[:, 2]) + 0.3 * rng.normal(size=N)


def plain_noise(rng):
    return rng.normal(size=(150, 20)), rng.normal(size=150)


def product_of_two(rng):
    X = rng.normal(size=(N, 8))
    return X, X[:, 0] * X[:, 1] + 0.5 * X[:, 2] + 0.2 * rng.normal(size=N)


def plane_wave(rng):
    X = rng.uniform(-1, 1, size=(N, 2))
    return X, np.sin(6 * np.hypot(*X.T)) + 0.1 * rng.normal(size=N)


def sum_of_curves(rng):
    X = rng.uniform(-2, 2, size=(N, 8))
    y = abs(X[:, 0]) + np.tanh(3 * X[:, 1]) + X[:, 2] ** 2 / 2 + X[:, 3]
    return X, y + 0.3 * rng.normal(size=N)


def price(rng):
    """A product of powers of skewed columns, as prices are."""
    X = np.exp(rng.normal(size=(N, 6)))
    return X, X[:, 0] ** 0.7 * X[:, 1] ** 0.3 * np.exp(0.2 * rng.normal(size=N))


def classes_as_numbers(rng):
    X, y = real(datasets.load_digits)(rng)
    return X, y.astype(float)


FIRST_NUMBERS = {
    "diabetes": real(datasets.load_diabetes),
    "line": linear(10, 5, 20.0),
    "line of 60, few rows": linear(60, 15, 30.0, 150),
    "friedman 1": generated(datasets.make_friedman1, n_samples=N, noise=1.0),
    "friedman 2": generated(datasets.make_friedman2, n_samples=N, noise=60.0),
    "cancer, area": column(datasets.load_breast_cancer, 13),
    "wine, color": column(datasets.load_wine, 9),
    "steps": steps,
    "waves and line": waves_and_line,
    "product": product_of_two,
    "noise": plain_noise,
}
SECOND_NUMBERS = {
    "friedman 3": generated(datasets.make_friedman3, n_samples=N, noise=0.15),
    "sparse, 10": generated(datasets.make_sparse_uncorrelated, n_samples=300),
    "line, 3 columns": linear(3, 3, 30.0, 200),
    "line of 100": linear(100, 10, 10.0, 200),
    "digits": classes_as_numbers,
    "cancer, smoothness": column(datasets.load_breast_cancer, 4),
    "wine, proline": column(datasets.load_wine, 12),
    "diabetes, few": real(datasets.load_diabetes, 90),
    "plane wave": plane_wave,
    "curves": sum_of_curves,
    "price": price,
}
