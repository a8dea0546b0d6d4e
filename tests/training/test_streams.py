import tracemalloc

import numpy as np
import pytest
import torch

from skdyn.training import ShuffledStream, new_generator


def _blocks(sizes):
    ends = np.cumsum(sizes)
    for end, size in zip(ends, sizes, strict=True):
        cases = np.arange(end - size, end)
        yield cases, np.stack([cases, -cases], axis=1).astype("f")


def _stream(sizes, batch_size=4, buffer_size=16, seed=0):
    return ShuffledStream(lambda: _blocks(sizes), batch_size, new_generator(seed), buffer_size)


@pytest.mark.parametrize("sizes", [[100], [7] * 9, [1] * 33, [16, 16], [40, 1, 3], [5], [8, 0, 3]])
def test_every_case_comes_once_a_pass_and_arrays_stay_aligned(sizes):
    stream = _stream(sizes)
    for _ in range(2):
        batches = list(stream)
        seen = torch.cat([cases for cases, _ in batches])
        assert seen.sort().values.tolist() == list(range(sum(sizes)))
        assert stream.n_cases == sum(sizes)
        assert all(torch.equal(pair[:, 0], cases.float()) for cases, pair in batches)
        assert all(torch.equal(pair[:, 1], -cases.float()) for cases, pair in batches)


def test_all_batches_but_the_last_are_full():
    lengths = [len(cases) for cases, _ in _stream([13] * 7)]
    assert lengths == [4] * 22 + [3]


def test_the_generator_decides_the_order_which_differs_from_pass_to_pass():
    def passes(seed):
        stream = _stream([50], seed=seed)
        return [torch.cat([cases for cases, _ in stream]).tolist() for _ in range(2)]

    first, second = passes(0)
    assert first != second
    assert passes(0) == [first, second]
    assert passes(1) != [first, second]


def test_a_buffer_that_holds_everything_shuffles_as_well_as_memory():
    """Each case is equally likely at each place: a chi-square statistic near its expectation."""
    stream = _stream([4] * 3, batch_size=2, buffer_size=100)
    counts = torch.zeros(12, 12)
    for _ in range(1200):
        counts[torch.cat([cases for cases, _ in stream]), torch.arange(12)] += 1
    statistic = ((counts - 100) ** 2 / 100).sum().item()
    assert 80 < statistic < 170  # 121 degrees of freedom: mean 121, standard deviation 16


def test_a_small_buffer_mixes_cases_over_its_own_length_and_no_further():
    stream = _stream([10] * 200, batch_size=5, buffer_size=100)
    seen = torch.cat([cases for cases, _ in stream])
    shift = seen - torch.arange(2000)
    assert shift[:50].max() < 100  # nothing can leave before it came
    assert 20 < shift.float().std() < 200
    assert (seen.diff() != 1).float().mean() > 0.9


def test_without_blocks_there_are_no_batches():
    assert list(_stream([])) == []


def test_floats_take_the_type_of_the_example_and_integers_keep_theirs():
    stream = _stream([9])
    cases, pair = next(iter(stream.to(torch.zeros(1, dtype=torch.float64))))
    assert (cases.dtype, pair.dtype) == (torch.int64, torch.float64)
    assert next(iter(stream))[1].dtype == torch.float32


def test_memory_holds_the_buffer_and_not_the_stream():
    n_features, n_blocks = 64, 400

    def read():
        for _ in range(n_blocks):
            yield (np.ones((100, n_features), dtype="f"),)

    stream = ShuffledStream(read, 50, new_generator(0), 1000)
    tracemalloc.start()  # numpy's blocks: torch's buffer is of fixed size and not traced
    total = sum(float(batch.sum()) for (batch,) in stream)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == n_blocks * 100 * n_features
    assert peak < 10 * 100 * n_features * 4  # of 400 blocks, ten at most
