import warnings

import numpy as np
import pytest
import torch

from skdyn.exceptions import DivergenceError
from skdyn.training import LeanNet, Stage, TrainingSettings, new_generator, seeded_rng
from skdyn.training._line_search import GuardedStep

X = np.random.default_rng(0).normal(size=(60, 3)).astype("f")
Y = (X @ np.array([[1.0], [-2.0], [0.5]], dtype="f") + 0.3).astype("f")


def _net(seed=0, dtype=torch.float64, **settings):
    with seeded_rng(seed):
        module = torch.nn.Linear(3, 1).to(dtype)
    return LeanNet(module, TrainingSettings(**settings), new_generator(seed))


def _squared(module, x, y):
    return (module(x) - y).square().mean()


@pytest.mark.parametrize("trouble", ["not a number", "not solvable"])
def test_a_line_search_comes_back_from_points_that_cannot_be_evaluated(trouble):
    probed = []

    def walled(module, x, y):  # least squares, with a wall not far from the start
        loss = _squared(module, x, y)
        if (module.weight - start).norm() > 1.5:
            probed.append(1)
            if trouble == "not solvable":
                raise DivergenceError("the field blew up.")
            return loss * float("nan")
        return loss

    net = _net(optimizer="lbfgs", tol=0.0)
    start = net.module_.weight.detach().clone()
    record = net.run([Stage(walled, (X, Y), 3)])
    assert probed
    assert record.loss_curve[-1] < 0.5 * record.loss_curve[0]
    assert (net.module_.weight - start).norm() <= 1.5


def test_a_line_search_that_breaks_down_on_flat_ground_keeps_what_it_found():
    def flat_after_a_while(module, x, y):
        loss = _squared(module, x, y)
        return torch.where(loss < 1.0, loss * 0 + 1.0, loss)  # zero slope, equal to the last digit

    net = _net(optimizer="lbfgs", tol=0.0, n_iter_no_change=3)
    with warnings.catch_warnings(action="error"):
        record = net.run([Stage(flat_after_a_while, (X, Y), 20)])
    assert record.loss_curve[-1] == 1.0
    assert all(torch.isfinite(weight).all() for weight in net.module_.parameters())


def test_weights_lost_by_a_line_search_are_replaced_by_the_best_that_it_saw():
    net = _net(optimizer="lbfgs")
    net.criterion_ = _squared
    weight, optimizer = net.module_.weight, net.optimizer_
    truth = torch.tensor([[1.0, -2.0, 0.5]], dtype=torch.float64)
    seen = []

    def breaks_down(evaluate):
        for distance in (9.0, 3.0, 1.0, 2.0, float("nan"), 0.0):
            with torch.no_grad():
                weight.copy_(truth + distance)
            seen.append(evaluate().item())
        assert not weight.grad.any()
        with torch.no_grad():
            weight.fill_(float("nan"))
        return seen[0]

    optimizer.step = breaks_down
    GuardedStep(net, (torch.from_numpy(X).double(), torch.from_numpy(Y).double())).take()
    assert seen[0] > seen[1] > seen[3] > seen[2]
    # Nothing is believed any more after a weight that is no number.
    assert seen[4] == seen[5] > seen[0]
    assert torch.equal(weight, truth + 1.0)
    assert net.optimizer_ is not optimizer  # which knows the curvature by what was lost
