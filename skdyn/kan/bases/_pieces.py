"""B-splines as polynomials: their coefficients on every interval, from the breaks alone."""

import numpy as np

__all__ = ["pieces_of"]


def pieces_of(breaks, order, linear, chords):
    """Expand the functions in powers of the distance to a center, on every interval.

    The first and the last piece continue them outside the range.

    Parameters
    ----------
    breaks : ndarray of shape (n_in, size + 1)
        Breaks of each input, rising.
    order : int
        Degree k of the polynomials.
    linear : bool
        Whether functions go on along straight lines, not as constants.
    chords : bool
        Whether these lines are the chords of the outermost intervals, not tangents.

    Returns
    -------
    centers : ndarray of shape (n_in * (size + 2),)
        Middles of the intervals; of the outer pieces, the end of the range.
    pieces : ndarray of shape (n_in, size + 2, k + 1, k + 1)
        Coefficients of each power in each of the functions that are not zero there.
    """
    k, (n_in, size) = order, (len(breaks), breaks.shape[1] - 1)
    middles = (breaks[:, :-1] + breaks[:, 1:]) / 2
    knots = np.pad(breaks, ((0, 0), (max(k - 1, 0),) * 2), "edge")
    # The knots t_{m-k+1}, ..., t_{m+k} around interval m.
    around = np.arange(size)[:, None] + np.arange(2 * k)
    near = (knots[:, around] - middles[..., None])[..., None, :]
    inner = np.ones((n_in, size, 1, 1), dtype=breaks.dtype)
    for degree in range(1, k + 1):
        before, after = near[..., k - degree : k], near[..., k : k + degree]
        # Every divisor spans the interval itself, so that none is zero.
        terms = inner / (after - before)
        # (after - u) terms + (u - before) terms, the latter one function further on.
        inner = np.zeros((n_in, size, degree + 1, degree + 1), dtype=breaks.dtype)
        inner[..., :-1, :-1] = after * terms
        inner[..., 1:, :-1] -= terms
        rest = np.zeros_like(inner)
        rest[..., 1:, 1:] = terms
        rest[..., :-1, 1:] -= before * terms
        inner += rest
    outer = np.zeros((2, n_in, k + 1, k + 1), dtype=breaks.dtype)
    outer[0, :, 0, 0] = outer[1, :, 0, k] = 1.0
    if k > 0 and linear:
        slopes = k / (breaks[:, [1, -1]] - breaks[:, [0, -2]])
        outer[0, :, 1, :2] = slopes[:, [0]] * np.array([-1, 1], dtype=breaks.dtype)
        outer[1, :, 1, k - 1 :] = slopes[:, [1]] * np.array([-1, 1], dtype=breaks.dtype)
        for side in (0, -1) if chords else ():
            half = (breaks[:, 1:] - middles)[:, [side]]
            odd = (inner[:, side, p] * half ** (p - 1) for p in range(1, k + 1, 2))
            outer[side, :, 1] = sum(odd)
    centers = np.concatenate([breaks[:, :1], middles, breaks[:, -1:]], axis=1)
    pieces = np.concatenate([outer[0, :, None], inner, outer[1, :, None]], axis=1)
    return centers.ravel(), pieces
