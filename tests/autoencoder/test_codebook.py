import pickle

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning

from skdyn import CodebookTransformer, io

pytestmark = pytest.mark.filterwarnings(
    f"ignore::{ConvergenceWarning.__module__}.ConvergenceWarning"
)
RNG = np.random.default_rng(0)
# Rows are one of five codes plus one of seven others, nothing else.
FIRST, SECOND = 4.0 * RNG.normal(size=(5, 10)), RNG.normal(size=(7, 10))
X = FIRST[RNG.integers(5, size=500)] + SECOND[RNG.integers(7, size=500)] + 3.0


def _model(**parameters):
    given = {"k": 2, "max_iter": 18, "batch_size": 100, "random_state": 0} | parameters
    return CodebookTransformer(given.pop("n_components", 12), **given)


@pytest.fixture(scope="module")
def fitted():
    return _model().fit(X)


def test_sums_of_two_codes_are_restored(fitted):
    assert fitted.score(X) > 0.97


def test_a_single_code_a_row_is_as_good_as_k_means():
    x = RNG.normal(size=(400, 4))
    model = _model(n_components=16, k=1).fit(x)
    errors = np.square(x - model.inverse_transform(model.transform(x))).sum()
    assert errors < 1.05 * KMeans(16, n_init=1, random_state=0).fit(x).inertia_


def test_a_single_code_is_the_nearest_one():
    model = _model(n_components=16, k=1, max_iter=3).fit(X)
    codes = model.components_ + model.inverse_transform(np.zeros((1, 16)))
    distances = np.linalg.norm(X[:, None] - codes, axis=2)
    np.testing.assert_array_equal(model.transform(X).argmax(axis=1), distances.argmin(axis=1))


@pytest.mark.parametrize("assignment", ["residual", "cosine"])
@pytest.mark.parametrize("k", [1, 3, 12])
def test_exactly_k_codes_are_in_every_row(assignment, k):
    codes = _model(k=k, assignment=assignment, max_iter=2).fit_transform(X)
    assert set(np.unique(codes)) <= {0.0, 1.0}
    assert (codes.sum(axis=1) == k).all()


def test_more_codes_a_row_restore_more():
    one, two, three = (_model(n_components=24, k=k, max_iter=8).fit(X).score(X) for k in (1, 2, 3))
    assert one < min(two, three)
    assert _model(assignment="cosine", max_iter=8).fit(X).score(X) > 0.5


def test_codes_times_components_and_the_center_are_the_reconstruction(fitted):
    codes = fitted.transform(X)
    center = fitted.inverse_transform(np.zeros((1, 12)))
    np.testing.assert_allclose(
        fitted.inverse_transform(codes), codes @ fitted.components_ + center, atol=1e-4
    )


def test_a_row_does_not_depend_on_its_batch_and_csr_equals_dense(fitted):
    dense = fitted.transform(X)
    for row in range(0, 500, 100):
        np.testing.assert_array_equal(fitted.transform(X[row : row + 1]), dense[row : row + 1])
    sparse = pickle.loads(pickle.dumps(fitted)).set_params(output="csr").transform(X)
    assert sparse.nnz == 1000
    np.testing.assert_array_equal(sparse.toarray(), dense)


def test_other_units_give_the_same_codes(fitted):
    other = _model().fit(64.0 * X)
    assert (other.transform(64.0 * X) == fitted.transform(X)).mean() > 0.99


def test_the_use_of_codes_is_told(fitted):
    codes = fitted.transform(X)
    np.testing.assert_allclose(fitted.feature_density_, codes.mean(axis=0), atol=1e-6)
    shares = codes.sum(axis=0)[codes.any(axis=0)] / codes.sum()
    np.testing.assert_allclose(
        fitted.perplexity_, np.exp(-(shares * np.log(shares)).sum()), rtol=1e-5
    )
    assert fitted.n_dead_ == (codes.sum(axis=0) == 0).sum()
    np.testing.assert_array_equal(_model(n_components=2, max_iter=2).fit(X).perplexity_, 2.0)


def test_partial_fit_and_streams_learn_it_too():
    step_by_step = _model()
    for _ in range(20):
        step_by_step.partial_fit(X)
    assert step_by_step.score(X) > 0.9
    batches = np.array_split(X, 5)
    assert _model(max_iter=15).fit(batches).score(batches) > 0.9


def test_more_codes_a_row_than_there_are_means_all_with_a_warning():
    message = "k=13 active latents per row are more than n_components=12"
    with pytest.warns(UserWarning, match=message):
        model = _model(k=13, max_iter=2).fit(X)
    assert (model.transform(X) == 1).all()


@pytest.mark.parametrize("case", ["zeros", "constant column", "fewer rows than codes", "integers"])
def test_poor_data_give_finite_codes(case):
    bad = {
        "zeros": np.zeros((20, 4)),
        "constant column": np.c_[X[:20, :3], np.full(20, 7.0)],
        "fewer rows than codes": X[:2, :4],
        "integers": np.arange(80).reshape(20, 4) % 7,
    }[case]
    model = _model(max_iter=3).fit(bad)
    codes = model.transform(bad)
    assert (codes.sum(axis=1) == 2).all()
    assert np.isfinite(model.inverse_transform(codes)).all()


def test_copies_from_disk_answer_the_same(fitted, tmp_path):
    io.save(fitted, tmp_path / "model.safetensors")
    for other in (pickle.loads(pickle.dumps(fitted)), io.load(tmp_path / "model.safetensors")):
        np.testing.assert_array_equal(other.transform(X), fitted.transform(X))
