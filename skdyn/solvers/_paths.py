"""Paths through measurements: what drives an equation between the times of measurement."""

from collections.abc import Sequence

import torch

from skdyn.solvers._checks import check_choice

__all__ = ["PATH_KINDS", "Path", "interpolate_path"]

# Kind -> how often the path can be differentiated where its pieces meet; -1: the value jumps.
PATH_KINDS = {"hold": -1, "linear": 0, "hermite": 1, "cubic": 2, "rectilinear": 0}


class Path:
    """Polynomials piece by piece, one path a case.

    Parameters
    ----------
    knots : tensor of shape (k,) or (n, k)
        Where the pieces begin, shared or one row per case, and where the last one ends.
    coefficients : tensor of shape (n, n_pieces, degree + 1, c)
        Powers of the time since a piece's beginning, the constant first.
    smoothness : int
        How often the path can be differentiated at its knots; -1 where its value jumps.

    Examples
    --------
    >>> import torch
    >>> from skdyn.solvers import interpolate_path
    >>> path = interpolate_path(torch.tensor([[[0.0], [1.0], [0.0]]]), [0.0, 1.0, 2.0])
    >>> path.evaluate([0.5, 1.5]).flatten()
    tensor([0.5000, 0.5000])
    >>> path.derivative(0.5)
    tensor([[1.]])
    """

    def __init__(self, knots: torch.Tensor, coefficients: torch.Tensor, smoothness: int) -> None:
        self.knots = knots
        self.coefficients = coefficients
        self.smoothness = smoothness

    @property
    def n_channels(self) -> int:
        """Number of channels."""
        return self.coefficients.shape[3]

    def evaluate(self, t: torch.Tensor | Sequence[float] | float) -> torch.Tensor:
        """Values at times; beyond its ends the outermost piece goes on.

        Parameters
        ----------
        t : tensor of shape (), (m,) or (n, m)
            Times: one or several for all cases, or a row for each.

        Returns
        -------
        values : tensor of shape (n, c), or (n, m, c)
            The values; one per case for a single time.
        """
        return self._sum(t, derivative=False)

    def derivative(self, t: torch.Tensor | Sequence[float] | float) -> torch.Tensor:
        """Derivatives by time; at a knot those of the piece that begins there.

        Parameters
        ----------
        t : tensor of shape (), (m,) or (n, m)
            Times, as in ``evaluate``.

        Returns
        -------
        derivatives : tensor of shape (n, c), or (n, m, c)
            The derivatives.
        """
        return self._sum(t, derivative=True)

    def _sum(self, t, derivative):
        t = torch.as_tensor(t, dtype=self.knots.dtype, device=self.knots.device)
        at = t if t.ndim == 2 else t.reshape(-1)
        if self.knots.ndim == 2:
            at = at.expand(len(self.knots), -1).contiguous()
        piece = torch.searchsorted(self.knots, at.contiguous(), right=True) - 1
        piece = piece.clamp(0, self.coefficients.shape[1] - 1)
        if piece.ndim == 2:
            cases = torch.arange(len(piece), device=piece.device)[:, None]
            since = (
                at - self.knots.gather(1, piece) if self.knots.ndim == 2 else at - self.knots[piece]
            )
            own = self.coefficients[cases, piece]
        else:
            since, own = at - self.knots[piece], self.coefficients[:, piece]
        out = _polynomial(own, since[..., None], derivative)
        return out[:, 0] if t.ndim == 0 else out


def _polynomial(coefficients, x, derivative):
    """Horner's rule for coefficients (n, m, degree + 1, c) at x (m, 1) or (n, m, 1)."""
    lowest = int(derivative)
    total = torch.zeros_like(coefficients[..., 0, :])
    for power in range(coefficients.shape[2] - 1, lowest - 1, -1):
        total = total * x + coefficients[..., power, :] * (power if derivative else 1)
    return total


def interpolate_path(
    x: torch.Tensor, t: torch.Tensor | Sequence[float], kind: str = "linear"
) -> Path:
    """Lay a path through measurements.

    Parameters
    ----------
    x : tensor of shape (n, k, c)
        Values; NaN marks missing ones, which are filled by straight lines between the values
        around them ("hold" and "rectilinear": by the last value).
    t : tensor of shape (k,) or (n, k)
        Strictly increasing times, shared or one row per case.
    kind : {"linear", "hold", "hermite", "cubic", "rectilinear"}, default="linear"
        Straight lines; the last value until the next; cubic Hermite pieces with the slope of the
        line that ends at a knot, which look one value ahead; the natural cubic spline, which looks
        at all; or, for a path that is blind to the future at all times, pieces in which by turns
        only the time and only the values move. The latter has the times as a channel before the
        others, and runs over 0, 1, ..., 2 k - 2.

    Returns
    -------
    path : Path
        With ``evaluate`` and ``derivative``; gradients reach ``x``.

    Raises
    ------
    ValueError
        If values or times are not what they should be.

    Examples
    --------
    >>> import torch
    >>> from skdyn.solvers import interpolate_path
    >>> path = interpolate_path(torch.tensor([[[0.0], [1.0]]]), [0.0, 1.0], kind="hermite")
    >>> path.evaluate(0.25)
    tensor([[0.2500]])
    """
    check_choice("kind", kind, tuple(PATH_KINDS))
    t = _check(x, t)
    x = _filled(x, t, forward=kind in ("hold", "rectilinear"))
    if kind == "rectilinear":
        x, t = _by_turns(x, t)
    h = t.diff(dim=-1)[..., None]
    if kind == "hold":
        return Path(t, x[:, :, None], PATH_KINDS[kind])
    slopes = x.diff(dim=1) / h
    if kind in ("linear", "rectilinear"):
        return Path(t, torch.stack([x[:, :-1], slopes], dim=2), PATH_KINDS[kind])
    if kind == "hermite":
        at_knots = torch.cat([slopes[:, :1], slopes], dim=1)
    else:
        at_knots = _natural_slopes(slopes, h)
    first, last = at_knots[:, :-1], at_knots[:, 1:]
    square = (3 * slopes - 2 * first - last) / h
    cube = (first + last - 2 * slopes) / h**2
    coefficients = torch.stack([x[:, :-1], first, square, cube], dim=2)
    return Path(t, coefficients, PATH_KINDS[kind])


def _check(x, t):
    """Return the times as a tensor like ``x``, once both are right."""
    if not isinstance(x, torch.Tensor) or not x.is_floating_point() or x.ndim != 3:
        came = tuple(x.shape) if isinstance(x, torch.Tensor) else type(x).__name__
        raise ValueError(f"x must be a floating-point tensor of shape (n, k, c); got {came}.")
    t = torch.as_tensor(t).to(x)
    if t.shape not in (x.shape[1:2], x.shape[:2]) or t.shape[-1] < 2:
        raise ValueError(
            f"t must have shape ({x.shape[1]},) or {tuple(x.shape[:2])}, the times of x, of which "
            f"a path needs two; got {tuple(t.shape)}."
        )
    if not bool((t.diff(dim=-1) > 0).all()) or not bool(torch.isfinite(t).all()):
        raise ValueError("t must be finite and strictly increasing in the precision of x.")
    if bool(torch.isinf(x).any()):
        raise ValueError("x contains infinity; mark missing values by NaN.")
    lost = torch.isnan(x).all(dim=1).nonzero()
    if len(lost):
        case, channel = lost[0].tolist()
        raise ValueError(f"x has no value in case {case}, channel {channel}; leave it out.")
    return t


def _filled(x, t, forward):
    """Fill gaps: by straight lines, or by the last value; ends by the nearest one."""
    missing = torch.isnan(x)
    if not bool(missing.any()):
        return x
    k = x.shape[1]
    number = torch.arange(k, device=x.device)[None, :, None].expand(x.shape)
    before = torch.where(missing, -1, number).cummax(dim=1).values
    after = torch.where(missing, k, number).flip(1).cummin(dim=1).values.flip(1)
    before, after = torch.where(before < 0, after, before), torch.where(after == k, before, after)
    if forward:
        return x.gather(1, before)
    times = t[..., None].expand(x.shape)
    start, end = times.gather(1, before), times.gather(1, after)
    share = (times - start) / torch.where(after > before, end - start, 1.0)
    low, high = x.gather(1, before), x.gather(1, after)
    return low + share * (high - low)


def _by_turns(x, t):
    """Knots at which by turns the time and the values move, times as the first channel."""
    k = x.shape[1]
    time = t.expand(x.shape[:2])[..., None]
    values = x.repeat_interleave(2, dim=1)[:, : 2 * k - 1]
    times = time.repeat_interleave(2, dim=1)[:, 1 : 2 * k]
    knots = torch.arange(2 * k - 1, dtype=x.dtype, device=x.device)
    return torch.cat([times, values], dim=2), knots


def _natural_slopes(slopes, h):
    """Slopes at the knots of the cubic spline whose second derivative is zero at both ends."""
    inverse = 1 / h[..., 0]
    ends = torch.nn.functional.pad
    diagonal = 2 * (ends(inverse, (0, 1)) + ends(inverse, (1, 0)))
    matrix = torch.diag_embed(diagonal) + torch.diag_embed(inverse, 1)
    matrix = matrix + torch.diag_embed(inverse, -1)
    weighted = 3 * slopes / h
    right = ends(weighted, (0, 0, 0, 1)) + ends(weighted, (0, 0, 1, 0))
    return torch.linalg.solve(matrix, right)
