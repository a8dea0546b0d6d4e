"""Run scikit-learn's estimator checks on every estimator of the installed package."""

import os

os.environ["SCIPY_ARRAY_API"] = "1"  # read when scipy is first imported

from sklearn.utils.estimator_checks import parametrize_with_checks

from skdyn.testing import all_estimators, expected_failed_checks, quick_instance


@parametrize_with_checks(
    [quick_instance(cls) for _, cls in all_estimators()],
    expected_failed_checks=expected_failed_checks,
    xfail_strict=True,
)
def test_scikit_learns_checks_pass(estimator, check):
    check(estimator)
