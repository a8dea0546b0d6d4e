"""Which functions of the library an edge may be: ``y = c f(a x + b) + d``, the best first.

For given a and b the best c and d are a regression on a line; so is left a search over a and b
(variable projection; Golub and Pereyra 1973). It begins on a mesh that keeps to the function's
domain and ends by Levenberg-Marquardt with Kaufman's derivative (1975, BIT 15, 49).
"""

import math
from typing import NamedTuple

import numpy as np
import torch

_N_STARTS = 5  # of the mesh, to go on from
_N_STEPS = 50
_LEAST_VARIANCE = 1e-5  # of a function on an edge, in units of its largest square
_N_POINTS = 64  # on the mesh
# With t the points, moved to [-1, 1]. Where f is defined everywhere: half-width of a t + b, and
# where in t it is zero.
_WIDTHS = np.geomspace(0.1, 30, 40)
_CENTERS = np.array([0, 0.17, 0.33, 0.5, 0.67, 0.83, 1, 1.2, 1.5, 2, 4])
# Where the domain has one end: half-width, and distance from the end in half-widths.
_FEW_WIDTHS = np.geomspace(0.1, 10, 5)
_GAPS = np.geomspace(1e-5, 30, 24)
_SHARES = np.geomspace(1e-4, 0.9, 16)  # of a domain with two ends, left out at either end
FLOOR = 1e-8  # unexplained variance that is the grid's, even without noise
_WORTH = math.log(3)  # of a unit of complexity, in the logarithm of unexplained variance


class Candidate(NamedTuple):
    """A function that an edge may be: ``c f(a x + b) + d``."""

    name: str
    a: float
    b: float
    c: float
    d: float
    r2: float
    complexity: int


def cost(error, complexity, floor=FLOOR):
    """Weigh error and complexity against each other.

    Parameters
    ----------
    error : float
        What is left unexplained, in units of the variance.
    complexity : int
        Of the function.
    floor : float, default=1e-8
        Errors below it are not told apart.

    Returns
    -------
    float
        The less the better.
    """
    return math.log(max(error, 0.0) + floor) + _WORTH * complexity


def fit_edge(x, y, library, weight=None, floor=FLOOR):
    """Fit every function of a library to an edge.

    Parameters
    ----------
    x, y : array-like of shape (n,)
        Points and the edge's values there.
    library : list of SymbolicFunction
        From :func:`skdyn.kan._library.make_library`.
    weight : array-like of shape (n,), default=None
        Weights of the points.
    floor : float, default=1e-8
        Shares of the variance below it are not told apart: the network's own error.

    Returns
    -------
    list of Candidate
        One a function, the best first: few in doubt, as a unit of complexity must pay by a third
        of the unexplained variance. An edge that is constant is explained by any function with
        ``c = 0``.

    Raises
    ------
    ValueError
        If a point or a value is not finite, or there are none.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    weight = np.ones(len(x)) if weight is None else np.asarray(weight, dtype=float)
    there = weight > 0
    x, y, weight = x[there], y[there], weight[there]
    if not (len(x) and np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError(
            "an edge can be fitted at finite points with finite values only, one at least; got "
            f"{len(x)} points. Look whether the network itself gives finite predictions."
        )
    share = weight / weight.sum()
    middle, half = (x.max() + x.min()) / 2, (x.max() - x.min()) / 2
    mean = share @ y
    spread = share @ (y - mean) ** 2
    noise = (np.finfo(float).eps * np.abs(y).max()) ** 2
    if spread <= noise or half <= np.finfo(float).eps * abs(middle):
        r2 = float(spread <= noise)
        found = [Candidate(f.name, 1.0, -middle, 0.0, mean, r2, f.complexity) for f in library]
        return _ranked(found, floor)
    t, root = (x - middle) / half, np.sqrt(share)
    found = []
    for function in library:
        with np.errstate(all="ignore"):  # overflow far from the optimum is the search's to judge
            (scale, shift), c, r2 = _fit_one(function, t, (y - mean) / math.sqrt(spread), root)
        a, b, c = scale / half, shift - scale * middle / half, c * math.sqrt(spread)
        d = mean - c * (share @ _values(function, scale * t + shift))
        numbers = float(a), float(b), float(c), float(d), float(r2)
        found.append(Candidate(function.name, *numbers, function.complexity))
    return _ranked(found, floor)


def _ranked(found, floor):
    return sorted(found, key=lambda each: cost(1 - each.r2, each.complexity, floor))


def _fit_one(function, t, y, root):
    """Return scale and shift, c and R2 for points in [-1, 1] and values in standard units."""
    best = np.array([[1.0, 0.0]])
    if function.name not in ("0", "x"):
        thin = np.argsort(t)[np.linspace(0, len(t) - 1, min(len(t), _N_POINTS)).astype(int)]
        starts = _mesh(function)
        errors = _project(function, starts, t[thin], y[thin], root[thin])[0]
        best = _refine(function, starts[np.argsort(errors)[:_N_STARTS]], t, y, root)
    error, c, *_ = _project(function, best, t, y, root)
    k = error.argmin()
    return best[k], c[k], 1.0 - error[k]


def _project(function, places, t, y, root):
    """Regress y on f(a t + b) for each place (a, b); outside the domain f counts as zero.

    Returns
    -------
    error : ndarray of shape (n_places,)
        Unexplained share of the variance.
    c : ndarray of shape (n_places,)
    f, residual : ndarray of shape (n_places, n)
        Centered and weighted.
    """
    low, high = function.domain
    u = places[:, :1] * t + places[:, 1:]
    raw = _values(function, u)
    f, target = _centered(raw, root), _centered(y, root)
    size = (f**2).sum(axis=1)
    # A function that hardly varies stands for its own first derivatives: sin for x^2, exp for x.
    valid = np.isfinite(size) & (size > _LEAST_VARIANCE * (root**2).sum() * (raw**2).max(axis=1))
    valid &= (u.min(axis=1) >= low) & (u.max(axis=1) <= high)
    f[~valid], size[~valid] = 0.0, 1.0
    c = (f @ target) / size
    residual = target - c[:, None] * f
    return (residual**2).sum(axis=1) / (target @ target), c, f, residual


def _refine(function, places, t, y, root):
    """Improve scales and shifts by Levenberg-Marquardt, all starts at once."""
    damping = np.full(len(places), 1e-3)
    state = _project(function, places, t, y, root)
    for _ in range(_N_STEPS):
        error, c, f, residual = state
        slope = c[:, None] * _slopes(function, places[:, :1] * t + places[:, 1:])
        jacobian = _centered(np.stack([slope * t, slope], axis=1), root)  # (n_places, 2, n)
        size = np.maximum((f**2).sum(axis=1), 1e-300)[:, None, None]
        jacobian -= (jacobian @ f[..., None]) / size * f[:, None]
        curvature = jacobian @ jacobian.transpose(0, 2, 1)
        np.einsum("pii->pi", curvature)[:] *= 1 + damping[:, None]
        least = 1e-13 * np.einsum("pii->p", curvature) + 1e-300
        curvature += least[:, None, None] * np.eye(2)
        step = np.linalg.solve(curvature, jacobian @ residual[..., None])[..., 0]
        trial = _project(function, places + step, t, y, root)
        better = trial[0] < error
        gain = np.max(1 - trial[0] / np.maximum(error, 1e-300))
        places = np.where(better[:, None], places + step, places)
        state = [np.where(better.reshape(-1, *[1] * (new.ndim - 1)), new, old)
                 for new, old in zip(trial, state, strict=True)]  # fmt: skip
        damping = np.clip(damping * np.where(better, 0.1, 10.0), 1e-9, 1e9)
        if (better.any() and gain < 1e-3) or error.min() < 1e-28:
            break
    return places


def _centered(values, root):
    return root * (values - (values @ root**2)[..., None] / (root @ root))


def _values(function, u):
    return function(torch.from_numpy(u)).numpy()


def _slopes(function, u):
    u = torch.from_numpy(u).requires_grad_()
    with torch.enable_grad():
        (slope,) = torch.autograd.grad(function(u).sum(), u)
    return np.nan_to_num(slope.numpy())


def _mesh(function):
    """Return scales and shifts with which ``a t + b`` keeps to the domain for t in [-1, 1]."""
    low, high = function.domain
    if math.isfinite(low) and math.isfinite(high):
        left, right = (grid.ravel() for grid in np.meshgrid(_SHARES, _SHARES))
        fits = left + right < 1
        ends = low + (high - low) * left[fits], high - (high - low) * right[fits]
        scale, shift = (ends[1] - ends[0]) / 2, (ends[1] + ends[0]) / 2
    elif math.isfinite(low) or math.isfinite(high):
        width, gap = (grid.ravel() for grid in np.meshgrid(_FEW_WIDTHS, _GAPS))
        inward = 1.0 if math.isfinite(low) else -1.0
        scale, shift = width, (low if inward > 0 else high) + inward * width * (1 + gap)
    else:
        scale, center = (grid.ravel() for grid in np.meshgrid(_WIDTHS, _CENTERS))
        scale, shift = np.tile(scale, 2), np.concatenate([scale * center, -scale * center])
    places = np.stack([scale, shift], axis=1)
    return np.concatenate([places, places * [-1.0, 1.0]])
