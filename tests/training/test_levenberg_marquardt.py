"""Levenberg-Marquardt: one step where the model is exact, never uphill where it is not."""

import itertools
import math

import torch
from scipy.optimize import lsq_linear

from skdyn.training._levenberg_marquardt import LevenbergMarquardt


class Squares:
    """Half the squared residuals of a function of one vector."""

    def __init__(self, residuals, start, lower=None):
        self.residuals = residuals
        self.now = torch.tensor(start, dtype=torch.float64)
        self.bounds = None if lower is None else torch.tensor(lower, dtype=torch.float64)

    def lower(self):
        return self.bounds

    def weights(self):
        return self.now

    def place(self, weights):
        self.now = weights

    def loss(self):
        return 0.5 * self.residuals(self.now).square().sum()

    def bend(self, move):
        start = self.now
        jacobian = torch.autograd.functional.jacobian(self.residuals, start)
        ends = self.residuals(start + 0.1 * move) + self.residuals(start - 0.1 * move)
        return jacobian.T @ (ends - 2 * self.residuals(start)) / 0.01

    def expand(self):
        jacobian = torch.autograd.functional.jacobian(self.residuals, self.now)
        residuals = self.residuals(self.now)
        return self.loss(), jacobian.T @ residuals, jacobian.T @ jacobian


def run(problem, n_steps, watch=None):
    optimizer = LevenbergMarquardt([problem.now])
    losses = [optimizer.step(problem, watch).item() for _ in range(n_steps)]
    return [*losses, problem.loss().item()]


def rosenbrock(w):
    return torch.stack([10 * (w[1] - w[0] ** 2), 1 - w[0]])


def test_a_linear_problem_is_solved_to_the_last_digit():
    A, expected = torch.randn(8, 3).double(), torch.randn(3).double()
    problem = Squares(lambda w: A @ (w - expected), [0.0, 0.0, 0.0])
    run(problem, 12)
    torch.testing.assert_close(problem.now, expected, rtol=0, atol=1e-12)


def test_the_loss_never_rises_and_the_valley_of_rosenbrock_is_walked_to_its_end():
    problem = Squares(rosenbrock, [-1.2, 1.0])
    losses = run(problem, 40)
    assert all(now <= before for before, now in itertools.pairwise(losses))
    torch.testing.assert_close(problem.now, torch.ones(2).double(), rtol=0, atol=1e-12)


def test_the_rate_near_the_solution_is_quadratic():
    losses = run(Squares(rosenbrock, [1.1, 1.2]), 6)
    assert losses[-1] < 1e-3 * losses[-2] < 1e-6 * losses[-3]


def test_the_bend_of_a_valley_is_followed():
    followed, straight = (Squares(rosenbrock, [-1.2, 1.0]) for _ in range(2))
    straight.bend = lambda move: None
    assert run(followed, 15)[-1] < 1e-3 * run(straight, 15)[-1]


def test_where_no_step_helps_the_weights_stay():
    problem = Squares(lambda w: torch.cat([w, w.abs() + 1]), [0.0])
    run(problem, 2)
    assert problem.now.item() == 0.0


def test_where_a_step_promises_less_than_rounding_one_is_tried():
    A, right = torch.randn(8, 3).double(), torch.randn(8).double()
    problem = Squares(lambda w: A @ w - right, [0.0, 0.0, 0.0])
    run(problem, 12)
    tried, place = [], problem.place
    problem.place = lambda weights: (tried.append(weights), place(weights))
    run(problem, 1)
    assert len(tried) <= 2  # and back


def test_a_weight_that_nothing_binds_stays_finite():
    problem = Squares(lambda w: w[:1] - 3.0, [0.0, 5.0])
    run(problem, 10)
    torch.testing.assert_close(problem.now, torch.tensor([3.0, 5.0]).double())


def test_validation_data_shorten_the_step_where_that_is_better_for_them():
    def walk(watched):
        problem = Squares(lambda w: w - 10.0, [0.0])
        watch = (lambda: (problem.now[0] - 2.0).square()) if watched else None
        run(problem, 1, watch)
        return problem.now.item()

    assert walk(watched=False) > 9
    assert 0 < walk(watched=True) < 9


def test_within_lower_bounds_a_linear_problem_is_solved_as_scipy_solves_it():
    A, b = torch.randn(30, 12).double(), torch.randn(30).double()
    lower = [-math.inf, *[0.0] * 11]
    problem = Squares(lambda w: A @ w - b, [1.0] * 12, lower)
    run(problem, 15)
    known = lsq_linear(A.numpy(), b.numpy(), (lower, math.inf), method="bvls", tol=1e-15).x
    assert 2 < (known[1:] == 0).sum() < 10
    # The losses of points nearer to one another are the same number.
    torch.testing.assert_close(problem.now, torch.from_numpy(known), rtol=0, atol=1e-8)


def test_the_valley_of_rosenbrock_is_walked_down_to_a_bound():
    problem = Squares(rosenbrock, [3.0, 3.0], [1.5, 0.0])
    losses = run(problem, 40)
    assert all(now <= before for before, now in itertools.pairwise(losses))
    torch.testing.assert_close(problem.now, torch.tensor([1.5, 2.25]).double(), rtol=0, atol=1e-9)
