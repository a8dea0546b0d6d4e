"""Cauchy kernels."""

import numpy as np
import torch

from skdyn.kan.bases import Cauchy


def test_functions_are_the_parts_of_poles():
    basis = Cauchy(1, 7).double()
    with torch.no_grad():
        basis.centre += 0.1 * torch.randn_like(basis.centre)
    u = np.linspace(-1, 1, 31)[:, None]
    c, d = basis.centre.detach().numpy(), basis.log_width.detach().exp().numpy()
    below = (u - c) ** 2 + d**2
    found = basis(torch.tensor(u))[:, 0].detach()
    np.testing.assert_allclose(found[:, ::2], d**2 / below, rtol=1e-12)
    np.testing.assert_allclose(found[:, 1::2], (d * (u - c) / below)[:, :3], atol=1e-14)


def test_poles_are_spread_over_the_range_old_and_new():
    start = Cauchy(1, 8).centre.detach()[0]
    np.testing.assert_allclose(start.sort().values, [-1, -1 / 3, 1 / 3, 1], atol=1e-6)
    added = Cauchy(1, 8).refined(16).centre.detach()[0, 4:]
    assert added.min() < -0.3
    assert added.max() > 0.3


def test_moving_a_pole_fits_a_narrow_peak():
    x = torch.linspace(-1, 1, 101)[:, None]
    y = 1 / (1 + 100 * (x - 0.35) ** 2)
    basis, weight = Cauchy(1, 4), torch.zeros(1, 5, 1, requires_grad=True)
    optimizer = torch.optim.Adam([weight, *basis.parameters()], lr=0.05)
    for _ in range(400):
        optimizer.zero_grad()
        loss = (basis.combine(x, weight) - y).square().mean()
        loss.backward()
        optimizer.step()
    fixed = Cauchy(1, 4)
    fixed_weight = fixed.fit(x, y[..., None])
    unmoved = (fixed(x)[:, 0].double() @ fixed_weight[0] - y).square().mean()
    assert loss < unmoved / 20
