"""What a process alone does; several are tried in tests/scale/test_data_parallel.py."""

import torch

from skdyn.training._group import Alone, current_group, training_in


def test_one_process_has_every_batch_to_itself():
    weight = torch.ones(2, requires_grad=True)

    def loss_of(batch):
        loss = (weight * batch[0]).sum()
        loss.backward()
        return loss

    assert Alone().mean(loss_of, (torch.arange(2.0),), [weight]) == 1
    assert weight.grad is not None
    assert weight.grad.tolist() == [0, 1]
    assert Alone().any(True)
    assert not Alone().any(False)


def test_a_group_holds_within_its_block_only():
    group = Alone()
    with training_in(group):
        assert current_group() is group
    assert current_group() is not group
