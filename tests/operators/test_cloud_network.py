"""Attention over clouds."""

import pytest
import torch

from skdyn.operators._cloud_network import WeightedLinearAttention, linear_attention


def test_linear_attention_is_the_dense_formula():
    generator = torch.Generator().manual_seed(0)
    q, k, v = torch.rand((3, 2, 7, 2, 4), generator=generator, dtype=torch.float64)
    w = torch.rand((2, 7), generator=generator, dtype=torch.float64)
    w[1, 5:] = 0  # filled up
    likeness = torch.einsum("bihd,bjhd->bhij", q, k) * w[:, None, None]
    dense = torch.einsum("bhij,bjhd->bihd", likeness / likeness.sum(-1, keepdim=True), v)
    torch.testing.assert_close(linear_attention(q, k, v, w), dense, rtol=1e-12, atol=0)
    v[1, 5:] = 1e6  # nobody looks there
    torch.testing.assert_close(linear_attention(q, k, v, w)[1], dense[1], rtol=1e-12, atol=0)


def test_heads_divide_the_width():
    with pytest.raises(ValueError, match="n_heads=3 does not divide hidden_channels=8"):
        WeightedLinearAttention(8, 3)
