"""Simulations from start states."""

import numpy as np
import pytest
import torch

from skdyn._trajectories import Trajectories
from skdyn.neural_ode._dynamics import TrajectoryODE
from skdyn.neural_ode._following import follow, simulate_states, simulation_times


@pytest.fixture
def rotation():
    """A module with x' = y, y' = -x."""
    module = TrajectoryODE(2, 0, (), "silu", "tsit5", 1e-9, 1e-10, "discrete", 1000).double().eval()
    with torch.no_grad():
        module.field.layers[0].weight.copy_(torch.tensor([[0.0, 1.0], [-1.0, 0.0]]))
        module.field.layers[0].bias.zero_()
    return module


def waves(times):
    return np.stack([np.sin(times), np.cos(times)], axis=-1)


def test_states_are_those_of_the_solution_from_start_or_later(rotation):
    since = np.array([[0.0, 1.0, 2.0], [0.5, 1.0, 3.0], [0.0, 0.1, 0.2]])
    states = simulate_states(rotation, waves(np.zeros(3)), since)
    np.testing.assert_allclose(states, waves(since), atol=1e-7)


def test_a_single_time_is_enough(rotation):
    x0 = waves(np.array([0.0, 1.0]))
    np.testing.assert_allclose(
        simulate_states(rotation, x0, np.array([[0.0], [2.0]])),
        waves(np.array([[0.0], [3.0]])),
        atol=1e-7,
    )


def test_trajectories_are_followed_in_both_directions_from_their_first_complete_state(rotation):
    times = np.tile(np.linspace(3, 8, 11), (3, 1))
    values = waves(times)
    values[0, :4, 1] = np.nan  # complete from the fifth time on
    values[2, 7:], times[2, 7:] = np.nan, np.nan
    followed = follow(rotation, Trajectories(values, times, np.array([11, 11, 7])))
    expected = waves(np.tile(np.linspace(3, 8, 11), (3, 1)))
    expected[2, 7:] = np.nan
    np.testing.assert_allclose(followed, expected, atol=1e-7)


def test_a_trajectory_that_is_never_complete_cannot_be_followed(rotation):
    values = waves(np.arange(4.0)[None])
    values[0, ::2, 0], values[0, 1::2, 1] = np.nan, np.nan
    with pytest.raises(ValueError, match="Case 0 has no time point at which all channels"):
        follow(rotation, Trajectories(values, np.arange(4.0)[None], np.array([4])))


def test_times_start_at_t0_or_at_their_first():
    start, times = simulation_times([1.0, 2.0], None, 3)
    np.testing.assert_array_equal(start, [1, 1, 1])
    assert times.shape == (3, 2)
    start, _ = simulation_times([[1.0, 2.0], [3.0, 4.0]], [0.0, 3.0], 2)
    np.testing.assert_array_equal(start, [0, 3])


@pytest.mark.parametrize(
    ("t", "t0", "message"),
    [
        ([1.0, 2.0], 1.5, "horizon of case 0 begins at t=1, before its initial state at t0=1.5"),
        ([[1.0, 2.0], [0.0, 2.0]], [0.0, 1.0], "horizon of case 1"),
        ([1.0, 1.0], None, r"strictly increase; it does not in case 0 after t\[0\]"),
        ([1.0, np.inf], None, "finite"),
        ([np.nan], None, "finite"),
        ([], None, "t must have shape"),
        (np.zeros((3, 2)), None, r"each of the 2 initial states; got shape \(3, 2\)"),
        (1.0, None, "t must have shape"),
    ],
)
def test_bad_times_are_refused(t, t0, message):
    with pytest.raises(ValueError, match=message):
        simulation_times(t, t0, 2)


class Hamiltonian(torch.nn.Module):
    """A field that differentiates inside: the gradient of an energy, turned."""

    def forward(self, t, y):
        with torch.enable_grad():
            y = y.detach().requires_grad_()
            (slope,) = torch.autograd.grad(y.square().sum() / 2, y)
        return torch.stack([slope[:, 1], -slope[:, 0]], dim=1)


def test_fields_may_differentiate_inside(rotation):
    times, x0 = np.linspace(0.0, 2.0, 5)[None], np.array([[0.6, 0.8]])
    expected = simulate_states(rotation, x0, times)
    rotation.kept = rotation.field  # the precision is that of the module's weights
    rotation.field = Hamiltonian()
    assert np.allclose(simulate_states(rotation, x0, times), expected, atol=1e-4)
