import torch


def test_thresholds_start_where_k_a_row_are_active(make_coder, pre):
    coder = make_coder("jumprelu")
    with torch.no_grad():
        coder.allocation.start(pre, coder)
    assert (coder.log_threshold.exp() - 1e-12 <= pre).sum() == 3 * 40


def test_the_threshold_gets_the_gradient_of_a_ramp(make_coder):
    coder = make_coder("jumprelu", bandwidth=0.5)
    with torch.no_grad():
        coder.log_threshold.fill_(0.0)  # thresholds of one
    pre = torch.tensor([[0.7, 0.8, 0.9, 1.1, 1.3] + [0.0] * 19], dtype=torch.float64)
    support = coder.allocation.choose(pre, coder, 3, 0.0).support
    at = support.gather(pre).requires_grad_()
    values = coder.allocation.activate(at, support, coder)
    assert values.tolist() == [0.0, 0.0, 1.1, 1.3]
    values.sum().backward()
    assert at.grad.tolist() == [0.0, 0.0, 1.0, 1.0]
    near = -torch.tensor([0.8, 0.9, 1.1]) / 0.5  # of width 0.5 about one
    torch.testing.assert_close(coder.log_threshold.grad[1:4], near.double())
    assert coder.log_threshold.grad[0] == coder.log_threshold.grad[4] == 0


def test_the_penalty_is_zero_where_k_are_active(make_coder, pre):
    coder = make_coder("jumprelu")
    with torch.no_grad():
        coder.allocation.start(pre[:, :8] @ coder.encoder_weight.T, coder)
    coded = coder.training_codes(pre[:, :8], 3, 0.0)
    n_active = (coded.codes.values > 0).sum() / 40
    penalty = coder.allocation.penalty(coded, coder, pre[:, :8], 3, 1.0)
    torch.testing.assert_close(penalty, (n_active / 3 - 1.0).square().double())


def test_all_thresholds_are_scaled_until_k_a_row_are_active(make_coder, pre):
    coder = make_coder("jumprelu")
    with torch.no_grad():
        coder.log_threshold.copy_(torch.linspace(-4.0, -1.0, 24))
        before = coder.log_threshold.clone()
        coder.allocation.calibrate(pre, coder, fresh=False)
        assert torch.equal(coder.log_threshold, before)  # trained before
        coder.allocation.calibrate(pre, coder, fresh=True)
        assert len(coder.allocation.select(pre, coder).index) == 3 * 40
        shift = coder.log_threshold - before
        torch.testing.assert_close(shift, shift[:1].expand(24))
        coder.allocation.calibrate(-pre.abs(), coder, fresh=True)  # where none can be
        assert torch.isfinite(coder.log_threshold).all()
