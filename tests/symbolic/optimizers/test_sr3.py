import numpy as np
import pytest
from sklearn.linear_model import Lasso

from skdyn.symbolic.optimizers import SR3


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    A = rng.normal(size=(80, 6)) @ (np.eye(6) + 0.3 * rng.normal(size=(6, 6)))
    truth = np.where(rng.uniform(size=(3, 6)) < 0.4, rng.normal(size=(3, 6)) * 3, 0.0)
    return A, A @ truth.T + 0.3 * rng.normal(size=(80, 3))


def test_with_l1_it_goes_to_the_lasso_as_fast_as_nu_goes_to_zero(data):
    A, B = data
    lamb = 30.0
    # scikit-learn divides the squares by n_samples.
    lasso = Lasso(alpha=lamb / len(A), fit_intercept=False, tol=1e-12).fit(A, B)
    errors = []
    for nu in (0.01, 0.001):
        model = SR3(nu * lamb, regularizer="l1", nu=nu, max_iter=5000, tol=1e-12, unbias=False)
        errors.append(np.abs(model.fit(A, B).coef_ - lasso.coef_).max())
    np.testing.assert_array_equal(model.coef_ != 0, lasso.coef_ != 0)
    np.testing.assert_allclose(errors[0] / errors[1], 10, rtol=0.2)


def test_hard_thresholding_never_raises_the_objective(data):
    A, B = data
    threshold, nu = 0.5, 0.2
    lamb = threshold**2 / (2 * nu)
    path = SR3(threshold, nu=nu, max_iter=1000, tol=0.0001, unbias=False).fit(A, B).coef_path_
    H = A.T @ A + np.eye(6) / nu
    objective = []
    for U in path:
        W = np.linalg.solve(H, A.T @ B + U.T / nu).T
        fit, distance = np.sum((B - A @ W.T) ** 2), np.sum((W - U) ** 2) / nu
        objective.append((fit + distance) / 2 + lamb * np.count_nonzero(U))
    assert len(objective) > 3
    assert (np.diff(objective) <= 1e-10).all()
    assert objective[-1] < objective[0]


def test_thresholds_may_differ_from_term_to_term(data):
    A, B = data
    threshold = np.full((3, 6), 0.5)
    threshold[0, 2] = 0.0
    model = SR3(threshold).fit(A, B)
    assert model.coef_[0, 2] != 0
    same = SR3(np.full((3, 6), 0.5)).fit(A, B).coef_
    np.testing.assert_array_equal(same, SR3(0.5).fit(A, B).coef_)


@pytest.mark.parametrize(
    ("threshold", "said"),
    [(np.ones(6), r"shape \(6,\).*\(3, 6\)"), (np.full((3, 6), -1.0), "negative")],
)
def test_bad_thresholds_are_refused(threshold, said, data):
    with pytest.raises(ValueError, match=f"threshold has {said}"):
        SR3(threshold).fit(*data)


@pytest.mark.peer
@pytest.mark.parametrize("regularizer", ["l0", "l1"])
@pytest.mark.parametrize("nu", [0.1, 1.0])
@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.filterwarnings("ignore")
def test_coefficients_equal_those_of_pysindy(regularizer, nu, normalize, data):
    pysindy = pytest.importorskip("pysindy", reason="extra 'peer' is not installed")
    threshold = 0.4
    weight = threshold**2 / (2 * nu) if regularizer == "l0" else threshold / nu
    theirs = pysindy.SR3(
        reg_weight_lam=weight, regularizer=regularizer, relax_coeff_nu=nu,
        normalize_columns=normalize,
    )  # fmt: skip
    theirs.fit(*data)
    ours = SR3(
        threshold, regularizer=regularizer, nu=nu, normalize_columns=normalize, unbias=False
    ).fit(*data)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-10)
    np.testing.assert_allclose(ours.coef_path_, theirs.history_[1:], atol=1e-10)
    assert (ours.coef_ == 0).any()
