import pickle

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from skdyn import SparseAutoencoder

pytestmark = pytest.mark.filterwarnings(
    f"ignore::{ConvergenceWarning.__module__}.ConvergenceWarning"
)


def _data(n=600, d=12, seed=0):
    """Rows made of two directions of an orthonormal dictionary."""
    rng = np.random.default_rng(seed)
    dictionary = np.linalg.qr(rng.normal(size=(d, d)))[0]
    codes = np.zeros((n, d))
    for row in codes:
        row[rng.choice(d, 2, replace=False)] = rng.uniform(1, 2, 2)
    return codes @ dictionary, codes, dictionary


X, CODES, DICTIONARY = _data()


def _fitted(**parameters):
    given = {"k": 2, "max_iter": 8, "tol": 0.0, "random_state": 0} | parameters
    return SparseAutoencoder(given.pop("n_components", 16), **given).fit(X)


@pytest.fixture
def fitted(trained):
    """A model of its own: some tests set its parameters."""
    return pickle.loads(pickle.dumps(trained))


@pytest.fixture(scope="module")
def trained():
    return _fitted()


def test_a_planted_orthonormal_dictionary_is_recovered():
    model = _fitted(
        n_components=24, allocation="topk", max_iter=25, batch_size=60, learning_rate=0.03
    )
    cosines = model.components_ @ DICTIONARY.T
    assert cosines.max(axis=0).min() > 0.98
    assert model.score(X) > 0.99


def test_sparse_codes_equal_dense_ones(fitted):
    model = fitted
    dense = model.transform(X)
    sparse = model.set_params(output="csr").transform(X)
    assert sparse.format == "csr"
    np.testing.assert_array_equal(sparse.toarray(), dense)
    assert sparse.nnz == np.count_nonzero(dense)
    np.testing.assert_allclose(model.inverse_transform(sparse), model.inverse_transform(dense))


def test_codes_times_components_and_the_bias_are_the_reconstruction(fitted):
    model = fitted
    codes = model.transform(X)
    bias = model.inverse_transform(np.zeros((1, 16)))
    np.testing.assert_allclose(
        model.inverse_transform(codes), codes @ model.components_ + bias, rtol=1e-5, atol=1e-5
    )
    np.testing.assert_allclose(np.linalg.norm(model.components_, axis=1), 1.0, rtol=1e-5)


def test_the_scale_of_the_data_is_that_of_the_codes(fitted):
    model = fitted
    larger = SparseAutoencoder(16, k=2, max_iter=8, random_state=0).fit(64.0 * X)
    np.testing.assert_allclose(
        larger.transform(64.0 * X), 64.0 * model.transform(X), rtol=1e-3, atol=1e-2
    )


def test_better_inference_reconstructs_better(fitted):
    model = fitted
    scores = [model.set_params(inference=how).score(X) for how in ("encoder", "refit", "omp")]
    assert scores[0] < scores[1]
    assert scores[1] < scores[2] + 0.05


def test_more_active_features_than_there_are_means_all_with_a_warning():
    message = "k=17 active latents per row are more than n_components=16"
    with pytest.warns(UserWarning, match=message):
        model = _fitted(k=17, max_iter=2)
    all_active = _fitted(k=16, max_iter=2)
    np.testing.assert_array_equal(model.transform(X), all_active.transform(X))


@pytest.mark.parametrize("prefixes", [(0, 4), (4, 2), (4, 4), (4, 17), (2.5,)])
def test_prefixes_must_be_growing_numbers(prefixes):
    with pytest.raises(ValueError, match="prefixes must be whole numbers that grow"):
        _fitted(prefixes=prefixes)


@pytest.mark.parametrize("allocation", ["topk", "feature_choice", "mutual_choice", "jumprelu"])
@pytest.mark.parametrize("case", ["zeros", "constant column", "fewer rows than k", "integers"])
def test_poor_data_give_finite_codes(allocation, case):
    bad = {
        "zeros": np.zeros((20, 4)),
        "constant column": np.c_[X[:20, :3], np.full(20, 7.0)],
        "fewer rows than k": X[:2, :4],
        "integers": np.arange(80).reshape(20, 4) % 7,
    }[case]
    model = SparseAutoencoder(16, k=3, allocation=allocation, max_iter=3, random_state=0).fit(bad)
    codes = model.transform(bad)
    assert np.isfinite(codes).all()
    assert np.isfinite(model.inverse_transform(codes)).all()
    if case == "zeros":
        assert model.score(bad) <= 1.0


def test_codes_of_another_width_are_refused():
    with pytest.raises(ValueError, match="X has 3 columns, but there are 16 components"):
        _fitted(max_iter=1).inverse_transform(np.zeros((2, 3)))
