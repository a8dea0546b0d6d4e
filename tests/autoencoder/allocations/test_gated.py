import torch


def test_gates_switch_and_sizes_are_their_own(make_coder):
    coder = make_coder("gated")
    x = torch.randn(40, 8, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    with torch.no_grad():
        coder.log_magnitude.fill_(0.3)
        coder.magnitude_bias.fill_(0.2)
        coder.encoder_bias.fill_(-0.4)
        codes = coder.training_codes(x, 3, 0.0).codes.dense()
        linear = x @ coder.encoder_weight.T
    expected = torch.where(linear > 0.4, torch.relu(linear * torch.e**0.3 + 0.2), 0)
    torch.testing.assert_close(codes, expected)


def test_the_penalty_does_not_move_the_decoder(make_coder):
    coder = make_coder("gated")
    x = torch.randn(40, 8, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    coded = coder.training_codes(x, 3, 0.0)
    coder.allocation.penalty(coded, coder, x, 3, 0.7).backward()
    assert coder.decoder_weight.grad is None
    assert coder.encoder_weight.grad.abs().max() > 0
