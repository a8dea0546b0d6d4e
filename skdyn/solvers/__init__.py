r"""Solvers of ordinary differential equations, differentiable, in plain torch.

``solve_ode`` solves :math:`\dot y = f(t, y)`, :math:`y(t_0) = y_0` for a batch of cases. A
Runge-Kutta step of s stages is

.. math:: k_i = f\Big(t + c_i h,\; y + h \sum_j a_{ij} k_j\Big), \qquad
          y_1 = y + h \sum_i b_i k_i, \qquad E = h \sum_i e_i k_i,

with E the embedded error estimate. A step is accepted when the root mean square of
:math:`E / (\mathrm{atol} + \mathrm{rtol}\,\max(|y|, |y_1|))` is at most one; the next step follows
from a proportional-integral controller [2]_. Requested times inside a step come from the dense
output :math:`y(t + \theta h) = y + h \sum_i b_i(\theta) k_i`, at no extra step.

======== ===== ======== ====================================================================
solver   order adaptive for
======== ===== ======== ====================================================================
euler    1     no       comparisons, residual networks [1]_
midpoint 2     no       cheap fixed steps [1]_
heun     2     no       cheap fixed steps [1]_
rk4      4     no       fixed steps [1]_
bosh3    3     yes      loose tolerances [5]_
dopri5   5     yes      comparisons with other packages [3]_
tsit5    5     yes      the default [6]_
dopri8   8     yes      tight tolerances, few requested times (dense output of order 5) [4]_
kvaerno5 5     yes      stiff fields: implicit, L-stable [7]_
leapfrog 2     no       separable Hamiltonians: symplectic [1]_
======== ===== ======== ====================================================================

Gradients are exact for the steps that were taken, whose sizes are constants (the discrete
adjoint; the continuous one [8]_ is an option): with
:math:`\lambda_1 = \partial L / \partial y_1` and :math:`J_i` the Jacobian at stage i, from the last
stage to the first,

.. math:: \kappa_i = h b_i \lambda_1 + h \sum_{j > i} a_{ji} J_j^\top \kappa_j, \qquad
          \lambda_0 = \lambda_1 + \sum_i J_i^\top \kappa_i.

``solve_cde`` solves :math:`dz = f(t, z)\, dX` along a path X through measurements, which
``interpolate_path`` lays [11]_.

The estimates that a solver makes anyway, of its error and of the stiffness, can be returned as
penalties that make a learned field cheap to solve, over all steps [9]_ or at one of them [10]_.

References
----------
.. [1] E. Hairer, S. P. Nørsett and G. Wanner, "Solving Ordinary Differential Equations I", 1993.
.. [2] E. Hairer and G. Wanner, "Solving Ordinary Differential Equations II", 1996.
.. [3] J. R. Dormand and P. J. Prince, "A family of embedded Runge-Kutta formulae", Journal of
   Computational and Applied Mathematics 6, 1980.
.. [4] P. J. Prince and J. R. Dormand, "High order embedded Runge-Kutta formulae", Journal of
   Computational and Applied Mathematics 7, 1981.
.. [5] P. Bogacki and L. F. Shampine, "A 3(2) pair of Runge-Kutta formulas", Applied Mathematics
   Letters 2, 1989.
.. [6] Ch. Tsitouras, "Runge-Kutta pairs of order 5(4) satisfying only the first column simplifying
   assumption", Computers and Mathematics with Applications 62, 2011.
.. [7] A. Kvaerno, "Singly diagonally implicit Runge-Kutta methods with an explicit first stage",
   BIT Numerical Mathematics 44, 2004.
.. [8] R. T. Q. Chen, Y. Rubanova, J. Bettencourt and D. Duvenaud, "Neural ordinary differential
   equations", NeurIPS 2018.
.. [9] A. Pal, Y. Ma, V. Shah and C. Rackauckas, "Opening the blackbox: accelerating neural
   differential equations by regularizing internal solver heuristics", ICML 2021.
.. [10] A. Pal, A. Edelman and C. Rackauckas, "Locally regularized neural differential equations:
   some black boxes were meant to remain closed!", ICML 2023.
.. [11] P. Kidger, J. Morrill, J. Foster and T. Lyons, "Neural controlled differential equations for
   irregular time series", NeurIPS 2020.
"""

from skdyn.solvers._controlled import solve_cde
from skdyn.solvers._field import ACTIVATIONS, MLPField
from skdyn.solvers._paths import PATH_KINDS, Path, interpolate_path
from skdyn.solvers._solve import ODESolution, SolverStats, is_adaptive, solve_ode, solver_names

__all__ = [
    "ACTIVATIONS",
    "MLPField",
    "ODESolution",
    "PATH_KINDS",
    "Path",
    "SolverStats",
    "interpolate_path",
    "is_adaptive",
    "solve_cde",
    "solve_ode",
    "solver_names",
]
