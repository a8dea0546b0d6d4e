"""How the loss fell."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from skdyn.inspection._axes import axes_or_new

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

__all__ = ["LossCurveDisplay"]


class LossCurveDisplay:
    """Training loss, and validation loss where there is one, against epochs.

    Parameters
    ----------
    loss_curve : array-like of shape (n_epochs,)
        Training loss of each epoch.
    validation_loss : array-like or None, default=None
        Validation loss of the last epochs; it may cover fewer than ``loss_curve``.

    Attributes
    ----------
    ax_ : matplotlib axes
        Where it was drawn.
    lines_ : list of matplotlib lines
        The curves.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skdyn import NeuralODEClassifier
    >>> from skdyn.inspection import LossCurveDisplay
    >>> model = NeuralODEClassifier(max_iter=5, tol=0).fit(*load_iris(return_X_y=True))
    >>> LossCurveDisplay.from_estimator(model).ax_.get_xlabel()
    'epoch'
    """

    def __init__(
        self,
        loss_curve: Sequence[float] | np.ndarray,
        validation_loss: Sequence[float] | np.ndarray | None = None,
    ) -> None:
        self.loss_curve = loss_curve
        self.validation_loss = validation_loss

    @classmethod
    def from_estimator(cls, estimator: "BaseEstimator", *, ax: Any = None) -> Self:
        """Draw the curves of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            Fitted, with ``loss_curve_``.
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        LossCurveDisplay

        Raises
        ------
        ValueError
            If the estimator has no ``loss_curve_``.
        """
        curve = getattr(estimator, "loss_curve_", None)
        if curve is None:
            raise ValueError(
                f"{type(estimator).__name__} has no loss_curve_. Fit it first, or pass an "
                "estimator that is trained by gradients."
            )
        scores = getattr(estimator, "validation_scores_", None)
        return cls(curve, None if scores is None else -np.asarray(scores)).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.

        Returns
        -------
        self : LossCurveDisplay
        """
        self.ax_ = axes_or_new(ax)
        n_epochs = len(self.loss_curve)
        epochs = np.arange(1, n_epochs + 1)
        self.lines_ = self.ax_.plot(epochs, self.loss_curve, label="training")
        if self.validation_loss is not None:
            watched = epochs[n_epochs - len(self.validation_loss) :]
            self.lines_ += self.ax_.plot(watched, self.validation_loss, label="validation")
            self.ax_.legend()
        lowest = min(np.min(line.get_ydata()) for line in self.lines_)
        yscale = "log" if lowest > 0 else "linear"
        self.ax_.set(xlabel="epoch", ylabel="loss", yscale=yscale)
        return self
