"""The contract: every check of the package that has a meaning for an estimator."""

from collections.abc import Callable

from sklearn.base import BaseEstimator

from skdyn.testing import (
    _bad_input,
    _forgery,
    _persistence,
    _scripts,
    _series_times,
    _training,
)
from skdyn.testing._probe import can_fit

__all__ = ["contract_checks"]


def contract_checks(estimator: BaseEstimator) -> list[Callable[[BaseEstimator], None]]:
    """List the checks that an estimator must pass.

    Parameters
    ----------
    estimator : estimator
        An instance; or an object with parameters and without ``fit``, such as those of
        :func:`all_parts`, which are checked for what they can do.

    Returns
    -------
    list of callable
        Functions ``check(estimator)``, in the order they are written.
    """
    return [
        check
        for module in (_scripts, _persistence, _forgery, _training, _bad_input, _series_times)
        for name, check in vars(module).items()
        if name.startswith("check_")
        and check.__module__ == module.__name__
        and getattr(check, "has_meaning", can_fit)(estimator)
    ]
