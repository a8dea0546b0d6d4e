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


def test_the_budget_of_the_batch_is_met_exactly_by_its_largest():
    mask = _mask("batch_topk")
    assert mask.sum() == 3 * 40
    assert PRE[mask].min() > PRE[~mask].max()


def test_the_threshold_lies_between_the_active_and_the_others():
    coder = _coder("batch_topk")
    mask = _mask("batch_topk", coder=coder)
    middle = (PRE[mask].min() + PRE[~mask].max()) / 2
    torch.testing.assert_close(coder.threshold, middle.expand(24))
