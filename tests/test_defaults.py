"""Bare defaults keep scikit-learn's contract too, on tables as small as its checks have.

Outside the default run, because defaults train for long: ``pytest -m defaults tests``.
"""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from skdyn.testing import all_estimators, expected_failed_checks

pytestmark = [
    pytest.mark.defaults,
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]


@parametrize_with_checks(
    [cls() for _, cls in all_estimators()],
    expected_failed_checks=expected_failed_checks, xfail_strict=True,
)  # fmt: skip
def test_scikit_learns_checks_pass_with_bare_defaults(estimator, check):
    check(estimator)
