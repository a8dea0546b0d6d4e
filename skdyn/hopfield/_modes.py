"""Which mode answers, and what is settled where nothing is trained."""

from typing import Any

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning

from skdyn.exceptions import warn_user
from skdyn.hopfield._retrieval import total_variance
from skdyn.hopfield._separations import SEPARATIONS, as_separation
from skdyn.hopfield._solved import MOST_ROWS, solved
from skdyn.hopfield._solved_choice import chosen, faint
from skdyn.training._threads import threads_for

__all__ = [
    "MODES",
    "OF_SOLVED",
    "TRAINED",
    "first_mode",
    "parts_of_sums",
    "recalled_sums",
    "settle_untrained",
    "warn_where_rows_tell_more",
]

MODES = ("auto", "solved", "projected", "stored", "prototypes")
TRAINED = ("projected", "prototypes")
OF_SOLVED = ("_slopes", "_offsets", "_likeness")  # attributes that only this mode has
_HALF = 0.5
_NOTHING = 1e-12  # loss of an answer to targets that are all the same
_FEW = 10  # patterns, of which a third says too little


def first_mode(model: Any, watches: bool, incremental: bool) -> str:
    """Return the mode that a fit begins with.

    Parameters
    ----------
    model : AssociationEstimator
        Parameters, and what was fitted before.
    watches : bool
        Whether validation data were passed.
    incremental : bool
        Whether this is ``partial_fit``.

    Returns
    -------
    str
        "auto" where the rows are to choose.
    """
    if incremental and hasattr(model, "module_"):
        if model.mode not in ("auto", model.mode_):
            raise ValueError(
                f"partial_fit goes on in mode {model.mode_!r}, which was begun with; "
                f"mode={model.mode!r} would change nothing now. Set it back, or fit a clone."
            )
        if model.mode == "auto" and model.mode_ not in TRAINED and model.n_components is not None:
            raise ValueError(
                f"partial_fit goes on in mode {model.mode_!r}, where n_components="
                f"{model.n_components} has no part. Leave it out, or fit a clone."
            )
        return model.mode_
    others = _not_for_solved(model)
    if model.mode == "solved" and others:
        raise ValueError(
            f"{others[0]} is not for mode='solved', which compares all rows by their distances. "
            "Use mode='projected', or leave it out."
        )
    if watches and model.mode in ("solved", "stored"):
        raise ValueError(
            f"X_val was passed to fit, but mode={model.mode!r} trains nothing that could stop "
            "early. Leave it out, or choose another mode."
        )
    if model.mode != "auto":
        return model.mode
    if watches or model.early_stopping or others:
        return "projected"
    return "stored" if incremental else "auto"


def _not_for_solved(model):
    """Return what was set that values cannot be solved for with."""
    softmax = as_separation(model.separation) == SEPARATIONS["softmax"]
    asked = {
        f"similarity={model.similarity!r}": model.similarity != "euclidean",
        f"separation={model.separation!r}": not softmax,
        f"n_components={model.n_components}": model.n_components is not None,
    }
    return [name for name, is_so in asked.items() if is_so]


def settle_untrained(model: Any) -> tuple[float, np.ndarray | None]:
    """Choose what needs no training by rows that are left out, and set it.

    Parameters
    ----------
    model : AssociationEstimator
        With its rows stored and ``mode_`` set, of which "auto" becomes one of the two others.

    Returns
    -------
    loss : float
        Of rows that were recalled from others.
    projection : ndarray of shape (n_features, n_features) or None
        The map of rows to keys, where there is one.
    """
    for name in OF_SOLVED:
        vars(model).pop(name, None)
    n_patterns, stored = len(model.patterns_), np.inf
    if model.mode_ != "solved":
        is_open, model.mode_ = model.mode_ == "auto", "stored"
        stored = model._settle(False)
        if not is_open or n_patterns < _FEW:
            return stored, None
    link, some = model._link(), slice(MOST_ROWS)
    X, values = model._scaled(model.patterns_[some]), model._as_values(model._targets[some])
    task = X, values, model._mass[some], link
    with threads_for(X.size):
        if n_patterns < _FEW:
            found = faint(*task)
        else:
            found = chosen(*task, None if model.beta == "auto" else model.beta)
        # Rows were recalled from all others here, from two thirds of them there.
        if stored < found.loss and link.tells(stored, found.loss, n_patterns):
            return stored, None
        model.mode_ = "solved"
        return found.loss, _settle_solved(model, found, task)


def _settle_solved(model, found, task):
    """Solve for the values of the rows, and return the map of their keys."""
    X, values, mass, link = task
    if found.loss >= found.trivial_loss > _NOTHING:
        warn_user(
            f"{type(model).__name__} recalls rows that are left out no better than an answer that "
            "reads no input, which is what it nearly gives now. Pass more rows or fewer features, "
            "or look for what the data cannot tell.",
            ConvergenceWarning,
        )
    setting = found.setting
    solution = solved(X, values, mass, setting, link)
    model._values = found.cooling * solution.values
    model._keys = X[: len(model._values)] @ solution.projection
    model._slopes, model._offsets = found.cooling * solution.slopes, found.offsets
    model.beta_ = model._sharpness = setting.beta
    model._likeness, model._cooling = setting.similarity, found.cooling
    smoothing = getattr(model, "smoothing", "auto")
    model._smoothing = 0.0 if smoothing == "auto" else float(smoothing)
    return solution.projection


def warn_where_rows_tell_more(model: Any, loss: float) -> None:
    """Warn where prototypes tell less than half of what the rows themselves do.

    Parameters
    ----------
    model : AssociationEstimator
        With its rows stored.
    loss : float
        Of prototypes, on rows that they were not learned from.
    """
    rows = model._scaled(model.patterns_)
    values, mass = model._as_values(model._targets), model._mass
    unit = total_variance(torch.as_tensor(rows), torch.as_tensor(mass), model.similarity)
    stored = model._choose(rows, values, mass, unit).loss
    link = model._link()
    trivial = link.trivial_loss(values, mass)
    if trivial - loss < _HALF * (trivial - stored) and link.tells(stored, trivial, len(rows)):
        warn_user(
            f"{type(model).__name__}: prototypes tell less than half of what the rows themselves "
            f"do: their loss is {loss:.3g} on rows that are left out, that of all stored rows "
            f"{stored:.3g}, and {trivial:.3g} without any. Use mode='auto', or raise "
            f"n_prototypes={model.n_prototypes}.",
            ConvergenceWarning,
        )


def parts_of_sums(model: Any, X: Any, patterns: np.ndarray, weights: np.ndarray) -> Any:
    """Return what solved values and the linear part add to sums.

    Parameters
    ----------
    model : AssociationEstimator
        Fitted.
    X : array-like of shape (n_queries, n_features)
        Queries.
    patterns : ndarray of int of shape (n_queries, n_found)
        Some patterns of each query.
    weights : ndarray of shape (n_queries, n_found)
        Their shares of the exponentials.

    Returns
    -------
    cases : ndarray of shape (n_queries, n_found, n_values)
        What those patterns add.
    others : ndarray of shape (n_queries, 1, n_values)
        What all other patterns add.
    line : ndarray of shape (n_queries, 1, n_values)
        The linear part.
    """
    queries, memory = model._question(X)
    sums = memory.sums(queries).cpu().numpy()
    cases = (sums[:, -1:] * weights)[..., None] * model._values[patterns]
    others = sums[:, None, :-1] - cases.sum(axis=1, keepdims=True)
    return cases, others, (queries.cpu().numpy() @ model._slopes)[:, None]


def recalled_sums(model: Any, queries: torch.Tensor, memory: Any) -> torch.Tensor:
    """Return what a memory of solved values answers.

    Parameters
    ----------
    model : AssociationEstimator
        Fitted.
    queries : Tensor of shape (n_queries, n_features)
        Keys of queries.
    memory : FrozenMemory
        With the values.

    Returns
    -------
    Tensor of shape (n_queries, n_values)
    """
    sums = memory.sums(queries)[:, :-1].cpu()
    return sums + queries.cpu() @ torch.as_tensor(model._slopes) + torch.as_tensor(model._offsets)
