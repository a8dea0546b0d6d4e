import pytest
import torch

from skdyn.hopfield import layers
from skdyn.hopfield._separations import SEPARATIONS
from skdyn.hopfield.layers import HopfieldAssociation, HopfieldPooling

generator = torch.Generator().manual_seed(0)
STATES = torch.randn(3, 4, 8, generator=generator)
STORED = torch.randn(3, 10, 5, generator=generator)
MASK = torch.rand(3, 10, generator=generator) < 0.6


def test_both_layers_are_public():
    assert layers.__all__ == ["HopfieldAssociation", "HopfieldPooling"]


def test_with_softmax_it_is_attention_of_several_heads():
    torch.manual_seed(0)
    layer = HopfieldAssociation(8, n_heads=2)
    peer = torch.nn.MultiheadAttention(8, 2, batch_first=True)
    with torch.no_grad():
        parts = layer.query, layer.key, layer.value
        peer.in_proj_weight.copy_(torch.cat([part.weight for part in parts]))
        key = torch.zeros(8)
        peer.in_proj_bias.copy_(torch.cat([layer.query.bias, key, layer.value.bias]))
        peer.out_proj.load_state_dict(layer.out.state_dict())
    mask = MASK[:, :4].clone()
    mask[:, 0] = True
    wanted, weights = peer(
        STATES, STATES, STATES, key_padding_mask=~mask, average_attn_weights=False
    )
    torch.testing.assert_close(layer(STATES, mask=mask), wanted)
    torch.testing.assert_close(layer.weights(STATES, STATES, mask), weights)


@pytest.mark.parametrize("separation", SEPARATIONS)
def test_what_is_masked_is_as_if_it_were_not_there(separation):
    layer = HopfieldAssociation(8, 5, 3, n_heads=2, separation=separation)
    found = layer(STATES, STORED, MASK)
    for bag in range(3):
        alone = layer(STATES[bag], STORED[bag][MASK[bag]])
        torch.testing.assert_close(found[bag], alone)
    by_state = MASK[:, None].expand(-1, 4, -1)
    torch.testing.assert_close(layer(STATES, STORED, by_state), found)


@pytest.mark.parametrize("separation", SEPARATIONS)
def test_bags_of_any_size_become_rows_and_nothing_is_no_nan(separation):
    layer = HopfieldPooling(5, 2, n_states=3, separation=separation)
    mask = MASK.clone()
    mask[1] = False
    rows = layer(STORED, mask)
    assert rows.shape == (3, 2)
    weights = layer.weights(STORED, mask)
    assert weights.shape == (3, 3, 10)
    torch.testing.assert_close(weights.sum(dim=2)[[0, 2]], torch.ones(2, 3))
    assert (weights[1] == 0).all()
    order = torch.randperm(10, generator=generator)
    torch.testing.assert_close(layer(STORED[:, order], mask[:, order]), rows)
    rows.sum().backward()
    assert all(torch.isfinite(part.grad).all() for part in layer.parameters())


def test_a_state_dict_brings_a_layer_back_and_all_of_it_is_learned():
    layer, other = HopfieldPooling(5, 2), HopfieldPooling(5, 2)
    other.load_state_dict(layer.state_dict())
    torch.testing.assert_close(other(STORED, MASK), layer(STORED, MASK))
    layer(STORED, MASK).square().sum().backward()
    assert all(part.grad.abs().sum() > 0 for part in layer.parameters())
