import numpy as np
import pytest

from skdyn import SparseAutoencoder, io
from skdyn.autoencoder import load_dictionary, load_saelens, normalize_rows, save_saelens

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 6))


def _file(tmp_path, **changed):
    weights = {"W_enc": RNG.normal(size=(6, 12)), "W_dec": RNG.normal(size=(12, 6))}
    weights |= {"b_enc": np.zeros(12), "b_dec": np.zeros(6), "threshold": np.full(12, 0.5)}
    np.savez(tmp_path / "params.npz", **weights | changed)
    return tmp_path / "params.npz"


def test_a_loaded_dictionary_is_saved_and_learns_further(tmp_path):
    model = load_dictionary(_file(tmp_path), k=3)
    io.save(model, tmp_path / "model.safetensors")
    again = io.load(tmp_path / "model.safetensors")
    np.testing.assert_array_equal(again.transform(X), model.transform(X))
    model.partial_fit(X)
    assert not np.array_equal(again.transform(X), model.transform(X))
    assert load_dictionary(_file(tmp_path)).k == 12


def test_saelens_folders_are_read_by_both(tmp_path):
    model = SparseAutoencoder(12, k=3, max_iter=1, random_state=0, allocation="topk").fit(X)
    save_saelens(model, tmp_path / "new")
    one, other = load_dictionary(tmp_path / "new"), load_saelens(tmp_path / "new")
    np.testing.assert_array_equal(one.transform(X), other.transform(X))
    with pytest.raises(ValueError, match=r"k=4 was passed, but .* holds k=3"):
        load_dictionary(tmp_path / "new", k=4)


def test_a_damaged_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"W_dec in .* holds NaN or infinity"):
        load_dictionary(_file(tmp_path, W_dec=np.full((12, 6), np.nan)))


def test_normalized_rows_have_mean_zero_and_deviation_one_and_come_back():
    normalized = normalize_rows(10 * X + 3)
    np.testing.assert_allclose(normalized.rows.mean(axis=1), 0, atol=1e-12)
    np.testing.assert_allclose(normalized.rows.std(axis=1, ddof=1), 1, atol=1e-5)
    np.testing.assert_allclose(normalized.restored(normalized.rows), 10 * X + 3)
