"""What sparsity costs in accuracy."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy.sparse import issparse
from sklearn.utils import gen_batches

from skdyn.inspection._axes import axes_or_new, keep_inside, title_if_named
from skdyn.inspection._legend import place_legend
from skdyn.inspection._panels import SINGLE, small_panels
from skdyn.inspection._style import series, styled

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.base import BaseEstimator

__all__ = ["FrontierDisplay"]

_ROWS = 1024  # encoded at once
_X, _Y = "L0: atoms a sample uses", "fraction of variance unexplained"


class FrontierDisplay:
    """Fraction of variance unexplained against L0: how much how few atoms explain.

    Dictionaries compare at the same L0, or by the whole line; the lower, the better. More than
    eight lines have a small panel each, the others gray behind it.

    Parameters
    ----------
    results : DataFrame
        One fit a row: columns ``l0``, ``fvu`` and, where there are several lines, ``name``.

    Attributes
    ----------
    ax_ : matplotlib axes, or ndarray of them
        Where it was drawn; of more than eight lines, the panel of each.
    figure_ : matplotlib figure
        The figure of ``ax_``.
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
        name: str | None = None,
        **style: Any,
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
        name : str or None, default=None
            What the legend calls a line without a name; a title where lines have names.
        **style : dict
            Settings of matplotlib for the lines, such as ``lw``.

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
        return cls(results).plot(ax=ax, name=name, **style)

    def plot(self, *, ax: Any = None, name: str | None = None, **style: Any) -> Self:
        """Draw the lines.

        Parameters
        ----------
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            What the legend calls a line without a name; a title where lines have names.
        **style : dict
            Settings of matplotlib for the lines, such as ``lw``.

        Returns
        -------
        self : FrontierDisplay
        """
        named = "name" in self.results
        groups = self.results.groupby("name", sort=False) if named else [(name, self.results)]
        curves = [(label, fits.sort_values("l0")[["l0", "fvu"]]) for label, fits in groups]
        if len(curves) > SINGLE:
            self._draw_panels(ax, curves, style)
        else:
            self._draw_together(ax, curves, style)
        title_if_named(self.ax_, name if named else None)
        keep_inside(*np.ravel(self.ax_))
        return self

    def _draw_together(self, ax, curves, style):
        self.ax_ = axes_or_new(ax)
        self.figure_ = self.ax_.figure
        self.lines_ = [
            _curve(self.ax_, fits, style, label=label, **series(number))
            for number, (label, fits) in enumerate(curves)
        ]
        if curves[0][0] is not None:
            place_legend(self.ax_)
        self.ax_.set(xlabel=_X, ylabel=_Y)

    def _draw_panels(self, ax, curves, style):
        from matplotlib.collections import LineCollection

        every = [fits.to_numpy() for _, fits in curves]
        outer = axes_or_new(ax, figsize=(8.0, min(12.0, 1.0 + 0.16 * len(curves))))
        self.ax_ = small_panels(outer, [str(label) for label, _ in curves], _X, _Y)
        self.figure_ = outer.figure
        self.lines_ = []
        for panel, (label, fits) in zip(self.ax_, curves, strict=True):
            panel.add_collection(LineCollection(every, color="0.85", lw=0.6))
            looks = {**series(0), "label": label, "ms": 2}
            self.lines_.append(_curve(panel, fits, style, **looks))


def _curve(panel, fits, style, **looks):
    from matplotlib.lines import Line2D

    (line,) = panel.plot(fits["l0"].array, fits["fvu"].array, **styled(Line2D, style, **looks))
    return line


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
