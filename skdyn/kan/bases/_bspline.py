"""B-splines: piecewise polynomials of which only a few differ from zero at any point."""

import warnings
from typing import Any

import torch
from torch.nn.functional import normalize, silu

from skdyn.kan.bases._basis import Basis
from skdyn.kan.bases._pieces import pieces_of
from skdyn.kan.bases._range import weighted_quantiles
from skdyn.kan.bases._spline_sums import FewSum, SplineSum, powers_to, within_powers

# Breaks nearer than this part of the mean distance would leave functions without data.
CLOSEST = 0.05
_FEW_SLOPES = 2**15  # numbers of functions of points, or of outputs there, with derivatives too
_FEW = 2**17  # numbers of functions of points: their product costs less than calls do

with warnings.catch_warnings():  # torch says once that its sparse tensors are new; not to users
    warnings.simplefilter("ignore")
    torch.sparse_csr_tensor([0, 0], [], [], (1, 1))


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

    breaks: torch.Tensor

    def __init__(self, n_in, grid_size, spline_order=3, extrapolation="linear", grid_eps=0.5):
        super().__init__(n_in, grid_size + spline_order, extrapolation)
        self.grid_size, self.spline_order, self.grid_eps = grid_size, spline_order, grid_eps
        self.register_buffer("breaks", torch.linspace(-1, 1, grid_size + 1).repeat(n_in, 1))
        self._memo = {}

    @property
    def n_at_a_point(self):
        """Number of functions that are not zero at a point."""
        return self.spline_order + 1

    def __getstate__(self):
        """Leave out what follows from the breaks: a copy is soon moved or asked in float64."""
        return {**vars(self), "_memo": {}}

    def __deepcopy__(self, memo):
        """Copy the buffers; the generic way looks at every entry of a module."""
        new = object.__new__(type(self))
        state = self.__getstate__().items()
        vars(new).update({k: v.copy() if isinstance(v, (dict, set)) else v for k, v in state})
        vars(new)["_buffers"] = {k: v.clone() for k, v in self.named_buffers()}
        return new

    def _place(self, breaks):
        self.breaks.copy_(breaks)
        self.low.copy_(self.breaks[:, 0])
        self.high.copy_(self.breaks[:, -1])
        self._memo = {}

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
        low, high = (bound.double() for bound in self.range_of(x, weight))
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

    def _tables(self):
        """Return what follows from the breaks: computed once for all calls between their moves."""
        return self._remember("tables", lambda: (self._slots(), *self._pieces()))

    def roughness(self):
        """Return the quadratic form of each input's squared curvature, in units of its range.

        Returns
        -------
        Tensor of shape (n_in, n_functions, n_functions)
        """
        return self._remember("roughness", super().roughness)

    def roughness_spectrum(self):
        """Return the eigenvalues of that form, none of them negative.

        Returns
        -------
        Tensor of shape (n_in, n_functions)
        """
        return self._remember("spectrum", super().roughness_spectrum)

    def straight(self):
        """Return the weights, of length one, of a straight line without a constant.

        Returns
        -------
        Tensor of shape (n_in, n_functions)
        """
        return self._remember("straight", self._greville)

    def _greville(self):
        near = self.spline_order or 2  # steps have their middles
        means = self._knots().unfold(1, near, 1).mean(dim=2)
        return normalize(means - means.mean(dim=1, keepdim=True), dim=1)

    def _knots(self):
        """Return all knots but the first and the last."""
        ends = self.breaks[:, :1], self.breaks[:, -1:]
        repeats = max(self.spline_order - 1, 0)
        return torch.cat([ends[0].expand(-1, repeats), self.breaks, ends[1].expand(-1, repeats)], 1)

    def _remember(self, name, make):
        """Keep what follows from the breaks until they move."""
        version = 0 if self.breaks.is_inference() else self.breaks._version
        kept = self._memo.get(name)
        if kept is None or kept[0] is not self.breaks or kept[1] != version:
            with torch.inference_mode(False), torch.no_grad():
                kept = self._memo[name] = self.breaks, version, make()
        return kept[2]

    def use_chords(self):
        """Let functions go on along the chords of their outermost intervals, not along tangents."""
        super().use_chords()
        self._memo = {}

    def outer_slopes(self):
        """Return the slopes of those chords.

        Returns
        -------
        below, above : Tensor of shape (n_in, n_functions)
        """
        pieces, k = self._tables()[2], self.spline_order
        slopes = pieces.new_zeros(2, self.n_in, self.n_functions)
        if k > 0:
            slopes[0, :, : k + 1] = pieces[:, 0, 1]
            slopes[1, :, -k - 1 :] = pieces[:, -1, 1]
        return slopes

    def _slots(self):
        """Pad the breaks with infinities to a power of two less one, for the bisection."""
        slots = self.breaks.new_full((self.n_in, 2 ** self._n_halvings()), torch.inf)
        slots[:, : self.grid_size + 1] = self.breaks
        slots[:, self.grid_size].nextafter_(slots[:, -1])  # the last break itself is inside
        return slots.flatten()

    def _n_halvings(self):
        return (self.grid_size + 1).bit_length()

    def _pieces(self):
        """Expand the functions in powers of the distance to a center, on every interval.

        The first and the last piece continue them outside the range.

        Returns
        -------
        centers : Tensor of shape (n_in * (grid_size + 2),)
            Middles of the intervals; of the outer pieces, the end of the range.
        pieces : Tensor of shape (n_in, grid_size + 2, k + 1, k + 1)
            Coefficients of each power in each of the functions that are not zero there.
        """
        breaks = self.breaks.detach()
        if breaks.is_meta:  # which has a shape, but no numbers
            breaks = torch.arange(self.grid_size + 1, dtype=breaks.dtype).repeat(self.n_in, 1)
        # Sixty calls on few numbers: numpy's cost an eighth of torch's.
        linear = self.extrapolation == "linear"
        parts = pieces_of(breaks.cpu().numpy(), self.spline_order, linear, self.chords)
        return tuple(torch.tensor(part, device=self.breaks.device) for part in parts)

    def _locate(self, x):
        """Find the piece of each point by bisection, and the way to it from the piece's center.

        All points take each of the few steps together, which is far faster than a search apiece.

        Parameters
        ----------
        x : Tensor of shape (n, n_in)
            Points.

        Returns
        -------
        place : Tensor of shape (n, n_in)
            Number of the piece among those of all inputs.
        u : Tensor of shape (n, n_in)
        """
        slots, centers, _ = self._tables()
        points, half = x.flatten(), 2 ** (self._n_halvings() - 1)
        inputs = torch.arange(self.n_in, dtype=torch.int32, device=x.device)
        is_right = inputs.new_empty(x.shape)
        torch.le(slots[half - 1 :: 2 * half].contiguous(), x, out=is_right)
        place = torch.add(inputs * (2 * half), is_right, alpha=half).view(-1)
        is_right = is_right.view(-1)
        while (half := half // 2) > 0:
            torch.le(slots[half - 1 :].index_select(0, place), points, out=is_right)
            place.add_(is_right, alpha=half)
        place = place.view_as(x) + inputs * (self.grid_size + 2 - 2 ** self._n_halvings())
        return place, x - centers.index_select(0, place.flatten()).view_as(x)

    def forward(self, x):
        """Evaluate the functions anywhere; beyond the range the outer pieces continue them.

        Parameters
        ----------
        x : Tensor of shape (n, n_in)
            Points.

        Returns
        -------
        Tensor of shape (n, n_in, n_functions)
        """
        place, u = self._locate(self.reached(x))
        u = u.clamp(*within_powers(u.dtype, self.spline_order))
        pieces = self._tables()[2].flatten(0, 1).index_select(0, place.flatten())
        powers = [torch.ones_like(u) if p is None else p for p in powers_to(u, self.spline_order)]
        powers = torch.stack(powers, dim=-1)
        values = (powers.flatten(0, 1)[:, None] @ pieces).view_as(powers)
        offset = torch.arange(self.n_in, device=x.device) * (self.grid_size + 2) + 1
        first = (place - offset).clamp(0, self.grid_size - 1)
        columns = first[..., None] + torch.arange(self.spline_order + 1, device=x.device)
        return x.new_zeros(*x.shape, self.n_functions).scatter(2, columns, values)

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
        offset = torch.arange(self.n_in, device=x.device) * (self.grid_size + 2) + 1
        # The ends of the range themselves belong to the inner pieces here.
        first = (self._locate(x)[0] - offset).clamp(0, self.grid_size - 1)
        place = first + offset
        _, centers, pieces = self._tables()
        u, pieces = x - centers[place], pieces.flatten(0, 1)[place]
        columns = first[..., None] + torch.arange(self.spline_order + 1, device=x.device)
        powers, rates = [torch.ones_like(u)], [torch.zeros_like(u)]
        for p in range(1, self.spline_order + 1):
            rates.append(p * powers[-1])
            powers.append(powers[-1] * u)
        zeros = x.new_zeros(*x.shape, self.n_functions)
        return tuple(
            zeros.scatter(2, columns, torch.einsum("nip,nipb->nib", torch.stack(part, 2), pieces))
            for part in (powers, rates)
        )

    def by_columns(self, x):
        """Evaluate the functions, points last.

        Parameters
        ----------
        x : Tensor of shape (n_in, n)
            Points.

        Returns
        -------
        features : Tensor of shape (n_in, n_functions + 1, n)
            Values of the functions and, last, of the residual.
        slopes_of : callable
            ``slopes_of(weight)`` gives the slopes of edges of weights of shape (n_in, n_functions +
            1, n_out), of shape (n_out, n_in, n).
        """
        k, size = self.spline_order, self.grid_size
        ends, first, coefficients = self._remember("columns", self._columns)
        reached = self.reached(x.T).T.contiguous()
        piece = torch.searchsorted(ends, reached, right=True)
        place = (piece + first).view(-1)
        u = reached - self._tables()[1].index_select(0, place).view_as(x)
        u.clamp_(*within_powers(u.dtype, k))
        of_power = coefficients.index_select(1, place).view(k + 1, k + 1, *x.shape)
        values = of_power[k]
        for p in range(k - 1, -1, -1):
            values = torch.addcmul(of_power[p], values, u)
        functions = (piece - 1).clamp_(0, size - 1)[:, None] + self._remember("steps", self._steps)
        features = x.new_zeros(self.n_in, self.n_functions + 1, x.shape[1])
        features.scatter_(1, functions, values.transpose(0, 1))
        features[:, -1] = silu(reached)

        def slopes_of(weight):
            residual = self.residual_slope(x) * weight[:, -1].T[..., None]
            if k == 0:
                return residual
            rates = self.in_powers(weight)[1:].transpose(1, 2).flatten(0, 1)
            # (Along the second of two axes: of three, it takes torch forty times as long.)
            rates = rates.index_select(1, place).view(k, weight.shape[2], *x.shape)
            total = k * rates[k - 1]
            for p in range(k - 1, 0, -1):
                total = torch.addcmul(p * rates[p - 1], total, u)
            if self.extrapolation == "constant":
                total *= x == reached
            return total + residual

        return features, slopes_of

    def _steps(self):
        """Return the numbers of the functions at a point, the first of them being zero."""
        return torch.arange(self.spline_order + 1, device=self.breaks.device)[:, None]

    def _columns(self):
        """Return the breaks, where the pieces of each input begin, and the pieces, places last."""
        ends = self.breaks.clone()
        ends[:, -1].nextafter_(ends.new_tensor(torch.inf))  # the last break itself is inside
        first = torch.arange(self.n_in, device=ends.device)[:, None] * (self.grid_size + 2)
        pieces = self._tables()[2].flatten(0, 1).permute(1, 2, 0)
        return ends, first, pieces.flatten(0, 1).contiguous()

    def in_powers(self, weight):
        """Return the coefficients of the sums over functions by powers on each piece.

        Parameters
        ----------
        weight : Tensor of shape (n_in, n_functions + 1, n_out)
            Weights of the functions and, last, of the residual.

        Returns
        -------
        Tensor of shape (k + 1, n_in * (grid_size + 2), n_out)
        """
        windows = weight.index_select(1, self._remember("windows", self._windows))
        windows = windows.view(len(weight), -1, self.spline_order + 1, weight.shape[2])
        return (self._tables()[2] @ windows).movedim(2, 0).flatten(1, 2)

    def _windows(self):
        """Return the numbers of the functions on each piece; outer ones have the next's."""
        inner = torch.arange(-1, self.grid_size + 1, device=self.breaks.device)
        return (inner.clamp_(0, self.grid_size - 1)[:, None] + self._steps().T).flatten()

    def combine(self, x, weight):
        """Add up weighted functions over all inputs.

        Parameters
        ----------
        x : Tensor of shape (n, n_in)
            Points.
        weight : Tensor of shape (n_in, n_functions + 1, n_out)
            Weights of the functions and, last, of the residual.

        Returns
        -------
        Tensor of shape (n, n_out)
        """
        if x.device.type != "cpu":  # where dense products are fast; sums there: benchmarks/gpu.py
            return super().combine(x, weight)
        if not x.requires_grad and x.numel() * self.n_functions <= _FEW:
            return self._functions_of(x).T @ weight.flatten(0, 1)
        few = x.numel() * max(self.n_functions, weight.shape[2]) <= _FEW_SLOPES
        return (FewSum if few else SplineSum).apply(self.reached(x), weight, self)

    @torch.no_grad()
    def _functions_of(self, x):
        """Evaluate functions and residual at few points: at the same batch, only once.

        Returns
        -------
        Tensor of shape (n_in * (n_functions + 1), n)
        """
        if x.is_inference() or x.untyped_storage().nbytes() > x.nbytes:
            return self.by_columns(x.T)[0].flatten(0, 1)  # not to hold on to more than is small
        known: Any = self._remember("seen", lambda: (None, 0, None))
        seen, version, found = known
        if seen is None or not _is_same(seen, x) or version != x._version:
            found = self.by_columns(x.T)[0].flatten(0, 1)
            self._memo["seen"] = *self._memo["seen"][:2], (x.detach(), x._version, found)
        return found


def _is_same(one, other):
    """Tell whether tensors are the same numbers in memory."""
    return (one.data_ptr(), one.shape, one.stride(), one.dtype) == (
        other.data_ptr(), other.shape, other.stride(), other.dtype
    )  # fmt: skip
