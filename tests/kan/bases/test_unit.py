"""What all bases on the unit coordinate have in common."""

import copy

import pytest
import torch

from skdyn.kan.bases import BASES, RBF
from skdyn.kan.bases._range import MARGIN
from skdyn.kan.bases._unit import UnitBasis, evenly

UNIT = {name: basis for name, basis in BASES.items() if issubclass(basis, UnitBasis)}
RANGE = 0.5, 3.0


@pytest.fixture(params=UNIT)
def name(request):
    return request.param


def shaken(name, n_in=2, n_functions=7, **options):
    """A basis in float64 whose shapes are not where they started, on a range of its own."""
    basis = UNIT[name](n_in, n_functions, **options).double()
    with torch.no_grad():
        for shape in basis.parameters():
            shape += 0.3 * torch.randn_like(shape)
        basis.low.fill_(RANGE[0])
        basis.high.fill_(RANGE[1])
    return basis


def points(n=40, n_in=2):
    low, high = RANGE
    return low + (high - low) * torch.rand(n, n_in, dtype=torch.float64)


@pytest.mark.parametrize("n_functions", [1, 2, 3, 8])
def test_values_and_slopes_have_a_column_for_each_function(name, n_functions):
    values, slopes = shaken(name, 2, n_functions).values_and_slopes(points())
    assert values.shape == slopes.shape == (40, 2, n_functions)
    assert values.dtype == slopes.dtype == torch.float64


def test_slopes_are_those_that_autograd_finds(name):
    basis, x = shaken(name), points().requires_grad_()
    values, slopes = basis.values_and_slopes(x)
    for k in range(values.shape[-1]):
        found = torch.autograd.grad(values[..., k].sum(), x, retain_graph=True, allow_unused=True)
        found = torch.zeros_like(x) if found[0] is None else found[0]
        assert torch.allclose(slopes[..., k], found, rtol=1e-12, atol=1e-12)


def test_slopes_are_finite_differences(name):
    basis, x, step = shaken(name), points(), 1e-5
    found = (basis(x + step) - basis(x - step)) / (2 * step)
    assert torch.allclose(basis.values_and_slopes(x)[1], found, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("extrapolation", ["linear", "constant"])
def test_gradients_of_sums_are_right_for_points_weights_and_shapes(name, extrapolation):
    basis = shaken(name, n_functions=4, extrapolation=extrapolation)
    basis.use_chords()
    shapes = dict(basis.named_parameters())
    weight = torch.randn(2, 5, 3, dtype=torch.float64, requires_grad=True)
    x = torch.tensor([[0.7, 2.0], [-4.0, 5.0], [1.9, 2.7]], dtype=torch.float64)

    class Combine(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.basis = basis

        def forward(self, x, weight):
            return self.basis.combine(x, weight)

    def combine(x, weight, *values):
        named = {f"basis.{name}": value for name, value in zip(shapes, values, strict=True)}
        return torch.func.functional_call(Combine(), named, (x, weight))

    values = [shape.detach().clone().requires_grad_() for shape in shapes.values()]
    assert torch.autograd.gradcheck(combine, (x.requires_grad_(), weight, *values))


def test_functions_move_with_the_range(name):
    basis = UNIT[name](1, 6)
    x = torch.linspace(-1, 1, 21)[:, None]
    before = basis(x)
    basis.adapt(10 + 3 * x)
    stretch = 3 * (1 + 2 * MARGIN)
    assert torch.allclose(basis(10 + stretch * x), before, atol=1e-4)


@pytest.mark.parametrize("extrapolation", ["linear", "constant"])
def test_outside_the_range_functions_go_on_as_they_should(name, extrapolation):
    basis = shaken(name, extrapolation=extrapolation)
    for end, side in zip(RANGE, (-1, 1), strict=True):
        end = torch.full((1, 2), end, dtype=torch.float64)
        value, slope = basis.values_and_slopes(end)
        expected = value + (2 * side * slope if extrapolation == "linear" else 0)
        assert torch.allclose(basis(end + 2 * side), expected)
    basis.use_chords()
    fifth = (RANGE[1] - RANGE[0]) / 5
    for end, side in zip(RANGE, (-1, 1), strict=True):
        end = torch.full((1, 2), end, dtype=torch.float64)
        rise = basis(end) - basis(end - side * fifth)
        beyond = rise if extrapolation == "linear" else 0
        assert torch.allclose(basis(end + side * fifth), basis(end) + beyond)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_extreme_points_and_shapes_give_finite_numbers(name, dtype):
    basis = UNIT[name](1, 20).to(dtype)
    x = torch.tensor([[-1e30], [-1.0], [0.0], [1.0], [1e30]], dtype=dtype, requires_grad=True)
    for size in (0.0, 30.0, -60.0):
        with torch.no_grad():
            for shape in basis.parameters():
                shape += size
        found = basis(x)
        assert found.isfinite().all()
        gradients = torch.autograd.grad(found[1:4].sum(), [x, *basis.parameters()])
        assert all(gradient.isfinite().all() for gradient in gradients)


# Bounds of the root mean square error for exp(u) cos(6 u) with 5, 10 and 20 functions. Gaussians as
# wide as they are apart and Cauchy kernels that are not trained stop near 3e-4.
ACCURACY = {
    "rbf": (0.5, 1e-2, 1e-3),
    "chebyshev": (0.5, 1e-2, 5e-9),
    "fourier": (0.5, 1e-2, 1e-5),
    "wavelet": (0.5, 2e-2, 1e-4),
    "rational": (0.5, 1e-2, 2e-8),
    "cauchy": (0.5, 2e-2, 5e-4),
}


def test_a_smooth_function_is_fitted_the_better_the_more_functions_there_are(name):
    x = torch.linspace(-1, 1, 501, dtype=torch.float64)[:, None]

    def target(x):
        return torch.exp(x) * torch.cos(6 * x)

    errors = []
    for n_functions in (5, 10, 20):
        basis = UNIT[name](1, n_functions).double()
        mesh = basis.mesh()
        weight = basis.fit(mesh, target(mesh)[..., None])
        found = basis(x).flatten(1) @ weight.flatten(0, 1)
        errors.append((found - target(x)).square().mean().sqrt().item())
    assert errors[0] > errors[1] > errors[2]
    assert all(error < bound for error, bound in zip(errors, ACCURACY[name], strict=True))


def test_refining_keeps_range_shapes_and_all_functions(name):
    basis = shaken(name)
    basis.spline_order = 3
    finer = basis.refined(10)
    assert finer.n_functions == 13
    assert finer.spline_order == 3
    assert torch.equal(finer.low, basis.low)
    for shape, finer_shape in zip(basis.parameters(), finer.parameters(), strict=True):
        assert torch.equal(finer_shape[:, : shape.shape[1]], shape)
    if name != "rbf":
        x = points()
        assert torch.equal(finer(x)[..., :7], basis(x))


def test_a_function_on_finer_functions_is_the_same(name):
    basis, x = shaken(name), points()
    weight = torch.randn(2, 7, 3, dtype=torch.float64)
    finer = basis.refined(13)
    mesh = finer.mesh()
    moved = finer.fit(mesh, torch.einsum("nik,ikj->nij", basis(mesh), weight))
    expected = torch.einsum("nik,ikj->nij", basis(x), weight)
    tolerance = 2e-2 if name == "rbf" else 1e-10  # Gaussians of two widths are not the same
    found = torch.einsum("nik,ikj->nij", finer(x), moved)
    assert torch.allclose(found, expected, rtol=0, atol=tolerance)


def test_a_coarser_basis_is_refused():
    with pytest.raises(ValueError, match="7 functions cannot be refined to 6; pass grid_size >= 7"):
        RBF(1, 7).refined(6)


def test_a_copy_gives_the_same_functions(name):
    basis, x = shaken(name), points()
    twin = UNIT[name](2, 7).double()
    twin.load_state_dict(basis.state_dict())
    assert torch.equal(twin(x), basis(x))
    assert torch.equal(copy.deepcopy(basis)(x), basis(x))


def test_points_are_even_and_a_single_one_is_in_the_middle():
    like = torch.zeros(1, dtype=torch.float64)
    assert evenly(5, like).tolist() == [-1, -0.5, 0, 0.5, 1]
    assert evenly(1, like).tolist() == [0]
