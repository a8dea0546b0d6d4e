import pytest
import torch

from skdyn.autoencoder._network import SparseCoder
from skdyn.training import seeded_rng


@pytest.fixture
def pre():
    """Pre-activations of 24 latents in 40 rows."""
    generator = torch.Generator().manual_seed(1)
    return torch.randn(40, 24, generator=generator, dtype=torch.float64)


@pytest.fixture
def make_coder():
    """Make a coder with an allocation and its settings, before its first step."""

    def make(name, k=3, n_components=24, **settings):
        with seeded_rng(0):
            coder = SparseCoder(8, 8, n_components, k, name, tuple(settings.items())).double()
        coder.steps += 1
        return coder

    return make


@pytest.fixture
def mask_of(make_coder, pre):
    """Make the mask of what an allocation takes of pre-activations."""
    usual = pre

    def mask(name, k=3, progress=0.0, pre=usual, coder=None, **settings):
        if coder is None:
            coder = make_coder(name, n_components=pre.shape[1], **settings)
        support = coder.allocation.choose(pre, coder, k, progress).support
        return support.scatter(pre.new_ones(len(support.index))).bool()

    return mask
