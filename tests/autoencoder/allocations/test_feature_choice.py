import numpy as np
import pytest
import torch

from skdyn.autoencoder.allocations._feature_choice import by_depth
from skdyn.autoencoder.allocations._zipf import zipf_shares


def test_each_latent_takes_its_quota_of_the_rows_it_matches_best(make_coder, mask_of, pre):
    coder = make_coder("feature_choice")
    mask = mask_of("feature_choice", coder=coder)
    quotas = coder.allocation.quotas(coder, 40, 3)
    assert torch.equal(mask.sum(dim=0), quotas)
    for column, chosen in zip(pre.T, mask.T, strict=True):
        if chosen.any():
            assert column[chosen].min() > column[~chosen].max()


def test_latents_with_long_lists_take_their_quota_too(make_coder):
    pre = torch.randn(1500, 24, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    coder = make_coder("feature_choice", k=6)
    codes = coder.allocation.choose(pre, coder, 6, 0.0)
    quotas = coder.allocation.quotas(coder, 1500, 6)
    assert quotas.min() < 512 < quotas.max()
    mask = codes.dense() != 0
    assert torch.equal(mask.sum(dim=0), quotas)
    assert torch.equal(codes.dense(), pre * mask)
    for column, chosen in zip(pre.T, mask.T, strict=True):
        assert column[chosen].min() > column[~chosen].max()


def test_quotas_follow_the_demand_and_keep_the_budget(make_coder):
    coder = make_coder("feature_choice")
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
def test_a_batch_smaller_than_the_quota_is_shared_out(n_rows, make_coder, mask_of, pre):
    coder = make_coder("feature_choice")
    taken = torch.zeros(24)
    for _ in range(120):
        coder.steps += 1
        mask = mask_of("feature_choice", coder=coder, pre=pre[:n_rows])
        assert abs(int(mask.sum()) - 3 * n_rows) <= 1
        taken += mask.sum(dim=0)
    assert (taken > 0).all()  # the rare ones have their turn


@pytest.mark.parametrize("long", [512, 4])
def test_thresholds_are_those_of_each_latent(make_coder, mask_of, pre, long, monkeypatch):
    monkeypatch.setattr("skdyn.autoencoder.allocations._feature_choice._LONG", long)
    coder = make_coder("feature_choice")
    mask = mask_of("feature_choice", coder=coder)
    smallest = torch.where(mask, pre, torch.inf).amin(dim=0)
    largest_left = torch.where(mask, -torch.inf, pre).amax(dim=0)
    seen = mask.any(dim=0)
    expected = (smallest + largest_left) / 2
    torch.testing.assert_close(coder.threshold[seen], expected[seen])


def test_latents_with_the_same_power_of_two_go_together():
    quotas = np.array([0, 1, 20, 3, 9, 16, 17, 8, 32])
    groups = {depth: latents.tolist() for depth, latents in by_depth(quotas)}
    assert groups == {8: [1, 3, 7], 16: [4, 5], 32: [2, 6, 8]}
