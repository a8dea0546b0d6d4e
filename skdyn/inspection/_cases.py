"""Which stored cases decided an answer."""

from typing import Any, Self

import numpy as np

from skdyn.inspection._axes import axes_or_new, keep_inside
from skdyn.inspection._fitted import unwrapped
from skdyn.inspection._legend import place_legend
from skdyn.inspection._style import COLORS, GRAY, styled

__all__ = ["CasesDisplay"]


class CasesDisplay:
    """Bars of the weights of the cases that decided one answer, the heaviest at the top.

    Parameters
    ----------
    table : DataFrame
        What ``explain`` returns, of one query.

    Attributes
    ----------
    ax_ : matplotlib axes
        Where it was drawn.
    figure_ : matplotlib figure
        The figure of ``ax_``.
    bars_ : list of matplotlib bars
        Of the cases of each class, and of the rest.

    Examples
    --------
    >>> from skdyn import HopfieldRegressor
    >>> from skdyn.inspection import CasesDisplay
    >>> model = HopfieldRegressor("stored").fit([[0.0], [1.0], [2.0]], [0.0, 1.0, 4.0])
    >>> display = CasesDisplay.from_estimator(model, [[1.1]], n_cases=2)
    >>> [label.get_text() for label in display.ax_.get_yticklabels()]
    ['1: 1', '2: 4', 'other cases']
    """

    def __init__(self, table: Any) -> None:
        self.table = table

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        query: int = 0,
        n_cases: int = 5,
        cases: Any = None,
        ax: Any = None,
        name: str | None = None,
        **style: Any,
    ) -> Self:
        """Explain an answer and draw.

        Parameters
        ----------
        estimator : estimator
            Fitted, with ``explain``.
        X : array-like of shape (n_samples, n_features)
            Inputs.
        query : int, default=0
            Which row of X; an imputer's answers are those for its first gap.
        n_cases : int, default=5
            How many cases; the others count together.
        cases : DataFrame or Series or None, default=None
            The training data as they were passed to ``fit``, to name cases by its index.
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            Begins the entries of the legend.
        **style : dict
            Settings of matplotlib for the bars, such as ``height``.

        Returns
        -------
        CasesDisplay
        """
        fitted = unwrapped(estimator)
        X = fitted.seen(X)
        row = X.iloc[[query]] if hasattr(X, "iloc") else np.asarray(X)[[query]]
        table = fitted.estimator.explain(row, n_cases, cases=cases)
        return cls(table).plot(ax=ax, name=name, **style)

    def plot(self, *, ax: Any = None, name: str | None = None, **style: Any) -> Self:
        """Draw the bars.

        Parameters
        ----------
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            Begins the entries of the legend.
        **style : dict
            Settings of matplotlib for the bars, such as ``height``.

        Returns
        -------
        self : CasesDisplay
        """
        from matplotlib.patches import Rectangle

        self.ax_ = axes_or_new(ax)
        self.figure_ = self.ax_.figure
        table = _one_answer(self.table)
        begin = "" if name is None else f"{name}: "
        told, groups = _told(table), _groups(table)
        self.bars_ = []
        for number, group in enumerate(dict.fromkeys(groups)):
            lines = np.flatnonzero(np.array(groups) == group)
            color = GRAY if group == "all others" else COLORS[number % len(COLORS)]
            looks = styled(Rectangle, style, color=color, label=f"{begin}{group}")
            height = looks.pop("height", 0.8)
            weights = table["weight"].to_numpy()[lines]
            self.bars_.append(self.ax_.barh(lines, weights, height, **looks))
        self.ax_.set(yticks=range(len(table)), xlabel="weight", ylabel="stored case")
        self.ax_.set_yticklabels(told)
        self.ax_.invert_yaxis()
        if len(self.bars_) > 1:
            place_legend(self.ax_)
        keep_inside(self.ax_)
        return self


def _one_answer(table):
    """Return the lines of the first query, and of its first gap."""
    first = table.index[0][:-1]
    return table.loc[first if len(first) > 1 else first[0]]


def _told(table):
    """Return what stands beside the bars."""
    targets = table[_target_of(table)] if _target_of(table) else [None] * len(table)
    names = []
    for case, kind, target in zip(table["case"], table["kind"], targets):
        if kind != "case":
            names.append(kind)
        else:
            names.append(f"{case}" if target is None else f"{case}: {_short(target)}")
    return names


def _groups(table):
    """Return which bars look alike: those of a class, or of a memory."""
    of_case = table["kind"].to_numpy() == "case"
    column = "memory" if "memory" in table else _target_of(table)
    values = np.full(len(table), "cases", dtype=object) if column is None else table[column]
    if column not in (None, "memory") and table[column].dtype != object:
        values = ["cases"] * len(table)  # numbers are told beside the bars
    return [str(v) if own else "all others" for own, v in zip(of_case, values)]


def _target_of(table):
    return next((name for name in ("target", "target_0", "value") if name in table), None)


def _short(target):
    return f"{target:.3g}" if isinstance(target, float) else f"{target}"
