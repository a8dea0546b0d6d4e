"""Truth, prediction and error of one function, side by side."""

from typing import Any, Self

import numpy as np

from skdyn.inspection._axes import axes_or_new, end_beside, keep_inside
from skdyn.inspection._fitted import unwrapped
from skdyn.inspection._legend import place_legend
from skdyn.inspection._panels import panels_in
from skdyn.inspection._style import BLUE, GRAY, VERMILION, styled

__all__ = ["FieldDisplay"]


class FieldDisplay:
    """One function as it is, as it was predicted, and the difference.

    Curves are drawn into one panel and their difference into another; images into three, the
    first two of which share their colors.

    Parameters
    ----------
    truth, prediction : ndarray of shape (n_points,) or (n_rows, n_columns)
        Values on a grid of one axis or two. Images are drawn as arrays are printed: rows downwards,
        columns to the right.

    Attributes
    ----------
    ax_ : ndarray of matplotlib axes
        Where it was drawn: two panels for curves, three for images.
    figure_ : matplotlib figure
        The figure of the panels.
    error_ : ndarray
        Prediction minus truth.
    lines_ : list of matplotlib lines
        Truth, prediction and error of curves.
    images_ : list of matplotlib images
        Truth, prediction and error of images.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn.inspection import FieldDisplay
    >>> truth = np.random.default_rng(0).normal(size=(5, 1, 8, 8))
    >>> display = FieldDisplay.from_predictions(truth, 0.9 * truth, case=2)
    >>> len(display.images_)
    3
    """

    def __init__(self, truth: np.ndarray, prediction: np.ndarray) -> None:
        self.truth = truth
        self.prediction = prediction

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        *,
        case: int = 0,
        channel: int = 0,
        grid_shape: tuple[int, ...] | None = None,
        ax: Any = None,
        name: str | None = None,
        **style: Any,
    ) -> Self:
        """Predict functions and draw one case.

        Parameters
        ----------
        estimator : estimator
            Fitted, with ``predict``; a pipeline or search of such does as well.
        X : array-like
            Inputs of the estimator.
        y : array-like of shape (n_samples, width) or (n_samples, n_channels, \\*grid)
            True functions, on a grid of one axis or two.
        case : int, default=0
            Which of them to draw.
        channel : int, default=0
            Which channel of it.
        grid_shape : tuple of int or None, default=None
            Grid that flat rows were flattened from; None is one axis.
        ax : matplotlib axes, array of them, or None, default=None
            Where to draw: one pair of axes, which is split, or as many as there are panels, two for
            curves and three for images; None makes a figure.
        name : str or None, default=None
            What the prediction is called.
        **style : dict
            Settings of matplotlib for the prediction, such as ``cmap`` or ``lw``.

        Returns
        -------
        FieldDisplay
        """
        if name is None:
            name = type(unwrapped(estimator).estimator).__name__
        return cls.from_predictions(
            y, estimator.predict(X), case=case, channel=channel, grid_shape=grid_shape, ax=ax,
            name=name, **style,
        )  # fmt: skip

    @classmethod
    def from_predictions(
        cls,
        y_true: Any,
        y_pred: Any,
        *,
        case: int = 0,
        channel: int = 0,
        grid_shape: tuple[int, ...] | None = None,
        ax: Any = None,
        name: str | None = None,
        **style: Any,
    ) -> Self:
        """Draw one case of predicted functions.

        Parameters
        ----------
        y_true : array-like of shape (n_samples, width) or (n_samples, n_channels, \\*grid)
            True functions, on a grid of one axis or two.
        y_pred : array-like of the same shape
            Predictions.
        case : int, default=0
            Which of them to draw.
        channel : int, default=0
            Which channel of it.
        grid_shape : tuple of int or None, default=None
            Grid that flat rows were flattened from; None is one axis.
        ax : matplotlib axes, array of them, or None, default=None
            Where to draw: one pair of axes, which is split, or as many as there are panels, two for
            curves and three for images; None makes a figure.
        name : str or None, default=None
            What the prediction is called.
        **style : dict
            Settings of matplotlib for the prediction, such as ``cmap`` or ``lw``.

        Returns
        -------
        FieldDisplay

        Raises
        ------
        ValueError
            If shapes differ or the grid has not one axis or two.
        """
        truth, prediction = (np.asarray(y, dtype=np.float64) for y in (y_true, y_pred))
        if truth.shape != prediction.shape:
            raise ValueError(
                f"y_true of shape {truth.shape} and y_pred of shape {prediction.shape} must be on "
                "the same grid."
            )
        if truth.ndim == 2:
            grid = (truth.shape[1],) if grid_shape is None else tuple(grid_shape)
            if truth.shape[1] % np.prod(grid):
                raise ValueError(
                    f"y_true has {truth.shape[1]} columns, no multiple of the points of "
                    f"grid_shape={grid}."
                )
            truth, prediction = (y.reshape(len(y), -1, *grid) for y in (truth, prediction))
        if truth.ndim not in (3, 4):
            raise ValueError(
                f"Functions on grids of one axis or two can be drawn; got shape {truth.shape}. "
                "Take a slice of grids with more."
            )
        display = cls(truth[case, channel], prediction[case, channel])
        return display.plot(ax=ax, name=name, **style)

    def plot(self, *, ax: Any = None, name: str | None = None, **style: Any) -> Self:
        """Draw truth, prediction and error.

        Parameters
        ----------
        ax : matplotlib axes, array of them, or None, default=None
            Where to draw: one pair of axes, which is split, or as many as there are panels, two for
            curves and three for images; None makes a figure.
        name : str or None, default=None
            What the prediction is called.
        **style : dict
            Settings of matplotlib for the prediction, such as ``cmap`` or ``lw``.

        Returns
        -------
        self : FieldDisplay
        """
        self.error_ = self.prediction - self.truth
        self.lines_, self.images_ = [], []
        curves = self.truth.ndim == 1
        self.ax_ = _panels(ax, 2 if curves else 3, (8.0, 3.0) if curves else (9.6, 2.8))
        self.figure_ = self.ax_[0].figure
        right = end_beside(*self.ax_)
        draw = self._plot_curves if curves else self._plot_images
        bars = draw("prediction" if name is None else name, style)
        keep_inside(*self.ax_, *bars, right=right)
        return self

    def _plot_curves(self, name, style):
        from matplotlib.lines import Line2D

        above, below = self.ax_
        looks = styled(Line2D, style, color=BLUE, ls="-", lw=1.2, label=name)
        self.lines_ += above.plot(self.truth, color=GRAY, ls="-", lw=3, label="truth")
        self.lines_ += above.plot(self.prediction, **looks)
        self.lines_ += below.plot(self.error_, color=VERMILION, ls="-", lw=1.2)
        below.axhline(0, color=GRAY, ls="-", lw=0.8)
        above.set(xlabel="grid point", ylabel="value")
        place_legend(above)
        below.set(xlabel="grid point", ylabel="error")
        return []

    def _plot_images(self, name, style):
        both = np.stack([self.truth, self.prediction])
        shared = {"vmin": both.min(), "vmax": both.max(), **style}
        far = abs(self.error_).max() or 1.0
        own = {"vmin": -far, "vmax": far, "cmap": "RdBu_r"}
        panels = [
            ("truth", self.truth, shared),
            (name, self.prediction, shared),
            ("error", self.error_, own),
        ]
        for panel, (title, values, looks) in zip(self.ax_, panels, strict=True):
            self.images_.append(panel.imshow(values, origin="upper", **looks))
            panel.set(xticks=[], yticks=[])
            panel.set_title(title, fontsize="medium")
        bars = []
        for panel, image in zip(self.ax_[1:], self.images_[1:], strict=True):
            bars.append(panel.figure.colorbar(image, ax=panel, fraction=0.046).ax)
            bars[-1].tick_params(labelsize="small")
        return bars


def _panels(ax, n_panels, figsize):
    if ax is not None and np.ndim(ax):
        if np.size(ax) != n_panels:
            raise ValueError(
                f"ax holds {np.size(ax)} axes; pass one pair of axes, or {n_panels} of them."
            )
        return np.array([axes_or_new(panel) for panel in np.ravel(ax)])
    outer = axes_or_new(ax, figsize)
    panels = panels_in(outer, n_panels)
    if ax is None:  # of a figure of our own the panels are all there is
        outer.remove()
    return panels
