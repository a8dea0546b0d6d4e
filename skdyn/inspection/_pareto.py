"""What accuracy costs in complexity."""

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from skdyn.inspection._axes import axes_or_new, keep_inside, title_if_named
from skdyn.inspection._fitted import unwrapped
from skdyn.inspection._legend import legend_below, lines_below, place_legend
from skdyn.inspection._style import BLUE, MARKERS, VERMILION, styled

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ParetoDisplay"]


class ParetoDisplay:
    """Error against complexity of the systems that a search found, the chosen one marked.

    Parameters
    ----------
    front : DataFrame
        One system a row: columns ``complexity``, ``error``, ``equations`` (a text, or a sequence
        of them) and ``selected`` (bool).
    n_equations : int, default=0
        Number of systems whose equations are written below the plot: the chosen one and its
        neighbors. Long ones are broken, and cut where they would leave the front no room.

    Attributes
    ----------
    ax_ : matplotlib axes
        Where it was drawn.
    figure_ : matplotlib figure
        The figure of ``ax_``.
    line_ : matplotlib line
        The front.
    selected_ : matplotlib line
        The chosen system.
    legend_ : matplotlib legend or None
        The equations.

    Examples
    --------
    >>> import pandas as pd
    >>> from skdyn.inspection import ParetoDisplay
    >>> front = pd.DataFrame(
    ...     {
    ...         "complexity": [1, 3, 7],
    ...         "error": [0.5, 0.01, 0.009],
    ...         "equations": ["x' = 1.2", "x' = 2 x", "x' = 2 x + 0.001 x^2"],
    ...         "selected": [False, True, False],
    ...     }
    ... )
    >>> ParetoDisplay(front, n_equations=1).plot().legend_.get_texts()[0].get_text()
    "x' = 2 x"
    """

    def __init__(self, front: "pd.DataFrame", n_equations: int = 0) -> None:
        self.front = front
        self.n_equations = n_equations

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        n_equations: int = 0,
        figsize: tuple[float, float] | None = None,
        ax: Any = None,
        name: str | None = None,
        **style: Any,
    ) -> Self:
        """Draw the front of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            Fitted, with ``pareto_front_``.
        n_equations : int, default=0
            Number of systems whose equations are written below the plot: the chosen one and its
            neighbors.
        figsize : tuple of float or None, default=None
            Width and height in inches of a figure that is made; None leaves room for the equations.
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            What the legend calls the front; a title where it holds equations.
        **style : dict
            Settings of matplotlib for the front, such as ``lw``.

        Returns
        -------
        ParetoDisplay
        """
        display = cls(unwrapped(estimator).estimator.pareto_front_, n_equations)
        if ax is None and figsize is not None:
            ax = axes_or_new(None, figsize)
        return display.plot(ax=ax, name=name, **style)

    def plot(self, *, ax: Any = None, name: str | None = None, **style: Any) -> Self:
        """Draw the front.

        Parameters
        ----------
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            What the legend calls the front; a title where it holds equations.
        **style : dict
            Settings of matplotlib for the front, such as ``lw``.

        Returns
        -------
        self : ParetoDisplay
        """
        from matplotlib.lines import Line2D

        front = self.front.sort_values("complexity")
        chosen = front["selected"].to_numpy(dtype=bool)
        told = self._told(front, chosen, self.n_equations)
        self.ax_ = axes_or_new(ax, figsize=_figsize(told))
        told = self._told(front, chosen, min(self.n_equations, lines_below(self.ax_)))
        self.figure_ = self.ax_.figure
        x, y = front["complexity"].to_numpy(), front["error"].to_numpy()
        looks = {"color": BLUE, "ls": "-", "marker": "o", "drawstyle": "steps-post"}
        (self.line_,) = self.ax_.plot(x, y, **styled(Line2D, style, **looks, label=name))
        (self.selected_,) = self.ax_.plot(
            x[chosen], y[chosen], "o", ms=12, mfc="none", mec=VERMILION, mew=2
        )
        self.ax_.set(xlabel="complexity", ylabel="error", yscale="log")
        self.legend_: Any = None
        if told:
            self.legend_ = self._write_equations(front, chosen, told)
            title_if_named(self.ax_, name)
        elif name is not None:
            self.legend_ = place_legend(self.ax_)
        keep_inside(self.ax_)
        return self

    def _told(self, front, chosen, n_systems):
        """Return the equations of the systems nearest to the chosen one, by their rows."""
        near = np.argsort(np.abs(np.arange(len(front)) - np.argmax(chosen)), kind="stable")
        told = {row: front.iloc[row]["equations"] for row in sorted(near[:n_systems])}
        return {
            row: text if isinstance(text, str) else "\n".join(text) for row, text in told.items()
        }

    def _write_equations(self, front, chosen, told):
        """Write equations, each beside a marker of its own."""
        handles = []
        for number, row in enumerate(told):
            system = front.iloc[row]
            color = VERMILION if chosen[row] else "black"
            handles += self.ax_.plot(
                system["complexity"], system["error"], MARKERS[number % len(MARKERS)], color=color
            )
        return legend_below(self.ax_, handles, list(told.values()))


def _figsize(told):
    """Return the size of a figure whose lower part holds all equations, as far as that goes."""
    if not told:
        return 5.0, 3.6
    n_lines = sum(1 + len(line) // 90 for text in told.values() for line in text.splitlines())
    return 7.0, min(12.0, max(4.2, 2.6 + 0.3 * n_lines))
