"""What all ways to differentiate have in common."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.preprocessing import PolynomialFeatures

from skdyn.symbolic.differentiation import (
    FiniteDifference,
    IntegralForm,
    SmoothedFiniteDifference,
    SpectralDerivative,
    SplineDerivative,
    TotalVariation,
    WeakForm,
)

ANY_TIMES = [
    FiniteDifference(),
    FiniteDifference(order=5),
    SmoothedFiniteDifference(),
    SplineDerivative(),
    SplineDerivative(smoothing="gcv", degree=3),
    SplineDerivative(smoothing=0),
    TotalVariation(),
    TotalVariation(smoothing=1e-4),
    WeakForm(),
    IntegralForm(),
    IntegralForm(width=None),
]
REGULAR = [SpectralDerivative(), SpectralDerivative(periodic=True, cutoff=0.5)]
LIBRARY = PolynomialFeatures(2).fit(np.zeros((1, 2)))


def noisy_curve(differentiator, n=60):
    rng = np.random.default_rng(0)
    t = np.linspace(0, 6, n)
    if differentiator not in REGULAR:
        t[1:-1] += 0.04 * rng.uniform(-1, 1, n - 2)
    X = np.stack([np.sin(t), np.cos(2 * t) + t], axis=1)
    return X + 0.05 * rng.standard_normal(X.shape), t


@pytest.mark.parametrize("differentiator", ANY_TIMES + REGULAR, ids=str)
def test_other_units_change_nothing_but_the_units(differentiator):
    X, t = noisy_curve(differentiator)
    smooth, derivative = differentiator.differentiate(X, t)
    again = differentiator.differentiate(8 * X, 4 * t + 16)
    np.testing.assert_allclose(again.smooth, 8 * smooth, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(again.derivative, 2 * derivative, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("differentiator", ANY_TIMES + REGULAR, ids=str)
def test_a_feature_is_differentiated_without_regard_to_the_others(differentiator):
    X, t = noisy_curve(differentiator)
    both = differentiator.differentiate(X, t)
    alone = differentiator.differentiate(X[:, 1:], t)
    np.testing.assert_allclose(alone.derivative, both.derivative[:, 1:], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("differentiator", ANY_TIMES + REGULAR, ids=str)
def test_a_constant_does_not_move(differentiator):
    _, t = noisy_curve(differentiator)
    smooth, derivative = differentiator.differentiate(np.full((len(t), 1), 3.0), t)
    np.testing.assert_allclose(smooth, 3.0, rtol=1e-9)
    np.testing.assert_allclose(derivative, 0.0, atol=1e-9)


@pytest.mark.parametrize("differentiator", ANY_TIMES, ids=str)
def test_the_system_holds_for_the_true_dynamics_of_a_line(differentiator):
    t = np.linspace(0, 3, 40) ** 2
    X = np.stack([2 * t + 1, -t], axis=1)
    A, B = differentiator.system(LIBRARY, X, t)
    coef = np.zeros((2, A.shape[1]))
    coef[:, 0] = 2, -1
    np.testing.assert_allclose(A @ coef.T, B, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("differentiator", ANY_TIMES, ids=str)
def test_controls_are_further_inputs_of_the_library(differentiator):
    X, t = noisy_curve(differentiator)
    u = np.sin(t)
    library = PolynomialFeatures(1).fit(np.zeros((1, 3)))
    A, B = differentiator.system(library, X, t, u)
    in_a_column, _ = differentiator.system(library, X, t, u[:, None])
    plain, same = differentiator.system(PolynomialFeatures(1).fit(X), X, t)
    np.testing.assert_array_equal(A, in_a_column)
    np.testing.assert_allclose(A[:, :3], plain, rtol=1e-12)
    np.testing.assert_array_equal(B, same)


def test_the_system_is_made_of_smooth_states_and_derivatives():
    X, t = noisy_curve(SplineDerivative())
    A, B = SplineDerivative().system(LIBRARY, X, t)
    smooth, derivative = SplineDerivative().differentiate(X, t)
    np.testing.assert_array_equal(A, LIBRARY.transform(smooth))
    np.testing.assert_array_equal(B, derivative)


@pytest.mark.parametrize("differentiator", ANY_TIMES + REGULAR, ids=str)
def test_copies_answer_alike(differentiator):
    X, t = noisy_curve(differentiator)
    expected = differentiator.differentiate(X, t).derivative
    for copy in (clone(differentiator), pickle.loads(pickle.dumps(differentiator))):
        np.testing.assert_array_equal(copy.differentiate(X, t).derivative, expected)


@pytest.mark.parametrize(
    ("differentiator", "needed"),
    [
        (FiniteDifference(order=4), 5),
        (FiniteDifference(order=2), 3),
        (SmoothedFiniteDifference(window_length=7), 7),
        (SplineDerivative(degree=3), 4),
        (SpectralDerivative(), 7),
        (TotalVariation(), 5),
        (WeakForm(), 9),
        (IntegralForm(), 4),
    ],
    ids=str,
)
def test_too_few_points_are_counted_in_the_error(differentiator, needed):
    t = np.arange(needed, dtype=float)
    X = np.sin(t)[:, None]
    library = PolynomialFeatures(1).fit(X)
    with pytest.raises(ValueError, match=f"needs at least {needed} time points.* has {needed - 1}"):
        differentiator.differentiate(X[:-1], t[:-1])
    with pytest.raises(ValueError, match=f"{type(differentiator).__name__}.* needs at least"):
        differentiator.system(library, X[:-1], t[:-1])
    A, B = differentiator.system(library, X, t)
    assert np.isfinite(A).all()
    assert np.isfinite(B).all()


@pytest.mark.parametrize("times", [[0.0, 1.0, 1.0, 2.0], [0.0, 2.0, 1.0, 3.0]])
def test_times_that_do_not_increase_are_named(times):
    with pytest.raises(ValueError, match=r"t\[2\] = 1 follows t\[1\]"):
        FiniteDifference().differentiate(np.zeros((4, 1)), times)


def test_rows_must_match():
    X, t = noisy_curve(FiniteDifference())
    with pytest.raises(ValueError, match="one time for each of the 60 rows"):
        FiniteDifference().differentiate(X, t[1:])
    with pytest.raises(ValueError, match="u must have one row for each of the 60 rows"):
        FiniteDifference().system(LIBRARY, X, t, u=np.zeros((59, 1)))


def test_missing_values_and_wrong_parameters_are_refused():
    X, t = noisy_curve(FiniteDifference())
    with pytest.raises(ValueError, match="'order' parameter of FiniteDifference"):
        FiniteDifference(order=0).differentiate(X, t)
    X[3, 1] = np.nan
    with pytest.raises(ValueError, match="X contains NaN"):
        FiniteDifference().differentiate(X, t)
