import numpy as np
import pytest
import torch

from skdyn.autoencoder._network import SparseCoder
from skdyn.autoencoder._start import (
    center_and_scale,
    geometric_median,
    some_rows,
    start_from_data,
)
from skdyn.training import seeded_rng


def test_outliers_hardly_move_the_geometric_median():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 3))
    X[:20] += 1000.0
    assert np.abs(geometric_median(X)).max() < 0.5
    assert np.abs(X.mean(axis=0)).min() > 50


def test_no_small_move_brings_the_rows_nearer():
    X = np.random.default_rng(1).exponential(size=(50, 2))
    median = geometric_median(X)

    def distance(point):
        return np.linalg.norm(X - point, axis=1).sum()

    for move in ([0.05, 0.0], [-0.05, 0.0], [0.0, 0.05], [0.0, -0.05]):
        assert distance(median) <= distance(median + move)


def test_scaled_rows_have_unit_variance_a_feature_about_their_center():
    X = 50.0 + 7.0 * np.random.default_rng(0).normal(size=(500, 4))
    coder = SparseCoder(4, 4, 8, 2, "topk").double()
    start_from_data(coder, X)
    scaled = torch.from_numpy(X) * coder.input_scale - coder.shift
    assert abs(scaled.square().mean().item() - 1.0) < 1e-5
    assert torch.equal(coder.input_scale, coder.output_scale)


def test_constant_rows_are_left_in_their_units():
    coder = SparseCoder(4, 4, 8, 2, "topk").double()
    start_from_data(coder, np.full((5, 4), 3.0))
    assert torch.equal(coder.input_scale, torch.ones(4).double())
    assert torch.equal(coder.decoder_bias.detach(), torch.full((4,), 3.0).double())


def test_every_source_has_the_same_share_of_the_squares():
    X = np.random.default_rng(0).normal(size=(500, 9)) * np.repeat([1.0, 70.0], [3, 6]) + 5.0
    center, scale = center_and_scale(X, [slice(3), slice(3, 9)])
    scaled = (X - center) * scale
    sums = [np.square(scaled[:, :3]).sum(), np.square(scaled[:, 3:]).sum()]
    np.testing.assert_allclose(sums, np.square(scaled).sum() / 2, rtol=1e-12)
    np.testing.assert_allclose(np.mean(scaled**2), 1.0, rtol=1e-12)
    assert len(np.unique(scale)) == 2


def test_rows_that_are_looked_at_are_spread_over_all():
    rows = some_rows(np.arange(10_000)[:, None])
    assert len(rows) == 4096
    assert (rows[0, 0], rows[-1, 0]) == (0.0, 9999.0)
    assert np.diff(rows[:, 0]).max() <= 3


@pytest.mark.parametrize(("n_outputs", "k"), [(1, 32), (1, 1), (6, 16)])
def test_what_a_random_encoder_adds_up_to_begins_no_larger_than_the_targets(n_outputs, k):
    rng = np.random.default_rng(0)
    X, Y = 5.0 * rng.normal(size=(200, 10)), 3.0 * rng.normal(size=(200, n_outputs))
    with seeded_rng(0):
        coder = SparseCoder(10, n_outputs, 64, k, "topk", (), False)
    start_from_data(coder, X, Y)
    x = torch.from_numpy(X).float()
    error = coder(x) - torch.from_numpy(Y).float()
    assert (error * coder.output_scale).square().mean() < 2.5


def test_a_scale_that_is_small_enough_stays():
    rng = np.random.default_rng(0)
    with seeded_rng(0):
        coder = SparseCoder(10, 300, 64, 1, "topk", (), False)
    before = coder.encoder_weight.detach().clone()
    start_from_data(coder, rng.normal(size=(200, 10)), rng.normal(size=(200, 300)))
    assert torch.equal(coder.encoder_weight, before)
