"""A multigrid cycle as a layer: with the right stencils it solves Poisson's equation."""

import numpy as np
import pytest
import torch

from skdyn.operators._multigrid import BOUNDARIES, MultigridCycle, MultigridNetwork, level_grids

DAMPING = 0.8


def product(line, n_axes):
    """Stencil of a product of equal lines."""
    stencil = torch.tensor(line, dtype=torch.float64)
    for _ in range(n_axes - 1):
        stencil = stencil[..., None] * torch.tensor(line, dtype=torch.float64)
    return stencil


def laplacian(n_axes):
    """Stencil of minus the Laplacian, without the squared spacing."""
    delta, second = [0.0, 1.0, 0.0], [-1.0, 2.0, -1.0]
    stencil = torch.zeros([3] * n_axes, dtype=torch.float64)
    for axis in range(n_axes):
        term = torch.ones((), dtype=torch.float64)
        for other in range(n_axes):
            term = term[..., None] * torch.tensor(second if other == axis else delta)
        stencil += term
    return stencil


def poisson_cycle(grid, boundary, n_levels):
    """The cycle of a textbook: damped Jacobi, full weighting, linear interpolation."""
    n_axes = len(grid)
    cycle = MultigridCycle(1, 1, grid, boundary, n_levels).double()
    for level, (A, S) in enumerate(zip(cycle.operators, cycle.smoothers)):
        A.data = laplacian(n_axes)[None, None] / 4.0**level
        S.data = DAMPING * 4.0**level / (2 * n_axes) * product([0.0, 1.0, 0.0], n_axes)[None, None]
    for R, P in zip(cycle.restrictions, cycle.prolongations):
        R.data = product([0.25, 0.5, 0.25], n_axes)[None, None]
        P.data = product([0.5, 1.0, 0.5], n_axes)[None, None]
    return cycle.requires_grad_(False)


def dense(n, boundary):
    """Minus the second difference on an axis, as a matrix."""
    A = 2 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)
    if boundary == "periodic":
        A[0, -1] = A[-1, 0] = -1
    if boundary == "neumann":
        A[0, 1] = A[-1, -2] = -2
    return A


def textbook(f, level_sizes, boundary):
    """V-cycle in matrices, one axis, written apart from the layer."""

    def cycle(f, level):
        n = level_sizes[level]
        A = dense(n, boundary) / 4**level
        smooth = DAMPING * 4**level / 2
        u = smooth * f
        if level + 1 < len(level_sizes):
            m = level_sizes[level + 1]
            P = np.zeros((n, m))
            first = 1 if boundary == "dirichlet" else 0
            for j in range(m):
                middle = 2 * j + first
                for i, weight in ((middle - 1, 0.5), (middle, 1.0), (middle + 1, 0.5)):
                    if boundary == "periodic":
                        P[i % n, j] += weight
                    elif 0 <= i < n:
                        P[i, j] += weight
            R = P.T / 2
            if boundary == "neumann":  # a mirrored field gives an end both of its sides
                R[0, 1] *= 2
                R[-1, -2] *= 2
            u = u + P @ cycle(R @ (f - A @ u), level + 1)
        return u + smooth * (f - A @ u)

    return cycle(f, 0)


@pytest.mark.parametrize(
    ("boundary", "sizes"),
    [
        ("dirichlet", [15, 7, 3]),
        ("dirichlet", [16, 8, 4]),
        ("neumann", [17, 9, 5]),
        ("periodic", [16, 8, 4]),
    ],
)
def test_the_layer_reproduces_the_multigrid_cycle_of_a_textbook(boundary, sizes):
    f = np.random.default_rng(0).standard_normal(sizes[0])
    found = poisson_cycle((sizes[0],), boundary, 3)(torch.from_numpy(f)[None, None])
    np.testing.assert_allclose(found[0, 0], textbook(f, sizes, boundary), atol=1e-12)


@pytest.mark.parametrize("grid", [(32,), (16, 16), (8, 8, 8)], ids=str)
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_repeated_cycles_solve_poissons_equation(grid, boundary):
    grid = tuple(n + {"dirichlet": -1, "neumann": 1, "periodic": 0}[boundary] for n in grid)
    n_axes = len(grid)
    cycle = poisson_cycle(grid, boundary, None)
    A = sum(
        np.kron(
            np.kron(np.eye(int(np.prod(grid[:axis]))), dense(n, boundary)),
            np.eye(int(np.prod(grid[axis + 1 :]))),
        )
        for axis, n in enumerate(grid)
    )
    truth = np.random.default_rng(0).standard_normal(grid)
    f = torch.from_numpy((A @ truth.ravel()).reshape(1, 1, *grid))
    u, errors = torch.zeros_like(f), []
    stencil = laplacian(n_axes)[None, None]
    for _ in range(8):
        u = u + cycle(f - cycle._convolve(u, stencil))
        errors.append(float(torch.linalg.vector_norm(f - cycle._convolve(u, stencil))))
    rates = np.divide(errors[1:], errors[:-1])
    assert rates.max() < 0.5


def test_levels_take_every_other_point():
    assert level_grids((17, 12), "neumann") == [(17, 12), (9, 6), (5, 3), (3, 2)]
    assert level_grids((15, 12), "dirichlet") == [(15, 12), (7, 6), (3, 3), (1, 1)]
    assert level_grids((12, 8), "periodic") == [(12, 8), (6, 4), (3, 2)]
    assert level_grids((17,), "neumann", 2) == [(17,), (9,)]


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("grid", [(7,), (6, 9), (4, 5, 6)], ids=str)
def test_any_size_goes_through(boundary, grid):
    cycle = MultigridCycle(2, 3, grid, boundary, 3, n_smoothing=2)
    assert cycle(torch.ones(4, 2, *grid)).shape == (4, 3, *grid)


def test_the_cycle_is_linear():
    cycle = MultigridCycle(2, 3, (9, 8), "neumann", 3).double()
    f, g = torch.randn(2, 4, 2, 9, 8, dtype=torch.float64)
    torch.testing.assert_close(cycle(2 * f - g), 2 * cycle(f) - cycle(g))


def test_periodic_networks_commute_with_shifts_of_their_coarsest_spacing():
    network = MultigridNetwork(1, 1, (16, 16), (16, 16), "periodic", 4, 2, n_levels=3).double()
    x = torch.randn(2, 1, 16, 16, dtype=torch.float64)
    torch.testing.assert_close(network(x.roll(4, -1)), network(x).roll(4, -1))


def test_answers_may_be_numbers_or_on_another_grid():
    x = torch.randn(3, 2, 9, 8)
    assert MultigridNetwork(2, 1, (9, 8), (), "dirichlet", 4, 1)(x).shape == (3, 1)
    assert MultigridNetwork(2, 1, (9, 8), (5, 16), "dirichlet", 4, 1)(x).shape == (3, 1, 5, 16)
