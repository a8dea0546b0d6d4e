"""Kernels of wide networks beside the RBF kernel, forests and networks; Student-t processes.

    python benchmarks/kernels.py [formulas] [classes] [numbers] [heavy]

``formulas``: test error, over the spread, of Gaussian processes on smooth formulas, 200 rows to
learn from without noise, standardized. Ours is the one of six kernels, erf and sin with one to
three hidden layers and a variance for each column, with the best marginal likelihood on the rows to
learn from, each from two starts; the RBF kernel has a length for each column and three starts.
"MLP" is scikit-learn's, L-BFGS and two layers of 64.

``classes``, ``numbers``: mean score (accuracy, R2) of five folds on tables, columns standardized.
SVC and KernelRidge choose their constants in three inner folds: C or alpha for all, the width of
the RBF kernel, the depth of ours (1, 3) and which of the two kernels. Forests have their defaults.

``heavy``: minus the log-density of held-out values, in the mean over many small data sets, under a
Gaussian process and under the Student-t process with the same kernel, each with hyperparameters by
its own marginal likelihood: functions whose scale differs from set to set, noise with heavy tails,
and few rows of real tables.

Each has two piles of data. Defaults were chosen on the first one; the second was looked at once. It
needs ``pip install statsmodels`` for some tables of the second pile.
"""

import argparse
import statistics
import time
import warnings

import numpy as np
from scipy.special import jv
from scipy.stats import norm, t
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_wine,
    make_classification,
    make_friedman1,
    make_friedman2,
    make_friedman3,
    make_gaussian_quantiles,
    make_hastie_10_2,
    make_moons,
)
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
from sklearn.kernel_ridge import KernelRidge
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold, cross_val_score
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skdyn.kernels import NNGPKernel, NTKKernel, StudentTProcessRegressor

# name: formula, range of its variables, their number
FORMULAS = {
    "first": {
        "exp(sin(pi x) + y^2)": (lambda x, y: np.exp(np.sin(np.pi * x) + y**2), (-1, 1), 2),
        "(a + b) / (1 + a b)": (lambda a, b: (a + b) / (1 + a * b), (-0.9, 0.9), 2),
        "sin(3 x) cos(2 y)": (lambda x, y: np.sin(3 * x) * np.cos(2 * y), (-1, 1), 2),
        "exp(-t^2 / 2 s^2) / s": (lambda t, s: np.exp(-(t**2) / (2 * s**2)) / s, (1, 3), 2),
        "x y + z^2": (lambda x, y, z: x * y + z**2, (-1, 1), 3),
        "|1 - a e^(i (s - t))|": (
            lambda a, s, t: np.sqrt(1 + a**2 - 2 * a * np.cos(s - t)), (-1, 1), 3,
        ),
    },
    "second": {
        "J_x(y)": (lambda x, y: jv(x, y), (0.5, 6), 2),
        "1 / (1 + 4 x^2 + y^2)": (lambda x, y: 1 / (1 + 4 * x**2 + y**2), (-1, 1), 2),
        "tanh(3 x - 2 y)": (lambda x, y: np.tanh(3 * x - 2 * y), (-1, 1), 2),
        "log(x + y^2)": (lambda x, y: np.log(x + y**2), (0.2, 2), 2),
        "sin(x) + 7 sin(y)^2 + z^4 sin(x) / 10": (
            lambda x, y, z: np.sin(x) + 7 * np.sin(y) ** 2 + 0.1 * z**4 * np.sin(x), (-2, 2), 3,
        ),
        "x exp(-y) / (1 + z^2)": (lambda x, y, z: x * np.exp(-y) / (1 + z**2), (0, 2), 3),
    },
}  # fmt: skip


def formulas(options):
    """Print errors on smooth formulas."""
    for pile, functions in FORMULAS.items():
        print(f"\nformulas, {pile} pile: error / spread, median of {options.seeds} seeds (CPU s)")
        ratios = []
        for name, (function, (low, high), n_columns) in functions.items():
            logs, chosen = {}, []
            for seed in range(options.seeds):
                rows = np.random.default_rng(seed).uniform(low, high, (2, 1200, n_columns))[0]
                y = function(*rows.T)
                rows = (rows - rows[:200].mean(axis=0)) / rows[:200].std(axis=0)
                data = rows[:200], y[:200], rows[200:]
                for who, fit in (("RBF", by_rbf), ("ours", by_wide_networks), ("MLP", by_mlp)):
                    start = time.process_time()
                    found, what = fit(data, seed)
                    error = np.sqrt(np.mean((found - y[200:]) ** 2)) / y[200:].std()
                    logs.setdefault(who, []).append((error, time.process_time() - start))
                    chosen += [what] if what else []
            middle = {who: [statistics.median(v) for v in zip(*log, strict=True)]
                      for who, log in logs.items()}  # fmt: skip
            ratios.append(middle["ours"][0] / middle["RBF"][0])
            cells = "".join(f"{who} {e:.1e} ({s:5.1f})  " for who, (e, s) in middle.items())
            print(f"{name:38}{cells}ours / RBF {ratios[-1]:5.2f}  {' '.join(chosen)}", flush=True)
        print(f"ours / RBF: median {statistics.median(ratios):.2f}, largest {max(ratios):.2f}")


def by_rbf(data, seed):
    X, *_ = data
    kernels = [
        ConstantKernel(1.0, (1e-5, 1e8)) * RBF(np.full(X.shape[1], length), (1e-3, 1e3))
        for length in (0.5, 1.0, 3.0)
    ]
    return by_likelihood(kernels, data)[0], None


def by_wide_networks(data, seed):
    kernels = [
        NNGPKernel(depth, activation, input_var=np.full(data[0].shape[1], variance))
        for activation in ("erf", "sin")
        for depth in (1, 2, 3)
        for variance in (0.1, 1.0)
    ]
    found, kernel = by_likelihood(kernels, data)
    return found, f"{kernel.activation}-{kernel.depth}"


def by_likelihood(kernels, data):
    """Return predictions by the likeliest of kernels, and that kernel."""
    X, y, queries = data
    models = [GaussianProcessRegressor(kernel, normalize_y=True).fit(X, y) for kernel in kernels]
    best = max(models, key=lambda model: model.log_marginal_likelihood_value_)
    return best.predict(queries), best.kernel_


def by_mlp(data, seed):
    X, y, queries = data
    mean, spread = y.mean(), y.std()
    model = MLPRegressor(
        hidden_layer_sizes=(64, 64), solver="lbfgs", max_iter=5000, random_state=seed
    )
    return mean + spread * model.fit(X, (y - mean) / spread).predict(queries), None


def statsmodels_table(name, target, n_rows=600, above=None):
    """Return numeric columns of a data set of statsmodels, some of its rows by chance."""
    import statsmodels.api as sm

    frame = getattr(sm.datasets, name).load_pandas().data.dropna()
    frame = frame.sample(min(n_rows, len(frame)), random_state=0).select_dtypes("number")
    y = frame.pop(target).to_numpy()
    return frame.to_numpy(float), y if above is None else (y > above).astype(int)


def some(loaded, n_rows=500):
    """Return some rows of a data set by chance."""
    X, y = loaded
    chosen = np.random.default_rng(0).permutation(len(X))[:n_rows]
    return X[chosen], y[chosen]


CLASSES = {
    "first": {
        "iris": lambda: load_iris(return_X_y=True),
        "wine": lambda: load_wine(return_X_y=True),
        "cancer": lambda: load_breast_cancer(return_X_y=True),
        "digits": lambda: some(load_digits(return_X_y=True)),
        "made": lambda: make_classification(400, 20, n_informative=6, n_classes=3, random_state=0),
    },
    "second": {
        "moons": lambda: make_moons(400, noise=0.3, random_state=0),
        "hastie": lambda: make_hastie_10_2(500, random_state=0),
        "quantiles": lambda: make_gaussian_quantiles(n_samples=400, n_features=6, random_state=0),
        "fair": lambda: statsmodels_table("fair", "affairs", above=0),
        "anes96": lambda: statsmodels_table("anes96", "vote", above=0),
        "made": lambda: make_classification(
            400, 30, n_informative=12, n_redundant=4, flip_y=0.05, random_state=1
        ),
    },
}
NUMBERS = {
    "first": {
        "diabetes": lambda: load_diabetes(return_X_y=True),
        "friedman1": lambda: make_friedman1(300, noise=1.0, random_state=0),
        "friedman2": lambda: make_friedman2(300, noise=50.0, random_state=0),
    },
    "second": {
        "friedman3": lambda: make_friedman3(300, noise=0.1, random_state=0),
        "star98": lambda: statsmodels_table("star98", "NABOVE"),
        "randhie": lambda: statsmodels_table("randhie", "mdvis"),
        "engel": lambda: statsmodels_table("engel", "foodexp"),
    },
}


def searched(model, grid, prefix):
    """Return a model that chooses its settings in inner folds, behind a scaler."""
    grid = [{f"{prefix}__{name}": values for name, values in part.items()} for part in grid]
    return GridSearchCV(make_pipeline(StandardScaler(), model), grid, cv=3)


def wide(activation):
    return [cls(depth, activation) for cls in (NNGPKernel, NTKKernel) for depth in (1, 3)]


def table(piles, models, folds):
    for pile, loaders in piles.items():
        print(f"\n{pile} pile{'':15}" + "".join(f"{name:>11}" for name in loaders)
              + f"{'mean':>11}{'seconds':>9}")  # fmt: skip
        for name, model in models.items():
            start = time.perf_counter()
            scores = [cross_val_score(model, *load(), cv=folds).mean() for load in loaders.values()]
            cells = "".join(f"{score:>11.3f}" for score in [*scores, np.mean(scores)])
            print(f"{name:26}{cells}{time.perf_counter() - start:>9.0f}", flush=True)


def classes(options):
    """Print accuracies on tables."""
    C = [0.1, 1, 10, 100]
    models = {
        "SVC, relu": searched(SVC(), [{"kernel": wide("relu"), "C": C}], "svc"),
        "SVC, erf": searched(SVC(), [{"kernel": wide("erf"), "C": C}], "svc"),
        "SVC, relu as it comes": make_pipeline(StandardScaler(), SVC(kernel=NTKKernel())),
        "SVC, RBF": searched(SVC(), [{"gamma": ["scale", 0.01, 0.03, 0.1, 0.3], "C": C}], "svc"),
        "SVC, RBF as it comes": make_pipeline(StandardScaler(), SVC()),
        "random forest": RandomForestClassifier(random_state=0),
        "HistGradientBoosting": HistGradientBoostingClassifier(random_state=0),
    }
    table(CLASSES, models, StratifiedKFold(5, shuffle=True, random_state=0))


def numbers(options):
    """Print R2 on tables."""

    class Ridge(KernelRidge):
        """Kernel ridge regression of what is left of the mean."""

        def fit(self, X, y):
            self.mean_ = y.mean()
            return super().fit(X, y - self.mean_)

        def predict(self, X):
            return self.mean_ + super().predict(X)

    alpha = [0.01, 0.1, 1, 10, 100]
    widths = [0.003, 0.01, 0.03, 0.1, 0.3]
    erf = NNGPKernel(activation="erf", input_var=1.0) + WhiteKernel(0.1)
    rbf = ConstantKernel() * RBF() + WhiteKernel(0.1)

    def process(kernel):
        return make_pipeline(StandardScaler(), GaussianProcessRegressor(kernel, normalize_y=True))

    models = {
        "KernelRidge, relu": searched(Ridge(), [{"kernel": wide("relu"), "alpha": alpha}], "ridge"),
        "KernelRidge, erf": searched(Ridge(), [{"kernel": wide("erf"), "alpha": alpha}], "ridge"),
        "KernelRidge, RBF": searched(
            Ridge(kernel="rbf"), [{"gamma": widths, "alpha": [0.001, *alpha]}], "ridge"
        ),
        "GP, relu": process(NNGPKernel(2) + WhiteKernel(0.1)),
        "GP, erf": process(erf),
        "GP, RBF": process(rbf),
        "Student-t, erf": make_pipeline(StandardScaler(), StudentTProcessRegressor()),
        "random forest": RandomForestRegressor(random_state=0),
        "HistGradientBoosting": HistGradientBoostingRegressor(random_state=0),
    }
    table(NUMBERS, models, KFold(5, shuffle=True, random_state=0))


def functions_of_any_scale(noise):
    def draw(random_state, n):
        X = random_state.uniform(-2, 2, (n, 1))
        factors, waves = random_state.normal(size=(3, 1)), random_state.uniform(0, 2, (3, 1))
        y = (factors * np.sin(np.outer([[1.0], [2.0], [3.0]], X[:, 0]) + waves)).sum(axis=0)
        scale = np.exp(random_state.normal())
        return X, scale * (y + noise * random_state.normal(size=n))

    return draw


def heavy_noise(dof, formula):
    def draw(random_state, n):
        X = random_state.uniform(-2, 2, (n, 2))
        return X, formula(*X.T) + 0.3 * random_state.standard_t(dof, size=n)

    return draw


def few_rows(load):
    def draw(random_state, n):
        X, y = load()
        X = StandardScaler().fit_transform(X)
        chosen = random_state.choice(len(X), min(n, len(X)), replace=False)
        return X[chosen], y[chosen]

    return draw


HEAVY = {
    "first": {
        "scales, noise .1": functions_of_any_scale(0.1),
        "t noise, 3 dof": heavy_noise(3, lambda x, y: np.sin(2 * x) + y),
        "diabetes": few_rows(NUMBERS["first"]["diabetes"]),
        "friedman1": few_rows(NUMBERS["first"]["friedman1"]),
    },
    "second": {
        "scales, noise .3": functions_of_any_scale(0.3),
        "t noise, 2.5 dof": heavy_noise(2.5, lambda x, y: x * np.cos(y)),
        "star98": few_rows(NUMBERS["second"]["star98"]),
        "engel": few_rows(NUMBERS["second"]["engel"]),
    },
}


def heavy(options):
    """Print minus log-densities of held-out values, and the share that 95 % intervals cover."""
    for pile, draws in HEAVY.items():
        print(
            f"\nheavy, {pile} pile: NLL GP, Student-t, difference (s.e.); cover of 95 % intervals"
        )
        for name, draw in draws.items():
            for n in (8, 20, 60):
                found = np.array([
                    both_densities(draw(np.random.default_rng(seed), n + 100), n, options.nu)
                    for seed in range(options.sets)
                ])  # fmt: skip
                gaussian, student = found[:, 0, 0], found[:, 1, 0]
                gain = gaussian - student
                covers = found[:, :, 1].mean(axis=0)
                print(f"{name:18} n = {n:3} {gaussian.mean():10.3f} {student.mean():9.3f}"
                      f"{gain.mean():9.3f} ({gain.std() / len(gain) ** 0.5:.3f})"
                      f"   {covers[0]:.3f} {covers[1]:.3f}", flush=True)  # fmt: skip


def both_densities(data, n, nu):
    X, y = data
    center, spread = y[:n].mean(), y[:n].std()
    y = (y - center) / spread
    kernel = ConstantKernel() * RBF() + WhiteKernel(0.1, (1e-3, 1e2))
    found = []
    gaussian = GaussianProcessRegressor(kernel).fit(X[:n], y[:n])
    mean, std = gaussian.predict(X[n:], return_std=True)
    found.append(norm(mean, std))
    student = StudentTProcessRegressor(kernel, nu=nu, normalize_y=False).fit(X[:n], y[:n])
    mean, std = student.predict(X[n:], return_std=True)
    found.append(t(student.dof_, mean, std * np.sqrt((student.dof_ - 2) / student.dof_)))
    return [
        (-each.logpdf(y[n:]).mean(), ((y[n:] > each.ppf(0.025)) & (y[n:] < each.ppf(0.975))).mean())
        for each in found
    ]


PARTS = {"formulas": formulas, "classes": classes, "numbers": numbers, "heavy": heavy}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part", nargs="*", choices=PARTS, default=list(PARTS))
    parser.add_argument("--seeds", type=int, default=3, help="of the formulas")
    parser.add_argument("--sets", type=int, default=40, help="data sets of each kind")
    parser.add_argument("--nu", type=float, default=5.0, help="degrees of freedom")
    parser.add_argument("--pile", choices=["first", "second"], help="one of the two only")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    for piles in (FORMULAS, CLASSES, NUMBERS, HEAVY):
        for pile in [pile for pile in piles if options.pile and pile != options.pile]:
            del piles[pile]
    for part in options.part:
        PARTS[part](options)


if __name__ == "__main__":
    main()
