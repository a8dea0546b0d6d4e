"""Regression and classification of functions: what they find, layouts, bad input."""

import numpy as np
import pytest

from skdyn import AdaFNNClassifier, AdaFNNRegressor
from skdyn.datasets import make_gaussian_random_field

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
small = {
    "n_basis": 3, "basis_layer_sizes": (32,), "hidden_layer_sizes": (16,), "max_iter": 80,
    "learning_rate": 0.02, "random_state": 0, "batch_size": "auto",
}  # fmt: skip


@pytest.fixture(scope="module")
def functions():
    return make_gaussian_random_field(160, 24, n_modes=5, random_state=0)


def test_a_linear_functional_is_found_with_its_weights(functions):
    x = np.arange(24) / 23
    weights = np.exp(-40 * (x - 0.3) ** 2)
    y = functions @ weights / 24
    model = AdaFNNRegressor(**small | {"n_basis": 1, "hidden_layer_sizes": (), "batch_size": 32})
    assert model.fit(functions, y).score(functions, y) > 0.95
    (found,) = model.basis_functions()[:, 0]
    # Functions of five waves say nothing of finer detail of the weights: compare what they see.
    seen, expected = functions @ found, functions @ weights
    assert abs(np.corrcoef(seen, expected)[0, 1]) > 0.95


def test_classes_that_are_no_threshold_of_an_integral_are_told_apart(functions):
    label = np.where(np.abs(functions[:, :12].mean(axis=1)) > 0.35, "far", "near")
    model = AdaFNNClassifier(**small).fit(functions[:120], label[:120])
    assert model.score(functions[120:], label[120:]) > 0.8
    np.testing.assert_allclose(model.predict_proba(functions).sum(axis=1), 1.0)


def test_the_basis_is_known_between_the_points_of_the_grid(functions):
    model = AdaFNNRegressor(**small | {"max_iter": 3}).fit(functions, functions[:, 0])
    fine = model.basis_functions(47)
    assert fine.shape == (3, 1, 47)
    coarse = model.basis_functions()
    cosines = (fine[..., ::2] * coarse).sum(2) / np.sqrt(
        np.square(fine[..., ::2]).sum(2) * np.square(coarse).sum(2)
    )
    np.testing.assert_allclose(cosines, 1.0, atol=1e-5)
    with pytest.raises(ValueError, match=r"grid=\(4, 4\) has not as many axes"):
        model.basis_functions((4, 4))


@pytest.mark.parametrize("resolution", ["resample", "native"])
def test_other_grids_give_nearly_the_same_numbers(resolution):
    options = {"n_modes": 3, "random_state": 0}
    coarse, fine = (make_gaussian_random_field(60, n, **options) for n in (32, 64))
    y = coarse[:, :16].mean(axis=1)
    model = AdaFNNRegressor(periodic=True, resolution=resolution, **small).fit(coarse, y)
    found = model.predict(fine[:, None])
    np.testing.assert_allclose(found, model.predict(coarse), atol=0.03)


@pytest.mark.parametrize("shape", [(30, 2, 6), (30, 1, 4, 5), (30, 1, 3, 3, 3)])
def test_fields_of_one_to_three_axes_and_several_outputs_are_learnt(shape):
    X = np.random.default_rng(0).standard_normal(shape)
    y = np.stack([X.reshape(30, -1).mean(axis=1), X.reshape(30, -1)[:, 0]], axis=1)
    model = AdaFNNRegressor(**small | {"max_iter": 3}).fit(X, y)
    assert model.predict(X).shape == (30, 2)
    labels = AdaFNNClassifier(**small | {"max_iter": 3}).fit(X, y[:, 0] > 0)
    assert labels.predict(X).dtype == bool


@pytest.mark.parametrize("estimator", [AdaFNNRegressor, AdaFNNClassifier])
def test_bad_input_is_named(estimator, functions):
    y = functions[:, 0] > 0
    with pytest.raises(ValueError, match=r"basis_layer_sizes must be positive .*got \(0,\)"):
        estimator(basis_layer_sizes=(0,)).fit(functions, y.astype(int))
    with pytest.raises(ValueError, match="Input X contains NaN"):
        estimator().fit(np.where(functions > 1, np.nan, functions), y.astype(int))
    with pytest.raises(ValueError, match="The 'n_basis' parameter"):
        estimator(n_basis=0).fit(functions, y.astype(int))
    model = estimator(**small | {"max_iter": 1}).fit(functions, y.astype(int))
    with pytest.raises(ValueError, match="X has 20 features"):
        model.predict(functions[:, :20])
