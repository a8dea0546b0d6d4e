"""Rows to watch while the others are learned from."""

from math import ceil
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from skdyn.exceptions import warn_user

__all__ = ["hold_out_rows"]


def hold_out_rows(
    n_rows: int, fraction: float, seed: int, labels: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Share rows between training and validation, each class in its proportion.

    Where a class is too rare or the rows are too few for that, as much of it is kept as can be,
    with a warning: classes of one row are learned from, a larger share is held out, then one that
    may lack classes, then none.

    Parameters
    ----------
    n_rows : int
        Number of rows.
    fraction : float
        Share to hold out, the parameter ``validation_fraction``.
    seed : int
        Of the choice.
    labels : ndarray of shape (n_rows,) or None, default=None
        Classes.

    Returns
    -------
    learnt, held_out : ndarray of int
        The rows of each part; the latter is empty where there is nothing to hold out.
    """
    rows, counts = np.arange(n_rows), np.full(n_rows, n_rows)
    classes = np.zeros(n_rows, dtype=int)
    if labels is not None:
        classes = np.unique(labels, return_inverse=True)[1]
        counts = np.bincount(classes)[classes]
    alone, rest = rows[counts == 1], rows[counts > 1]
    if len(rest) == 0:
        _warn([f"nothing is held out of {n_rows}, and training does not stop early"])
        return rows, rest
    n_classes, wanted = len(np.unique(classes[rest])), ceil(fraction * len(rest))
    n_held_out = min(max(wanted, n_classes), len(rest) - 1)
    all_classes = min(n_held_out, len(rest) - n_held_out) >= n_classes
    happened = {
        f"{len(alone)} classes have one row each, which is learned from": len(alone),
        f"{n_held_out} rows are held out instead of {wanted}": n_held_out != wanted,
        "either part may lack classes": not all_classes,
    }
    if any(happened.values()):
        _warn([what for what, so in happened.items() if so])
    parts: Any = train_test_split(
        rest, test_size=n_held_out, random_state=seed,
        stratify=classes[rest] if labels is not None and all_classes else None,
    )  # fmt: skip
    learnt, held_out = parts
    return np.concatenate([learnt, alone]), held_out


def _warn(happened):
    warn_user(
        "The rows are too few to hold a share of each class out as early_stopping=True asks: "
        f"{'; '.join(happened)}. Change validation_fraction, pass X_val and y_val, or set "
        "early_stopping=False.",
        UserWarning,
    )
