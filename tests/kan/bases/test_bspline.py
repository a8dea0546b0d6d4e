"""B-splines: laws, scipy's own, and the fused sum against the plain one."""

import copy

import pytest
import scipy.interpolate
import torch

from skdyn.kan.bases._basis import EXTRAPOLATIONS, Basis
from skdyn.kan.bases._bspline import BSpline
from skdyn.kan.bases._range import robust_range

ORDERS = [0, 1, 2, 3, 4, 5]


def spline(k=3, n_in=3, grid_size=6, seed=0, **options):
    """A float64 basis on breaks of its own, adapted to skewed data."""
    generator = torch.Generator().manual_seed(seed)
    basis = BSpline(n_in, grid_size, k, **options).double()
    basis.adapt(torch.randn(200, n_in, generator=generator, dtype=torch.float64).exp())
    return basis


def points(basis, n=40, beyond=0.0, seed=1):
    """Points inside the range, or up to ``beyond`` of its width outside."""
    generator = torch.Generator().manual_seed(seed)
    u = torch.rand(n, basis.n_in, generator=generator, dtype=torch.float64)
    return basis.low + (basis.high - basis.low) * (u * (1 + 2 * beyond) - beyond)


def weights(basis, n_out=4, seed=2):
    generator = torch.Generator().manual_seed(seed)
    shape = basis.n_in, basis.n_functions + 1, n_out
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def greville(basis):
    """The weights of the function f(x) = x: means of k knots in a row."""
    k = basis.spline_order
    ends = basis.low[:, None].expand(-1, k), basis.high[:, None].expand(-1, k)
    knots = torch.cat([ends[0], basis.breaks, ends[1]], dim=1)
    return knots[:, 1:-1].unfold(1, k, 1).mean(dim=2)


@pytest.mark.parametrize("k", ORDERS)
def test_functions_sum_to_one_and_are_never_negative(k):
    basis = spline(k)
    values = basis(torch.cat([points(basis), basis.breaks.T]))
    assert torch.allclose(values.sum(dim=2), torch.ones(()).double(), atol=1e-14)
    assert values.min() > -1e-14
    assert ((values != 0).sum(dim=2) <= k + 1).all()


@pytest.mark.parametrize("k", ORDERS)
def test_functions_equal_those_of_scipy(k):
    basis = spline(k)
    x = torch.cat([points(basis), basis.breaks.T])
    values, slopes = basis.values_and_slopes(x)
    for i in range(basis.n_in):
        breaks = basis.breaks[i].tolist()
        knots = [breaks[0]] * k + breaks + [breaks[-1]] * k
        theirs = scipy.interpolate.BSpline(knots, torch.eye(basis.n_functions).numpy(), k)
        assert torch.allclose(values[:, i], torch.as_tensor(theirs(x[:, i])), atol=1e-13)
        if k > 1:  # of order 1, slopes at breaks are a matter of taste
            theirs = torch.as_tensor(theirs.derivative()(x[:, i]))
            assert torch.allclose(slopes[:, i], theirs, rtol=1e-12, atol=1e-11)


@pytest.mark.parametrize("k", ORDERS)
def test_slopes_equal_finite_differences(k):
    basis, step = spline(k), 1e-6
    x = points(basis)
    slopes = basis.values_and_slopes(x)[1]
    difference = (basis(x + step) - basis(x - step)) / (2 * step)
    assert torch.allclose(slopes, difference, atol=1e-6 * (1 + slopes.abs().max()))


@pytest.mark.parametrize("k", [1, 2, 3, 4, 5])
def test_linear_functions_are_reproduced_also_outside(k):
    basis = spline(k)
    x = points(basis, beyond=1.0)
    found = torch.einsum("nik,ik->ni", basis(x), greville(basis))
    assert torch.allclose(found, x, rtol=1e-12)


def test_outside_functions_go_on_straight_or_stay():
    line, flat = spline(), spline(extrapolation="constant")
    t = torch.arange(1.0, 4.0, dtype=torch.float64)[:, None]
    for start, step in ((line.high, t), (line.low, -t)):
        values = line(start + step)
        assert torch.allclose(values.diff(dim=0)[0], values.diff(dim=0)[1], rtol=1e-10)
        assert values.diff(dim=0).abs().amax() > 0.01
        assert torch.equal(flat(start + step), flat(start.expand(3, -1)))


def test_chords_are_those_of_the_outermost_intervals():
    basis = spline()
    basis.use_chords()
    for end, inner in ((0, 1), (-1, -2)):
        x = torch.stack([basis.breaks[:, inner], basis.breaks[:, end]])
        rise = basis(x).diff(dim=0)[0]
        torch.testing.assert_close(basis(x.diff(dim=0) + x[1:]) - basis(x[1:]), rise[None])


@pytest.mark.parametrize("chords", [False, True])
@pytest.mark.parametrize("extrapolation", EXTRAPOLATIONS)
@pytest.mark.parametrize("k", ORDERS)
def test_functions_and_gradients_are_those_of_values_and_slopes(k, extrapolation, chords):
    basis = spline(k, extrapolation=extrapolation)
    if chords:
        basis.use_chords()
    x = torch.cat([points(basis, beyond=0.5), points(basis, 4, beyond=50.0)]).requires_grad_()
    found, expected = basis(x), Basis.forward(basis, x)
    torch.testing.assert_close(found, expected)
    if k > 0:  # else they are steps
        mix = weights(basis)[:, :-1, 0]
        slopes = [torch.autograd.grad((each * mix).sum(), x)[0] for each in (found, expected)]
        torch.testing.assert_close(*slopes)


@pytest.mark.parametrize("extrapolation", EXTRAPOLATIONS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_points_very_far_outside_give_finite_sums_and_gradients(dtype, extrapolation):
    basis = spline(5, n_in=1, extrapolation=extrapolation).to(dtype)
    x = torch.tensor([[-1e30], [-1e4], [1e4], [1e30]], dtype=dtype, requires_grad=True)
    weight = weights(basis).to(dtype).requires_grad_()
    out = basis.combine(x, weight)
    out.sum().backward()
    for tensor in (out, x.grad, weight.grad):
        assert torch.isfinite(tensor).all()
    assert torch.allclose(out[1:3], Basis.combine(basis, x, weight)[1:3], rtol=1e-4)


def test_at_its_ends_the_range_still_has_the_slopes_of_the_inside():
    for basis in (spline(), spline(extrapolation="constant")):
        ends = torch.stack([basis.low, basis.high])
        slopes = basis.values_and_slopes(ends)[1]
        step = 1e-7 * (basis.high - basis.low) * torch.tensor([[1.0], [-1.0]]).double()
        inside = basis.values_and_slopes(ends + step)[1]
        assert torch.allclose(slopes, inside, atol=1e-5 * float(inside.abs().max()))


@pytest.mark.parametrize("n_out", [1, 4])
@pytest.mark.parametrize("extrapolation", EXTRAPOLATIONS)
@pytest.mark.parametrize("k", ORDERS)
def test_fused_sum_and_gradients_equal_those_of_dense_features(k, extrapolation, n_out):
    basis = spline(k, extrapolation=extrapolation)
    x = points(basis, beyond=0.3).requires_grad_()
    weight = weights(basis, n_out).requires_grad_()
    dense, fused = Basis.combine(basis, x, weight), basis.combine(x, weight)
    assert torch.allclose(fused, dense, rtol=1e-11, atol=1e-11)
    push = torch.linspace(-1, 1, dense.numel(), dtype=torch.float64).view_as(dense)
    ours = torch.autograd.grad(fused, [x, weight], push)
    theirs = torch.autograd.grad(dense, [x, weight], push)
    for a, b in zip(ours, theirs, strict=True):
        assert torch.allclose(a, b, rtol=1e-10, atol=1e-10)


def test_fused_sum_is_right_for_more_intervals_than_short_integers_count():
    basis = BSpline(9, 4096).double()
    x, weight = points(basis).requires_grad_(), weights(basis, 2).requires_grad_()
    push = torch.linspace(-1, 1, 80, dtype=torch.float64).view(40, 2)
    ours = torch.autograd.grad(basis.combine(x, weight), [x, weight], push)
    theirs = torch.autograd.grad(Basis.combine(basis, x, weight), [x, weight], push)
    for a, b in zip(ours, theirs, strict=True):
        assert torch.allclose(a, b, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("n_out", [1, 3])
@pytest.mark.parametrize("extrapolation", EXTRAPOLATIONS)
@pytest.mark.parametrize("k", [0, 1, 3])
def test_fused_sum_passes_gradcheck(k, extrapolation, n_out):
    basis = spline(k, grid_size=4, extrapolation=extrapolation)
    x, weight = points(basis, 8, beyond=0.3), weights(basis, n_out)
    assert torch.autograd.gradcheck(basis.combine, (x.requires_grad_(), weight.requires_grad_()))


@pytest.mark.parametrize(("n", "n_in", "grid_size"), [(0, 2, 3), (1, 1, 1), (1, 3, 2), (5, 1, 9)])
def test_fused_sum_takes_every_shape(n, n_in, grid_size):
    basis = BSpline(n_in, grid_size).double()
    x, weight = points(basis, n), weights(basis).requires_grad_()
    out = basis.combine(x, weight)
    out.sum().backward()
    assert torch.allclose(out, Basis.combine(basis, x, weight))
    assert weight.grad.shape == weight.shape


def test_fused_sum_follows_breaks_wherever_they_come_from():
    first, second = spline(seed=0), spline(seed=5)
    x, weight = points(first), weights(first).requires_grad_()
    with torch.inference_mode():
        before = first.combine(x, weight)
    wanted = second.combine(x, weight)
    first.load_state_dict(second.state_dict())
    assert torch.equal(first.combine(x, weight), wanted)
    assert not torch.allclose(before, wanted)
    second.adapt(10 * x)
    assert not torch.allclose(second.combine(x, weight), wanted)
    assert torch.allclose(copy.deepcopy(first).float().combine(x.float(), weight.float()),
                          wanted.float(), atol=1e-4)  # fmt: skip
    with torch.inference_mode():
        clone = copy.deepcopy(first)
        assert torch.equal(clone.combine(x, weight), wanted)
        clone.adapt(10 * x)
        assert not torch.allclose(clone.combine(x, weight), wanted)


def test_no_warning_reaches_the_user(recwarn):
    basis = spline()
    x, weight = points(basis).requires_grad_(), weights(basis).requires_grad_()
    basis.combine(x, weight).sum().backward()
    assert not recwarn.list


@pytest.mark.parametrize("wanted", [(True, False), (False, True), (False, False)])
def test_fused_sum_gives_only_the_gradients_asked_for(wanted):
    basis = spline()
    x = points(basis, beyond=0.3).requires_grad_(wanted[0])
    weight = weights(basis).requires_grad_(wanted[1])
    both = [t.detach().clone().requires_grad_() for t in (x, weight)]
    out, reference = basis.combine(x, weight), basis.combine(*both)
    assert torch.allclose(out, reference, rtol=1e-12)
    if any(wanted):
        out.sum().backward()
    reference.sum().backward()
    for one, other, there in zip((x, weight), both, wanted, strict=True):
        assert (one.grad is not None) == there
        assert not there or torch.allclose(one.grad, other.grad)


@pytest.mark.parametrize("k", ORDERS)
def test_refinement_leaves_functions_unchanged(k):
    basis = spline(k)
    finer = basis.refined(17)
    assert torch.isin(basis.breaks, finer.breaks).all()
    assert (finer.breaks.diff(dim=1) > 0).all()
    weight = weights(basis)[:, :-1]
    mesh = finer.mesh()
    found = finer.fit(mesh, torch.einsum("nik,ikj->nij", basis(mesh), weight))
    x = points(basis, 200, beyond=0.3)
    before = torch.einsum("nik,ikj->nij", basis(x), weight)
    after = torch.einsum("nik,ikj->nij", finer(x), found)
    assert (before - after).abs().max() < 1e-10


def test_refinement_splits_the_widest_intervals_and_keeps_the_settings():
    basis = BSpline(1, 2, 2, "constant", 0.25).double()
    basis._place(torch.tensor([[0.0, 1.0, 10.0]]))
    finer = basis.refined(4)
    assert finer.breaks.tolist() == [[0, 1, 4, 7, 10]]
    assert (finer.low, finer.high) == (0, 10)
    assert (finer.spline_order, finer.extrapolation, finer.grid_eps) == (2, "constant", 0.25)
    assert finer.breaks.dtype == torch.float64


def test_refinement_to_a_smaller_grid_is_refused():
    with pytest.raises(ValueError, match="6 intervals cannot be refined to 5"):
        spline().refined(5)


def test_breaks_follow_quantiles_as_far_as_asked():
    x = torch.linspace(0, 1, 101, dtype=torch.float64)[:, None] ** 3
    even, half, data = (BSpline(1, 4, grid_eps=eps).double() for eps in (1.0, 0.5, 0.0))
    for basis in (even, half, data):
        basis.adapt(x)
    low, high = robust_range(x)
    u = torch.linspace(0, 1, 5, dtype=torch.float64)
    assert torch.allclose(even.breaks, low + (high - low) * u)
    assert torch.allclose(half.breaks, (even.breaks + data.breaks) / 2, atol=0.01)
    assert torch.allclose(data.breaks[0, 1:-1], u[1:-1] ** 3, atol=0.02)
    assert (data.low, data.high) == (low, high)


@pytest.mark.parametrize("grid_eps", [0.0, 0.5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_breaks_increase_whatever_the_data(dtype, grid_eps):
    generator = torch.Generator().manual_seed(0)
    columns = [
        torch.full((100,), 7.0),
        torch.zeros(100),
        torch.arange(100) % 2,
        (torch.arange(100) == 5).float(),
        torch.randn(100, generator=generator).exp(),
        1e6 + torch.arange(100) % 3,
        torch.randn(100, generator=generator) * 1e-8,
    ]
    basis = BSpline(len(columns), 50, grid_eps=grid_eps).to(dtype)
    x = torch.stack(columns, dim=1).to(dtype)
    basis.adapt(x)
    assert (basis.breaks.diff(dim=1) > 0).all()
    assert (basis.low < basis.high).all()
    values, slopes = basis.values_and_slopes(x.clamp(basis.low, basis.high))
    assert torch.allclose(values.sum(dim=2), torch.ones((), dtype=dtype), atol=1e-5)
    assert torch.isfinite(slopes).all()


def test_weights_of_rows_count_as_repeats():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(60, 2, generator=generator, dtype=torch.float64)
    weight = torch.randint(0, 4, (60,), generator=generator)
    weighted, repeated = spline(n_in=2), spline(n_in=2)
    weighted.adapt(x, weight.double() / 7)
    repeated.adapt(x.repeat_interleave(weight, dim=0))
    assert torch.allclose(weighted.breaks, repeated.breaks, rtol=1e-12)


def test_one_interval_is_a_polynomial():
    basis = spline(2, grid_size=1)
    x = points(basis)
    weight = basis.fit(basis.mesh(), (basis.mesh() ** 2)[..., None])
    assert torch.allclose(torch.einsum("nik,ikj->nij", basis(x), weight)[..., 0], x**2)


def test_error_falls_as_the_fourth_power_of_the_grid():
    errors = []
    for grid_size in (8, 16, 32):
        basis = BSpline(1, grid_size).double()
        weight = basis.fit(basis.mesh(), torch.sin(3 * basis.mesh())[..., None])
        x = torch.linspace(-1, 1, 999, dtype=torch.float64)[:, None]
        found = torch.einsum("nik,ikj->nij", basis(x), weight)[..., 0]
        errors.append(float((found - torch.sin(3 * x)).abs().max()))
    assert 12 < errors[0] / errors[1] < 22
    assert 12 < errors[1] / errors[2] < 22


def test_devices_other_than_the_cpu_take_plain_operations():
    basis = BSpline(3, 5).to("meta")
    weight = torch.empty(3, basis.n_functions + 1, 2, device="meta", requires_grad=True)
    out = basis.combine(torch.empty(7, 3, device="meta"), weight)
    assert (out.device.type, out.shape) == ("meta", (7, 2))
    assert "_Combine" not in type(out.grad_fn).__name__


def test_what_follows_from_the_breaks_is_computed_anew_by_a_copy():
    basis, x = BSpline(2, 5), torch.rand(10, 2)
    functions = basis(x)
    basis.combine(x, torch.ones(2, 9, 1))
    assert basis._memo
    twin = copy.deepcopy(basis)
    assert not twin._memo
    assert torch.equal(twin(x), functions)
