import numpy as np
import pytest

from skdyn import _blocks
from skdyn._blocks import evenly, in_blocks

rows = np.random.default_rng(0).normal(size=(10, 3)).astype(np.float32)


@pytest.fixture(params=[1, 4, 1000])
def numbers(request, monkeypatch):
    monkeypatch.setattr(_blocks, "_NUMBERS", 3 * request.param)
    return 3 * request.param


def test_the_result_is_that_of_all_rows_at_once(numbers):
    offset = np.array([1.0, 2.0, 3.0])
    assert np.array_equal(in_blocks(lambda part: part - offset, rows), rows - offset)


def test_the_function_never_sees_more_than_a_block(numbers):
    seen = []
    in_blocks(lambda part: seen.append(len(part)) or part, rows)
    assert sum(seen) == len(rows)
    assert max(seen) <= max(1, numbers // 3)


def test_floating_results_take_the_precision_asked_for_and_others_keep_theirs(numbers):
    exact = rows.astype(np.float64) / 3
    single = in_blocks(lambda part: part.astype(np.float64) / 3, rows, "float32")
    assert single.dtype == np.float32
    assert np.array_equal(single, exact.astype(np.float32))
    labels = in_blocks(lambda part: (part[:, 0] > 0).astype(np.int64), rows, "float32")
    assert labels.dtype == np.int64


def test_no_rows_give_no_rows(numbers):
    assert in_blocks(lambda part: part + 1, rows[:0], "float32").shape == (0, 3)


@pytest.mark.parametrize("n_rows", [0, 1, 2**16, 2**16 + 1, 10**6, 10**7])
def test_few_rows_are_all_taken_and_many_evenly_from_end_to_end(n_rows):
    taken = range(n_rows)[evenly(n_rows)]
    assert min(n_rows, 2**15) <= len(taken) <= 2**16
    assert taken.step == 1 or n_rows > 2**16
    assert n_rows - len(taken) * taken.step < taken.step
