"""Tables of more columns than rows can tell apart: read all of them, or the few that say most."""

import math
import warnings

import numpy as np
from scipy.stats import rankdata
from sklearn.base import clone
from sklearn.linear_model import RidgeCV
from sklearn.utils import check_random_state

__all__ = ["few_columns", "inputs_read", "read_only"]

_HELD_OUT = 0.25  # of the rows, to choose by
_FEWEST = 60  # rows that can choose
_COUNTS = 6, 16  # of columns; and what rows can tell apart at all
_NOTHING = 1e-9  # length of a column that is constant, a row
_CLEARLY = 0.95  # squared error, beside that of the linear answer
_PENALTIES = np.logspace(-2, 6, 17)


def few_columns(model, X, y, weight):
    """Return the columns to read, where few are better than all.

    Columns are ranked by how much a cubic function of each one's ranks explains of the target
    [1]_. Networks that read the first of them are fitted to three quarters of the rows, and
    compared with the best linear function of all columns on the others.

    Parameters
    ----------
    model : KANEstimator
        Whose parameters count; its targets are known.
    X : ndarray of shape (n, n_features)
        Columns of numbers, none of them missing.
    y : ndarray of shape (n,) or (n, n_outputs)
        Targets.
    weight : ndarray of shape (n,) or None
        Weights of the rows.

    Returns
    -------
    ndarray of int or None
        None where all are to be read.

    References
    ----------
    .. [1] J. Fan, J. Lv, "Sure Independence Screening for Ultrahigh Dimensional Feature Space",
       Journal of the Royal Statistical Society B 70, 2008.
    """
    if len(X) < _FEWEST:
        return None
    weight = np.ones(len(X)) if weight is None else weight
    goals = _goals(model, y)
    rows = check_random_state(model.random_state).permutation(len(X))
    held, seen = np.split(rows, [int(_HELD_OUT * len(X))])
    known = y if hasattr(model, "classes_") else goals
    if len(np.unique(known[seen])) == 1:
        return None

    def loss(answers):
        return np.average(((answers - goals[held]) ** 2).mean(axis=1), weights=weight[held])

    best, least = None, _CLEARLY * loss(_linear_answers(X, goals, weight, seen, held))
    order = _ranked(X[seen], goals[seen])
    for count in _counts(len(seen), X.shape[1]):
        columns = order[:count]
        network = clone(model).set_params(verbose=0, warm_start=False, early_stopping=False)
        with warnings.catch_warnings(action="ignore"):
            network.fit(X[np.ix_(seen, columns)], known[seen], weight[seen])
        answers = _answers(network, X[np.ix_(held, columns)], model, goals.shape[1])
        if (now := loss(answers)) < least:
            best, least = count, now
    return None if best is None else np.sort(_ranked(X, goals)[:best])


def inputs_read(module):
    """Return which inputs of a network have any edge, or levels, a mask.

    Parameters
    ----------
    module : KAN
        The network.

    Returns
    -------
    Tensor of shape (n_inputs,), bool
    """
    first = module.layers[0]
    read = first.mask.any(dim=1)
    return read if first.levels is None else read | first.levels.is_category


def read_only(module, inputs):
    """Cut the edges from all other inputs of a network, in place.

    Parameters
    ----------
    module : KAN
        The network.
    inputs : Tensor of shape (n_inputs,), bool
        Those that are read.
    """
    module.layers[0].mask *= inputs[:, None].to(module.layers[0].mask)


def _counts(n_rows, n_columns):
    most = int(n_rows / math.log(n_rows) / 2)
    return sorted({count for count in (*_COUNTS, most) if count <= min(most, n_columns)})


def _goals(model, y):
    """Return what is to be answered, a column an output: of classes, which of them it is."""
    if hasattr(model, "classes_"):
        return (np.asarray(y)[:, None] == model.classes_).astype(float)
    y = np.asarray(y, dtype=float).reshape(len(y), -1)
    spread = y.std(axis=0)
    return (y - y.mean(axis=0)) / np.where(spread > 0, spread, 1.0)


def _ranked(X, goals):
    """Return the columns, those first of which a cubic function explains most."""
    ranks = (rankdata(X, axis=0) - 0.5) * (2 / len(X)) - 1
    goals = _of_length_one(goals)
    explained = 0.0
    for degree in (1, 2, 3):
        basis = _of_length_one(np.polynomial.Legendre.basis(degree)(ranks))
        explained = explained + ((basis.T @ goals) ** 2).sum(axis=1)
    return np.argsort(-explained, kind="stable")


def _of_length_one(columns):
    columns = columns - columns.mean(axis=0)
    length = np.linalg.norm(columns, axis=0)
    return columns / np.where(length > _NOTHING * len(columns), length, np.inf)


def _linear_answers(X, goals, weight, seen, held):
    center, spread = X[seen].mean(axis=0), X[seen].std(axis=0)
    X = (X - center) / np.where(spread > 0, spread, 1.0)
    return RidgeCV(_PENALTIES).fit(X[seen], goals[seen], weight[seen]).predict(X[held]).reshape(
        len(held), -1
    )  # fmt: skip


def _answers(network, X, model, n_outputs):
    if not hasattr(model, "classes_"):
        return network.predict(X).reshape(-1, n_outputs)
    answers = np.zeros((len(X), n_outputs))
    answers[:, np.isin(model.classes_, network.classes_)] = network.predict_proba(X)
    return answers
