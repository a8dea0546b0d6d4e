import torch


def test_the_total_budget_is_met_exactly(mask_of, pre):
    mask = mask_of("mutual_choice", k=5)
    assert mask.sum() == 5 * 40
    assert pre[mask].min() > pre[~mask].max()


def test_it_makes_the_matches_of_batch_topk(mask_of):
    assert torch.equal(mask_of("mutual_choice"), mask_of("batch_topk"))
