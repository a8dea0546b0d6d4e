import numpy as np
import pytest
import torch

from skdyn.training import arrays_to_state, seeded_rng, state_to_arrays
from skdyn.training._weights import BestWeights, Snapshot


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


@pytest.mark.parametrize(("before", "kept"), [(True, 2.0), (False, 2.5)])
def test_the_best_weights_are_those_an_epochs_loss_belongs_to(before, kept):
    module = _module()
    best = BestWeights(list(module.parameters()), before=before)

    def become(value):
        with torch.no_grad():
            module[0].weight.fill_(value)

    epochs = [(1.0, 1.5, 0.7), (2.0, 2.5, 0.2), (3.0, 3.5, 0.3), (4.0, 4.5, 0.2)]
    for epoch, (start, end, loss) in enumerate(epochs):
        become(start)
        best.begin()
        become(end)
        best.note(loss, epoch)
    become(float("nan"))
    best.restore()
    assert module[0].weight.unique().item() == kept
    assert (best.loss, best.epoch) == (0.2, 1)


def test_before_any_epoch_the_best_weights_are_the_first():
    module = _module()
    first = module[0].weight.detach().clone()
    best = BestWeights(list(module.parameters()), before=True)
    best.begin()
    with torch.no_grad():
        module[0].weight.fill_(7.0)
    best.restore()
    assert torch.equal(module[0].weight, first)
    assert best.epoch is None


def test_best_weights_know_their_tensors_from_others():
    module = _module()
    best = BestWeights(list(module.parameters()), before=False)
    assert best.holds(list(module.parameters()))
    module[0].weight = torch.nn.Parameter(module[0].weight.detach().clone())
    assert not best.holds(list(module.parameters()))
