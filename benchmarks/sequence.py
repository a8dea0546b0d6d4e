"""Features of labeled series and trained models beside plain ones: accuracy and CPU seconds.

    python benchmarks/sequence.py [accuracy] [trained] [--seeds 3] [--sets NAME ...]

``accuracy``: test accuracy of features in front of one linear model (ridge classification that
chooses its penalty, on standardized columns), with all points and with half of them dropped by
chance, each case's own. Beside them are what one would do without: last value, mean and deviation
of each channel in front of the same model; values interpolated to 50 equal steps in front of a
random forest, and of the nearest neighbor.

The sets: two that are generated, where times carry the class, digits read as 64 steps, and sets of
the UCR and UEA archives with their split, which come with ``pip install aeon``; without it they are
left out. "times" are equal values at other times: the same wave, measured early or late. "events"
are marks by chance at times whose rate rises or falls. Defaults were chosen on the first pile; the
second was looked at once.

``trained``: the same of the models that are trained, by their defaults, beside those of
``sequence_peers.py``, which get the CPU time of the slower of ours: a GRU of values, one that is
told gaps and steps, the closed-form cells of ncps, torchcde's equation with a step a knot;
signatures in front of ridge, and aeon's MiniRocket on values at equal steps.
"""

import argparse
import importlib.util
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from sequence_peers import GRU, CfC, GRUWithGaps, MiniRocket, Missing, TorchCDE
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import RidgeClassifierCV
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdyn import (
    AugmentedCovariance,
    HiPPOTransformer,
    LagTransformer,
    NeuralCDEClassifier,
    SignatureTransformer,
    SSMClassifier,
)

EVERYTHING = ("time", "counts", "basepoint", "lead_lag")
PILES = {
    "first": ["times", "events", "BasicMotions", "ItalyPowerDemand"],
    "second": ["digits", "GunPoint", "ArrowHead", "OSULeaf", "PickupGestureWiimoteZ"],
}
SEVERAL_SEEDS = "times", "events"  # of the trained: ``--seeds`` of them, elsewhere one


# -- data: lists of (n_channels, n_timepoints_i), of times, labels; for training and test ---------


def times(seed):
    """Return the same wave, measured early or late: only the times tell the classes apart."""
    rng = np.random.default_rng(seed)
    y = np.arange(400) % 2
    X, t = [], []
    for label in y:
        u = np.sort(rng.random(rng.integers(20, 40)))
        values = np.sin(6 * u + rng.normal(scale=0.2)) + 0.2 * rng.normal(size=len(u))
        X.append(values[None])
        t.append(10 * u ** (1.5 if label else 1 / 1.5))
    return (X[:200], t[:200], y[:200]), (X[200:], t[200:], y[200:])


def events(seed):
    """Return marks by chance at times whose rate rises or falls."""
    rng = np.random.default_rng(seed)
    y = np.arange(400) % 2
    X, t = [], []
    for label in y:
        n_events = max(3, rng.poisson(40))
        rising = (np.sqrt(0.3**2 + (1.7**2 - 0.3**2) * rng.random(n_events)) - 0.3) / 1.4
        t.append(np.sort(10 * (rising if label else 1 - rising)))
        X.append(rng.normal(size=(1, n_events)))
    return (X[:200], t[:200], y[:200]), (X[200:], t[200:], y[200:])


def digits(seed):
    """Return images read as 64 steps, row by row."""
    table, y = load_digits(return_X_y=True)
    parts = train_test_split(table[:, None], y, test_size=0.5, random_state=seed, stratify=y)
    train, test, y_train, y_test = parts
    return tuple((list(X), [np.arange(64.0)] * len(X), z)
                 for X, z in ((train, y_train), (test, y_test)))  # fmt: skip


def archive(name):
    """Return a set of the archive from aeon's files, which are read without importing it."""
    spec = importlib.util.find_spec("aeon")
    if spec is None:
        return None
    folder = Path(spec.origin).parent / "datasets" / "data" / name
    found = []
    for part in ("TRAIN", "TEST"):
        lines = (folder / f"{name}_{part}.ts").read_text(encoding="utf-8").splitlines()
        start = next(k for k, line in enumerate(lines) if line.strip().lower() == "@data")
        cases = [line.split(":") for line in lines[start + 1 :] if line.strip()]
        X = [np.array([channel.replace("?", "nan").split(",") for channel in case[:-1]], float)
             for case in cases]  # fmt: skip
        found.append((X, [np.arange(case.shape[1], dtype=float) for case in X],
                      np.array([case[-1] for case in cases])))  # fmt: skip
    return tuple(found)


def load(name, seed):
    own = {"times": times, "events": events, "digits": digits}
    return own[name](seed) if name in own else archive(name)


def dropped(data, share, seed):
    """Drop points by chance, at least two stay."""
    if not share:
        return data
    rng = np.random.default_rng(seed)
    X, t, y = data
    kept = []
    for case in X:
        n_points = case.shape[1]
        n_kept = max(2, round((1 - share) * n_points))
        kept.append(np.sort(rng.permutation(n_points)[:n_kept]))
    X = [case[:, part] for case, part in zip(X, kept, strict=True)]
    return X, [row[part] for row, part in zip(t, kept, strict=True)], y


# -- models ---------------------------------------------------------------------------------------


class LastMeanDeviation:
    """What one takes first: three numbers a channel, times unread."""

    def fit_transform(self, X, t):
        return np.stack([
            np.concatenate([case[:, -1], case.mean(axis=1), case.std(axis=1)]) for case in X
        ])  # fmt: skip

    def transform(self, X, t):
        return self.fit_transform(X, t)


def linear():
    return make_pipeline(StandardScaler(), RidgeClassifierCV(np.logspace(-2, 5, 15)))


def models(seed):
    """Map names to features and what reads them."""
    forest = RandomForestClassifier(200, random_state=seed)
    return {
        "signature": (SignatureTransformer(), linear()),
        "signature, no lags": (SignatureTransformer(augment=("time", "basepoint")), linear()),
        "signature, counts too": (SignatureTransformer(augment=EVERYTHING), linear()),
        "the same of quarters": (
            SignatureTransformer(2, augment=EVERYTHING, window="dyadic"),
            linear(),
        ),
        "log-signature": (SignatureTransformer(log=True), linear()),
        "HiPPO": (HiPPOTransformer(), linear()),
        "HiPPO, 24": (HiPPOTransformer(24), linear()),
        "augmented covariance": (AugmentedCovariance(), linear()),
        "last, mean, deviation": (LastMeanDeviation(), linear()),
        "50 values, forest": (LagTransformer(50), forest),
        "50 values, neighbor": (LagTransformer(50), KNeighborsClassifier(1)),
    }


def trained_models(seed, seconds):
    """Map names to ours, by their defaults, then to peers, which are trained for so long."""
    return {
        "SSM": lambda: SSMClassifier(random_state=seed),
        "SSM, attention": lambda: SSMClassifier(readout="attention", random_state=seed),
        "neural CDE": lambda: NeuralCDEClassifier(random_state=seed),
        "GRU": lambda: GRU(seed, seconds),
        "GRU, masks and gaps": lambda: GRUWithGaps(seed, seconds),
        "ncps CfC": lambda: CfC(seed, seconds),
        "torchcde, rk4": lambda: TorchCDE(seed, seconds),
        "signature + ridge": lambda: (SignatureTransformer(augment=EVERYTHING), linear()),
        "MiniRocket (aeon)": lambda: MiniRocket(seed),
    }


def accuracy(options):
    """Print accuracies of features, in the mean over seeds."""
    for pile, names in chosen_sets(options):
        head(f"{pile} pile: accuracy with all points / half of them", names)
        for who in models(0):
            cells, seconds = [], 0.0
            for name in names:
                scores = [[], []]
                for seed in range(options.seeds):
                    train, test = load(name, seed)
                    for half, log in enumerate(scores):
                        start = time.process_time()
                        log.append(score(models(seed)[who], train, test, half / 2, seed))
                        seconds += time.process_time() - start
                cells.append(" / ".join(f"{np.mean(log):.3f}" for log in scores))
            row(who, cells, seconds)


def trained(options):
    """Print accuracies of trained models, in the mean over seeds, at equal CPU time.

    Ours train by their defaults; the peers for as long as the slower of ours on the same data.
    """
    torch.set_num_threads(1)
    ours = "SSM", "SSM, attention", "neural CDE"
    names = [name for _, names in chosen_sets(options) for name in names]
    found = {who: {name: ([], []) for name in names} for who in trained_models(0, 0)}
    spent = dict.fromkeys(found, 0.0)
    for name in names:
        for seed in range(options.seeds if name in SEVERAL_SEEDS else 1):
            train, test = load(name, seed)
            for half in (0, 1):
                longest = 0.0
                for who in found:
                    start = time.process_time()
                    try:
                        model = trained_models(seed, longest)[who]()
                        reached = score(model, train, test, half / 2, seed)
                    except Missing as missing:
                        print(f"{who} was not run: {missing} is not installed.")
                        reached = np.nan
                    seconds = time.process_time() - start
                    longest = max(longest, seconds) if who in ours else longest
                    spent[who] += seconds
                    found[who][name][half].append(reached)
        print(f"{name}: the peers had {longest:.0f} s", flush=True)
    head("accuracy with all points / half of them", [*names, "mean"])
    for who, scores in found.items():
        both = [[np.mean(log) for log in scores[name]] for name in names]
        row(who, [" / ".join(f"{x:.3f}" for x in pair)
                  for pair in [*both, np.mean(both, axis=0)]], spent[who])  # fmt: skip


def chosen_sets(options):
    """Yield the piles with the names of the sets that were asked for and are there."""
    for pile, names in PILES.items():
        names = [name for name in names if not options.sets or name in options.sets]
        names = [name for name in names if load(name, 0) is not None]
        if names:
            yield pile, names


def head(title, names):
    print(f"\n{title}")
    print(f"{'':24}" + "".join(f"{name[:14]:>15}" for name in names) + f"{'CPU s':>9}")


def row(who, cells, seconds):
    print(f"{who:24}" + "".join(f"{cell:>15}" for cell in cells) + f"{seconds:>9.1f}", flush=True)


def score(model, train, test, share, seed):
    X, t, y = dropped(train, share, seed)
    with warnings.catch_warnings(action="ignore", category=UserWarning):
        if not isinstance(model, tuple):
            model.fit(X, y, t=t)
            X, t, y = dropped(test, share, seed + 1000)
            return model.score(X, y, t=t)
        features, reader = model
        reader.fit(features.fit_transform(X, t=t), y)
        X, t, y = dropped(test, share, seed + 1000)
        return reader.score(features.transform(X, t=t), y)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="*", default=[], help="accuracy, trained")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sets", nargs="*", default=[])
    chosen = parser.parse_args()
    parts = {"accuracy": accuracy, "trained": trained}
    for part in chosen.what or parts:
        parts[part](chosen)
