"""The trajectories' network and its objectives."""

import numpy as np
import torch

from skdyn.neural_ode._dynamics import CollocationObjective, TrajectoryODE, WindowObjective
from skdyn.neural_ode._windows import Windows

NO_PENALTY = {"regularization": None, "regularization_mode": "global", "generator": None}


def linear_ode(matrix, augment_dim=0):
    """A module whose field is exactly ``x @ matrix.T``: an MLP without hidden layers."""
    module = TrajectoryODE(
        len(matrix) - augment_dim, augment_dim, (), "silu", "tsit5", 1e-8, 1e-9, "discrete", 1000
    ).double()
    with torch.no_grad():
        module.field.layers[0].weight.copy_(torch.as_tensor(matrix))
        module.field.layers[0].bias.zero_()
    return module


ROTATION = [[0.0, 1.0], [-1.0, 0.0]]


def test_the_flow_of_a_linear_field_is_the_matrix_exponential():
    times = torch.linspace(0, 3, 7, dtype=torch.float64)
    x0 = torch.tensor([[1.0, 0.0], [0.0, 2.0]], dtype=torch.float64)
    expected = torch.stack(
        [x0 @ torch.linalg.matrix_exp(t * torch.tensor(ROTATION, dtype=x0.dtype)).T for t in times],
        dim=1,
    )
    for training in (True, False):
        ys = linear_ode(ROTATION).train(training).flow(x0, times).ys
        torch.testing.assert_close(ys, expected, atol=1e-6, rtol=0)


def test_further_dimensions_start_at_zero_and_are_not_shown():
    module = linear_ode([[0.0, 1.0], [1.0, 0.0]], augment_dim=1)
    x0 = torch.ones(1, 1, dtype=torch.float64)
    ys = module.flow(x0, torch.tensor([0.0, 1.0], dtype=torch.float64)).ys
    torch.testing.assert_close(ys[0, :, 0], torch.tensor([1.0, np.cosh(1.0)]).double())
    assert module(x0).shape == (1, 1)


def test_collocation_is_zero_on_the_fields_own_velocities():
    x = torch.randn(5, 2, generator=torch.Generator().manual_seed(0)).double()
    loss = CollocationObjective()
    assert loss(linear_ode(ROTATION), x, x @ torch.tensor(ROTATION).double().T) < 1e-20
    assert loss(linear_ode(ROTATION), x, x) > 0.1


def windows(times):
    return Windows(None, None, None, None, np.asarray(times), None, None)


def batch(times, targets, x0):
    n, t = np.shape(times)
    arrays = (x0, times, targets, np.ones((n, t, 2)))
    return torch.arange(n), *(torch.as_tensor(np.asarray(a, float)) for a in arrays)


def test_windows_of_the_true_solution_have_no_loss_shared_times_or_not():
    shared, own = np.tile([0.0, 0.5, 1.0], (2, 1)), np.array([[0.0, 0.5, 1.0], [0.0, 0.1, 2.0]])
    x0 = np.array([[0.0, 1.0], [0.0, 1.0]])
    for times in (shared, own):
        targets = np.stack([np.sin(times), np.cos(times)], axis=2)
        objective = WindowObjective(None, windows(times), NO_PENALTY, 0.0)
        loss = objective(linear_ode(ROTATION), *batch(times, targets, x0))
        assert loss < 1e-10


def test_learnt_starts_get_a_gradient_in_training_and_rest_in_validation():
    times = np.array([[0.0, 1.0]])
    starts = torch.zeros(1, 2, dtype=torch.float64, requires_grad=True)
    objective = WindowObjective(starts, windows(times), NO_PENALTY, 0.0)
    data = batch(times, np.ones((1, 2, 2)), np.ones((1, 2)))
    module = linear_ode(ROTATION)
    trained, watched = objective(module.train(), *data), objective(module.eval(), *data)
    trained.backward()
    assert starts.grad.abs().sum() > 0
    assert trained != watched


def test_the_penalty_is_added_in_training_only():
    times = np.array([[0.0, 1.0]])
    penalty = NO_PENALTY | {"regularization": "error"}
    module, data = linear_ode(ROTATION), batch(times, np.ones((1, 2, 2)), np.ones((1, 2)))
    module.options |= {"rtol": 1e-2, "atol": 1e-3}
    plain = WindowObjective(None, windows(times), NO_PENALTY, 1e6)(module.train(), *data)
    assert WindowObjective(None, windows(times), penalty, 1e6)(module.train(), *data) > plain
    objective = WindowObjective(None, windows(times), penalty, 1e6)
    torch.testing.assert_close(
        objective(module.eval(), *data).item(), plain.item(), rtol=1e-3, atol=0
    )


def test_channels_that_stand_still_keep_their_values_and_are_no_input():
    module = TrajectoryODE(
        3, 1, (4,), "silu", "tsit5", 1e-6, 1e-7, "discrete", 1000, moving=(0, 2)
    ).double()  # fmt: skip
    assert module.field.dim == 3
    x = torch.tensor([[0.3, -7.0, 0.5], [0.3, 9.0, 0.5]], dtype=torch.float64)
    velocities = module(x)
    assert torch.equal(velocities[0], velocities[1])
    assert torch.equal(velocities[:, 1], torch.zeros(2, dtype=torch.float64))
    ys = module.flow(x, torch.linspace(0, 1, 5, dtype=torch.float64)).ys
    assert torch.equal(ys[:, :, 1], x[:, 1:2].expand(-1, 5))
    assert torch.equal(ys[:, 0], x)
    assert (ys[:, -1, 0] - x[:, 0]).abs().max() > 1e-3
