"""Bases by name."""

import pytest
import torch

from skdyn.kan.bases import BASES, SPACES, Selectable, make_basis


@pytest.mark.parametrize("name", [name for name in BASES if name != "selectable"])
@pytest.mark.parametrize(("grid_size", "spline_order"), [(5, 3), (1, 0), (1, 1)])
def test_every_basis_has_as_many_functions(name, grid_size, spline_order):
    basis = make_basis(name, 3, 2, grid_size, spline_order, "constant")
    assert type(basis) is BASES[name]
    assert basis.n_functions == grid_size + spline_order
    assert basis.extrapolation == "constant"
    assert basis(torch.zeros(4, 3)).shape == (4, 3, grid_size + spline_order)


@pytest.mark.parametrize("name", BASES)
def test_a_finer_basis_is_the_one_made_with_more_intervals(name):
    finer = make_basis(name, 2, 2, 5, 3, "linear").refined(9)
    assert finer.n_functions == make_basis(name, 2, 2, 9, 3, "linear").n_functions
    assert finer.refined(12).n_functions == make_basis(name, 2, 2, 12, 3, "linear").n_functions


def test_a_choice_has_all_its_spaces():
    basis = make_basis("selectable", 3, 2, 5, 3, "linear")
    assert isinstance(basis, Selectable)
    assert [type(space) for space in basis.spaces] == [BASES[name] for name in SPACES]
    assert basis.n_functions == 8 * len(SPACES)


@pytest.mark.parametrize("name", BASES)
def test_straight_weights_of_length_one_make_a_line_wherever_the_range_is(name):
    basis = make_basis(name, 2, 2, 5, 3, "linear").double()
    basis.straight()
    basis.adapt(torch.randn(100, 2, dtype=torch.float64) * torch.tensor([1.0, 9.0]))
    weight, x = basis.straight(), basis.mesh()
    torch.testing.assert_close(weight.square().sum(dim=1), torch.ones(2).double())
    for column, values in zip(x.T, (basis(x) * weight).sum(dim=2).T, strict=True):
        assert torch.corrcoef(torch.stack([column, values]))[0, 1] > 0.99


@pytest.mark.parametrize("order", [1, 2, 3])
def test_on_any_breaks_splines_make_an_exact_line(order):
    basis = make_basis("bspline", 1, 1, 5, order, "linear").double()
    basis.adapt(torch.rand(100, 1, dtype=torch.float64) ** 3)
    x = basis.mesh()[:, 0]
    line = (basis(x[:, None]) * basis.straight()).sum(dim=2)[:, 0]
    slopes = line.diff() / x.diff()
    torch.testing.assert_close(slopes, slopes.mean().expand_as(slopes))
