"""Classifiers and regressors on two piles of tables; time on digits, time and memory on large data.

``classes`` and ``numbers``: two thirds of the rows are learned from, mean of ``--draws`` draws. Our
defaults were chosen on the first pile, with other draws beside these; the second was looked at
once. All get the same standardized columns (ours standardize inside) and are used with their
defaults; SVR gets standardized targets, without which it is far worse. Seconds are those of the
processor, for a fit.

``speed``: fit and predict on digits with stored patterns beside brute-force neighbors, in turn.
``memory``: many stored patterns and queries, in a process of its own for each contestant.
"""

import argparse
import multiprocessing
import resource
import statistics
import time
import zlib

import numpy as np
import torch
from hopfield_piles import FIRST, FIRST_NUMBERS, SECOND, SECOND_NUMBERS
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_digits
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from skdyn import HopfieldClassifier, HopfieldRegressor

CLASSES = {"first": FIRST, "second": SECOND}
NUMBERS = {"first": FIRST_NUMBERS, "second": SECOND_NUMBERS}


def classifiers():
    return {
        "auto": HopfieldClassifier(random_state=0),
        "projected": HopfieldClassifier("projected", random_state=0),
        "stored": HopfieldClassifier("stored"),
        "SVC": SVC(),
        "forest": RandomForestClassifier(random_state=0),
        "neighbors": KNeighborsClassifier(),
        "logistic": LogisticRegression(max_iter=1000),
        "boosting": HistGradientBoostingClassifier(random_state=0),
    }


def regressors():
    return {
        "auto": HopfieldRegressor(random_state=0),
        "projected": HopfieldRegressor("projected", random_state=0),
        "stored": HopfieldRegressor("stored"),
        "SVR": TransformedTargetRegressor(SVR(), transformer=StandardScaler()),
        "forest": RandomForestRegressor(random_state=0),
        "neighbors": KNeighborsRegressor(),
        "ridge": RidgeCV(np.logspace(-3, 3, 13)),
        "boosting": HistGradientBoostingRegressor(random_state=0),
    }


def scores(model, draw, name, args, of_classes):
    """Return the score, the log-loss where there is one, and seconds, means of all draws."""
    found = []
    for number in range(args.draws):
        rng = np.random.default_rng([zlib.crc32(name.encode()), args.seed, number])
        X, y = draw(rng)
        strata = y if of_classes else None
        parts = train_test_split(X, y, test_size=1 / 3, random_state=number, stratify=strata)
        scaler = StandardScaler().fit(parts[0])
        inside, outside = (scaler.transform(part) for part in parts[:2])
        start = time.process_time()
        model.fit(inside, parts[2])
        seconds = time.process_time() - start
        loss = np.nan
        if hasattr(model, "predict_proba"):
            told = np.clip(model.predict_proba(outside), 1e-15, 1)
            loss = log_loss(parts[3], told, labels=model.classes_)
        found.append([model.score(outside, parts[3]), loss, seconds])
    return np.mean(found, axis=0)


def compare(piles, models, args, of_classes):
    for pile in args.piles:
        print(f"\n{f'{pile} pile':20}" + "".join(f"{name:>16}" for name in models))
        table = []
        for name, draw in piles[pile].items():
            row = [scores(m, draw, name, args, of_classes) for m in models.values()]
            table.append(row)
            cells = [f"{s:.3f} / {loss:.3f}" if of_classes else f"{s:.3f}" for s, loss, _ in row]
            print(f"{name:20}" + "".join(f"{cell:>16}" for cell in cells), flush=True)
        for what, numbers in zip(("mean", "log-loss", "seconds"), np.mean(table, axis=0).T):
            if of_classes or what != "log-loss":
                print(f"{what:20}" + "".join(f"{number:>16.4f}" for number in numbers))


def classes(args):
    compare(CLASSES, classifiers(), args, True)


def numbers(args):
    compare(NUMBERS, regressors(), args, False)


def speed(args):
    X, y = load_digits(return_X_y=True)
    train, test = slice(0, 1437), slice(1437, None)
    brute = KNeighborsClassifier(algorithm="brute")
    models = {
        "stored patterns": HopfieldClassifier("stored"),
        "neighbors, brute force": brute,
        "the same with a scaler": make_pipeline(StandardScaler(), brute),
    }
    times = {name: [] for name in models}
    for _ in range(args.rounds):
        for name, model in models.items():
            start = time.perf_counter(), time.process_time()
            model.fit(X[train], y[train]).predict(X[test])
            times[name].append((time.perf_counter() - start[0], time.process_time() - start[1]))
    print(f"\n{'fit + predict, digits':26}{'ms':>8}{'CPU ms':>8}{'ratio':>8}{'of CPU':>8}")
    medians = {n: [1e3 * statistics.median(v) for v in zip(*t)] for n, t in times.items()}
    for name, (wall, cpu) in medians.items():
        ratios = [ours / other for ours, other in zip(medians["stored patterns"], (wall, cpu))]
        print(f"{name:26}{wall:>8.1f}{cpu:>8.1f}{ratios[0]:>8.2f}{ratios[1]:>8.2f}")


def large(name, sizes, results):
    """Fit and predict in this process; report seconds and how far its memory grew."""
    torch.set_num_threads(1)
    n_patterns, n_queries, n_features = sizes
    rng = np.random.default_rng(0)
    means = 3 * rng.normal(size=(10, n_features))
    y = rng.integers(0, 10, n_patterns)
    X = means[y] / 2 + rng.normal(size=(n_patterns, n_features))
    truth = rng.integers(0, 10, n_queries)
    queries = means[truth] / 2 + rng.normal(size=(n_queries, n_features))
    index = {"faiss": "faiss"}.get(name, "exact")
    model = KNeighborsClassifier(algorithm="brute")
    if name != "neighbors":
        model = HopfieldClassifier("stored", index=index)
    HopfieldClassifier("stored").fit(X[:50], y[:50]).predict(X[:50])  # loads what is loaded once
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    model.fit(X, y)
    fitted = time.perf_counter()
    score = accuracy_score(truth, model.predict(queries))
    done = time.perf_counter()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    results.put((fitted - start, done - fitted, grown, score))


def memory(args):
    shape = " x ".join(map(str, args.sizes))
    print(f"\n{shape:24}{'fit s':>8}{'predict s':>11}{'more MB':>9}{'accuracy':>10}")
    context = multiprocessing.get_context("spawn")
    for name in args.contestants:
        results = context.Queue()
        process = context.Process(target=large, args=(name, args.sizes, results))
        process.start()
        fit, predict, grown, score = results.get(timeout=600)
        process.join()
        print(f"{name:24}{fit:>8.1f}{predict:>11.1f}{grown:>9.0f}{score:>10.3f}", flush=True)


PARTS = {"classes": classes, "numbers": numbers, "speed": speed, "memory": memory}


def add_arguments(parser: argparse.ArgumentParser):
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--piles", nargs="+", choices=CLASSES, default=list(CLASSES))
    parser.add_argument("--draws", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0, help="of the draws")
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--sizes", type=int, nargs=3, default=[100_000, 10_000, 64])
    parser.add_argument(
        "--contestants", nargs="+", choices=["stored", "faiss", "neighbors"],
        default=["stored", "neighbors"], help="of the memory; faiss needs the extra 'index'",
    )  # fmt: skip


def run(args):
    for part in args.parts:
        PARTS[part](args)
