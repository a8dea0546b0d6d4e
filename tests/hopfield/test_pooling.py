import numpy as np
import pytest
import torch

from skdyn.hopfield._bags import pad
from skdyn.hopfield._pooling import HopfieldPooling
from skdyn.hopfield._separations import SEPARATIONS

rng = np.random.default_rng(0)
SIZES = [3, 1, 5]
INSTANCES = rng.normal(size=(9, 4))
BAGS = torch.from_numpy(pad(INSTANCES, SIZES))
STATISTICS = torch.from_numpy(rng.normal(size=(3, 2)))


def network(separation="softmax"):
    module = HopfieldPooling(4, 2, 2, n_states=3, n_components=5, separation=separation).double()
    torch.nn.init.normal_(module.log_beta)
    return module


@pytest.mark.parametrize("separation", sorted(SEPARATIONS))
def test_weights_sum_to_one_and_padding_has_none(separation):
    weights = network(separation).weights(BAGS)
    assert weights.shape == (3, 3, 5)
    assert (weights >= 0).all()
    torch.testing.assert_close(weights.sum(-1), torch.ones(3, 3, dtype=torch.float64))
    assert weights[0, :, 3:].abs().sum() == weights[1, :, 1:].abs().sum() == 0


@pytest.mark.parametrize("separation", sorted(SEPARATIONS))
def test_order_within_a_bag_padding_and_company_do_not_matter(separation):
    module = network(separation)
    expected = module(BAGS, STATISTICS)
    turned = BAGS[:, [4, 2, 0, 3, 1]]
    torch.testing.assert_close(module(turned, STATISTICS), expected)
    wider = torch.cat([BAGS, torch.full((3, 7, 4), torch.nan, dtype=torch.float64)], dim=1)
    torch.testing.assert_close(module(wider, STATISTICS), expected)
    torch.testing.assert_close(module(BAGS[:1, :3], STATISTICS[:1]), expected[:1])


def test_a_bag_of_one_instance_is_the_head_on_its_value():
    module = network()
    values = module.value(BAGS[1, :1]).repeat(1, 3)
    expected = module.head(torch.cat([values, STATISTICS[1:2]], dim=1))
    torch.testing.assert_close(module(BAGS, STATISTICS)[1:2], expected)


def test_it_is_the_attention_of_torch_over_each_bag():
    module = network()
    torch.nn.init.zeros_(module.log_beta)
    for number, bag in enumerate(np.split(INSTANCES, np.cumsum(SIZES)[:-1])):
        bag = torch.from_numpy(bag)
        retrieved = torch.nn.functional.scaled_dot_product_attention(
            module.states, module.key(bag), module.value(bag)
        )
        expected = module.head(torch.cat([retrieved.flatten(), STATISTICS[number]]))
        torch.testing.assert_close(module(BAGS, STATISTICS)[number], expected)


def test_a_large_beta_takes_the_best_instance_alone():
    module = network()
    torch.nn.init.constant_(module.log_beta, 12.0)
    weights = module.weights(BAGS)
    torch.testing.assert_close(weights.amax(-1), torch.ones(3, 3, dtype=torch.float64))


@pytest.mark.parametrize("separation", sorted(SEPARATIONS))
def test_every_weight_learns(separation):
    module = network(separation)
    module(BAGS, STATISTICS).square().sum().backward()
    for name, weight in module.named_parameters():
        assert torch.isfinite(weight.grad).all(), name
        assert weight.grad.abs().sum() > 0, name
