"""Linear fields whose solutions are the forecasts of a linear step."""

import numpy as np
import pytest
import torch
from scipy.linalg import expm

from skdyn.neural_ode._line import LinedField, fit_line

SLOPE = np.array([[-0.1, 0.7, 0.0], [-0.7, -0.1, 0.2], [0.0, 0.0, -0.4]])
MIDDLE = np.array([1.0, -2.0, 0.5])


def solutions(times, n_cases=4):
    starts = np.random.default_rng(0).normal(size=(n_cases, 3))
    flows = np.stack([expm(SLOPE * (t - times[0])) for t in times])
    return [MIDDLE + flows @ (start - MIDDLE) for start in starts]


def test_a_linear_field_is_found_from_its_solutions():
    line = fit_line(solutions(np.arange(0, 12, 0.4)), 0.4)
    np.testing.assert_allclose(line.slope, SLOPE, atol=0.02)
    np.testing.assert_allclose(line.middle, MIDDLE, atol=0.02)


def a_record(step, n=400):
    rng, rows = np.random.default_rng(1), [np.zeros(len(step))]
    for _ in range(n):
        rows.append(step @ rows[-1] + rng.normal(size=len(step)))
    return np.array(rows)


def test_its_solutions_are_the_forecasts_of_the_step():
    step = np.array([[1.2, -0.7], [1.0, 0.0]])
    rows = a_record(step)
    line = fit_line([rows], 2.0)
    X = np.c_[rows[:-1], np.ones(len(rows) - 1)]
    found = np.linalg.lstsq(X, rows[1:], rcond=None)[0]
    forecast = rows[:5]
    for k in range(1, 4):
        forecast = np.c_[forecast, np.ones(5)] @ found
        solved = line.middle + (rows[:5] - line.middle) @ expm(line.slope * 2.0 * k).T
        np.testing.assert_allclose(solved, forecast, atol=2e-3)


@pytest.mark.parametrize("factor", [-0.6, 0.0, 1.3])
def test_steps_without_a_rate_and_growth_become_solutions_that_fall(factor):
    rows = a_record(np.diag([0.5, -0.3]), 100)
    rows[:, 0] = factor ** np.arange(101.0)
    line = fit_line([rows[:40]], 1.0)
    assert np.isfinite(line.slope).all()
    assert np.linalg.eigvals(line.slope).real.max() < 0


def test_a_network_is_added_to_the_line():
    field = LinedField(lambda t, y: t + 0 * y, torch.tensor([[2.0]]), torch.tensor([1.0]))
    found = field(torch.tensor(10.0), torch.tensor([[4.0]]))
    assert found.item() == 10 + 2 * (4 - 1)
