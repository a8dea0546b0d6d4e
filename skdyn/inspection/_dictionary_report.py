"""What a person looks through to read a dictionary: what its report is made of."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from sklearn.utils.multiclass import type_of_target

from skdyn._validation import is_whole
from skdyn.inspection._fitted import unwrapped
from skdyn.inspection._report_page import FeaturePart, Sample, Summary, page

__all__ = ["dictionary_report"]

_MOST_FEATURES = 500  # of a page: some megabytes, which a browser shows at once
_MOST_NUMBERS = 2**22  # samples, times what stands around each: bounds the page


def dictionary_report(
    coder: Any,
    X: Any,
    path: str | os.PathLike[str],
    *,
    y: ArrayLike | None = None,
    row_names: Sequence[str] | np.ndarray | None = None,
    window: int = 0,
    groups: ArrayLike | None = None,
    features: ArrayLike | None = None,
    n_top: int = 10,
    n_neighbors: int = 5,
    title: str = "Dictionary",
) -> Path:
    """Write a page on the features of a dictionary, to be looked through in a browser.

    Of each feature it shows the samples that activate it most, what stands around them, how often
    and how much it is active, the features most like it, and of which class it speaks. The table
    at its head is sorted by a click on a column. The page is one file that needs no network.

    Parameters
    ----------
    coder : SparseAutoencoder, Transcoder, Crosscoder or CodebookTransformer
        Fitted; or a fitted pipeline or search that ends in one.
    X : array-like of shape (n_samples, n_features), or iterable of such
        Samples to show, in one of the forms that ``fit`` takes, but for an iterator, which can be
        read only once.
    path : path-like
        File to write, such as ``"report.html"``.
    y : array-like of shape (n_samples,) or None, default=None
        Classes: of each feature the one that it tells best.
    row_names : sequence of str of length n_samples or None, default=None
        What each sample is: a token of a text, or any name. None numbers them.
    window : int, default=0
        So many samples before and after are shown beside each, as of the tokens of a text, shaded
        by how active the feature is there.
    groups : array-like of shape (n_samples,) or None, default=None
        Texts, say, that samples belong to: those of others do not stand beside one.
    features : array-like of int or None, default=None
        Which features; None takes the 500 that are active most often.
    n_top : int, default=10
        Number of samples of each feature.
    n_neighbors : int, default=5
        Number of features like it.
    title : str, default="Dictionary"
        Heading of the page.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    TypeError
        If ``coder`` is no dictionary of this package.
    ValueError
        If ``X`` is an iterator, ``y``, ``row_names`` or ``groups`` have another length, ``y`` holds
        no classes, ``window`` is asked for without ``row_names``, or a feature does not exist.

    See Also
    --------
    DictionaryDisplay : The atoms as images or bars.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> from sklearn.datasets import load_digits
    >>> from skdyn import SparseAutoencoder
    >>> from skdyn.inspection import dictionary_report
    >>> X, y = load_digits(return_X_y=True)
    >>> coder = SparseAutoencoder(32, k=4, max_iter=5, random_state=0).fit(X)
    >>> file = dictionary_report(coder, X, Path(mkdtemp()) / "digits.html", y=y)
    >>> "<html" in file.read_text(encoding="utf-8")
    True
    """
    fitted = unwrapped(coder)
    coder = fitted.estimator
    if not hasattr(coder, "transform_blocks"):
        raise TypeError(
            "coder must be a SparseAutoencoder, a Transcoder, a Crosscoder or a "
            f"CodebookTransformer; got {type(coder).__name__}."
        )
    _check_numbers(window=(window, 0), n_top=(n_top, 1), n_neighbors=(n_neighbors, 0))
    if window and row_names is None:
        raise ValueError("window shows samples by their row_names; pass them, a token a sample.")
    X = _readable(fitted, X)
    table = coder.feature_table(X, n_neighbors=n_neighbors)
    chosen = _chosen(features, table["density"].to_numpy())
    tops, activations = coder.top_activating(chosen, X, n_top)
    if row_names is not None:
        row_names = np.asarray(row_names, dtype=object)  # of a series too, by place
    around = _Around(tops, window, groups, row_names)
    classes = _Classes(y, len(chosen))
    n_samples = 0
    for start, codes in coder.transform_blocks(X):
        codes = sparse.csr_matrix(codes)[:, chosen]
        n_samples = start + codes.shape[0]
        around.see(start, codes)
        classes.see(start, codes)
    for name, part in {"y": y, "row_names": row_names, "groups": groups}.items():
        if part is not None and len(np.asarray(part)) != n_samples:
            raise ValueError(f"{name} has {len(np.asarray(part))} entries for {n_samples} samples.")
    summary = Summary.of(title, coder, table, n_samples, len(chosen))
    parts = _parts(chosen, table, tops, activations, around, classes)
    path = Path(path)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(page(summary, parts))
    return path


def _check_numbers(**numbers):
    for name, (value, least) in numbers.items():
        if not is_whole(value, least):
            raise ValueError(f"{name} must be a whole number from {least} on; got {value!r}.")


def _readable(fitted, X: Any) -> Any:
    """Return data as the coder sees them, to be read several times."""
    if isinstance(X, Iterator):
        raise ValueError(
            "X is an iterator, which can be read only once, but a report reads it three times. "
            "Pass a function that returns a new iterator, or a list of the batches."
        )
    if isinstance(X, list | tuple) and not (X and hasattr(X[0], "shape")):
        X = np.asarray(X)
    if not fitted.before or hasattr(X, "shape"):
        return fitted.seen(X)
    begin: Callable[[], Any] = X if callable(X) else lambda: X
    return lambda: (fitted.seen(block) for block in begin())


def _chosen(features, density) -> np.ndarray:
    if features is None:
        order = np.argsort(-density, kind="stable")[:_MOST_FEATURES]
        return order[density[order] > 0] if (density > 0).any() else order[:1]
    chosen = np.asarray(features)
    if chosen.ndim != 1 or len(chosen) == 0:
        raise ValueError(f"features must be a list of numbers of features; got {features!r}.")
    if len(np.unique(chosen)) != len(chosen):
        raise ValueError(f"features must be told once each; got {features!r}.")
    return chosen


def _parts(chosen, table, tops, activations, around, classes) -> Iterator[FeaturePart]:
    """Yield what the page tells of each feature."""
    ranks = [name.removeprefix("neighbor_") for name in table.columns if "neighbor_" in name]
    for place, feature in enumerate(chosen):
        row = table.loc[feature]
        samples = [
            Sample(int(tops[place, n]), float(value), around.of(place, n, value))
            for n, value in enumerate(activations[place]) if value != 0
        ]  # fmt: skip
        like = [(int(row[f"neighbor_{rank}"]), float(row[f"cosine_{rank}"])) for rank in ranks]
        yield FeaturePart(
            int(feature), float(row["density"]), float(row["mean_activation"]),
            float(row["decoder_norm"]), like, classes.best(place), samples,
        )  # fmt: skip


class _Around:
    """What stands around the samples that are shown, and how active a feature is there."""

    def __init__(self, tops, window, groups, row_names):
        n_shown = tops.size * (2 * window + 1)
        if n_shown > _MOST_NUMBERS:
            raise ValueError(
                f"{n_shown} samples would be shown, too many for a page. Lower window={window}, "
                f"n_top={tops.shape[1]} or the number of features ({len(tops)})."
            )
        n_rows = None if row_names is None else len(row_names)
        rows = tops[..., None] + np.arange(-window, window + 1)
        inside = rows >= 0 if n_rows is None else (rows >= 0) & (rows < n_rows)
        if groups is not None and n_rows is not None:
            groups = np.asarray(groups)
            known = np.clip(rows, 0, len(groups) - 1)
            inside &= groups[known] == groups[known[..., [window]]]
        self.window, self.names, self.rows, self.inside = window, row_names, rows, inside
        self.codes = np.zeros(rows.shape)

    def see(self, start, codes):
        """Take the codes of a block."""
        if not self.window:
            return
        here = self.inside & (self.rows >= start) & (self.rows < start + codes.shape[0])
        places = here.nonzero()
        if len(places[0]):
            self.codes[here] = np.asarray(codes[self.rows[here] - start, places[0]]).ravel()

    def of(self, place, n, most) -> list[tuple[str, float, bool]]:
        """Return the texts around a sample, their shares of its activation, and which is its."""
        if self.names is None:
            return []
        if not self.window:
            return [(str(self.names[self.rows[place, n, 0]]), 1.0, False)]
        inside = self.inside[place, n].nonzero()[0]
        shares = (self.codes[place, n, inside] / most).clip(0.0, 1.0).tolist()
        names = [str(self.names[row]) for row in self.rows[place, n, inside]]
        return list(zip(names, shares, (inside == self.window).tolist(), strict=True))


class _Classes:
    """How often each feature is active in each class."""

    def __init__(self, y, n_features):
        self.names, self.labels = (), None
        if y is not None:
            y = np.asarray(y)
            if type_of_target(y) not in ("binary", "multiclass"):
                raise ValueError(
                    f"y must hold one class a sample; it is {type_of_target(y)!r}. Cut numbers "
                    "into classes, by numpy.digitize for instance."
                )
            self.names, self.labels = np.unique(y, return_inverse=True)
        self.active = np.zeros((len(self.names), n_features))
        self.totals = np.zeros(len(self.names))

    def see(self, start, codes):
        """Take the codes of a block."""
        if self.labels is None:
            return
        labels = self.labels[start : start + codes.shape[0]]
        here = labels[:, None] == np.arange(len(self.names))
        self.totals += here.sum(axis=0)
        used = codes[: len(labels)] != 0
        self.active += np.asarray((used.T @ here.astype(float)).T)

    def best(self, place) -> tuple[str, float, float] | None:
        """Return the class that a feature tells best, by F1, its precision and its recall."""
        active = self.active[:, place]
        if not active.sum():
            return None
        best = int(np.argmax(2 * active / (active.sum() + self.totals).clip(1.0)))
        precision, recall = active[best] / active.sum(), active[best] / self.totals[best]
        return str(self.names[best]), float(precision), float(recall)
