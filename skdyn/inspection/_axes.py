"""The one place that reaches for matplotlib."""

from skdyn.exceptions import MissingExtraError


def axes_or_new(ax, n_columns=1):
    """Return the axes to draw on.

    Parameters
    ----------
    ax : matplotlib axes, array of them, or None
        What the user passed.
    n_columns : int, default=1
        Axes to make side by side when ``ax`` is None.

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
    return plt.subplots(1, n_columns, figsize=(5.0 * n_columns, 3.6), layout="constrained")[1]
