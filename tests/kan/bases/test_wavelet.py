"""Mexican hats."""

import numpy as np
import pytest
import torch

from skdyn.kan.bases import Wavelet


def test_functions_are_second_derivatives_of_a_gaussian():
    basis = Wavelet(1, 7).double()
    with torch.no_grad():
        basis.translation += 0.1 * torch.randn_like(basis.translation)
    u = np.linspace(-1, 1, 31)[:, None]
    z = (u - basis.translation.detach().numpy()) / basis.log_scale.detach().exp().numpy()
    found = basis(torch.tensor(u))[:, 0].detach()
    np.testing.assert_allclose(found, (1 - z**2) * np.exp(-(z**2) / 2), atol=1e-14)


@pytest.mark.parametrize(
    ("n_functions", "octaves"),
    [(1, [1]), (2, [2]), (3, [1, 2]), (7, [1, 2, 4]), (8, [1, 2, 5]), (13, [1, 2, 10])],
)
def test_hats_start_in_octaves_that_each_fill_the_range(n_functions, octaves):
    basis = Wavelet(1, n_functions).double()
    places = np.concatenate([(2 * np.arange(n) + 1) / n - 1 for n in octaves])
    np.testing.assert_allclose(basis.translation.detach()[0], places, atol=1e-6)
    widths = np.concatenate([np.full(n, 2 / n) for n in octaves])
    np.testing.assert_allclose(basis.log_scale.detach()[0].exp(), widths, rtol=1e-6)
