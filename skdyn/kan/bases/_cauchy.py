"""Cauchy kernels: real and imaginary parts of simple poles beside the range."""

import torch

from skdyn.kan.bases._unit import UnitBasis, evenly


class Cauchy(UnitBasis):
    """Pairs of Cauchy activations with learnable centers and widths (CauchyNet, XNet [1]_).

    ``d^2 / ((u - c)^2 + d^2)`` and ``d (u - c) / ((u - c)^2 + d^2)`` on the unit coordinate u: the
    parts of a pole at ``c + i d``, scaled so that a width does not change a height. An odd number
    of functions leaves the last pole with the first part.

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
    .. [1] X. Li, Z. Xia and H. Zhang, "Cauchy activation function and XNet", arXiv:2409.19221,
       2024.
    """

    def __init__(self, n_in, n_functions, extrapolation="linear"):
        super().__init__(n_in, n_functions, extrapolation)
        n_poles = (n_functions + 1) // 2
        # One and a half distances wide: narrower, they cannot add up to something flat.
        widths = torch.full((n_poles,), 3.0 / max(n_poles - 1, 1))
        # In an order that keeps poles which a refinement adds from standing at one end.
        order = (0.618034 * torch.arange(n_poles) % 1).argsort()
        centers = torch.empty(n_poles).scatter(0, order, evenly(n_poles, self.low))
        self.centre = torch.nn.Parameter(centers.repeat(n_in, 1))
        self.log_width = torch.nn.Parameter(widths.log().repeat(n_in, 1))

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
        # From a thousandth of the range to a thousand times: finite whatever training does.
        rate = torch.exp(-self.log_width.clamp(-7, 7))
        z = (u[..., None] - self.centre) * rate
        even = 1 / (1 + z.square())
        odd = z * even
        slopes = [-2 * odd * even * rate, (even - 2 * odd.square()) * rate]
        return self._pairs([even, odd]), self._pairs(slopes)

    def _pairs(self, parts):
        return torch.stack(parts, dim=-1).flatten(-2)[..., : self.n_functions]
