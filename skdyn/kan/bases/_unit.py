"""Bases whose functions follow the range of an input, whatever it is."""

import torch

from skdyn.kan.bases._basis import Basis


class UnitBasis(Basis):
    """Functions given on [-1, 1], stretched over the range of each input.

    Parameters
    ----------
    n_in : int
        Number of inputs.
    n_functions : int
        Number of functions of each input.
    extrapolation : {"linear", "constant"}, default="linear"
        How a function goes on outside the range.
    """

    # Functions besides those that a grid counts; a factory that counts grids sets it.
    spline_order = 0

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
        raise NotImplementedError

    def values_and_slopes(self, x):
        """Evaluate the functions and their derivatives inside the range.

        Parameters
        ----------
        x : Tensor of shape (n, n_in)
            Points between ``low`` and ``high``.

        Returns
        -------
        values, slopes : Tensor of shape (n, n_in, n_functions)
        """
        u, rate = self.unit(x)
        values, slopes = self.on_unit(u)
        return values, slopes * rate[:, None]

    @torch.no_grad()
    def refined(self, grid_size):
        """Return a basis with more functions on the same range, learned shapes kept.

        Parameters
        ----------
        grid_size : int
            Number of functions, less ``spline_order``.

        Returns
        -------
        Basis
        """
        n_functions = grid_size + self.spline_order
        if n_functions < self.n_functions:
            raise ValueError(
                f"{self.n_functions} functions cannot be refined to {n_functions}; pass "
                f"grid_size >= {self.n_functions - self.spline_order}."
            )
        new = type(self)(self.n_in, n_functions, self.extrapolation).to(self.low)
        new.spline_order = self.spline_order
        for name, kept in self.state_dict().items():
            # New functions come after the old ones, so that none of these is lost.
            new.state_dict()[name][..., : kept.shape[-1]] = kept
        return new


def evenly(n, like):
    """Return points evenly spaced over [-1, 1], a single one in its middle.

    Parameters
    ----------
    n : int
        Number of points.
    like : Tensor
        What the points' type and device are taken from.

    Returns
    -------
    Tensor of shape (n,)
    """
    return (torch.arange(n).to(like) - (n - 1) / 2) * (2 / max(n - 1, 1))
