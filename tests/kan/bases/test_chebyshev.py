"""Chebyshev polynomials."""

import numpy as np
import pytest
import scipy.special
import torch

from skdyn.kan.bases import Chebyshev


@pytest.mark.parametrize("n_functions", [1, 2, 3, 30])
def test_values_and_slopes_are_those_of_scipy(n_functions):
    u, degrees = np.linspace(-1, 1, 51)[:, None], np.arange(n_functions)
    values, slopes = Chebyshev(1, n_functions).double().values_and_slopes(torch.tensor(u))
    np.testing.assert_allclose(values[:, 0], scipy.special.eval_chebyt(degrees, u), atol=1e-12)
    expected = degrees * scipy.special.eval_chebyu(degrees - 1, u)
    np.testing.assert_allclose(slopes[:, 0], expected, atol=1e-9)


def test_a_smooth_function_is_fitted_to_rounding():
    basis = Chebyshev(1, 30).double()
    mesh = basis.mesh()
    weight = basis.fit(mesh, torch.exp(mesh)[..., None])
    # The coefficients are modified Bessel functions, Abramowitz and Stegun 9.6.34.
    expected = 2 * scipy.special.iv(np.arange(30), 1)
    expected[0] /= 2
    np.testing.assert_allclose(weight[0, :, 0], expected, atol=1e-14)
