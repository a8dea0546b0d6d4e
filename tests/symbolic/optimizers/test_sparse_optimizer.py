"""What all sparse linear regressors have in common."""

import warnings

import numpy as np
import pytest
import scipy.stats
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Lasso
from sklearn.model_selection import GridSearchCV

from skdyn.symbolic import optimizers
from skdyn.symbolic.optimizers import MIOSR, SR3, SSR, STLSQ, EnsembleOptimizer
from skdyn.symbolic.optimizers._sparse_optimizer import (
    compressed,
    fit_support,
    least_squares,
    with_ridge,
)

TRUTH = np.zeros((2, 8))
TRUTH[0, [1, 4]] = 2.0, -1.5
TRUTH[1, [0, 6, 7]] = 1.0, -3.0, 0.8
POWERS = np.tile(np.eye(2, dtype=int), (4, 1))  # all linear: nothing for TrappingSR3 to constrain


def optimizer(name):
    """The optimizer with what it must be told."""
    given = {
        "MIOSR": {"n_terms": 3},
        "TrappingSR3": {"powers": POWERS},
        "EnsembleOptimizer": {"random_state": 0},
    }
    return getattr(optimizers, name)(**given.get(name, {}))


every_optimizer = pytest.mark.parametrize("name", optimizers.__all__)
DETERMINISTIC = [name for name in optimizers.__all__ if name != "EnsembleOptimizer"]


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    A = rng.normal(size=(120, 8))
    return A, A @ TRUTH.T + 0.02 * rng.normal(size=(120, 2))


# -- laws -----------------------------------------------------------------------------------------


@every_optimizer
def test_the_terms_of_noisy_sparse_equations_are_found(name, data):
    model = optimizer(name).fit(*data)
    if name == "MIOSR":  # as many terms as allowed
        model = MIOSR(n_terms=2).fit(data[0], data[1][:, 0])
        np.testing.assert_array_equal(model.coef_ != 0, TRUTH[0] != 0)
        model = MIOSR(n_terms=3).fit(*data)
        np.testing.assert_array_equal(model.coef_[1] != 0, TRUTH[1] != 0)
    else:
        np.testing.assert_array_equal(model.coef_ != 0, TRUTH != 0)
        np.testing.assert_allclose(model.coef_, TRUTH, atol=0.02)
    assert model.coef_path_.shape[1:] == TRUTH.shape
    assert model.n_iter_ >= 1
    assert model.score(*data) > 0.99


@every_optimizer
def test_permuted_columns_give_permuted_coefficients(name, data):
    A, B = data
    order = np.random.default_rng(1).permutation(8)
    model = optimizer(name)
    moved = optimizer(name)
    if name == "TrappingSR3":
        moved.set_params(powers=POWERS[order])
    np.testing.assert_allclose(
        moved.fit(A[:, order], B).coef_, model.fit(A, B).coef_[:, order], atol=1e-10
    )


@pytest.mark.parametrize("name", DETERMINISTIC)
def test_rotated_rows_give_the_same_coefficients(name, data):
    A, B = data
    Q = scipy.stats.ortho_group.rvs(len(A), random_state=0)
    expected = optimizer(name).fit(A, B).coef_
    np.testing.assert_allclose(optimizer(name).fit(Q @ A, Q @ B).coef_, expected, atol=1e-10)


@pytest.mark.parametrize("name", DETERMINISTIC)
def test_whole_weights_count_as_repeats(name, data):
    A, B = data
    weight = np.random.default_rng(2).integers(0, 4, size=len(A))
    weighted = optimizer(name).fit(A, B, sample_weight=weight)
    repeated = optimizer(name).fit(A.repeat(weight, axis=0), B.repeat(weight, axis=0))
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, atol=1e-10)
    assert np.abs(weighted.coef_ - optimizer(name).fit(A, B).coef_).max() > 1e-6


@pytest.mark.parametrize(
    "name", [n for n in DETERMINISTIC if hasattr(optimizer(n), "normalize_columns")] + ["FROLS"]
)
def test_rescaled_columns_give_rescaled_coefficients_when_normalised(name, data):
    A, B = data
    scale = 10.0 ** np.arange(-3, 5)
    model = optimizer(name)
    if name != "FROLS":
        model.set_params(normalize_columns=True)
    expected = clone(model).fit(A, B)
    rescaled = clone(model).fit(A * scale, B)
    np.testing.assert_allclose(rescaled.coef_ * scale, expected.coef_, atol=1e-8)
    np.testing.assert_allclose(rescaled.coef_path_ * scale, expected.coef_path_, atol=1e-8)


@every_optimizer
def test_one_target_is_a_column_of_several(name, data):
    A, B = data
    model = optimizer(name)
    if name == "TrappingSR3":
        model.set_params(powers=np.ones((8, 1)))
    one = clone(model).fit(A, B[:, 1])
    column = clone(model).fit(A, B[:, 1:])
    assert one.coef_.shape == (8,)
    assert column.coef_.shape == (1, 8)
    assert one.predict(A).shape == (120,)
    assert column.predict(A).shape == (120, 1)
    np.testing.assert_array_equal(one.coef_, column.coef_[0])


@every_optimizer
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_dependent_columns_and_few_rows_give_finite_coefficients(name):
    rng = np.random.default_rng(3)
    A = np.tile(rng.normal(size=(30, 4)), 2)
    A[:, 3] = 0.0
    B = A[:, :2] + A[:, 1:3]
    for rows in (30, 5):
        model = optimizer(name).fit(A[:rows], B[:rows])
        assert np.isfinite(model.coef_).all()
        np.testing.assert_allclose(model.predict(A[:rows]), B[:rows], atol=0.05)


@pytest.mark.parametrize("name", ["STLSQ", "SR3", "ConstrainedSR3", "TrappingSR3"])
def test_an_equation_left_without_terms_names_the_threshold(name, data):
    model = optimizer(name).set_params(threshold=2.5)
    with pytest.warns(ConvergenceWarning, match=r"target\(s\) \[0\].*threshold=2.5"):
        model.fit(*data)
    assert not model.coef_[0].any()
    assert model.coef_[1].any()


def test_a_target_of_zeros_needs_no_warning(data):
    with warnings.catch_warnings(action="error"):
        coef = STLSQ().fit(data[0], np.zeros(120)).coef_
    assert not coef.any()


@pytest.mark.parametrize(
    ("model", "said"),
    [(STLSQ(max_iter=1), "still being dropped"), (SR3(max_iter=1, nu=10.0), "still changed")],
)
def test_a_fit_cut_short_says_so(model, said, data):
    with pytest.warns(ConvergenceWarning, match=f"{said}.* max_iter=1 ") as caught:
        model.fit(*data)
    assert caught[0].filename == __file__


def test_linear_models_of_scikit_learn_take_the_same_place(data):
    lasso = Lasso(alpha=0.05, fit_intercept=False)
    np.testing.assert_array_equal(lasso.fit(*data).coef_ != 0, TRUTH != 0)
    model = EnsembleOptimizer(lasso, random_state=0).fit(*data)
    np.testing.assert_array_equal(model.coef_ != 0, TRUTH != 0)


def test_parameters_are_searched(data):
    search = GridSearchCV(
        EnsembleOptimizer(STLSQ(), n_models=3, random_state=0),
        {"sparse_optimizer__threshold": [0.1, 2.5]}, cv=2,
    )  # fmt: skip
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        search.fit(*data)
    assert search.best_params_ == {"sparse_optimizer__threshold": 0.1}


# -- the pieces -----------------------------------------------------------------------------------


@pytest.mark.parametrize("n_rows", [5, 300, 5000])
def test_compressed_rows_tell_every_error(n_rows):
    rng = np.random.default_rng(4)
    A, B = rng.normal(size=(n_rows, 6)), rng.normal(size=(n_rows, 2))
    few, targets = compressed(A, B)
    assert len(few) == len(targets) == min(n_rows, 8)
    for coef in rng.normal(size=(5, 6, 2)):
        np.testing.assert_allclose(
            np.linalg.norm(few @ coef - targets, axis=0),
            np.linalg.norm(A @ coef - B, axis=0),
        )


def test_ridge_rows_give_ridge_regression():
    rng = np.random.default_rng(5)
    A, B = rng.normal(size=(9, 3)), rng.normal(size=(9, 2))
    expected = np.linalg.solve(A.T @ A + 0.7 * np.eye(3), A.T @ B)
    np.testing.assert_allclose(least_squares(*with_ridge(A, B, 0.7)), expected)


def test_a_support_is_fitted_by_its_own_columns():
    rng = np.random.default_rng(6)
    A, B = rng.normal(size=(20, 4)), rng.normal(size=(20, 3))
    support = np.array([[1, 0, 1, 0], [1, 1, 1, 1], [0, 0, 0, 0]], dtype=bool)
    coef = fit_support(A, B, support)
    for target, columns in enumerate(support):
        residual = B[:, target] - A @ coef[target]
        np.testing.assert_allclose(residual @ A[:, columns], 0.0, atol=1e-12)
        assert not coef[target, ~columns].any()


def test_badly_conditioned_columns_keep_their_digits():
    # Normal equations would square the condition, 1e8, and lose all digits.
    rng = np.random.default_rng(7)
    A = rng.normal(size=(3000, 5))
    A[:, 4] = A[:, 3] + 1e-8 * A[:, 4]
    truth = np.array([1.0, -2.0, 3.0, 4.0, 5.0])
    coef = STLSQ(alpha=0.0).fit(A, A @ truth).coef_
    np.testing.assert_allclose(coef, truth, rtol=1e-6)


def test_ssr_needs_no_scale_when_it_looks_at_errors(data):
    A, B = data
    scale = 10.0 ** np.arange(-3, 5)
    expected = SSR(elimination="residual").fit(A, B).coef_
    np.testing.assert_allclose(SSR().fit(A * scale, B).coef_ * scale, expected, atol=1e-8)
