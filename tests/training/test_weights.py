import numpy as np
import torch

from skdyn.training import arrays_to_state, seeded_rng, state_to_arrays
from skdyn.training._weights import LastGood, Snapshot


def _module(seed=0, dtype=torch.float32):
    with seeded_rng(seed):
        return torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3)).to(dtype)


def test_arrays_rebuild_the_module_in_its_precision_without_gradients():
    module = _module(dtype=torch.float64).eval()
    arrays = state_to_arrays(module)
    assert all(isinstance(array, np.ndarray) for array in arrays.values())
    again = arrays_to_state(_module(seed=1), arrays)
    x = torch.ones(4, 2, dtype=torch.float64)
    assert torch.equal(again(x), module(x))
    assert not again.training
    assert not any(weight.requires_grad for weight in again.parameters())


def test_arrays_are_copied_in_so_the_module_owns_its_weights():
    arrays = state_to_arrays(_module())
    again = arrays_to_state(_module(seed=1), arrays)
    arrays["0.weight"][:] = 0
    assert again[0].weight.abs().sum() > 0


def test_a_snapshot_restores_parameters_and_buffers_in_place():
    module = _module()
    weight = module[0].weight
    snapshot = Snapshot([*module.parameters(), *module.buffers()])
    with torch.no_grad():
        weight.zero_()
        module[1].running_mean.fill_(9)
    snapshot.restore()
    assert module[0].weight is weight
    assert weight.abs().sum() > 0
    assert module[1].running_mean.abs().sum() == 0


def test_last_good_returns_to_where_the_last_whole_epoch_began():
    module = _module()
    good = LastGood(list(module.parameters()))

    def become(value):
        with torch.no_grad():
            module[0].weight.fill_(value)

    for value in (1.0, 2.0):  # two epochs succeed, from weights 1 and 2
        become(value)
        good.begin()
        good.commit()
    become(3.0)
    good.begin()  # the third fails
    become(float("nan"))
    good.restore()
    assert module[0].weight.unique().item() == 2.0
