"""Paths through measurements."""

import numpy as np
import pytest
import torch
from scipy.interpolate import CubicHermiteSpline, CubicSpline, make_interp_spline

from skdyn.solvers import PATH_KINDS, interpolate_path

D = torch.float64
GENERATOR = torch.Generator().manual_seed(0)
T = torch.cumsum(torch.rand(9, generator=GENERATOR, dtype=D) + 0.1, 0)
X = torch.randn(3, 9, 2, generator=GENERATOR, dtype=D)
AT = torch.linspace(float(T[0]), float(T[-1]) - 1e-9, 57, dtype=D)


def of_scipy(kind):
    t, x = T.numpy(), X.numpy()
    slopes = np.diff(x, axis=1) / np.diff(t)[None, :, None]
    slopes = np.concatenate([slopes[:, :1], slopes], axis=1)
    return {
        "linear": lambda: make_interp_spline(t, x, k=1, axis=1),
        "hermite": lambda: CubicHermiteSpline(t, x, slopes, axis=1),
        "cubic": lambda: CubicSpline(t, x, axis=1, bc_type="natural"),
    }[kind]()


@pytest.mark.parametrize("kind", ["linear", "hermite", "cubic"])
def test_values_and_derivatives_are_scipys(kind):
    path, oracle = interpolate_path(X, T, kind), of_scipy(kind)
    assert torch.allclose(path.evaluate(AT), torch.tensor(oracle(AT.numpy())), atol=1e-12)
    assert torch.allclose(path.derivative(AT), torch.tensor(oracle(AT.numpy(), 1)), atol=1e-11)
    assert path.evaluate(AT[3]).shape == (3, 2)


@pytest.mark.parametrize("kind", ["linear", "hold", "hermite", "cubic"])
def test_knots_of_each_case_move_with_it(kind):
    shift = torch.arange(3, dtype=D)[:, None]
    path, own = interpolate_path(X, T, kind), interpolate_path(X, T + shift, kind)
    assert torch.allclose(own.evaluate(AT + shift), path.evaluate(AT), atol=1e-12)


def test_held_values_last_until_the_next():
    path = interpolate_path(X, T, "hold")
    assert torch.equal(path.evaluate(T), X)
    assert torch.equal(path.evaluate(T[1:] - 1e-9), X[:, :-1])
    assert not path.derivative(AT).any()


def test_a_rectilinear_path_moves_time_and_values_by_turns_and_never_looks_ahead():
    path = interpolate_path(X, T, "rectilinear")
    assert path.knots.tolist() == list(range(17))
    at_knots = path.evaluate(path.knots)
    assert torch.equal(at_knots[0, ::2, 0], T)
    assert torch.allclose(at_knots[:, ::2, 1:], X, atol=1e-15)
    assert torch.allclose(at_knots[:, 1::2, 1:], X[:, :-1], atol=1e-15)
    changed = X.clone()
    changed[:, 5:] += 1.0
    other = interpolate_path(changed, T, "rectilinear")
    before = torch.linspace(0, 9, 30, dtype=D)
    assert torch.equal(other.evaluate(before), path.evaluate(before))


@pytest.mark.parametrize("kind", PATH_KINDS)
def test_gaps_are_filled_as_the_kind_would(kind):
    holed = X.clone()
    holed[0, 3:5, 0] = holed[1, 0, 1] = holed[2, -1, 1] = torch.nan
    filled = X.clone()
    share = (T[3:5] - T[2]) / (T[5] - T[2])
    by_lines = X[0, 2, 0] + share * (X[0, 5, 0] - X[0, 2, 0])
    filled[0, 3:5, 0] = X[0, 2, 0] if kind in ("hold", "rectilinear") else by_lines
    filled[1, 0, 1], filled[2, -1, 1] = X[1, 1, 1], X[2, -2, 1]
    path, whole = interpolate_path(holed, T, kind), interpolate_path(filled, T, kind)
    assert torch.allclose(path.evaluate(AT), whole.evaluate(AT), atol=1e-12)


@pytest.mark.parametrize("kind", ["hermite", "cubic"])
def test_a_point_on_a_line_changes_nothing(kind):
    t = torch.tensor([0.0, 1.0, 1.5, 3.0], dtype=D)
    x = (2 * t - 1)[None, :, None]
    path = interpolate_path(x, t, kind)
    assert torch.allclose(path.evaluate(AT), (2 * AT - 1)[None, :, None].expand(1, -1, 1))


@pytest.mark.parametrize(
    ("x", "t", "message"),
    [
        (X[0], T, "shape"),
        (X.long(), T, "floating"),
        (X, T[:5], "the times of x"),
        (X, T.flip(0), "strictly increasing"),
        (X / 0.0, T, "infinity"),
        (X * torch.nan, T, "no value in case 0, channel 0"),
    ],
)
def test_measurements_that_no_path_leads_through_are_refused(x, t, message):
    with pytest.raises(ValueError, match=message):
        interpolate_path(x, t)
