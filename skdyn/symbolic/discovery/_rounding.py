"""Round numbers for constants that are hardly distinguishable from them."""

from typing import Any

import numpy as np

from skdyn.symbolic.discovery import _prices as prices
from skdyn.symbolic.discovery._fitted import Fitted
from skdyn.symbolic.discovery._search import misfit_cost
from skdyn.symbolic.discovery._shooting import System, shoot

_TIES, _STEPS = (100.0, 1e4), (3, 4)
_FAR = 3.0  # standard deviations


def rounded(joint, fitted, round_constants=True):
    """Fit a system closely, give constants round values where the data allow, and judge the rest.

    Parameters
    ----------
    joint : Joint
        The data.
    fitted : Fitted
        The system.
    round_constants : bool, default=True
        Whether to round.

    Returns
    -------
    fitted : Fitted
        The system, its other constants fitted anew.
    covariance : ndarray of shape (n_constants, n_constants)
        Of all constants before any was rounded, in the measured noise.
    """
    system = System(fitted.equations)
    constants = system.constants(fitted.coefficients)
    rows = joint.residuals(fitted.equations)
    tie: tuple[float, ...] = _TIES[-1:]
    shot: Any = shoot(system, constants, joint.windows, x0=fitted.shot.x0, ties=_TIES,
                      n_steps=_STEPS, covariance=True, rows=rows)  # fmt: skip
    if shot is None or not joint.score(fitted.equations, shot.rss) < fitted.score + prices.WORSE:
        # Chaos may forbid to close the last gaps.
        tie = (joint.ties[-1],)
        shot = shoot(system, constants, joint.windows, x0=fitted.shot.x0, ties=tie, n_steps=(0,),
                     covariance=True, rows=rows)  # fmt: skip
    if shot is None or shot.covariance is None:
        return fitted, np.full((len(constants), len(constants)), np.nan)
    inflation = max(1.0, (shot.rss / joint.n).max())
    covariance = inflation * shot.covariance
    free, refused, saved = np.ones(len(constants), bool), set(), 0.0

    def trial_of(values, ties: Any = tie):
        """Fit the others with some constants given; also what these cost less, and the fit more."""
        p, mask = shot.p.copy(), free.copy()
        for k, value in values.items():
            p[k], mask[k] = value, False
        trial = shoot(system, p, joint.windows, x0=shot.x0, ties=ties, n_steps=(4,) * len(ties),
                      free=mask, covariance=True, rows=rows)  # fmt: skip
        if trial is None or trial.covariance is None or not np.isfinite(trial.rss).all():
            return None, mask, np.inf
        before, now = (misfit_cost(rss, joint.n).sum() for rss in (shot.rss, trial.rss))
        return trial, mask, now - before

    def proposals():
        sd = np.sqrt(np.maximum(np.diag(inflation * shot.covariance), 0)) + 1e-9 * np.abs(shot.p)
        return [
            # The fit pays for the distance itself; a round number is to be stated, too.
            (odds, k, value, min(np.log(odds) + 0.5 * ((shot.p[k] - value) / sd[k]) ** 2, most))
            for k in np.flatnonzero(free)
            for value, odds in round_values(shot.p[k], sd[k])
            if (k, value) not in refused
        ]

    most = max(0.5 * np.log(joint.n.mean()) - prices.STATED, 0.0)
    if round_constants:
        # Errors of constants are correlated: together they may be round where none is alone.
        best = {k: (value, gain) for _, k, value, gain in sorted(proposals()) if gain > 0}
        # Far from where it was, a chaotic solution must be loosened to come along.
        moved = {k: value for k, (value, _) in best.items()}
        trial, mask, worse = trial_of(moved, (*_TIES[:1], *tie))
        gain = sum(gain for _, gain in best.values())
        if best and worse < gain - prices.STATED:
            shot, free, saved = trial, mask, gain
    while round_constants and free.any():
        likely = [proposal for proposal in proposals() if proposal[0] > prices.ODDS]
        if not likely:
            break
        _, k, value, gain = max(likely)
        trial, mask, worse = trial_of({k: value})
        if worse < prices.WORSE:
            shot, free, saved = trial, mask, saved + gain
        else:
            refused.add((k, value))
    equations, coefficients = system.split(shot.p)
    # What the score holds besides fit and statement does not change.
    misfit, structure, *_ = joint.parts(equations, shot.rss)
    parts = fitted.parts._replace(misfit=misfit, structure=structure, rounding=-float(saved))
    return Fitted(equations, coefficients, shot.rss, sum(parts), shot, parts), covariance


def round_values(value, sd):
    """Yield the round numbers near a measured one, with the odds that they are meant.

    Parameters
    ----------
    value, sd : float
        A constant and its standard deviation.

    Yields
    ------
    (float, float)
        The number; the density of the measurement under it against that under no round number.
    """
    if value == 0 or not np.isfinite(sd):
        return
    magnitude = int(np.floor(np.log10(abs(value))))
    spacings = {10.0 ** (magnitude - k): prices.DECIMAL / 2**k for k in range(5)}
    if abs(value) > 0.3:
        spacings[1 / 3] = prices.THIRD
    if abs(value) > 0.5:
        spacings[1.0] = max(prices.WHOLE, spacings.get(1.0, 0.0))
    for spacing, prior in spacings.items():
        steps = round(value / spacing)
        near = steps / round(1 / spacing) if spacing < 1 else steps * spacing
        off = abs(value - near) / sd
        if near != 0 and off < _FAR:
            yield near, prior * spacing / (sd * np.sqrt(2 * np.pi)) * np.exp(-0.5 * off**2)
