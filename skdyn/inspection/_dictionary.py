"""The atoms of a dictionary."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from skdyn.inspection._axes import axes_or_new

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

__all__ = ["DictionaryDisplay"]

_GAP = 1  # pixels between images
_REACH = 0.45  # of a row, from its middle to the end of the longest bar


class DictionaryDisplay:
    """Atoms as images, or as rows of bars: positive entries red, negative ones blue.

    Each atom is drawn in units of its own largest entry.

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
    image_ : matplotlib image or None
        All images on one canvas.
    bars_ : list of matplotlib bars
        Those of each atom.

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
        estimator: "BaseEstimator",
        features: Sequence[int] | None = None,
        *,
        image_shape: tuple[int, int] | None = None,
        n_columns: int = 10,
        ax: Any = None,
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

        Returns
        -------
        DictionaryDisplay

        Raises
        ------
        ValueError
            If ``image_shape`` does not hold as many pixels as there are features.
        """
        atoms = np.asarray(estimator.components_)
        if features is None:
            density = getattr(estimator, "feature_density_", np.zeros(len(atoms)))
            n_atoms = 5 * n_columns if image_shape else 10
            features = np.argsort(-np.asarray(density), kind="stable")[:n_atoms]
        return cls(
            atoms[features], [str(feature) for feature in features], image_shape, n_columns,
            getattr(estimator, "feature_names_in_", None),
        ).plot(ax=ax)  # fmt: skip

    def plot(self, ax: Any = None) -> Self:
        """Draw the atoms.

        Parameters
        ----------
        ax : matplotlib axes or None, default=None
            Where to draw; None makes a figure.

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
        self.image_, self.bars_ = None, []
        if self.image_shape is None:
            self._draw_bars(atoms, ax)
        else:
            self._draw_images(atoms, ax)
        return self

    def _draw_images(self, atoms, ax):
        height, width = self.image_shape
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
        self.image_ = self.ax_.imshow(canvas, cmap="RdBu_r", vmin=-1, vmax=1)
        if self.names is not None:
            for number, name in enumerate(self.names):
                row, column = divmod(number, n_columns)
                self.ax_.text(
                    column * wide - 0.5, row * tall - 0.6, name, va="bottom", fontsize="x-small"
                )
        self.ax_.set_axis_off()

    def _draw_bars(self, atoms, ax):
        n_atoms, n_features = atoms.shape
        named = self.feature_names is not None
        longest = max(map(len, self.feature_names)) if named else 5
        # Names are written upright, ten letters an inch.
        size = (min(12.0, max(5.0, 0.25 * n_features)), max(1.5, 0.4 * n_atoms) + 0.1 * longest)
        self.ax_ = axes_or_new(ax, figsize=size)
        columns = np.arange(n_features)
        for row, atom in enumerate(atoms):
            colours = np.where(atom > 0, "tab:red", "tab:blue")
            # The axis points down, so that the first atom is on top; its bars still point up.
            self.bars_.append(
                self.ax_.bar(columns, -_REACH * atom, bottom=float(row), color=colours)
            )
            self.ax_.axhline(row, color="0.8", lw=0.8, zorder=0)
        names = range(n_atoms) if self.names is None else self.names
        self.ax_.set(ylim=(n_atoms - 0.5, -0.5), yticks=range(n_atoms), yticklabels=names)
        if named:
            self.ax_.set_xticks(columns, self.feature_names, rotation=90)
        else:
            self.ax_.set_xlabel("feature")
        self.ax_.set_ylabel("atom")
