"""Features of labeled series and trained models beside plain ones: accuracy and CPU seconds.

    python benchmarks/sequence.py [accuracy] [trained] [speed] [steps] [--seeds 3] [--sets NAME ...]

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

``trained``: the same of the models that are trained, by their defaults, beside a GRU in plain torch
that reads values, which of them were seen, and steps.

``speed``: CPU seconds of signatures of 1000 series of 100 points and 5 channels, depth 4, beside
pysiglib where it is installed. ``steps``: one training step of a neural CDE beside the same
equation written as a plain loop of Heun's method, times interleaved; time and memory of a step of
a state-space model on 8 series of 10000 points.
"""

import argparse
import importlib.util
import resource
import time
import warnings
from pathlib import Path

import numpy as np
import torch
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
from skdyn.sequence._cde import CDENetwork
from skdyn.sequence._signature import signatures

EVERYTHING = ("time", "counts", "basepoint", "lead_lag")
PILES = {
    "first": ["times", "events", "BasicMotions", "ItalyPowerDemand"],
    "second": ["digits", "GunPoint", "ArrowHead", "OSULeaf", "PickupGestureWiimoteZ"],
}


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


class GRU:
    """The recurrent peer: values, what was seen and steps in, the last state out."""

    def __init__(self, seed, n_hidden=32, n_epochs=60):
        self.seed, self.n_hidden, self.n_epochs = seed, n_hidden, n_epochs

    def _read(self, X, t):
        longest = max(case.shape[1] for case in X)
        rows = np.zeros((len(X), longest, 2 * len(X[0]) + 1), dtype=np.float32)
        for row, case, times in zip(rows, X, t, strict=True):
            own = row[: len(times)]
            own[:, : len(case)] = np.nan_to_num((case.T - self.mean) / self.scale)
            own[:, len(case) : -1] = ~np.isnan(case.T)
            own[:, -1] = np.log1p(np.diff(times, prepend=times[0]) / self.step)
        return torch.from_numpy(rows), torch.tensor([case.shape[1] - 1 for case in X])

    def _scores(self, rows, last):
        return self.answer(self.cells(rows)[0][torch.arange(len(last)), last])

    def fit(self, X, y, t):
        self.mean = np.nanmean(np.concatenate(X, axis=1), axis=1)
        self.scale = np.nanstd(np.concatenate(X, axis=1), axis=1)
        self.step = np.median(np.concatenate([np.diff(times) for times in t]))
        self.classes, y = np.unique(y, return_inverse=True)
        torch.manual_seed(self.seed)
        (rows, last), y = self._read(X, t), torch.from_numpy(y)
        self.cells = torch.nn.GRU(rows.shape[2], self.n_hidden, batch_first=True)
        self.answer = torch.nn.Linear(self.n_hidden, len(self.classes))
        learned = [*self.cells.parameters(), *self.answer.parameters()]
        optimizer = torch.optim.Adam(learned, lr=0.01)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, self.n_epochs)
        for _ in range(self.n_epochs):
            for some in torch.randperm(len(y)).split(32):
                optimizer.zero_grad()
                scores = self._scores(rows[some], last[some])
                torch.nn.functional.cross_entropy(scores, y[some]).backward()
                torch.nn.utils.clip_grad_norm_(learned, 1.0)
                optimizer.step()
            schedule.step()
        return self

    @torch.no_grad()
    def score(self, X, y, t):
        return (self.classes[self._scores(*self._read(X, t)).argmax(dim=1)] == y).mean()


def trained_models(seed):
    return {
        "SSM": SSMClassifier(random_state=seed),
        "SSM, attention": SSMClassifier(readout="attention", random_state=seed),
        "neural CDE": NeuralCDEClassifier(random_state=seed),
        "GRU, masks and gaps": GRU(seed),
    }


def accuracy(options):
    """Print accuracies of features, in the mean over seeds."""
    _accuracies(options, models)


def trained(options):
    """Print accuracies of trained models, in the mean over seeds."""
    _accuracies(options, trained_models)


def _accuracies(options, models):
    for pile, names in PILES.items():
        names = [name for name in names if not options.sets or name in options.sets]
        names = [name for name in names if load(name, 0) is not None]
        if not names:
            continue
        print(f"\n{pile} pile: accuracy with all points / half of them")
        print(f"{'':24}" + "".join(f"{name[:14]:>15}" for name in names) + f"{'CPU s':>9}")
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
            print(f"{who:24}" + "".join(f"{cell:>15}" for cell in cells)
                  + f"{seconds:>9.1f}", flush=True)  # fmt: skip


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


def speed(options):
    """Print CPU seconds of signatures, the least of some runs."""
    X = np.random.default_rng(0).normal(size=(1000, 5, 100)).cumsum(axis=2) / 10
    plain = SignatureTransformer(4, augment=(), rescale=False).fit(X)
    runs = {"ours, from arrays to features": lambda: plain.transform(X)}
    for dtype in (np.float64, np.float32):
        steps = np.diff(X).astype(dtype)
        runs[f"ours, signatures alone, {dtype.__name__}"] = lambda steps=steps: [
            signatures(steps[k : k + 16], 4) for k in range(0, 1000, 16)
        ]
    try:
        import pysiglib

        paths = np.ascontiguousarray(X.transpose(0, 2, 1))
        runs["pysiglib"] = lambda: pysiglib.sig(paths, 4)
    except ImportError:
        print("pysiglib is not installed")
    print("\n1000 series of 100 points and 5 channels, depth 4: CPU s")
    least = dict.fromkeys(runs, np.inf)
    for _ in range(5):
        for name, run in runs.items():
            start = time.process_time()
            run()
            least[name] = min(least[name], time.process_time() - start)
    for name, seconds in least.items():
        print(f"{name:40}{seconds:8.3f}")


def steps(options):
    """Print the cost of training steps."""
    torch.set_num_threads(1)
    module = CDENetwork(7, 4, 32, (64,), "mlp", 4, "heun", 1e-3, 1e-4, 1000, "last", 0.0)
    field = module.field

    def plain(start, moves):
        z = module.start(start)
        for k in range(moves.shape[1]):

            def f(z, d=moves[:, k, :, None]):
                hidden = torch.nn.functional.silu(field.trunk[0](z))
                return (field.last(hidden).tanh().view(-1, 32, 7) @ d).squeeze(-1)

            first = f(z)
            z = z + (first + f(z + first)) / 2
        return module.readout.answer(z)

    start, moves = torch.randn(32, 7), torch.randn(32, 99, 7) / 10
    pieces, n_pieces = moves[:, :, None], torch.full((32,), 99)
    runs = {
        "neural CDE, ours": lambda: module(start, pieces, n_pieces),
        "neural CDE, a plain loop": lambda: plain(start, moves),
    }
    torch.testing.assert_close(*(run() for run in runs.values()))
    least = dict.fromkeys(runs, np.inf)
    for _ in range(8):
        for name, run in runs.items():
            begin = time.process_time()
            run().square().mean().backward()
            least[name] = min(least[name], time.process_time() - begin)
    print("\nforward and backward, 32 series of 100 points, 7 channels, 32 states: CPU s")
    for name, seconds in least.items():
        print(f"{name:40}{seconds:8.4f}")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    X = np.random.default_rng(0).normal(size=(8, 1, 10000))
    for t in (None, np.sort(np.random.default_rng(1).uniform(0, 1e4, (8, 10000)), axis=1)):
        begin = time.process_time()
        with warnings.catch_warnings(action="ignore"):
            SSMClassifier(max_iter=1).fit(X, np.arange(8) % 2, t=t)
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        which = "equal steps" if t is None else "own steps"
        seconds = time.process_time() - begin
        print(f"SSM, an epoch of 8 x 10000 points, {which:16}{seconds:8.2f} CPU s, "
              f"{most / 1024:.0f} MB more")  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="*", default=[], help="accuracy, trained, speed, steps")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--sets", nargs="*", default=[])
    chosen = parser.parse_args()
    parts = {"accuracy": accuracy, "trained": trained, "speed": speed, "steps": steps}
    for part in chosen.what or parts:
        parts[part](chosen)
