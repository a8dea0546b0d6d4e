import numpy as np
import torch
from sklearn.metrics.pairwise import rbf_kernel

from skdyn.hopfield import _descriptions
from skdyn.hopfield._bag_batches import BagStore, Description
from skdyn.hopfield._bags import Bags
from skdyn.hopfield._descriptions import describe, learn_instance_scales, spread_references

rng = np.random.default_rng(0)
ROWS = rng.normal(size=(40, 3)) * [1.0, 5.0, 1e-3] + [0.0, 3.0, 7.0]
SIZES = [5] * 8


def scaled(rows, scales):
    return ((rows - scales.offset) / scales.scale).clip(*scales.limits)


def test_a_value_far_away_is_held_in_and_the_rest_keeps_its_size():
    rows = np.concatenate([ROWS, [[1e3, 0.0, 0.0]]])
    found = scaled(rows, learn_instance_scales(rows, None, 1.0))
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(found.std(axis=0), 1, atol=1e-9)
    plain = scaled(rows, learn_instance_scales(rows, None, None))
    assert found[:40, 0].std() > 3 * plain[:40, 0].std()
    assert found.max() < plain.max()


def test_a_weight_of_two_is_an_instance_twice():
    twice = learn_instance_scales(np.concatenate([ROWS, ROWS[:10]]), None, 2.0)
    weighed = learn_instance_scales(ROWS, np.repeat([2.0, 1.0], [10, 30]), 2.0)
    for found, expected in zip(weighed, twice, strict=True):
        np.testing.assert_allclose(found, expected)


def test_blocks_change_nothing(monkeypatch):
    expected = learn_instance_scales(ROWS, None, 2.0)
    bags = Bags(ROWS, SIZES)
    learned = describe(bags, None, ROWS[:4], 0.1)
    monkeypatch.setattr(_descriptions, "_NUMBERS", 30)
    for found, wanted in zip(learn_instance_scales(ROWS, None, 2.0), expected, strict=True):
        np.testing.assert_allclose(found, wanted)
    for found, wanted in zip(describe(bags, None, ROWS[:4], 0.1), learned, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-12)


def test_references_are_different_rows_in_whatever_order_they_come():
    once = spread_references(ROWS, 7, np.random.RandomState(0))
    turned = np.concatenate([ROWS[::-1], ROWS])
    np.testing.assert_array_equal(spread_references(turned, 7, np.random.RandomState(0)), once)
    assert len(np.unique(spread_references(turned, 99, np.random.RandomState(0)), axis=0)) == 40
    assert len(spread_references(ROWS, 0, np.random.RandomState(0))) == 0


def test_likeness_is_a_kernel_and_standardized_over_the_data():
    references = torch.as_tensor(ROWS[:4])
    raw = Description(references, 0.1, *[torch.zeros(1)] * 4)
    like = raw.unscaled(torch.as_tensor(ROWS)).numpy()
    np.testing.assert_allclose(like, rbf_kernel(ROWS, ROWS[:4], 0.1))
    scales = map(torch.as_tensor, describe(Bags(ROWS, SIZES), None, ROWS[:4], 0.1))
    description = Description(references, 0.1, *scales)
    batch = BagStore(torch.as_tensor(ROWS), torch.tensor(SIZES), description).batch()
    for numbers in (batch.described(slice(0, 40)), batch.statistics):
        torch.testing.assert_close(numbers.mean(0), torch.zeros(numbers.shape[1]).double())
        torch.testing.assert_close(numbers.std(0, correction=0), torch.ones_like(numbers[0]))
