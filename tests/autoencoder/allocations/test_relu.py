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


def test_whatever_is_positive_is_active():
    assert torch.equal(_mask("relu"), PRE > 0)


def test_the_penalty_is_the_mean_sum_of_the_codes_a_feature():
    coder = _coder("relu")
    x = torch.randn(40, 8, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    coded = coder.training_codes(x, 3, 0.0)
    penalty = coder.allocation.penalty(coded, coder, x, 3, 0.7)
    expected = 0.7 * torch.relu(coded.dense).sum(dim=1).mean() / 8
    torch.testing.assert_close(penalty, expected)
