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
