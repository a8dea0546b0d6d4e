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


def test_while_it_is_trained_an_edge_is_defined_beyond_the_domain():
    x = torch.tensor([-1e6, -2.0, 0.0, 1e6], dtype=torch.float64)
    for name in ("log", "sqrt", "1/x", "arcsin", "tan"):
        assert edge(name).train()(x).isfinite().all()
        assert edge(name).slopes(x).isfinite().all()


def test_a_trained_edge_is_what_its_formula_is_wherever_that_is_real():
    x = torch.tensor([-3.0, -1.2, 0.0, 2.0], dtype=torch.float64)  # 0.4 x + 0.5 < 0 at the first
    for name, function in (("log", torch.log), ("sqrt", torch.sqrt), ("1/x", torch.reciprocal)):
        wanted = 1 - 2 * function(0.4 * x + 0.5)
        torch.testing.assert_close(edge(name).eval()(x), wanted, rtol=1e-5, atol=0, equal_nan=True)
        assert (edge(name).eval()(x).isnan().tolist()[0]) == (name != "1/x")


def test_rounding_takes_no_point_out_of_the_domain():
    at_the_end = torch.tensor([-1.25 - 1e-9], dtype=torch.float64)
    assert edge("sqrt").eval()(at_the_end).item() == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "lowest", "keeps_off"),
    [("1/x", -1.2, True), ("1/x", -1.25, False), ("1/x", -1.3, False), ("1/x^2", -1.25, False),
     ("log", -1.25, True), ("sin", -1.25, True)],
)  # fmt: skip
def test_no_pole_stands_among_or_right_beside_data(name, lowest, keeps_off):
    x = torch.linspace(lowest, 1, 50, dtype=torch.float64)
    assert edge(name).keeps_off_poles(x) == keeps_off
