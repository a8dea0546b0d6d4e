"""Bags of instances: areas under the ROC curve and times of a fit, on data generated and from disk.

Every model sees the same stratified folds; "AUC" is the mean over folds and seeds, "least" the mean
of the worst seed. "statistics" are minimum, mean and maximum of each feature over a bag,
standardized. "attention" is the usual layer of attention over embedded instances (Ilse, Tomczak,
Welling, ICML 2018) in plain torch; "hopfield-layers" is its authors' pooling, where that is
installed. "Hopfield pooling" chooses among the three embeddings named below it. Settings were
chosen with these data in view, MUSK-1 included.

``--data`` takes tables without a header, or folders of them: the label, the number of the bag, then
the features. A bag is positive where an instance of it is. ``--most-bags`` draws some of the bags
of a larger set, for a shorter run.
"""

import importlib.util
import time
from pathlib import Path

import numpy as np
import torch
from hopfield_wide_bags import wide_bags
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_digits
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from skdyn import HopfieldPoolingClassifier
from skdyn.datasets import make_bags


def add_arguments(parser):
    parser.add_argument(
        "--data", nargs="*", type=Path, default=[], help="tables of bags, or folders"
    )
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--folds", type=int, default=10)
    parser.add_argument("--models", nargs="+", choices=models(0), default=list(models(0)))
    parser.add_argument("--most-bags", type=int, help="of a table")
    parser.add_argument("--wide", action="store_true", help="few bags of many columns, too")
    parser.add_argument("--skip-generated", action="store_true", help="only the tables of --data")


def of_bags(X):
    return np.array([np.r_[bag.min(axis=0), bag.mean(axis=0), bag.max(axis=0)] for bag in X])


class AttentionMIL(ClassifierMixin, BaseEstimator):
    """A bag at a time: embed, weigh, average, read out."""

    def __init__(self, width=64, epochs=100, seed=0):
        self.width, self.epochs, self.seed = width, epochs, seed

    def fit(self, X, y):
        torch.manual_seed(self.seed)
        self.classes_ = np.unique(y)
        self.scaler = StandardScaler().fit(np.concatenate(X))
        n, width = X[0].shape[1], self.width
        self.embed = torch.nn.Sequential(torch.nn.Linear(n, width), torch.nn.ReLU())
        self.weigh = torch.nn.Sequential(
            torch.nn.Linear(width, width), torch.nn.Tanh(), torch.nn.Linear(width, 1)
        )
        self.read = torch.nn.Linear(width, 1)
        layers = torch.nn.ModuleList([self.embed, self.weigh, self.read])
        layers.extend(filter(None, [getattr(self, "_pool", None)]))
        optimizer = torch.optim.Adam(layers.parameters(), lr=1e-3, weight_decay=1e-3)
        bags, labels = self._tensors(X), torch.as_tensor(y, dtype=torch.float32)
        for _ in range(self.epochs):
            for number in torch.randperm(len(bags)):
                optimizer.zero_grad()
                loss = torch.nn.functional.binary_cross_entropy_with_logits(
                    self._score(bags[number]), labels[number]
                )
                loss.backward()
                optimizer.step()
        return self

    @torch.no_grad()
    def decision_function(self, X):
        return np.array([float(self._score(bag)) for bag in self._tensors(X)])

    def _tensors(self, X):
        return [torch.tensor(self.scaler.transform(bag), dtype=torch.float32) for bag in X]

    def _score(self, bag):
        embedded = self.embed(bag)
        weights = torch.softmax(self.weigh(embedded), dim=0)
        return self.read((weights * embedded).sum(dim=0))[0]


class HopfieldLayers(AttentionMIL):
    """The same, with the pooling of hopfield-layers in the place of the attention."""

    def fit(self, X, y):
        from hflayers import HopfieldPooling

        self._pool = HopfieldPooling(input_size=self.width, quantity=1)
        return super().fit(X, y)

    def _score(self, bag):
        return self.read(self._pool(self.embed(bag)[None])[0])[0]


def models(seed):
    statistics = FunctionTransformer(of_bags), StandardScaler()
    named = {"Hopfield pooling": HopfieldPoolingClassifier(random_state=seed)}
    for embedding in ("likeness", "features", "trained"):
        named[embedding] = HopfieldPoolingClassifier(embedding=embedding, random_state=seed)
    named["likeness alone, as before"] = HopfieldPoolingClassifier(
        embedding="likeness", n_models=1, clip=None, alpha=2.0, random_state=seed
    )
    named["statistics + SVC"] = make_pipeline(*statistics, SVC())
    named["statistics + forest"] = make_pipeline(
        *statistics, RandomForestClassifier(300, random_state=seed)
    )
    named["statistics + extra trees"] = make_pipeline(
        *statistics, ExtraTreesClassifier(300, random_state=seed)
    )
    named["attention, torch"] = AttentionMIL(seed=seed)
    if importlib.util.find_spec("hflayers"):
        named["hopfield-layers"] = HopfieldLayers(seed=seed)
    return named


def bags_of_digits(digit, n_bags=150, seed=0):
    """Bags of 5 to 13 images; a bag is positive when one or two of them show a certain digit.

    No image is in two bags, so that none is known from training.
    """
    rng = np.random.default_rng(seed)
    images, digits = load_digits(return_X_y=True)
    order = rng.permutation(len(images))
    shown = iter(order[digits[order] == digit])
    others = iter(order[digits[order] != digit])
    y = rng.permutation(np.arange(n_bags) % 2)
    X = []
    for positive in y:
        size, n_shown = rng.integers(5, 14), rng.integers(1, 3) if positive else 0
        chosen = [next(shown) for _ in range(n_shown)]
        X.append(images[chosen + [next(others) for _ in range(size - n_shown)]])
    return X, y


def tables(paths):
    for path in paths:
        yield from sorted(path.glob("*.csv*")) if path.is_dir() else [path]


def from_disk(path, most_bags):
    table = np.loadtxt(path, delimiter=",")
    bags = [table[table[:, 1] == number] for number in np.unique(table[:, 1])]
    X = [bag[:, 2:] for bag in bags]
    y = np.array([bag[:, 0].max() for bag in bags]).astype(int)
    if most_bags is None or most_bags >= len(X):
        return X, y
    some, _ = train_test_split(range(len(X)), train_size=most_bags, stratify=y, random_state=0)
    return [X[i] for i in some], y[some]


def data(args):
    if not args.skip_generated:
        yield "make_bags", make_bags(random_state=0)[:2]
        yield "make_bags, close", make_bags(200, separation=0.7, random_state=0)[:2]
        yield "digits, is there an 8", bags_of_digits(8)
    if args.wide:
        yield from wide_bags()
    for path in tables(args.data):
        yield path.name.split(".")[0], from_disk(path, args.most_bags)


def scored(model, X, y, train, test):
    """Return the AUC and the seconds of the fit."""
    start = time.perf_counter()
    model.fit([X[i] for i in train], y[train])
    spent = time.perf_counter() - start
    bags = [X[i] for i in test]
    if hasattr(model, "decision_function"):
        return roc_auc_score(y[test], model.decision_function(bags)), spent
    return roc_auc_score(y[test], model.predict_proba(bags)[:, 1]), spent


def run(args):
    print(f"{'data':24}{'model':28}{'AUC':>8}{'least':>8}{'seconds a fit':>16}")
    for name, (X, y) in data(args):
        for model in args.models:
            areas, times = [], []
            for seed in range(args.seeds):
                folds = StratifiedKFold(args.folds, shuffle=True, random_state=seed).split(y, y)
                runs = [scored(models(seed)[model], X, y, *fold) for fold in folds]
                areas.append(np.mean([area for area, _ in runs]))
                times += [spent for _, spent in runs]
            print(f"{name:24}{model:28}{np.mean(areas):8.3f}{min(areas):8.3f}"
                  f"{np.median(times):16.3f}", flush=True)  # fmt: skip
