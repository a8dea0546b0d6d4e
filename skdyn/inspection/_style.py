"""How displays look: colors that most eyes can tell apart, and line styles for the others."""

from collections.abc import Mapping
from typing import Any

__all__ = ["BLUE", "COLORS", "GRAY", "LINES", "MARKERS", "VERMILION", "series", "styled"]

# M. Okabe and K. Ito, "Color Universal Design" (2008). Its yellow is hard to see on paper: the wine
# of P. Tol's "Color schemes" (2021) stands in for it. Gray is for what is no curve.
BLUE, VERMILION, GRAY = "#0072B2", "#D55E00", "#8C8C8C"
COLORS = (BLUE, VERMILION, "#000000", "#56B4E9", "#009E73", "#E69F00", "#882255", "#CC79A7")
LINES = (
    "-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (1, 2.5)), (0, (3, 1, 3, 3)),
)  # fmt: skip
MARKERS = "os^DvP<X"


def series(number: int) -> dict[str, Any]:
    """Return color, line style and marker of one line of several.

    Parameters
    ----------
    number : int
        Which, counted from 0.

    Returns
    -------
    dict
        ``color``, ``linestyle`` and ``marker``.
    """
    k = number % len(COLORS)
    return {"color": COLORS[k], "linestyle": LINES[k], "marker": MARKERS[k]}


def styled(artist: type, style: Mapping[str, Any], **own: Any) -> dict[str, Any]:
    """Return a display's settings of an artist, where the user set no others.

    Parameters
    ----------
    artist : type
        The class of the artist: it knows that ``lw`` is ``linewidth``.
    style : mapping of str to object
        What the user set.
    **own : object
        What the display sets.

    Returns
    -------
    dict
    """
    from matplotlib.cbook import normalize_kwargs

    return {**normalize_kwargs(own, artist), **normalize_kwargs(dict(style), artist)}
