"""How the loss fell."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from skdyn.inspection._axes import axes_or_new, extent, keep_inside
from skdyn.inspection._fitted import unwrapped
from skdyn.inspection._legend import place_legend
from skdyn.inspection._style import GRAY, styled

__all__ = ["LossCurveDisplay"]

_LETTERS = 7.0  # size of a stage's name, in points
_LEFT = 0.6  # of the axes' width, at least, beside a legend


class LossCurveDisplay:
    """Training loss, and validation loss where there is one, against epochs.

    Stages of the training are divided by lines, and named: from one to the next the loss is of
    another kind.

    Parameters
    ----------
    loss_curve : array-like of shape (n_epochs,)
        Training loss of each epoch.
    validation_loss : array-like or None, default=None
        Validation loss of the last epochs; it may cover fewer than ``loss_curve``.
    stages : sequence of (str, int) or None, default=None
        Name and number of epochs of each stage of the training.

    Attributes
    ----------
    ax_ : matplotlib axes
        Where it was drawn.
    figure_ : matplotlib figure
        The figure of ``ax_``.
    lines_ : list of matplotlib lines
        The curves.
    boundaries_ : list of matplotlib lines
        Where a stage of the training ends and another begins.

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
        stages: Sequence[tuple[str, int]] | None = None,
    ) -> None:
        self.loss_curve = loss_curve
        self.validation_loss = validation_loss
        self.stages = stages

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        ax: Any = None,
        name: str | None = None,
        **style: Any,
    ) -> Self:
        """Draw the curves of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            Fitted, with ``loss_curve_``, and ``stages_`` where its training has stages.
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            Begins the entries of the legend.
        **style : dict
            Settings of matplotlib for the curves, such as ``lw``.

        Returns
        -------
        LossCurveDisplay

        Raises
        ------
        ValueError
            If the estimator has no ``loss_curve_``.
        """
        estimator = unwrapped(estimator).estimator
        curve = getattr(estimator, "loss_curve_", None)
        if curve is None:
            raise ValueError(
                f"{type(estimator).__name__} has no loss_curve_. Fit it first, or pass an "
                "estimator that is trained by gradients."
            )
        scores = getattr(estimator, "validation_scores_", None)
        stages = getattr(estimator, "stages_", None)
        display = cls(curve, None if scores is None else -np.asarray(scores), stages)
        return display.plot(ax=ax, name=name, **style)

    def plot(self, *, ax: Any = None, name: str | None = None, **style: Any) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            Begins the entries of the legend.
        **style : dict
            Settings of matplotlib for the curves, such as ``lw``.

        Returns
        -------
        self : LossCurveDisplay
        """
        from matplotlib.lines import Line2D

        self.ax_ = axes_or_new(ax)
        self.figure_ = self.ax_.figure
        begin = "" if name is None else f"{name}: "
        n_epochs = len(self.loss_curve)
        epochs = np.arange(1, n_epochs + 1)
        looks = styled(Line2D, style, label=f"{begin}training")
        self.lines_ = self.ax_.plot(epochs, self.loss_curve, **looks)
        if self.validation_loss is not None:
            watched = epochs[n_epochs - len(self.validation_loss) :]
            looks = styled(Line2D, style, label=f"{begin}validation")
            self.lines_ += self.ax_.plot(watched, self.validation_loss, **looks)
        lowest = min(np.min(line.get_ydata()) for line in self.lines_)
        yscale = "log" if lowest > 0 else "linear"
        self.ax_.set(xlabel="epoch", ylabel="mean loss", yscale=yscale)
        self.boundaries_ = []
        staged = self.stages is not None and len(self.stages) > 1
        numbered = staged and self._mark_stages()
        if numbered or name is not None or len(self.lines_) > 1:
            place_legend(self.ax_, beside=staged)  # the names of stages stand in the axes
        keep_inside(self.ax_)
        return self

    def _mark_stages(self):
        """Divide the stages and name them: upright, or by numbers where they are narrow."""
        stages = self.stages or ()
        lengths = np.array([n for _, n in stages])
        starts = np.cumsum(lengths) - lengths + 0.5
        self.boundaries_ = [
            self.ax_.axvline(start, color=GRAY, ls="-", lw=0.8, zorder=0) for start in starts[1:]
        ]
        self.ax_.set_xlim(0.0, starts[-1] + lengths[-1] + 0.5)
        points = _LEFT * extent(self.ax_)[0] * lengths / lengths.sum()
        numbered = points.min() < 2 * _LETTERS
        written = {"fontsize": _LETTERS, "transform": self.ax_.get_xaxis_transform()}
        for number, (stage, _) in enumerate(stages):
            end = starts[number] + lengths[number]
            if not numbered:
                # At its end a curve is low.
                self.ax_.text(end, 0.98, stage, rotation=90, ha="right", va="top", **written)
            else:
                self.ax_.plot([], [], ls="none", marker=f"${number + 1}$", color="black",
                              label=stage)  # fmt: skip
                if points[number] > _LETTERS:
                    middle = end - lengths[number] / 2
                    self.ax_.text(middle, 0.98, number + 1, ha="center", va="top", **written)
        return numbered
