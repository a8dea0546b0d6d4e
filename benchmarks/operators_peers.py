"""The models of ``operators.py``: ours, scikit-learn's, neuraloperator's and DeepXDE's.

Each is made by ``make_model(name, task, epochs, seed)`` and has ``fit`` and ``predict`` on arrays
``(n, channels, *grid)``. Those of other packages raise :class:`Missing` where these are not there.
"""

import math

import numpy as np
import torch
from operators_equations import LINEAR
from sklearn.base import BaseEstimator
from sklearn.compose import TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.dummy import DummyRegressor
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import skdyn
from skdyn import AutoregressiveOperator, FNORegressor
from skdyn.metrics import neg_relative_l2

BATCH, RATE, CHANNELS, LAYERS = 20, 6e-3, 32, 4
SQUARE = ("darcy16", "darcy32", "stirred", "helmholtz", "size64", "size128")  # others are lines
OPEN = ("darcy16", "darcy32", "helmholtz", "heat", "wave", "size64", "size128")  # others circles


def modes(task):
    return 8 if task in SQUARE else 16


class Missing(Exception):
    """A package that is compared with is not installed."""


class Flat:
    """A model of rows, given fields."""

    def __init__(self, model):
        self.model = model

    def fit(self, X, y):
        self.model.fit(X.reshape(len(X), -1), y.reshape(len(y), -1))

    def predict(self, X):
        return self.model.predict(X.reshape(len(X), -1))


class Steps:
    """A model of the next state, applied to its own answers; states ``(n, 1, times, *grid)``."""

    def __init__(self, model):
        self.model = model

    def fit(self, X, y):
        self.n_steps = y.shape[2]
        states = np.concatenate([X[:, :, None], y], axis=2).swapaxes(1, 2)
        pairs = (states[:, :-1], states[:, 1:])
        self.model.fit(*(np.ascontiguousarray(z.reshape(-1, *z.shape[2:])) for z in pairs))

    def predict(self, X):
        states = [X]
        for _ in range(self.n_steps):
            answer = np.asarray(self.model.predict(states[-1]), dtype=X.dtype)
            states.append(answer.reshape(X.shape))
        return np.stack(states[1:], axis=2)


class Rollout:
    """The same by our own stepper."""

    def __init__(self, model):
        self.model = model

    def fit(self, X, y):
        self.n_steps = y.shape[2]
        self.model.fit(np.concatenate([X[:, :, None], y], axis=2))

    def predict(self, X):
        return self.model.rollout(X, self.n_steps)


def kernel_ridge(task, epochs, seed):
    """Standardized inputs, and the best of twelve settings by three folds."""
    kernels = {
        "kernelridge__kernel": ["rbf", "laplacian"],
        "kernelridge__gamma": [1e-3, 3e-3, 1e-2],
        "kernelridge__alpha": [1e-4, 1e-2],
    }
    model = make_pipeline(StandardScaler(), KernelRidge())
    return Flat(GridSearchCV(model, kernels, cv=3, scoring=neg_relative_l2))


def mlp(task, epochs, seed):
    """Three hidden layers; everything standardized, targets by their principal components."""
    network = MLPRegressor(
        hidden_layer_sizes=(256, 256, 256),
        alpha=1.0,
        max_iter=200,
        random_state=seed,
    )
    inputs = make_pipeline(StandardScaler(), network)
    targets = make_pipeline(StandardScaler(), PCA(0.9999))
    return Flat(TransformedTargetRegressor(inputs, transformer=targets, check_inverse=False))


class TorchLoop:
    """The usual loop: AdamW, a cosine, relative L2 error; channels standardized."""

    def __init__(self, build, epochs, seed):
        self.build, self.epochs, self.seed = build, epochs, seed

    def fit(self, X, y):
        if y.ndim == 2:
            raise NotImplementedError("predicts functions, not numbers")
        torch.manual_seed(self.seed)
        axes = (0, *range(2, X.ndim))
        self.scales = [(z.mean(axes, keepdims=True), z.std(axes, keepdims=True)) for z in (X, y)]
        (mx, sx), (my, sy) = self.scales
        X, y, my, sy = (torch.from_numpy(z) for z in ((X - mx) / sx, y, my, sy))
        self.module = self.build(X)
        optimizer = torch.optim.AdamW(self.module.parameters(), lr=RATE, weight_decay=1e-4)
        steps = self.epochs * math.ceil(len(X) / BATCH)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        for _ in range(self.epochs):
            for rows in torch.randperm(len(X)).split(BATCH):
                optimizer.zero_grad()
                error = (self.module(X[rows]) * sy + my - y[rows]).flatten(1).norm(dim=1)
                (error / y[rows].flatten(1).norm(dim=1)).mean().backward()
                optimizer.step()
                schedule.step()

    @torch.no_grad()
    def predict(self, X):
        (mx, sx), (my, sy) = self.scales
        return self.module(torch.from_numpy((X - mx) / sx)).numpy() * sy + my


def neuralop_fno(task, epochs, seed):
    try:
        from neuralop.models import FNO
    except ImportError as error:
        raise Missing("neuraloperator") from error

    def build(X):
        both = (2 * modes(task),) * (X.ndim - 2)  # it counts negative frequencies, too
        coordinates = "grid" if task in OPEN else None
        return FNO(
            n_modes=both, in_channels=X.shape[1], out_channels=1, hidden_channels=CHANNELS,
            n_layers=LAYERS, positional_embedding=coordinates,
        )  # fmt: skip

    return TorchLoop(build, epochs, seed)


def deepxde_deeponet(task, epochs, seed):
    try:
        import deepxde
    except ImportError as error:
        raise Missing("deepxde") from error

    class OnGrid(torch.nn.Module):
        def __init__(self, X):
            super().__init__()
            n, grid = X[0].numel(), X.shape[2:]
            self.net = deepxde.nn.DeepONetCartesianProd(
                [n, 256, 256, 128], [len(grid), 128, 128, 128], "relu", "Glorot normal"
            )
            axes = [torch.linspace(0, 1, points) for points in grid]
            mesh = torch.meshgrid(*axes, indexing="ij")
            self.points = torch.stack(mesh, -1).reshape(-1, len(grid))

        def forward(self, X):
            return self.net((X.flatten(1), self.points)).reshape(X[:, :1].shape)

    return TorchLoop(OnGrid, 5 * epochs, seed)  # its steps are cheap


def fno(task, epochs, seed, **parameters):
    return FNORegressor(
        modes(task), hidden_channels=CHANNELS, n_layers=LAYERS, periodic=task not in OPEN,
        max_iter=epochs, learning_rate=RATE, batch_size=BATCH, random_state=seed, **parameters,
    )  # fmt: skip


# Chosen by the error on 200 training fields of the bundled data, and on 200 fields each of other
# piecewise ground and other Burgers waves. The symmetries are those of the equation on its domain;
# the bundled fields lack their last row and column, so that reflections are none of theirs.
SETTINGS = {
    "darcy16": {"n_modes": 3, "local_size": 3, "symmetry": "exchange"},
    "darcy32": {"n_modes": 8, "local_size": 3, "symmetry": "both", "learning_rate": 0.009},
    "burgers": {"n_modes": 24, "symmetry": "odd"},
    "energy": {"n_modes": 24, "symmetry": "even"},
    "rollout": {"symmetry": "odd"},
}


def chosen_fno(task, epochs, seed):
    """Settings that suit the equation, and as many epochs."""
    if task not in SETTINGS:
        raise NotImplementedError("nothing was chosen for this task")
    return fno(task, epochs, seed).set_params(**SETTINGS[task])


def ours(name):
    """Another estimator of ours, with its defaults."""

    def make(task, epochs, seed):
        cls = getattr(skdyn, name)
        known = {"random_state": seed, "periodic": task not in OPEN}
        taken = cls().get_params()
        return cls(**{key: value for key, value in known.items() if key in taken})

    return make


def kernels(task, epochs, seed):
    """Closed form; twice the usual waves and the symmetries that the chosen network is told."""
    model = ours("KernelOperatorRegressor")(task, epochs, seed)
    if task in SETTINGS:
        model.set_params(symmetry=SETTINGS[task]["symmetry"], n_waves=1600)
    return model


def kernels_of_two(**parameters):
    """Told apart, or told what answers are linear in."""

    def make(task, epochs, seed):
        if task not in LINEAR:
            raise NotImplementedError("for equations that are linear in their start")
        return ours("KernelOperatorRegressor")(task, epochs, seed).set_params(**parameters)

    return make


def mgno(task, epochs, seed):
    """Fewer epochs, each of which costs more, and told the symmetries, too."""
    return skdyn.MgNORegressor(
        "periodic" if task not in OPEN else "dirichlet",
        hidden_channels=CHANNELS * 5 // 8, max_iter=max(1, epochs * 5 // 8),
        symmetry=SETTINGS.get(task, {}).get("symmetry"), random_state=seed,
    )  # fmt: skip


def deeponet(basis):
    def make(task, epochs, seed):
        model = ours("DeepONetRegressor")(task, epochs, seed)
        return model.set_params(basis=basis, max_iter=5 * epochs)  # its steps are cheap

    return make


def stepper(**parameters):
    """The chosen network in other ways to learn a step."""

    def make(task, epochs, seed):
        if task != "rollout":
            raise NotImplementedError("predicts states in time")
        return AutoregressiveOperator(chosen_fno(task, epochs, seed), **parameters)

    return make


def ada_fnn(task, epochs, seed):
    if task != "energy":
        raise NotImplementedError("predicts numbers, not functions")
    return ours("AdaFNNRegressor")(task, epochs, seed)


MODELS = {
    "mean of the targets": lambda task, epochs, seed: Flat(DummyRegressor()),
    "ridge": lambda task, epochs, seed: Flat(RidgeCV(np.logspace(-6, 3, 10))),
    "kernel ridge": kernel_ridge,
    "MLP": mlp,
    "neuraloperator FNO": neuralop_fno,
    "deepxde DeepONet": deepxde_deeponet,
    "skdyn FNO, same size": fno,
    "skdyn FNO, chosen": chosen_fno,
    "skdyn kernel operator": kernels,
    "skdyn kernels, product": kernels_of_two(combine="product"),
    "skdyn kernels, linear_in": kernels_of_two(linear_in=1),
    "skdyn MgNO": mgno,
    "skdyn DeepONet, POD": deeponet("pod"),
    "skdyn DeepONet, trunk": deeponet("trunk"),
    "skdyn AdaFNN": ada_fnn,
    "skdyn FNO, change": stepper(target="change"),
    "skdyn FNO, pushforward": stepper(pushforward=1),
}


def make_model(name, task, epochs, seed):
    model = MODELS[name](task, epochs, seed)
    if task != "rollout":
        return model
    if isinstance(model, BaseEstimator) and not isinstance(model, AutoregressiveOperator):
        model = AutoregressiveOperator(model)
    return Rollout(model) if isinstance(model, BaseEstimator) else Steps(model)
