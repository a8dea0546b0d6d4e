"""What places see of a cloud."""

import numpy as np

from skdyn.datasets import FieldData
from skdyn.operators._cloud_features import cloud_features, learn_cloud_scales, nearest_points


def disc(n=400):
    angle = 2 * np.pi * np.arange(n) / n
    edge = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    inside = 0.8 * np.random.default_rng(0).uniform(-0.7, 0.7, (30, 2))
    coords = np.concatenate([edge, inside])
    on_edge = np.arange(len(coords)) < n
    u = coords[:, 0] ** 2 - coords[:, 1] ** 2 + coords[:, 0] * coords[:, 1]
    X = FieldData.from_lists([coords], [u * on_edge], edge=[on_edge], weights=None)
    return X, u


def test_means_of_edge_values_by_the_square_of_the_distance_are_harmonic_in_a_disc():
    X, u = disc()
    features = cloud_features(X, learn_cloud_scales(X, np.ones(1)))
    inside = ~X.edge
    errors = abs(features[inside] - u[inside, None]).max(axis=0)
    assert errors.min() < 2e-3  # one of the columns is the solution
    assert abs(u[inside]).max() > 0.2


def test_distances_to_the_edge_and_values_here_are_among_them():
    X, _ = disc()
    scales = learn_cloud_scales(X, np.ones(1))
    features = cloud_features(X, scales)
    assert abs(features[X.edge] - X.values[X.edge]).max(axis=0).min() < 0.01
    away = np.linalg.norm(X.coords - X.coords[X.edge][:, None], axis=-1).min(axis=0)
    np.testing.assert_allclose(
        abs(features * scales.scale.mean() - away[:, None]).max(axis=0).min(), 0, atol=0.02
    )


def test_nearest_points_are_named_within_their_case():
    X = FieldData.from_lists([np.array([0.0, 1.0, 2.1, 3.3]), np.array([0.0, 5.0])])
    scales = learn_cloud_scales(X, np.ones(2))
    assert nearest_points(X, scales, 3).tolist() == [
        [0, 1, 2], [1, 0, 2], [2, 1, 3], [3, 2, 1], [0, 1, 1], [1, 0, 0],
    ]  # fmt: skip
