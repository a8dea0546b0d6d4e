import torch


def test_the_budget_of_the_batch_is_met_exactly_by_its_largest(mask_of, pre):
    mask = mask_of("batch_topk")
    assert mask.sum() == 3 * 40
    assert pre[mask].min() > pre[~mask].max()


def test_the_threshold_lies_between_the_active_and_the_others(make_coder, mask_of, pre):
    coder = make_coder("batch_topk")
    mask = mask_of("batch_topk", coder=coder)
    middle = (pre[mask].min() + pre[~mask].max()) / 2
    torch.testing.assert_close(coder.threshold, middle.expand(24))
