"""Sines and cosines."""

import torch

from skdyn.kan.bases._unit import UnitBasis

# In units of the range. At one, every series has the same value at both ends, and the error for
# other functions falls slowly. Beyond one a series continues them outside the range as it likes,
# and the error for smooth functions falls exponentially (Huybrechs, SIAM Journal on Numerical
# Analysis 47, 2010). At two it falls faster, but fewer waves fit into the range and the condition
# number is ten times as large with eight functions, a hundred times with sixteen.
PERIOD = 1.5


class Fourier(UnitBasis):
    """A constant and pairs of sine and cosine of growing frequency (FourierKAN [1]_).

    ``B_0 = 1``, ``B_{2m-1}(u) = sin(m w u)`` and ``B_{2m}(u) = cos(m w u)`` on the unit coordinate
    u, with a period ``2 pi / w`` of one and a half times the range, so that functions that are not
    periodic need not become so.

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
    .. [1] J. Xu et al., "FourierKAN-GCF: Fourier Kolmogorov-Arnold Network - An Effective and
       Efficient Feature Transformation for Graph Collaborative Filtering", arXiv:2406.01034, 2024.
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
        number = torch.arange(self.n_functions, device=u.device)
        frequency = ((number + 1) // 2).to(u) * (torch.pi / PERIOD)
        even = number % 2 == 0
        sine, cosine = (f(frequency * u[..., None]) for f in (torch.sin, torch.cos))
        values = torch.where(even, cosine, sine)
        return values, frequency * torch.where(even, -sine, cosine)
