import copy
import gc
import weakref

import pytest
import torch
from torch.nn.utils import vector_to_parameters

from skdyn.training import OPTIMIZERS, in_precision
from skdyn.training._twins import _TWINS

X = torch.linspace(-1, 1, 6, dtype=torch.float64).reshape(2, 3)


def network():
    module = torch.nn.Sequential(
        torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Tanh(), torch.nn.Linear(4, 1)
    )
    return module.eval().requires_grad_(False)


def answer_of_a_fresh_copy(module):
    return copy.deepcopy(module).double()(X)


def in_place(module):
    module[0].weight.mul_(2.0)


def in_inference_mode(module):
    with torch.inference_mode():
        module[0].weight.mul_(2.0)


def of_a_buffer(module):
    module[1].running_mean.add_(1.0)


def by_state_dict(module):
    module.load_state_dict({name: value + 1 for name, value in module.state_dict().items()})


def by_another_parameter(module):
    module[3].bias = torch.nn.Parameter(torch.ones(1), requires_grad=False)


def by_other_memory(module):
    module[3].weight.data = torch.ones(1, 4)


def by_one_vector(module):
    n_weights = sum(weight.numel() for weight in module.parameters())
    vector_to_parameters(torch.ones(n_weights), module.parameters())


def by_another_layer(module):
    module[2] = torch.nn.ReLU()


def by_one_more_layer(module):
    module.append(torch.nn.Tanh())


def by_a_hook(module):
    module[0].register_forward_hook(lambda layer, given, result: result + 1)


CHANGES = [
    in_place, in_inference_mode, of_a_buffer, by_state_dict, by_another_parameter,
    by_other_memory, by_one_vector, by_another_layer, by_one_more_layer, by_a_hook,
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_of_the_module_is_seen(change):
    module = network()
    before = in_precision(module, torch.float64)(X)
    change(module)
    after = in_precision(module, torch.float64)(X)
    assert torch.equal(after, answer_of_a_fresh_copy(module))
    assert not torch.equal(after, before)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_of_our_optimisers_is_seen_fused_or_not(name):
    module = network().requires_grad_(True)
    optimizer = OPTIMIZERS[name](module.parameters(), lr=0.1)
    for _ in range(2):
        in_precision(module, torch.float64)

        def loss():
            optimizer.zero_grad()
            value = module(X.float()).square().sum()
            value.backward()
            return value

        loss()
        optimizer.step(loss)
        found = in_precision(module, torch.float64)(X)
        assert torch.equal(found, answer_of_a_fresh_copy(module))


def test_nothing_is_copied_twice_while_nothing_changes():
    module = network()
    twin = in_precision(module, torch.float64)
    module(X.float())
    assert in_precision(module, torch.float64) is twin
    assert in_precision(module, torch.float32) is module


def test_the_twin_goes_with_its_module():
    module = network()
    twin = weakref.ref(in_precision(module, torch.float64))
    assert module in _TWINS
    del module
    gc.collect()
    assert twin() is None


def test_a_copy_of_the_module_does_not_share_its_twin():
    module = network()
    twin = in_precision(module, torch.float64)
    assert in_precision(copy.deepcopy(module), torch.float64) is not twin


def test_a_twin_made_in_inference_mode_can_be_differentiated():
    module = network()
    with torch.inference_mode():
        twin = in_precision(module, torch.float64)
    x = X.clone().requires_grad_(True)
    twin(x).sum().backward()
    assert x.grad.abs().sum() > 0


def test_weights_without_versions_are_copied_each_time():
    with torch.inference_mode():
        module = network()
        before = in_precision(module, torch.float64)(X)
        module[0].weight.mul_(2.0)
        after = in_precision(module, torch.float64)(X)
    assert not torch.equal(after, before)
