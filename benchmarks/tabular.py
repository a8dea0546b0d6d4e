"""The tabular neural ODEs beside what scikit-learn offers, with everybody's defaults.

Mean score over five folds (R2, accuracy) and seconds to fit and score them, on tables that come
with scikit-learn. The others get a StandardScaler in front where they need one; ours scales inside.
Our defaults (alpha, learning rate, first weights) were chosen on these very data sets, so the table
says that they are reasonable, not how they rank on new data.

    python benchmarks/tabular.py
"""

import argparse
import time
import warnings

import torch
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
    make_friedman1,
)
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from skdyn import NeuralODEClassifier, NeuralODERegressor


def friedman(return_X_y):
    return make_friedman1(500, noise=1.0, random_state=0)


def scaled(model):
    return make_pipeline(StandardScaler(), model)


REGRESSION = [load_diabetes, friedman]
CLASSIFICATION = [load_iris, load_wine, load_breast_cancer, load_digits]
REGRESSORS = {
    "NeuralODERegressor": NeuralODERegressor(random_state=0),
    "MLPRegressor": scaled(MLPRegressor(max_iter=500, random_state=0)),
    "Ridge": scaled(Ridge()),
    "SVR": scaled(SVR()),
    "HistGradientBoosting": HistGradientBoostingRegressor(random_state=0),
}
CLASSIFIERS = {
    "NeuralODEClassifier": NeuralODEClassifier(random_state=0),
    "MLPClassifier": scaled(MLPClassifier(max_iter=500, random_state=0)),
    "LogisticRegression": scaled(LogisticRegression(max_iter=1000)),
    "SVC": scaled(SVC()),
    "HistGradientBoosting": HistGradientBoostingClassifier(random_state=0),
}


def table(datasets, models, folds):
    names = [load.__name__.removeprefix("load_") for load in datasets]
    print(f"\n{'':24}" + "".join(f"{name:>22}" for name in names) + f"{'mean':>9}")
    for name, model in models.items():
        cells, scores = [], []
        for load in datasets:
            X, y = load(return_X_y=True)
            start = time.perf_counter()
            scores.append(cross_val_score(model, X, y, cv=folds).mean())
            cells.append(f"{scores[-1]:>13.3f} ({time.perf_counter() - start:>4.1f} s)")
        print(
            f"{name:24}" + "".join(f"{c:>22}" for c in cells) + f"{sum(scores) / len(scores):>9.3f}"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=0, help="of the folds")
    seed = parser.parse_args().seed
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    table(REGRESSION, REGRESSORS, KFold(5, shuffle=True, random_state=seed))
    table(CLASSIFICATION, CLASSIFIERS, StratifiedKFold(5, shuffle=True, random_state=seed))


if __name__ == "__main__":
    main()
