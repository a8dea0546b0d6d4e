"""An edge in closed form: its value, its slopes, its manners beyond the domain."""

import pytest
import torch

from skdyn.kan._symbolic_edge import SymbolicEdge


def edge(name):
    built = SymbolicEdge(name).double()
    with torch.no_grad():
        built.affine.copy_(torch.tensor([0.4, 0.5, -2.0, 1.0]))
    return built


@pytest.mark.parametrize("name", ["x", "x^2", "sin", "log", "arctanh", "x*exp(-x)"])
def test_slopes_equal_finite_differences(name):
    built, x, step = edge(name), torch.linspace(-1, 1, 9, dtype=torch.float64), 1e-6
    for k in range(4):
        ahead, behind = edge(name), edge(name)
        with torch.no_grad():
            ahead.affine[k] += step
            behind.affine[k] -= step
        wanted = (ahead(x) - behind(x)) / (2 * step)
        assert torch.allclose(built.slopes(x)[:, k], wanted, atol=1e-8)


def test_beyond_the_domain_an_edge_is_defined():
    x = torch.tensor([-1e6, -2.0, 0.0, 1e6], dtype=torch.float64)
    for name in ("log", "sqrt", "1/x", "arcsin", "tan"):
        assert edge(name)(x).isfinite().all()
        assert edge(name).slopes(x).isfinite().all()
