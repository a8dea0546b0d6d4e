"""What sparsity costs in accuracy."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import gen_batches

from skdyn.inspection._axes import axes_or_new

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.base import BaseEstimator

__all__ = ["FrontierDisplay"]

_ROWS = 1024  # encoded at once


class FrontierDisplay:
    """Fraction of variance unexplained against L0: how much how few atoms explain.

    Dictionaries compare at the same L0, or by the whole line; the lower, the better.

    Parameters
    ----------
    results : DataFrame
        One fit a row: columns ``l0``, ``fvu`` and, where there are several lines, ``name``.

    Attributes
    ----------
    ax_ : matplotlib axes
        Where it was drawn.
    lines_ : list of matplotlib lines
        One a name, in the order in which names first come.

    Examples
    --------
    >>> import pandas as pd
    >>> from skdyn.inspection import FrontierDisplay
    >>> results = pd.DataFrame({"l0": [16, 4, 8], "fvu": [0.08, 0.3, 0.15]})
    >>> FrontierDisplay(results).plot().lines_[0].get_xdata().tolist()
    [4, 8, 16]
    """

    def __init__(self, results: "pd.DataFrame") -> None:
        self.results = results

    @classmethod
    def from_estimators(
        cls,
        estimators: Sequence["BaseEstimator"],
        X: Any,
        y: Any = None,
        *,
        names: Sequence[str] | None = None,
        ax: Any = None,
    ) -> Self:
        """Encode and decode samples with each, measure and draw.

        Parameters
        ----------
        estimators : sequence of estimator
            Fitted, with ``transform`` and ``inverse_transform``.
        X : array-like of shape (n_samples, n_features)
            Samples, best ones that none of them has seen; read in chunks.
        y : array-like of shape (n_samples, n_outputs) or None, default=None
            What is to be reconstructed; None is ``X``.
        names : sequence of str or None, default=None
            A name an estimator; those of one name are joined by a line. None joins all.
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        FrontierDisplay

        Raises
        ------
        ValueError
            If there are not as many names as estimators.
        """
        import pandas as pd

        if names is not None and len(names) != len(estimators):
            raise ValueError(f"{len(estimators)} estimators came with {len(names)} names.")
        measured = [_l0_and_fvu(estimator, X, X if y is None else y) for estimator in estimators]
        results = pd.DataFrame(measured, columns=["l0", "fvu"])
        if names is not None:
            results["name"] = list(names)
        return cls(results).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw the lines.

        Parameters
        ----------
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        self : FrontierDisplay
        """
        self.ax_ = axes_or_new(ax)
        named = "name" in self.results
        groups = self.results.groupby("name", sort=False) if named else [(None, self.results)]
        self.lines_ = []
        for name, fits in groups:
            fits = fits.sort_values("l0")
            self.lines_ += self.ax_.plot(fits["l0"].array, fits["fvu"].array, "o-", label=name)
        self.ax_.set(xlabel="L0: atoms a sample uses", ylabel="fraction of variance unexplained")
        if named:
            self.ax_.legend()
        return self


def _l0_and_fvu(estimator, X, y):
    """Return the mean number of codes that are not zero, and the share of variance left."""
    X, y = X if hasattr(X, "shape") else np.asarray(X), np.asarray(y)
    mean = y.mean(axis=0, dtype=np.float64)
    n_active = wrong = total = 0.0
    for rows in gen_batches(X.shape[0], _ROWS):
        codes = estimator.transform(getattr(X, "iloc", X)[rows])
        n_active += codes.count_nonzero() if issparse(codes) else np.count_nonzero(codes)
        wrong += np.square(y[rows] - estimator.inverse_transform(codes), dtype=np.float64).sum()
        total += np.square(y[rows] - mean).sum()
    return n_active / X.shape[0], wrong / total
