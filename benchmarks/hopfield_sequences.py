"""HopfieldForecaster beside nearest windows, ridge on windows, season, last value and replay.

Errors of forecasts of a horizon from origins in the last third of a series, in its own spreads.
What the peers have to choose (window, neighbors or penalty, one step iterated or all steps at once,
length of the season) is chosen on the second half of the other two thirds; ours chooses inside.
Its defaults were chosen on the series of the first pile.

``--fresh`` judges on random walks and autoregressions of a seed that nothing was chosen by.

Run: ``python benchmarks/hopfield_sequences.py``
"""

import argparse
import time
import warnings

import numpy as np
from sklearn.linear_model import Ridge
from sklearn.neighbors import KNeighborsRegressor

from skdyn import HopfieldForecaster, SequenceMemory
from skdyn.datasets import (
    load_lynx_hare,
    make_lorenz63,
    make_lorenz96,
    make_lotka_volterra,
    make_pendulum,
    make_van_der_pol,
)

WINDOWS = (1, 2, 4, 8, 16, 32)


def states(maker, **arguments):
    """Return one long trajectory of a generator, points of time as rows."""
    return np.asarray(maker(random_state=0, n_cases=1, **arguments)[0])[0].T


def noisy(X, noise, rng):
    """Return standardized states with noise."""
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    return X + noise * rng.normal(size=X.shape)


def recursion(step, n, start, noise, rng):
    """Return a series in which ``step`` makes each value from all before it."""
    x = list(start)
    while len(x) < n:
        x.append(step(x) + noise * rng.normal())
    return np.array(x)[:, None]


def first_pile():
    """Yield names, series and horizons."""
    rng = np.random.default_rng(0)
    yield "Lorenz-63", states(make_lorenz63, n_timepoints=1200), 10
    yield "van der Pol", noisy(states(make_van_der_pol, n_timepoints=600), 0.1, rng), 20
    yield "Lotka-Volterra", noisy(states(make_lotka_volterra, n_timepoints=600), 0.1, rng), 20
    yield "lynx and hare, log", np.log(load_lynx_hare().data), 3
    yield "random walk", np.cumsum(rng.normal(size=(400, 1)), axis=0), 10
    t = np.arange(300.0)
    trend = t * 0.05 + 2 * np.sin(2 * np.pi * t / 12) + 0.5 * rng.normal(size=300)
    yield "trend and season", trend[:, None], 12
    yield "AR(2)", recursion(lambda x: 1.2 * x[-1] - 0.6 * x[-2], 500, [0, 0], 1.0, rng), 10
    yield "noise", rng.normal(size=(200, 1)), 5
    logistic = recursion(lambda x: 3.9 * x[-1] * (1 - x[-1]), 300, [0.3], 0.0, rng)
    yield "logistic map", logistic + 0.02 * rng.normal(size=logistic.shape), 5
    beats = np.tile(np.exp(-2 * np.linspace(-3, 3, 24) ** 2), 20)
    beats = beats * np.repeat(rng.uniform(0.7, 1.3, 20), 24) + 0.05 * rng.normal(size=480)
    yield "pulses", beats[:, None], 24


def second_pile():
    """Yield names, series and horizons; looked at once, after the defaults were chosen."""
    rng = np.random.default_rng(1)
    yield "Lorenz-96", noisy(states(make_lorenz96, n_timepoints=1200), 0.05, rng), 5
    yield "pendulum", noisy(states(make_pendulum, n_timepoints=500), 0.2, rng), 25
    glass = recursion(
        lambda x: x[-1] * 0.9 + 0.2 * x[-18] / (1 + x[-18] ** 10), 900, np.full(18, 1.2), 0.0, rng
    )[100:]
    yield "Mackey-Glass", noisy(glass, 0.05, rng), 30
    t = np.arange(240.0)
    growth = np.exp(0.006 * t + 0.15 * np.sin(2 * np.pi * t / 12) + 0.03 * rng.normal(size=240))
    yield "growing seasons", growth[:, None], 12
    henon = recursion(lambda x: 1 - 1.4 * x[-1] ** 2 + 0.3 * x[-2], 500, [0.1, 0.1], 0.0, rng)
    yield "Henon map", noisy(henon, 0.02, rng), 4
    yield (
        "two regimes",
        recursion(lambda x: 0.9 * x[-1] + (1.0 if x[-1] < 0 else -1.0), 500, [0.0], 0.5, rng),
        6,
    )
    gaps = rng.integers(18, 30, 25)
    heart = np.concatenate([np.exp(-(((np.arange(gap) - 9) / 2.0) ** 2)) for gap in gaps])
    yield "irregular beats", heart[:, None] + 0.05 * rng.normal(size=(len(heart), 1)), 12
    yield "heavy tails", recursion(
        lambda x: 0.7 * x[-1] + 0.5 * rng.standard_t(2), 400, [0.0], 0.0, rng
    ), 5  # fmt: skip


def windows(X, width, n_after):
    """Return windows as rows, oldest state first, and what follows them."""
    ends = np.arange(width - 1, len(X) - n_after)
    before = X[ends[:, None] + np.arange(1 - width, 1)].reshape(len(ends), -1)
    return before, X[ends[:, None] + np.arange(1, n_after + 1)].reshape(len(ends), -1)


class Regression:
    """A regressor of the next states, ``n_after`` of them at once, iterated."""

    def __init__(self, model, width, n_after):
        self.model, self.width, self.n_after = model, width, n_after

    def fit(self, X):
        self.model.fit(*windows(X, self.width, self.n_after))
        return self

    def forecast(self, past, n_steps):
        """Return what follows, of shape (n_origins, n_steps, n_features)."""
        found, n_features = past, past.shape[2]
        while found.shape[1] < past.shape[1] + n_steps:
            rows = found[:, -self.width :].reshape(len(found), -1)
            new = self.model.predict(rows).reshape(len(rows), -1, n_features)
            found = np.concatenate([found, new], axis=1)
        return found[:, past.shape[1] : past.shape[1] + n_steps]


class Season:
    """Say what was there a season ago; a season of one step is the last value."""

    def __init__(self, length):
        self.length = length

    def fit(self, X):
        return self

    def forecast(self, past, n_steps):
        return past[:, np.arange(n_steps) % self.length - self.length]


class Replay:
    """SequenceMemory."""

    def __init__(self, width, beta):
        self.width, self.beta = width, beta

    def fit(self, X):
        beta = self.beta / (X.var(axis=0).sum() * self.width)
        self.memory = SequenceMemory(window=self.width, beta=beta).fit(X)
        return self

    def forecast(self, past, n_steps):
        asked = past[:, -self.width :].transpose(0, 2, 1)
        return self.memory.recall(asked, n_steps).transpose(0, 2, 1)


class Ours:
    """HopfieldForecaster."""

    def __init__(self, horizon):
        self.horizon = horizon

    def fit(self, X):
        self.model = HopfieldForecaster(horizon=self.horizon).fit(X)
        return self

    def forecast(self, past, n_steps):
        return self.model.predict(past.transpose(0, 2, 1), n_steps).transpose(0, 2, 1)


def contestants(n, horizon):
    """Return what is chosen from for each name."""
    widths = [width for width in WINDOWS if width <= max(1, (n - horizon) // 3)]
    ahead = sorted({1, horizon})
    nearest = [
        Regression(KNeighborsRegressor(k), w, h)
        for w in widths for h in ahead for k in (1, 2, 5, 10) if k <= n - w - h
    ]  # fmt: skip
    ridge = [Regression(Ridge(a), w, h) for w in widths for h in ahead for a in (1e-6, 0.01, 1.0)]
    return {
        "ours": [Ours(horizon)],
        "nearest": nearest,
        "ridge": ridge,
        "season": [Season(length) for length in range(2, min(48, n // 3) + 1)],
        "last": [Season(1)],
        "replay": [Replay(w, b) for w in widths for b in (10, 100, 1e3, 1e4, 1e5)],
    }


def error(model, X, start, horizon):
    """Return the error of forecasts from origins after ``start``, in spreads of the series."""
    longest = min(48, start)
    origins = np.unique(np.linspace(start, len(X) - horizon, 60).round().astype(int))
    past = X[origins[:, None] + np.arange(-longest, 0)]
    truth = X[origins[:, None] + np.arange(horizon)]
    return np.sqrt(np.mean(np.square((model.forecast(past, horizon) - truth) / X.std(axis=0))))


def row(X, horizon):
    """Return the errors of all, and the time of a fit of ours."""
    most, errors, took = 2 * len(X) // 3, {}, 0.0
    half = most // 2
    for name, models in contestants(half, horizon).items():
        best = models[0]
        if len(models) > 1:
            judged = [error(model.fit(X[:half]), X[:most], half, horizon) for model in models]
            best = models[int(np.argmin(judged))]
        begun = time.process_time()
        best.fit(X[:most])
        took = time.process_time() - begun if name == "ours" else took
        errors[name] = error(best, X, most, horizon)
    return errors, took


def fresh_pile(seed, n_each=8):
    """Yield kinds and series of seeds that nothing was chosen by: walks, and what has a law."""
    steps = {
        "walk": lambda rng, n: rng.normal(size=n),
        "walk with drift": lambda rng, n: 0.2 + rng.normal(size=n),
        "walk of heavy tails": lambda rng, n: rng.standard_t(2, size=n),
    }
    laws = {"AR(1)": (0.8, 0.0), "AR(2)": (1.2, -0.6)}
    for number, n in np.ndindex(n_each, 2):
        n = (80, 240)[n]
        for kind, step in steps.items():
            rng = np.random.default_rng((seed, number, n))
            yield kind, np.cumsum(step(rng, n))[:, None]
        for kind, (a, b) in laws.items():
            rng = np.random.default_rng((seed, number, n))
            yield kind, recursion(lambda x, a=a, b=b: a * x[-1] + b * x[-2], n, [0, 0], 1.0, rng)


def fresh(seed):
    """Print ratios of errors over those of the last value, and who is worse without a warning."""
    found = {}
    for kind, X in fresh_pile(seed):
        most, horizon = 2 * len(X) // 3, 5
        ours, last = Ours(horizon), Season(1)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            ours.fit(X[:most])
        models = contestants(most // 2, horizon)["ridge"]
        half = most // 2
        judged = [error(model.fit(X[:half]), X[:most], half, horizon) for model in models]
        ridge = models[int(np.argmin(judged))].fit(X[:most])
        errors = [error(model, X, most, horizon) for model in (ours, ridge, last)]
        found.setdefault(kind, []).append([*errors, bool(told)])
    print(f"{'over the last value':22}{'ours':>8}{'ridge':>8}{'worst':>8}{'silently > 1.05':>18}")
    for kind, rows in found.items():
        ours, ridge, last, told = np.array(rows).T
        silent = ((ours > 1.05 * last) & (told == 0)).sum()
        means = [np.exp(np.log(each / last).mean()) for each in (ours, ridge)]
        print(f"{kind:22}{means[0]:8.3f}{means[1]:8.3f}{(ours / last).max():8.2f}"
              f"{silent:12d} of {len(rows)}", flush=True)  # fmt: skip


def main():
    """Print a row a series, and geometric means."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fresh", type=int, metavar="SEED", help="only walks and laws of a seed")
    args = parser.parse_args()
    if args.fresh is not None:
        fresh(args.fresh)
        return
    for pile, tasks in (("first", first_pile), ("second", second_pile)):
        rows = []
        for name, X, horizon in tasks():
            errors, took = row(X, horizon)
            if not rows:
                print(f"{pile + ' pile':24s}" + "".join(f"{each:>9s}" for each in errors))
            rows.append(list(errors.values()))
            told = "".join(f"{value:9.3f}" for value in rows[-1])
            print(f"{name:20s}{horizon:4d}{told}   fit {took:.2f} s", flush=True)
        mean = np.exp(np.log(rows).mean(axis=0))
        print(f"{'geometric mean':24s}" + "".join(f"{value:9.3f}" for value in mean), flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
