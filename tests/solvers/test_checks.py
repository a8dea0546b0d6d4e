"""What a solve accepts."""

import math

import pytest
import torch

from skdyn.solvers import solve_ode
from skdyn.solvers._checks import all_finite, check_case_weight, check_times

Y0 = torch.ones(2, 1)
T = [0.0, 1.0]


def decay(t, y):
    return -y


@pytest.mark.parametrize(
    ("t", "match"),
    [
        ([0.0, 1.0, 1.0], r"strictly increasing .* t\[1\]=1, t\[2\]=1. Sort"),
        ([0.0, 2.0, 1.0], r"t\[1\]=2, t\[2\]=1"),
        ([[0.0, 1.0], [1.0, 1.0]], r"case 1 has t\[0\]=1, t\[1\]=1"),
        ([0.0, math.nan], r"t\[0\]=0, t\[1\]=nan"),
        ([0.0, math.inf], r"t\[0\]=0, t\[1\]=inf"),
        ([math.nan, 1.0], r"t\[0\]=nan"),
        ([0.0], "at least 2 times, the first that of y0; got 1"),
        (torch.zeros(3, 2), r"n_cases=2; got \(3, 2\)"),
        (torch.tensor([0.0, 1.0], requires_grad=True), "does not differentiate times"),
    ],
)
def test_times_that_do_not_run_one_way_are_refused(t, match):
    with pytest.raises(ValueError, match=match):
        solve_ode(decay, Y0, t)


@pytest.mark.parametrize(
    ("y0", "match"),
    [
        (torch.tensor([[1.0], [math.nan]]), "case 1 has nan in dimension 0"),
        (torch.tensor([[math.inf], [1.0]]), "case 0 has inf"),
        (torch.tensor(3.0), r"got \(\). Use y0\[None\]"),
        (torch.ones(0, 2), r"none of them zero; got \(0, 2\)"),
        (torch.ones(2, 1, dtype=torch.int32), "got dtype torch.int32"),
        ([[1.0]], "got list"),
    ],
)
def test_states_that_are_not_finite_tensors_of_cases_are_refused(y0, match):
    with pytest.raises(ValueError, match=match):
        solve_ode(decay, y0, T)


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"solver": "dopri"}, "solver must be one of 'euler'.* got 'dopri'. Did you mean 'dopri8'"),
        ({"adjoint": "discretely"}, "adjoint must be one of .* Did you mean 'discrete'"),
        ({"step_control": "each"}, "step_control must be one of 'joint', 'per_sample'"),
        ({"on_failure": "ignore"}, "on_failure must be one of 'raise', 'warn'"),
        ({"rtol": 0}, "rtol must be a positive finite number; got 0"),
        ({"atol": -1e-6}, "atol must be a positive finite number; got -1e-06"),
        ({"max_steps": 0}, "max_steps must be a positive integer; got 0"),
        ({"step_size": -0.1}, "step_size must be None or a positive finite number"),
        ({"first_step": math.inf}, "first_step must be None or a positive finite number"),
        ({"regularization": "errors"}, "Did you mean 'error'"),
        ({"regularization": "error", "solver": "rk4"}, "'rk4' has none"),
        ({"regularization": "stiffness", "solver": "bosh3"}, "one of tsit5, dopri5, rk4, heun"),
        ({"regularization": "error", "regularization_mode": "local"}, "needs generator="),
    ],
)
def test_options_that_mean_nothing_are_refused(options, match):
    with pytest.raises(ValueError, match=match):
        solve_ode(decay, Y0, T, **options)


def test_finite_numbers_whose_sum_overflows_are_finite():
    large = torch.full((4,), 3e38)
    assert all_finite(large)
    for wild in (torch.nan, torch.inf, -torch.inf):
        assert not all_finite(torch.tensor([1.0, wild, torch.inf]))
        assert not all_finite(torch.cat([large, torch.tensor([wild])]))


def test_weights_that_are_all_alike_are_no_weights():
    assert check_case_weight(torch.full((3,), 2.0), 3) is None
    weight = torch.tensor([1.0, 2.0, 1.0])
    assert check_case_weight(weight, 3) is weight
    for bad in (0.0, -1.0, torch.nan, torch.inf):
        with pytest.raises(ValueError, match="positive and finite"):
            check_case_weight(torch.tensor([1.0, bad, 1.0]), 3)


@pytest.mark.parametrize("n_times", [2, 5, 65, 200])
@pytest.mark.parametrize("spoil", [None, "turns", "stands", "nan", "inf"])
def test_few_and_many_times_are_held_to_the_same(n_times, spoil):
    times = torch.linspace(0.0, 1.0, n_times, dtype=torch.float64)
    end = {"turns": -1.0, "stands": times[-2].item(), "nan": torch.nan, "inf": torch.inf}
    for sign in (1, -1):
        t = sign * times
        if spoil is None:
            assert torch.equal(check_times(t, 1), t)
        elif n_times > 2 or spoil != "turns":  # two times may run backward
            t[-1] = sign * end[spoil]
            with pytest.raises(ValueError, match="strictly increasing"):
                check_times(t, 1)
