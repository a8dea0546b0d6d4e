"""Rows that a map is kept from tell how sure its answers may be.

Leave-one-out under a map that has seen the labels is too sure: on few rows of many features, any
map can set classes apart that nothing tells apart.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from sklearn.utils import check_random_state

from skdyn.hopfield._frozen_memory import FrozenMemory
from skdyn.hopfield._leave_one_out import Choice, best_of, best_of_ladder, n_recalled
from skdyn.hopfield._matching import Matching
from skdyn.hopfield._retrieval import total_variance
from skdyn.hopfield._separations import Separation
from skdyn.training import LeanNet, new_generator, resolve_device, resolve_dtype
from skdyn.training._threads import threads_for

__all__ = ["N_WEIGHTS", "calibrated", "partitions", "recalled_by_beta", "tempered_by_cooling"]

Answers = Callable[[list[float]], torch.Tensor]

# For each beta of leave-one-out: after a training, time is no matter.
N_WEIGHTS = {"stored": 80_000, "projected": 2_000_000, "prototypes": 80_000}
_SHORT_OF_BREATH = 3  # epochs without improvement after which such a map is near enough to its end
_COOLINGS = [2.0 ** (-power / 2) for power in range(16)] + [0.0]  # of what prototypes recall
_N_FOLDS = 3
_MANY = 1000  # rows, of which one part is enough
_PART = 300  # rows at least, a tenth of the rows if that is more


def partitions(n_rows: int, groups: np.ndarray | None) -> list[tuple[np.ndarray, np.ndarray]]:
    """Share rows between those that are learned from and those that are asked.

    Parameters
    ----------
    n_rows : int
        Number of rows, at least two, in an order that says nothing.
    groups : ndarray of int of shape (n_rows,) or None
        Classes, of which each part gets its share.

    Returns
    -------
    list of (ndarray of int, ndarray of int)
        Rows to learn from, and the others, which are to be asked: of few rows each is asked in one
        of three parts.
    """
    n_parts = min(_N_FOLDS, n_rows)
    if n_rows > _MANY:
        n_parts = n_rows // max(_PART, n_rows // 10)
    order = np.arange(n_rows) if groups is None else np.argsort(groups, kind="stable")
    part = np.empty(n_rows, dtype=np.intp)
    part[order] = np.arange(n_rows) % n_parts
    asked = range(n_parts if n_rows <= _MANY else 1)
    return [(np.flatnonzero(part != i), np.flatnonzero(part == i)) for i in asked]


def recalled_by_beta(
    module: Matching,
    X: Any,
    rows: Any,
    values: Any,
    mass: Any,
    *,
    similarity: str,
    separation: Separation,
) -> Answers:
    """Return what recalls the values of rows at several temperatures.

    Parameters
    ----------
    module : Matching
        Maps rows to where they are compared.
    X : ndarray of shape (n_asked, n_features)
        Rows that it has not seen.
    rows, values, mass : ndarray
        What is stored.
    similarity, separation : object
        See :class:`skdyn.hopfield._frozen_memory.FrozenMemory`.

    Returns
    -------
    callable
        From betas, in units of the total variance, to recalled values of shape (n_betas, n_asked,
        n_values).
    """
    like = next(module.parameters())
    X, rows, values, mass = (torch.as_tensor(array).to(like) for array in (X, rows, values, mass))
    X, keys = module(X), module(rows)
    unit = total_variance(keys, mass, similarity)
    weighs = None if (mass == 1).all() else mass
    memory = FrozenMemory(
        keys, values, weighs, 1 / unit, similarity=similarity, separation=separation
    )
    return lambda betas: memory.means_by_beta(X, betas).float()


def tempered_by_cooling(
    module: Matching,
    X: np.ndarray,
    *,
    beta: float | None,
    tempered: Callable[[torch.Tensor, float], torch.Tensor],
    similarity: str,
    separation: Separation,
) -> Answers:
    """Return what tempers that which prototypes recall.

    Parameters
    ----------
    module : Matching
        Holds the prototypes.
    X : ndarray of shape (n_asked, n_features)
        Rows that it has not seen.
    beta : float or None
        Inverse temperature; None is the module's.
    tempered : callable
        ``tempered(recalled, cooling)`` returns predictions.
    similarity, separation : object
        See :class:`skdyn.hopfield._frozen_memory.FrozenMemory`.

    Returns
    -------
    callable
        From coolings to predictions of shape (n_coolings, n_asked, n_values).
    """
    beta = (module.beta.item() if beta is None else beta) / module.first_unit.item()
    rows = module(torch.as_tensor(X).to(module.log_beta))
    how: Any = {"similarity": similarity, "separation": separation}
    memory = FrozenMemory(module.prototypes, module.values, sharpness=beta, **how)
    means = memory.means(rows).float()
    return lambda coolings: torch.stack([tempered(means, cooling) for cooling in coolings])


def calibrated(model: Any, task: Any) -> Choice:
    """Return what is best where rows are recalled by maps that have not seen them.

    Parameters
    ----------
    model : AssociationEstimator
        Parameters, and what is stored.
    task : FitTask
        What there is to learn from.

    Returns
    -------
    Choice
    """
    X, values, mass, _ = task.training
    if len(X) < 2:
        return Choice(1.0, 0.0, 0.0)
    answers, order = [], np.array([], dtype=np.intp)
    for learnt, asked in partitions(len(X), model._groups(values)):
        asked = asked[: n_recalled(len(asked), len(learnt), N_WEIGHTS[model.mode_])]
        arrays = tuple(array[learnt] for array in task.training)
        total = task.total_weight * arrays[2].sum() / mass.sum()
        arrays = *arrays[:2], arrays[2] / arrays[2].mean(), arrays[3]
        module = _trained_apart(model, arrays, total)
        if model.mode_ == "prototypes":
            given = None if model.beta == "auto" else model.beta
            how = model._how() | {"beta": given, "tempered": model._tempered}
            answers.append(tempered_by_cooling(module, X[asked], **how))
        else:
            answers.append(recalled_by_beta(module, X[asked], *arrays[:3], **model._how()))
        order = np.concatenate([order, asked])

    def recall(betas):
        return torch.cat([answer(betas) for answer in answers], dim=1)

    rows = np.concatenate([order, np.setdiff1d(np.arange(len(X)), order)])
    like = {"dtype": torch.float32, "device": resolve_device(model.device)}
    values, mass = (torch.as_tensor(array[rows]).to(**like) for array in (values, mass))
    judge = model._judge(values, mass)
    with threads_for(len(order) * X.size):
        if model.mode_ == "prototypes":
            return best_of(_COOLINGS, recall, judge)
        return best_of_ladder(recall, judge, None if model.beta == "auto" else model.beta)


def _trained_apart(model, training, total_weight):
    """Return a network that is trained on some of the rows, for fewer epochs."""
    seed = check_random_state(model.random_state).randint(np.iinfo(np.int32).max)
    generator, device = new_generator(seed), resolve_device(model.device)
    network = model._build_module(**model._config(*(array.shape[1] for array in training[:2])))
    network.to(device, resolve_dtype(model._precision(), device))
    settings = model._settings()
    patience: Any = settings.n_iter_no_change
    if model.mode_ == "projected":  # prototypes gain to the last
        patience = min(patience, _SHORT_OF_BREATH)
    settings = settings._replace(
        alpha=settings.alpha / total_weight, n_iter_no_change=patience, early_stopping=False,
        verbose=0,
    )  # fmt: skip
    LeanNet(network, settings, generator).run([model._stage(training, generator, False)])
    return network.eval().requires_grad_(False)
