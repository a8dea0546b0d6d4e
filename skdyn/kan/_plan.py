"""The plan of a fit: its sizes, its grids one after the other, its penalties, its first weights."""

import math
from functools import partial
from numbers import Integral

import numpy as np
import torch

from skdyn._blocks import evenly
from skdyn._validation import is_whole
from skdyn.kan._columns import columns_of
from skdyn.kan._constraints import constraints_of
from skdyn.kan._evidence import Evidence
from skdyn.kan._few_columns import few_columns
from skdyn.kan._linear_start import start_linear
from skdyn.kan._objective import KANObjective
from skdyn.kan._search import COARSEST, Trials, affordable, search
from skdyn.kan._starts import best_start
from skdyn.training import Stage

__all__ = [
    "as_it_goes_on", "check_grid_sizes", "check_sizes", "choose_optimizer", "columns_to_read",
    "follows_curvature", "grids_at_first", "has_squares", "objective_of", "plan_stages", "resolved",
    "sizes_at_first",
]  # fmt: skip

_SMOOTHNESS = 0.3
_ALPHA = {"adam": 2.0, "adamw": 2.0, "sgd": 2.0}  # second-order optimizers are for precision: none
_MOST_BATCHES = 50  # an epoch, where nobody says how large they are
_RATE = 0.01  # the default
_SIZES, _GRID = ((16, 0),), 5  # where nothing looks for them
_WHOLE_STEPS = {"lm", "lbfgs"}  # which evaluate more than once a step
_LEAST_OF_A_GROUP = 2  # nodes, of which one reads columns that are not held to rise or fall
_MOST_WEIGHTS = 2.0  # a number that is learned from: of more, the evidence follows the noise
_GRIDS = (3, 5, 10)  # that Levenberg-Marquardt looks through
_FIXED_SHAPES = {"bspline", "rbf", "chebyshev", "fourier"}  # bases that "lm" moves all of
_START_EPOCHS = 50  # of each start
_SCORE = 4.0  # the slope of a probability by its log-odds is a quarter at most
_SETTLED = 5  # steps after which the loss is where it was before grids moved
_GRID_UPDATES = 5  # how often the grids of a stage follow the data: then they should rest


def follows_curvature(model):
    """Tell whether nothing that an estimator is asked for speaks against Levenberg-Marquardt.

    Parameters
    ----------
    model : KANEstimator
        Whose parameters count.

    Returns
    -------
    bool
    """
    return (
        model.basis in _FIXED_SHAPES
        and has_squares(model)
        and model.dtype != "float32"
        and model.batch_size == "auto"
        and not model.lamb  # its price is in units of what gradients do
        and model.learning_rate == _RATE  # another was chosen to be heard: "lm" has none
        and model.learning_rate_schedule == "auto"
    )


def has_squares(model):
    """Tell whether a model's loss has the curvature that Levenberg-Marquardt follows."""
    return getattr(model, "loss", "squared") == "squared"


def resolved(settings, model):
    """Return how to train, the options called "auto" resolved.

    Parameters
    ----------
    settings : TrainingSettings
        As they were given.
    model : KANEstimator
        Whose they are.

    Returns
    -------
    TrainingSettings
    """
    optimizer, schedule = model._optimizer_now(), model.learning_rate_schedule
    chosen = model.optimizer == "auto" and optimizer == "adam"
    if schedule == "auto":
        schedule = "cosine" if chosen else "constant"
    return settings._replace(
        optimizer=optimizer, learning_rate_schedule=schedule,
        alpha=_ALPHA.get(optimizer, 0.0) if model.alpha == "auto" else model.alpha,
        most_batches=_MOST_BATCHES if chosen else None,
    )  # fmt: skip


def choose_optimizer(model, X, incremental):
    """Return the optimizer of a fit: the one given, or what suits the size of the data.

    Parameters
    ----------
    model : KANEstimator
        Whose parameters count.
    X : ndarray of shape (n, n_features)
        Data.
    incremental : bool
        Whether this is ``partial_fit``.

    Returns
    -------
    str
    """
    if model.optimizer != "auto":
        return model.optimizer
    if incremental or not follows_curvature(model):
        return "adam"
    searches = isinstance(model.hidden_layer_sizes, str)
    hidden = () if searches else sizes_at_first(model)
    finest = COARSEST if searches else grids_at_first(model)[-1]
    size = _size(model, len(X), hidden, finest)
    return "lm" if not (searches and too_wide(*size)) and affordable(*size) else "adam"


def too_wide(n_residuals, n_weights):
    return n_weights > _MOST_WEIGHTS * n_residuals


def columns_to_read(model, X, y, weight):
    """Return the columns of a table too wide for its rows that are read; None for all.

    Parameters
    ----------
    model : KANEstimator
        Whose parameters count; its targets and the kinds of its columns are known.
    X : ndarray of shape (n, n_features)
        Data.
    y : ndarray of shape (n,) or (n, n_outputs)
        Targets.
    weight : ndarray of shape (n,) or None
        Weights of the rows.

    Returns
    -------
    ndarray of int or None
    """
    asked = model.optimizer == "auto" and isinstance(model.hidden_layer_sizes, str)
    plain = not (columns_of(model) or constraints_of(model)) and follows_curvature(model)
    if not (asked and plain and too_wide(*_size(model, len(X), (), COARSEST))):
        return None
    return few_columns(model, X, y, weight)


def _size(model, n_rows, hidden, grid_size):
    """Return the numbers of residuals and of weights."""
    n_outputs, of_edge = model._n_outputs(), grid_size + model.spline_order + 1
    columns = columns_of(model)
    counts = np.array(columns.get("categories", (0,) * model.n_features_in_))
    of_columns = np.where(counts > 0, counts, of_edge).sum() + len(columns.get("missing", ()))
    into_a_node = [of_columns, *(sum(pair) * of_edge for pair in hidden)]
    subnodes = [*(n_sum + 2 * n_mult for n_sum, n_mult in hidden), n_outputs]
    pairs = zip(into_a_node, subnodes, strict=True)
    return n_rows * n_outputs, int(sum(n_out * (n_in + 1) for n_in, n_out in pairs))


def sizes_at_first(model):
    """Return the sums and products of the hidden layers that a fit begins with.

    Parameters
    ----------
    model : KANEstimator
        Whose parameters count.

    Returns
    -------
    tuple of (int, int)
    """
    groups = constraints_of(model).get("groups", ((),))
    if not isinstance(model.hidden_layer_sizes, str):
        sizes = check_sizes(model.hidden_layer_sizes)
        return tuple((n_sum * len(groups), n_mult * len(groups)) for n_sum, n_mult in sizes)
    if _searches(model) or max(map(len, groups)) == 1:  # no two columns interact
        return ()
    each = max(_LEAST_OF_A_GROUP, _SIZES[0][0] // len(groups))
    return ((each * len(groups), 0),) if groups[0] else _SIZES


def grids_at_first(model):
    """Return the grids that a fit takes one after the other, whatever they say.

    Parameters
    ----------
    model : KANEstimator
        Whose parameters count.

    Returns
    -------
    tuple of int
    """
    if not isinstance(model.grid_sizes, str):
        return check_grid_sizes(model.grid_sizes)
    return (_GRIDS[0] if _searches(model) else _GRID,)


def plan_stages(model, generator, task):
    """Turn an estimator's parameters and what it learns from into training stages."""
    if model.basis == "selectable" and model._optimizer_now() == "lm":
        raise ValueError(
            "basis='selectable' learns its choice by gradients, which optimizer='lm' does not "
            "follow. Use optimizer='adam' or 'lbfgs', or name one basis."
        )
    if not has_squares(model) and model._optimizer_now() == "lm":
        raise ValueError(
            f"optimizer='lm' needs loss='squared'; got loss={model.loss!r}. Use optimizer='auto', "
            "'adam' or 'lbfgs'."
        )
    objective = objective_of(model, task)
    trivial_loss = model._trivial_loss(task.training, task.validation)
    stages = [
        Stage(
            objective, task.training, 1 if task.incremental else model.max_iter,
            name=f"grid {grid_size}", validation=task.validation, trivial_loss=trivial_loss,
            must_improve=model.early_stopping, before_epoch=_follow(model, grid_size, task),
            after_step=_tidy_after(model),
            by_rows=not model.lamb,  # which weighs edges by their size over a batch
        )
        for grid_size in _grid_schedule(model, task)
    ]  # fmt: skip
    if model.basis == "selectable" and not task.incremental:
        choice = {"name": "choice", "must_improve": False, "before_epoch": _choose}
        stages.append(stages[-1]._replace(**choice))
    if _searches(model) and not task.goes_on:
        stages[0] = _searched(model, stages[0], generator, task)
    elif _begins_linear(model, task):
        stages[0] = _started_linear(model, stages[0], task)
    elif model.n_init > 1 and not task.goes_on:
        starts = _try_starts(model, stages[0], generator, task.total_weight)
        stages[0] = stages[0]._replace(before_epoch=starts)
    return stages


def objective_of(model, task):
    """Return what a fit minimizes, a KANObjective."""
    return KANObjective(
        model._row_loss, model._curvature, _evidence(model, task.total_weight),
        model.lamb, model.lamb_l1, model.lamb_entropy, _alpha_of_wide_layers(model, task),
    )  # fmt: skip


def as_it_goes_on(model, config, keep):
    """Return the arguments of a network to train, as what it is now where that goes on."""
    if not (keep and hasattr(model, "module_")):
        return config | {"symbolic": ()}
    now = model.module_.config()  # its grid was refined, some edges have closed forms
    kept = ["grid_size", "symbolic"]
    if isinstance(model.hidden_layer_sizes, str):
        kept.append("layer_sizes")
    return config | {name: now[name] for name in kept}


def _grid_schedule(model, task):
    """Return the grid sizes of this fit; what goes on never goes back to a coarser grid."""
    sizes = grids_at_first(model)
    if task.goes_on:
        now = model.module_.plan["grid_size"]
        if not isinstance(model.grid_sizes, str):
            _refuse_other_grid(now, sizes, task.incremental)
        sizes = (now, *(size for size in sizes if size > now))
    return sizes[:1] if task.incremental else sizes


def _refuse_other_grid(now, sizes, incremental):
    """Refuse grids that training which goes on cannot come to: partial_fit keeps the one it has."""
    if sizes[-1] < now or (incremental and now not in (COARSEST, *sizes)):
        ways = "an entry of it" if incremental else "its last entry"
        raise ValueError(
            f"Training goes on from a module with a grid of {now} intervals, which grid_sizes="
            f"{sizes} would not change: make {now} {ways}, let fit with warm_start=True refine it "
            "by larger ones, or fit a clone."
        )


def _searches(model):
    return isinstance(model.hidden_layer_sizes, str) and model._optimizer_now() == "lm"


def _searched(model, stage, generator, task):
    """Return a stage that finds the shape of the network first, then trains it to the end."""
    finer = _GRIDS[1:] if isinstance(model.grid_sizes, str) else ()
    n_steps = math.inf

    def before_epoch(module, epoch):
        nonlocal n_steps
        if epoch:  # grids that move just before the end would leave the loss where that put it
            return n_steps - epoch >= _SETTLED and stage.before_epoch(module, epoch)
        trials = Trials(stage, model._settings(), generator, partial(_follow, model, task=task))
        found = search(module, trials, grid_sizes=finer, n_init=model.n_init)
        module.adopt(found.module)
        stage.objective.evidence.go_on_from(found.evidence)
        n_steps = trials.n_steps(module)
        return True

    return stage._replace(before_epoch=before_epoch, is_enough=lambda n_iter: n_iter >= n_steps)


def _begins_linear(model, task):
    chosen = model.optimizer == "auto" and model._optimizer_now() == "adam"
    # For few edges, for other first weights, or for some edges only, with slopes of one sign.
    asked = model.lamb or model.n_init > 1 or constraints_of(model)
    return chosen and not (asked or task.goes_on or task.incremental)


def _started_linear(model, stage, task):
    """Return a stage that begins as the best linear function of the inputs."""
    X, y, weight = (torch.as_tensor(part[evenly(len(part))]) for part in task.training)
    if y.ndim == 1:  # of classes, scores whose probabilities have the slopes of the shares
        y = _SCORE * torch.nn.functional.one_hot(y, model._n_outputs())
    shifted, loss = y, getattr(model, "loss", "squared")
    if loss == "poisson":  # the first step of reweighted least squares, from the mean of all
        shifted = y - 1.0

    def before_epoch(module, epoch):
        if epoch == 0:
            _look_at(module, task)
            batch = [part.to(next(module.parameters())) for part in (X, shifted, weight)]
            copies = batch[2] * (float(task.total_weight) / len(X))
            begun = start_linear(module, batch[0], batch[1], copies)
            if begun and loss == "quantile":
                with torch.no_grad():
                    left = batch[1] - module(batch[0])
                    module.layers[-1].bias += model._constant_answer(left, batch[2])
            return begun
        return stage.before_epoch(module, epoch)

    return stage._replace(before_epoch=before_epoch)


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
    X, _, weight = (part[evenly(len(part))] for part in task.training)
    followed = None  # the module whose first grids follow these rows

    def before_epoch(module, epoch):
        nonlocal followed
        if epoch == 0 and module.plan["grid_size"] < grid_size:
            module.refine(grid_size)
            return True
        if epoch == 0 and not task.goes_on:
            _look_at(module, task)
        turn, rest = divmod(epoch, model.grid_update or 1)
        resting = epoch and (model.grid_update is None or rest or turn >= _GRID_UPDATES)
        module.tidy()
        if task.goes_on or resting:
            return False
        like = next(module.parameters())
        rows = (torch.as_tensor(part).to(like) for part in (X, weight))
        known, followed = followed is module.layers, module.layers
        return module.adapt(*rows, only_strayed=epoch > 0, known=epoch > 0 and known)

    return before_epoch


def _look_at(module, task):
    """Let a network learn what is typical of the columns, where gaps and categories ask for it."""
    X, _, weight = task.training  # all rows: a category may be in few of them
    if module.layers[0].levels is not None:
        like = next(module.parameters())
        module.layers[0].levels.look_at(*(torch.as_tensor(part).to(like) for part in (X, weight)))


def _tidy_after(model):
    """Return what keeps edges that rise or fall from learning steps that say nothing."""
    held = "monotone" in constraints_of(model) and model._optimizer_now() not in _WHOLE_STEPS
    return (lambda module: module.tidy()) if held else None


def _evidence(model, total_weight):
    """Return the strengths of the penalties; those called "auto" are learned where they can."""
    smoothness, alpha = model.smoothness, model.alpha
    if model._optimizer_now() != "lm":  # their optimizers and settings see to alpha
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
