import numpy as np
import pytest

from skdyn.autoencoder._aligned import AlignedRows
from skdyn.autoencoder._sources import BatchedRows, StoredRows
from skdyn.training import new_generator

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(120, 6)).astype("f")
WEIGHT = RNG.integers(0, 4, size=120).astype(float)


@pytest.mark.parametrize("in_batches", [False, True])
def test_each_row_comes_as_often_as_its_weight_says(in_batches):
    source = BatchedRows(np.array_split(ROWS, 7)) if in_batches else StoredRows(ROWS)
    weight = WEIGHT + 0.3
    rows, generator = AlignedRows(source, weight=weight), new_generator(0)
    counts, n_passes = np.zeros(120), 100
    for _ in range(n_passes):
        in_pass = np.zeros(120)
        for block in rows.blocks(30, generator):
            start = int(np.flatnonzero((block.X[0] == ROWS).all(axis=1))[0])
            in_pass[start : start + len(block.X)] = block.counts
        assert abs(in_pass.sum() - 120) <= 1
        assert (np.abs(in_pass - weight / weight.mean()) < 1).all()
        counts += in_pass
    # Four deviations of a mean of draws of which each is off by less than one.
    atol = 4 * 0.5 / n_passes**0.5
    np.testing.assert_allclose(counts / n_passes, weight / weight.mean(), atol=atol)


def test_rows_of_a_stream_keep_their_targets_and_weights():
    y, weight = ROWS[:, :2] * 2, np.arange(120.0)
    X_parts, y_parts = np.array_split(ROWS, 7), np.array_split(y, 7)
    for rows in (
        AlignedRows(StoredRows(ROWS), y, weight),
        AlignedRows(BatchedRows(X_parts), BatchedRows(y_parts), weight),
        AlignedRows(BatchedRows(iter(X_parts)), BatchedRows(iter(y_parts)), weight),
    ):
        for part in (rows.first(50), rows.blocks(10, new_generator(0))):
            for block in part:
                np.testing.assert_array_equal(block.X[:, :2] * 2, block.Y)
                first = np.flatnonzero((block.X[0] == ROWS).all(axis=1))[0]
                assert abs(block.counts[0] - weight[first] / weight.mean()) < 1
