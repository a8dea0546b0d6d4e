"""What a memory makes of spoilt images."""

import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from skdyn._validation import as_floats
from skdyn.inspection._axes import axes_or_new, extent, keep_inside, title_if_named
from skdyn.inspection._fitted import unwrapped

__all__ = ["RetrievalDisplay"]

_GAP = 1  # pixels between images
_MISSING = (0.98, 0.8, 0.75)  # a color that no gray is
_LEAST = 24.0  # points that an image is wide, where there is room
_ROOM = 9.0  # inches of a figure of our own, at most


class RetrievalDisplay:
    """Rows of images: what was stored, what was shown, states on the way, what was retrieved.

    Images too many for one row go on below.

    Parameters
    ----------
    images : dict of str to ndarray of shape (n_images, height, width)
        Images of each row by its name; pixels that are NaN are drawn in a color of their own.
        Black and white are the extremes of all rows but "shown".

    Attributes
    ----------
    ax_ : matplotlib axes
        Where it was drawn.
    figure_ : matplotlib figure
        The figure of ``ax_``.
    image_ : matplotlib image
        All images on one canvas.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from skdyn import HopfieldMemory
    >>> from skdyn.inspection import RetrievalDisplay
    >>> digits = load_digits().data[:100]
    >>> memory = HopfieldMemory().fit(digits)
    >>> spoilt = digits[:8].copy()
    >>> spoilt[:, 32:] = np.nan
    >>> display = RetrievalDisplay.from_estimator(memory, spoilt, stored=digits[:8])
    >>> list(display.images)
    ['stored', 'shown', '1 update', 'retrieved']
    """

    def __init__(self, images: dict[str, np.ndarray]) -> None:
        self.images = images

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        stored: Any = None,
        steps: Sequence[int] = (1,),
        image_shape: tuple[int, int] | None = None,
        ax: Any = None,
        name: str | None = None,
        **style: Any,
    ) -> Self:
        """Retrieve and draw.

        Parameters
        ----------
        estimator : estimator
            Fitted, with ``retrieve``.
        X : array-like of shape (n_images, n_features)
            Spoilt images, a row each; NaN where a pixel is unknown.
        stored : array-like of shape (n_images, n_features) or None, default=None
            What they were before; None leaves this row out.
        steps : sequence of int, default=(1,)
            Numbers of updates after which states are shown.
        image_shape : tuple of (int, int) or None, default=None
            Height and width; None is a square, or one line where there is no square.
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            Title.
        **style : dict
            Settings of matplotlib's ``imshow``, such as ``interpolation``.

        Returns
        -------
        RetrievalDisplay

        Raises
        ------
        ValueError
            If ``image_shape`` does not hold as many pixels as there are features, or ``stored``
            has another shape than ``X``.
        """
        fitted = unwrapped(estimator)
        estimator, X, stored = fitted.estimator, fitted.seen(X), fitted.seen(stored)
        shown = as_floats(X)
        rows = {} if stored is None else {"stored": np.asarray(stored, dtype=np.float64)}
        rows["shown"] = shown
        for n in steps:
            rows[f"{n} update{'s' * (n != 1)}"] = estimator.retrieve(X, n_steps=n)
        rows["retrieved"] = estimator.retrieve(X)
        height, width = image_shape or _square(shown.shape[1])
        if height * width != shown.shape[1] or rows.get("stored", shown).shape != shown.shape:
            raise ValueError(
                f"X of shape {shown.shape} needs an image_shape of {shown.shape[1]} pixels, and "
                f"stored of the same shape; got image_shape={(height, width)} and stored of shape "
                f"{None if stored is None else rows['stored'].shape}."
            )
        images = {name: row.reshape(-1, height, width) for name, row in rows.items()}
        return cls(images).plot(ax=ax, name=name, **style)

    def plot(self, *, ax: Any = None, name: str | None = None, **style: Any) -> Self:
        """Draw the rows.

        Parameters
        ----------
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            Title.
        **style : dict
            Settings of matplotlib's ``imshow``, such as ``interpolation``.

        Returns
        -------
        self : RetrievalDisplay
        """
        rows = np.stack(list(self.images.values()))
        n_rows, n_images, height, width = rows.shape
        # Noise in what was shown must not take the contrast from the rest.
        others = [row for name, row in self.images.items() if name != "shown"] or rows
        low, high = np.nanmin(others), np.nanmax(others)
        gray = 1 - np.clip((rows - low) / (high - low or 1.0), 0, 1)
        colors = np.where(np.isnan(gray)[..., None], _MISSING, gray[..., None])
        tall, wide = height + _GAP, width + _GAP
        room = (72 * _ROOM, 72 * _ROOM) if ax is None else extent(ax)
        n_blocks = _blocks(n_images, wide, n_rows * tall, room)
        per_block = -(-n_images // n_blocks)
        canvas = np.ones((n_blocks, n_rows, tall, per_block, wide, 3))
        for number in range(n_images):
            block, column = divmod(number, per_block)
            canvas[block, :, :height, column, :width] = colors[:, number]
        canvas = canvas.reshape(n_blocks * n_rows * tall, per_block * wide, 3)[:-_GAP, :-_GAP]
        inches = (_ROOM - 1.0) / canvas.shape[1]
        size = (_ROOM, max(1.0, inches * canvas.shape[0]))
        self.ax_ = axes_or_new(ax, figsize=size)
        self.figure_ = self.ax_.figure
        self.image_ = self.ax_.imshow(canvas, **{"interpolation": "nearest", **style})
        middles = np.arange(n_blocks * n_rows) * tall + (height - 1) / 2
        letters = min(10.0, extent(self.ax_)[1] / (1.2 * n_blocks * n_rows))
        self.ax_.set_xticks([])
        self.ax_.set_yticks(middles, list(self.images) * n_blocks, fontsize=letters)
        for block in range(1, n_blocks):
            line = block * n_rows * tall - _GAP
            self.ax_.axhline(line, color="black", ls="-", lw=0.5)
        self.ax_.tick_params(length=0)
        self.ax_.spines[:].set_visible(False)
        title_if_named(self.ax_, name)
        keep_inside(self.ax_)
        return self


def _blocks(n_images, wide, tall, room):
    """Return into how many rows of rows images go: as few as leave each wide enough to be seen."""

    def points(n_blocks):
        across = room[0] / -(-n_images // n_blocks)
        return min(across, room[1] * wide / (n_blocks * tall))

    enough = [n for n in range(1, n_images + 1) if points(n) >= _LEAST]
    return enough[0] if enough else max(range(1, n_images + 1), key=points)


def _square(n_features):
    side = math.isqrt(n_features)
    return (side, side) if side**2 == n_features else (1, n_features)
