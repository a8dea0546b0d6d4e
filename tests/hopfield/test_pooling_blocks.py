import numpy as np
import pytest
import torch

from skdyn.hopfield import _bag_batches
from skdyn.hopfield._bag_batches import BagBatch
from skdyn.hopfield._pooling import HopfieldPooling
from skdyn.hopfield._separations import SEPARATIONS

SIZES = torch.tensor([3, 1, 5])
INSTANCES = torch.from_numpy(np.random.default_rng(0).normal(size=(9, 4)))


def answer(module):
    batch = BagBatch(
        lambda rows: INSTANCES[rows], SIZES, 4, generator=torch.Generator().manual_seed(0)
    )
    return batch, module.each(batch)


@pytest.mark.parametrize("separation", sorted(SEPARATIONS))
@pytest.mark.parametrize("layers", [(), (6, 5)])
def test_blocks_give_the_answers_and_gradients_of_the_whole(separation, layers, monkeypatch):
    torch.manual_seed(0)
    module = HopfieldPooling(
        4, 0, 2, 3, 5, separation, hidden_layer_sizes=layers, dropout=0.3, n_models=2
    ).double()
    found = []
    for numbers in (_bag_batches._EMBEDDED, 40):
        monkeypatch.setattr(_bag_batches, "_EMBEDDED", numbers)
        batch, outputs = answer(module)
        assert (len(batch.blocks(module._width)) > 1) == (numbers == 40)
        module.zero_grad()
        outputs.square().sum().backward()
        found.append([outputs.detach(), *(p.grad for p in module.parameters())])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)


def test_a_second_pass_back_is_refused(monkeypatch):
    monkeypatch.setattr(_bag_batches, "_EMBEDDED", 40)
    module = HopfieldPooling(4, 0, 2, 3, 5, "softmax").double()
    total = answer(module)[1].sum()
    total.backward(retain_graph=True)
    with pytest.raises(RuntimeError, match="overwritten by the first pass back"):
        total.backward()
