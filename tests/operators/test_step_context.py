"""What steps are told beside the state."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures

from skdyn import AutoregressiveOperator, FNORegressor, io
from skdyn.operators._step_context import as_channels

PRODUCTS = make_pipeline(PolynomialFeatures(2), LinearRegression())
rng = np.random.default_rng(0)


def decays(n_cases=20, n_times=5):
    """States that shrink by a factor of their own in each case: no state tells it."""
    factor = rng.uniform(0.5, 1.5, n_cases)
    start = rng.normal(size=(n_cases, 3))
    return start[:, :, None] * factor[:, None, None] ** np.arange(n_times), factor[:, None]


def driven(n_cases=20, n_times=5, n_points=8):
    """Fields that a force of their own moves: ``(n_cases, 1, n_times, n_points)``."""
    force = rng.normal(size=(n_cases, 1, n_points))
    start = rng.normal(size=(n_cases, 1, 1, n_points))
    return start + force[:, :, None] * np.arange(n_times)[:, None], force


@pytest.mark.parametrize("target", ["state", "change"])
@pytest.mark.parametrize("pushforward", [0, 1])
def test_numbers_of_a_case_set_its_law(target, pushforward):
    X, factor = decays()
    model = AutoregressiveOperator(PRODUCTS, target=target, pushforward=pushforward)
    model.fit(X[:15], context=factor[:15])
    rolled = model.rollout(X[15:, :, 0], 4, context=factor[15:])
    np.testing.assert_allclose(rolled, X[15:, :, 1:], atol=1e-7)
    assert model.score(X[15:], context=factor[15:]) == pytest.approx(1)
    plain = AutoregressiveOperator(PRODUCTS, target=target).fit(X[:15])
    assert plain.score(X[15:]) < 0.99


def test_fields_of_a_case_go_with_its_states():
    X, force = driven()
    model = AutoregressiveOperator(LinearRegression(), n_history=1).fit(X[:15], context=force[:15])
    rolled = model.rollout(X[15:, :, 0], 4, context=force[15:])
    np.testing.assert_allclose(rolled, X[15:, :, 1:], atol=1e-7)


@pytest.mark.parametrize("flat", [False, True])
def test_estimators_of_functions_see_numbers_as_constant_channels(flat, tmp_path):
    X, force = driven()
    X = X[:, 0].swapaxes(1, 2) if flat else X
    network = FNORegressor(hidden_channels=4, n_layers=1, max_iter=2, batch_size="auto")
    told = force[:, 0, :2]
    model = AutoregressiveOperator(network, random_state=0).fit(X, context=told)
    assert model.estimator_.n_features_in_ == 3
    found = model.predict(X[:, :, 0], context=told)
    assert found.shape == X[:, :, 0].shape
    io.save(model, tmp_path / "model")
    again = io.load(tmp_path / "model").predict(X[:, :, 0], context=told)
    np.testing.assert_array_equal(found, again)
    fields = as_channels(told, (8,))
    assert fields.shape == (20, 2, 8)
    assert (fields == told[:, :, None]).all()


def test_context_that_lacks_or_does_not_fit_is_told():
    X, factor = decays()
    model = AutoregressiveOperator(LinearRegression()).fit(X, context=factor)
    with pytest.raises(ValueError, match="was fitted with a context of shape"):
        model.rollout(X[:, :, 0], 2)
    with pytest.raises(ValueError, match="context has 3 rows for 20 cases"):
        model.predict(X[:, :, 0], context=factor[:3])
    with pytest.raises(ValueError, match="in fit it was"):
        model.predict(X[:, :, 0], context=np.ones((20, 2)))
    plain = AutoregressiveOperator(LinearRegression()).fit(X)
    with pytest.raises(ValueError, match="in fit it was None"):
        plain.predict(X[:, :, 0], context=factor)
    with pytest.raises(ValueError, match="on the grid"):
        AutoregressiveOperator(LinearRegression()).fit(X, context=np.ones((20, 1, 5)))
