import numpy as np
import pytest
import torch
from scipy.optimize import nnls

from skdyn.autoencoder._inference import infer
from skdyn.autoencoder._network import SparseCoder
from skdyn.training import seeded_rng

X = torch.randn(12, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def _coder():
    with seeded_rng(0):
        return SparseCoder(8, 8, 24, 3, "topk").double().requires_grad_(False)


def test_refitting_is_non_negative_least_squares_on_the_encoders_latents():
    coder = _coder()
    support = coder.encode(X).dense() > 0
    codes = infer(coder, X, "refit").dense()
    for x, latents, code in zip(X, support, codes, strict=True):
        best, _ = nnls(coder.decoder_weight[latents].T.numpy(), x.numpy())
        np.testing.assert_allclose(code[latents], best, atol=1e-4)
        assert (code[~latents] == 0).all()


def test_pursuit_of_one_latent_takes_the_nearest_direction():
    coder = _coder()
    coder.k = 1
    codes = infer(coder, X, "omp").dense()
    gains = X @ coder.decoder_weight.T
    assert torch.equal(codes.argmax(dim=1), gains.argmax(dim=1))
    torch.testing.assert_close(codes.amax(dim=1), gains.amax(dim=1), rtol=1e-4, atol=0)


def test_pursuit_never_has_more_than_k_and_reconstructs_what_it_can():
    coder = _coder()
    truth = torch.zeros(5, 24, dtype=torch.float64)
    truth[:, 4] = 2.0
    codes = infer(coder, truth @ coder.decoder_weight, "omp")
    torch.testing.assert_close(codes.dense()[:, 4], truth[:, 4], rtol=1e-4, atol=0)
    assert (infer(coder, X, "omp").dense() > 0).sum(dim=1).max() <= 3


def test_an_unknown_way_is_refused():
    with pytest.raises(ValueError, match="inference must be one of"):
        infer(_coder(), X, "magic")
