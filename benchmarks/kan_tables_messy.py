"""KANs on messy tables: categories, missing values, effects known to rise; peers in the same run.

Score: R2, of classes the share of the log-loss of their frequencies that is explained; new rows,
mean over seeds. CPU seconds of fit on one thread. "told" is what knows where effects rise or fall;
a table that does not have them leaves it out. Tables of statsmodels are there if that is installed.
"""

import argparse
import importlib.util
import statistics
import time
import warnings

import numpy as np
import pandas as pd
import torch
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.datasets import make_friedman1, make_friedman2, make_friedman3
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegressionCV, RidgeCV
from sklearn.metrics import d2_log_loss_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skdyn import KANClassifier, KANRegressor

N_TRAIN, N_TEST = 500, 2000


def with_gaps(X, share, rng):
    return X.mask(rng.random(X.shape) < share)


def friedman(make, share, **options):
    def table(rng):
        X, y = make(N_TRAIN + N_TEST, random_state=rng.integers(2**31), **options)
        X = pd.DataFrame(X).add_prefix("x")
        return with_gaps(X, share, rng), y

    return table


def telling_gaps(rng):
    """Two of five numbers are missing where they are large, and that is all there is of them."""
    X = pd.DataFrame(rng.uniform(0, 1, (N_TRAIN + N_TEST, 5))).add_prefix("x")
    y = 3 * X["x0"] + 2 * X["x1"] + np.sin(6 * X["x2"]) + 0.3 * rng.normal(size=len(X))
    for name in ("x0", "x1"):
        X[name] = X[name].where(X[name] < 0.6)
    return X, y.to_numpy()


def levels(counts, interact=False, size=1.0):
    """Effects of levels, some of them rare; a slope that goes with one of them, if asked for."""

    def table(rng):
        n = N_TRAIN + N_TEST
        X = pd.DataFrame(rng.normal(size=(n, 3))).add_prefix("x")
        y = np.sin(2 * X["x0"]) + 0.5 * X["x1"] ** 2 + 0.4 * rng.normal(size=n)
        for place, count in enumerate(counts):
            code = rng.choice(count, n, p=rng.dirichlet(np.full(count, 2.0)))
            y = y + size * rng.normal(size=count)[code]
            if interact and place == 0:
                y = y + rng.normal(size=count)[code] * X["x2"]
            X[f"level{place}"] = pd.Categorical(code.astype(str))
        return X, y.to_numpy()

    return table


def rising(noise, classes=False):
    """Effects that rise or fall, steep in places and flat in others, under noise."""

    def table(rng):
        n = N_TRAIN + N_TEST
        X = pd.DataFrame(rng.uniform(-1, 1, (n, 6))).add_prefix("x")
        y = np.tanh(6 * X["x0"]) + np.exp(X["x1"]) - 2 * X["x2"].clip(lower=0)
        y = y + X["x0"] * (X["x3"] > 0) + np.sin(3 * X["x4"])
        y = (y + noise * y.std() * rng.normal(size=n)).to_numpy()
        return X, (y > np.median(y)).astype(int) if classes else y

    return table


def wages(rng):
    """Wages rise with schooling, differ by trade and town, and experience is often unknown."""
    n = N_TRAIN + N_TEST
    years, school = rng.uniform(0, 40, n), rng.integers(6, 20, n).astype(float)
    trade, town = rng.choice(8, n), rng.choice(40, n)
    log = 0.08 * school + 0.04 * years - 0.0006 * years**2 + 0.3 * rng.normal(size=8)[trade]
    log = log + 0.15 * rng.normal(size=40)[town] + 0.3 * rng.normal(size=n)
    X = pd.DataFrame({"years": years, "school": school, "trade": trade.astype(str),
                      "town": town.astype(str)})  # fmt: skip
    X["years"] = X["years"].mask(rng.random(n) < 0.3)
    return X.astype({"trade": "category", "town": "category"}), np.exp(log)


def prices(rng):
    """Prices of houses: a sum in logarithms, in many towns; ages are often unknown."""
    n = N_TRAIN + N_TEST
    area, age = rng.uniform(20, 200, n), rng.uniform(0, 100, n)
    kind, town = rng.choice(6, n), rng.choice(40, n)
    log = 0.01 * area - 0.01 * age + 0.00008 * age**2 + 0.3 * rng.normal(size=n)
    log = log + 0.3 * rng.normal(size=6)[kind] + 0.3 * rng.normal(size=40)[town]
    X = pd.DataFrame({"area": area, "age": age, "kind": kind, "town": town})
    X["age"] = X["age"].mask(rng.random(n) < 0.3)
    return X.astype({"kind": "category", "town": "category"}), np.exp(log)


def loans(rng):
    """Who pays back: rises with income, falls with debt, by purpose; debt is missing for some."""
    n = N_TRAIN + N_TEST
    X = pd.DataFrame({"income": rng.lognormal(0, 0.5, n), "debt": rng.uniform(0, 2, n)})
    X["age"], X["purpose"] = rng.uniform(20, 70, n), rng.choice(list("abcdefgh"), n)
    effect = dict(zip("abcdefgh", rng.normal(size=8), strict=True))
    odds = 2 * np.log(X["income"]) - 1.5 * X["debt"] + X["purpose"].map(effect)
    odds = odds - ((X["age"] - 45) / 15) ** 2 + 2
    unknown = rng.random(n) < 0.2
    y = (odds - unknown + rng.logistic(size=n) > 0).astype(int)
    X["debt"] = X["debt"].mask(unknown)
    return X.astype({"purpose": "category"}), y.to_numpy()


def modechoice(rng):
    from statsmodels.datasets import modechoice as source

    data = source.load_pandas().data
    kept = data[["mode", "ttme", "invc", "invt", "gc", "hinc", "psize"]]
    return kept.astype({"mode": "category"}), data["choice"].astype(int).to_numpy()


def fair(rng):
    from statsmodels.datasets import fair as source

    data = source.load_pandas().data.sample(2500, random_state=int(rng.integers(2**31)))
    X = data.drop(columns="affairs").astype({"occupation": "category",
                                             "occupation_husb": "category"})  # fmt: skip
    return X, (data["affairs"] > 0).astype(int).to_numpy()


def of_statsmodels(name, target, is_classes=False):
    """Return a set that statsmodels brings, at most as many rows as of the others."""

    def table(rng):
        import statsmodels.datasets

        data = getattr(statsmodels.datasets, name).load_pandas().data
        if len(data) > N_TRAIN + N_TEST:
            data = data.sample(N_TRAIN + N_TEST, random_state=int(rng.integers(2**31)))
        y = data[target].astype(int if is_classes else float).to_numpy()
        return data.drop(columns=target).astype(float), y

    return table


# name: table, columns in which effects are known to rise or fall
TABLES = {
    "development": {
        "friedman1, 30 % missing": (friedman(make_friedman1, 0.3, noise=1.0), {"x3": 1, "x4": 1}),
        "gaps that tell": (telling_gaps, None),
        "5, 12 and 30 levels": (levels((5, 12, 30)), None),
        "levels that say little": (levels((40, 60), size=0.1), None),
        "slopes by level": (levels((6, 4), interact=True), None),
        "prices": (prices, {"area": 1}),
        "rising, noise": (rising(0.7), {"x0": 1, "x1": 1, "x2": -1}),
        "rising, classes": (rising(0.3, classes=True), {"x0": 1, "x1": 1, "x2": -1}),
        "wages": (wages, {"school": 1}),  # of the second pile, until it was looked at twice
    },
    "second": {
        "friedman2, 20 % missing": (friedman(make_friedman2, 0.2, noise=50.0), None),
        "friedman3, 20 % missing": (friedman(make_friedman3, 0.2, noise=0.1), None),
        "100 levels": (levels((100,)), None),
        "loans": (loans, {"income": 1, "debt": -1}),
    },
    "third": {},  # looked at once, 2026-11-30
}  # fmt: skip
if importlib.util.find_spec("statsmodels"):
    TABLES["development"]["modechoice"] = modechoice, {"ttme": -1, "gc": -1}
    TABLES["second"]["fair"] = fair, {"rate_marriage": -1, "religious": -1}
    TABLES["third"] |= {
        "visits": (of_statsmodels("randhie", "mdvis"), None),  # of doctors: counts, some large
        "votes": (of_statsmodels("anes96", "vote", is_classes=True), None),
        "spending": (of_statsmodels("ccard", "AVGEXP"), None),  # its noise grows; 50 rows
        "food": (of_statsmodels("engel", "foodexp"), {"income": 1}),  # its noise grows
    }


def linear(model):
    """One-hot levels; missing numbers by their means and a column that tells so."""
    numbers = make_pipeline(SimpleImputer(add_indicator=True), StandardScaler())
    rest = OneHotEncoder(handle_unknown="ignore")
    is_category = make_column_selector(dtype_include="category")
    is_number = make_column_selector(dtype_exclude="category")
    return make_pipeline(make_column_transformer((numbers, is_number), (rest, is_category)), model)


def contestants(is_classes, known):
    """Return models by name; the last two are told what is known."""
    kan = KANClassifier if is_classes else KANRegressor
    boosting = HistGradientBoostingClassifier if is_classes else HistGradientBoostingRegressor
    penalties = np.logspace(-3, 3, 13)
    plain = (
        LogisticRegressionCV(use_legacy_attributes=False, l1_ratios=(0,), scoring="neg_log_loss")
        if is_classes else RidgeCV(penalties)
    )  # fmt: skip
    return {
        "KAN": kan(random_state=0),
        "KAN additive": kan(interaction_cst="no_interactions", random_state=0),
        "KAN adam": kan(optimizer="adam", random_state=0),
        "HGB": boosting(random_state=0),
        "linear": linear(plain),
        "KAN told": known and kan(monotonic_cst=known, random_state=0),
        "HGB told": known and boosting(monotonic_cst=known, random_state=0),
    }


def score(model, X, y):
    if hasattr(model, "predict_proba"):
        return d2_log_loss_score(y, model.predict_proba(X).clip(1e-6, 1))
    return model.score(X, y)


def run(pile, seeds, only):
    """Print scores of each table, and their means."""
    names = list(contestants(False, None))
    print(f"\n{pile:26}" + "".join(f"{name:>19}" for name in names), flush=True)
    found = {name: [] for name in names}
    for title, (make, known) in TABLES[pile].items():
        if only and title not in only:
            continue
        runs = {name: [] for name in names}
        for seed in range(seeds):
            rng = np.random.default_rng([seed, len(title)])
            X, y = make(rng)
            size = min(N_TRAIN, int(0.7 * len(X)))
            X, X_test, y, y_test = train_test_split(X, y, train_size=size, random_state=seed)
            for name, model in contestants(y.dtype.kind == "i", known).items():
                if model is None:
                    continue
                start = time.process_time()
                with warnings.catch_warnings(action="ignore"):
                    model.fit(X, y)
                    cost = time.process_time() - start
                    runs[name].append((score(model, X_test, y_test), cost))
        cells = ""
        for name, pairs in runs.items():
            if not pairs:
                cells += f"{'':19}"
                continue
            value, cost = (statistics.mean(part) for part in zip(*pairs, strict=True))
            found[name].append(value)
            cells += f"{value:>9.3f} ({cost:>5.1f} s)"
        print(f"{title:26}{cells}", flush=True)
    means = "".join(f"{statistics.mean(log):>9.3f}{'':10}" if log else f"{'':19}"
                    for log in found.values())  # fmt: skip
    print(f"{'mean':26}{means}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pile", nargs="+", choices=list(TABLES), default=["development"])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--only", nargs="+", help="names of tables")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for pile in options.pile:
        run(pile, options.seeds, options.only)


if __name__ == "__main__":
    main()
