"""Stage sums under both clocks."""

import pytest
import torch

from skdyn.solvers._clock import OwnClock, SharedClock
from skdyn.solvers._rows import Span
from skdyn.solvers._tableaux import TABLEAUX

METHOD = TABLEAUX["dopri5"]
LIKE = torch.zeros(3, 2, dtype=torch.float64)


def clock(kind, h):
    made = kind(METHOD.matrix, METHOD.nodes, METHOD.b_error, LIKE)
    shared = kind is SharedClock
    made.begin(
        Span(0.5, h)
        if shared
        else Span(
            *torch.full((2, 3, 1), h)
            .double()
            .mul_(torch.tensor([0.5 / h, 1.0]).double()[:, None, None])
        )
    )
    return made


def rows(seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(METHOD.n_stages + 2, 6, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("stage", range(1, METHOD.n_stages + 1))
def test_both_clocks_agree_when_all_steps_are_equal(stage):
    shared, own = clock(SharedClock, 0.25), clock(OwnClock, 0.25)
    z = rows(0)
    assert torch.allclose(shared.combine(stage, z, 0), own.combine(stage, z, 0))
    assert torch.allclose(shared.time(stage).expand(3, 1), own.time(stage))


@pytest.mark.parametrize("kind", [SharedClock, OwnClock])
@pytest.mark.parametrize("stage", range(2, METHOD.n_stages + 1))
def test_spread_is_the_transpose_of_combine(kind, stage):
    made, z, g, w = clock(kind, 0.3), rows(1), torch.zeros(9, 6).double(), rows(2)[0].view(3, 2)
    made.spread(stage, g, 0, w)
    assert torch.allclose((made.combine(stage, z, 0) * w).sum(), (z * g).sum())


def test_the_error_row_is_the_difference_of_both_solutions():
    z = rows(3)
    stages = torch.cat([z[1 : METHOD.n_stages], z[-1:]])
    expected = torch.tensordot(torch.tensor(METHOD.b_error).double(), stages, 1).view(3, 2)
    assert torch.allclose(clock(SharedClock, 0.3).error(z, 0), expected)
