"""Find every estimator, and hold it to more than scikit-learn's own checks.

The checks are plain functions of one unfitted estimator, usable by third parties::

    from skdyn.testing import contract_checks

    @pytest.mark.parametrize("check", contract_checks(MyEstimator()), ids=lambda c: c.__name__)
    def test_my_estimator_keeps_the_contract(check):
        check(MyEstimator(max_iter=5))

A check returns when the promise holds and raises ``AssertionError`` when it is broken. What an
estimator can do, its tags and the signature of its ``fit`` decide which checks it is held to: no
list of names does.
"""

from skdyn.testing._contract import contract_checks
from skdyn.testing._estimators import (
    all_estimators,
    all_parts,
    expected_failed_checks,
    quick_instance,
)
from skdyn.testing._probe import sample_data

__all__ = [
    "all_estimators",
    "all_parts",
    "contract_checks",
    "expected_failed_checks",
    "quick_instance",
    "sample_data",
]
