"""Which points an answer is made from."""

import pytest
import torch

from skdyn.sequence._readout import READOUTS, Readout

STATES = torch.arange(24.0).view(2, 4, 3) ** 1.5


@pytest.mark.parametrize("kind", READOUTS)
def test_what_comes_after_the_end_of_a_series_counts_nothing(kind):
    readout, n_points = Readout(3, 2, kind), torch.tensor([4, 2])
    answers = readout(STATES, n_points)
    other = STATES.clone()
    other[1, 2:] = 100.0
    torch.testing.assert_close(readout(other, n_points), answers)
    torch.testing.assert_close(readout(STATES[1:, :2], n_points[1:]), answers[1:])
    torch.testing.assert_close(readout.weights(STATES, n_points).sum(dim=1), torch.ones(2))


def test_last_is_the_last_point_and_mean_the_mean():
    n_points = torch.tensor([4, 2])
    for kind, states in (
        ("last", torch.stack([STATES[0, 3], STATES[1, 1]])),
        ("mean", torch.stack([STATES[0].mean(dim=0), STATES[1, :2].mean(dim=0)])),
    ):
        readout = Readout(3, 2, kind)
        torch.testing.assert_close(readout(STATES, n_points), readout.answer(states))
