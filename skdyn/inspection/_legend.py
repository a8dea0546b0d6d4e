"""Legends where they hide nothing: inside while they are short, else beside or below the axes."""

import textwrap
from collections.abc import Sequence
from typing import Any

from skdyn.inspection._axes import extent

__all__ = ["legend_below", "lines_below", "place_legend"]

_INSIDE = 6  # entries
_SIZES = (9.0, 8.0, 7.0, 6.0)  # of letters, in points
_LINE = 1.4  # height of a line, of that size
_BESIDE, _BELOW = 0.45, 0.6  # of the axes' width or height that a legend may take
_FOOT = 38.0  # points below the axes, for the numbers and the label of the horizontal axis
_MARGIN = 20.0  # points below axes that are there for their label anyway
_GAP = 6.0  # points between axes and a legend beside them


def place_legend(
    ax: Any,
    handles: Sequence[Any] | None = None,
    names: Sequence[str] | None = None,
    *,
    beside: bool = False,
    **settings: Any,
) -> Any:
    """Draw a legend: inside the axes up to six entries, beside them where there are more.

    Parameters
    ----------
    ax : matplotlib axes
        Where.
    handles : sequence of matplotlib artists or None, default=None
        What is named; None takes all that has a label.
    names : sequence of str or None, default=None
        The names.
    beside : bool, default=False
        Whether it is beside the axes even if it is short.
    **settings : object
        Further settings of the legend.

    Returns
    -------
    matplotlib legend, or None if there is nothing to name
    """
    if handles is None:
        handles, names = ax.get_legend_handles_labels()
    if not handles:
        return None
    if len(handles) <= _INSIDE and not beside:
        return ax.legend(handles, names, fontsize="small", **settings)
    width, height = extent(ax)
    names, size, _ = _fitted(names, _BESIDE * width - 30.0, height)
    legend = ax.legend(
        handles, names, fontsize=size, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False,
        borderaxespad=0.0, borderpad=0.0, handlelength=2.0, labelspacing=0.3,
        bbox_transform=_moved(ax, _GAP, 0.0), **settings,
    )  # fmt: skip
    if ax.figure.get_layout_engine() is None:
        _shrink(ax, right=legend.get_window_extent().width + _GAP * ax.figure.dpi / 72)
    return legend


def legend_below(ax: Any, handles: Sequence[Any], texts: Sequence[str]) -> Any:
    """Draw a legend of long texts below the axes; lines that do not fit are counted instead.

    Parameters
    ----------
    ax : matplotlib axes
        Where.
    handles : sequence of matplotlib artists
        What is told about.
    texts : sequence of str
        What is told, each on as many lines as it has.

    Returns
    -------
    matplotlib legend
    """
    width, height = extent(ax)
    texts, size, letters = _fitted(texts, width - 15.0, _BELOW * height)
    texts = _shared_out([text.splitlines() for text in texts], lines_below(ax, size), letters)
    legend = ax.legend(
        handles, texts, fontsize=size, loc="upper left", bbox_to_anchor=(0.0, 0.0), frameon=False,
        borderaxespad=0.0, borderpad=0.0, handlelength=1.0, labelspacing=0.4,
        bbox_transform=_moved(ax, 0.0, -_FOOT),
    )  # fmt: skip
    if ax.figure.get_layout_engine() is None:
        foot = (_FOOT - _MARGIN) * ax.figure.dpi / 72
        _shrink(ax, bottom=legend.get_window_extent().height + foot)
    return legend


def lines_below(ax: Any, size: float = _SIZES[-1]) -> int:
    """Return how many lines there is room for below axes.

    Parameters
    ----------
    ax : matplotlib axes
        The axes.
    size : float, default=6.0
        Of the letters, in points.

    Returns
    -------
    int
    """
    return max(1, int(_BELOW * extent(ax)[1] / (_LINE * size)))


def _fitted(texts, width, height):
    """Return texts broken into lines, the largest size that fits, and letters of a line at it."""
    em = 1.05 * max(map(_em, texts))
    broken, size, letters = texts, _SIZES[-1], 8
    for size in _SIZES:
        letters = max(8, int(width / (em * size)))
        broken = ["\n".join(_lines(text, letters)) for text in texts]
        n_lines = sum(text.count("\n") + 1 for text in broken)
        if n_lines * _LINE * size <= height:
            break
    return broken, size, letters


def _em(text):
    """Return the mean width of a text's letters in units of their size, as they are drawn."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextToPath

    widest = max(text.splitlines() or [""], key=len)
    font = FontProperties(size=10)
    width, _, _ = TextToPath().get_text_width_height_descent(widest, font, ismath=False)
    return max(0.4, width / (10 * max(len(widest), 1)))


def _lines(text, letters):
    for line in text.splitlines():
        yield from textwrap.wrap(line, letters, subsequent_indent="  ") or [""]


def _shared_out(texts, room, letters):
    """Cut the longest texts until all fit; say of each how many of its lines are left out."""
    keep = [len(text) for text in texts]
    while sum(keep) > room and max(keep) > 1:
        keep[keep.index(max(keep))] -= 1
    cut = []
    for text, n in zip(texts, keep, strict=True):
        left_out = len(text) - n
        if left_out:
            told = f" … and {left_out} more line{'s' * (left_out > 1)}"
            text = [*text[: n - 1], text[n - 1][: letters - len(told)] + told]
        cut.append("\n".join(text))
    return cut


def _moved(ax, x, y):
    from matplotlib.transforms import ScaledTranslation

    return ax.transAxes + ScaledTranslation(x / 72, y / 72, ax.figure.dpi_scale_trans)


def _shrink(ax, right=0.0, bottom=0.0):
    """Take room, in pixels, from axes that no layout engine moves."""
    box, whole = ax.get_position(), ax.figure.bbox
    right, bottom = right / whole.width, bottom / whole.height
    ax.set_position([box.x0, box.y0 + bottom, box.width - right, box.height - bottom])
    ax.set_in_layout(True)
