import mmap

import numpy as np
import pandas as pd
import pytest
import torch

from skdyn import SparseAutoencoder, Transcoder
from skdyn.autoencoder._sources import BatchedRows, StoredRows, as_source
from skdyn.training import new_generator

ROWS = np.arange(70, dtype="f").reshape(35, 2)


class Chunked:
    """What Zarr and HDF5 offer: a shape, chunks, and slices that cost a read of whole chunks."""

    def __init__(self, array, chunks):
        self.array, self.shape, self.chunks, self.asked = array, array.shape, chunks, []

    def __getitem__(self, rows):
        self.asked.append((rows.start, rows.stop))
        return self.array[rows]


@pytest.fixture
def disk(tmp_path):
    np.save(tmp_path / "rows.npy", ROWS)
    return np.load(tmp_path / "rows.npy", mmap_mode="r")


def _firsts(blocks):
    return [block[0, 0] for block in blocks]


def test_a_pass_reads_every_row_once_in_order_or_in_the_generators(disk):
    source = StoredRows(disk)
    np.testing.assert_array_equal(np.concatenate(list(source.blocks(8))), ROWS)
    mixed = np.concatenate(list(source.blocks(8, new_generator(0))))
    assert not np.array_equal(mixed, ROWS)
    np.testing.assert_array_equal(mixed[np.argsort(mixed[:, 0])], ROWS)
    assert _firsts(source.blocks(8, new_generator(0))) == _firsts(
        source.blocks(8, new_generator(0))
    )


def test_blocks_are_copies_that_may_be_written(disk):
    block = next(StoredRows(disk).blocks(8))
    assert type(block) is np.ndarray
    assert block.flags.writeable
    assert not np.shares_memory(block, disk)


@pytest.mark.parametrize("chunks", [(6, 2), ((6, 6, 6, 6, 6, 5), (2,))], ids=["zarr", "dask"])
def test_whole_chunks_are_read(chunks):
    rows = Chunked(ROWS, chunks)
    np.testing.assert_array_equal(np.concatenate(list(StoredRows(rows).blocks(8))), ROWS)
    assert rows.asked == [(0, 12), (12, 24), (24, 36)]


def test_the_first_rows_of_an_array_come_from_all_over_it(disk):
    blocks = [block for _, block in StoredRows(disk).placed_first(16)]
    assert [len(block) for block in blocks] == [1] * 16
    assert (_firsts(blocks)[0], _firsts(blocks)[-1]) == (ROWS[0, 0], ROWS[-1, 0])
    assert sum(len(block) for _, block in StoredRows(disk).placed_first(30)) >= 30
    for start, block in StoredRows(disk).placed(7, new_generator(0)):
        np.testing.assert_array_equal(block, ROWS[start : start + len(block)])


@pytest.mark.skipif(not hasattr(mmap, "MADV_DONTNEED"), reason="the system keeps the pages")
@pytest.mark.parametrize(("mode", "kept"), [("r", 0), ("r+", 0), ("c", 1)])
def test_pages_are_let_go_except_where_they_hold_changes(tmp_path, mode, kept):
    whole = np.zeros((400, 1024), dtype="f")
    np.save(tmp_path / "rows.npy", whole)
    disk = np.load(tmp_path / "rows.npy", mmap_mode=mode)[10:]  # a view, whose base is the map
    if mode != "r":
        disk[5] = 7.0
    for _ in StoredRows(disk).blocks(50):
        pass
    assert _resident_kilobytes(tmp_path / "rows.npy") >= 1000 * kept
    if not kept:
        assert _resident_kilobytes(tmp_path / "rows.npy") < 200
    assert (disk[5] == 7.0).all() == (mode != "r")


def _resident_kilobytes(path):
    try:
        lines = open("/proc/self/smaps").read().splitlines()  # noqa: SIM115
    except OSError:
        pytest.skip("the system does not tell what is resident")
    (start,) = (number for number, line in enumerate(lines) if line.endswith(str(path)))
    return next(int(line.split()[1]) for line in lines[start:] if line.startswith("Rss"))


def _batches():
    yield from np.split(ROWS, [10, 12, 30])


class Again:
    def __iter__(self):
        return _batches()

    def __len__(self):
        return 4


@pytest.mark.parametrize("batches", [list(_batches()), _batches, Again()])
def test_batches_come_again_in_every_pass(batches):
    source = as_source(batches, 1)
    assert not source.once
    assert source.count() == 35
    for _ in range(2):
        assert sum(len(part) for part in source.first(11)) == 12
        np.testing.assert_array_equal(np.concatenate(list(source.blocks())), ROWS)


def test_an_iterator_gives_its_first_batches_again_but_only_once():
    source = as_source(_batches(), 1)
    assert source.once
    assert source.count() is None
    assert sum(len(part) for part in source.first(11)) == 12
    np.testing.assert_array_equal(np.concatenate(list(source.blocks())), ROWS)
    with pytest.raises(ValueError, match=r"only once.*Pass a function that returns a new iterator"):
        source.blocks()


def test_what_fits_into_memory_is_no_source(disk):
    frame = pd.DataFrame(ROWS)
    sparse = torch.zeros(3, 2).to_sparse()
    inputs = [
        ROWS,
        ROWS.tolist(),
        frame,
        sparse,
        torch.zeros(3, 2),
        [],
        "text",
        {"a": ROWS},
        3,
        None,
    ]
    for X in inputs:
        assert as_source(X, 1) is None
    assert as_source(disk, 35) is None
    assert isinstance(as_source(disk, 34), StoredRows)
    assert isinstance(as_source(Chunked(ROWS, (5, 2)), 34), StoredRows)
    assert isinstance(as_source([frame, frame], 1), BatchedRows)


def test_sequences_are_refused_with_how_to_make_rows_of_them():
    cube = np.random.default_rng(0).normal(size=(4, 5, 2))
    message = r"X has shape \(4, 5, 2\), but rows .* Pass X\.reshape\(-1, 2\)"
    for X in (cube, [cube, cube], iter([cube]), torch.tensor(cube)):
        with pytest.raises(ValueError, match=message):
            SparseAutoencoder(4, k=1, max_iter=1).fit(X)
    model = SparseAutoencoder(4, k=1, max_iter=1).fit(cube.reshape(-1, 2))
    with pytest.raises(ValueError, match=message):
        model.transform(cube)
    with pytest.raises(ValueError, match=r"Pass y\.reshape\(-1, 2\)"):
        Transcoder(4, k=1).fit(cube[:, 0], cube)
