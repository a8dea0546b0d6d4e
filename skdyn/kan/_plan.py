"""The plan of a fit: its sizes, its grids one after the other, its penalties, its first weights."""

from numbers import Integral

import numpy as np
import torch

from skdyn._validation import is_whole
from skdyn.kan._evidence import Evidence
from skdyn.kan._objective import KANObjective
from skdyn.kan._starts import best_start
from skdyn.training import Stage

__all__ = ["check_grid_sizes", "check_sizes", "objective_of", "plan_stages"]

_SMOOTHNESS = 0.3
_START_EPOCHS = 50  # of each start
_GRID_UPDATES = 5  # how often the grids of a stage follow the data: then they should rest


def plan_stages(model, generator, task):
    """Turn an estimator's parameters and what it learns from into training stages."""
    if model.basis == "selectable" and model.optimizer == "lm":
        raise ValueError(
            "basis='selectable' learns its choice by gradients, which optimizer='lm' does not "
            "follow. Use optimizer='adam' or 'lbfgs', or name one basis."
        )
    objective = objective_of(model, task)
    trivial_loss = model._trivial_loss(task.training, task.validation)
    stages = [
        Stage(
            objective, task.training, 1 if task.incremental else model.max_iter,
            name=f"grid {grid_size}", validation=task.validation, trivial_loss=trivial_loss,
            must_improve=model.early_stopping, before_epoch=_follow(model, grid_size, task),
        )
        for grid_size in _grid_schedule(model, task)
    ]  # fmt: skip
    if model.basis == "selectable" and not task.incremental:
        choice = {"name": "choice", "must_improve": False, "before_epoch": _choose}
        stages.append(stages[-1]._replace(**choice))
    if model.n_init > 1 and not task.goes_on:
        starts = _try_starts(model, stages[0], generator, task.total_weight)
        stages[0] = stages[0]._replace(before_epoch=starts)
    return stages


def objective_of(model, task):
    """Return what a fit minimizes, a KANObjective."""
    return KANObjective(
        model._row_loss, model._curvature, _evidence(model, task.total_weight),
        model.lamb, model.lamb_l1, model.lamb_entropy, _alpha_of_wide_layers(model, task),
    )  # fmt: skip


def _grid_schedule(model, task):
    """Return the grid sizes of this fit; what goes on never goes back to a coarser grid."""
    sizes = check_grid_sizes(model.grid_sizes)
    if task.goes_on:
        now = model.module_.plan["grid_size"]
        sizes = (now, *(size for size in sizes if size > now))
    return sizes[:1] if task.incremental else sizes


def _try_starts(model, stage, generator, total_weight):
    """Return what tries several first weights before a stage."""
    trial = stage._replace(max_iter=min(stage.max_iter, _START_EPOCHS))
    settings = model._settings()
    settings = settings._replace(alpha=settings.alpha / total_weight)

    def before_epoch(module, epoch):
        if epoch == 0:
            best_start(module, trial, settings, generator, model.n_init)
            return True
        return stage.before_epoch(module, epoch)

    return before_epoch


def _follow(model, grid_size, task):
    """Return what refines the grids before a stage and lets them follow the data in it."""
    X, _, weight = task.training

    def before_epoch(module, epoch):
        if epoch == 0 and module.plan["grid_size"] < grid_size:
            module.refine(grid_size)
            return True
        turn, rest = divmod(epoch, model.grid_update or 1)
        resting = epoch and (model.grid_update is None or rest or turn >= _GRID_UPDATES)
        if task.goes_on or resting:
            return False
        like = next(module.parameters())
        module.adapt(torch.as_tensor(X).to(like), torch.as_tensor(weight).to(like))
        return True

    return before_epoch


def _evidence(model, total_weight):
    """Return the strengths of the penalties; those called "auto" are learned where they can."""
    smoothness, alpha = model.smoothness, model.alpha
    if model.optimizer != "lm":  # their optimisers and settings see to alpha
        if smoothness == "auto":  # functions that get narrow bend too much for one number
            smoothness = _SMOOTHNESS if model.basis == "bspline" else 0.0
        return Evidence(smoothness / total_weight, 0.0, total_weight, None)
    alpha = alpha if alpha == "auto" else alpha / total_weight
    smoothness = smoothness if smoothness == "auto" else smoothness / total_weight
    return Evidence(smoothness, alpha, total_weight, model._noise)


def _alpha_of_wide_layers(model, task):
    """Return their penalty beside that of all; a number is meant as it is."""
    off = model.alpha != "auto" or task.incremental  # a batch's rows are not all there are
    return 0.0 if off else model._settings().alpha / task.total_weight


def _choose(module, epoch):
    """Give each edge its one space before the last stage."""
    if epoch:
        return False
    for layer in module.layers:
        with torch.no_grad():
            layer.weight.copy_(layer.basis.select(layer.weight))
    return True


def check_sizes(hidden_layer_sizes):
    """Return the sums and products of each hidden layer, of which no entry may be senseless."""
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
    """Return the schedule of grid sizes, which must be whole and must not shrink."""
    sizes = (grid_sizes,) if isinstance(grid_sizes, Integral) else tuple(grid_sizes)
    whole = sizes and all(is_whole(size, 1) for size in sizes)
    if not whole or list(sizes) != sorted(sizes):
        raise ValueError(
            "grid_sizes must be a positive whole number or a growing list of them, e.g. 5 or "
            f"(3, 5, 10, 20); got {grid_sizes!r}."
        )
    return tuple(map(int, sizes))
