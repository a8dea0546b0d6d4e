"""Symbolic ODE discovery: equations that can be read, found from trajectories.

States x and perhaps controls u were measured over time, and wanted are the few terms that make up

.. math:: \\dot x_i = f_i(x, u) = \\sum_j c_{ij} \\, \\theta_{ij}(x, u; k_{ij}).

:class:`SymbolicODERegressor` searches many kinds of terms and the constants k inside them, and has
no threshold to tune. It uses that measurements are integrals of terms [1]_,

.. math:: x_i(t_m) = a_i + \\sum_j c_{ij} \\int_{t_0}^{t_m} \\theta_{ij} \\, dt + \\varepsilon_{im},

up to their own noise, so that it can take the system whose statement and residuals together have
the shortest description [2]_, and fits all constants by multiple shooting [3]_.

:class:`SINDyRegressor` takes the terms from a library, estimates the derivatives and leaves the
rest to a sparse linear regression [4]_. Its parts are objects to choose and to tune: the libraries
(:mod:`skdyn.symbolic.libraries`), the ways to differentiate or to do without derivatives
(:mod:`skdyn.symbolic.differentiation`), the regressions (:mod:`skdyn.symbolic.optimizers`).

What either finds is an :class:`EquationSystem`: shown, solved, searched for fixed points, handed
to sympy. :mod:`skdyn.model_selection` splits trajectories without shuffling time.

References
----------
.. [1] Hayden Schaeffer, Scott McCalla, "Sparse model selection via integral terms", Physical Review
   E 96, 2017.
.. [2] Jorma Rissanen, "Modeling by shortest data description", Automatica 14(5), 1978.
.. [3] Hans Georg Bock, "Recent advances in parameter identification techniques for O.D.E.", in
   "Numerical Treatment of Inverse Problems in Differential and Integral Equations", 1983.
.. [4] S. L. Brunton, J. L. Proctor, J. N. Kutz, "Discovering governing equations from data by
   sparse identification of nonlinear dynamical systems", PNAS 113, 2016.
"""

from skdyn.model_selection import TrajectorySplit
from skdyn.symbolic._sindy import SINDyRegressor
from skdyn.symbolic._symbolic_ode import SymbolicODERegressor
from skdyn.symbolic._system import EquationSystem
from skdyn.symbolic.differentiation import (
    FiniteDifference,
    IntegralForm,
    SmoothedFiniteDifference,
    SpectralDerivative,
    SplineDerivative,
    TotalVariation,
    WeakForm,
)
from skdyn.symbolic.libraries import (
    ColumnLibrary,
    ConcatLibrary,
    FourierLibrary,
    FunctionLibrary,
    IdentityLibrary,
    PolynomialLibrary,
    TensorLibrary,
)
from skdyn.symbolic.optimizers import (
    FROLS,
    MIOSR,
    SR3,
    SSR,
    STLSQ,
    ConstrainedSR3,
    EnsembleOptimizer,
    TrappingSR3,
)

__all__ = [
    "FROLS",
    "MIOSR",
    "SR3",
    "SSR",
    "STLSQ",
    "ColumnLibrary",
    "ConcatLibrary",
    "ConstrainedSR3",
    "EnsembleOptimizer",
    "EquationSystem",
    "FiniteDifference",
    "FourierLibrary",
    "FunctionLibrary",
    "IdentityLibrary",
    "IntegralForm",
    "PolynomialLibrary",
    "SINDyRegressor",
    "SmoothedFiniteDifference",
    "SpectralDerivative",
    "SplineDerivative",
    "SymbolicODERegressor",
    "TensorLibrary",
    "TotalVariation",
    "TrajectorySplit",
    "TrappingSR3",
    "WeakForm",
]
