import torch


def test_latents_choose_after_the_switch_only(make_coder, mask_of):
    coder = make_coder("mutual_then_feature", switch=0.3)
    assert torch.equal(
        mask_of("mutual_then_feature", progress=0.29, coder=coder), mask_of("mutual_choice")
    )
    assert coder.threshold.unique().numel() == 1
    mask = mask_of("mutual_then_feature", progress=0.3, coder=coder)
    assert torch.equal(mask.sum(dim=0), coder.allocation.quotas(coder, 40, 3))


def test_thresholds_of_mutual_choice_are_forgotten_at_the_switch(make_coder, mask_of, pre):
    coder = make_coder("mutual_then_feature", switch=0.3)
    mask_of("mutual_then_feature", progress=0.0, coder=coder)
    mask = mask_of("mutual_then_feature", progress=0.5, coder=coder)
    smallest = torch.where(mask, pre, torch.inf).amin(dim=0)
    largest_left = torch.where(mask, -torch.inf, pre).amax(dim=0)
    seen = mask.any(dim=0)
    expected = (smallest + largest_left) / 2
    torch.testing.assert_close(coder.threshold[seen], expected[seen])
