"""Sparse linear regressors without an intercept: which terms of a library make an equation.

Given the values A (n_samples, n_terms) of a library's terms and targets B (n_samples, n_targets),
each finds coefficients, ``coef_`` (n_targets, n_terms), most of which are zero, with
:math:`B \\approx A\\, \\mathrm{coef}^T`.

They are scikit-learn regressors; a linear model of scikit-learn without an intercept, such as
``Lasso(fit_intercept=False)``, can take their place.
"""

from skdyn.symbolic.optimizers._constrained_sr3 import ConstrainedSR3
from skdyn.symbolic.optimizers._ensemble import EnsembleOptimizer
from skdyn.symbolic.optimizers._frols import FROLS
from skdyn.symbolic.optimizers._miosr import MIOSR
from skdyn.symbolic.optimizers._sr3 import SR3
from skdyn.symbolic.optimizers._ssr import SSR
from skdyn.symbolic.optimizers._stlsq import STLSQ
from skdyn.symbolic.optimizers._trapping_sr3 import TrappingSR3

__all__ = [
    "FROLS",
    "MIOSR",
    "SR3",
    "SSR",
    "STLSQ",
    "ConstrainedSR3",
    "EnsembleOptimizer",
    "TrappingSR3",
]
