import warnings
from itertools import chain

import numpy as np
import pytest
import torch

from skdyn.training import TensorBatches, _batches, new_generator, to_tensor


def _tensors(n):
    return torch.arange(n), torch.arange(n) * 10


def test_every_case_comes_once_an_epoch_and_tensors_stay_aligned():
    batches = list(TensorBatches(_tensors(10), 4, new_generator(0)))
    assert [len(batch[0]) for batch in batches] == [4, 4, 2]
    seen = torch.cat([batch[0] for batch in batches])
    assert seen.sort().values.tolist() == list(range(10))
    assert all(torch.equal(batch[1], batch[0] * 10) for batch in batches)


def test_each_epoch_has_another_order_and_the_generator_decides_it():
    def epochs(seed):
        batches = TensorBatches(_tensors(50), 10, new_generator(seed))
        return [torch.cat([batch[0] for batch in batches]).tolist() for _ in range(2)]

    first, second = epochs(0)
    assert first != second
    assert epochs(0) == [first, second]
    assert epochs(1) != [first, second]


def test_what_is_gathered_at_once_is_bounded_and_changes_no_batch(monkeypatch):
    tensors = torch.arange(50), torch.arange(150).reshape(50, 3)  # four numbers a case

    def epoch(most):
        monkeypatch.setattr(_batches, "_GATHERED", most)
        return list(TensorBatches(tensors, 7, new_generator(0)))

    at_once, by_two, one_by_one = (epoch(most) for most in (10**6, 4 * 7 * 2, 1))
    for batches in (by_two, one_by_one):
        assert all(map(torch.equal, chain(*batches), chain(*at_once)))
    held = [
        {batch[1].untyped_storage().nbytes() // 24 for batch in e} for e in (by_two, one_by_one)
    ]
    assert held == [{14, 8}, {7, 1}]  # cases in the memory behind a batch


def test_without_a_generator_the_order_is_kept():
    order = torch.cat([batch[0] for batch in TensorBatches(_tensors(7), 3)])
    assert order.tolist() == list(range(7))


def test_a_batch_of_everything_is_the_tensors_themselves():
    tensors = _tensors(5)
    (batch,) = TensorBatches(tensors, 99, new_generator(0))
    assert batch[0] is tensors[0]
    assert len(TensorBatches(tensors, 99)) == 1


def test_batches_are_views_not_copies():
    tensors = _tensors(6)
    batch = next(iter(TensorBatches(tensors, 3)))
    assert batch[0].data_ptr() == tensors[0].data_ptr()


@pytest.fixture
def every_warning_an_error():
    """Torch warns of this once a process unless told to warn always."""
    before = torch.is_warn_always_enabled()
    torch.set_warn_always(True)
    with warnings.catch_warnings(action="error"):
        yield
    torch.set_warn_always(before)


def test_arrays_that_nobody_may_write_to_are_copied_without_a_warning(every_warning_an_error):
    array = np.arange(6.0).reshape(2, 3)
    array.flags.writeable = False
    tensor = to_tensor(array)
    tensor += 1.0
    assert array.ravel().tolist() == list(range(6))
    assert tensor.flatten().tolist() == list(range(1, 7))


def test_other_arrays_and_tensors_share_their_memory():
    array, tensor = np.zeros(3), torch.zeros(3)
    to_tensor(array)[0] = 5.0
    assert array[0] == 5.0
    assert to_tensor(tensor) is tensor


def test_arrays_that_run_backwards_are_copied():
    rows = np.arange(6.0).reshape(3, 2)
    for turned in (rows[::-1], rows[:, ::-1], np.flip(rows)):
        np.testing.assert_array_equal(to_tensor(turned).numpy(), turned)
    assert to_tensor(rows).data_ptr() == rows.ctypes.data
