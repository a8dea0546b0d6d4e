"""The atoms of a dictionary."""

from collections.abc import Sequence
from typing import Any, Self, cast

import numpy as np

from skdyn.inspection._axes import axes_or_new, extent, keep_inside, name_ticks, title_if_named
from skdyn.inspection._fitted import unwrapped
from skdyn.inspection._panels import small_panels
from skdyn.inspection._style import BLUE, VERMILION, styled

__all__ = ["DictionaryDisplay"]

_GAP = 1  # pixels between images
_REACH = 0.45  # of a row, from its middle to the end of the longest bar
_ROWS = 10  # of bars, one above the other; more of them have small panels
_SMALLEST = 5.0  # points of letters that can be read


class DictionaryDisplay:
    """Atoms as images, or as rows of bars: positive entries red, negative ones blue.

    Each atom is drawn in units of its own largest entry. More than ten atoms as bars have a small
    panel each.

    Parameters
    ----------
    atoms : ndarray of shape (n_atoms, n_features)
        What to draw, an atom a row.
    names : sequence of str or None, default=None
        Names of the atoms; None numbers them.
    image_shape : tuple of (int, int) or None, default=None
        Height and width of an atom as an image; None draws bars.
    n_columns : int, default=10
        Images side by side.
    feature_names : sequence of str or None, default=None
        Names of the features, written below bars.

    Attributes
    ----------
    ax_ : matplotlib axes
        Where it was drawn.
    figure_ : matplotlib figure
        The figure of ``ax_``.
    image_ : matplotlib image or None
        All images on one canvas.
    bars_ : list of matplotlib bars
        Those of each atom; in small panels collections of lines.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.decomposition import PCA
    >>> from skdyn.inspection import DictionaryDisplay
    >>> components = PCA(20).fit(load_digits().data).components_
    >>> DictionaryDisplay(components, image_shape=(8, 8)).plot().image_.get_array().shape
    (17, 89)
    """

    def __init__(
        self,
        atoms: np.ndarray,
        names: Sequence[str] | None = None,
        image_shape: tuple[int, int] | None = None,
        n_columns: int = 10,
        feature_names: Sequence[str] | None = None,
    ) -> None:
        self.atoms = atoms
        self.names = names
        self.image_shape = image_shape
        self.n_columns = n_columns
        self.feature_names = feature_names

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        features: Sequence[int] | None = None,
        *,
        image_shape: tuple[int, int] | None = None,
        n_columns: int = 10,
        ax: Any = None,
        name: str | None = None,
        **style: Any,
    ) -> Self:
        """Draw atoms of a fitted dictionary.

        Parameters
        ----------
        estimator : estimator
            Fitted, with ``components_``.
        features : sequence of int or None, default=None
            Which atoms; None takes those that most samples use (the first, where the estimator has
            no ``feature_density_``): five rows of images, or ten rows of bars.
        image_shape : tuple of (int, int) or None, default=None
            Height and width of an atom as an image; None draws bars.
        n_columns : int, default=10
            Images side by side.
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            Title.
        **style : dict
            Settings of matplotlib for the images or bars, such as ``alpha``.

        Returns
        -------
        DictionaryDisplay

        Raises
        ------
        ValueError
            If ``image_shape`` does not hold as many pixels as there are features.
        """
        fitted = unwrapped(estimator)
        estimator = fitted.estimator
        atoms = np.asarray(estimator.components_)
        if features is None:
            density = getattr(estimator, "feature_density_", np.zeros(len(atoms)))
            n_atoms = 5 * n_columns if image_shape else 10
            features = np.argsort(-np.asarray(density), kind="stable")[:n_atoms].tolist()
        shown: Any = features
        return cls(
            atoms[shown], [str(feature) for feature in shown], image_shape, n_columns,
            fitted.names(),
        ).plot(ax=ax, name=name, **style)  # fmt: skip

    def plot(self, *, ax: Any = None, name: str | None = None, **style: Any) -> Self:
        """Draw the atoms.

        Parameters
        ----------
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.
        name : str or None, default=None
            Title.
        **style : dict
            Settings of matplotlib for the images or bars, such as ``alpha``.

        Returns
        -------
        self : DictionaryDisplay

        Raises
        ------
        ValueError
            If ``image_shape`` does not hold as many pixels as there are features.
        """
        atoms = np.asarray(self.atoms, dtype=np.float64)
        largest = np.abs(atoms).max(axis=1, keepdims=True)
        atoms = atoms / np.where(largest > 0, largest, 1.0)
        self.image_: Any = None
        self.bars_: list = []
        if self.image_shape is None:
            draw = self._draw_bars if len(atoms) <= _ROWS else self._draw_panels
        else:
            draw = self._draw_images
        draw(atoms, ax, style)
        self.figure_ = np.ravel(self.ax_)[0].figure
        title_if_named(self.ax_, name)
        keep_inside(*np.ravel(self.ax_))
        return self

    def _draw_images(self, atoms, ax, style):
        height, width = cast("tuple[int, int]", self.image_shape)
        if height * width != atoms.shape[1]:
            raise ValueError(
                f"image_shape={self.image_shape} holds {height * width} pixels, but an atom has "
                f"{atoms.shape[1]} features; pass another, or image_shape=None for bars."
            )
        n_columns = min(self.n_columns, len(atoms))
        n_rows = -(-len(atoms) // n_columns)
        line = _GAP if self.names is None else max(_GAP, -(-height // 4))  # room for a name
        tall, wide = height + line, width + _GAP
        canvas = np.full((n_rows * tall, n_columns * wide), np.nan)
        for number, atom in enumerate(atoms):
            row, column = divmod(number, n_columns)
            place = canvas[row * tall :, column * wide :]
            place[:height, :width] = atom.reshape(height, width)
        canvas = canvas[:-line, :-_GAP]
        inches = 8.0 / max(canvas.shape[1], 10 * wide)  # the tenth of a figure's width at most
        size = (inches * canvas.shape[1], inches * canvas.shape[0])
        self.ax_ = axes_or_new(ax, figsize=size)
        self.image_ = self.ax_.imshow(canvas, **{"cmap": "RdBu_r", "vmin": -1, "vmax": 1, **style})
        if self.names is not None:
            across, down = extent(self.ax_)
            pixel = min(across / canvas.shape[1], down / canvas.shape[0])
            longest = max(map(len, self.names), default=1)
            letters = min(8.0, pixel * max(line, 0.25 * height), pixel * wide / (0.6 * longest))
            for number, name in enumerate(self.names):
                row, column = divmod(number, n_columns)
                self.ax_.text(
                    column * wide - 0.5, row * tall - 0.6, name, va="bottom",
                    fontsize=max(letters, _SMALLEST),
                )  # fmt: skip
        self.ax_.set_axis_off()

    def _draw_bars(self, atoms, ax, style):
        n_atoms, n_features = atoms.shape
        longest = 5 if self.feature_names is None else max(map(len, self.feature_names))
        # Names are written upright, ten letters an inch.
        size = (min(12.0, max(5.0, 0.25 * n_features)), max(1.5, 0.4 * n_atoms) + 0.1 * longest)
        self.ax_ = axes_or_new(ax, figsize=size)
        for row, atom in enumerate(atoms):
            # The axis points down, so that the first atom is on top; its bars still point up.
            self.bars_.append(_bars(self.ax_, -_REACH * atom, float(row), atom, style))
            self.ax_.axhline(row, color="0.8", ls="-", lw=0.8, zorder=0)
        names = range(n_atoms) if self.names is None else self.names
        self.ax_.set(ylim=(n_atoms - 0.5, -0.5), yticks=range(n_atoms), yticklabels=names)
        if self.feature_names is not None:
            name_ticks(self.ax_, np.arange(n_features), self.feature_names)
        else:
            self.ax_.set_xlabel("feature")
        self.ax_.set_ylabel("atom")

    def _draw_panels(self, atoms, ax, style):
        from matplotlib.collections import LineCollection

        outer = axes_or_new(ax, figsize=(9.0, min(12.0, 1.0 + 0.16 * len(atoms))))
        names = range(len(atoms)) if self.names is None else self.names
        of = ""
        if self.feature_names is not None:
            of = f", {self.feature_names[0]} to {self.feature_names[-1]}"
        self.ax_ = small_panels(
            outer, [str(name) for name in names], f"feature{of}", "share of the largest entry"
        )
        width = max(0.5, 0.7 * extent(self.ax_[0])[0] / atoms.shape[1])  # of a bar, in points
        for panel, atom in zip(self.ax_, atoms, strict=True):
            looks = styled(LineCollection, style, color=_colors(atom), lw=width)
            self.bars_.append(panel.vlines(range(len(atom)), 0.0, atom, **looks))
            panel.axhline(0.0, color="0.8", ls="-", lw=0.5, zorder=0)
            panel.set(ylim=(-1.1, 2.0), xticks=[], yticks=[])  # the names stand above the bars


def _bars(ax, heights, bottom, atom, style):
    from matplotlib.patches import Rectangle

    looks = styled(Rectangle, style, color=_colors(atom))
    return ax.bar(np.arange(len(atom)), heights, bottom=bottom, **looks)


def _colors(atom):
    return np.where(atom > 0, VERMILION, BLUE)
