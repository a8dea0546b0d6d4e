import torch


def test_latents_choose_before_the_switch_only(make_coder, mask_of):
    coder = make_coder("feature_then_mutual", switch=0.3)
    mask = mask_of("feature_then_mutual", progress=0.29, coder=coder)
    assert torch.equal(mask.sum(dim=0), coder.allocation.quotas(coder, 40, 3))
    mask = mask_of("feature_then_mutual", progress=0.3, coder=coder)
    assert torch.equal(mask, mask_of("mutual_choice", progress=0.3))


def test_one_threshold_for_all_replaces_each_ones_own_at_the_switch(make_coder, mask_of, pre):
    coder = make_coder("feature_then_mutual", switch=0.3)
    mask_of("feature_then_mutual", progress=0.0, coder=coder)
    assert coder.threshold.unique().numel() > 1
    mask = mask_of("feature_then_mutual", progress=0.5, coder=coder)
    middle = (pre[mask].min() + pre[~mask].max()) / 2
    torch.testing.assert_close(coder.threshold, middle.expand(24))
