import numpy as np
import pytest
from sklearn.datasets import load_diabetes, make_friedman1
from sklearn.linear_model import LinearRegression

from skdyn import NeuralODERegressor

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_it_learns_what_a_linear_model_cannot():
    X, y = make_friedman1(300, noise=0.5, random_state=0)
    settings = {"solver": "rk4", "alpha": 2.0, "max_iter": 60, "random_state": 0}
    model = NeuralODERegressor(**settings).fit(X[:200], y[:200])
    linear = LinearRegression().fit(X[:200], y[:200])
    assert model.score(X[200:], y[200:]) > linear.score(X[200:], y[200:]) + 0.1


def test_augmentation_lets_one_dimension_turn_round():
    # x -> -x cannot be the time-1 map of a flow on the line followed by a positive readout of
    # nothing but the sign; |x| is not injective, so no flow on the line represents it at all.
    X = np.linspace(-1, 1, 60)[:, None]
    y = np.abs(X[:, 0])
    settings = {"random_state": 0, "max_iter": 100, "alpha": 0.0, "learning_rate": 0.03}
    flat = NeuralODERegressor(augment_dim=0, **settings).fit(X, y).score(X, y)
    augmented = NeuralODERegressor(augment_dim=4, **settings).fit(X, y).score(X, y)
    assert augmented > 0.95 > 0.6 > flat


@pytest.mark.parametrize("optimizer", ["adamw", "lbfgs"])
def test_other_optimisers_learn_too(optimizer):
    X, y = make_friedman1(100, noise=0.1, random_state=0)
    model = NeuralODERegressor(
        (8,), optimizer=optimizer, max_iter=5 if optimizer == "lbfgs" else 40, random_state=0,
        solver="rk4",
    )  # fmt: skip
    assert model.fit(X, y).score(X, y) > 0.6


@pytest.mark.parametrize("adjoint", ["checkpoint", "continuous"])
def test_other_adjoints_train_the_same_model(adjoint):
    X, y = make_friedman1(50, random_state=0)
    settings = {"max_iter": 3, "tol": 0, "random_state": 0, "rtol": 1e-6, "atol": 1e-7}
    discrete = NeuralODERegressor((8,), **settings).fit(X, y).predict(X)
    other = NeuralODERegressor((8,), adjoint=adjoint, **settings).fit(X, y).predict(X)
    np.testing.assert_allclose(other, discrete, rtol=1e-3)


@pytest.mark.slow
def test_defaults_are_not_far_from_a_good_linear_model_on_few_noisy_rows():
    X, y = load_diabetes(return_X_y=True)
    model = NeuralODERegressor(random_state=0).fit(X[:295], y[:295])
    assert model.score(X[295:], y[295:]) > 0.4
