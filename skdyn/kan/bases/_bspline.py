"""B-splines: piecewise polynomials of which only a few differ from zero at any point."""

import torch
from torch.autograd.function import once_differentiable

from skdyn.kan.bases._basis import Basis
from skdyn.kan.bases._range import robust_range, weighted_quantiles

# Breaks nearer than this part of the mean distance would leave functions without data.
CLOSEST = 0.05


class BSpline(Basis):
    """B-splines of any order on any breaks, with clamped knots.

    ``B_{i,0} = 1`` in interval i, ``B_{i,k} = (x - t_i) / (t_{i+k} - t_i) B_{i,k-1} + (t_{i+k+1} -
    x) / (t_{i+k+1} - t_{i+1}) B_{i+1,k-1}`` [1]_, where the knots t are the breaks, the first and
    the last of them ``k + 1`` times.

    Parameters
    ----------
    n_in : int
        Number of inputs.
    grid_size : int
        Number of intervals.
    spline_order : int, default=3
        Degree k of the polynomials.
    extrapolation : {"linear", "constant"}, default="linear"
        How a function goes on outside the range.
    grid_eps : float, default=0.5
        Breaks that follow data are this part equidistant, the rest quantiles.

    References
    ----------
    .. [1] C. de Boor, "A Practical Guide to Splines", Springer, 1978.
    """

    def __init__(self, n_in, grid_size, spline_order=3, extrapolation="linear", grid_eps=0.5):
        super().__init__(n_in, grid_size + spline_order, extrapolation)
        self.grid_size, self.spline_order, self.grid_eps = grid_size, spline_order, grid_eps
        self.register_buffer("breaks", torch.linspace(-1, 1, grid_size + 1).repeat(n_in, 1))

    def _place(self, breaks):
        self.breaks.copy_(breaks)
        self.low.copy_(self.breaks[:, 0])
        self.high.copy_(self.breaks[:, -1])

    @torch.no_grad()
    def adapt(self, x, weight=None):
        """Move the breaks to where data are.

        Parameters
        ----------
        x : Tensor of shape (n, n_in)
            Data.
        weight : Tensor of shape (n,), default=None
            Weights of the rows; a row of weight two counts as two rows.
        """
        low, high = (bound.double() for bound in robust_range(x, weight))
        levels = torch.linspace(0, 1, self.grid_size + 1, dtype=torch.float64, device=x.device)
        quantiles = weighted_quantiles(x, levels, weight).double().clamp(low, high)
        quantiles[0], quantiles[-1] = low, high
        share = quantiles.diff(dim=0) / (high - low)
        share = self.grid_eps / self.grid_size + (1 - self.grid_eps) * share
        share = share.clamp(min=CLOSEST / self.grid_size).cumsum(dim=0)
        inner = low + (high - low) * share[:-1] / share[-1]
        self._place(torch.stack([low, *inner, high], dim=1))

    @torch.no_grad()
    def refined(self, grid_size):
        """Return a basis with more intervals that holds every function of this one.

        Parameters
        ----------
        grid_size : int
            Number of intervals; the widest ones are split.

        Returns
        -------
        BSpline
        """
        if grid_size < self.grid_size:
            raise ValueError(
                f"a grid of {self.grid_size} intervals cannot be refined to {grid_size}; pass "
                f"grid_size >= {self.grid_size}."
            )
        width = self.breaks.diff(dim=1).double()
        parts = torch.ones_like(width)
        for _ in range(grid_size - self.grid_size):
            widest = (width / parts).argmax(dim=1, keepdim=True)
            parts.scatter_add_(1, widest, torch.ones_like(width[:, :1]))
        new = BSpline(self.n_in, grid_size, self.spline_order, self.extrapolation, self.grid_eps)
        new = new.to(self.breaks)
        # Each new interval is the step-th part of an old one.
        old = torch.arange(self.grid_size, device=parts.device).expand_as(parts)
        old = old.flatten().repeat_interleave(parts.flatten().long()).view(self.n_in, grid_size)
        step = torch.arange(grid_size, device=parts.device) - (parts.cumsum(dim=1) - parts).gather(
            1, old
        )
        start = self.breaks.double().gather(1, old)
        starts = start + width.gather(1, old) * step / parts.gather(1, old)
        new._place(torch.cat([starts, self.breaks[:, -1:].double()], dim=1))
        return new

    def mesh(self):
        """Return points that tell any two functions of the basis apart.

        Returns
        -------
        Tensor of shape (n_points, n_in)
        """
        n_each = self.spline_order + 2
        angles = (torch.arange(n_each, dtype=torch.float64) + 0.5) * (torch.pi / n_each)
        nodes = (0.5 - 0.5 * torch.cos(angles)).to(self.breaks.device)
        breaks = self.breaks.double()
        inside = breaks[:, :-1, None] + breaks.diff(dim=1)[..., None] * nodes
        return torch.cat([breaks[:, :1], inside.flatten(1), breaks[:, -1:]], dim=1).T

    def _local(self, x):
        """Evaluate the ``k + 1`` functions that are not zero.

        Parameters
        ----------
        x : Tensor of shape (n, n_in)
            Points inside the range.

        Returns
        -------
        cell : Tensor of shape (n, n_in)
            Interval of each point, which is also the number of its first function.
        values, slopes : list of Tensor of shape (n, n_in)
        """
        k = self.spline_order
        inner = self.breaks[:, 1:-1].contiguous()
        cell = torch.searchsorted(inner, x.T.contiguous(), right=True).T.contiguous()
        ends = self.breaks[:, :1], self.breaks[:, -1:]
        pad = max(k - 1, 0)
        knots = torch.cat([ends[0].expand(-1, pad), self.breaks, ends[1].expand(-1, pad)], dim=1)
        base = cell + torch.arange(self.n_in, device=x.device) * knots.shape[1]
        knots = knots.flatten()
        # The knots t_{m-k+1}, ..., t_{m+k} around interval m.
        near = [knots[base + j] for j in range(2 * k)]
        values, terms = [torch.ones_like(x)], []
        for order in range(1, k + 1):
            # Every divisor spans the point's own interval, so that none is zero.
            terms = [value / (near[k + r] - near[k + r - order]) for r, value in enumerate(values)]
            values = _add(
                [(near[k + r] - x) * term for r, term in enumerate(terms)],
                [(x - near[k + r - order]) * term for r, term in enumerate(terms)],
            )
        if k == 0:
            return cell, values, [torch.zeros_like(x)]
        return cell, values, _add([-k * term for term in terms], [k * term for term in terms])

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
        cell, *local = self._local(x)
        places = cell[..., None] + torch.arange(self.spline_order + 1, device=x.device)
        zeros = x.new_zeros(*x.shape, self.n_functions)
        return tuple(zeros.scatter(2, places, torch.stack(part, dim=2)) for part in local)

    def combine(self, x, weight):
        """Add up weighted functions over all inputs.

        Parameters
        ----------
        x : Tensor of shape (n, n_in)
            Points.
        weight : Tensor of shape (n_in, n_functions + 1, n_out)
            Weights of the functions and, last, of the residual ``silu(x)``.

        Returns
        -------
        Tensor of shape (n, n_out)
        """
        return _Combine.apply(x, weight, self)


def _add(left, right):
    """Sum two lists of which the second begins one place later."""
    middle = [a + b for a, b in zip(left[1:], right[:-1], strict=True)]
    return [left[0], *middle, right[-1]]


class _Combine(torch.autograd.Function):
    """Features times weights, with a backward pass that knows the features' local support."""

    @staticmethod
    def forward(ctx, x, weight, basis):
        inside = x.clamp(basis.low, basis.high)
        cell, values, slopes = basis._local(inside)
        if basis.extrapolation == "linear":
            beyond = x - inside
            values = [torch.addcmul(v, s, beyond) for v, s in zip(values, slopes, strict=True)]
        elif ctx.needs_input_grad[0]:
            slopes = [s * (x == inside) for s in slopes]
        n, n_in = x.shape
        n_columns = weight.shape[1]
        first = cell + torch.arange(0, n_in * n_columns, n_columns, device=x.device)
        features = x.new_zeros(n, n_in * n_columns)
        for b, value in enumerate(values):
            features.scatter_(1, first + b, value)
        features.view(n, n_in, n_columns)[:, :, -1] = torch.nn.functional.silu(x)
        slopes = slopes if ctx.needs_input_grad[0] else []
        ctx.save_for_backward(x, weight, features, first, *slopes)
        return features @ weight.flatten(0, 1)

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        x, weight, features, first, *slopes = ctx.saved_tensors
        to_weight = to_x = None
        if ctx.needs_input_grad[1]:
            to_weight = (features.T @ grad).view_as(weight)
        if ctx.needs_input_grad[0]:
            inner = grad @ weight.flatten(0, 1).T
            gate = torch.sigmoid(x)
            to_x = inner.view(*x.shape, -1)[..., -1] * gate * (1 + x * (1 - gate))
            for b, slope in enumerate(slopes):
                to_x.addcmul_(inner.gather(1, first + b), slope)
        return to_x, to_weight, None
