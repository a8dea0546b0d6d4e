import pytest
import torch

from skdyn.hopfield._thresholds import thresholds

z = torch.randn(6, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
z = z - z.amax(dim=1, keepdim=True)
MASS = torch.rand(40, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) + 0.2
BETAS = [2.0**power for power in range(-8, 30, 2)]


@pytest.mark.parametrize("alpha", [1.05, 1.5, 1.8, 2.0])
@pytest.mark.parametrize("mass", [None, MASS], ids=["once", "weighed"])
def test_weights_above_the_threshold_sum_to_one(alpha, mass):
    for beta, threshold in zip(BETAS, thresholds(z, mass, alpha, BETAS), strict=True):
        p = ((alpha - 1) * beta * (z - threshold)).clamp(min=0) ** (1 / (alpha - 1))
        total = (p if mass is None else p * mass).sum(dim=1)
        torch.testing.assert_close(total, torch.ones_like(total), rtol=1e-7, atol=0)


@pytest.mark.parametrize("alpha", [1.5, 2.0])
def test_single_precision_and_infinitely_bad_patterns_are_taken(alpha):
    worse = torch.cat([z, torch.full((6, 5), -torch.inf)], dim=1).float()
    wanted = thresholds(z, None, alpha, BETAS)
    for found, threshold in zip(thresholds(worse, None, alpha, BETAS), wanted, strict=True):
        torch.testing.assert_close(found.double(), threshold, rtol=1e-5, atol=0)
