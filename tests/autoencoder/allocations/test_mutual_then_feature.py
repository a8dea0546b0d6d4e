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


def test_latents_choose_after_the_switch_only():
    coder = _coder("mutual_then_feature", switch=0.3)
    assert torch.equal(
        _mask("mutual_then_feature", progress=0.29, coder=coder), _mask("mutual_choice")
    )
    assert coder.threshold.unique().numel() == 1
    mask = _mask("mutual_then_feature", progress=0.3, coder=coder)
    assert torch.equal(mask.sum(dim=0), coder.allocation.quotas(coder, 40, 3))


def test_thresholds_of_mutual_choice_are_forgotten_at_the_switch():
    coder = _coder("mutual_then_feature", switch=0.3)
    _mask("mutual_then_feature", progress=0.0, coder=coder)
    mask = _mask("mutual_then_feature", progress=0.5, coder=coder)
    smallest = torch.where(mask, PRE, torch.inf).amin(dim=0)
    largest_left = torch.where(mask, -torch.inf, PRE).amax(dim=0)
    seen = mask.any(dim=0)
    expected = (smallest + largest_left) / 2
    torch.testing.assert_close(coder.threshold[seen], expected[seen])
