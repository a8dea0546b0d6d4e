import numpy as np
import pytest

from skdyn.symbolic._fixed_points import kind_of_fixed_point
from skdyn.symbolic._system import EquationSystem


@pytest.mark.parametrize(
    ("eigenvalues", "kind"),
    [
        ([-1, -2], "stable node"),
        ([1, 2], "unstable node"),
        ([1, -2], "saddle"),
        ([-1 + 1j, -1 - 1j], "stable focus"),
        ([1 + 1j, 1 - 1j], "unstable focus"),
        ([1 + 1j, 1 - 1j, -2], "saddle focus"),
        ([1j, -1j], "center"),
        ([0, -1], "degenerate"),
        ([0], "degenerate"),
    ],
)
@pytest.mark.parametrize("units", [1e-6, 1.0, 1e6])
def test_the_kind_follows_from_the_eigenvalues_in_any_units_of_time(eigenvalues, kind, units):
    assert kind_of_fixed_point(units * np.array(eigenvalues, dtype=complex)) == kind


def test_lotka_volterra_has_a_saddle_and_a_center():
    system = EquationSystem(["1.5*x - x*y", "x*y - 3*y"], ["x", "y"])
    origin, inner = system.fixed_points([[-1, 10], [-1, 10]])
    np.testing.assert_allclose(origin.point, 0, atol=1e-12)
    np.testing.assert_allclose(origin.eigenvalues, [1.5, -3.0])
    assert origin.kind == "saddle"
    np.testing.assert_allclose(inner.point, [3.0, 1.5])
    np.testing.assert_allclose(np.abs(inner.eigenvalues.imag), np.sqrt(4.5))
    assert inner.kind == "center"


@pytest.mark.parametrize("units", [1e-4, 1.0, 1e4])
def test_lorenz_has_its_three_fixed_points_in_any_units(units):
    texts = [
        "10*(y - x)",
        f"28*x - y - x*z/{units}",
        f"x*y/{units} - 8/3*z",
    ]
    bounds = units * np.array([[-30, 30], [-30, 30], [-10, 50]])
    found = EquationSystem(texts, ["x", "y", "z"]).fixed_points(bounds)
    size = np.sqrt(8 / 3 * 27)
    expected = units * np.array([[-size, -size, 27], [0, 0, 0], [size, size, 27]])
    np.testing.assert_allclose([p.point for p in found], expected, atol=1e-9 * units)
    assert [p.kind for p in found] == ["saddle focus", "saddle", "saddle focus"]


@pytest.mark.parametrize(
    ("text", "roots", "kinds"),
    [
        ("x**3 - x", [-1, 0, 1], ["unstable node", "stable node", "unstable node"]),
        ("0.6 - 1.5*x/(0.3 + x)", [0.2], ["stable node"]),
        ("sin(x)", [-np.pi, 0, np.pi], ["stable node", "unstable node", "stable node"]),
        ("x**2 + 1", [], []),
        ("exp(x)", [], []),
        ("5 - x", [], []),
    ],
)
def test_all_roots_in_one_state_are_found_and_none_outside_the_bounds(text, roots, kinds):
    found = EquationSystem([text], ["x"]).fixed_points([[-4, 4]])
    np.testing.assert_allclose([p.point[0] for p in found], roots, atol=1e-9)
    assert [p.kind for p in found] == kinds


def test_controls_rest_at_their_values():
    (point,) = EquationSystem(["u - 2*x"], ["x"], ["u"]).fixed_points([[0, 5]], u=[6.0])
    assert point.point == pytest.approx([3.0])


def test_a_curve_of_fixed_points_is_degenerate_and_some_of_them_are_given():
    system = EquationSystem(["-0.5*S*I", "0.5*S*I - 0.1*I"], ["S", "I"])
    found = system.fixed_points([[0, 1], [0, 1]])
    assert 1 < len(found) < 50
    for point, _, kind in found:
        assert kind == "degenerate"
        np.testing.assert_allclose(system.rhs(point[None]), 0, atol=1e-8)


def test_bounds_that_are_none_are_refused():
    system = EquationSystem(["-x"], ["x"])
    for bounds in ([[0, 1], [0, 1]], [[1, 0]], [[0, np.inf]]):
        with pytest.raises(ValueError, match="bounds must hold the lowest and highest value"):
            system.fixed_points(bounds)
