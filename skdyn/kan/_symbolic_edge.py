"""An edge in closed form."""

import math

import torch

from skdyn.kan._library import torch_function

_ROUNDING = 1e-6  # of the terms of a x + b, by which it may miss the domain's end
_BESIDE = 0.1  # of the mean distance of neighboring data: so near to them stands no pole by right


class SymbolicEdge(torch.nn.Module):
    """The function ``c f(a x + b) + d``.

    While it is trained, f keeps the value at the domain's end beyond it, so that steps across are
    taken back and do not fail. Afterwards it is what its formula is: NaN where f is not real.

    Parameters
    ----------
    name : str
        Name of f, or an expression in ``x``: see :func:`skdyn.kan._library.torch_function`.
    """

    def __init__(self, name):
        super().__init__()
        self.name, self.function = name, torch_function(name)
        self.affine = torch.nn.Parameter(torch.tensor([1.0, 0.0, 1.0, 0.0]))

    def forward(self, x):
        """Return the values at points x of shape (n,)."""
        a, b, c, d = self.affine
        u = a * x + b
        return c * (self.function(u) if self.training else self._exact(u, x)) + d

    def _exact(self, u, x):
        low, high = self.function.domain
        if math.isinf(low) and math.isinf(high):
            return self.function(u)
        a, b, *_ = self.affine
        beyond = torch.maximum(low - u, u - high)
        at_the_end = (beyond > 0) & (beyond <= _ROUNDING * ((a * x).abs() + b.abs()))
        return torch.where(at_the_end, self.function(u), self.function.raw(u))

    @torch.no_grad()
    def keeps_off_poles(self, x):
        """Tell whether no pole of f stands among data, nor right beside them.

        Parameters
        ----------
        x : Tensor of shape (n,)
            Data.

        Returns
        -------
        bool
        """
        beside = _BESIDE * (x.max() - x.min()) / len(x)
        a, b, *_ = self.affine
        u = a * torch.stack([x.min() - beside, x.max() + beside]) + b
        low, high = self.function.between_poles()
        return bool(((u > low) & (u < high)).all())

    def slopes(self, x):
        """Return the derivative of the values by a, b, c and d.

        Parameters
        ----------
        x : Tensor of shape (n,)
            Points.

        Returns
        -------
        Tensor of shape (n, 4)
        """
        a, b, c, _ = self.affine.detach()
        with torch.enable_grad():
            inner = (a * x.detach() + b).requires_grad_()
            value = self.function(inner)
            (slope,) = torch.autograd.grad(value.sum(), inner)
        value = value.detach()
        return torch.stack([c * slope * x, c * slope, value, torch.ones_like(x)], dim=1)
