from functools import cache

import numpy as np
import pytest
import torch

from skdyn import SparseAutoencoder
from skdyn.autoencoder.allocations import FeatureThenMutualAllocation
from skdyn.autoencoder.allocations._floor import calibrate_with_floor, rouse, take_with_floor

SHARE = 0.05  # two rows of forty


def _waiting(coder, latents):
    coder.idle[latents] = 1 / SHARE
    return coder


def _taken(codes):
    return codes.support.scatter(torch.ones(len(codes.support.index))).bool()


def test_latents_that_waited_take_their_best_row_and_the_budget_is_kept(pre, make_coder):
    pre[:, [4, 9]] -= 5.0  # far below all others
    coder = _waiting(make_coder("feature_then_mutual"), [4, 9])
    best = pre.argmax(dim=0)
    mask = _taken(take_with_floor(pre.clone(), coder, 3, SHARE))
    assert mask.sum() == 3 * len(pre)
    assert mask[:, [4, 9]].sum(dim=0).tolist() == [1, 1]
    assert mask[best[4], 4]
    assert mask[best[9], 9]


def test_nobody_waiting_it_is_mutual_choice(pre, make_coder, mask_of):
    coder = make_coder("feature_then_mutual")
    assert torch.equal(_taken(take_with_floor(pre.clone(), coder, 3, SHARE)), mask_of("batch_topk"))
    plain = make_coder("batch_topk")
    plain.allocation.choose(pre, plain, 3, 1.0)
    assert torch.equal(coder.threshold, plain.threshold)


def test_no_more_take_a_row_than_come_in_turn_and_the_longest_wait_ends_first(pre, make_coder):
    pre[:, :12] -= 5.0
    coder = _waiting(make_coder("feature_then_mutual", k=1), list(range(12)))
    coder.idle[[3, 7]] += 100.0
    mask = _taken(take_with_floor(pre.clone(), coder, 1, 1 / (12 * 40)))
    assert mask[:, :12].sum() == 0  # 1 / share is longer than they waited
    coder.idle[:12] = 1e6
    coder.idle[[3, 7]] += 100.0
    mask = _taken(take_with_floor(pre.clone(), coder, 1, 2 / (24 * 40)))
    assert mask[:, :12].any(dim=0).nonzero().flatten().tolist() == [3, 7]


def test_silent_latents_are_raised_until_a_gradient_reaches_them(make_coder):
    coder = make_coder("feature_then_mutual")
    before = coder.encoder_bias.detach().clone()
    best = torch.tensor([-2.0, 0.5, 0.0], dtype=torch.float64)
    rouse(coder, torch.tensor([1, 2, 5]), best)
    moved = (coder.encoder_bias - before).detach()
    assert moved[2] == 0.0
    assert ((best + moved[[1, 2, 5]]) > 0).all()
    assert torch.count_nonzero(moved) == 2


def test_thresholds_are_one_but_for_latents_that_it_would_leave_below_their_share(pre, make_coder):
    pre[:, [4, 9]] -= 1.5
    coder = make_coder("feature_then_mutual")
    calibrate_with_floor(pre.clone(), coder, 3, SHARE)
    active = (pre > coder.threshold.clamp_min(0.0)).sum(dim=0)
    positive = (pre > 0).sum(dim=0)
    assert (active >= positive.clamp_max(2)).all()
    common = coder.threshold.max()
    lowered = coder.threshold < common
    assert lowered[[4, 9]].all()
    assert (active[lowered] <= 2).all()  # and none gets more than its share by it
    assert abs(active.sum() - 3 * len(pre)) <= 1 + (2 - positive.clamp_max(2)).sum()


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 1.0])
def test_thresholds_are_numbers_whatever_the_share_and_few_rows(pre, make_coder, share):
    for rows in (pre[:1].clone(), pre[:3].clone(), pre.clone()):
        coder = make_coder("feature_then_mutual")
        calibrate_with_floor(rows, coder, 1, share)
        assert coder.threshold.isfinite().all()


@cache
def _learned(allocation):
    """A dictionary of rows with few directions, on which most latents are of little use."""
    rng = np.random.default_rng(0)
    X = rng.exponential(size=(400, 3)) @ rng.normal(size=(3, 12))
    model = SparseAutoencoder(
        64, k=4, allocation=allocation, max_iter=6, batch_size=40, learning_rate=0.02,
        random_state=0,
    )  # fmt: skip
    return model.fit(X), X


def test_rows_of_few_directions_leave_no_latent_dead_for_the_same_error():
    held, X = _learned("feature_then_mutual")
    free, _ = _learned(FeatureThenMutualAllocation(floor=0.0))
    assert free.n_dead_ > 0.1 * 64
    assert held.n_dead_ < 0.05 * 64
    assert held.score(X) > free.score(X) - 0.01
    assert 3.6 < (held.transform(X) > 0).sum(axis=1).mean() < 4.4


def test_latents_that_choose_are_never_silent_for_good():
    model, _ = _learned("feature_choice")
    assert model.n_dead_ == 0


def test_a_floor_above_the_law_is_refused():
    with pytest.raises(ValueError, match="floor"):
        SparseAutoencoder(8, k=2, allocation=FeatureThenMutualAllocation(floor=1.5)).fit(
            np.random.default_rng(0).normal(size=(30, 4))
        )
