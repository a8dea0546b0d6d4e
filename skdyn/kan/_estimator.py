"""What the regressor and the classifier share: parameters, the plan of the training, scores."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from skdyn._state import Shape, Since
from skdyn._tabular import TabularEstimator
from skdyn._validation import Interval, StrOptions, is_whole
from skdyn.base import TorchEstimator
from skdyn.exceptions import warn_user
from skdyn.kan._evidence import Evidence
from skdyn.kan._interpretation import Interpretation
from skdyn.kan._network import KAN
from skdyn.kan._objective import KANObjective
from skdyn.kan._ranges import CROWDED, DRIFTED, crowded, drifted, moving_columns
from skdyn.kan._starts import best_start
from skdyn.kan._symbolic import Symbolic
from skdyn.kan.bases import BASES
from skdyn.kan.bases._basis import EXTRAPOLATIONS
from skdyn.training import Stage, TrainingSettings

KAN_CONSTRAINTS = {
    "hidden_layer_sizes": ["array-like"],
    "basis": [StrOptions(set(BASES))],
    "grid_sizes": [Interval(Integral, 1, None, closed="left"), "array-like"],
    "spline_order": [Interval(Integral, 0, None, closed="left")],
    "grid_update": [Interval(Integral, 1, None, closed="left"), None],
    "extrapolation": [StrOptions(set(EXTRAPOLATIONS))],
    "smoothness": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
    "lamb": [Interval(Real, 0, None, closed="left")],
    "lamb_l1": [Interval(Real, 0, None, closed="left")],
    "lamb_entropy": [Interval(Real, 0, None, closed="left")],
    "solver": [StrOptions({"adam", "adamw", "sgd", "lbfgs", "lm"})],
    "alpha": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
    "n_init": [Interval(Integral, 1, None, closed="left")],
    "dtype": [StrOptions({"auto", "float32", "float64"})],
}
_SHARED = {k: v for k, v in TorchEstimator._parameter_constraints.items() if k != "optimizer"}
_ALPHA = {"adam": 2.0, "adamw": 2.0, "sgd": 2.0}  # second-order solvers are for precision: none
_SMOOTHNESS = 0.3
_START_EPOCHS = 50  # of each start
_GRID_UPDATES = 5  # how often the grids of a stage follow the data: then they should rest


class KANEstimator(Interpretation, Symbolic, TabularEstimator):
    """Parameters and hooks of the Kolmogorov-Arnold networks."""

    _parameter_constraints = {**_SHARED, **KAN_CONSTRAINTS}
    _quick_parameters = {"max_iter": 15}
    _moves: Annotated[
        np.ndarray,
        Shape("n_features_in_", "b"),
        Since(lambda state: np.ones_like(state["_x_scale"], dtype=bool)),
    ]

    def __init__(
        self,
        hidden_layer_sizes: ArrayLike = (16,),
        *,
        basis: str = "bspline",
        grid_sizes: int | ArrayLike = 5,
        spline_order: int = 3,
        grid_update: int | None = 5,
        extrapolation: str = "linear",
        smoothness: float | str = "auto",
        lamb: float = 0.0,
        lamb_l1: float = 1.0,
        lamb_entropy: float = 2.0,
        solver: str = "adam",
        n_init: int = 1,
        max_iter: int = 200,
        max_time: float | None = None,
        learning_rate: float = 1e-2,
        learning_rate_schedule: str = "constant",
        batch_size: int | str = "auto",
        alpha: float | str = "auto",
        clip_norm: float | None = None,
        tol: float = 1e-4,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        device: str = "auto",
        dtype: str = "auto",
        verbose: int = 0,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.basis = basis
        self.grid_sizes = grid_sizes
        self.spline_order = spline_order
        self.grid_update = grid_update
        self.extrapolation = extrapolation
        self.smoothness = smoothness
        self.lamb = lamb
        self.lamb_l1 = lamb_l1
        self.lamb_entropy = lamb_entropy
        self.solver = solver
        self.n_init = n_init
        self.max_iter = max_iter
        self.max_time = max_time
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.batch_size = batch_size
        self.alpha = alpha
        self.clip_norm = clip_norm
        self.tol = tol
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.random_state = random_state
        self.device = device
        self.dtype = dtype
        self.verbose = verbose

    def _settings(self):
        """Return how to train, the options called "auto" resolved."""
        names = [name for name in TrainingSettings._fields if hasattr(self, name)]
        given = TrainingSettings(**{name: getattr(self, name) for name in names})
        alpha = self.alpha if self.alpha != "auto" else _ALPHA.get(self.solver, 0.0)
        return given._replace(optimizer=self.solver, alpha=alpha)

    def _precision(self):
        if self.dtype != "auto":
            return self.dtype
        return "float64" if self.solver in ("lm", "lbfgs") else "float32"

    def _config(self, n_features, n_outputs):
        sizes = check_sizes(self.hidden_layer_sizes)
        grid_sizes = check_grid_sizes(self.grid_sizes)
        return {
            "layer_sizes": ((n_features, 0), *sizes, (n_outputs, 0)),
            "basis": self.basis,
            "grid_size": grid_sizes[0],
            "spline_order": self.spline_order,
            "extrapolation": self.extrapolation,
        }

    def _learn_scales(self, X, y, weight, classes):
        super()._learn_scales(X, y, weight, classes)
        self._moves = moving_columns(X)

    def _split(self, X, y, weight, X_val, y_val, incremental):
        self._moves = self._moves | moving_columns(X)  # what goes on may bring more than the start
        if not incremental:
            self._warn_of_columns(crowded(X), CROWDED)
        elif hasattr(self, "module_"):
            basis = self.module_.layers[0].basis
            ends = (end.double().cpu().numpy() for end in (basis.low, basis.high))
            low, high = (self._x_offset + end * self._x_scale for end in ends)
            self._warn_of_columns(drifted(X, low, high), DRIFTED)
        return super()._split(X, y, weight, X_val, y_val, incremental)

    def _scaled(self, X):
        """Return scaled inputs, still in columns that never moved: nothing is known of them."""
        Z, still = super()._scaled(X), ~self._moves
        if not still.any():
            return Z
        moved = still & ~np.isclose(X, self._x_offset, rtol=1e-5, atol=1e-12).all(axis=0)
        if moved.any():
            warn_user(
                f"X moves in {', '.join(self._column_names(moved))}, which was constant in the "
                "training data: what it says is not known, and it is not read. Fit anew on data in "
                "which it moves, or leave it out.",
                UserWarning,
            )
        Z[:, still] = 0
        return Z

    def _warn_of_columns(self, which, words):
        if which.any():
            warn_user(words.format(columns=", ".join(self._column_names(which))), UserWarning)

    def _column_names(self, which):
        names = getattr(self, "feature_names_in_", [f"column {i}" for i in range(len(which))])
        return [str(name) for name, named in zip(names, which, strict=True) if named]

    @staticmethod
    def _build_module(**config: Any) -> KAN:
        return KAN(**config)

    def _stages(self, generator, task):
        if self.basis == "selectable" and self.solver == "lm":
            raise ValueError(
                "basis='selectable' learns its choice by gradients, which solver='lm' does not "
                "follow. Use solver='adam' or 'lbfgs', or name one basis."
            )
        objective = KANObjective(
            self._row_loss, self._curvature, self._evidence(task.total_weight),
            self.lamb, self.lamb_l1, self.lamb_entropy, self._alpha_of_wide_layers(task),
        )  # fmt: skip
        trivial_loss = self._trivial_loss(task.training, task.validation)
        stages = [
            Stage(
                objective, task.training, 1 if task.incremental else self.max_iter,
                name=f"grid {grid_size}", validation=task.validation, trivial_loss=trivial_loss,
                must_improve=self.early_stopping, before_epoch=self._follow(grid_size, task),
            )
            for grid_size in self._grid_schedule(task)
        ]  # fmt: skip
        if self.basis == "selectable" and not task.incremental:
            choice = {"name": "choice", "must_improve": False, "before_epoch": _choose}
            stages.append(stages[-1]._replace(**choice))
        if self.n_init > 1 and not task.goes_on:
            starts = self._try_starts(stages[0], generator, task.total_weight)
            stages[0] = stages[0]._replace(before_epoch=starts)
        return stages

    def _grid_schedule(self, task):
        """Return the grid sizes of this fit; what goes on never goes back to a coarser grid."""
        sizes = check_grid_sizes(self.grid_sizes)
        if task.goes_on:
            now = self.module_.plan["grid_size"]
            sizes = (now, *(size for size in sizes if size > now))
        return sizes[:1] if task.incremental else sizes

    def _try_starts(self, stage, generator, total_weight):
        """Return what tries several first weights before a stage."""
        trial = stage._replace(max_iter=min(stage.max_iter, _START_EPOCHS))
        settings = self._settings()
        settings = settings._replace(alpha=settings.alpha / total_weight)

        def before_epoch(module, epoch):
            if epoch == 0:
                best_start(module, trial, settings, generator, self.n_init)
                return True
            return stage.before_epoch(module, epoch)

        return before_epoch

    def _follow(self, grid_size, task):
        """Return what refines the grids before a stage and lets them follow the data in it."""
        X, _, weight = task.training

        def before_epoch(module, epoch):
            if epoch == 0 and module.plan["grid_size"] < grid_size:
                module.refine(grid_size)
                return True
            turn, rest = divmod(epoch, self.grid_update or 1)
            resting = epoch and (self.grid_update is None or rest or turn >= _GRID_UPDATES)
            if task.goes_on or resting:
                return False
            like = next(module.parameters())
            module.adapt(torch.as_tensor(X).to(like), torch.as_tensor(weight).to(like))
            return True

        return before_epoch

    def _forward(self, X):
        self._warn_if_far(X)
        outputs = super()._forward(X)
        self._warn_if_unreal(outputs)
        return outputs

    def _warn_if_unreal(self, outputs):
        unreal = ~np.isfinite(outputs).all(axis=1)
        if unreal.any() and any(len(layer.symbolic) for layer in self.module_.layers):
            warn_user(
                f"The closed forms of {type(self).__name__} are not real at {unreal.sum()} of "
                f"{len(outputs)} rows, the first of them row {unreal.argmax()}: an argument leaves "
                "the domain of its function. The answer there is NaN; as a label it means nothing.",
                UserWarning,
            )

    def _warn_if_far(self, X):
        """Say so where inputs lie so far outside that the answer is the extrapolation's."""
        if not hasattr(self, "_node_quantiles"):  # asked by a callback, in the middle of fit
            return
        low, high = self._node_quantiles[0][[0, -1]]
        width = high - low
        counts = self.module_.layers[0].standing().any(dim=1).cpu().numpy() & (width > 0)
        far = ((low - width > X) | (high + width < X)).any(axis=0) & counts
        if far.any():
            warn_user(
                f"X lies outside the range of the training data by more than its width in "
                f"{', '.join(self._column_names(far))}. Edge functions go on there by "
                f"extrapolation={self.extrapolation!r}.",
                UserWarning,
            )

    def _initial_module(self, config, seed, keep):
        if keep and hasattr(self, "module_"):  # its grid was refined, some edges have closed forms
            now = self.module_.config()
            config = config | {name: now[name] for name in ("grid_size", "symbolic")}
        else:
            config = config | {"symbolic": ()}
        return super()._initial_module(config, seed, keep)

    def _evidence(self, total_weight):
        """Return the strengths of the penalties; those called "auto" are learned where they can."""
        smoothness, alpha = self.smoothness, self.alpha
        if self.solver != "lm":  # their optimisers and settings see to alpha
            if smoothness == "auto":  # functions that get narrow bend too much for one number
                smoothness = _SMOOTHNESS if self.basis == "bspline" else 0.0
            return Evidence(smoothness / total_weight, 0.0, total_weight, None)
        alpha = alpha if alpha == "auto" else alpha / total_weight
        smoothness = smoothness if smoothness == "auto" else smoothness / total_weight
        return Evidence(smoothness, alpha, total_weight, self._noise)

    def _alpha_of_wide_layers(self, task):
        """Return their penalty beside that of all; a number is meant as it is."""
        off = self.alpha != "auto" or task.incremental  # a batch's rows are not all there are
        return 0.0 if off else self._settings().alpha / task.total_weight

    def _take_over(self, module, config, record, incremental):
        super()._take_over(module, module.config(), record, incremental)
        vars(self).pop("_node_quantiles", None)  # an earlier fit's


def _choose(module, epoch):
    """Give each edge its one space before the last stage."""
    if epoch:
        return False
    for layer in module.layers:
        with torch.no_grad():
            layer.weight.copy_(layer.basis.select(layer.weight))
    return True


def check_sizes(hidden_layer_sizes):
    """Return the sums and products of each hidden layer.

    Parameters
    ----------
    hidden_layer_sizes : array-like of int or (int, int)
        The estimator's parameter.

    Returns
    -------
    tuple of (int, int)

    Raises
    ------
    ValueError
        If an entry is neither a size nor a pair of sizes.
    """
    sizes = []
    for entry in hidden_layer_sizes:
        pair = tuple(entry) if np.ndim(entry) == 1 else (entry, 0)
        whole = len(pair) == 2 and all(is_whole(size, 0) for size in pair)
        if not whole or sum(pair) == 0:
            raise ValueError(
                "hidden_layer_sizes must hold positive whole numbers or pairs (sums, products), "
                f"e.g. (5,) or ((3, 2),); got {hidden_layer_sizes!r}."
            )
        sizes.append((int(pair[0]), int(pair[1])))
    return tuple(sizes)


def check_grid_sizes(grid_sizes):
    """Return the schedule of grid sizes.

    Parameters
    ----------
    grid_sizes : int or array-like of int
        The estimator's parameter.

    Returns
    -------
    tuple of int

    Raises
    ------
    ValueError
        If a size is not a positive whole number or smaller than the one before.
    """
    sizes = (grid_sizes,) if isinstance(grid_sizes, Integral) else tuple(grid_sizes)
    whole = sizes and all(is_whole(size, 1) for size in sizes)
    if not whole or list(sizes) != sorted(sizes):
        raise ValueError(
            "grid_sizes must be a positive whole number or a growing list of them, e.g. 5 or "
            f"(3, 5, 10, 20); got {grid_sizes!r}."
        )
    return tuple(map(int, sizes))
