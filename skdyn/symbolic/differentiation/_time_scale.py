"""How fast a trajectory changes."""

import numpy as np

# Half-width of windows in periods of the fastest mode that stands out: flat optimum over Lorenz,
# Lotka-Volterra, van der Pol, a pendulum and logistic growth, with and without noise.
_PERIODS = 0.55
_FEWEST_WINDOWS = 12  # half-widths in a trajectory, where it is slow


def time_scale(t, X, fewest_steps):
    """Return a time in which the states change noticeably, of at least some steps.

    It is in proportion to the period at the corner of the spectrum, where the signal ends and the
    noise begins: the cumulated amplitudes are there like two lines (Messenger and Bortz, 2021).
    """
    n, span = len(t), t[-1] - t[0]
    grid = np.linspace(t[0], t[-1], n)
    amplitude = np.zeros(n // 2)
    for x in X.T:
        x = np.interp(grid, t, x)
        x -= np.linspace(x[0], x[-1], n)  # a jump between the ends would fill the spectrum
        amplitude += np.abs(np.fft.rfft(x))[1:] / (np.linalg.norm(x) or 1.0)
    periods = _corner(amplitude.cumsum())
    return max(
        min(_PERIODS * span / periods, span / _FEWEST_WINDOWS), fewest_steps * span / (n - 1)
    )


def check_width(width, t, fewest_steps):
    """Refuse windows that hold too few points, or more than there are."""
    span = t[-1] - t[0]
    least = fewest_steps * span / (len(t) - 1)
    if not least <= width <= span:
        raise ValueError(
            f"width={width:g} must lie between {fewest_steps} mean steps, {least:g}, and the "
            f"length of the trajectory, {span:g}. Choose another width or leave it at 'auto'."
        )


def _corner(rising):
    """Return the index, from 1, where two lines that meet on a curve fit it best."""
    rising = np.concatenate([[0.0], rising])
    left, right = _chord_misfit(rising), _chord_misfit(rising[-1] - rising[::-1])[::-1]
    return max(1, int(np.argmin(left + right)))


def _chord_misfit(c):
    """Return the squared error of the line from (0, 0) to (j, c_j) on the points between."""
    k = np.arange(len(c))
    slope = c / np.maximum(k, 1)
    return np.cumsum(c**2) - 2 * slope * np.cumsum(k * c) + slope**2 * np.cumsum(k**2.0)
