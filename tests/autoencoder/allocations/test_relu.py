import torch


def test_whatever_is_positive_is_active(mask_of, pre):
    assert torch.equal(mask_of("relu"), pre > 0)


def test_the_penalty_is_the_mean_sum_of_the_codes_a_feature(make_coder):
    coder = make_coder("relu")
    x = torch.randn(40, 8, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    coded = coder.training_codes(x, 3, 0.0)
    penalty = coder.allocation.penalty(coded, coder, x, 3, 0.7)
    expected = 0.7 * torch.relu(coded.dense).sum(dim=1).mean() / 8
    torch.testing.assert_close(penalty, expected)
