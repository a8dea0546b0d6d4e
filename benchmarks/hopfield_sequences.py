"""SequenceMemory as a forecaster beside nearest windows, ridge on windows, last value and season.

Errors of forecasts of a horizon from held-out origins, as a part of the spread of the series; the
window, and beta or the number of neighbors, are chosen on the second half of the training part.

Run: ``python benchmarks/hopfield_sequences.py``
"""

import warnings

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsRegressor

from skdyn import SequenceMemory
from skdyn.datasets import (
    make_lorenz63,
    make_lorenz96,
    make_lotka_volterra,
    make_van_der_pol,
)

WINDOWS = (1, 2, 4, 8)


def states(maker, **arguments):
    """Return one long trajectory of a generator, points of time as rows."""
    X = np.asarray(maker(random_state=0, **arguments)[0])
    return X[0].T if X.ndim == 3 else X


def tasks():
    """Yield names, series with a noise, horizons, and which pile they are of."""
    yield "development", "lorenz63", states(make_lorenz63, n_cases=1, n_timepoints=1200), 0.0, 10
    yield (
        "development",
        "van der Pol",
        states(make_van_der_pol, n_cases=1, n_timepoints=600),
        0.1,
        20,
    )
    lotka = states(make_lotka_volterra, n_cases=1, n_timepoints=600)
    yield "second", "Lotka-Volterra", lotka, 0.1, 20
    yield "second", "lorenz96", states(make_lorenz96, n_cases=1, n_timepoints=1200), 0.05, 5


def windows(X, width):
    """Return windows as rows, oldest state first, that something follows."""
    ends = np.arange(width - 1, len(X) - 1)
    return X[ends[:, None] + np.arange(1 - width, 1)].reshape(len(ends), -1), X[ends + 1]


class Step:
    """Iterate a regressor of the next state."""

    def __init__(self, model, width):
        self.model, self.width = model, width

    def fit(self, X):
        self.model.fit(*windows(X, self.width))
        return self

    def recall(self, X, n_steps):
        window, found = X, []
        for _ in range(n_steps):
            rows = window.transpose(0, 2, 1).reshape(len(window), -1)
            found.append(self.model.predict(rows).reshape(len(rows), -1))
            window = np.concatenate([window[:, :, 1:], found[-1][:, :, None]], axis=2)
        return np.stack(found, axis=2)


def contestants(train):
    """Return what is chosen from for each name: pairs of a window and a model."""
    spread = train.var(axis=0).sum()
    return {
        "memory": [
            (w, SequenceMemory(window=w, beta=b / (spread * w)))
            for w in WINDOWS
            for b in (10, 100, 1000, 1e4, 1e5)
        ],
        "nearest": [
            (w, Step(KNeighborsRegressor(k), w)) for w in WINDOWS for k in (1, 2, 5, 10)
        ],
        "ridge": [(w, Step(Ridge(a), w)) for w in WINDOWS for a in (1e-6, 1e-2, 1.0)],
    }  # fmt: skip


def error(model, width, X, horizon):
    """Return the error of forecasts from every fifth origin, in spreads of the series."""
    origins = np.arange(max(WINDOWS) - 1, len(X) - horizon, 5)
    asked = X[origins[:, None] + np.arange(1 - width, 1)].transpose(0, 2, 1)
    truth = X[origins[:, None] + np.arange(1, horizon + 1)].transpose(0, 2, 1)
    found = model.recall(asked, horizon)
    return np.sqrt(np.mean((found - truth) ** 2) / X.var(axis=0).mean())


class Last:
    """Say that nothing changes."""

    def recall(self, X, n_steps):
        return np.repeat(X[:, :, -1:], n_steps, axis=2)


def main():
    """Print a row a series."""
    print(f"{'':30s}{'memory':>10s}{'nearest':>10s}{'ridge':>10s}{'last':>10s}")
    for pile, name, X, noise, horizon in tasks():
        X = (X - X.mean(axis=0)) / X.std(axis=0)
        X = X + noise * np.random.default_rng(0).normal(size=X.shape)
        half, most = len(X) // 3, 2 * len(X) // 3
        row = []
        for models in contestants(X[:half]).values():
            errors = [error(m.fit(X[:half]), w, X[half:most], horizon) for w, m in models]
            width, model = models[int(np.argmin(errors))]
            row.append(error(model.fit(X[:most]), width, X[most:], horizon))
        row.append(error(Last(), 1, X[most:], horizon))
        print(f"{pile:14s}{name:16s}" + "".join(f"{value:10.3f}" for value in row), flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
