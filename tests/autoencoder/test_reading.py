import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_array

from skdyn.autoencoder import SparseAutoencoder, _reading
from skdyn.autoencoder._reading import ReadableDictionary


class Rectified(ReadableDictionary, BaseEstimator):
    """Stands for a fitted dictionary: each code is how far a sample reaches along an atom."""

    def __init__(self, components=None, output="dense"):
        self.components = components
        self.output = output

    def fit(self):
        """Take the components; nothing is learned."""
        self.components_ = np.asarray(self.components, dtype=float)
        self.feature_density_ = np.linspace(0, 1, len(self.components_))
        self.feature_activation_ = np.arange(1.0, len(self.components_) + 1)
        return self

    def transform(self, X):
        """Return codes, and count the rows that are asked for at once."""
        X = check_array(X)
        self.most_rows_ = max(len(X), getattr(self, "most_rows_", 0))
        codes = np.maximum(X @ self.components_.T, 0.0)
        return {"dense": codes, "csr": sparse.csr_array(codes)}.get(self.output, codes)


def random_dictionary(n_components=6, n_features=4, **parameters):
    components = np.random.default_rng(0).normal(size=(n_components, n_features))
    return Rectified(components, **parameters).fit()


X = np.random.default_rng(1).normal(size=(50, 4)).round(1)
in_chunks = pytest.mark.parametrize("rows_at_once", [1, 7, 50, 1000])
outputs = pytest.mark.parametrize("output", ["dense", "csr"])


# -- the samples of a feature -------------------------------------------------------------------


@outputs
@in_chunks
def test_top_activating_agrees_with_a_full_sort(rows_at_once, output, monkeypatch):
    model = random_dictionary(output=output)
    monkeypatch.setattr(_reading, "_CHUNK", 6 * rows_at_once)
    full = np.maximum(X @ model.components_.T, 0.0)
    for feature in range(6):
        indices, activations = model.top_activating(feature, X, n=8)
        assert_array_equal(indices, np.argsort(-full[:, feature], kind="stable")[:8])
        assert_allclose(activations, full[indices, feature])
    assert model.most_rows_ == min(rows_at_once, 50)


@in_chunks
def test_among_equals_the_earlier_sample_comes_first(rows_at_once, monkeypatch):
    monkeypatch.setattr(_reading, "_CHUNK", rows_at_once)
    X = np.array([1.0, 3, 0, 3, 1, 3, 0])[:, None]
    indices, activations = Rectified([[1.0]]).fit().top_activating(0, X, n=6)
    assert_array_equal(indices, [1, 3, 5, 0, 4, 2])
    assert_array_equal(activations, [3, 3, 3, 1, 1, 0])


@outputs
@in_chunks
def test_streams_are_read_as_memory_is(rows_at_once, output, monkeypatch, tmp_path):
    model = random_dictionary(output=output)
    whole = model.top_activating([0, 3], X, n=4), model.feature_table(X)
    monkeypatch.setattr(_reading, "_CHUNK", 6 * rows_at_once)
    stored = np.memmap(tmp_path / "rows", "d", "w+", shape=X.shape)
    stored[:] = X
    parts = [X[:9], X[9:9], X[9:]]
    for stream in (stored, parts, lambda: iter(parts)):
        indices, activations = model.top_activating([0, 3], stream, n=4)
        assert_array_equal(indices, whole[0][0])
        assert_allclose(activations, whole[0][1])
        pd.testing.assert_frame_equal(model.feature_table(stream), whole[1])
    starts, codes = zip(*model.transform_blocks(iter(parts)), strict=True)
    sizes = [part.shape[0] for part in codes]
    assert_array_equal(starts, np.cumsum([0, *sizes])[:-1])
    assert max(sizes) <= rows_at_once
    assert sum(sizes) == 50


def test_a_stream_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no samples"):
        random_dictionary().top_activating(0, lambda: iter(()))


def test_several_features_are_answered_at_once_as_they_are_one_by_one():
    model = random_dictionary()
    indices, activations = model.top_activating([4, 0, 4], X, n=5)
    assert indices.shape == activations.shape == (3, 5)
    for row, feature in enumerate([4, 0, 4]):
        alone = model.top_activating(feature, X, n=5)
        assert_array_equal(indices[row], alone[0])
        assert_array_equal(activations[row], alone[1])


def test_asking_for_more_samples_than_there_are_gives_all():
    indices, _ = random_dictionary().top_activating(0, X, n=1000)
    assert_array_equal(np.sort(indices), np.arange(50))


def test_a_memory_map_a_frame_a_list_and_a_sparse_matrix_are_read_alike(tmp_path, monkeypatch):
    monkeypatch.setattr(_reading, "_CHUNK", 6 * 7)
    model = random_dictionary()
    np.save(tmp_path / "X.npy", X)
    expected = model.top_activating(2, X)
    frame = pd.DataFrame(X, index=np.arange(50)[::-1])
    for same in (np.load(tmp_path / "X.npy", mmap_mode="r"), frame, X.tolist()):
        for one, other in zip(model.top_activating(2, same), expected):
            assert_array_equal(one, other)
    model.transform = lambda part: Rectified.transform(model, part.toarray())
    assert_array_equal(model.top_activating(2, sparse.csr_array(X))[0], expected[0])


@pytest.mark.parametrize("feature", [-1, 6, 1.0, "a", [0, 6], True])
def test_a_feature_that_is_not_there_is_refused(feature):
    with pytest.raises(ValueError, match="feature must be within 0 and 5; got"):
        random_dictionary().top_activating(feature, X)


@pytest.mark.parametrize("n", [0, -1, 2.5])
def test_a_number_of_samples_that_makes_no_sense_is_refused(n):
    with pytest.raises(ValueError, match="n must be a positive integer; got"):
        random_dictionary().top_activating(0, X, n=n)


def test_no_samples_are_refused_as_transform_refuses_them():
    with pytest.raises(ValueError, match=r"Found array with 0 sample\(s\)"):
        random_dictionary().top_activating(0, X[:0])
    with pytest.raises(ValueError, match=r"Found array with 0 sample\(s\)"):
        random_dictionary().feature_table(X[:0])


# -- the table ----------------------------------------------------------------------------------

ATOMS = [[2.0, 0.0], [1.0, 1.0], [0.0, -1.0], [0.0, 3.0]]


def test_the_table_of_training_has_the_right_numbers():
    table = Rectified(ATOMS).fit().feature_table_
    assert table.index.tolist() == [0, 1, 2, 3]
    assert table.index.name == "feature"
    assert_allclose(table["density"], [0, 1 / 3, 2 / 3, 1])
    assert_allclose(table["mean_activation"], [1, 2, 3, 4])
    assert_allclose(table["decoder_norm"], [2, 2**0.5, 1, 3])
    half = 0.5**0.5
    assert table["neighbor_1"].tolist()[0] == 1
    assert table["neighbor_1"].tolist()[2:] == [0, 1]
    assert_allclose(table["cosine_1"], [half, half, 0, half])
    assert table["neighbor_3"].tolist()[1:] == [2, 3, 2]
    assert_allclose(table["cosine_3"], [0, -half, -1, -1])


@outputs
@in_chunks
def test_the_table_of_samples_counts_in_them(rows_at_once, output, monkeypatch):
    monkeypatch.setattr(_reading, "_CHUNK", 4 * rows_at_once)
    samples = [[1.0, 0.0], [2.0, 0.0], [-1.0, 2.0], [-1.0, 0.5]]
    table = Rectified(ATOMS, output=output).fit().feature_table(samples)
    assert_allclose(table["density"], [0.5, 0.75, 0, 0.5])
    assert_allclose(table["mean_activation"], [3, 4 / 3, np.nan, 3.75])


@in_chunks
def test_neighbors_are_those_of_all_cosines(rows_at_once, monkeypatch):
    model = random_dictionary(20)
    monkeypatch.setattr(_reading, "_CHUNK", 20 * rows_at_once)
    unit = model.components_ / np.linalg.norm(model.components_, axis=1, keepdims=True)
    cosines = unit @ unit.T
    np.fill_diagonal(cosines, -2)
    table = model.feature_table(n_neighbors=2)
    order = np.argsort(-cosines, axis=1)
    assert_array_equal(table[["neighbor_1", "neighbor_2"]], order[:, :2])
    assert_allclose(table[["cosine_1", "cosine_2"]], np.take_along_axis(cosines, order[:, :2], 1))
    assert "neighbor_3" not in table


def test_a_dictionary_lists_no_more_neighbors_than_it_has():
    assert list(Rectified([[1.0]]).fit().feature_table_) == [
        "density", "mean_activation", "decoder_norm",
    ]  # fmt: skip
    assert "cosine_3" not in Rectified(np.eye(3)).fit().feature_table(np.eye(3))


def test_nothing_can_be_read_before_fit():
    model = Rectified(ATOMS)
    assert not hasattr(model, "feature_table_")
    for read in (lambda: model.top_activating(0, X), lambda: model.feature_table(X)):
        with pytest.raises(NotFittedError, match="not fitted yet"):
            read()


# -- a real one ---------------------------------------------------------------------------------


def laplace(n_samples=120):
    return np.random.default_rng(0).laplace(size=(n_samples, 6))


@outputs
def test_what_training_counted_is_what_is_in_the_training_data(output):
    X = laplace()
    model = SparseAutoencoder(12, k=3, max_iter=3, tol=0, output=output, random_state=0).fit(X)
    counted = model.feature_table(X).astype(float)
    pd.testing.assert_frame_equal(model.feature_table_.astype(float), counted, rtol=1e-4)
    assert_allclose(counted["decoder_norm"], 1.0, rtol=1e-5)


def test_mean_activations_after_partial_fit_are_about_those_of_the_data():
    X = laplace(1000)
    model = SparseAutoencoder(
        12, k=3, allocation="topk", batch_size=50, learning_rate=1e-3, random_state=0
    )
    for _ in range(2):
        model.partial_fit(X)
    there = model.feature_table(X)["mean_activation"]
    assert_allclose(model.feature_table_["mean_activation"], there, rtol=0.1)


def test_the_top_samples_of_a_real_dictionary_are_those_of_its_codes():
    X = laplace()
    model = SparseAutoencoder(12, k=3, max_iter=3, tol=0, random_state=0).fit(X)
    indices, activations = model.top_activating(4, X, n=5)
    codes = model.transform(X)[:, 4]
    assert_array_equal(indices, np.argsort(-codes, kind="stable")[:5])
    assert_array_equal(activations, codes[indices])
