"""What conserved energy and bounded motion mean for the coefficients of a polynomial system."""

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax

from skdyn.symbolic.optimizers._constraints import LinearConstraints


def energy_constraints(powers: np.ndarray, n_states: int) -> LinearConstraints:
    """Constrain the non-linear part N of dx/dt so that ``x . N(x) = 0`` for every x.

    ``x . N(x)`` is a polynomial; it vanishes when the coefficients that meet in each of its
    monomials add up to zero. For quadratic terms these are the known
    :math:`a_{ijk} + a_{jik} + a_{kij} = 0`.

    Parameters
    ----------
    powers : ndarray of shape (n_terms, n_inputs)
        Exponents of each term; states first, then controls, which carry no energy.
    n_states : int
        Number of states.

    Returns
    -------
    LinearConstraints
        Equalities, one a monomial.
    """
    rows = {}
    for term, power in enumerate(powers):
        if power[:n_states].sum() < 2:
            continue
        for state in range(n_states):
            monomial = tuple(power + (np.arange(len(power)) == state))
            row = rows.setdefault(monomial, np.zeros((n_states, len(powers))))
            row[state, term] = 1.0
    lhs = np.array(list(rows.values())).reshape(-1, n_states, len(powers))
    return LinearConstraints(lhs, np.zeros(len(lhs)), np.ones(len(lhs), dtype=bool))


def gradients(powers: np.ndarray, n_states: int) -> tuple[np.ndarray, np.ndarray]:
    """Differentiate the terms by the states, up to first order in the states.

    Parameters
    ----------
    powers : ndarray of shape (n_terms, n_states)
        Exponents of each term, at most quadratic.
    n_states : int
        Number of states.

    Returns
    -------
    constant : ndarray of shape (n_states, n_terms)
        ``constant[k, t]`` is the derivative of term t by state k at the origin.
    linear : ndarray of shape (n_states, n_states, n_terms)
        ``linear[l, k, t]`` is what each unit of state l adds to it.
    """
    constant = np.zeros((n_states, len(powers)))
    linear = np.zeros((n_states, n_states, len(powers)))
    for term, power in enumerate(powers):
        states = np.repeat(np.arange(n_states), power.astype(int))
        if len(states) == 1:
            constant[states[0], term] = 1.0
        elif len(states) == 2:
            linear[states[0], states[1], term] += 1.0
            linear[states[1], states[0], term] += 1.0
    return constant, linear


def growth(coef: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Symmetric part of the Jacobian ``coef @ gradient.T``: how fast distances grow there."""
    jacobian = coef @ gradient.T
    return (jacobian + jacobian.T) / 2


def calmest_center(coef: np.ndarray, constant: np.ndarray, linear: np.ndarray) -> np.ndarray:
    """Find the state around which the fastest growth is slowest.

    The largest eigenvalue of a matrix that depends linearly on the center is convex; it is
    minimized through the smooth maximum of the eigenvalues, ever closer to the largest.

    Parameters
    ----------
    coef : ndarray of shape (n_states, n_terms)
        Coefficients.
    constant, linear : ndarray
        From :func:`gradients`.

    Returns
    -------
    ndarray of shape (n_states,)
    """
    S0 = growth(coef, constant)
    S = np.array([growth(coef, part) for part in linear])
    unit = np.abs(np.linalg.eigvalsh(S0)).max() or 1.0

    def smooth_maximum(center, sharpness):
        rates, v = np.linalg.eigh(S0 + np.tensordot(center, S, 1))
        slopes = np.einsum("aj,lab,bj->lj", v, S, v)
        return logsumexp(sharpness * rates) / sharpness, slopes @ softmax(sharpness * rates)

    center = np.zeros(len(S0))
    for sharpness in (3.0, 30.0, 300.0):
        center = minimize(smooth_maximum, center, args=(sharpness / unit,), jac=True).x
    return center
