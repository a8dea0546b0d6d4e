"""What there is to doubt of equations that were found, told in warnings."""

import numpy as np

from skdyn.exceptions import warn_user

__all__ = ["say_doubts"]

_FAR = 3.0  # misfit, in noise variances, that is not one of the noise's estimate
_SEEN = (
    1e-3  # residual, in standard deviations of a state, below which data are as good as followed
)
_LITTLE = 0.5  # share of a target's variance that is not explained
_HARDLY = 2.0  # standard errors within which a constant is as good as zero
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
    if len(alternatives):
        nearest = alternatives.iloc[0]
        warn_user(
            f"The data do not settle the equations: {len(alternatives)} with other terms are "
            "within 3 nats of those taken (alternatives_), such as "
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
