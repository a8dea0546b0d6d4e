import numpy as np
import pytest
from sklearn.datasets import make_friedman1
from sklearn.neighbors import KNeighborsRegressor
from sklearn.preprocessing import StandardScaler

from skdyn import HopfieldRegressor

X, Y = make_friedman1(300, 5, random_state=0)
TRAIN, TEST = slice(0, 200), slice(200, 300)


def test_huge_beta_is_the_nearest_neighbor_of_scikit_learn():
    scaler = StandardScaler().fit(X[TRAIN])
    peer = KNeighborsRegressor(1).fit(scaler.transform(X[TRAIN]), Y[TRAIN])
    found = HopfieldRegressor("stored", beta=1e12).fit(X[TRAIN], Y[TRAIN]).predict(X[TEST])
    np.testing.assert_allclose(found, peer.predict(scaler.transform(X[TEST])))


def test_tiny_beta_is_the_mean():
    weight = np.linspace(0.1, 2, 200)
    model = HopfieldRegressor("stored", beta=1e-12).fit(X[TRAIN], Y[TRAIN], sample_weight=weight)
    np.testing.assert_allclose(model.predict(X[TEST]), np.average(Y[TRAIN], weights=weight))


def test_stored_rows_are_kernel_regression():
    Z, y = StandardScaler().fit_transform(X[TRAIN]), Y[TRAIN]
    model = HopfieldRegressor("stored", beta=30.0).fit(Z, y)
    squares = np.square(Z[:20, None] - Z[None]).sum(axis=2)
    kernel = np.exp(-30.0 * squares / (2 * Z.var(axis=0).sum()))
    np.testing.assert_allclose(model.predict(Z[:20]), kernel @ y / kernel.sum(axis=1))


def test_a_target_of_noise_gets_its_mean():
    noise = np.random.default_rng(0).normal(size=200)
    model = HopfieldRegressor("stored").fit(X[TRAIN], noise)
    assert model.predict(X[TEST]).std() < 0.3


def test_equal_rows_with_different_targets_share_their_weight():
    model = HopfieldRegressor("stored", beta=1e12).fit([[0.0], [0.0], [1.0]], [1.0, 3.0, 5.0])
    np.testing.assert_allclose(model.predict([[0.1], [0.9]]), [2.0, 5.0])


def test_several_targets_are_recalled_together():
    both = np.stack([Y, -2 * Y + 1], axis=1)
    found = HopfieldRegressor("stored").fit(X[TRAIN], both[TRAIN]).predict(X[TEST])
    np.testing.assert_allclose(found[:, 1], -2 * found[:, 0] + 1)
    with pytest.raises(ValueError, match="y has 1 outputs, but the model was started with 2"):
        HopfieldRegressor("stored").partial_fit(X, both).partial_fit(X, Y)


def test_a_projection_beats_plain_neighbors_and_prototypes_come_close():
    peer = KNeighborsRegressor().fit(X[TRAIN], Y[TRAIN]).score(X[TEST], Y[TEST])
    for mode, margin in (("projected", 0.05), ("prototypes", -0.1), ("stored", 0.0)):
        model = HopfieldRegressor(mode, random_state=0).fit(X[TRAIN], Y[TRAIN])
        assert model.score(X[TEST], Y[TEST]) > peer + margin
