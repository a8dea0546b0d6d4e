"""What there is to check, found by walking the package."""

import inspect
from typing import Any

from sklearn.base import BaseEstimator

import skdyn
from skdyn.base import TorchEstimator
from skdyn.training._optimizers import FULL_BATCH

__all__ = ["all_estimators", "all_parts", "expected_failed_checks", "quick_instance"]

_FEW_EPOCHS, _FEW_OF_MANY_STEPS = 30, 10  # an epoch of L-BFGS is twenty steps


def all_estimators() -> list[tuple[str, type[BaseEstimator]]]:
    """Find every public estimator, whatever has ``fit``, by walking the package.

    Returns
    -------
    list of (str, type)
        Names and classes, sorted by name.

    Examples
    --------
    >>> from skdyn.testing import all_estimators
    >>> [name for name, cls in all_estimators() if name.endswith("ODEClassifier")]
    ['NeuralODEClassifier']
    """
    return [(name, cls) for name, cls in _with_parameters() if hasattr(cls, "fit")]


def all_parts() -> list[tuple[str, type[BaseEstimator]]]:
    """Find every public object that has parameters but no ``fit``: what is given to estimators.

    Returns
    -------
    list of (str, type)
        Names and classes, sorted by name.
    """
    return [(name, cls) for name, cls in _with_parameters() if not hasattr(cls, "fit")]


def _with_parameters():
    things = [(name, getattr(skdyn, name)) for name in skdyn.__all__]
    return [
        (name, thing)
        for name, thing in things
        if inspect.isclass(thing)
        and issubclass(thing, BaseEstimator)
        and not inspect.isabstract(thing)
    ]


def quick_instance(estimator_class: type[BaseEstimator], **parameters: Any) -> BaseEstimator:
    """Make an instance whose ``fit`` takes little time.

    Parameters
    ----------
    estimator_class : type
        A class of :func:`all_estimators` or :func:`all_parts`. One whose defaults are slow names
        quicker ones, for checks, in its attribute ``_quick_parameters``.
    **parameters
        Parameters to set beside those.

    Returns
    -------
    estimator
        Unfitted.
    """
    quick = dict(getattr(estimator_class, "_quick_parameters", {}))
    made = estimator_class(**quick | parameters)
    if isinstance(made, TorchEstimator) and "max_iter" not in quick | parameters:
        many_a_step = made.get_params(deep=False)["optimizer"] in FULL_BATCH
        made.set_params(max_iter=_FEW_OF_MANY_STEPS if many_a_step else _FEW_EPOCHS)
    return made


def expected_failed_checks(estimator: BaseEstimator) -> dict[str, str]:
    """Name scikit-learn's checks that an estimator cannot pass, each with its reason.

    Parameters
    ----------
    estimator : estimator
        An instance; what is expected may depend on its parameters.

    Returns
    -------
    dict of str to str
        For ``parametrize_with_checks(..., expected_failed_checks=expected_failed_checks)``.
    """
    return dict(getattr(estimator, "_expected_failed_checks", {}))
