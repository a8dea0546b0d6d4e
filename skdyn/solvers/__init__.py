"""Solvers of ordinary differential equations, differentiable, in plain torch."""

from skdyn.solvers._field import MLPField
from skdyn.solvers._solve import ODESolution, SolverStats, is_adaptive, solve_ode, solver_names

__all__ = ["MLPField", "ODESolution", "SolverStats", "is_adaptive", "solve_ode", "solver_names"]
