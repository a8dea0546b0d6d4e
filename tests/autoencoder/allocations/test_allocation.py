import pytest
import torch

from skdyn.autoencoder._kernels import decode
from skdyn.autoencoder._network import SparseCoder
from skdyn.autoencoder.allocations import ALLOCATIONS, TopKAllocation, as_allocation
from skdyn.training import seeded_rng

X = torch.randn(200, 8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def trained(name, k=3, n_components=24, **settings):
    """A coder with random weights whose running statistics have seen some batches."""
    with seeded_rng(0):
        coder = SparseCoder(8, 8, n_components, k, name, tuple(settings.items())).double()
    with torch.no_grad():
        coder.allocation.start(X @ coder.encoder_weight.T, coder)
    for part in X.split(50):
        coder.steps += 1
        coder.training_codes(part, k, progress=1.0)
    return coder


@pytest.mark.parametrize("name", sorted(ALLOCATIONS))
def test_inference_answers_each_row_by_itself(name):
    coder = trained(name)
    together = coder.encode(X).dense()
    alone = torch.cat([coder.encode(x).dense() for x in X[:20].split(1)])
    torch.testing.assert_close(alone, together[:20], rtol=0, atol=1e-12)
    assert (together > 0).any()
    assert (together >= 0).all()


@pytest.mark.parametrize("name", sorted(ALLOCATIONS))
def test_about_k_are_active_after_training_too(name):
    n_active = len(trained(name).encode(X).values) / len(X)
    assert n_active == pytest.approx(3, rel=0.15)


@pytest.mark.parametrize("name", sorted(ALLOCATIONS))
def test_everything_that_is_learnt_gets_a_gradient(name):
    coder = trained(name)
    coded = coder.training_codes(X, 3, progress=1.0)
    error = decode(coded.codes, coder.decoder_weight) + coder.decoder_bias - X
    loss = error.square().mean() + coder.allocation.penalty(coded, coder, X, 3, 1.0)
    loss.backward()
    for parameter_name, parameter in coder.named_parameters():
        assert parameter.grad.abs().max() > 0, parameter_name


def test_a_name_or_an_object_may_be_given():
    assert isinstance(as_allocation("topk"), TopKAllocation)
    allocation = TopKAllocation()
    assert as_allocation(allocation) is allocation
