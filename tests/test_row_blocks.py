import numpy as np
import pytest

from skdyn import KANClassifier, KANRegressor, NeuralODERegressor, _scratch
from skdyn._row_blocks import gathered

rng = np.random.default_rng(0)
X = rng.normal(size=(120, 3)).astype(np.float32)
y = np.sin(X[:, 0]) + X[:, 1]
labels = np.where(y > 0, "up", "down")


class Chunked:
    """What Zarr and HDF5 have."""

    def __init__(self, array, chunks):
        self.array, self.chunks, self.shape = array, chunks, array.shape

    def __len__(self):
        return len(self.array)

    def __getitem__(self, some):
        return self.array[some]


def pairs(y=y):
    return zip(np.array_split(X, 5), np.array_split(y, 5), strict=True)


@pytest.mark.parametrize(
    "stream", [pairs, pairs(), Chunked(X, (7, 3)), Chunked(X, ((7, 113), (3,)))]
)
def test_rows_are_those_of_the_blocks(stream, monkeypatch):
    monkeypatch.setattr("skdyn._row_blocks._NUMBERS", 60)
    rows, targets = gathered(stream, y if isinstance(stream, Chunked) else None)
    assert np.array_equal(rows, X)
    assert np.array_equal(targets, y)
    assert rows.dtype == np.float32


@pytest.mark.parametrize("given", [X, X.tolist(), "text", None, [X, X], {"a": X}])
def test_what_is_no_stream_stays_as_it_is(given):
    assert gathered(given, y)[0] is given


@pytest.mark.parametrize(
    ("model", "y"),
    [
        (KANRegressor((3,), optimizer="adam", max_iter=4, random_state=0), y),
        (KANRegressor((3,), optimizer="adam", max_iter=4, early_stopping=True, random_state=0), y),
        (KANClassifier((3,), optimizer="adam", max_iter=4, random_state=0), labels),
        (NeuralODERegressor((4,), max_iter=3, random_state=0), y),
    ],
    ids=["kan", "stopping", "classifier", "ode"],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_a_fit_from_disk_or_from_blocks_is_the_one_from_memory_to_the_last_bit(
    model, y, monkeypatch, tmp_path
):
    wanted = model.fit(X, y, sample_weight=np.arange(120.0)).predict(X)
    unweighted = model.fit(X, y).predict(X)
    monkeypatch.setattr(_scratch, "_LARGE", 100)
    X.tofile(tmp_path / "rows")
    stored = np.memmap(tmp_path / "rows", np.float32, "r", shape=X.shape)
    assert np.array_equal(model.fit(stored, y, np.arange(120.0)).predict(X), wanted)
    assert np.array_equal(model.fit(lambda: pairs(y), None).predict(X), unweighted)
    assert np.array_equal(model.fit(pairs(y), None).predict(X), unweighted)
    assert np.array_equal(model.fit(Chunked(X, (7, 3)), y).predict(X), unweighted)


def zarr_of(array, folder):
    zarr = pytest.importorskip("zarr")
    path = str(folder / "rows.zarr")
    zarr.open_array(path, mode="w", shape=array.shape, chunks=(7, 2), dtype=array.dtype)[:] = array
    return zarr.open_array(path, mode="r")


def hdf5_of(array, folder):
    h5py = pytest.importorskip("h5py")
    with h5py.File(folder / "rows.h5", "w") as file:
        file.create_dataset("X", data=array, chunks=(7, 2))
    return h5py.File(folder / "rows.h5", "r")["X"]


def hdf5_whole(array, folder):
    h5py = pytest.importorskip("h5py")
    with h5py.File(folder / "rows.h5", "w") as file:
        file.create_dataset("X", data=array)  # in one piece: chunks is None
    return h5py.File(folder / "rows.h5", "r")["X"]


def dask_of(array, folder):
    return pytest.importorskip("dask.array").from_array(array, chunks=(7, 2))


@pytest.mark.parametrize("stored", [zarr_of, hdf5_of, hdf5_whole, dask_of])
@pytest.mark.parametrize("most", [100, 2**28], ids=["disk", "memory"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_arrays_of_other_libraries_train_the_same_model(stored, most, monkeypatch, tmp_path):
    model = KANRegressor((2,), optimizer="adam", max_iter=2, batch_size=40, random_state=0)
    wanted = model.fit(X, y).predict(X)
    monkeypatch.setattr("skdyn._row_blocks._NUMBERS", 20 * X.shape[1])
    monkeypatch.setattr(_scratch, "_LARGE", most)
    assert np.array_equal(model.fit(stored(X, tmp_path), y).predict(X), wanted)


@pytest.mark.filterwarnings("ignore:partial_fit was given X outside:UserWarning")
def test_a_stream_is_learned_from_block_by_block():
    whole = KANRegressor((2,), optimizer="adam", random_state=0)
    model = KANRegressor((2,), optimizer="adam", random_state=0)
    for number, (rows, targets) in enumerate(pairs()):
        whole.partial_fit(rows, targets)
        if number % 2:
            model.partial_fit(Chunked(rows, (7, 3)), targets)
        else:
            model.partial_fit(iter([(rows[:9], targets[:9]), (rows[9:], targets[9:])]), None)
    assert np.array_equal(model.predict(X), whole.predict(X))


@pytest.mark.parametrize(
    ("blocks", "message"),
    [
        ([], "no blocks"),
        ([X], r"Block 0 of X must be a pair \(X, y\); got ndarray"),
        ([(X, y), (X[:, :2], y)], "Block 1 of X has 2 columns, but those before have 3"),
        ([(X, y[:3])], "one target for each"),
        ([(X.astype(str) + "a", y)], "Block 0 of X is not numeric"),
    ],
)
def test_blocks_that_do_not_fit_together_are_named(blocks, message):
    model = KANRegressor((2,), max_iter=2)
    with pytest.raises(ValueError, match=message):
        model.fit(iter(blocks), None)
    assert not hasattr(model, "module_")


def test_targets_beside_pairs_are_refused():
    with pytest.raises(ValueError, match="y=None"):
        KANRegressor().fit(pairs, y)
