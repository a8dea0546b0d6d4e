"""The weak form: exact where it can be, equal to the strong one on smooth data, robust to noise."""

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp
from sklearn.preprocessing import FunctionTransformer, PolynomialFeatures

from skdyn.symbolic.differentiation import FiniteDifference, SplineDerivative, WeakForm

ITSELF = FunctionTransformer()
LIBRARY = PolynomialFeatures(2, include_bias=False).fit(np.zeros((1, 2)))
TRUE = np.array([[1.5, 0, 0, -1, 0], [0, -3, 0, 1, 0]])


def observe(field, x0, end, n, noise, dropped, seed):
    rng = np.random.default_rng(seed)
    t = np.linspace(0, end, n)
    t = t[np.sort(rng.choice(n, round(n * (1 - dropped)), replace=False))]
    X = solve_ivp(lambda _, x: field(*x), (0, end), x0, t_eval=t, rtol=1e-9, atol=1e-10).y.T
    return X + noise * X.std(axis=0) * rng.standard_normal(X.shape), t


def predators_and_prey(n=400, noise=0.0, dropped=0.0, seed=0):
    return observe(
        lambda x, y: [1.5 * x - x * y, x * y - 3 * y], [3, 1], 10, n, noise, dropped, seed
    )


def pendulum(n, noise, dropped, seed):
    return observe(
        lambda x, v: [v, -2 * x + 0.3 * x**3 - 0.3 * v], [2, 0], 20, n, noise, dropped, seed
    )


def coefficients(method, X, t):
    A, B = method.system(LIBRARY, X, t)
    return np.linalg.lstsq(A, B, rcond=None)[0].T


@pytest.mark.parametrize("degree", [3, 8])
def test_rows_are_weighted_averages_over_windows(degree):
    t = np.linspace(0, 2, 41)
    X = (t**3 - t)[:, None]
    A, B = WeakForm(3, width=1.0, degree=degree).system(ITSELF, X, t)
    for row, center in enumerate([0.5, 1.0, 1.5]):
        bump = lambda s, c=center: (1 - ((s - c) / 0.5) ** 2) ** degree  # noqa: E731
        ends = center - 0.5, center + 0.5
        mass = quad(bump, *ends)[0]
        state = quad(lambda s, psi=bump: psi(s) * (s**3 - s), *ends)[0] / mass
        slope = quad(lambda s, psi=bump: psi(s) * (3 * s**2 - 1), *ends)[0] / mass
        assert A[row, 0] == pytest.approx(state, abs=1e-8)
        assert B[row, 0] == pytest.approx(slope, abs=1e-8)


@pytest.mark.parametrize("degree", [2, 5, 8])
def test_polynomials_up_to_the_third_degree_satisfy_it_on_irregular_times(degree):
    t = np.sort(np.random.default_rng(0).uniform(0, 3, 80))
    X = np.stack([t**2 - t, t**3], axis=1)
    slopes = FunctionTransformer(lambda X: np.stack([2 * t - 1, 3 * t**2], axis=1))
    A, B = WeakForm(degree=degree).system(slopes, X, t)
    np.testing.assert_allclose(A, B, atol=1e-7)


@pytest.mark.parametrize("dropped", [0, 0.5])
def test_on_smooth_data_it_equals_the_strong_form(dropped):
    X, t = predators_and_prey(dropped=dropped)
    weak, strong = (coefficients(method, X, t) for method in (WeakForm(), SplineDerivative(0)))
    np.testing.assert_allclose(weak, strong, atol=0.01)
    np.testing.assert_allclose(weak, TRUE, atol=1e-5 if dropped == 0 else 0.01)


def test_the_error_falls_with_the_fourth_power_of_irregular_steps():
    rotation = FunctionTransformer(lambda X: X[:, ::-1] * [1, -1])
    errors = []
    for n in (101, 201):
        t = np.linspace(0, 10, n)
        t = t + 0.3 * t[1] * np.sin(2.0 * np.arange(n)) * (t * (10 - t) > 0)
        X = np.stack([np.sin(t), np.cos(t)], axis=1)
        A, B = WeakForm(50, width=2.0).system(rotation, X, t)
        errors.append(abs(A - B).max())
    assert errors[0] / errors[1] == pytest.approx(16, rel=0.5)


@pytest.mark.parametrize("dropped", [0, 0.5])
def test_noise_does_less_harm_than_to_differences(dropped):
    library = FunctionTransformer(lambda X: np.column_stack([X, X**3]))
    true = np.array([[0, 1, 0, 0], [-2, -0.3, 0.3, 0]])
    errors = {WeakForm(): [], FiniteDifference(): []}
    for seed in range(8):
        X, t = pendulum(400, 0.05, dropped, seed)
        for method, found in errors.items():
            A, B = method.system(library, X, t)
            found.append(np.linalg.norm(np.linalg.lstsq(A, B, rcond=None)[0].T - true))
    weak, differences = (np.median(found) for found in errors.values())
    assert weak < 0.5 * differences


def test_more_windows_than_asked_for_are_not_made():
    X, t = predators_and_prey(100)
    assert len(WeakForm(17).system(LIBRARY, X, t)[0]) == 17
    assert len(WeakForm().system(LIBRARY, X, t)[0]) == 100


def test_windows_over_a_gap_are_left_out():
    X, t = predators_and_prey(400)
    gap = (t < 3) | (t > 6)
    A, B = WeakForm(100, width=2.0).system(LIBRARY, X[gap], t[gap])
    centers = np.linspace(1, 9, 100)
    assert len(A) == ((centers < 2) | (centers > 7)).sum()
    np.testing.assert_allclose(A @ TRUE.T, B, atol=1e-4)
    near = gap & (t > 2) & (t < 7)
    with pytest.raises(ValueError, match="has a gap longer than half of it, 2"):
        WeakForm(5, width=4.0).system(LIBRARY, X[near], t[near])


def test_derivatives_at_points_are_those_of_the_spline():
    X, t = predators_and_prey(100, 0.05)
    expected = SplineDerivative().differentiate(X, t)
    found = WeakForm().differentiate(X, t)
    np.testing.assert_array_equal(found.smooth, expected.smooth)
    np.testing.assert_array_equal(found.derivative, expected.derivative)


@pytest.mark.parametrize("width", [0.1, 20.0])
def test_widths_that_hold_too_little_or_too_much_are_refused(width):
    X, t = predators_and_prey(100)
    with pytest.raises(ValueError, match=f"width={width:g} must lie between"):
        WeakForm(width=width).system(LIBRARY, X, t)
