"""Step-size control."""

import math

import pytest
import torch

from skdyn.solvers._control import Controller, Tolerance, starting_step, starting_steps


def test_a_scaled_error_of_one_means_the_tolerance_is_just_met():
    y = torch.full((3, 2), 2.0, dtype=torch.float64)
    tolerance = Tolerance(1e-3, 1e-2, y)
    error = torch.full_like(y, 1e-2 + 1e-3 * 2)
    assert tolerance.joint(error, y) == pytest.approx(1)
    assert torch.allclose(tolerance.each(error, y), torch.ones(3, 1, dtype=torch.float64))


def test_the_larger_of_the_states_at_both_ends_of_a_step_is_its_scale():
    old = torch.tensor([[3.0, -1.0]], dtype=torch.float64)
    new = torch.tensor([[2.0, 40.0]], dtype=torch.float64)
    tolerance = Tolerance(0.5, 1.0, old)
    error = 1.0 + 0.5 * torch.tensor([[3.0, 40.0]], dtype=torch.float64)
    for states in ((old, new), (new, old)):
        assert tolerance.joint(error, *states) == pytest.approx(1)
        assert tolerance.each(error, *states).item() == pytest.approx(1)


def test_a_larger_error_never_gives_a_larger_step():
    controller = Controller(5)
    factors = [controller.factor(10.0**k, 1.0) for k in range(-8, 8)]
    assert factors == sorted(factors, reverse=True)
    assert factors[0] == 10
    assert factors[-1] == 0.2


def test_an_error_raises_the_step_by_its_order_and_one_that_fell_by_its_memory():
    """The proportional-integral law: h e^(-1/k + 3/4 b) e_last^b, here with b = 0.1 / k."""
    controller = Controller(4)
    step = [controller.factor(now, last) for now, last in ((0.3, 0.3), (0.03, 0.3), (0.3, 0.03))]
    assert step[1] / step[0] == pytest.approx(10 ** (1 / 4 - 0.75 * 0.1 / 4))
    assert step[2] / step[0] == pytest.approx(10 ** (-0.1 / 4))
    assert step[0] == pytest.approx(0.9 * 0.3 ** (-1 / 4 + 1.75 * 0.1 / 4))


def test_a_refused_step_never_grows():
    error, last = (torch.tensor([[value]], dtype=torch.float64) for value in (1.5, 1e9))
    assert Controller(4).factor(error.item(), last.item()) == 1.0
    assert Controller(4).factors(error, last).item() == 1.0
    assert Controller(4).factor(1 / 1.5, last.item()) > 1.0


def test_the_first_step_is_that_of_hairer_norsett_and_wanner():
    tried = []
    step = starting_step(2.0, 5.0, lambda h: tried.append(h) or 40.0, 5)
    assert tried == [pytest.approx(0.01 * 2.0 / 5.0)]
    assert step == pytest.approx((0.01 / 40.0) ** (1 / 5))
    assert starting_step(2.0, 5.0, lambda h: 1e-9, 1) == pytest.approx(0.01 / 5.0)


@pytest.mark.parametrize("error", [math.nan, math.inf])
def test_an_error_that_is_not_finite_shrinks_the_step(error):
    assert Controller(5).factor(error, 1.0) == 0.2
    assert float(Controller(5).factors(torch.tensor([[error]]), torch.ones(1, 1))) == pytest.approx(
        0.2
    )


@pytest.mark.parametrize("error", [1e-12, 1e-3, 0.9, 1.1, 50.0])
def test_tensors_are_controlled_as_floats_are(error):
    controller = Controller(4)
    tensor = controller.factors(torch.tensor([[error]]).double(), torch.full((1, 1), 0.5).double())
    assert float(tensor) == pytest.approx(controller.factor(error, 0.5))


@pytest.mark.parametrize(
    ("size", "slope", "curvature"), [(1.0, 2.0, 3.0), (0.0, 1.0, 1.0), (1.0, 0.0, 0.0)]
)
def test_first_steps_are_positive_and_alike_for_floats_and_tensors(size, slope, curvature):
    step = starting_step(size, slope, lambda h: curvature, 5)
    column = [torch.tensor([[value]]).double() for value in (size, slope, curvature)]
    steps = starting_steps(*column[:2], lambda h: column[2], 5)
    assert step > 0
    assert float(steps) == pytest.approx(step)
