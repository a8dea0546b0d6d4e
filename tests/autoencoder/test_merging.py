"""Units that say the same are one, and the network says what it said."""

import copy

import numpy as np
import pytest
import torch

from skdyn.autoencoder import merge_units
from skdyn.metrics import feature_complexity

ROWS = torch.randn(200, 4, generator=torch.Generator().manual_seed(0))
# Factors on the incoming weights under which a unit stays a multiple of itself.
CASES = [(torch.nn.ReLU(), 2.0), (torch.nn.Tanh(), -1.0), (torch.nn.GELU(), 1.0)]


def _network(between, factor, bias=True):
    torch.manual_seed(0)
    first, reader = torch.nn.Linear(4, 9), torch.nn.Linear(9, 3, bias=bias)
    with torch.no_grad():
        first.weight[5:] = factor * first.weight[1:5]
        first.bias[5:] = factor * first.bias[1:5]
        first.weight[0], first.bias[0] = 0.0, 1.0  # never changes
    last = torch.nn.Linear(3, 2)
    return torch.nn.Sequential(first, between, reader, torch.nn.Tanh(), last)


@pytest.mark.parametrize(("between", "factor"), CASES)
@pytest.mark.parametrize("bias", [True, False])
def test_duplicated_units_merge_exactly_and_the_output_is_unchanged(between, factor, bias):
    network = _network(between, factor, bias)
    before = copy.deepcopy(network.state_dict())
    merged = merge_units(network, ROWS, "2", tolerance=1e-6)
    assert merged.complexity == 4 / 9
    assert merged.stands_for[0] == -1
    torch.testing.assert_close(merged.network(ROWS), network(ROWS), rtol=0, atol=1e-5)
    assert merged.change < 1e-5
    idle = merged.stands_for != np.arange(9)
    assert (merged.network[2].weight[:, idle] == 0).all()
    assert all(torch.equal(weight, before[name]) for name, weight in network.state_dict().items())
    assert not network[2]._forward_pre_hooks


def test_an_iterator_and_axes_before_the_units_are_read():
    network = _network(*CASES[0])
    batches = iter(ROWS.view(4, 10, 5, 4))
    merged = merge_units(network, batches, "2")
    assert merged.complexity == merge_units(network, ROWS, "2").complexity
    with torch.no_grad():
        assert merged.complexity == feature_complexity(network[:2](ROWS).numpy())


def test_a_coarse_merge_tells_how_far_the_answers_move():
    network = _network(*CASES[0])
    merged = merge_units(network, ROWS, "2", tolerance=0.9)
    assert merged.complexity < 4 / 9
    with torch.no_grad():
        now, before = merged.network(ROWS), network(ROWS)
    moved = (now - before).square().mean().sqrt() / (before - before.mean(0)).square().mean().sqrt()
    assert merged.change == pytest.approx(moved.item(), rel=1e-4)
    assert merged.change > 0.01


def test_what_cannot_be_merged_is_refused():
    network = _network(*CASES[0])
    with pytest.raises(TypeError, match=r"reader='1' must name a torch\.nn\.Linear"):
        merge_units(network, ROWS, "1")
    with pytest.raises(ValueError, match="has no layer '9'"):
        merge_units(network, ROWS, "9")
    with pytest.raises(ValueError, match="'2' read nothing"):
        merge_units(network, [], "2")
