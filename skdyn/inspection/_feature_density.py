"""How often the features of a dictionary are used."""

from typing import Any, Self

import numpy as np

from skdyn.inspection._axes import axes_or_new, keep_inside
from skdyn.inspection._fitted import unwrapped
from skdyn.inspection._legend import place_legend
from skdyn.inspection._style import BLUE, VERMILION, styled

__all__ = ["FeatureDensityDisplay"]


class FeatureDensityDisplay:
    """Histogram of the features' densities on a logarithmic scale, dead ones in a bar of their own.

    Parameters
    ----------
    densities : ndarray of shape (n_components,)
        Share of the samples that use each feature.
    n_bins : int, default=30
        Number of bars for the features that are used.

    Attributes
    ----------
    ax_ : matplotlib axes
        Where it was drawn.
    figure_ : matplotlib figure
        The figure of ``ax_``.
    bars_ : matplotlib bars
        Features that are used, by the logarithm of their density.
    dead_ : matplotlib bars or None
        Features that no sample uses; None where there are none.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn.inspection import FeatureDensityDisplay
    >>> display = FeatureDensityDisplay(np.array([0.0, 0.0, 0.001, 0.1, 0.2])).plot()
    >>> display.ax_.get_legend().get_texts()[1].get_text()
    '2 dead'
    """

    def __init__(self, densities: np.ndarray, n_bins: int = 30) -> None:
        self.densities = densities
        self.n_bins = n_bins

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any = None,
        *,
        n_bins: int = 30,
        ax: Any = None,
        name: str | None = None,
        **style: Any,
    ) -> Self:
        """Count and draw.

        Parameters
        ----------
        estimator : estimator
            Fitted dictionary, with ``feature_density_``; for ``X`` also with ``feature_table``.
        X : array-like of shape (n_samples, n_features) or None, default=None
            Samples to count in; None takes what training counted.
        n_bins : int, default=30
            Number of bars for the features that are used.
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            Begins the entries of the legend.
        **style : dict
            Settings of matplotlib for the bars, such as ``alpha``.

        Returns
        -------
        FeatureDensityDisplay
        """
        fitted = unwrapped(estimator)
        known = fitted.estimator.feature_density_
        if X is not None:
            known = fitted.estimator.feature_table(fitted.seen(X))["density"]
        return cls(np.asarray(known), n_bins).plot(ax=ax, name=name, **style)

    def plot(self, *, ax: Any = None, name: str | None = None, **style: Any) -> Self:
        """Draw the histogram.

        Parameters
        ----------
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            Begins the entries of the legend.
        **style : dict
            Settings of matplotlib for the bars, such as ``alpha``.

        Returns
        -------
        self : FeatureDensityDisplay
        """
        from matplotlib.patches import Rectangle

        self.ax_ = axes_or_new(ax)
        self.figure_ = self.ax_.figure
        begin = "" if name is None else f"{name}: "
        used = self.densities > 0
        n_used, n_dead = used.sum(), (~used).sum()
        counts, edges = np.histogram(np.log10(self.densities[used]), self.n_bins)
        width = edges[1] - edges[0]
        looks = styled(Rectangle, style, color=BLUE, label=f"{begin}{n_used} used")
        self.bars_ = self.ax_.bar(edges[:-1], counts, width, align="edge", **looks)
        self.dead_ = None
        if n_dead:
            self.dead_ = self.ax_.bar(  # the logarithm of zero: to the left of everything
                edges[0] - 3 * width, n_dead, width, align="edge",
                **styled(Rectangle, style, color=VERMILION, label=f"{begin}{n_dead} dead"),
            )  # fmt: skip
        self.ax_.set(xlabel="log10 of the share of samples", ylabel="number of features")
        place_legend(self.ax_)
        keep_inside(self.ax_)
        return self
