"""Rational functions without poles."""

import numpy as np
import scipy.special
import torch

from skdyn.kan.bases import Rational


def test_functions_are_polynomials_over_the_denominator():
    basis = Rational(1, 5).double()
    b = np.array([0.3, -1.2, 0.7])
    with torch.no_grad():
        basis.denominator.copy_(torch.tensor(b))
    u = np.linspace(-1, 1, 31)
    below = 1 + np.polynomial.polynomial.polyval(u, b) ** 2
    expected = scipy.special.eval_chebyt(np.arange(5), u[:, None]) / below[:, None]
    found = basis(torch.tensor(u)[:, None])[:, 0].detach()
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)


def test_the_denominator_learns_a_peak_that_no_polynomial_of_its_size_has():
    x = torch.linspace(-1, 1, 101, dtype=torch.float64)[:, None]
    y = (1 / (1 + 25 * (x - 0.3) ** 2))[:, :, None]
    basis = Rational(1, 4).double()

    def error():
        functions = basis(x)[:, 0]
        weight = torch.linalg.lstsq(functions, y[:, 0]).solution
        return (functions @ weight - y[:, 0]).square().mean()

    first = error().item()
    optimizer = torch.optim.Adam(basis.parameters(), lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        loss = error()
        loss.backward()
        optimizer.step()
    assert first > 1e-2
    assert error() < 1e-5
