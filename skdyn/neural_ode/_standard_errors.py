r"""Standard errors of fitted constants: Gauss and Newton's curvature where training ended.

Solutions of whole trajectories are linearized in the constants and in each case's start, which is
fitted too. With weights by the noise of each channel, and the starts' part taken out of both,

.. math:: \mathrm{cov}(\theta) = (J_\theta^\top J_\theta)^{-1} .

The network is taken as it is.
"""

import copy

import numpy as np
import torch

from skdyn.exceptions import SolverError
from skdyn.neural_ode._following import simulate_states
from skdyn.neural_ode._windows import padded_times

__all__ = ["standard_errors"]

_STEP = 1e-4  # of differences: of a constant's start value, and of a state's deviation
_TIGHT = {"rtol": 1e-8, "atol": 1e-10}  # differences are of solutions, not of their errors
_SINGULAR = 1e-12  # share of the largest eigenvalue


def standard_errors(module, prepared, starts):
    """Return the standard errors of a module's constants.

    Parameters
    ----------
    module : TrajectoryODE
        Fitted, with a known part, in double precision; it is not changed.
    prepared : Prepared
        The data.
    starts : ndarray of shape (n_cases, n_states)
        First states as fitted, standardized.

    Returns
    -------
    dict of str to float
        Infinite where the data do not determine a constant, or solutions cannot be followed.
    """
    if not module.known.constants:
        return {}
    module = copy.deepcopy(module).eval()
    module.options |= _TIGHT
    module.options["max_steps"] = 10 * module.options["max_steps"]
    known = module.known
    try:
        J, own, residual = _linearized(module, prepared, starts)
    except SolverError:
        return dict.fromkeys(known.constants, np.inf)
    errors = _errors(J, own, residual) * known.size.double().cpu().numpy()
    return dict(zip(known.constants, errors.tolist(), strict=True))


def _linearized(module, prepared, starts):
    """Return derivatives by constants and by own starts, and residuals; 0 where nothing was seen.

    Of shapes (n_cases, n_timepoints, n_states, p), the same with d, and without.
    """
    trajectories = prepared.trajectories
    n_cases, everyone = len(starts), np.arange(len(starts))
    inside = ~np.isnan(trajectories.times)
    times = np.where(
        inside, trajectories.times, np.fmax.reduce(trajectories.times, axis=1)[:, None]
    )
    since, first = padded_times(times, inside), np.zeros(n_cases, dtype=int)
    driving = prepared.driven and prepared.driven.from_points(everyone, first)
    read = None if prepared.read is None else prepared.read[:, 0]

    def solve(starts):
        return simulate_states(module, starts, since, driving=driving, read=read)

    def by(change):
        """Central differences of ``change(step)``, which returns states to start from."""
        ahead, behind = solve(change(_STEP)), solve(change(-_STEP))
        change(0.0)
        return (ahead - behind) / (2 * _STEP) * seen

    seen = trajectories.observed
    constants = module.known.change.detach().clone()

    def move_constant(index, step):
        with torch.no_grad():
            module.known.change.copy_(constants)
            module.known.change[index] += step
        return starts

    def move_start(channel, step):
        return starts + step * (np.arange(starts.shape[1]) == channel)

    J = [by(lambda step, k=k: move_constant(k, step)) for k in range(len(constants))]
    own = [by(lambda step, k=k: move_start(k, step)) for k in range(starts.shape[1])]
    residual = np.where(seen, trajectories.values - solve(starts), 0.0)
    return np.stack(J, axis=3), np.stack(own, axis=3), residual


def _errors(J, own, residual):
    """Return standard errors by the changes of constants."""
    n_cases, _, n_states, p = J.shape
    counts = (J != 0).any(axis=3) | (residual != 0)
    n_free = counts.sum() - p - own.shape[3] * n_cases
    if n_free <= 0:
        return np.full(p, np.inf)
    share = n_free / counts.sum()
    weights = np.ones(n_states)
    for _ in range(2):  # the second time with the noise of each channel
        apart_J, apart_r = _without_starts(J, own, residual, weights)
        change = np.linalg.lstsq(apart_J.reshape(-1, p), apart_r.ravel(), rcond=_SINGULAR)[0]
        left = (apart_r - apart_J @ change) / weights
        variance = (left**2).sum(axis=(0, 1)) / np.maximum(share * counts.sum(axis=(0, 1)), 1.0)
        weights = 1.0 / np.sqrt(np.maximum(variance, 1e-20))
    apart_J, _ = _without_starts(J, own, residual, weights)
    information = np.einsum("ctsp,ctsq->pq", apart_J, apart_J)
    values, vectors = np.linalg.eigh(information)
    if values[0] <= _SINGULAR * values[-1]:
        return np.full(p, np.inf)
    return np.sqrt((vectors**2 / values).sum(axis=1))


def _without_starts(J, own, residual, weights):
    """Take out of weighted derivatives and residuals what other starts would explain."""
    J, own, residual = J * weights[:, None], own * weights[:, None], residual * weights
    n_cases = len(J)
    flat = np.concatenate([J, residual[..., None]], axis=3).reshape(n_cases, -1, J.shape[3] + 1)
    basis = np.linalg.qr(own.reshape(n_cases, -1, own.shape[3]))[0]
    flat = flat - basis @ (basis.transpose(0, 2, 1) @ flat)
    apart = flat.reshape(*J.shape[:3], -1)
    return apart[..., :-1], apart[..., -1]
