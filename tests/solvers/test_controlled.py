"""Controlled differential equations."""

import pytest
import torch

from skdyn.solvers import interpolate_path, solve_cde

D = torch.float64
GENERATOR = torch.Generator().manual_seed(0)
T = torch.cumsum(torch.rand(5, generator=GENERATOR, dtype=D) + 0.3, 0)
X = torch.randn(2, 5, 1, generator=GENERATOR, dtype=D)
A = 0.4 * torch.randn(2, 2, generator=GENERATOR, dtype=D)


def linear(c):
    """A field whose channels commute: the answer is an exponential of where the path ends."""
    weights = torch.stack([(0.2 + k) * A for k in range(c)], dim=2)
    return weights, lambda t, z: torch.einsum("ijc,nj->nic", weights, z)


@pytest.mark.parametrize("kind", ["linear", "hermite", "cubic", "rectilinear"])
@pytest.mark.parametrize("own", [False, True])
def test_a_linear_equation_ends_where_the_exponential_says(kind, own):
    t = T + torch.tensor([[0.0], [1.0]]) if own and kind != "rectilinear" else T
    path = interpolate_path(X, t, kind)
    weights, field = linear(path.n_channels)
    z0 = torch.ones(2, 2, dtype=D)
    step_control = "per_sample" if own else "joint"
    ys = solve_cde(field, z0, path, rtol=1e-7, atol=1e-9, step_control=step_control).ys
    ends = path.knots[..., [0, -1]]
    moved = path.evaluate(ends).diff(dim=1)[:, 0]
    exact = torch.linalg.matrix_exp(torch.einsum("ijc,nc->nij", weights, moved)) @ z0[:, :, None]
    assert ys.shape[1] == path.knots.shape[-1]
    assert torch.allclose(ys[:, -1], exact[:, :, 0], atol=2e-6)


@pytest.mark.parametrize("kind", ["linear", "cubic"])
def test_gradients_pass_gradcheck(kind):
    def run(z0, x, a):
        path = interpolate_path(x, T[:3], kind)
        field = lambda t, z: (torch.tanh(z) @ a.T)[:, :, None]  # noqa: E731
        return solve_cde(field, z0, path, step_size=0.5, solver="rk4").ys

    z0 = torch.ones(2, 2, dtype=D, requires_grad=True)
    args = z0, X[:, :3].clone().requires_grad_(), A.clone().requires_grad_()
    assert torch.autograd.gradcheck(run, args, fast_mode=True)


def test_the_speed_of_a_path_does_not_matter():
    _, field = linear(1)
    z0, tight = torch.ones(2, 2, dtype=D), {"rtol": 1e-8, "atol": 1e-9}
    slow, fast = (interpolate_path(X, scale * T) for scale in (1.0, 0.1))
    ends = (solve_cde(field, z0, path, **tight).ys[:, -1] for path in (slow, fast))
    assert torch.allclose(*ends, atol=1e-7)


@pytest.mark.parametrize(
    ("path", "t", "field", "message"),
    [
        (X, None, None, "interpolate_path"),
        (interpolate_path(X, T, "hold"), None, None, "rectilinear"),
        (interpolate_path(X, T.expand(2, -1)), T, None, "t must be None"),
        (interpolate_path(X, T), None, lambda t, z: z, "must return shape"),
        (interpolate_path(X, T), [T[0], T[-1] + 1], None, "t must lie within the path"),
        (interpolate_path(X, T), [T[0] - 1, T[-1]], None, "t must lie within the path"),
        (interpolate_path(X.repeat(2, 1, 1), T), None, None, "of its 4 cases"),
        (interpolate_path(X.float(), T), None, None, "torch.float32 states"),
    ],
)
def test_what_cannot_drive_an_equation_is_refused(path, t, field, message):
    with pytest.raises(ValueError, match=message):
        solve_cde(field or linear(1)[1], torch.ones(2, 2, dtype=D), path, t)
