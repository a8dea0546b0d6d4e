"""An edge in closed form."""

import torch

from skdyn.kan._library import torch_function


class SymbolicEdge(torch.nn.Module):
    """The function ``c f(a x + b) + d``.

    Beyond the domain of f it keeps the value at the domain's end, so that it is defined everywhere.

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
        return c * self.function(a * x + b) + d

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
