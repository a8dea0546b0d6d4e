"""What every basis inherits, shown on the smallest one: powers of x."""

import pytest
import torch

from skdyn.kan.bases._basis import EXTRAPOLATIONS, Basis
from skdyn.kan.bases._bspline import BSpline


class Powers(Basis):
    """1, x and x squared; then x squared again, so that weights are not unique."""

    def __init__(self, n_in=2, extrapolation="linear"):
        super().__init__(n_in, 4, extrapolation)

    def values_and_slopes(self, x):
        return (
            torch.stack([torch.ones_like(x), x, x**2, x**2], dim=2),
            torch.stack([torch.zeros_like(x), torch.ones_like(x), 2 * x, 2 * x], dim=2),
        )


def powers(low=-1.0, high=3.0, **options):
    basis = Powers(**options).double()
    basis.low.fill_(low)
    basis.high.fill_(high)
    return basis


def points(low, high, n=9):
    return torch.linspace(low, high, n, dtype=torch.float64)[:, None].repeat(1, 2)


def test_inside_the_range_functions_are_themselves():
    x = points(-1, 3)
    for extrapolation in EXTRAPOLATIONS:
        basis = powers(extrapolation=extrapolation)
        assert torch.equal(basis(x), basis.values_and_slopes(x)[0])


def test_outside_functions_go_on_along_the_tangent_or_stay():
    x = torch.tensor([[5.0, -3.0]], dtype=torch.float64)
    line = powers()(x)[0]
    assert line.tolist() == [[1, 5, 9 + 6 * 2, 21], [1, -3, 1 - 2 * -2, 5]]
    flat = powers(extrapolation="constant")(x)[0]
    assert flat.tolist() == [[1, 3, 9, 9], [1, -1, 1, 1]]


def test_chords_of_the_outermost_fifths_take_the_place_of_tangents():
    basis = powers()
    basis.use_chords()
    x = torch.tensor([[5.0, -3.0], [0.5, 2.0]], dtype=torch.float64)
    found = basis(x)  # between 2.2 and 3 the square rises by 5.2 a unit, at the other end falls
    expected = torch.tensor([[1, 5, 9 + 5.2 * 2, 9 + 5.2 * 2], [1, -3, 1 + 1.2 * 2, 1 + 1.2 * 2]])
    torch.testing.assert_close(found[0], expected.double())
    assert torch.equal(found[1], powers()(x)[1])


def test_the_residual_is_the_last_feature():
    x = points(-4, 6)
    features = powers().features(x)
    assert torch.equal(features[..., :-1], powers()(x))
    assert torch.equal(features[..., -1], torch.nn.functional.silu(x))


def test_where_functions_do_not_go_on_the_residual_does_not_either():
    features = powers(extrapolation="constant").features(points(3, 300))
    assert torch.equal(features, features[:1].expand_as(features))


@pytest.mark.parametrize("extrapolation", EXTRAPOLATIONS)
def test_what_is_handed_over_to_a_wider_range_is_the_whole_edge(extrapolation):
    old, new = BSpline(2, 40, 1, extrapolation), BSpline(2, 80, 1, extrapolation)
    new._place(torch.linspace(-2, 2, 81).repeat(2, 1))  # holds the breaks of the old one
    weight = torch.randn(2, 42, 3, dtype=torch.float64)
    found = torch.cat([new.hand_over(old, weight).double(), weight[:, -1:]], dim=1)
    x = new.breaks.double()[:, ::4].T  # at breaks a spline of order one is exact
    before, after = (
        torch.einsum("nik,ikj->nij", basis.double().features(x), each)
        for basis, each in ((old, weight), (new, found))
    )
    assert torch.allclose(before, after, atol=0.02)


def test_combine_adds_up_weighted_features():
    x, basis = points(-4, 6), powers()
    weight = torch.randn(2, 5, 3, dtype=torch.float64)
    wanted = torch.einsum("nik,ikj->nj", basis.features(x), weight)
    assert torch.allclose(basis.combine(x, weight), wanted)
    assert basis.effective(weight) is weight


def test_unit_maps_the_range_with_the_stated_rate():
    basis = powers()
    u, rate = basis.unit(points(-1, 3, 3))
    assert u[:, 0].tolist() == [-1, 0, 1]
    assert rate.tolist() == [0.5, 0.5]


def test_adapt_moves_the_range_to_the_data():
    basis = powers()
    basis.adapt(points(10, 20, 100))
    assert (basis.low > 8).all()
    assert (basis.low < 10).all()
    assert (basis.high > 20).all()
    assert (basis.high < 22).all()


def test_fit_finds_a_function_that_the_basis_holds_though_its_weights_are_not_unique():
    basis = powers()
    mesh = basis.mesh()
    assert mesh.dtype == torch.float64
    assert (mesh.amin(dim=0) == basis.low).all()
    assert (mesh.amax(dim=0) == basis.high).all()
    wanted = torch.stack([2 - mesh + 3 * mesh**2, mesh], dim=2)
    weight = basis.fit(mesh, wanted)
    assert weight.shape == (2, 4, 2)
    assert torch.allclose(torch.einsum("nik,ikj->nij", basis(mesh), weight), wanted, atol=1e-12)
    assert weight.abs().max() < 4


def test_fit_in_single_precision_is_as_good_as_single_precision_allows():
    basis = powers().float()
    mesh = basis.mesh()
    weight = basis.fit(mesh, (mesh**2)[..., None])
    assert weight.dtype == torch.float64
    assert torch.allclose(weight[:, 2:].sum(dim=1), torch.ones(2, 1).double(), atol=1e-6)


def test_a_function_is_handed_over_to_another_basis():
    old, new = powers(), BSpline(2, 5, 3).double()
    new.adapt(points(-1, 3, 50))
    weight = torch.randn(2, 5, 3, dtype=torch.float64)
    found = new.hand_over(old, weight)
    x = points(-1, 3, 30)
    before = torch.einsum("nik,ikj->nij", old(x), weight[:, :-1])
    # The range of the new basis is a little longer; there, the old one goes on straight.
    after = torch.einsum("nik,ikj->nij", new(x), found)
    assert (before - after).abs().max() < 0.05 * before.abs().max()
    new._place(torch.linspace(-1, 3, 6).double().repeat(2, 1))
    after = torch.einsum("nik,ikj->nij", new(x), new.hand_over(old, weight))
    assert torch.allclose(before, after, atol=1e-12)


@pytest.mark.parametrize(("low", "high"), [(-1.0, 3.0), (0.0, 1.0), (10.0, 10.1)])
def test_roughness_of_a_parabola_is_the_integral_over_a_range_of_length_one(low, high):
    # x = low + L u has the second derivative 2 L^2 of x^2 by u.
    roughness = powers(low, high).roughness()
    weight = torch.tensor([5.0, -3.0, 1.0, 0.0], dtype=torch.float64)
    wanted = (2 * (high - low) ** 2) ** 2
    assert (weight @ roughness @ weight).tolist() == pytest.approx([wanted] * 2, rel=1e-9)


def test_roughness_of_a_spline_is_the_integral_too():
    basis = BSpline(1, 7).double()
    basis.adapt(torch.linspace(-1, 1, 99).double()[:, None] ** 3)
    basis._place(basis.breaks / basis.high[:, None])
    weight = basis.fit(basis.mesh(), (basis.mesh() ** 3)[..., None])[0, :, 0]
    # d^2/du^2 of x^3 with x = 2u - 1 is 24 x; the mean of its square over [-1, 1] is 192.
    assert float(weight @ basis.roughness()[0] @ weight) == pytest.approx(192, rel=1e-2)
