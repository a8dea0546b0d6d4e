"""Truth, prediction and error of one function, side by side."""

from typing import Any, Self

import numpy as np

from skdyn.inspection._axes import axes_or_new

__all__ = ["FieldDisplay"]


class FieldDisplay:
    """One function as it is, as it was predicted, and the difference.

    Curves are drawn into one panel and their difference into another; images into three, the
    first two of which share their colours.

    Parameters
    ----------
    truth, prediction : ndarray of shape (n_points,) or (n_rows, n_columns)
        Values on a grid of one axis or two. Images are drawn as arrays are printed: rows downwards,
        columns to the right.

    Attributes
    ----------
    ax_ : ndarray of matplotlib axes
        Where it was drawn: two panels for curves, three for images.
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
    def from_predictions(
        cls,
        y_true: Any,
        y_pred: Any,
        *,
        case: int = 0,
        channel: int = 0,
        grid_shape: tuple[int, ...] | None = None,
        ax: Any = None,
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
        ax : array of matplotlib axes or None, default=None
            Where to draw: two for curves, three for images; None makes a figure.

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
        return cls(truth[case, channel], prediction[case, channel]).plot(ax=ax)

    def plot(self, ax: Any = None) -> Self:
        """Draw truth, prediction and error.

        Parameters
        ----------
        ax : array of matplotlib axes or None, default=None
            Where to draw: two for curves, three for images; None makes a figure.

        Returns
        -------
        self : FieldDisplay
        """
        self.error_ = self.prediction - self.truth
        self.lines_, self.images_ = [], []
        if self.truth.ndim == 1:
            self._plot_curves(ax)
        else:
            self._plot_images(ax)
        return self

    def _plot_curves(self, ax):
        self.ax_ = np.asarray(axes_or_new(ax, 2, (4.0, 3.0)))
        left, right = self.ax_
        self.lines_ += left.plot(self.truth, color="0.6", lw=3, label="truth")
        self.lines_ += left.plot(self.prediction, "C0", lw=1.2, label="prediction")
        self.lines_ += right.plot(self.error_, "C3", lw=1.2)
        right.axhline(0, color="0.6", lw=0.8)
        left.set(xlabel="grid point")
        left.legend()
        right.set(xlabel="grid point", title="error")

    def _plot_images(self, ax):
        self.ax_ = np.asarray(axes_or_new(ax, 3, (3.2, 2.8)))
        both = np.stack([self.truth, self.prediction])
        shared = {"vmin": both.min(), "vmax": both.max()}
        far = abs(self.error_).max() or 1.0
        own = {"vmin": -far, "vmax": far, "cmap": "RdBu_r"}
        panels = [
            ("truth", self.truth, shared),
            ("prediction", self.prediction, shared),
            ("error", self.error_, own),
        ]
        for panel, (title, values, colours) in zip(self.ax_, panels, strict=True):
            self.images_.append(panel.imshow(values, origin="upper", **colours))
            panel.set(title=title, xticks=[], yticks=[])
        for panel, image in zip(self.ax_[1:], self.images_[1:], strict=True):
            panel.figure.colorbar(image, ax=panel, fraction=0.046)
