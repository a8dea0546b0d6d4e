"""Standard errors of constants are those of a fit by least squares."""

import warnings

import numpy as np
import pytest
from scipy.optimize import curve_fit

from skdyn import NeuralODE, io
from skdyn.neural_ode._standard_errors import _errors

T = np.linspace(0.0, 4.0, 25)
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def cooling(n_cases, noise):
    starts = np.linspace(5.0, 50.0, n_cases)
    X = 20 + (starts[:, None] - 20) * np.exp(-0.7 * T)
    return X + noise * np.random.default_rng(0).normal(size=X.shape)


@pytest.fixture(scope="module")
def fitted():
    X = cooling(3, 1.0)
    law = {"known": ["k (level - x0)"], "parameters": {"k": 0.5, "level": 15.0}}
    return X, NeuralODE((2,), max_iter=20, random_state=0, **law).fit(X[:, None], t=T)


def test_they_are_those_of_the_closed_form(fitted):
    X, model = fitted

    def solution(_, k, level, *starts):
        return (level + (np.array(starts)[:, None] - level) * np.exp(-k * T)).ravel()

    first = [0.5, 15.0, *X[:, 0]]
    found, covariance = curve_fit(solution, None, X.ravel(), p0=first)
    expected = np.sqrt(np.diag(covariance))
    for index, name in enumerate(("k", "level")):
        assert model.parameters_std_[name] == pytest.approx(expected[index], rel=0.2)
        assert abs(model.parameters_[name] - found[index]) < expected[index]


def test_they_are_saved(fitted, tmp_path):
    model = fitted[1]
    io.save(model, tmp_path / "model.skdyn")
    assert io.load(tmp_path / "model.skdyn").parameters_std_ == model.parameters_std_


def test_constants_that_only_their_product_moves_have_no_error_bound():
    X = cooling(2, 0.5)
    law = {"known": ["a b (20 - x0)"], "parameters": {"a": 0.5, "b": 1.0}}
    model = NeuralODE((2,), max_iter=2, random_state=0, **law).fit(X[:, None], t=T)
    assert model.parameters_std_ == {"a": np.inf, "b": np.inf}


def test_channels_count_by_their_noise_and_starts_cost_what_they_explain():
    rng = np.random.default_rng(0)
    J, own = rng.normal(size=(5, 40, 2, 2)), rng.normal(size=(5, 40, 2, 3))
    scales = np.array([0.1, 10.0])
    residual = scales * rng.normal(size=(5, 40, 2))
    whole = np.zeros((5, 40, 2, 2 + 15))
    whole[..., :2] = J
    for case in range(5):
        whole[case, ..., 2 + 3 * case : 5 + 3 * case] = own[case]
    rows = (whole / scales[:, None]).reshape(-1, 17)
    expected = np.sqrt(np.diag(np.linalg.inv(rows.T @ rows)))[:2]
    np.testing.assert_allclose(_errors(J, own, residual), expected, rtol=0.1)
    assert np.isinf(_errors(J[:1, :2], own[:1, :2], residual[:1, :2])).all()


def test_without_formulas_there_are_none():
    with warnings.catch_warnings(action="ignore"):
        model = NeuralODE((2,), max_iter=1, window=2).fit(cooling(1, 0.0).T)
    assert not hasattr(model, "parameters_std_")
