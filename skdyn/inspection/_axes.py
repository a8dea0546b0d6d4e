"""The one place that reaches for matplotlib: axes to draw on, and what is true of all of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from skdyn.exceptions import MissingExtraError
from skdyn.inspection._style import COLORS, LINES

__all__ = ["axes_or_new", "end_beside", "extent", "keep_inside", "name_ticks", "title_if_named"]

_EM = 0.62  # width of a letter of size one
_SMALL, _LARGE = 6.0, 10.0  # letters of names, in points
_EDGE = 2  # pixels at the edge of a figure that stay free


# matplotlib is optional and named nowhere outside functions, hints included: its axes are Any.
def axes_or_new(ax: Any, figsize: tuple[float, float] = (5.0, 3.6)) -> Any:
    """Return the axes to draw on; fresh ones draw their lines in our colors and line styles.

    Parameters
    ----------
    ax : matplotlib axes, or None
        What the user passed.
    figsize : tuple of float, default=(5.0, 3.6)
        Width and height in inches of the figure that is made when ``ax`` is None.

    Returns
    -------
    matplotlib axes

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise MissingExtraError(
            "Displays need matplotlib. Install it with: pip install 'skdyn[plot]'"
        ) from error
    if ax is None:
        ax = plt.subplots(figsize=figsize, layout="constrained")[1]
    if np.ndim(ax):
        raise ValueError(
            f"ax holds {np.size(ax)} axes, but this is drawn on one. Pass one of them."
        )
    # Whoever chose other colors for all figures keeps them.
    default: Any = plt.rcParamsDefault  # pyright: ignore[reportPrivateImportUsage]
    chosen = plt.rcParams["axes.prop_cycle"] != default["axes.prop_cycle"]
    if not ax.has_data() and not chosen:
        ax.set_prop_cycle(color=COLORS, linestyle=LINES)
    return ax


def extent(ax: Any) -> tuple[float, float]:
    """Return the width and height of axes, in points.

    Parameters
    ----------
    ax : matplotlib axes
        The axes.

    Returns
    -------
    width, height : float
    """
    box = ax.get_window_extent()
    return 72 * box.width / ax.figure.dpi, 72 * box.height / ax.figure.dpi


def name_ticks(ax: Any, places: Sequence[float] | np.ndarray, names: Sequence[str]) -> None:
    """Write names below the horizontal axis: side by side, or upright where they are too long.

    Parameters
    ----------
    ax : matplotlib axes
        The axes.
    places : sequence of float
        Where the names stand.
    names : sequence of str
        The names; where there is no room for all, every second or third one is written.
    """
    each = 0.9 * extent(ax)[0] / max(len(names), 1)  # points
    level = each / (_EM * (max(map(len, names), default=1) + 1))
    if level >= _SMALL:
        ax.set_xticks(places, names, fontsize=min(level, _LARGE))
        return
    every = int(np.ceil(_SMALL / each))
    size = float(np.clip(0.9 * each, _SMALL, _LARGE))
    ax.set_xticks(places[::every], names[::every], rotation=90, fontsize=size)


def title_if_named(ax: Any, name: str | None) -> None:
    """Write a name above axes, or above the middle one of the first row of panels.

    Parameters
    ----------
    ax : matplotlib axes or ndarray of them
        The axes.
    name : str or None
        The name; None leaves the title as it is.
    """
    if name is None:
        return
    if np.ndim(ax):
        n_columns = ax[0].get_gridspec().get_geometry()[1]
        ax = ax[(min(n_columns, len(ax)) - 1) // 2]
    ax.set_title(name)


def end_beside(*axes: Any) -> float | None:
    """Return where axes end, if others begin to their right.

    Parameters
    ----------
    *axes : matplotlib axes
        The axes.

    Returns
    -------
    float or None
        Share of the figure's width.
    """
    end = max(ax.get_position().x1 for ax in axes)
    begins = [ax.get_position().x0 for ax in axes[0].figure.axes if ax not in axes]
    return end if any(begin > end for begin in begins) else None


def keep_inside(*axes: Any, right: float | None = None) -> None:
    """Shrink axes that no layout engine moves, until their labels are inside the figure.

    Parameters
    ----------
    *axes : matplotlib axes
        What shrinks together, such as panels, or axes and their color bar.
    right : float or None, default=None
        Share of the figure's width where they end, labels and all; None is its edge. Color bars
        take their room from their own axes, not from the neighbor's labels.
    """
    figure = axes[0].figure
    if figure.get_layout_engine() is not None:
        return
    from matplotlib.transforms import Bbox

    outer, page = Bbox.union([ax.get_tightbbox() for ax in axes]), figure.bbox.frozen()
    if right is not None:
        page = Bbox.from_extents(*page.min, min(page.x1, page.x0 + right * page.width), page.y1)
    whole = Bbox.union([ax.get_position() for ax in axes])
    low = whole.min + np.maximum(0.0, np.asarray(page.min) + _EDGE - outer.min) / figure.bbox.size
    high = whole.max - np.maximum(0.0, np.asarray(outer.max) - page.max + _EDGE) / figure.bbox.size
    if np.array_equal([low, high], [whole.min, whole.max]):
        return
    for ax in axes:
        corners = (ax.get_position().get_points() - whole.min) / whole.size
        ax.set_position(Bbox(low + corners * (high - low)))
        ax.set_in_layout(True)  # a layout that the user asks for later moves them as before
