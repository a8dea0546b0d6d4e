"""Sines and cosines."""

import numpy as np
import torch

from skdyn.kan.bases import Fourier


def test_functions_are_pairs_of_sine_and_cosine():
    u, w = np.linspace(-1, 1, 31), 2 * np.pi / 3
    waves = [np.ones(31), np.sin(w * u), np.cos(w * u), np.sin(2 * w * u), np.cos(2 * w * u)]
    found = Fourier(1, 5).double()(torch.tensor(u)[:, None])[:, 0]
    np.testing.assert_allclose(found, np.stack(waves, axis=1), atol=1e-14)


def test_a_function_with_different_ends_is_not_bent_together():
    basis = Fourier(1, 21).double()
    mesh = basis.mesh()
    weight = basis.fit(mesh, mesh[..., None])
    ends = basis(torch.tensor([[-1.0], [1.0]]).double())[:, 0] @ weight[0]
    np.testing.assert_allclose(ends[:, 0], [-1, 1], atol=1e-4)
