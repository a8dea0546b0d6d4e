"""One layer: a function on every edge, sums and products at the nodes."""

import copy
import math
from numbers import Integral
from typing import Any

import torch

from skdyn.kan._monotone import coefficients, nearest_steps
from skdyn.kan._weight_vector import versions
from skdyn.kan.bases import BASES, make_basis
from skdyn.kan.bases._basis import EXTRAPOLATIONS

# Inputs of a layer up to which it learns at the full rate and pays a plain penalty. Adam moves
# every edge by a step alike, so that a sum over many of them would leap (decision 0033), and so
# many edges can fit any rows (decision 0044).
_NARROW = 16
_AT_ONCE = 2**18  # numbers that a layer is applied to where no gradient is wanted


class KANLayer(torch.nn.Module):
    """Edge functions from every input to every node, summed there; some sums are multiplied.

    Output j is :math:`b_j + \\sum_i \\phi_{ij}(x_i)` with :math:`\\phi(x) = w\\,\\mathrm{silu}(x)
    + \\sum_k c_k B_k(x)` [1]_, or the product of two such sums [2]_.

    Parameters
    ----------
    n_in : int
        Number of inputs.
    n_sum : int
        Number of outputs that are sums of edges.
    n_mult : int, default=0
        Number of outputs that are products of two such sums; they come last.
    basis : str, default="bspline"
        Functions of an edge, see :mod:`skdyn.kan.bases`.
    grid_size : int, default=5
        Intervals of the grid.
    spline_order : int, default=3
        Degree of the splines; every basis has ``grid_size + spline_order`` functions.
    extrapolation : {"linear", "constant"}, default="linear"
        How the functions go on outside the range of their input.

    Attributes
    ----------
    weight : Parameter of shape (n_in, n_functions + 1, n_sum + 2 n_mult)
        Coefficients of the functions of each edge; the last is that of silu. Of edges that may only
        rise or fall, the first and the steps to the others: see :meth:`constrain`.
    bias : Parameter of shape (n_sum + 2 n_mult,)
        What is added to each sum.

    References
    ----------
    .. [1] Ziming Liu et al., "KAN: Kolmogorov-Arnold Networks", ICLR 2025.
    .. [2] Z. Liu, P. Ma, Y. Wang, W. Matusik, M. Tegmark, "KAN 2.0: Kolmogorov-Arnold Networks Meet
       Science", arXiv:2408.10205, 2024.

    Examples
    --------
    >>> import torch
    >>> from skdyn.kan.layers import KANLayer
    >>> net = torch.nn.Sequential(KANLayer(2, 5), KANLayer(5, 1))
    >>> net(torch.zeros(7, 3, 2)).shape
    torch.Size([7, 3, 1])
    """

    mask: torch.Tensor
    sign: Any  # Tensor, or None where all edges are free
    basis: Any  # a Basis
    symbolic: Any  # SymbolicEdge by place
    levels: Any  # Levels, or None where all inputs are numbers that are there

    def __init__(
        self,
        n_in: int,
        n_sum: int,
        n_mult: int = 0,
        basis: str = "bspline",
        grid_size: int = 5,
        spline_order: int = 3,
        extrapolation: str = "linear",
    ) -> None:
        super().__init__()
        _check_sizes(n_in, n_sum, n_mult, basis, grid_size, spline_order, extrapolation)
        self.n_in, self.n_sum, self.n_mult = n_in, n_sum, n_mult
        self.n_subnodes = n_sum + 2 * n_mult
        self.basis = make_basis(
            basis, n_in, self.n_subnodes, grid_size, spline_order, extrapolation
        )
        self.weight = torch.nn.Parameter(self._first_weights())
        self.bias = torch.nn.Parameter(self._first_bias())
        self.register_buffer("mask", torch.ones(n_in, self.n_subnodes))
        self.register_buffer("sign", None)
        self.symbolic = torch.nn.ModuleDict()
        self.levels, self._whole = None, None

    def take_levels(self, levels: Any) -> None:
        """Let some inputs be categories, or miss.

        Parameters
        ----------
        levels : Levels
            What edges from them say; categories have no other edge.
        """
        self.levels = levels
        self.mask *= ~levels.is_category[:, None]

    def _first_weights(self, bends=0.01, size=0.5, generator=None):
        """Draw small weights, smaller for the functions: smooth edges are the better start."""
        shape = self.n_in, self.basis.n_functions, self.n_subnodes
        functions = bends * self.basis.initial_scale * torch.randn(shape, generator=generator)
        residual = size * torch.randn(self.n_in, 1, self.n_subnodes, generator=generator)
        return torch.cat([functions, residual], dim=1) / math.sqrt(self.n_in)

    @torch.no_grad()
    def redraw(self, generator: torch.Generator) -> None:
        """Begin again with other weights, bolder than the first.

        Parameters
        ----------
        generator : torch.Generator
            Their source.
        """
        self._begin_with(self._first_weights(bends=0.1, size=1.0, generator=generator))
        self.bias.copy_(self._first_bias())

    def _begin_with(self, weight):
        """Take first weights, those of edges that rise or fall straight, in place."""
        if self.sign is not None:  # silu has no part in them
            line = self.sign * weight[:, -1].abs() * self.basis.n_functions**0.5
            line = self.basis.straight()[:, :, None].to(line) * line[:, None]
            weight = weight + torch.cat([line, torch.zeros_like(line[:, :1])], dim=1)
        self.carry(weight)

    @torch.no_grad()
    def constrain(self, allowed: Any, sign: Any) -> None:
        """Cut edges, and let others only rise, or only fall.

        Parameters
        ----------
        allowed : array-like of shape (n_in, n_subnodes), bool
            Which edges stay.
        sign : array-like of shape (n_in, n_subnodes) or None
            1 for edges that may only rise, -1 for those that may only fall, else 0. They are
            B-splines, without silu, and begin straight.
        """
        self.mask *= torch.as_tensor(allowed).to(self.mask)
        if self.levels is not None:
            self.levels.mask *= torch.as_tensor(allowed).to(self.mask)
        if sign is None:
            return
        if not hasattr(self.basis, "breaks"):
            raise ValueError("Only edges of basis='bspline' can be held to rise or fall.")
        self.sign = torch.as_tensor(sign).to(self.mask)
        if not self.weight.is_meta:  # a skeleton has no weights
            self._begin_with(self.weight.clone())

    def _first_bias(self):
        bias = torch.zeros(self.n_subnodes)
        bias[self.n_sum :] = 1.0  # a product starts near the sum of its factors
        return bias

    @property
    def width(self) -> float:
        """Number of inputs, in units of what is few; at least one."""
        return max(1.0, self.n_in / _NARROW)

    def linear_weights(self) -> list[torch.Tensor]:
        """Return what the subnodes are linear in: weights and biases, then the symbolic edges'.

        Returns
        -------
        list of Tensor
        """
        of_levels = [] if self.levels is None else [self.levels.value]
        return [self.weight, self.bias, *of_levels, *self.symbolic.parameters()]

    def features(self, x: torch.Tensor) -> torch.Tensor:
        """Evaluate the functions and, last, the residual; their means where a number is missing.

        Parameters
        ----------
        x : Tensor of shape (n, n_in)
            Inputs.

        Returns
        -------
        Tensor of shape (n, n_in, n_functions + 1)
        """
        if self.levels is None:
            return self.basis.features(x)
        found, gaps = self.basis.features(self.levels.numbers(x)), self.levels.gaps(x)
        return torch.where(gaps[..., None], self._typical_features(), found)

    def _typical_features(self):
        return self.basis.features(self.levels.typical).mean(dim=0)

    def _beyond_numbers(self, x, weight, with_gaps):
        """Return what levels add to the subnodes, and gaps beside the functions at zero."""
        added = self.levels.indicators(x) @ self.levels.standing()
        gaps = self.levels.gaps(x)
        if with_gaps and gaps.any():
            at_zero = self.basis.features(torch.zeros_like(self.levels.typical[:1]))[0]
            more = self._typical_features() - at_zero
            of_edges = torch.einsum("ik,ikj->ij", more, self.basis.effective(weight))
            added = added + gaps.to(added) @ of_edges
        return added

    def carried(self) -> torch.Tensor:
        """Return the coefficients of all edges, also of those that are learned by their steps.

        Returns
        -------
        Tensor of shape (n_in, n_functions + 1, n_subnodes)
        """
        return self.weight if self.sign is None else coefficients(self.weight, self.sign)

    @torch.no_grad()
    def carry(self, whole: torch.Tensor) -> None:
        """Take coefficients of all edges; those that may only rise or fall come near to them.

        Parameters
        ----------
        whole : Tensor of shape (n_in, n_functions + 1, n_subnodes)
            Coefficients; another number of functions replaces the parameter.
        """
        weight = whole if self.sign is None else nearest_steps(whole, self.sign)
        if weight.shape == self.weight.shape:
            self.weight.copy_(weight)
        else:
            self.weight = torch.nn.Parameter(weight)

    @torch.no_grad()
    def tidy(self) -> None:
        """Bring steps that learning took below zero, where they say nothing, back to it."""
        if self.sign is not None:
            steps = self.weight[:, 1:-1]
            steps.copy_(torch.where(self.sign[:, None] != 0, steps.clamp(min=0), steps))

    def numeric_weight(self) -> torch.Tensor:
        """Return the weights of the edges that stand.

        Returns
        -------
        Tensor of shape (n_in, n_functions + 1, n_subnodes)
        """
        if self._all_stand():
            return self.carried()
        return self.carried() * self.mask[:, None, :]

    def _all_stand(self):
        """Tell whether no edge is cut, which is looked at when the mask has changed."""
        if self.mask.is_meta:  # a skeleton: nobody can look
            return False
        version = versions([self.mask])[0]
        if self._whole is None or self._whole[0] is not self.mask or self._whole[1] != version:
            self._whole = self.mask, version, bool(self.mask.all())
        return self._whole[2]

    def standing(self) -> torch.Tensor:
        """Return which edges there are, numeric or symbolic.

        Returns
        -------
        Tensor of shape (n_in, n_subnodes), bool
        """
        there = self.mask.bool()
        if self.levels is not None:
            there = there | (self.levels.mask.bool() & self.levels.is_category[:, None])
        for place in self.symbolic:
            there[tuple(map(int, place.split("_")))] = True
        return there

    def subnodes(
        self,
        x: torch.Tensor,
        features: torch.Tensor | None = None,
        inputs: torch.Tensor | None = None,
    ) -> torch.Tensor:
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
            numbers = x if self.levels is None else self.levels.numbers(x)
            sums = self.basis.combine(numbers, weight) + self.bias
        else:
            chosen = self.basis.effective(weight)[inputs]
            sums = features.flatten(1) @ chosen.flatten(0, 1) + self.bias
        if self.levels is not None:
            sums = sums + self._beyond_numbers(x, weight, with_gaps=features is None)
        for place, edge in self.symbolic.items():
            i, j = map(int, place.split("_"))
            sums = sums + edge(x[:, i])[:, None] * torch.nn.functional.one_hot(
                torch.tensor(j, device=x.device), self.n_subnodes
            )
        return sums

    def outputs(self, subnodes: torch.Tensor) -> torch.Tensor:
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

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the layer.

        Parameters
        ----------
        x : Tensor of shape (..., n_in)
            Inputs.

        Returns
        -------
        Tensor of shape (..., n_sum + n_mult)
            Sums, then products.
        """
        outputs = self.outputs(self.subnodes(x.reshape(-1, x.shape[-1])))
        return outputs.reshape(*x.shape[:-1], -1)

    def edges(self, x: torch.Tensor) -> torch.Tensor:
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
        values = torch.einsum("nik,ikj->nij", self.features(x), weight)
        if self.levels is not None:
            taken, standing = self.levels.indicators(x), self.levels.standing()
            for i in self.levels.column.unique():
                rows = self.levels.column == i
                values[:, i] += taken[:, rows] @ standing[rows]
        for place, edge in self.symbolic.items():
            i, j = map(int, place.split("_"))
            values[:, i, j] = edge(x[:, i])
        return values

    @torch.no_grad()
    def adapt(self, x: torch.Tensor, weight: torch.Tensor | None = None) -> bool:
        """Move the grids to where the inputs are, the edge functions staying what they are.

        Parameters
        ----------
        x : Tensor of shape (..., n_in)
            Inputs.
        weight : Tensor of shape (n,), default=None
            Weights of the rows.

        Returns
        -------
        bool
            Whether they moved.
        """
        before = copy.deepcopy(self.basis)
        self.basis.adapt(self._on_grids(x), weight)
        pairs = zip(before.buffers(), self.basis.buffers(), strict=True)
        if all(torch.equal(*pair) for pair in pairs):
            return False
        self._take_over(before)
        return True

    @torch.no_grad()
    def has_strayed(self, x: torch.Tensor, weight: torch.Tensor | None = None) -> bool:
        """Tell whether inputs leave the grid of one of them, or leave much of it empty.

        Parameters
        ----------
        x : Tensor of shape (..., n_in)
            Inputs.
        weight : Tensor of shape (n,), default=None
            Weights of the rows.

        Returns
        -------
        bool
        """
        return bool(self.basis.has_strayed(self._on_grids(x), weight))

    def _on_grids(self, x):
        x = x.reshape(-1, self.n_in)
        return x if self.levels is None else self.levels.observed(x)

    @torch.no_grad()
    def refine(self, grid_size: int) -> None:
        """Take a finer grid, the edge functions staying what they are.

        Parameters
        ----------
        grid_size : int
            The new size.
        """
        before = self.basis
        self.basis = before.refined(grid_size)
        if before.chords:
            self.basis.use_chords()
        self._take_over(before)

    def _take_over(self, before):
        now = self.carried().detach()
        found = self.basis.hand_over(before, now).to(now)
        self.carry(torch.cat([found, now[:, -1:]], dim=1))


@torch.no_grad()
def through(layer: KANLayer, x: torch.Tensor) -> torch.Tensor:
    """Apply a layer to all data, some rows at a time: what is needed on the way is many times more.

    Parameters
    ----------
    layer : KANLayer
        The layer.
    x : Tensor of shape (..., n_in)
        Inputs.

    Returns
    -------
    Tensor of shape (..., n_sum + n_mult)
    """
    if x.numel() <= _AT_ONCE:
        return layer(x)
    rows = x.reshape(-1, layer.n_in)
    found = [layer(part) for part in rows.split(max(1, _AT_ONCE // layer.n_in))]
    return torch.cat(found).reshape(*x.shape[:-1], -1)


def _check_sizes(n_in, n_sum, n_mult, basis, grid_size, spline_order, extrapolation):
    """Refuse what would give a layer without nodes, or fail in the middle of a basis."""
    least = {"n_in": 1, "n_sum": 0, "n_mult": 0, "grid_size": 1, "spline_order": 0}
    given = {
        "n_in": n_in, "n_sum": n_sum, "n_mult": n_mult, "grid_size": grid_size,
        "spline_order": spline_order,
    }  # fmt: skip
    for name, value in given.items():
        if not isinstance(value, Integral) or isinstance(value, bool) or value < least[name]:
            raise ValueError(f"{name} must be an integer of at least {least[name]}; got {value!r}.")
    if not n_sum + n_mult:
        raise ValueError("n_sum and n_mult are both 0: the layer has no output. Raise one of them.")
    for name, value, known in (
        ("basis", basis, sorted(BASES)), ("extrapolation", extrapolation, list(EXTRAPOLATIONS))
    ):  # fmt: skip
        if value not in known:
            raise ValueError(f"{name} must be one of {known}; got {value!r}.")
