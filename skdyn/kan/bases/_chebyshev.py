"""Chebyshev polynomials."""

import torch

from skdyn.kan.bases._unit import UnitBasis


class Chebyshev(UnitBasis):
    """Chebyshev polynomials of the first kind on the unit coordinate (ChebyKAN [1]_).

    ``T_0 = 1``, ``T_1 = u``, ``T_{k+1} = 2 u T_k - T_{k-1}``; the slopes are ``k U_{k-1}`` with the
    polynomials of the second kind, which obey the same recurrence from ``U_0 = 1``, ``U_1 = 2 u``.

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
    .. [1] S. SS, K. AR, G. R and A. KP, "Chebyshev Polynomial-Based Kolmogorov-Arnold Networks:
       An Efficient Architecture for Nonlinear Function Approximation", arXiv:2405.07200, 2024.
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
        return chebyshev(u, self.n_functions)


def chebyshev(u, n_functions):
    """Evaluate the first Chebyshev polynomials and their derivatives.

    The recurrence, unlike ``cos(k arccos u)``, has a derivative at the ends.

    Parameters
    ----------
    u : Tensor of shape (...)
        Points.
    n_functions : int
        Number of polynomials, from the constant on.

    Returns
    -------
    values, slopes : Tensor of shape (..., n_functions)
    """
    first, second = [torch.ones_like(u), u], [torch.zeros_like(u), torch.ones_like(u), 2 * u]
    for _ in range(n_functions - 2):
        first.append(2 * u * first[-1] - first[-2])
        second.append(2 * u * second[-1] - second[-2])
    slopes = [degree * value for degree, value in enumerate(second[:n_functions])]
    return torch.stack(first[:n_functions], dim=-1), torch.stack(slopes, dim=-1)
