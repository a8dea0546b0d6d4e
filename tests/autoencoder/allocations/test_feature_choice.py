import pytest
import torch

from skdyn.autoencoder._network import SparseCoder
from skdyn.autoencoder.allocations._feature_choice import by_depth
from skdyn.autoencoder.allocations._zipf import zipf_shares
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


def test_each_latent_takes_its_quota_of_the_rows_it_matches_best():
    coder = _coder("feature_choice")
    mask = _mask("feature_choice", coder=coder)
    quotas = coder.allocation.quotas(coder, 40, 3)
    assert torch.equal(mask.sum(dim=0), quotas)
    for column, chosen in zip(PRE.T, mask.T, strict=True):
        if chosen.any():
            assert column[chosen].min() > column[~chosen].max()


def test_latents_with_long_lists_take_their_quota_too():
    pre = torch.randn(1500, 24, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    coder = _coder("feature_choice", k=6)
    codes = coder.allocation.choose(pre, coder, 6, 0.0)
    quotas = coder.allocation.quotas(coder, 1500, 6)
    assert quotas.min() < 512 < quotas.max()
    mask = codes.dense() != 0
    assert torch.equal(mask.sum(dim=0), quotas)
    assert torch.equal(codes.dense(), pre * mask)
    for column, chosen in zip(pre.T, mask.T, strict=True):
        assert column[chosen].min() > column[~chosen].max()


def test_quotas_follow_the_demand_and_keep_the_budget():
    coder = _coder("feature_choice")
    coder.demand.copy_(torch.linspace(1, 0, 24))
    shares = zipf_shares(24, 3)
    totals = torch.zeros(24, dtype=torch.float64)
    for _ in range(200):
        coder.steps += 1
        quotas = coder.allocation.quotas(coder, 40, 3)
        assert abs(int(quotas.sum()) - 3 * 40) <= 1
        assert ((quotas - 40 * shares).abs() < 1).all()
        totals += quotas
    torch.testing.assert_close(totals / 200, 40 * shares, rtol=0, atol=0.05)


@pytest.mark.parametrize("n_rows", [1, 2, 3])
def test_a_batch_smaller_than_the_quota_is_shared_out(n_rows):
    coder = _coder("feature_choice")
    taken = torch.zeros(24)
    for _ in range(120):
        coder.steps += 1
        mask = _mask("feature_choice", coder=coder, pre=PRE[:n_rows])
        assert abs(int(mask.sum()) - 3 * n_rows) <= 1
        taken += mask.sum(dim=0)
    assert (taken > 0).all()  # the rare ones have their turn


def test_thresholds_are_those_of_each_latent():
    coder = _coder("feature_choice")
    mask = _mask("feature_choice", coder=coder)
    smallest = torch.where(mask, PRE, torch.inf).amin(dim=0)
    largest_left = torch.where(mask, -torch.inf, PRE).amax(dim=0)
    seen = mask.any(dim=0)
    expected = (smallest + largest_left) / 2
    torch.testing.assert_close(coder.threshold[seen], expected[seen])


def test_latents_with_the_same_power_of_two_go_together():
    quotas = torch.tensor([0, 1, 20, 3, 9, 16, 17, 8, 32])
    groups = {depth: latents.tolist() for depth, latents in by_depth(quotas)}
    assert groups == {8: [1, 3, 7], 16: [4, 5], 32: [2, 6, 8]}
