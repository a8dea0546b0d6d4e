import pickle

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdyn import Crosscoder, SparseAutoencoder, io

pytestmark = pytest.mark.filterwarnings(
    f"ignore::{ConvergenceWarning.__module__}.ConvergenceWarning"
)
SETTINGS = {"k": 2, "allocation": "topk", "aux": "auxk", "max_iter": 22, "batch_size": 60}
SETTINGS |= {
    "learning_rate": 0.03,
    "learning_rate_schedule": "constant",
    "random_state": 0,
}


def _two_sources():
    """Twelve notions: four of both sources, four of the first alone, four of the second."""
    rng = np.random.default_rng(0)
    first, second = (np.linalg.qr(rng.normal(size=(12, 12)))[0] for _ in range(2))
    first[8:], second[4:8] = 0.0, 0.0
    codes = np.zeros((600, 12))
    for row in codes:
        row[rng.choice(12, 2, replace=False)] = rng.uniform(1, 2, 2)
    return codes, np.hstack([codes @ first, codes @ second]), np.hstack([first, second])


CODES, X, ATOMS = _two_sources()


@pytest.fixture(scope="module")
def fitted():
    return Crosscoder(20, sources=[12, 12], **SETTINGS).fit(X)


def test_shared_atoms_are_found_and_told_from_those_of_one_source(fitted):
    atoms = ATOMS / np.linalg.norm(ATOMS, axis=1, keepdims=True)
    cosines = atoms @ fitted.components_.T / np.linalg.norm(fitted.components_, axis=1)
    assert cosines.max(axis=1).min() > 0.9
    norms = fitted.source_norms_[cosines.argmax(axis=1)]
    np.testing.assert_allclose(norms[:4], np.sqrt(0.5), atol=0.15)
    np.testing.assert_allclose(norms[4:8], [[1, 0]] * 4, atol=0.3)
    np.testing.assert_allclose(norms[8:], [[0, 1]] * 4, atol=0.3)
    assert fitted.score(X) > 0.97


def test_the_squares_of_the_norms_add_up_to_one(fitted):
    np.testing.assert_allclose((fitted.source_norms_**2).sum(axis=1), 1.0, rtol=1e-5)


def test_one_source_is_an_autoencoder():
    one = Crosscoder(20, **SETTINGS | {"max_iter": 3}).fit(X)
    own = SparseAutoencoder(20, **SETTINGS | {"max_iter": 3}).fit(X)
    np.testing.assert_array_equal(one.transform(X), own.transform(X))
    np.testing.assert_allclose(one.score(X), own.score(X), rtol=1e-12)
    np.testing.assert_allclose(one.source_norms_, 1.0, rtol=1e-5)


def test_two_copies_of_a_source_share_their_atoms():
    x = X[:, :12]
    both = np.hstack([x, x])
    twice = Crosscoder(20, sources=[12, 12], **SETTINGS).fit(both)
    left, right = np.split(twice.components_, 2, axis=1)
    used = twice.feature_density_ > 0.05
    cosines = np.einsum("ij,ij->i", left, right) / np.prod(twice.source_norms_, axis=1)
    # Features that are always active together may differ where it cancels.
    assert (cosines[used] > 0.99).mean() > 0.6
    np.testing.assert_allclose(
        twice.source_norms_[used & (cosines > 0.99)], np.sqrt(0.5), atol=0.02
    )
    halves = np.split(twice.inverse_transform(twice.transform(both)), 2, axis=1)
    assert np.square(halves[0] - halves[1]).sum() < 0.001 * np.square(x).sum()


def test_units_and_widths_of_a_source_do_not_count():
    settings = SETTINGS | {"max_iter": 7}
    fitted = Crosscoder(20, sources=[12, 12], **settings).fit(X)
    other = Crosscoder(20, sources=[12, 12], **settings).fit(X * np.repeat([1.0, 64.0], 12))
    assert (
        (other.transform(X * np.repeat([1.0, 64.0], 12)) > 0) == (fitted.transform(X) > 0)
    ).mean() > 0.999
    np.testing.assert_allclose(other.source_norms_, fitted.source_norms_, atol=0.01)
    assert abs(other.score(X * np.repeat([1.0, 64.0], 12)) - fitted.score(X)) < 0.01
    wide = Crosscoder(20, sources=[12, 48], **settings).fit(
        np.hstack([X[:, :12], np.tile(X[:, 12:], 4)])
    )
    np.testing.assert_allclose(
        wide.source_norms_.mean(axis=0), fitted.source_norms_.mean(axis=0), atol=0.1
    )


def test_codes_times_components_and_the_bias_are_the_sources(fitted):
    codes = fitted.transform(X)
    bias = fitted.inverse_transform(np.zeros((1, 20)))
    np.testing.assert_allclose(
        fitted.inverse_transform(codes), codes @ fitted.components_ + bias, rtol=1e-5, atol=1e-5
    )


def test_a_row_does_not_depend_on_its_batch_and_csr_equals_dense(fitted):
    dense = fitted.transform(X)
    np.testing.assert_allclose(fitted.transform(X[5:6]), dense[5:6], rtol=1e-10)
    sparse = pickle.loads(pickle.dumps(fitted)).set_params(output="csr").transform(X)
    np.testing.assert_array_equal(sparse.toarray(), dense)


def test_the_score_is_the_mean_of_the_sources(fitted):
    rebuilt = fitted.inverse_transform(fitted.transform(X))
    parts = slice(12), slice(12, 24)
    scores = [
        1 - ((X - rebuilt)[:, s] ** 2).sum() / ((X - X.mean(axis=0))[:, s] ** 2).sum()
        for s in parts
    ]
    np.testing.assert_allclose(fitted.score(X), np.mean(scores), rtol=1e-6)


def test_sources_come_from_a_column_transformer_in_a_pipeline():
    columns = ColumnTransformer(
        [("a", StandardScaler(), slice(12)), ("b", "passthrough", slice(12, 24))]
    )
    pipeline = make_pipeline(
        columns, Crosscoder(20, sources=[12, 12], **SETTINGS | {"max_iter": 3})
    )
    assert pipeline.fit_transform(X).shape == (600, 20)


def test_streams_and_partial_fit_learn_it_too():
    batches = np.array_split(X, 5)
    model = Crosscoder(20, sources=[12, 12], **SETTINGS | {"max_iter": 14}).fit(batches)
    assert model.score(batches) > 0.8
    step_by_step = Crosscoder(20, sources=[12, 12], **SETTINGS)
    for _ in range(12):
        step_by_step.partial_fit(X)
    assert step_by_step.score(X) > 0.8


@pytest.mark.parametrize("sources", [[12, 11], [24, 0], [12.0, 12.0], [25, -1], []])
def test_sources_that_are_not_the_columns_are_refused(sources):
    with pytest.raises(
        ValueError, match="sources must be positive whole numbers that add up to the 24"
    ):
        Crosscoder(20, sources=sources, **SETTINGS).fit(X)


def test_a_constant_source_is_left_alone():
    x = np.hstack([X[:, :12], np.full((600, 3), 7.0)])
    model = Crosscoder(20, sources=[12, 3], **SETTINGS | {"max_iter": 5}).fit(x)
    assert np.isfinite(model.transform(x)).all()
    np.testing.assert_allclose(model.inverse_transform(model.transform(x))[:, 12:], 7.0, atol=0.3)


def test_copies_from_disk_answer_the_same(fitted, tmp_path):
    io.save(fitted, tmp_path / "model.safetensors")
    for other in (pickle.loads(pickle.dumps(fitted)), io.load(tmp_path / "model.safetensors")):
        np.testing.assert_array_equal(other.transform(X), fitted.transform(X))
        np.testing.assert_array_equal(other.source_norms_, fitted.source_norms_)
