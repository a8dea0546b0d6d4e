import torch

from skdyn.autoencoder._network import SparseCoder
from skdyn.training import seeded_rng


def _coder(name, k=3, n_components=24, **settings):
    with seeded_rng(0):
        coder = SparseCoder(8, 8, n_components, k, name, tuple(settings.items())).double()
    coder.steps += 1
    return coder


PRE = torch.randn(40, 24, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def _mask(name, k=3, progress=0.0, pre=PRE, coder=None, **settings):
    coder = _coder(name, n_components=pre.shape[1], **settings) if coder is None else coder
    support = coder.allocation.choose(pre, coder, k, progress).support
    return support.scatter(pre.new_ones(len(support.index))).bool()


def test_every_row_has_exactly_its_k_largest():
    mask = _mask("topk")
    assert torch.equal(mask.sum(dim=1), torch.full((40,), 3))
    assert (torch.where(mask, PRE, 9).amin(1) > torch.where(mask, -9, PRE).amax(1)).all()


def test_inference_chooses_as_training_does():
    coder = _coder("topk")
    support = coder.allocation.select(PRE, coder)
    chosen = support.scatter(PRE.new_ones(len(support.index))).bool()
    assert torch.equal(chosen, _mask("topk"))
