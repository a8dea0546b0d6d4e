"""Fixed points of systems of equations, and what they are like."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skdyn._validation import as_floats

__all__ = ["FixedPoint", "find_fixed_points", "kind_of_fixed_point"]

_N_STARTS = 1000
_MAX_ITER = 60
# A real part, or an eigenvalue, below this share of the largest counts as zero.
_ZERO = 1e-7


class FixedPoint(NamedTuple):
    """A state that does not change.

    Attributes
    ----------
    point : ndarray of shape (n_states,)
        The state.
    eigenvalues : ndarray of shape (n_states,), complex
        Of the Jacobian there, by falling real part.
    kind : str
        "stable node", "unstable node", "saddle", "stable focus", "unstable focus", "saddle focus",
        "center" (of the linearization) or "degenerate" (an eigenvalue is zero).
    """

    point: np.ndarray
    eigenvalues: NDArray[np.complex128]
    kind: str


def kind_of_fixed_point(eigenvalues):
    """Name a fixed point after the eigenvalues of its Jacobian.

    Parameters
    ----------
    eigenvalues : ndarray of shape (n_states,)
        The eigenvalues.

    Returns
    -------
    str
    """
    size = np.abs(eigenvalues)
    tiny = _ZERO * max(size.max(), np.finfo(float).tiny)
    growth = eigenvalues.real
    if size.min() <= tiny:
        return "degenerate"
    if (np.abs(growth) <= tiny).any():
        return "center"
    shape = "focus" if (np.abs(eigenvalues.imag) > tiny).any() else "node"
    if growth.max() < 0:
        return f"stable {shape}"
    if growth.min() > 0:
        return f"unstable {shape}"
    return "saddle" if shape == "node" else "saddle focus"


def find_fixed_points(system, bounds, u):
    """Find the fixed points within bounds.

    Parameters
    ----------
    system : EquationSystem
        The equations.
    bounds : array-like of shape (n_states, 2)
        Lowest and highest value of each state.
    u : array-like of shape (n_controls,) or None
        Values of the controls.

    Returns
    -------
    list of FixedPoint
    """
    d = len(system.state_names)
    bounds = as_floats(bounds)
    if bounds.shape != (d, 2) or not np.isfinite(bounds).all() or (np.diff(bounds) < 0).any():
        got = bounds.tolist() if bounds.shape == (d, 2) else f"shape {bounds.shape}"
        raise ValueError(
            f"bounds must hold the lowest and highest value of each of the {d} states, shape "
            f"({d}, 2); got {got}."
        )
    if u is not None:
        u = np.atleast_1d(as_floats(u))
    width = np.where(np.ptp(bounds, axis=1) > 0, np.ptp(bounds, axis=1), 1.0)
    candidates = _polynomial_roots(system, u) if d == 1 else None
    if candidates is None:
        candidates = _newton(system, _starts(bounds), width, u)
    slack = 1e-9 * width
    inside = (candidates >= bounds[:, 0] - slack) & (candidates <= bounds[:, 1] + slack)
    points = candidates[inside.all(axis=1)]
    points[np.abs(points) <= 1e-12 * width] = 0.0
    return _described(system, points, width, u)


def _polynomial_roots(system, u):
    """Return all real roots of a polynomial in one state; None if it is not one."""
    import sympy

    values = {} if u is None else dict(zip(system._symbols[1:], u.tolist(), strict=True))
    expression = system._expressions[0].subs(values)
    numerator, denominator = sympy.fraction(sympy.together(expression))
    x = system._symbols[0]
    if not numerator.is_polynomial(x) or not denominator.is_polynomial(x):
        return None
    coefficients = [float(c) for c in sympy.Poly(numerator, x).all_coeffs()]
    roots = np.roots(coefficients)
    real = roots[np.abs(roots.imag) <= 1e-7 * (1.0 + np.abs(roots))].real[:, None]
    if not len(real):
        return real
    return _newton(system, real, np.maximum(1.0, np.abs(real).max(axis=0)), u)


def _starts(bounds):
    """Return start states: a grid in few dimensions, else well spread points."""
    d = len(bounds)
    per_axis = int(_N_STARTS ** (1 / d))
    if per_axis >= 4:
        axes = [np.linspace(low, high, min(per_axis, 200)) for low, high in bounds]
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, d)
    from scipy.stats import qmc

    spread = qmc.Sobol(d, scramble=False).random(2048)
    return bounds[:, 0] + spread * np.ptp(bounds, axis=1)


def _newton(system, X, width, u):
    """Run Newton's method from all states at once; return those that arrived."""
    with np.errstate(all="ignore"):
        for _ in range(_MAX_ITER):
            step = _steps(system.jacobian(X, u), system.rhs(X, u))
            # A step of at most half the range: start states near a fold do not fly off.
            length = (np.abs(step) / width).max(axis=1, keepdims=True)
            X = X - step / np.maximum(1.0, 2.0 * length)
            X = X[np.isfinite(X).all(axis=1)]
            if not (length > 1e-14).any():
                break
        f, jacobian = system.rhs(X, u), system.jacobian(X, u)
        small = np.abs(f) <= 1e-9 * np.maximum(np.abs(jacobian) @ width, np.finfo(float).tiny)
        near = (np.abs(_steps(jacobian, f)) / width).max(axis=1, initial=0.0) <= 1e-6
        arrived = small.all(axis=1) & near
    return X[arrived]


def _steps(jacobian, f):
    good = np.isfinite(jacobian).all(axis=(1, 2)) & np.isfinite(f).all(axis=1)
    steps = np.full_like(f, np.nan)
    if good.any():
        inverse = np.linalg.pinv(jacobian[good], rcond=1e-10)
        steps[good] = (inverse @ f[good][:, :, None])[:, :, 0]
    return steps


def _described(system, points, width, u):
    """Merge equal points and name the rest."""
    found = []
    for point in points[np.lexsort(points.T[::-1])] if len(points) else ():
        eigenvalues = np.linalg.eigvals(system.jacobian(point[None], u)[0]).astype(complex)
        eigenvalues = eigenvalues[np.argsort(-eigenvalues.real, kind="stable")]
        kind = kind_of_fixed_point(eigenvalues)
        # Points of a curve lie as near to each other as the starts did: some are enough.
        near = 0.05 if kind == "degenerate" else 1e-5
        if all((np.abs(other.point - point) > near * width).any() for other in found):
            found.append(FixedPoint(point, eigenvalues, kind))
    return found
