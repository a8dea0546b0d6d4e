"""What there is to doubt of equations that were found, told in warnings."""

import numpy as np

from skdyn.exceptions import warn_user
from skdyn.symbolic._coefficients import dependent_terms
from skdyn.symbolic.discovery._fitted import CLOSE
from skdyn.symbolic.discovery._smoothing import roughness

__all__ = ["disturbed", "say_dependence", "say_doubts", "say_residuals", "unexplained"]

_FAR = 3.0  # misfit, in noise variances, that is not one of the noise's estimate
_SEEN = (
    1e-3  # residual, in standard deviations of a state, below which data are as good as followed
)
_LITTLE = 0.5  # share of a target's variance that is not explained
_HARDLY = 2.0  # standard errors within which a constant is as good as zero
_LEFT = 0.02  # share of the derivatives' variance that may be left whatever the reason
_SHOWN = 3  # terms named in a warning


def say_doubts(names, misfit, seen, table, alternatives, targets=False):
    """Warn of equations that leave residuals, are not the only ones, or hold idle terms.

    Parameters
    ----------
    names : list of str
        Left-hand sides.
    misfit : ndarray of shape (n_equations,)
        Mean square residuals, over the variance of the noise, or of the target.
    seen : ndarray of shape (n_equations,)
        Residuals in standard deviations of the state.
    table : DataFrame
        The constants.
    alternatives : DataFrame
        Other systems.
    targets : bool, default=False
        Whether left-hand sides are targets, and no derivatives.
    """
    far = np.flatnonzero(misfit > _LITTLE if targets else (misfit > _FAR) & (seen > _SEEN))
    if len(far):
        unit = "of the variance" if targets else "times the variance of the noise"
        told = ", ".join(f"{misfit[i]:.3g} for {names[i]}" for i in far)
        warn_user(
            f"The equations do not describe the data: mean square residuals are {told} {unit}. "
            "Allow further families or terms, add what is missing to the states or u, or check t."
        )
    close = alternatives[alternatives["behind"] < CLOSE]
    if len(close):
        nearest = close.iloc[0]
        warn_user(
            f"The data do not settle the equations: {len(close)} with other terms are "
            f"within {CLOSE:g} nats of those taken (alternatives_), such as "
            f"{'; '.join(nearest['equations'])} ({nearest['behind']:.1f} nats)."
        )
    idle = table[np.abs(table["value"]) < _HARDLY * table["std_error"]]
    if len(idle):
        told = [
            f"{row.term} in {row.equation} ({row.value:.3g} +- {row.std_error:.2g})"
            for row in idle.head(_SHOWN).itertuples()
        ]
        more = ", ..." * (len(idle) > _SHOWN)
        warn_user(f"The data hardly tell what these terms contribute: {', '.join(told)}{more}.")


def say_dependence(A, found, terms, equations):
    """Warn of terms of an equation whose coefficients the data do not tell.

    Parameters
    ----------
    A : ndarray of shape (n_rows, n_terms)
        Terms along the data.
    found : ndarray of shape (n_equations, n_terms), bool
        Those that each equation has.
    terms, equations : list of str
        Their names.
    """
    for equation, which, weights in dependent_terms(A, found):
        total = " + ".join(f"{w:.3g} {terms[j]}" for w, j in zip(weights, which, strict=True))
        warn_user(
            f"Terms of the equation of {equations[equation]} depend on each other along the data: "
            f"{total.replace('+ -', '- ')} hardly differs from 0, so that their coefficients are "
            "not unique. Use a smaller feature_library, or data that tell them apart."
        )


def unexplained(errors, targets):
    """Tell which equations leave a share of their targets that is worth a closer look.

    Parameters
    ----------
    errors, targets : ndarray of shape (n_rows, n_equations)
        Residuals, and what they are of.

    Returns
    -------
    ndarray of bool of shape (n_equations,)
    """
    return errors.var(axis=0) > _LEFT * targets.var(axis=0)


def disturbed(segments):
    """Add as much noise to states as they have already.

    Parameters
    ----------
    segments : list of Segment
        The data.

    Returns
    -------
    list of Segment
    """
    times, rng = [s.t for s in segments], np.random.default_rng(0)
    states = np.concatenate([s.X for s in segments]).T
    series = zip(*([*s.X.T] for s in segments), strict=True)
    noise = [roughness(times, x, column.std())[0] for x, column in zip(series, states, strict=True)]
    return [s._replace(X=s.X + noise * rng.normal(size=s.X.shape)) for s in segments]


def say_residuals(errors, of_noise, left, equations):
    """Warn of equations that leave far more than noise explains.

    Parameters
    ----------
    errors : ndarray of shape (n_rows, n_equations)
        Residuals.
    of_noise : ndarray of shape (n_rows, n_equations)
        What noise like that of the states adds to them.
    left : ndarray of bool of shape (n_equations,)
        Equations to judge.
    equations : list of str
        Their names.
    """
    size, noise = np.sqrt((errors**2).mean(axis=0)), np.sqrt((of_noise**2).mean(axis=0))
    far = np.flatnonzero(left & (size > _FAR * noise))
    if len(far):
        told = ", ".join(f"{size[i]:.2g} for {equations[i]} ({noise[i]:.2g})" for i in far)
        warn_user(
            "The terms found do not explain the derivatives: their residuals are far above what "
            f"the noise of the states makes of them, in parentheses: {told}. Use a larger "
            "feature_library, a lower threshold, another differentiation_method, or sample more "
            "often."
        )
