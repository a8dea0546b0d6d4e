"""Missing entries: errors and times of imputers, on columns of variance one.

Entries are taken away completely at random, the columns are standardized by what is left, and every
imputer fills the same gaps. "error" is the root mean square over the gaps, averaged over seeds.
Times are those of the processor, of ``fit_transform``, taken in turn, so that a slow moment of the
machine hits all alike: medians over seeds and rounds. "ratio" is the median of our time over
``KNNImputer``'s in the same round. Errors of digits above one come from pixels that are dark in
nearly every image.

Then every other column becomes categories: cut into four at its quartiles, in an order that says
nothing. "right" is the share of the gaps there that get the right one, beside the most frequent
one, and codes filled as numbers and rounded; "error" is that of the other columns.
"""

import time

import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer

from skdyn import HopfieldImputer

DATA = {
    "wine": load_wine,
    "cancer": load_breast_cancer,
    "diabetes": load_diabetes,
    "digits": load_digits,
}
IMPUTERS = {
    "Hopfield": HopfieldImputer,
    "KNN": KNNImputer,
    "Iterative": IterativeImputer,
    "Simple": SimpleImputer,
}


def add_arguments(parser):
    parser.add_argument("--on", nargs="+", choices=DATA, default=list(DATA), help="data sets")
    parser.add_argument("--shares", nargs="+", type=float, default=[0.1, 0.3, 0.5])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5, help="timings of each; Iterative has one")


def with_gaps(X, share, seed):
    """Return the truth and the data with gaps, both standardized by what is left."""
    gaps = np.random.default_rng(seed).random(X.shape) < share
    left = np.where(gaps, np.nan, X)
    scale = np.nanstd(left, axis=0)
    scale[~(scale > 0)] = 1
    offset = np.nan_to_num(np.nanmean(left, axis=0))
    return (X - offset) / scale, (left - offset) / scale, gaps


def compare(X, share, args):
    """Return errors (seeds, imputers) and times in milliseconds (runs, imputers)."""
    errors, times = [], []
    for seed in range(args.seeds):
        truth, left, gaps = with_gaps(X, share, seed)
        errors.append([])
        for run in range(args.rounds):
            times.append([])
            for name, imputer in IMPUTERS.items():
                if run and name == "Iterative":
                    times[-1].append(np.nan)
                    continue
                start = time.process_time()
                filled = imputer(keep_empty_features=True).fit_transform(left)
                times[-1].append(1e3 * (time.process_time() - start))
                if not run:
                    error = np.sqrt(np.mean((filled - truth)[gaps] ** 2))
                    errors[-1].append(error)
    return np.array(errors), np.array(times)


def with_categories(left, truth, seed):
    """Return the truth and the data with gaps, with every other column in quarters."""
    order = np.random.default_rng(seed).permutation(4)
    tables = []
    edges = np.nanquantile(left[:, ::2], [0.25, 0.5, 0.75], axis=0)
    for table in (truth, left):
        codes = (table[:, None, ::2] > edges).sum(axis=1)
        table = table.copy()
        table[:, ::2] = np.where(np.isnan(table[:, ::2]), np.nan, order[codes])
        tables.append(table)
    return tables


def compare_categories(X, share, args):
    """Return shares of right categories (seeds, 3) and errors of the numbers (seeds, 2)."""
    right, errors = [], []
    for seed in range(args.seeds):
        truth, left, gaps = with_gaps(X, share, seed)
        truth, left = with_categories(left, truth, seed)
        chosen = np.arange(X.shape[1]) % 2 == 0
        ours = HopfieldImputer(categorical_features=chosen, keep_empty_features=True)
        as_numbers = HopfieldImputer(keep_empty_features=True).fit_transform(left)
        mode = SimpleImputer(strategy="most_frequent", keep_empty_features=True)
        filled = [ours.fit_transform(left), mode.fit_transform(left), np.round(as_numbers)]
        asked = gaps[:, chosen]
        right.append([(each == truth)[:, chosen][asked].mean() for each in filled])
        off = [(each - truth)[:, ~chosen][gaps[:, ~chosen]] for each in (filled[0], as_numbers)]
        errors.append([np.sqrt(np.mean(np.square(each))) for each in off])
    return np.array(right), np.array(errors)


def run(args):
    fill_numbers(args)
    print(f"\n{'':15}{'right: ours       mode  as numbers':34} | {'error: ours as numbers'}")
    for dataset in args.on:
        X = DATA[dataset]().data.astype(float)
        for share in args.shares:
            right, errors = (each.mean(axis=0) for each in compare_categories(X, share, args))
            told = "".join(f"{value:>11.3f}" for value in right)
            print(f"{dataset:9}{share:>5.0%} {told}  |" + "".join(f"{e:>11.3f}" for e in errors))


def fill_numbers(args):
    names = "".join(f"{name:>11}" for name in IMPUTERS)
    print(f"{'':15}{'root mean square error':44}   |   ms\n{'':15}{names}   |{names}{'ratio':>8}")
    for dataset in args.on:
        X = DATA[dataset]().data.astype(float)
        for share in args.shares:
            errors, times = compare(X, share, args)
            told = "".join(f"{error:>11.3f}" for error in errors.mean(axis=0))
            spent = "".join(f"{ms:>11.1f}" for ms in np.nanmedian(times, axis=0))
            ratio = np.median(times[:, 0] / times[:, 1])
            print(f"{dataset:9}{share:>5.0%} {told}   |{spent}{ratio:>8.2f}", flush=True)
