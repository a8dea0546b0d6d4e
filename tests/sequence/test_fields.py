import pytest
import torch

from skdyn.sequence._fields import FIELDS

Z, MOVES = torch.randn(5, 4), torch.randn(5, 3)


@pytest.mark.parametrize("sizes", [(), (6,), (6, 5)])
@pytest.mark.parametrize("kind", FIELDS)
def test_states_move_by_the_matrix_times_the_path(kind, sizes):
    field = FIELDS[kind](4, 3, sizes, 2).double()
    z, moves = Z.double(), MOVES.double()
    matrix, moved = field.matrix(z), field.mover()
    assert matrix.shape == (5, 4, 3)
    torch.testing.assert_close(moved(z, moves), z + torch.einsum("nhc,nc->nh", matrix, moves))
    assert torch.equal(moved(z, 0 * moves), z)


def test_networks_are_bounded_and_a_low_rank_is_one():
    assert FIELDS["mlp"](4, 3, (6,), 2).matrix(100 * Z).abs().max() <= 1
    low = FIELDS["low_rank"](4, 3, (6,), 2).matrix(100 * Z)
    assert low.abs().max() <= 2**0.5 + 1e-6
    assert torch.linalg.matrix_rank(low).max() == 2


def test_the_linear_field_is_linear():
    field = FIELDS["linear"](4, 3, (6,), 2)
    shift = field.matrix(torch.zeros(1, 4))
    torch.testing.assert_close(field.matrix(2 * Z) - shift, 2 * (field.matrix(Z) - shift))
