"""The one place that reaches for matplotlib."""

from typing import Any

from skdyn.exceptions import MissingExtraError


# matplotlib is optional and named nowhere outside functions, hints included: its axes are Any.
def axes_or_new(ax: Any, n_columns: int = 1, figsize: tuple[float, float] = (5.0, 3.6)) -> Any:
    """Return the axes to draw on.

    Parameters
    ----------
    ax : matplotlib axes, array of them, or None
        What the user passed.
    n_columns : int, default=1
        Axes to make side by side when ``ax`` is None.
    figsize : tuple of float, default=(5.0, 3.6)
        Width and height of each of them, in inches.

    Returns
    -------
    matplotlib axes, or ndarray of them if ``n_columns`` is above one

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
    if ax is not None:
        return ax
    size = (figsize[0] * n_columns, figsize[1])
    return plt.subplots(1, n_columns, figsize=size, layout="constrained")[1]
