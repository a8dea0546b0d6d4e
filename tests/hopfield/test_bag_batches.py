import pytest
import torch

from skdyn.hopfield import _bag_batches
from skdyn.hopfield._bag_batches import BagStore, Description
from skdyn.hopfield._separations import as_separation

SIZES = torch.tensor([2, 4, 1])
ROWS = torch.randn(7, 3, generator=torch.Generator().manual_seed(0))
ONE = torch.ones(1)
PLAIN = Description(ROWS[:0], 1.0, torch.zeros(3), torch.ones(3), 0 * ONE, ONE)


@pytest.mark.parametrize("kept", [0, 10**6])
def test_a_batch_holds_the_bags_in_the_order_asked_for(kept, monkeypatch):
    monkeypatch.setattr(_bag_batches, "_KEPT", kept)
    store = BagStore(ROWS, SIZES, PLAIN)
    for numbers in (None, [0, 1, 2], [2, 0], [1]):
        chosen = None if numbers is None else torch.tensor(numbers)
        batch = store.batch(chosen)
        parts = [ROWS.split(SIZES.tolist())[k] for k in numbers or [0, 1, 2]]
        torch.testing.assert_close(batch.described(slice(0, 9)), torch.cat(parts))
        assert batch.bag.tolist() == [k for k, part in enumerate(parts) for _ in part]


def test_a_softmax_by_bag_is_that_of_each_padded_bag():
    batch = BagStore(ROWS, SIZES, PLAIN).batch()
    scores = 30 * ROWS
    by_index = batch.weights(as_separation("softmax"), scores)
    padded = torch.nn.utils.rnn.pad_sequence(
        scores.split(SIZES.tolist()), batch_first=True, padding_value=-torch.inf
    )
    expected = torch.cat([part[:n] for part, n in zip(padded.softmax(1), SIZES)])
    torch.testing.assert_close(by_index, expected)


def test_some_instances_of_each_bag_are_drawn_and_small_bags_stay_whole():
    instances, sizes = torch.arange(30.0)[:, None], torch.tensor([2, 20, 8])
    nothing = torch.zeros(1)
    description = Description(torch.empty(0, 1), 1.0, nothing, nothing + 1, torch.zeros(3),
                              torch.ones(3))  # fmt: skip
    store = BagStore(instances, sizes, description, for_training=True)
    generator, seen = torch.Generator().manual_seed(0), set()
    for _ in range(30):
        batch = store.batch(torch.tensor([1, 0]), generator, max_instances=3)
        assert batch.sizes.tolist() == [3, 2]
        rows = batch.described(slice(0, 5))[:, 0].tolist()
        assert rows[3:] == [0, 1]
        assert len(set(rows[:3]) & set(range(2, 22))) == 3
        seen |= set(rows[:3])
        whole = store.batch().raw_statistics()[[1, 0]]
        torch.testing.assert_close(batch.statistics, whole)  # though few are seen
    assert seen == set(range(2, 22))
