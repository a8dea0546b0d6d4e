"""From trajectories to a linear regression on their dynamics.

Differentiators of one interface: ``differentiate(X, t)`` estimates states and derivatives of one
trajectory, and ``system(library, X, t)`` states the equations ``A @ coef.T = B`` that the terms of
a feature library satisfy. :class:`WeakForm` and :class:`IntegralForm` state them without taking a
derivative of the data. All cost time in proportion to the number of points (times its logarithm
where a Fourier transform is involved).
"""

from skdyn.symbolic.differentiation._differentiator import Differentiated, Differentiator
from skdyn.symbolic.differentiation._finite_difference import FiniteDifference
from skdyn.symbolic.differentiation._integral_form import IntegralForm
from skdyn.symbolic.differentiation._smoothed_finite_difference import SmoothedFiniteDifference
from skdyn.symbolic.differentiation._spectral import SpectralDerivative
from skdyn.symbolic.differentiation._spline import SplineDerivative
from skdyn.symbolic.differentiation._total_variation import TotalVariation
from skdyn.symbolic.differentiation._weak_form import WeakForm

__all__ = [
    "Differentiated",
    "Differentiator",
    "FiniteDifference",
    "IntegralForm",
    "SmoothedFiniteDifference",
    "SpectralDerivative",
    "SplineDerivative",
    "TotalVariation",
    "WeakForm",
]
