"""Deep operator networks: linear operators, bases, several inputs, sensors."""

import numpy as np
import pytest
from sklearn.decomposition import PCA

from skdyn import DeepONetRegressor
from skdyn.datasets import make_antiderivative, make_gaussian_random_field
from skdyn.metrics import relative_l2_error

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
small = {
    "n_basis": 12, "hidden_layer_sizes": (32,), "random_state": 0, "learning_rate": 0.01,
    "batch_size": "auto",
}  # fmt: skip


@pytest.fixture(scope="module")
def antiderivative():
    return make_antiderivative(120, 24, n_modes=8, random_state=0)


def test_a_linear_operator_is_recovered_among_principal_components(antiderivative):
    X, y = antiderivative
    model = DeepONetRegressor(
        "pod", branch="linear", optimizer="lbfgs", max_iter=8, alpha=1e-8, **small
    ).fit(X[:100], y[:100])
    assert relative_l2_error(y[100:], model.predict(X[100:])) < 0.03


def test_answers_lie_among_the_principal_components_of_the_targets(antiderivative):
    X, y = antiderivative
    model = DeepONetRegressor("pod", max_iter=3, **small | {"n_basis": 3}).fit(X, y)
    components = PCA(3).fit(y)
    found = model.predict(X[:5])
    again = components.inverse_transform(components.transform(found))
    np.testing.assert_allclose(found, again, atol=1e-5)


def test_a_product_of_two_inputs_is_learnt_by_the_product_of_branches():
    fields = make_gaussian_random_field(240, 8, n_modes=2, random_state=0)
    X = np.stack([fields[:120], fields[120:]], axis=1)
    y = X[:, 0].mean(axis=1)[:, None] * X[:, 1]
    model = DeepONetRegressor(
        "trunk", branch="linear", merge="product", optimizer="lbfgs", max_iter=10, alpha=1e-6,
        **small,
    ).fit(X[:100], y[:100])  # fmt: skip
    assert relative_l2_error(y[100:], model.predict(X[100:])) < 0.1


def test_a_linear_operator_is_recovered_by_the_trunk_on_any_grid(antiderivative):
    X, y = antiderivative
    model = DeepONetRegressor(
        branch="linear", optimizer="lbfgs", max_iter=12, alpha=1e-8, resolution="native", **small
    ).fit(X[:100], y[:100])
    fine = make_antiderivative(120, 47, n_modes=8, random_state=0)[1]
    found = model.predict(X[100:], grid=47)
    np.testing.assert_allclose(found[:, ::2], model.predict(X[100:]), atol=1e-5)
    assert relative_l2_error(y[100:], model.predict(X[100:])) < 0.03
    assert relative_l2_error(fine[100:], found) < 0.05
    with pytest.raises(ValueError, match=r"grid \(47,\), but the sensors .* grid \(24,\)"):
        model.predict(np.ones((2, 1, 47)))


@pytest.mark.parametrize("basis", ["trunk", "pod"])
def test_other_grids_are_resampled(basis, antiderivative):
    X, y = antiderivative
    model = DeepONetRegressor(basis, max_iter=2, **small).fit(X, y)
    assert model.predict(np.ones((2, 1, 40))).shape == (2, 40)
    assert model.predict(X[:2], grid=10).shape == (2, 10)
    assert DeepONetRegressor(basis, max_iter=2, **small).fit(X, y[:, ::4]).predict(X).shape[1] == 6


@pytest.mark.parametrize("basis", ["trunk", "pod"])
def test_axes_may_differ_and_answers_be_numbers(basis, antiderivative):
    X, y = antiderivative
    planes = y.reshape(120, 1, 4, 6)
    model = DeepONetRegressor(basis, max_iter=2, **small).fit(X, planes)
    assert model.predict(X).shape == planes.shape
    numbers = DeepONetRegressor(basis, max_iter=30, **small).fit(X, y.mean(axis=1))
    assert numbers.score(X, y.mean(axis=1)) > 0.8


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"basis": "fourier"}, "The 'basis' parameter"),
        ({"hidden_layer_sizes": (8, 0)}, r"hidden_layer_sizes must be positive .*got \(8, 0\)"),
        ({"grid_shape": (5, 5)}, r"X has 24 columns.*grid \(5, 5\)"),
    ],
)
def test_bad_input_is_named(parameters, message, antiderivative):
    with pytest.raises(ValueError, match=message):
        DeepONetRegressor(**parameters).fit(*antiderivative)
