"""Gaussians in a row."""

import numpy as np
import torch

from skdyn.kan.bases import RBF


def test_functions_are_gaussians_as_wide_as_they_are_apart():
    u = np.linspace(-1, 1, 31)
    centers = np.linspace(-1.4, 1.4, 6)  # two fifths, one gap of [-1, 1], beyond each end
    expected = np.exp(-(((u[:, None] - centers) / (centers[1] - centers[0])) ** 2))
    found = RBF(1, 6).double()(torch.tensor(u)[:, None])[:, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-13)
