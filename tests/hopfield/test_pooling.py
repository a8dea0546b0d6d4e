import numpy as np
import pytest
import torch

from skdyn.hopfield import _bag_batches
from skdyn.hopfield._bag_batches import BagBatch
from skdyn.hopfield._pooling import HopfieldPooling
from skdyn.hopfield._separations import SEPARATIONS

rng = np.random.default_rng(0)
SIZES = [3, 1, 5]
INSTANCES = torch.from_numpy(rng.normal(size=(9, 4)))


def network(separation="softmax", n_statistics=12, **settings):
    module = HopfieldPooling(
        4, n_statistics, 2, n_states=3, n_components=5, separation=separation, **settings
    ).double()
    for one in module._networks():
        torch.nn.init.normal_(one.log_beta)
    return module


def batch(instances=INSTANCES, sizes=SIZES):
    return BagBatch(lambda rows: instances[rows], torch.tensor(sizes), instances.shape[1])


@pytest.mark.parametrize("separation", sorted(SEPARATIONS))
def test_weights_sum_to_one_in_each_bag(separation):
    weights = network(separation, n_models=2).weights(batch())
    assert weights.shape == (9, 6)
    assert (weights >= 0).all()
    sums = torch.stack([part.sum(0) for part in weights.split(SIZES)])
    torch.testing.assert_close(sums, torch.ones(3, 6, dtype=torch.float64))


@pytest.mark.parametrize("separation", sorted(SEPARATIONS))
def test_order_within_a_bag_and_company_do_not_matter(separation):
    module = network(separation)
    expected = module(batch())
    turned = INSTANCES[[2, 0, 1, 3, 8, 7, 4, 6, 5]]
    torch.testing.assert_close(module(batch(turned)), expected)
    torch.testing.assert_close(module(batch(INSTANCES[:3], [3])), expected[:1])


def test_a_bag_whose_instances_all_come_twice_is_the_same_bag():
    module = network()
    expected = module(batch())
    twice = INSTANCES.repeat_interleave(2, dim=0)
    torch.testing.assert_close(module(batch(twice, [6, 2, 10])), expected)


def test_it_is_the_attention_of_torch_over_padded_bags():
    module = network(n_statistics=0, hidden_layer_sizes=(6,))
    torch.nn.init.zeros_(module.log_beta)
    padded = torch.nn.utils.rnn.pad_sequence(INSTANCES.split(SIZES), batch_first=True)
    there = torch.arange(5) < torch.tensor(SIZES)[:, None]
    embedded = module.norm(torch.relu(module.layers[0](padded)))
    retrieved = torch.nn.functional.scaled_dot_product_attention(
        module.states.expand(3, -1, -1), module.key(embedded), module.value(embedded),
        attn_mask=there[:, None].expand(-1, 3, -1),
    )  # fmt: skip
    torch.testing.assert_close(module(batch()), module.head(retrieved.flatten(1)))


def test_a_bag_of_one_instance_is_a_network_on_that_instance():
    module = network(n_statistics=0, hidden_layer_sizes=(6, 3))
    row = INSTANCES[3:4]
    for layer in module.layers:
        row = torch.relu(layer(row))
    expected = module.head(module.value(module.norm(row)).repeat(1, 3))
    torch.testing.assert_close(module(batch())[1:2], expected)


def test_statistics_of_bags_go_to_the_head():
    found = batch().statistics
    bags = INSTANCES.split(SIZES)
    expected = [torch.cat([b.amin(0), b.mean(0), b.amax(0)]) for b in bags]
    torch.testing.assert_close(found, torch.stack(expected))


@pytest.mark.parametrize("separation", sorted(SEPARATIONS))
def test_blocks_change_neither_outputs_nor_gradients(separation, monkeypatch):
    module = network(separation, hidden_layer_sizes=(6,), n_models=2)
    results = []
    for size in (_bag_batches._DESCRIBED, 8):
        monkeypatch.setattr(_bag_batches, "_DESCRIBED", size)
        module.zero_grad()
        outputs = module(batch())
        outputs.square().sum().backward()
        gradients = [weight.grad.clone() for weight in module.parameters()]
        results.append([outputs, module.weights(batch()), *gradients])
    assert len(batch().blocks(1)) == 5
    torch.testing.assert_close(*results)


def test_several_networks_answer_by_their_mean():
    module = network(n_models=3)
    outputs = module.each(batch())
    assert outputs.shape == (3, 3, 2)
    assert outputs.std(dim=0).min() > 0
    torch.testing.assert_close(module(batch()), outputs.mean(dim=0))


def test_units_are_left_out_for_a_whole_bag_in_training_only():
    module = network(n_statistics=0, hidden_layer_sizes=(50,), dropout=0.5).train()
    masks = module._masks(batch())[0]
    assert masks.shape == (3, 50)
    assert set(masks.unique().tolist()) == {0.0, 2.0}
    assert not torch.equal(module(batch()), module(batch()))
    module.eval()
    assert torch.equal(module(batch()), module(batch()))


def test_a_large_beta_takes_the_best_instance_alone():
    module = network()
    torch.nn.init.constant_(module.log_beta, 12.0)
    best = [part.amax(0) for part in module.weights(batch()).split(SIZES)]
    torch.testing.assert_close(torch.stack(best), torch.ones(3, 3, dtype=torch.float64))


@pytest.mark.parametrize("separation", sorted(SEPARATIONS))
def test_every_weight_learns(separation):
    module = network(separation, hidden_layer_sizes=(6,))
    module(batch()).square().sum().backward()
    for name, weight in module.named_parameters():
        assert torch.isfinite(weight.grad).all(), name
        assert weight.grad.abs().sum() > 0, name
