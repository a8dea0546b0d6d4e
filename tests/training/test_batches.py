import torch

from skdyn.training import TensorBatches, new_generator


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
