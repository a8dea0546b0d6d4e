"""Bases of edge functions: what a network can make of one variable.

Every basis has as many functions of an input as the grid has intervals plus the order of the
splines, so that networks on different bases have equal numbers of weights.

========== ============ ============ ============ ============ ====
basis      smooth       waves        kink         peak         time
========== ============ ============ ============ ============ ====
bspline    1e-4, 2e-6   4e-1, 8e-3   1e-2, 5e-3   8e-2, 1e-2   1
rbf        1e-4, 2e-4   2e-1, 4e-3   1e-2, 4e-3   7e-2, 1e-2   1.7
chebyshev  2e-6, 4e-16  5e-1, 7e-4   2e-2, 7e-3   8e-2, 1e-2   1.7
fourier    1e-3, 6e-6   2e-1, 7e-5   1e-2, 6e-3   7e-2, 9e-3   2.1
wavelet    2e-5, 1e-6   7e-3, 9e-5   4e-3, 3e-3   9e-3, 3e-3   2.4
rational   3e-6, 2e-15  2e-1, 2e-5   4e-3, 2e-3   2e-8, 2e-9   3.0
cauchy     4e-6, 2e-6   6e-3, 7e-6   1e-3, 3e-4   3e-6, 1e-5   2.0
========== ============ ============ ============ ============ ====

Errors are root mean squares of the least-squares fit with 8 and with 16 functions to ``exp(u)
cos(u)``, ``sin(10 u)``, ``abs(u - 0.2)`` and ``1 / (1 + 25 (u - 0.3)^2)`` on [-1, 1]. The last
three bases have learnable shapes, here trained for the one function by 300 steps of Adam; in a
network all edges of an input share them. Time is that of a layer of 64 inputs and 64 outputs with
8 functions, forward and backward, as a multiple of the first row.

- **bspline**: the default. Local, so that data here do not move the function there; the fastest,
  and the only one with a grid that is finer where there are more data.
- **rbf**: local and smooth to any order; the error stops falling near 1e-4.
- **chebyshev**: smooth functions to high accuracy. All data move all weights, noise too.
- **fourier**: waves and seasons.
- **wavelet**: waves that come and go, several scales at once.
- **rational**: smooth functions with one or two peaks, poles or steep places.
- **cauchy**: many peaks and steps; places and widths are found in training.
- **selectable**: no idea which, or not the same for all edges: each edge chooses one of five bases.
  It costs the sum of them, fourteen times the first row.
"""

from skdyn.kan.bases._basis import Basis
from skdyn.kan.bases._bspline import BSpline
from skdyn.kan.bases._cauchy import Cauchy
from skdyn.kan.bases._chebyshev import Chebyshev
from skdyn.kan.bases._fourier import Fourier
from skdyn.kan.bases._rational import Rational
from skdyn.kan.bases._rbf import RBF
from skdyn.kan.bases._scale import unit_scale
from skdyn.kan.bases._selectable import Selectable
from skdyn.kan.bases._wavelet import Wavelet

__all__ = ["BASES", "make_basis"]

BASES = {
    "bspline": BSpline,
    "rbf": RBF,
    "chebyshev": Chebyshev,
    "fourier": Fourier,
    "wavelet": Wavelet,
    "rational": Rational,
    "cauchy": Cauchy,
    "selectable": Selectable,
}
# For kinks, smooth functions, waves, local waves, peaks and steps. The two left out would seldom
# win: Gaussians in a row are nearly splines, and rational functions start near polynomials.
SPACES = ("bspline", "chebyshev", "fourier", "wavelet", "cauchy")


def make_basis(
    name: str, n_in: int, n_out: int, grid_size: int, spline_order: int, extrapolation: str
) -> Basis:
    """Build a basis with ``grid_size + spline_order`` functions of each input.

    Parameters
    ----------
    name : str
        A key of ``BASES``; "selectable" has that many functions in each of its spaces.
    n_in, n_out : int
        Numbers of inputs and outputs.
    grid_size : int
        Number of grid intervals.
    spline_order : int
        Degree of the splines.
    extrapolation : {"linear", "constant"}
        How a function goes on outside the range.

    Returns
    -------
    Basis
        Its ``initial_scale`` is the standard deviation of weights that give an edge variance one.

    Examples
    --------
    >>> import torch
    >>> from skdyn.kan.bases import make_basis
    >>> make_basis("chebyshev", 1, 1, 2, 1, "linear")(torch.tensor([[0.5]]))
    tensor([[[ 1.0000,  0.5000, -0.5000]]])
    """
    if name == "selectable":
        spaces = [
            make_basis(space, n_in, n_out, grid_size, spline_order, extrapolation)
            for space in SPACES
        ]
        return Selectable(n_in, n_out, spaces, extrapolation)
    if name == "bspline":
        basis = BSpline(n_in, grid_size, spline_order, extrapolation)
    else:
        basis = BASES[name](n_in, grid_size + spline_order, extrapolation)
        basis.spline_order = spline_order
    basis.initial_scale = _initial_scale(basis, name, grid_size, spline_order)
    return basis


_KNOWN_SCALES: dict[tuple, float] = {}


def _initial_scale(basis, *made_of):
    """Find the unit scale of new functions, which nothing is drawn for, once for all alike."""
    if basis.low.is_meta:  # a skeleton, of which nothing is known
        return unit_scale(basis)
    key = *made_of, basis.low.dtype
    if key not in _KNOWN_SCALES:
        _KNOWN_SCALES[key] = unit_scale(basis)
    return _KNOWN_SCALES[key]
