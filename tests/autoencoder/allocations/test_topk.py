import torch


def test_every_row_has_exactly_its_k_largest(mask_of, pre):
    mask = mask_of("topk")
    assert torch.equal(mask.sum(dim=1), torch.full((40,), 3))
    assert (torch.where(mask, pre, 9).amin(1) > torch.where(mask, -9, pre).amax(1)).all()


def test_inference_chooses_as_training_does(make_coder, mask_of, pre):
    coder = make_coder("topk")
    support = coder.allocation.select(pre, coder)
    chosen = support.scatter(pre.new_ones(len(support.index))).bool()
    assert torch.equal(chosen, mask_of("topk"))
