import tracemalloc

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from skdyn.autoencoder import SparseAutoencoder
from skdyn.autoencoder._aligned import AlignedRows
from skdyn.autoencoder._sources import StoredRows
from skdyn.autoencoder._streaming import StreamedRows, checked_blocks
from skdyn.training import new_generator

RNG = np.random.default_rng(0)
DIRECTIONS = RNG.normal(size=(12, 6))
ROWS = ((RNG.random((300, 12)) * (RNG.random((300, 12)) < 0.2)) @ DIRECTIONS).astype("f")


def _model(**parameters):
    defaults = {"n_components": 12, "k": 3, "max_iter": 4, "tol": 0.0, "buffer_size": 128}
    return SparseAutoencoder(**defaults | {"batch_size": 32, "random_state": 0} | parameters)


@pytest.fixture
def disk(tmp_path):
    np.save(tmp_path / "rows.npy", ROWS)
    return np.load(tmp_path / "rows.npy", mmap_mode="r")


def _batches():
    yield from np.array_split(ROWS, 7)


def _equal(one, other):
    np.testing.assert_array_equal(one.module_.encoder_weight, other.module_.encoder_weight)


# -- training -----------------------------------------------------------------------------------


def test_a_stream_teaches_as_much_as_memory_does(disk):
    whole = _model(max_iter=5, learning_rate=0.04).fit(ROWS)
    for X in (disk, _batches):
        model = _model(max_iter=5, learning_rate=0.04).fit(X)
        assert model.n_features_in_ == 6
        assert model.loss_curve_[-1] < 0.6 * model.loss_curve_[0]
        assert model.score(ROWS) > whole.score(ROWS) - 0.05


def test_the_same_seed_gives_the_same_model_and_another_one_another(disk):
    one, same, other = (_model(max_iter=2, random_state=seed).fit(disk) for seed in (0, 0, 1))
    _equal(one, same)
    with pytest.raises(AssertionError):
        _equal(one, other)


def test_all_ways_to_pass_batches_give_the_same_model():
    frames = [pd.DataFrame(batch) for batch in _batches()]
    expected, *others = (_model(max_iter=2).fit(X) for X in (_batches, list(_batches()), frames))
    for other in others:
        _equal(other, expected)


def test_an_array_on_disk_that_fits_the_buffer_is_the_array_itself(disk):
    _equal(_model(buffer_size=300, max_iter=2).fit(disk), _model(max_iter=2).fit(ROWS))


def test_an_iterator_is_good_for_one_epoch():
    once = _model(max_iter=1).fit(_batches(), n_samples_total=300)
    assert len(once.loss_curve_) == 1
    with pytest.raises(ValueError, match=r"read only once, but max_iter=4 epochs .* max_iter=1"):
        _model().fit(_batches())


def test_partial_fit_reads_a_stream_once_and_goes_on(disk):
    model = _model().partial_fit(disk)
    first = model.module_.encoder_weight.clone()
    model.partial_fit(_batches()).partial_fit(ROWS[:50])
    assert len(model.loss_curve_) == 3
    assert not np.allclose(first, model.module_.encoder_weight)


def test_names_of_the_first_batch_are_checked_on_the_others():
    names = list("abcdef")
    frames = [pd.DataFrame(batch, columns=names) for batch in _batches()]
    model = _model(max_iter=1).fit(frames)
    assert model.feature_names_in_.tolist() == names
    frames[3] = frames[3].rename(columns={"b": "z"})
    with pytest.raises(ValueError, match=r"Batch 3 of X: The feature names should match"):
        _model().fit(frames)


def test_bad_batches_are_named_and_leave_no_half_fitted_model():
    spoilt = list(_batches())
    spoilt[5] = np.where(spoilt[5] == spoilt[5].max(), np.nan, spoilt[5])
    model = _model()
    with pytest.raises(ValueError, match=r"Batch 5 of X: Input X contains NaN"):
        model.fit(spoilt)
    assert not hasattr(model, "module_")
    assert not hasattr(model, "n_features_in_")
    with pytest.raises(ValueError, match=r"Batch 1 of X: X has 5 features, but"):
        model.fit([ROWS[:9], ROWS[:9, :5]])
    with pytest.raises(ValueError, match="X gave no batches"):
        model.fit(lambda: iter([]))


def test_a_width_that_changes_between_calls_is_refused(disk):
    model = _model(max_iter=1).fit(disk)
    for method in (model.partial_fit, model.transform, model.score):
        with pytest.raises(ValueError, match="X has 5 features, but SparseAutoencoder is expect"):
            method([ROWS[:, :5], ROWS[:, :5]])


# -- after training -----------------------------------------------------------------------------


def test_codes_and_scores_of_a_stream_are_those_of_the_array(disk, monkeypatch):
    monkeypatch.setattr("skdyn.autoencoder._estimator._ROWS_AT_A_TIME", 100)
    model = _model(output="csr").fit(ROWS)
    expected, score = model.transform(ROWS), model.score(ROWS)
    for X in (disk, _batches, list(_batches())):
        codes = model.transform(X)
        assert scipy.sparse.issparse(codes)
        np.testing.assert_allclose(codes.toarray(), expected.toarray(), rtol=1e-5, atol=1e-6)
        assert model.score(X) == pytest.approx(score, abs=1e-6)
    dense = model.set_params(output="dense").transform(disk)
    np.testing.assert_allclose(dense, expected.toarray(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.transform(_batches()), dense)


def test_the_score_of_blocks_is_that_of_its_definition():
    model = _model().fit(ROWS)
    restored = model.inverse_transform(model.transform(ROWS))
    expected = 1 - np.sum((ROWS - restored) ** 2) / np.sum((ROWS - ROWS.mean(axis=0)) ** 2)
    assert model.score(ROWS) == pytest.approx(expected, abs=1e-6)


# -- the parts ----------------------------------------------------------------------------------


def _plain(block, reset):
    return (np.asarray(block.X),)


def test_the_sample_is_no_larger_than_the_buffer_and_from_all_over(disk):
    rows = StreamedRows(AlignedRows(StoredRows(disk)), _plain, True, 64)
    assert len(rows) == 300
    assert rows.sample.shape == (64, 6)
    np.testing.assert_array_equal(rows.sample[0], ROWS[0])
    assert any((rows.sample[-1] == row).all() for row in ROWS[-10:])


def test_batches_without_rows_are_left_out():
    blocks = iter([ROWS[:0], ROWS[:2], ROWS[:0], ROWS[:3]])
    blocks = checked_blocks(blocks, lambda block, reset: block)
    assert [len(block) for block in blocks] == [2, 3]


def test_a_pass_holds_blocks_and_the_buffer_whatever_the_length_of_the_data(tmp_path):
    path = tmp_path / "rows"
    X = np.memmap(path, dtype="f", mode="w+", shape=(40_000, 64))  # 10 MB
    rows = StreamedRows(AlignedRows(StoredRows(X)), _plain, True, 1024)
    tracemalloc.start()  # counts numpy's blocks; torch's buffer is of fixed size
    n_rows = sum(len(batch) for (batch,) in rows.batches(64, new_generator(0)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert n_rows == 40_000
    assert peak < X.nbytes / 50
