import numpy as np
import pytest

from skdyn.symbolic.discovery._joint import Joint
from skdyn.symbolic.discovery._rounding import round_values, rounded
from skdyn.symbolic.discovery._smoothing import smooth
from skdyn.symbolic.discovery._terms import Form, Term

ONE, X0 = Term(Form("1", 0.5)), Term(Form("x0", 0.5))
NOISE = 1e-3
BELIEVED = 2.0  # odds


def fit(rate, source=1.0, noise=NOISE, seed=0, priors=None):
    """x' = source - rate x from 3, measured with noise that is known."""
    t = np.linspace(0, 4, 80)
    x = source / rate + (3 - source / rate) * np.exp(-rate * t)
    X = (x + noise * np.random.default_rng(seed).normal(size=len(t)))[:, None]
    record = smooth([t], [X])._replace(sd=[np.full(X.shape, noise)])
    joint = Joint(record, 6, n_sub=2, priors=priors)
    return joint, joint.fit(((ONE, X0),), ((source, -rate),))


def believed(value, sd):
    return [number for number, odds in round_values(value, sd) if odds > BELIEVED]


def odds_of(number, value, sd):
    return max(odds for near, odds in round_values(value, sd) if near == number)


# -- which numbers are round ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "number"),
    [(2.0003, 2.0), (-0.4998, -0.5), (1.1004, 1.1), (10.0002, 10.0), (-2.6668, -8 / 3)],
)
def test_what_is_near_a_round_number_is_believed_to_be_it(value, number):
    assert number in believed(value, 0.001)


@pytest.mark.parametrize("value", [2.0137, -1.2345, 0.7071, 9.8696])
def test_what_is_near_none_is_left(value):
    assert believed(value, 0.001) == []


def test_what_is_known_poorly_is_no_round_number():
    assert believed(2.0003, 2.0) == []


def test_odds_fall_with_the_distance_and_rise_with_precision():
    odds = [odds_of(2.0, 2.0 + off, 0.001) for off in (0.0, 0.001, 0.002)]
    assert odds[0] > odds[1] > odds[2]
    assert odds_of(2.0, 2.0, 0.0005) > odds[0]


@pytest.mark.parametrize("factor", [0.01, 100.0])
def test_small_and_large_constants_are_round_alike(factor):
    """But for whole numbers, which people write more often."""
    for value in (0.31, 0.3001):
        plain, scaled = believed(value, 1e-4), believed(factor * value, factor * 1e-4)
        assert set(np.round(plain, 10)) <= set(np.round(np.array(scaled) / factor, 10))


def test_a_number_and_its_negative_are_equally_round():
    plain, negative = (np.array(list(round_values(v, 0.001))) for v in (1.4996, -1.4996))
    assert negative * [-1, 1] == pytest.approx(plain)


@pytest.mark.parametrize(("value", "sd"), [(0.0, 1.0), (1.0, np.nan), (1.0, np.inf)])
def test_without_a_value_or_a_spread_no_number_is_offered(value, sd):
    assert list(round_values(value, sd)) == []


# -- systems ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_round_constants_come_back_exactly(seed):
    joint, fitted = fit(2.0, seed=seed)
    assert fitted.coefficients != ((1.0, -2.0),)
    found, _ = rounded(joint, fitted)
    assert found.coefficients == ((1.0, -2.0),)


def test_a_constant_that_the_data_tell_from_round_ones_is_left():
    joint, fitted = fit(2.0137, source=1.0)
    found, covariance = rounded(joint, fitted)
    assert found.coefficients[0][1] != -2.0
    assert found.coefficients[0][1] == pytest.approx(-2.0137, abs=4 * np.sqrt(covariance[1, 1]))


def test_nothing_is_rounded_unless_asked():
    joint, fitted = fit(2.0)
    found, _ = rounded(joint, fitted, round_constants=False)
    assert found.coefficients[0] == pytest.approx(fitted.coefficients[0], rel=1e-3)
    assert 1.0 not in found.coefficients[0]
    assert -2.0 not in found.coefficients[0]


@pytest.mark.parametrize("rate", [1.99, 2.0, 2.01, 2.0137])
def test_a_rounded_system_fits_hardly_worse(rate):
    joint, fitted = fit(rate, source=1.003)
    exact, _ = rounded(joint, fitted, round_constants=False)
    found, _ = rounded(joint, fitted)
    n_rounded = len(set(found.coefficients[0]) - set(exact.coefficients[0]))
    worse = 0.5 * joint.n * np.log(found.rss / exact.rss)
    assert worse.sum() < 4.0 * n_rounded + 0.1


def test_the_covariance_is_that_of_all_constants_and_follows_the_noise():
    traces = []
    for noise in (1e-3, 1e-2):
        joint, fitted = fit(2.0, noise=noise)
        found, covariance = rounded(joint, fitted)
        assert covariance.shape == (2, 2)
        assert covariance == pytest.approx(covariance.T)
        traces.append(np.trace(covariance))
        off = np.array(found.coefficients[0]) - [1.0, -2.0]
        assert (np.abs(off) < 4 * np.sqrt(np.diag(covariance))).all()
    assert traces[1] / traces[0] == pytest.approx(100, rel=0.5)


def test_noise_that_is_stated_too_small_does_not_make_the_standard_errors_smaller():
    joint, fitted = fit(2.0)
    smaller = [part / 3 for part in joint.record.sd]
    sure = Joint(joint.record._replace(sd=smaller), 6, n_sub=2)
    _, own = rounded(joint, fitted)
    _, stated = rounded(sure, sure.fit(fitted.equations, fitted.coefficients))
    assert stated == pytest.approx(own, rel=0.4)


def test_prior_knowledge_still_holds_between_the_constants():
    class Equal:
        """The source is half the rate."""

        def price(self, equations, coefficients):
            return 0.0

        def residuals(self, equations):
            return lambda p: 1e6 * np.array([p[0] + 0.5 * p[1]])

    joint, fitted = fit(2.0137, source=1.0, priors=Equal())
    found, _ = rounded(joint, fitted)
    source, rate = found.coefficients[0]
    assert source == pytest.approx(-rate / 2, abs=1e-6)
