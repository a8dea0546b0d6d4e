import torch

from skdyn.autoencoder._network import SparseCoder
from skdyn.training import seeded_rng

PRE = torch.randn(40, 24, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def _coder(name, k=3, n_components=24, **settings):
    with seeded_rng(0):
        coder = SparseCoder(8, 8, n_components, k, name, tuple(settings.items())).double()
    coder.steps += 1
    return coder


def _mask(coder, progress):
    support = coder.allocation.choose(PRE, coder, 3, progress).support
    return support.scatter(PRE.new_ones(len(support.index))).bool()


def test_latents_choose_before_the_switch_only():
    coder = _coder("feature_then_mutual", switch=0.3)
    mask = _mask(coder, 0.29)
    assert torch.equal(mask.sum(dim=0), coder.allocation.quotas(coder, 40, 3))
    mask = _mask(coder, 0.3)
    assert torch.equal(mask, _mask(_coder("mutual_choice"), 0.3))


def test_one_threshold_for_all_replaces_each_ones_own_at_the_switch():
    coder = _coder("feature_then_mutual", switch=0.3)
    _mask(coder, 0.0)
    assert coder.threshold.unique().numel() > 1
    mask = _mask(coder, 0.5)
    middle = (PRE[mask].min() + PRE[~mask].max()) / 2
    torch.testing.assert_close(coder.threshold, middle.expand(24))
