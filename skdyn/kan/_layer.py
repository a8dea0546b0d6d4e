"""One layer: a function on every edge, sums and products at the nodes."""

import copy
import math
from typing import Any

import torch

from skdyn.kan.bases import make_basis

# Inputs of a layer up to which it learns at the full rate and pays a plain penalty. Adam moves
# every edge by a step alike, so that a sum over many of them would leap (decision 0033), and so
# many edges can fit any rows (decision 0044).
_NARROW = 16


class KANLayer(torch.nn.Module):
    """Edge functions from every input to every subnode, summed there, some sums multiplied.

    Parameters
    ----------
    n_in : int
        Number of inputs.
    n_sum : int
        Number of outputs that are sums of edges.
    n_mult : int
        Number of outputs that are products of two such sums.
    basis, grid_size, spline_order, extrapolation
        See :func:`skdyn.kan.bases.make_basis`.
    """

    mask: torch.Tensor
    basis: Any  # a Basis
    symbolic: Any  # SymbolicEdge by place

    def __init__(self, n_in, n_sum, n_mult, basis, grid_size, spline_order, extrapolation):
        super().__init__()
        self.n_in, self.n_sum, self.n_mult = n_in, n_sum, n_mult
        self.n_subnodes = n_sum + 2 * n_mult
        self.basis = make_basis(
            basis, n_in, self.n_subnodes, grid_size, spline_order, extrapolation
        )
        self.weight = torch.nn.Parameter(self._first_weights())
        self.bias = torch.nn.Parameter(self._first_bias())
        self.register_buffer("mask", torch.ones(n_in, self.n_subnodes))
        self.symbolic = torch.nn.ModuleDict()

    def _first_weights(self, bends=0.01, size=0.5, generator=None):
        """Draw small weights, smaller for the functions: smooth edges are the better start."""
        shape = self.n_in, self.basis.n_functions, self.n_subnodes
        functions = bends * self.basis.initial_scale * torch.randn(shape, generator=generator)
        residual = size * torch.randn(self.n_in, 1, self.n_subnodes, generator=generator)
        return torch.cat([functions, residual], dim=1) / math.sqrt(self.n_in)

    @torch.no_grad()
    def redraw(self, generator):
        """Begin again with other weights, bolder than the first.

        Parameters
        ----------
        generator : torch.Generator
            Their source.
        """
        self.weight.copy_(self._first_weights(bends=0.1, size=1.0, generator=generator))
        self.bias.copy_(self._first_bias())

    def _first_bias(self):
        bias = torch.zeros(self.n_subnodes)
        bias[self.n_sum :] = 1.0  # a product starts near the sum of its factors
        return bias

    @property
    def width(self):
        """Number of inputs, in units of what is few; at least one."""
        return max(1.0, self.n_in / _NARROW)

    def linear_weights(self):
        """Return what the subnodes are linear in: weights and biases, then the symbolic edges'.

        Returns
        -------
        list of Tensor
        """
        return [self.weight, self.bias, *self.symbolic.parameters()]

    def linear_features(self, x, features=None):
        """Return the derivative of the subnodes by the weights, biases and symbolic edges.

        Parameters
        ----------
        x : Tensor of shape (n, n_in)
            Inputs.
        features : Tensor, default=None
            The functions there, if they are known.

        Returns
        -------
        list of Tensor
            Features of shape (n, n_in, n_functions + 1); then, of each symbolic edge, its slopes
            by its own parameters, of shape (n, n_parameters).
        """
        edges = [
            edge.slopes(x[:, int(place.split("_")[0])]) for place, edge in self.symbolic.items()
        ]
        return [self.basis.features(x).detach() if features is None else features, *edges]

    def jacobian(self, features, slopes, inputs):
        """Chain features and an output's derivative by the subnodes into its row by the weights.

        Parameters
        ----------
        features : list of Tensor
            From :meth:`linear_features`; the first of the wanted inputs only.
        slopes : Tensor of shape (n, n_subnodes)
            The output's derivative by the subnodes.
        inputs : Tensor of shape (n_wanted,)
            Numbers of the inputs whose weights are wanted.

        Returns
        -------
        Tensor of shape (n, n_weights)
        """
        gates = self.basis.effective(torch.ones_like(self.weight))[inputs]
        by_subnode = self.mask[inputs] * slopes[:, None]
        by_weight = features[0][..., None] * gates * by_subnode[:, :, None]
        by_edges = [
            found * slopes[:, int(place.split("_")[1]), None]
            for place, found in zip(self.symbolic, features[1:], strict=True)
        ]
        return torch.cat([by_weight.flatten(1), slopes, *by_edges], dim=1)

    def numeric_weight(self):
        """Return the weights of the edges that stand.

        Returns
        -------
        Tensor of shape (n_in, n_functions + 1, n_subnodes)
        """
        return self.weight * self.mask[:, None, :]

    def standing(self):
        """Return which edges there are, numeric or symbolic.

        Returns
        -------
        Tensor of shape (n_in, n_subnodes), bool
        """
        there = self.mask.bool()
        for place in self.symbolic:
            there[tuple(map(int, place.split("_")))] = True
        return there

    def subnodes(self, x, features=None, inputs=None):
        """Return the sums of the edges.

        Parameters
        ----------
        x : Tensor of shape (n, n_in)
            Inputs.
        features : Tensor of shape (n, n_wanted, n_functions + 1), default=None
            The functions there, if they are known.
        inputs : Tensor of shape (n_wanted,), default=None
            Numbers of the inputs that they are of: all whose edges are not cut.

        Returns
        -------
        Tensor of shape (n, n_subnodes)
        """
        weight = self.numeric_weight()
        if features is None:
            sums = self.basis.combine(x, weight) + self.bias
        else:
            weight = self.basis.effective(weight)[inputs]
            sums = features.flatten(1) @ weight.flatten(0, 1) + self.bias
        for place, edge in self.symbolic.items():
            i, j = map(int, place.split("_"))
            sums = sums + edge(x[:, i])[:, None] * torch.nn.functional.one_hot(
                torch.tensor(j, device=x.device), self.n_subnodes
            )
        return sums

    def outputs(self, subnodes):
        """Multiply where subnodes are factors.

        Parameters
        ----------
        subnodes : Tensor of shape (n, n_subnodes)
            Sums of edges.

        Returns
        -------
        Tensor of shape (n, n_sum + n_mult)
        """
        if not self.n_mult:
            return subnodes
        sums, factors = subnodes.split([self.n_sum, 2 * self.n_mult], dim=1)
        return torch.cat([sums, factors[:, ::2] * factors[:, 1::2]], dim=1)

    def forward(self, x):
        """Return the layer's outputs of shape (n, n_sum + n_mult)."""
        return self.outputs(self.subnodes(x))

    def edges(self, x):
        """Return the value of every edge function.

        Parameters
        ----------
        x : Tensor of shape (n, n_in)
            Inputs.

        Returns
        -------
        Tensor of shape (n, n_in, n_subnodes)
        """
        weight = self.basis.effective(self.numeric_weight())
        values = torch.einsum("nik,ikj->nij", self.basis.features(x), weight)
        for place, edge in self.symbolic.items():
            i, j = map(int, place.split("_"))
            values[:, i, j] = edge(x[:, i])
        return values

    @torch.no_grad()
    def adapt(self, x, weight=None):
        """Move the grids to where the inputs are, the edge functions staying what they are.

        Parameters
        ----------
        x : Tensor of shape (n, n_in)
            Inputs.
        weight : Tensor of shape (n,), default=None
            Weights of the rows.

        Returns
        -------
        bool
            Whether they moved.
        """
        before = copy.deepcopy(self.basis)
        self.basis.adapt(x, weight)
        pairs = zip(before.buffers(), self.basis.buffers(), strict=True)
        if all(torch.equal(*pair) for pair in pairs):
            return False
        self._take_over(before)
        return True

    @torch.no_grad()
    def refine(self, grid_size):
        """Take a finer grid, the edge functions staying what they are.

        Parameters
        ----------
        grid_size : int
            The new size.
        """
        before = self.basis
        self.basis = before.refined(grid_size)
        self._take_over(before)

    def _take_over(self, before):
        found = self.basis.hand_over(before, self.weight.detach()).to(self.weight)
        weight = torch.cat([found, self.weight[:, -1:]], dim=1)
        if weight.shape == self.weight.shape:
            self.weight.copy_(weight)
        else:
            self.weight = torch.nn.Parameter(weight)
