"""Gaussian bumps in a row."""

import torch

from skdyn.kan.bases._unit import UnitBasis, evenly


class RBF(UnitBasis):
    """Gaussians as wide as they are apart (FastKAN [1]_).

    ``B_k(u) = exp(-((u - c_k) / h)^2)`` on the unit coordinate u, where h is the distance of two
    centers. The outermost centers lie about one h outside the range: with all of them inside, the
    error at the ends is a hundred times as large.

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
    .. [1] Z. Li, "Kolmogorov-Arnold Networks are Radial Basis Function Networks",
       arXiv:2405.06721, 2024.
    """

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
        gaps = max(self.n_functions - 1, 1)
        reach = 1 + 2 / gaps
        width = 2 * reach / gaps
        z = (u[..., None] - reach * evenly(self.n_functions, u)) / width
        values = torch.exp(-z.square())
        return values, -2 / width * z * values
