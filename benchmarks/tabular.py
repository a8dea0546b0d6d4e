"""The tabular neural ODEs beside what scikit-learn offers, on two piles of tables.

Two thirds of the rows are learned from; mean of ``--draws`` draws. Our defaults were chosen on the
first pile, the second was looked at once. All have their defaults; MLPs train until they converge.
Columns, and targets of regressors, are standardized for all. Seconds are those of the processor,
for a fit.

    python benchmarks/tabular.py classes first
    python benchmarks/tabular.py numbers second
    python benchmarks/tabular.py small
"""

import argparse
import statistics
import time
import warnings
import zlib

import numpy as np
import torch
from hopfield_piles import FIRST, FIRST_NUMBERS, SECOND, SECOND_NUMBERS
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from skdyn import NeuralODEClassifier, NeuralODERegressor

PILES = {
    "classes": {"first": FIRST, "second": SECOND},
    "numbers": {"first": FIRST_NUMBERS, "second": SECOND_NUMBERS},
}


def on_standard_targets(model):
    return TransformedTargetRegressor(model, transformer=StandardScaler())


MODELS = {
    "classes": {
        "neural ODE": NeuralODEClassifier(random_state=0),
        "alpha=2": NeuralODEClassifier(alpha=2.0, random_state=0),
        "MLP": MLPClassifier(max_iter=2000, random_state=0),
        "SVM": SVC(),
        "linear": LogisticRegression(max_iter=1000),
        "forest": RandomForestClassifier(random_state=0),
    },
    "numbers": {
        "neural ODE": NeuralODERegressor(random_state=0),
        "alpha=2": NeuralODERegressor(alpha=2.0, random_state=0),
        "MLP": on_standard_targets(MLPRegressor(max_iter=2000, random_state=0)),
        "SVM": on_standard_targets(SVR()),
        "linear": Ridge(),
        "forest": RandomForestRegressor(random_state=0),
    },
}


def judged(model, draw, name, args):
    """Return score, log-loss (NaN where there is none) and seconds, means of all draws."""
    found = []
    for number in range(args.draws):
        rng = np.random.default_rng([zlib.crc32(name.encode()), args.seed, number])
        X, y = draw(rng)
        strata = y if args.kind == "classes" else None
        X, X_test, y, y_test = train_test_split(
            X, y, test_size=1 / 3, random_state=number, stratify=strata
        )
        scaler = StandardScaler().fit(X)
        start = time.process_time()
        model.fit(scaler.transform(X), y)
        seconds = time.process_time() - start
        asked, loss = scaler.transform(X_test), np.nan
        if hasattr(model, "predict_proba"):
            loss = log_loss(y_test, model.predict_proba(asked), labels=model.classes_)
        found.append((model.score(asked, y_test), loss, seconds))
    return [statistics.mean(values) for values in zip(*found, strict=True)]


def compare(args):
    models = MODELS[args.kind]
    models = {name: models[name] for name in args.models or models}
    print(f"{'score | log-loss | seconds':28}" + "".join(f"{name:>22}" for name in models))
    rows = []
    for name, draw in PILES[args.kind][args.pile].items():
        rows.append([judged(model, draw, name, args) for model in models.values()])
        show(name, rows[-1])
    show("mean", np.mean(rows, axis=0))


def show(name, cells):
    texts = (f"{score:.3f} {loss:6.3f} {seconds:6.2f}" for score, loss, seconds in cells)
    print(f"{name:28}" + "".join(f"{text:>22}" for text in texts), flush=True)


def small(args):
    """Time a short fit of few rows beside an MLP's, in turn."""
    rng = np.random.default_rng(args.seed)
    X = rng.normal(size=(200, 5))
    y = np.sin(X[:, 0]) + X[:, 1] * X[:, 2]

    def seconds(model):
        start = time.process_time()
        model.fit(X, y)
        return time.process_time() - start

    for epochs in ({"max_iter": 20}, {}):
        ours = NeuralODERegressor(random_state=0, **epochs)
        theirs = MLPRegressor(random_state=0, **epochs)
        pairs = [(seconds(ours), seconds(theirs)) for _ in range(8)][1:]
        ratio = statistics.median(a / b for a, b in pairs)
        print(f"200 rows of 5 columns, {epochs or 'defaults'}: {ratio:.1f} times an MLP's")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=[*PILES, "small"])
    parser.add_argument("pile", choices=["first", "second"], nargs="?", default="first")
    parser.add_argument("--draws", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--models", nargs="*", help="of the table's columns")
    args = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    small(args) if args.kind == "small" else compare(args)


if __name__ == "__main__":
    main()
