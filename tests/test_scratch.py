import numpy as np
import pytest

from skdyn import _blocks, _scratch
from skdyn._blocks import in_blocks
from skdyn._outliers import held_in
from skdyn._scratch import copy_of, lies_on_disk, taken, written

rows = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)


@pytest.fixture
def on_disk(monkeypatch, tmp_path):
    monkeypatch.setattr(_scratch, "_LARGE", 100)
    monkeypatch.setattr(_scratch, "_BLOCK", 21)
    monkeypatch.setattr(_blocks, "_NUMBERS", 21)
    rows.tofile(tmp_path / "rows")
    return np.memmap(tmp_path / "rows", np.float32, "r", shape=rows.shape)


def test_only_large_arrays_with_their_numbers_in_a_file_lie_on_disk(on_disk):
    assert lies_on_disk(on_disk)
    assert lies_on_disk(np.asarray(on_disk)[::2])
    assert not lies_on_disk(on_disk[:3])
    assert not lies_on_disk(on_disk[np.arange(40)])
    assert not lies_on_disk(rows)


@pytest.mark.parametrize("large", [0, 100, 10**6])
def test_blocks_are_put_one_after_the_other_wherever_they_lie(monkeypatch, large):
    monkeypatch.setattr(_scratch, "_LARGE", large)
    made = written(np.array_split(rows, 7))
    assert np.array_equal(made, rows)
    assert made.dtype == rows.dtype
    assert lies_on_disk(made) == (large < rows.nbytes)
    made[0] = 7.0  # may be written to
    assert made[0, 1] == 7.0


def test_what_is_made_of_rows_on_disk_is_on_disk(on_disk):
    some = np.array([3, 1, 39, *range(20)])
    half = in_blocks(lambda part: part / 2, on_disk, "float64")
    for made, wanted in (
        (taken(on_disk, some), rows[some]),
        (copy_of(on_disk), rows),
        (half, (rows / 2).astype(np.float64)),
    ):
        assert lies_on_disk(made)
        assert np.array_equal(made, wanted)
    assert taken(on_disk, np.arange(0)).shape == (0, 3)


def test_far_values_on_disk_are_held_in_without_touching_the_file(on_disk):
    far = written([rows, np.full((1, 3), 1e6, np.float32)])
    with pytest.warns(UserWarning, match="far from all others"):
        held = held_in(far, None, "X", edge=2.0)
    assert lies_on_disk(held)
    assert held.max() < 100
    assert far.max() == 1e6


def test_a_full_disk_is_told_with_what_to_do(on_disk, monkeypatch):
    class Full:
        def write(self, data):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(_scratch.tempfile, "TemporaryFile", Full)
    with pytest.raises(OSError, match="set TMPDIR"):
        copy_of(on_disk)
