import numpy as np
import pytest

from skdyn.symbolic.optimizers import FROLS, SSR
from skdyn.symbolic.optimizers._stepwise import information_criterion, nested_fits


def test_nested_fits_are_those_of_least_squares():
    rng = np.random.default_rng(0)
    A, b = rng.normal(size=(30, 5)), rng.normal(size=30)
    order = np.array([3, 0, 4, 1])
    path, squares, rounding = nested_fits(A, b, order)
    assert path.shape == (5, 5)
    for k, coef in enumerate(path):
        columns = order[:k]
        expected = np.linalg.lstsq(A[:, columns], b)[0]
        np.testing.assert_allclose(coef[columns], expected, atol=1e-12)
        np.testing.assert_allclose(squares[k], np.sum((b - A @ coef) ** 2))
    assert (rounding < 1e-20).all()


def test_dependent_columns_are_passed_over():
    rng = np.random.default_rng(1)
    A = rng.normal(size=(30, 4))
    A[:, 2] = A[:, 0] - 2 * A[:, 1]
    path, squares, _ = nested_fits(A, A[:, 3] + A[:, 0], np.arange(4))
    assert len(path) == 4
    assert not path[:, 2].any()
    np.testing.assert_allclose(squares[-1], 0.0, atol=1e-20)


def test_of_more_columns_than_rows_some_fit_exactly():
    rng = np.random.default_rng(2)
    A, b = rng.normal(size=(4, 9)), rng.normal(size=4)
    path, squares, _ = nested_fits(A, b, np.arange(9))
    assert len(path) == 5
    assert squares[-1] < 1e-20


def test_rounding_bounds_the_errors_of_exact_data():
    rng = np.random.default_rng(3)
    A = rng.normal(size=(50, 6)) * 10.0 ** np.arange(6)
    A[:, 5] += A[:, 4] * 1e4
    _, squares, rounding = nested_fits(A, A @ np.ones(6), np.arange(6))
    assert squares[-1] <= rounding[-1]
    assert squares[-2] > rounding[-2]


@pytest.mark.parametrize("criterion", ["aic", "aicc", "bic"])
def test_criteria_are_their_formulas(criterion):
    squares, n = np.array([10.0, 5.0, 4.9]), 20.0
    k = np.arange(3)
    penalty = {"aic": 2 * k, "aicc": 2 * k + 2 * k * (k + 1) / (n - k - 1), "bic": k * np.log(n)}
    np.testing.assert_allclose(
        information_criterion(squares, n, criterion), n * np.log(squares / n) + penalty[criterion]
    )


def test_as_many_terms_as_samples_are_never_best():
    values = information_criterion(np.array([1.0, 1.0, 1.0, 0.0]), 3.0, "bic")
    assert np.isinf(values[2:]).all()
    with pytest.raises(ValueError, match="criterion='ebic'"):
        information_criterion(np.ones(2), 3.0, "ebic")


@pytest.mark.parametrize("cls", [FROLS, SSR])
def test_the_number_of_terms_is_kept_and_the_path_holds_the_others(cls):
    rng = np.random.default_rng(4)
    A, B = rng.normal(size=(40, 6)), rng.normal(size=(40, 2))
    model = cls(n_terms=2).fit(A, B)
    np.testing.assert_array_equal(np.count_nonzero(model.coef_, axis=1), 2)
    np.testing.assert_array_equal(model.coef_path_[2], model.coef_)
    sizes = np.count_nonzero(model.coef_path_, axis=2)
    np.testing.assert_array_equal(sizes, np.repeat(np.arange(7)[:, None], 2, axis=1))
    np.testing.assert_allclose(model.coef_path_[-1], np.linalg.lstsq(A, B)[0].T)
    errors = np.linalg.norm(B - A @ model.coef_path_.transpose(0, 2, 1), axis=1)
    assert (np.diff(errors, axis=0) < 0).all()
    np.testing.assert_array_equal(cls(n_terms=99).fit(A, B).coef_, model.coef_path_[-1])


@pytest.mark.parametrize("cls", [FROLS, SSR])
def test_exact_data_give_exactly_their_terms(cls):
    rng = np.random.default_rng(5)
    A = rng.normal(size=(100, 8)) * 10.0 ** np.arange(8)
    coef = cls().fit(A, A[:, [1, 6]] @ [3.0, -2.0]).coef_
    np.testing.assert_array_equal(np.flatnonzero(coef), [1, 6])
    np.testing.assert_allclose(coef[[1, 6]], [3.0, -2.0])
