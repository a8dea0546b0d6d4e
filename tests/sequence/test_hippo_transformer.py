"""HiPPO's coefficients: they obey its differential equations, and give the series back."""

import numpy as np
import pytest
from numpy.polynomial.legendre import legval
from scipy.integrate import solve_ivp

from skdyn import HiPPOTransformer

N = 6
ROOTS = np.sqrt(2 * np.arange(N) + 1)
PRODUCTS = np.outer(ROOTS, ROOTS)
LEGS = np.tril(PRODUCTS, -1) + np.diag(np.arange(N) + 1.0)
SIGNS = (-1.0) ** np.subtract.outer(np.arange(N), np.arange(N))
LEGT = np.where(np.tri(N, dtype=bool), PRODUCTS, PRODUCTS * SIGNS)


def coefficients(x, t, **parameters):
    return HiPPOTransformer(N, **parameters).fit_transform(x[None, None], t=t)[0]


@pytest.fixture
def series():
    rng = np.random.default_rng(0)
    return rng.normal(size=9).cumsum(), np.r_[0.0, rng.uniform(0.2, 2.0, 8).cumsum()]


def test_the_whole_history_obeys_legs_from_one_point_to_the_next(series):
    x, t = series
    k = 5
    start, end = coefficients(x[:k], t[:k]), coefficients(x[: k + 1], t[: k + 1])
    solved = solve_ivp(
        lambda s, c: (ROOTS * np.interp(s, t, x) - LEGS @ c) / s,
        (t[k - 1], t[k]), start, rtol=1e-12, atol=1e-13, method="DOP853",
    )  # fmt: skip
    np.testing.assert_allclose(end, solved.y[:, -1], atol=1e-10)


def test_bilinear_steps_come_nearer_to_it_as_the_mesh_becomes_finer():
    errors = []
    for size in (100, 1000):
        t = np.linspace(0, 1, size + 1)
        x, c = np.sin(7 * t), np.zeros(N)
        for k in range(1, size + 1):
            step = LEGS / (2 * k)
            right = (np.eye(N) - LEGS / (2 * k)) @ c + ROOTS * x[k] / k
            c = np.linalg.solve(np.eye(N) + step, right)
        errors.append(np.abs(c - coefficients(x, t)).max())
    assert errors[1] < errors[0] / 5


def test_a_window_on_a_line_obeys_legt():
    t = np.linspace(0, 12, 40) ** 1.2
    window = {"measure": "legt", "window": 2.5}
    line = coefficients(t, t, **window)
    slope = (ROOTS * t[-1] - LEGT @ line) / 2.5
    np.testing.assert_allclose(slope, np.eye(N)[0], atol=1e-10)  # it moves on by one


@pytest.mark.parametrize(
    ("parameters", "length"), [({}, 8.0), ({"measure": "legt", "window": 3.0}, 3.0)]
)
def test_polynomials_come_back_from_their_coefficients(parameters, length):
    t = np.linspace(1, 3, 2001) ** 2
    x = 0.3 * (t - 4) ** 3 - t
    found = coefficients(x, t, **parameters)
    u = np.linspace(0, 1, 20)
    back = legval(2 * u - 1, found * ROOTS)
    np.testing.assert_allclose(back, np.interp(9 - length * (1 - u), t, x), atol=1e-3)


def test_speed_does_not_matter_to_the_whole_history_but_to_a_window(series):
    x, t = series
    np.testing.assert_allclose(coefficients(x, 3 * t), coefficients(x, t), atol=1e-12)
    window = {"measure": "legt", "window": 2.0}
    assert not np.allclose(coefficients(x, 3 * t, **window), coefficients(x, t, **window))


def test_a_window_longer_than_the_series_begins_with_its_first_value(series):
    x, t = series
    held, since = np.r_[x[0], x], np.r_[-3.0, t]
    window = {"measure": "legt", "window": t[-1] + 3.0}
    np.testing.assert_allclose(coefficients(x, t, **window), coefficients(held, since), atol=1e-12)


def test_cases_with_times_of_their_own_are_those_of_each_alone(series):
    x, t = series
    model = HiPPOTransformer(N).fit([x[None], x[None, :4]], t=[t, t[:4]])
    both = model.transform([x[None], x[None, :4]], t=[t, t[:4]])
    np.testing.assert_allclose(both[0], coefficients(x, t), atol=1e-12)
    np.testing.assert_allclose(both[1], coefficients(x[:4], t[:4]), atol=1e-12)
    assert model.get_feature_names_out()[:2].tolist() == ["c0(x0)", "c1(x0)"]
