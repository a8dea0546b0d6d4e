"""Outlier detectors on tables: areas under the curve, development data and data looked at once.

``novelty``: fit on 70 % of the ordinary rows, tell the rest from the outliers. ``contaminated``:
fit on ordinary rows with one in twenty outliers, and find these. ``labeled``: ``novelty`` with
twenty outliers known, ours with and without them, beside a forest of trees and an SVC on the same
labels.

Every data set says whether its columns share a unit. Where they do (pixels, coordinates), all
contestants get them as they are, ours with ``standardize=False``; elsewhere all get standardized
columns. "ours, default" standardizes everywhere. Where rows of ``fit`` are scored, neighbors and
densities leave the row itself out, as far as their interface allows. The defaults of
:class:`HopfieldOutlierDetector` were chosen on the first pile; the second was looked at once, at
the end (two sets of iris had been among those of a first trial of scales). Means of ``--draws``
draws.
"""

import argparse
import importlib.util
import time

import numpy as np
from sklearn.datasets import (
    load_breast_cancer,
    load_digits,
    load_iris,
    load_wine,
    make_circles,
    make_moons,
    make_swiss_roll,
)
from sklearn.ensemble import IsolationForest, RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KernelDensity, LocalOutlierFactor, NearestNeighbors
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, OneClassSVM

from skdyn import HopfieldOutlierDetector


class Nearest:
    """Minus the distance to the nearest stored row, or to the nearest other one."""

    def fit(self, X):
        self.X_, self.neighbors_ = X, NearestNeighbors(n_neighbors=2).fit(X)
        return self

    def score_samples(self, X):
        return -self.neighbors_.kneighbors(X)[0][:, int(X is self.X_)]


class Factor:
    """LocalOutlierFactor, which scores rows of ``fit`` otherwise than new ones."""

    def fit(self, X):
        self.X_, self.inside_ = X, LocalOutlierFactor().fit(X)
        self.new_ = LocalOutlierFactor(novelty=True).fit(X)
        return self

    def score_samples(self, X):
        return self.inside_.negative_outlier_factor_ if X is self.X_ else self.new_.score_samples(X)


class Pyod:
    """A detector of pyod, which scores rows of ``fit`` apart from new ones."""

    def __init__(self, module, name, **how):
        self.model_ = getattr(importlib.import_module(f"pyod.models.{module}"), name)(**how)

    def fit(self, X):
        self.X_ = X
        self.model_.fit(X)
        return self

    def score_samples(self, X):
        same = X is self.X_
        return -(self.model_.decision_scores_ if same else self.model_.decision_function(X))


def contestants(one_unit, seed):
    found = {
        "ours": HopfieldOutlierDetector(standardize=not one_unit),
        "ours, default": HopfieldOutlierDetector(),
        "LOF": Factor(),
        "IsolationForest": IsolationForest(random_state=seed),
        "KernelDensity": KernelDensity(),
        "1-NN": Nearest(),
        "OneClassSVM": OneClassSVM(),
    }
    if importlib.util.find_spec("pyod"):
        found |= {
            "KNN (pyod)": Pyod("knn", "KNN"),
            "INNE (pyod)": Pyod("inne", "INNE", random_state=seed),
            "GMM (pyod)": Pyod("gmm", "GMM", n_components=5, random_state=seed),
            "HBOS (pyod)": Pyod("hbos", "HBOS"),
            "ECOD (pyod)": Pyod("ecod", "ECOD"),
            "COPOD (pyod)": Pyod("copod", "COPOD"),
        }
    return found


# -- data: rows, which are outliers, whether columns share a unit ----------------------------------


def without_class(load, label, one_unit=False):
    def draw(rng):
        X, y = load(return_X_y=True)
        return X, y == label, one_unit

    return draw


def beside_noise(make, low, high):
    """Return ordinary rows with uniform noise in a box."""

    def draw(rng):
        X = make(rng)
        noise = rng.uniform(low, high, size=(len(X) // 3, X.shape[1]))
        return np.vstack([X, noise]), np.r_[np.zeros(len(X)), np.ones(len(noise))] > 0, True

    return draw


def moons(rng):
    return make_moons(600, noise=0.08, random_state=rng.integers(1000))[0]


def circles(rng):
    return make_circles(600, noise=0.05, factor=0.4, random_state=rng.integers(1000))[0]


def swiss_roll(rng):
    return make_swiss_roll(600, noise=0.3, random_state=rng.integers(1000))[0]


def unequal_clusters(rng):
    return np.vstack([rng.normal(0, 0.1, size=(300, 5)), rng.normal(3, 1, size=(300, 5))])


def three_clusters(rng):
    centers, sizes = rng.uniform(-4, 4, size=(3, 4)), [0.2, 0.5, 1.0]
    return np.vstack([rng.normal(c, s, size=(200, 4)) for c, s in zip(centers, sizes)])


def few_informative(n_columns, n_informative, wide):
    def draw(rng):
        X = rng.normal(size=(800, n_columns))
        X[600:, :n_informative] *= wide
        return X, np.arange(800) >= 600, True

    return draw


def broken_relations(rng):
    """Return columns that go together, and outliers in which they do not."""
    X = rng.normal(size=(800, 3)) @ rng.normal(size=(3, 10)) + 0.2 * rng.normal(size=(800, 10))
    X[600:] = rng.permuted(X[600:], axis=0)
    return X * 10.0 ** np.arange(-5, 5), np.arange(800) >= 600, False


def heavy_tails(rng):
    X = rng.standard_t(3, size=(800, 6)) * [1, 10, 100, 1, 10, 100]
    X[600:] += 4 * np.array([1, 10, 100, 1, 10, 100]) * rng.choice([-1, 1], size=(200, 6))
    return X, np.arange(800) >= 600, False


REAL = "digits", "wine", "cancer", "iris"
PILES = {
    "development": {
        "digits, 8": without_class(load_digits, 8, True),
        "digits, 1": without_class(load_digits, 1, True),
        "digits, 4": without_class(load_digits, 4, True),
        "wine, 0": without_class(load_wine, 0),
        "wine, 1": without_class(load_wine, 1),
        "wine, 2": without_class(load_wine, 2),
        "cancer, benign": without_class(load_breast_cancer, 1),
        "cancer, malignant": without_class(load_breast_cancer, 0),
        "moons": beside_noise(moons, -2.5, 3.0),
        "unequal clusters": beside_noise(unequal_clusters, -2.0, 6.0),
        "5 of 50 informative": few_informative(50, 5, 3),
        "broken relations": broken_relations,
    },
    "looked at once": {
        "digits, 0": without_class(load_digits, 0, True),
        "digits, 3": without_class(load_digits, 3, True),
        "digits, 9": without_class(load_digits, 9, True),
        "iris, setosa": without_class(load_iris, 0),
        "iris, versicolor": without_class(load_iris, 1),
        "iris, virginica": without_class(load_iris, 2),
        "circles": beside_noise(circles, -2.0, 2.0),
        "swiss roll": beside_noise(swiss_roll, -16.0, 24.0),
        "three clusters": beside_noise(three_clusters, -6.0, 6.0),
        "3 of 30 informative": few_informative(30, 3, 4),
        "heavy tails": heavy_tails,
    },
}


# -- tasks: rows to fit, rows to score, which of these are ordinary --------------------------------


def novelty(X, outlier, rng):
    ordinary = rng.permutation(np.flatnonzero(~outlier))
    known = ordinary[: int(0.7 * len(ordinary))]
    asked = np.setdiff1d(np.arange(len(X)), known)
    return X[known], X[asked], ~outlier[asked]


def contaminated(X, outlier, rng):
    ordinary, others = np.flatnonzero(~outlier), rng.permutation(np.flatnonzero(outlier))
    rows = rng.permutation(np.r_[ordinary, others[: max(5, len(ordinary) // 19)]])
    fitted = X[rows]
    return fitted, fitted, ~outlier[rows]


def areas(task, name, draw, n_draws):
    """Return the area under the curve of every contestant, and seconds."""
    found, seconds = {}, {}
    for seed in range(n_draws):
        rng = np.random.default_rng(seed)
        X, outlier, one_unit = draw(rng)
        fitted, asked, ordinary = task(X, outlier, rng)
        scaler = StandardScaler(with_mean=not one_unit, with_std=not one_unit).fit(fitted)
        same, fitted = asked is fitted, scaler.transform(fitted)
        asked = fitted if same else scaler.transform(asked)
        for contestant, model in contestants(one_unit, seed).items():
            start = time.perf_counter()
            scores = model.fit(fitted).score_samples(asked)
            seconds[contestant] = seconds.get(contestant, 0.0) + time.perf_counter() - start
            found.setdefault(contestant, []).append(roc_auc_score(ordinary, scores))
    return {contestant: np.mean(each) for contestant, each in found.items()}, seconds


def labeled_areas(name, draw, n_draws):
    """Return areas with twenty outliers known."""
    found = {}
    for seed in range(n_draws):
        rng = np.random.default_rng(seed)
        X, outlier, one_unit = draw(rng)
        fitted, asked, ordinary = novelty(X, outlier, rng)
        known = rng.permutation(np.flatnonzero(~ordinary))[:20]
        rest = np.setdiff1d(np.arange(len(asked)), known)
        scaler = StandardScaler(with_mean=not one_unit, with_std=not one_unit).fit(fitted)
        fitted, asked = scaler.transform(fitted), scaler.transform(asked)
        rows, y = np.vstack([fitted, asked[known]]), np.r_[np.ones(len(fitted)), -np.ones(20)]
        ours = HopfieldOutlierDetector(standardize=not one_unit)
        forest, machine = RandomForestClassifier(random_state=seed), SVC(class_weight="balanced")
        scores = {
            "ours": ours.fit(rows, y).score_samples(asked[rest]),
            "ours, unlabeled": ours.fit(fitted).score_samples(asked[rest]),
            "random forest": forest.fit(rows, y).predict_proba(asked[rest])[:, 1],
            "SVC": machine.fit(rows, y).decision_function(asked[rest]),
        }
        for contestant, each in scores.items():
            found.setdefault(contestant, []).append(roc_auc_score(ordinary[rest], each))
    return {contestant: np.mean(each) for contestant, each in found.items()}, {}


def table(pile, title, judge):
    print(f"\n{title}, {pile}")
    rows = {name: judge(name, draw) for name, draw in PILES[pile].items()}
    names = list(next(iter(rows.values()))[0])
    print(f"{'':22}" + "".join(f"{name:>17}" for name in names))
    for name, (found, _) in rows.items():
        print(f"{name:22}" + "".join(f"{found[each]:17.3f}" for each in names))
    means = [np.mean([found[each] for found, _ in rows.values()]) for each in names]
    ranks = np.mean(
        [np.argsort(np.argsort([-found[each] for each in names])) for found, _ in rows.values()],
        axis=0,
    )
    print(f"{'mean':22}" + "".join(f"{mean:17.3f}" for mean in means))
    print(f"{'mean rank':22}" + "".join(f"{rank + 1:17.1f}" for rank in ranks))
    if all(seconds for _, seconds in rows.values()):
        totals = [sum(seconds[each] for _, seconds in rows.values()) for each in names]
        print(f"{'seconds':22}" + "".join(f"{total:17.1f}" for total in totals), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks", nargs="*", default=["novelty", "contaminated", "labeled"])
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--piles", nargs="*", default=list(PILES))
    parser.add_argument("--generated", action="store_true", help="no table that is real")
    args = parser.parse_args()
    if args.generated:
        for pile in PILES.values():
            for name in [name for name in pile if name.startswith(REAL)]:
                del pile[name]
    for pile in args.piles:
        for task in args.tasks:
            if task == "labeled":
                table(pile, task, lambda name, draw: labeled_areas(name, draw, args.draws))
                continue
            how = {"novelty": novelty, "contaminated": contaminated}[task]
            table(pile, task, lambda name, draw, how=how: areas(how, name, draw, args.draws))


if __name__ == "__main__":
    main()
