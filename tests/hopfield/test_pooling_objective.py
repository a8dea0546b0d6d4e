import pytest
import torch

from skdyn.hopfield._bag_batches import BagStore, Description
from skdyn.hopfield._pooling import HopfieldPooling
from skdyn.hopfield._pooling_objective import PoolingObjective
from skdyn.training import new_generator

ROWS = torch.randn(7, 3, generator=new_generator(0))
ONE = torch.ones(1)
PLAIN = Description(ROWS[:0], 1.0, torch.zeros(3), torch.ones(3), 0 * ONE, ONE)
MODULE = HopfieldPooling(3, 0, 1, 2, 5, "softmax", n_models=2).eval()
Y, WEIGHT = torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([1.0, 2.0, 0.5])


def squares(outputs, y):
    return (outputs - y).square().mean(dim=1)


def objective(*sizes):
    made = PoolingObjective(squares, new_generator(0))
    parts = ROWS.split([sum(part) for part in sizes])
    numbers = [
        made.add(BagStore(rows, torch.tensor(part), PLAIN)) for rows, part in zip(parts, sizes)
    ]
    return made, numbers


def test_the_loss_is_the_weighted_mean_of_the_networks_losses():
    loss, (numbers,) = objective([2, 4, 1])
    outputs = MODULE.each(BagStore(ROWS, torch.tensor([2, 4, 1]), PLAIN).batch())
    expected = torch.stack([(squares(one, Y) * WEIGHT).mean() for one in outputs]).mean()
    torch.testing.assert_close(loss(MODULE, numbers, Y, WEIGHT), expected)
    turned = [2, 0, 1]
    again = loss(MODULE, numbers[turned], Y[turned], WEIGHT[turned])
    torch.testing.assert_close(again, expected)


def test_bags_that_are_watched_are_those_of_the_second_store():
    both, (_, watched) = objective([2, 1], [4])
    alone = PoolingObjective(squares, new_generator(0))
    numbers = alone.add(BagStore(ROWS[3:], torch.tensor([4]), PLAIN))
    expected = alone(MODULE, numbers, Y[:1], WEIGHT[:1])
    torch.testing.assert_close(both(MODULE, watched, Y[:1], WEIGHT[:1]), expected)


def test_the_cost_follows_the_instances():
    small, large = objective([1, 1], [5])[0], objective([3, 4])[0]
    ratio = large.multiply_adds(MODULE, (2,)) / small.multiply_adds(MODULE, (2,))
    assert ratio == pytest.approx(4, rel=0.15)
