"""Seeds of estimators that other estimators fit."""

import numpy as np
from sklearn.base import BaseEstimator

__all__ = ["seed_within"]


def seed_within(estimator: BaseEstimator, random_state: np.random.RandomState | None) -> None:
    """Set every ``random_state`` of an estimator, nested ones too, as scikit-learn's ensembles do.

    Parameters
    ----------
    estimator : estimator
        A clone that is to be fitted.
    random_state : RandomState or None
        Source of the seeds; None leaves them as they are.
    """
    if random_state is None:
        return
    names = [name for name in sorted(estimator.get_params()) if name.endswith("random_state")]
    estimator.set_params(**{name: random_state.randint(np.iinfo(np.int32).max) for name in names})
