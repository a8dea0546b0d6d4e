"""How large weights may be at first."""

import pytest
import torch

from skdyn.kan.bases import BASES, make_basis
from skdyn.kan.bases._scale import unit_scale


@pytest.mark.parametrize("name", BASES)
def test_an_edge_with_weights_of_that_size_has_variance_one(name):
    basis = make_basis(name, 1, 500, 5, 3, "linear")
    weight = basis.initial_scale * torch.randn(1, basis.n_functions + 1, 500)
    weight[:, -1] = 0.0
    x = torch.linspace(-1, 1, 401)[:, None]
    variance = basis.combine(x, weight).var(dim=0).mean().item()
    assert variance == pytest.approx(1, rel=0.15)


def test_a_basis_of_constants_gets_a_finite_size():
    assert unit_scale(make_basis("bspline", 1, 1, 1, 0, "linear")) < 100
