import torch

from skdyn.autoencoder._network import SparseCoder
from skdyn.autoencoder._revival import revival_loss, underused
from skdyn.autoencoder.allocations._zipf import zipf_shares
from skdyn.training import seeded_rng


def _coder():
    with seeded_rng(0):
        return SparseCoder(6, 6, 20, 3, "topk").double()


X = torch.randn(30, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def test_idle_latents_are_those_not_active_for_so_many_rows():
    coder = _coder()
    coder.idle[[3, 7]] = torch.tensor([100.0, 99.0]).double()
    assert underused(coder, "auxk", 100).tolist() == [3]


def test_latents_below_half_of_their_ranks_share_are_underused():
    coder = _coder()
    coder.density.copy_(zipf_shares(20, 3))
    assert len(underused(coder, "zipf", 1)) == 0
    coder.density[[18, 19]] *= 0.4
    assert underused(coder, "zipf", 1).tolist() == [18, 19]


def test_the_loss_is_zero_when_nothing_is_dead():
    coder = _coder()
    latents = underused(coder, "auxk", 1)
    assert revival_loss(coder, X, X @ coder.encoder_weight.T, X, latents) == 0.0


def test_dead_latents_alone_reconstruct_the_residual():
    coder = _coder()
    latents = torch.tensor([2, 5])
    dense = X @ coder.encoder_weight.T
    loss = revival_loss(coder, X, dense, -X, latents)
    codes = torch.relu(dense[:, latents])
    expected = (codes @ coder.decoder_weight[latents] - X).square().mean()
    torch.testing.assert_close(loss, expected)
    loss.backward()
    assert coder.encoder_weight.grad.abs().sum(dim=1).nonzero().flatten().tolist() == [2, 5]
    assert coder.decoder_weight.grad.abs().sum(dim=1).nonzero().flatten().tolist() == [2, 5]
