"""Edges that only rise, or only fall: splines by the steps between their coefficients.

A spline whose coefficients do not fall does not fall, and goes on along an end's tangent that does
not either [1]_. The coefficients of such an edge are

.. math:: c_k = c_0 + s \\sum_{m=1}^k d_m, \\qquad d_m \\ge 0, \\quad s = \\pm 1,

and ``(c_0, d_1, d_2, ...)`` is what is learned; silu, which turns, has no part in it.

References
----------
.. [1] C. Kelly, J. Rice, "Monotone Smoothing with Application to Dose-Response Curves and the
   Assessment of Synergism", Biometrics 46, 1990.
"""

import torch

__all__ = ["by_steps", "coefficients", "nearest_steps"]


def coefficients(weight, sign):
    """Return what edges consist of, from what is learned of them.

    Parameters
    ----------
    weight : Tensor of shape (n_in, n_functions + 1, n_subnodes)
        What is learned: of an edge that rises or falls, its first coefficient and its steps.
    sign : Tensor of shape (n_in, n_subnodes)
        1 for edges that rise, -1 for those that fall, else 0.

    Returns
    -------
    Tensor of shape (n_in, n_functions + 1, n_subnodes)
        Coefficients of the functions and, last, of silu.
    """
    first, steps = weight[:, :1], weight[:, 1:-1].clamp(min=0)
    later = first + sign[:, None] * steps.cumsum(dim=1)
    whole = torch.cat([first, later, torch.zeros_like(first)], dim=1)
    return torch.where(sign[:, None] != 0, whole, weight)


def nearest_steps(whole, sign):
    """Return what is learned of edges that come near to given ones, and rise or fall.

    Parameters
    ----------
    whole : Tensor of shape (n_in, n_functions + 1, n_subnodes)
        Coefficients, which need not rise or fall.
    sign : Tensor of shape (n_in, n_subnodes)
        1 for edges that rise, -1 for those that fall, else 0.

    Returns
    -------
    Tensor of shape (n_in, n_functions + 1, n_subnodes)
    """
    rising = sign[:, None] * whole[:, :-1]
    # Half way between the least that rises and lies above, and the most that lies below.
    above, below = rising.cummax(dim=1)[0], rising.flip(1).cummin(dim=1)[0].flip(1)
    rising = 0.5 * (above + below)
    first, steps = sign[:, None] * rising[:, :1], rising.diff(dim=1)
    learned = torch.cat([first, steps, torch.zeros_like(first)], dim=1)
    return torch.where(sign[:, None] != 0, learned, whole)


def by_steps(slopes, sign):
    """Return derivatives by what is learned, from those by the coefficients.

    Parameters
    ----------
    slopes : Tensor of shape (n_in, n_functions + 1, n_subnodes, ...)
        Derivatives by coefficients.
    sign : Tensor of shape (n_in, n_subnodes)
        1 for edges that rise, -1 for those that fall, else 0.

    Returns
    -------
    Tensor of the shape of ``slopes``
    """
    sign = sign.reshape(len(sign), 1, -1, *[1] * (slopes.ndim - 3))
    sums = slopes[:, :-1].flip(1).cumsum(dim=1).flip(1)  # each moves all that follow
    learned = torch.cat([sums[:, :1], sign * sums[:, 1:], slopes[:, -1:]], dim=1)
    return torch.where(sign != 0, learned, slopes)
