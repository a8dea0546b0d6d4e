import numpy as np
import pytest

from skdyn.symbolic.optimizers import STLSQ


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    A = rng.normal(size=(80, 6)) @ (np.eye(6) + 0.3 * rng.normal(size=(6, 6)))
    truth = np.where(rng.uniform(size=(3, 6)) < 0.4, rng.normal(size=(3, 6)) * 3, 0.0)
    return A, A @ truth.T + 0.3 * rng.normal(size=(80, 3))


def test_without_threshold_and_penalty_it_is_least_squares(data):
    A, B = data
    model = STLSQ(threshold=0.0, alpha=0.0).fit(A, B)
    np.testing.assert_allclose(model.coef_, np.linalg.lstsq(A, B)[0].T)
    assert model.n_iter_ == 1


def test_the_answer_is_a_fixed_point_of_its_own_rule(data):
    A, B = data
    model = STLSQ(threshold=0.8, alpha=2.0, unbias=False).fit(A, B)
    for coef, b in zip(model.coef_, B.T):
        S = coef != 0
        gram = A[:, S].T @ A[:, S] + 2.0 * np.eye(S.sum())
        np.testing.assert_allclose(coef[S], np.linalg.solve(gram, A[:, S].T @ b))
        assert (np.abs(coef[S]) >= 0.8).all()
    assert (model.coef_ == 0).any()


def test_dropped_terms_stay_away_along_the_path(data):
    path = STLSQ(threshold=0.8).fit(*data).coef_path_
    assert len(path) > 1
    assert not path[1:][path[:-1] == 0].any()


def test_unbiasing_ends_with_least_squares_on_the_support(data):
    A, B = data
    biased = STLSQ(threshold=0.5, alpha=5.0, unbias=False).fit(A, B)
    model = STLSQ(threshold=0.5, alpha=5.0).fit(A, B)
    np.testing.assert_array_equal(model.coef_ != 0, biased.coef_ != 0)
    residual = B - model.predict(A)
    np.testing.assert_allclose((A.T @ residual).T[model.coef_ != 0], 0.0, atol=1e-10)
    assert np.linalg.norm(residual) < np.linalg.norm(B - biased.predict(A))


@pytest.mark.peer
@pytest.mark.parametrize("settings", [
    {}, {"threshold": 0.8}, {"threshold": 0.8, "alpha": 0.0}, {"threshold": 0.5, "alpha": 10.0},
    {"threshold": 3.0, "normalize_columns": True}, {"threshold": 0.8, "unbias": False},
    {"threshold": 0.8, "max_iter": 1},
])  # fmt: skip
@pytest.mark.filterwarnings("ignore")
def test_coefficients_equal_those_of_pysindy(settings, data):
    pysindy = pytest.importorskip("pysindy", reason="extra 'peer' is not installed")
    theirs = pysindy.STLSQ(**settings)
    theirs.fit(*data)
    ours = STLSQ(**settings).fit(*data)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-10)
    np.testing.assert_allclose(ours.coef_path_, theirs.history_[1:], atol=1e-10)


def test_what_falls_below_the_threshold_without_the_penalty_is_left_out():
    """The penalty gives twins half the coefficient each; without it noise tells them apart."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    A = np.stack([x, x + 0.05 * rng.normal(size=200), rng.normal(size=200)], axis=1)
    b = x + A[:, 2] + 0.05 * rng.normal(size=200)
    twins = STLSQ(0.3, alpha=5.0, unbias=False).fit(A, b).coef_
    assert (twins[:2] > 0.3).all()
    np.testing.assert_allclose(STLSQ(0.3, alpha=5.0).fit(A, b).coef_, [1, 0, 1], atol=0.02)
