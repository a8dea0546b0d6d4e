"""How often the features of a dictionary are used."""

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from skdyn.inspection._axes import axes_or_new

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

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
        cls, estimator: "BaseEstimator", X: Any = None, *, n_bins: int = 30, ax: Any = None
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

        Returns
        -------
        FeatureDensityDisplay
        """
        known = estimator.feature_density_ if X is None else estimator.feature_table(X)["density"]
        return cls(np.asarray(known), n_bins).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw the histogram.

        Parameters
        ----------
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        self : FeatureDensityDisplay
        """
        self.ax_ = axes_or_new(ax)
        used = self.densities > 0
        n_used, n_dead = used.sum(), (~used).sum()
        counts, edges = np.histogram(np.log10(self.densities[used]), self.n_bins)
        width = edges[1] - edges[0]
        self.bars_ = self.ax_.bar(
            edges[:-1], counts, width, align="edge", color="tab:blue", label=f"{n_used} used"
        )
        self.dead_ = None
        if n_dead:
            self.dead_ = self.ax_.bar(  # the logarithm of zero: to the left of everything
                edges[0] - 3 * width, n_dead, width, align="edge", color="tab:red",
                label=f"{n_dead} dead",
            )  # fmt: skip
        self.ax_.set(xlabel="log10 of the share of samples", ylabel="features")
        self.ax_.legend()
        return self
