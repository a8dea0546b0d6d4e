import numpy as np
import pytest

from skdyn.symbolic._implicit import Rational, fit_rational, rational_errors
from skdyn.symbolic.optimizers import SSR, STLSQ

RNG = np.random.default_rng(0)
X = np.sort(RNG.uniform(0.0, 2.0, size=120))
ABOVE, BELOW = np.stack([X**0, X, X**2], axis=1), X[:, None]
MICHAELIS_MENTEN = 0.6 - 1.5 * X / (0.3 + X)


@pytest.mark.parametrize("optimizer", [SSR(), STLSQ(threshold=0.05, alpha=1e-9)])
@pytest.mark.parametrize("units", [1.0, 1e-3, 1e3])
def test_a_rational_function_is_found_exactly_in_any_units_of_time(optimizer, units):
    if units != 1.0 and isinstance(optimizer, STLSQ):
        pytest.skip("a threshold has units")
    found = fit_rational(optimizer, ABOVE, BELOW, units * MICHAELIS_MENTEN, "x'")
    np.testing.assert_allclose(found.numerator, [0.6 * units, -3.0 * units, 0.0], rtol=1e-9)
    np.testing.assert_allclose(found.denominator, [1 / 0.3], rtol=1e-9)


def test_a_polynomial_has_no_denominator():
    found = fit_rational(SSR(), ABOVE, BELOW, 1.0 - 2.0 * X, "x'")
    np.testing.assert_allclose(found.numerator, [1.0, -2.0, 0.0], atol=1e-9)
    np.testing.assert_array_equal(found.denominator, [0.0])


def test_noise_lets_no_further_terms_in():
    found = fit_rational(SSR(), ABOVE, BELOW, MICHAELIS_MENTEN + 1e-3 * RNG.normal(size=120), "x'")
    assert [*(found.numerator != 0), *(found.denominator != 0)] == [True, True, False, True]


def test_a_denominator_that_vanishes_within_the_data_is_refused():
    pole = 1.0 / (X - 1.0)
    with pytest.raises(ValueError, match="No rational equation was found for x' whose denominator"):
        fit_rational(STLSQ(threshold=0.5, alpha=0.0), ABOVE[:, :1], BELOW, pole, "x'")
    right = X > 1.1
    found = fit_rational(SSR(), ABOVE[right, :1], BELOW[right], pole[right], "x'")
    np.testing.assert_allclose([*found.numerator, *found.denominator], [-1.0, -1.0])


def test_a_target_that_is_zero_is_the_zero_function():
    found = fit_rational(SSR(), ABOVE, BELOW, np.zeros(120), "x'")
    assert not found.numerator.any()


def test_standard_errors_are_the_spread_of_repeated_fits():
    truth = Rational(np.array([0.6, -3.0, 0.0]), np.array([1 / 0.3]))
    noise = 1e-3 * RNG.normal(size=(500, 120))
    slopes = np.hstack([ABOVE[:, :2], -truth(ABOVE, BELOW)[:, None] * BELOW])
    slopes /= truth.divisor(BELOW)[:, None]
    spread = (noise @ np.linalg.pinv(slopes).T).std(axis=0)
    errors = rational_errors(truth, ABOVE, BELOW, MICHAELIS_MENTEN + noise[0])
    np.testing.assert_allclose([*errors.numerator[:2], *errors.denominator], spread, rtol=0.2)
    assert errors.numerator[2] == 0.0
