"""Rational functions without poles."""

import torch

from skdyn.kan.bases._chebyshev import chebyshev
from skdyn.kan.bases._unit import UnitBasis


class Rational(UnitBasis):
    """Polynomials over a learnable positive denominator (Pade [1]_ [2]_ [3]_).

    ``B_k(u) = T_k(u) / Q(u)``, ``Q(u) = 1 + (b_0 + b_1 u + b_2 u^2)^2`` on the unit coordinate u,
    with Chebyshev polynomials T. The numerators' weights belong to the edges, the denominator to
    the input, shared by its edges as in [3]_. Q is smooth and at least one, where ``1 + |b_1 u +
    ...|`` of [1]_ has kinks and the plain quotient of [2]_ has poles.

    Parameters
    ----------
    n_in : int
        Number of inputs.
    n_functions : int
        Number of functions of each input.
    extrapolation : {"linear", "constant"}, default="linear"
        How a function goes on outside the range.

    References
    ----------
    .. [1] A. Molina, P. Schramowski and K. Kersting, "Pade Activation Units: End-to-end Learning
       of Flexible Activation Functions in Deep Networks", ICLR 2020.
    .. [2] N. Boulle, Y. Nakatsukasa and A. Townsend, "Rational neural networks", NeurIPS 2020.
    .. [3] X. Yang and X. Wang, "Kolmogorov-Arnold Transformer", arXiv:2409.10594, 2024.
    """

    def __init__(self, n_in, n_functions, extrapolation="linear"):
        super().__init__(n_in, n_functions, extrapolation)
        # At b = 0 the square would have no slope to learn by.
        self.denominator = torch.nn.Parameter(torch.tensor([0.0, 1.0, 0.0]).repeat(n_in, 1))

    def on_unit(self, u):
        """Evaluate the functions and their derivatives on [-1, 1].

        Parameters
        ----------
        u : Tensor of shape (n, n_in)
            Unit coordinates.

        Returns
        -------
        values, slopes : Tensor of shape (n, n_in, n_functions)
        """
        above, above_slope = chebyshev(u, self.n_functions)
        constant, linear, square = self.denominator[:, :, None].unbind(dim=1)
        u = u[..., None]
        root = constant + (linear + square * u) * u
        below = 1 + root.square()
        values = above / below
        below_slope = 2 * root * (linear + 2 * square * u)
        return values, (above_slope - values * below_slope) / below
