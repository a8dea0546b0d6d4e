"""Dense output derived from the order conditions.

A continuous extension of order q has weights :math:`b_i(\\theta)` that satisfy every order
condition up to q with :math:`\\theta^{|\\tau|}` on the right-hand side (Hairer, Nørsett and Wanner,
volume I, section II.6). The conditions are linear in the polynomials' coefficients. Asking also for
the step's value and derivative at both ends makes the output continuously differentiable; what is
left free is chosen smallest.
"""

import numpy as np

from skdyn.solvers._order import order_conditions

__all__ = ["derive_interpolant"]


def derive_interpolant(matrix, b, order, degree):
    """Coefficients of a dense output.

    Parameters
    ----------
    matrix : ndarray of shape (s, s)
        The coefficients ``a``; the last stage is the derivative at the step's end.
    b : ndarray of shape (s,)
        Weights of the step.
    order : int
        Order asked for.
    degree : int
        Degree of the polynomials.

    Returns
    -------
    coefficients : ndarray of shape (s, degree)
        Row i holds those of theta, theta^2, ... in stage i's weight.

    Raises
    ------
    ValueError
        If the method's stages do not allow that order.
    """
    s = len(b)
    rows, targets, sizes = order_conditions(matrix, order)
    powers = np.eye(degree)
    # Unknowns are the coefficients, stage by stage: each equation is a Kronecker product.
    system = [np.kron(rows, powers)]
    right = [np.where(np.arange(1, degree + 1) == sizes[:, None], targets[:, None], 0.0).ravel()]
    ends = ((np.ones(degree), b), (powers[0], np.eye(s)[0]))
    ends = (*ends, (np.arange(1.0, degree + 1), np.eye(s)[-1]))
    for functional, value in ends:
        system.append(np.kron(np.eye(s), functional[None]))
        right.append(value)
    system, right = np.concatenate(system), np.concatenate(right)
    solution = np.linalg.lstsq(system, right, rcond=1e-11)[0]
    residual = np.abs(system @ solution - right).max()
    if residual > 1e-10:
        raise ValueError(f"no dense output of order {order}: residual {residual:.1e}")
    return solution.reshape(s, degree)
