"""Axes split into panels: what would cover itself on one pair of axes has several."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from skdyn.inspection._axes import extent

__all__ = ["SINGLE", "grid_shape", "panels_in", "small_panels"]

SINGLE = 8  # curves that one pair of axes may hold; more of them stand in panels of their own
_FEW = 3  # panels that have titles and labels of their own
_NARROW = 50  # points of a panel below which two numbers fit side by side, not three
_ROUND = 1.6  # width over height of a panel, where there is a choice


def grid_shape(n_panels: int, width: float, height: float) -> tuple[int, int]:
    """Return the numbers of rows and columns with which panels are neither flat nor narrow.

    Parameters
    ----------
    n_panels : int
        How many there are.
    width, height : float
        Of the whole, in any unit.

    Returns
    -------
    n_rows, n_columns : int
    """

    def bad(n_columns):
        n_rows = -(-n_panels // n_columns)
        off = abs(np.log(width / n_columns * n_rows / height / _ROUND))
        return off + 0.5 * (n_rows * n_columns / n_panels - 1)

    n_columns = min(range(1, n_panels + 1), key=bad)
    return -(-n_panels // n_columns), n_columns


def panels_in(ax: Any, n_panels: int) -> np.ndarray:
    """Split axes into panels, row by row; what was drawn on them is hidden.

    Parameters
    ----------
    ax : matplotlib axes
        What to split. Panels from an earlier split are taken away.
    n_panels : int
        How many there are.

    Returns
    -------
    ndarray of matplotlib axes of shape (n_panels,)
    """
    from matplotlib.gridspec import GridSpec

    mark = f"panel of {id(ax)}"
    for earlier in [panel for panel in ax.figure.axes if panel.get_gid() == mark]:
        earlier.remove()
    ax.set_axis_off()
    shape = grid_shape(n_panels, *extent(ax))
    # Without a layout engine larger panels need room for their labels between them.
    loose = ax.figure.get_layout_engine() is None and n_panels <= _FEW
    space = dict.fromkeys(["wspace", "hspace"], 0.6 if loose else None)
    place = ax.get_subplotspec()
    if place is None:
        box = ax.get_position()
        edges = {"left": box.x0, "right": box.x1, "bottom": box.y0, "top": box.y1}
        grid = GridSpec(*shape, figure=ax.figure, **edges, **space)
    else:
        grid = place.subgridspec(*shape, **space)
    places = [divmod(number, shape[1]) for number in range(n_panels)]
    return np.array([ax.figure.add_subplot(grid[place], gid=mark) for place in places])


def small_panels(ax: Any, names: Sequence[str], xlabel: str, ylabel: str) -> np.ndarray:
    """Split axes into small panels with their names inside, and what they share outside.

    Parameters
    ----------
    ax : matplotlib axes
        What to split.
    names : sequence of str
        Names of the panels; those that are too long are cut in their middle.
    xlabel, ylabel : str
        What the axes of all panels show.

    Returns
    -------
    ndarray of matplotlib axes of shape (n_panels,)
    """
    from matplotlib.ticker import MaxNLocator, NullLocator

    panels: Any = panels_in(ax, len(names))
    n_rows, n_columns = panels[0].get_gridspec().get_geometry()
    width, height = (size / n for size, n in zip(extent(ax), (n_columns, n_rows), strict=True))
    size = float(np.clip(0.22 * height, 5.0, 9.0))
    for number, (panel, name) in enumerate(zip(panels, names, strict=True)):
        panel.text(
            0.03, 0.97, _cut(name, int(width / (0.6 * size))), transform=panel.transAxes, va="top",
            fontsize=size, zorder=5,
            bbox={"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 0.5},
        )  # fmt: skip
        panel.tick_params(labelsize=min(7.0, size + 1), length=2, pad=1)
        outer = (number + n_columns >= len(panels), number % n_columns == 0)
        across = MaxNLocator(1 if width < _NARROW else 2)
        # The highest number would come near the lowest one of the panel above.
        for axis, locator, numbered in zip(
            (panel.xaxis, panel.yaxis), (across, MaxNLocator(2, prune="upper")), outer, strict=True
        ):
            axis.set_major_locator(locator if numbered else NullLocator())
        panel.spines[["top", "right"]].set_visible(False)
    # Labels of the middle panels, not of the hidden axes: layouts keep room for them.
    last = (n_rows - 1) * n_columns
    panels[last + (len(panels) - last - 1) // 2].set_xlabel(xlabel)
    panels[(n_rows - 1) // 2 * n_columns].set_ylabel(ylabel)
    return panels


def _cut(name, letters):
    """Shorten a name in its middle: names often differ by their ends."""
    letters = max(letters, 5)
    if len(name) <= letters:
        return name
    end = (letters - 1) // 2
    return f"{name[: letters - 1 - end]}…{name[-end:]}"
