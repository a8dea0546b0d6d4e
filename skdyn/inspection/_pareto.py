"""What accuracy costs in complexity."""

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from skdyn.inspection._axes import axes_or_new

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.base import BaseEstimator

__all__ = ["ParetoDisplay"]


class ParetoDisplay:
    """Error against complexity of the systems that a search found, the chosen one marked.

    Parameters
    ----------
    front : DataFrame
        One system a row: columns ``complexity``, ``error``, ``equations`` (a text, or a sequence
        of them) and ``selected`` (bool).
    n_equations : int, default=0
        Number of systems whose equations are written beside the plot: the chosen one and its
        neighbours.

    Attributes
    ----------
    ax_ : matplotlib axes
        Where it was drawn.
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
        estimator: "BaseEstimator",
        *,
        n_equations: int = 0,
        ax: Any = None,
        figsize: tuple[float, float] | None = None,
    ) -> Self:
        """Draw the front of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            Fitted, with ``pareto_front_``.
        n_equations : int, default=0
            Number of systems whose equations are written beside the plot: the chosen one and its
            neighbours.
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.
        figsize : tuple of float or None, default=None
            Width and height of that figure, in inches; None leaves room for the equations.

        Returns
        -------
        ParetoDisplay
        """
        return cls(estimator.pareto_front_, n_equations).plot(ax=ax, figsize=figsize)

    def plot(self, ax: Any = None, figsize: tuple[float, float] | None = None) -> Self:
        """Draw the front.

        Parameters
        ----------
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.
        figsize : tuple of float or None, default=None
            Width and height of that figure, in inches; None leaves room for the equations.

        Returns
        -------
        self : ParetoDisplay
        """
        front = self.front.sort_values("complexity")
        self.ax_ = axes_or_new(ax, figsize=figsize or (9.0 if self.n_equations else 5.0, 3.6))
        x, y = front["complexity"].to_numpy(), front["error"].to_numpy()
        (self.line_,) = self.ax_.plot(x, y, "o-", color="tab:blue", drawstyle="steps-post")
        chosen = front["selected"].to_numpy(dtype=bool)
        (self.selected_,) = self.ax_.plot(
            x[chosen], y[chosen], "o", ms=12, mfc="none", mec="tab:red", mew=2
        )
        self.ax_.set(xlabel="complexity", ylabel="error", yscale="log")
        self.legend_ = self._write_equations(front, chosen) if self.n_equations else None
        return self

    def _write_equations(self, front, chosen):
        """Write the systems nearest to the chosen one, each beside a marker of its own."""
        near = np.argsort(np.abs(np.arange(len(front)) - np.argmax(chosen)), kind="stable")
        for number, row in enumerate(sorted(near[: self.n_equations])):
            system = front.iloc[row]
            equations = system["equations"]
            text = equations if isinstance(equations, str) else "\n".join(equations)
            style = {"color": "tab:red"} if chosen[row] else {"color": f"{0.15 + 0.12 * number}"}
            self.ax_.plot(
                system["complexity"], system["error"], "os^vDP*X"[number % 8], label=text, **style
            )
        return self.ax_.legend(loc="upper left", bbox_to_anchor=(1.02, 1.0), fontsize="small")
