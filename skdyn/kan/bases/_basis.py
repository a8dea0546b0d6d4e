"""What every basis of edge functions can do."""

import copy
from typing import Any

import torch

from skdyn.kan.bases._range import MARGIN, robust_range

EXTRAPOLATIONS = ("linear", "constant")
_FILLED = 0.7  # of a range: data that fill less of it could have a finer grid
_N_PARTS = 5  # of the range; chords are those of the outermost


class Basis(torch.nn.Module):
    """A set of functions of one variable for each of several inputs.

    A subclass supplies :meth:`values_and_slopes` on the range of each input; the base continues
    the functions outside it, moves the range to where data are, and hands a function over from one
    basis to another.

    Parameters
    ----------
    n_in : int
        Number of inputs.
    n_functions : int
        Number of functions of each input.
    extrapolation : {"linear", "constant"}, default="linear"
        How a function goes on outside the range: along its tangent, or not at all.
    """

    low: torch.Tensor
    high: torch.Tensor
    chords = False  # see use_chords
    # Normal weights of this size give functions of variance one, about, over the range.
    initial_scale = 1.0

    def __init__(self, n_in, n_functions, extrapolation="linear"):
        super().__init__()
        self.n_in, self.n_functions, self.extrapolation = n_in, n_functions, extrapolation
        self._straight = None
        self.register_buffer("low", -torch.ones(n_in))
        self.register_buffer("high", torch.ones(n_in))

    @property
    def n_at_a_point(self):
        """Number of functions that are not zero at a point."""
        return self.n_functions

    def values_and_slopes(self, x) -> Any:
        """Evaluate the functions and their derivatives inside the range.

        Parameters
        ----------
        x : Tensor of shape (n, n_in)
            Points between ``low`` and ``high``.

        Returns
        -------
        values, slopes : Tensor of shape (n, n_in, n_functions)
        """
        raise NotImplementedError

    def forward(self, x):
        """Evaluate the functions anywhere.

        Parameters
        ----------
        x : Tensor of shape (n, n_in)
            Points.

        Returns
        -------
        Tensor of shape (n, n_in, n_functions)
        """
        inside = x.clamp(self.low, self.high)
        values, slopes = self.values_and_slopes(inside)
        if self.extrapolation == "constant":
            return values
        return values + self._slopes_beyond(x, inside, slopes) * (x - inside)[..., None]

    def use_chords(self):
        """Let functions go on along the chords of their outermost parts, not along tangents.

        A tangent follows what few data happen to say at the very end.
        """
        self.chords = True

    def outer_slopes(self):
        """Return the slopes of those chords.

        Returns
        -------
        below, above : Tensor of shape (n_in, n_functions)
        """
        length = (self.high - self.low) / _N_PARTS
        ends = torch.stack([self.low, self.high, self.low + length, self.high - length])
        values = self.values_and_slopes(ends)[0]
        return (values[2:] - values[:2]) / (ends[2:] - ends[:2])[..., None]

    def _slopes_beyond(self, x, inside, slopes):
        """Return the slopes at points, of the chords where these count."""
        if not self.chords or torch.equal(x, inside):
            return slopes
        below, above = self.outer_slopes()
        beyond = torch.where((x < inside)[..., None], below, above)
        return torch.where((x != inside)[..., None], beyond, slopes)

    def reached(self, x):
        """Return the points whose values count: the end of the range beyond it, if none goes on.

        Parameters
        ----------
        x : Tensor of shape (n, n_in)
            Points.

        Returns
        -------
        Tensor of shape (n, n_in)
        """
        return x.clamp(self.low, self.high) if self.extrapolation == "constant" else x

    def residual(self, x):
        """Evaluate ``silu(x)``, which goes on outside the range as the functions do.

        Parameters
        ----------
        x : Tensor of shape (n, n_in)
            Points.

        Returns
        -------
        Tensor of shape (n, n_in)
        """
        return torch.nn.functional.silu(self.reached(x))

    def features(self, x):
        """Evaluate the functions and, last, the residual.

        Parameters
        ----------
        x : Tensor of shape (n, n_in)
            Points.

        Returns
        -------
        Tensor of shape (n, n_in, n_functions + 1)
        """
        return torch.cat([self(x), self.residual(x)[..., None]], dim=-1)

    def by_columns(self, x):
        """Evaluate the functions, points last: long rows of numbers are what machines are fast at.

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
        points = x.T
        inside = points.clamp(self.low, self.high)
        values, slopes = self.values_and_slopes(inside)
        if self.extrapolation == "linear":
            slopes = self._slopes_beyond(points, inside, slopes)
            values = values + slopes * (points - inside)[..., None]
        else:
            slopes = slopes * (points == inside)[..., None]

        def slopes_of(weight):
            weight = self.effective(weight)
            found = torch.einsum("nif,ifo->oin", slopes, weight[:, :-1])
            return found + self.residual_slope(x) * weight[:, -1].T[..., None]

        features = torch.cat([values, self.residual(points)[..., None]], dim=-1)
        return features.permute(1, 2, 0).contiguous(), slopes_of

    def residual_slope(self, x):
        """Return the derivative of the residual, points last.

        Parameters
        ----------
        x : Tensor of shape (n_in, n)
            Points.

        Returns
        -------
        Tensor of shape (n_in, n)
        """
        reached = self.reached(x.T).T
        gate = torch.sigmoid(reached)
        return gate * (1 + reached * (1 - gate)) * (x == reached)

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
        return self.features(x).flatten(1) @ self.effective(weight).flatten(0, 1)

    def effective(self, weight):
        """Return the weights that the functions really carry; only a choice of spaces alters them.

        Parameters
        ----------
        weight : Tensor of shape (n_in, n_functions + 1, n_out)
            The layer's weights.

        Returns
        -------
        Tensor of shape (n_in, n_functions + 1, n_out)
        """
        return weight

    def unit(self, x):
        """Map the range of each input onto [-1, 1].

        Parameters
        ----------
        x : Tensor of shape (n, n_in)
            Points.

        Returns
        -------
        u : Tensor of shape (n, n_in)
            Unit coordinates.
        rate : Tensor of shape (n_in,)
            Derivative of ``u`` by ``x``.
        """
        rate = 2.0 / (self.high - self.low)
        return (x - self.low) * rate - 1.0, rate

    def range_of(self, x, weight):
        """Return the range that data ask for; what ends at the data's ends has no margin.

        Parameters
        ----------
        x : Tensor of shape (n, n_in)
            Data.
        weight : Tensor of shape (n,) or None
            Weights of the rows.

        Returns
        -------
        low, high : Tensor of shape (n_in,)
        """
        return robust_range(x, weight, 0.0 if self.extrapolation == "constant" else MARGIN)

    @torch.no_grad()
    def has_strayed(self, x, weight=None):
        """Tell whether data leave the range of an input, or leave much of it empty.

        Parameters
        ----------
        x : Tensor of shape (n, n_in)
            Data.
        weight : Tensor of shape (n,), default=None
            Weights of the rows.

        Returns
        -------
        Tensor
            A scalar, bool.
        """
        low, high = self.range_of(x, weight)  # with margins, which may be used up
        width = self.high - self.low
        out = torch.maximum(self.low - low, high - self.high) > MARGIN * width
        return (out | (high - low < _FILLED * width)).any()

    @torch.no_grad()
    def adapt(self, x, weight=None):
        """Move the range of each input to where its data are.

        Parameters
        ----------
        x : Tensor of shape (n, n_in)
            Data.
        weight : Tensor of shape (n,), default=None
            Weights of the rows; a row of weight two counts as two rows.
        """
        low, high = self.range_of(x, weight)
        self.low.copy_(low)
        self.high.copy_(high)

    def mesh(self):
        """Return points that tell any two functions of the basis apart.

        Returns
        -------
        Tensor of shape (n_points, n_in)
        """
        angles = torch.linspace(0, torch.pi, 8 * self.n_functions + 1, dtype=torch.float64)
        nodes = 0.5 - 0.5 * torch.cos(angles).to(self.low.device)
        low, high = self.low.double(), self.high.double()
        return low + (high - low) * nodes[:, None]

    @torch.no_grad()
    def fit(self, x, values):
        """Find the weights with which the functions come closest to given values.

        Parameters
        ----------
        x : Tensor of shape (n, n_in)
            Points of each input.
        values : Tensor of shape (n, n_in, n_out)
            What the sums over functions should be there.

        Returns
        -------
        Tensor of shape (n_in, n_functions, n_out)
        """
        # On a mesh, in float64, by a method that bears rank deficiency: least squares on samples
        # is where other implementations crash or return NaN.
        functions = self._exact()(x.double()).transpose(0, 1)
        # Leave out what takes huge weights that cancel: in the basis' own type they would not.
        rcond = torch.finfo(self.low.dtype).eps
        solve = torch.linalg.lstsq(functions.cpu(), values.double().transpose(0, 1).cpu(),
                                   rcond=rcond, driver="gelsd")  # fmt: skip
        return solve.solution

    def _exact(self):
        """Return the same in float64."""
        return self if self.low.dtype == torch.float64 else copy.deepcopy(self).double()

    def straight(self):
        """Return the weights, of length one, that come closest to a straight line.

        Functions follow their range, which thus is no matter; shapes that are learned are taken as
        they were when it was first asked.

        Returns
        -------
        Tensor of shape (n_in, n_functions)
        """
        if self._straight is None:
            mesh = self.mesh()
            line = (mesh - mesh.mean(dim=0)) / (mesh.amax(dim=0) - mesh.amin(dim=0))
            found = self.fit(mesh, line[..., None])[..., 0].to(self.low)
            self._straight = torch.nn.functional.normalize(found, dim=1)
        return self._straight

    @torch.no_grad()
    def hand_over(self, old, weight):
        """Find the weights with which edges come closest to what they were in another basis.

        Parameters
        ----------
        old : Basis
            The basis that they were in.
        weight : Tensor of shape (n_in, old.n_functions + 1, n_out)
            Their weights there; the residual's stays.

        Returns
        -------
        Tensor of shape (n_in, n_functions, n_out)
        """
        mesh, weight = self.mesh(), weight.double()
        functions = old._exact()(mesh)
        values = torch.einsum("nik,ikj->nij", functions, weight[:, :-1])
        return self.fit(mesh, values + self._shift(old, mesh, weight))

    def _shift(self, old, mesh, weight):
        """Return what the residual, whose range moves too, was more on a mesh in another basis."""
        was, becomes = old.residual(mesh), self.residual(mesh)
        return (was - becomes)[..., None] * weight[:, -1]

    @torch.no_grad()
    def roughness(self):
        """Return the quadratic form of each input's squared curvature, in units of its range.

        Returns
        -------
        Tensor of shape (n_in, n_functions, n_functions)
            ``c @ R @ c`` is the integral of the second derivative's square of the function with
            weights ``c``, the range taken as of length one.
        """
        nodes = torch.linspace(0, 1, 8 * self.n_functions + 1).to(self.low)
        length = self.high - self.low
        slopes = self.values_and_slopes(self.low + length * nodes[:, None])[1]
        bends = slopes.diff(dim=0) * (length * (len(nodes) - 1) ** 0.5)[:, None]
        return torch.einsum("nik,nil->ikl", bends, bends)

    @torch.no_grad()
    def roughness_spectrum(self):
        """Return the eigenvalues of that form, none of them negative.

        Returns
        -------
        Tensor of shape (n_in, n_functions)
        """
        return torch.linalg.eigvalsh(self.roughness()).clamp(min=0)
