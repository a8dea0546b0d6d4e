"""Batches of clouds."""

import numpy as np
import torch

from skdyn.operators._cloud_batches import CloudArrays, CloudObjective, CloudStore

SIZES = np.array([2, 9, 3, 8])


def store():
    n = SIZES.sum()
    features = np.arange(n, dtype=float)[:, None]
    edge = np.isin(np.arange(n), [1, 10, 13])
    none = np.empty((n, 0), dtype=int)
    weights = (1 / SIZES).repeat(SIZES)
    return CloudStore(
        CloudArrays(features, weights, edge, SIZES, none, None, SIZES, none[:0]),
        torch.zeros(0, dtype=torch.float64),
    )


def test_cases_of_one_length_go_together():
    groups = store().groups(np.arange(4))
    assert sorted(map(sorted, (group.tolist() for group in groups))) == [[0, 2], [1, 3]]


def test_what_is_filled_up_has_no_weight():
    batch = store().batch(np.array([0, 2]))
    assert batch.features[..., 0].tolist() == [[0, 1, 0], [11, 12, 13]]
    assert (batch.weights > 0).tolist() == [[True, True, False], [True, True, True]]
    assert batch.edge.tolist() == [[1], [2]]
    assert batch.edge_weights.tolist() == [[1], [1]]
    assert store().batch(np.array([3])).edge_weights.tolist() == [[0]]


def test_answers_come_back_place_after_place():
    found = store().ask(lambda batch: batch.features, n_points=9)
    assert found[:, 0].tolist() == list(range(SIZES.sum()))


def test_the_loss_of_a_batch_is_the_mean_over_its_cases():
    cases = store()
    y = torch.arange(SIZES.sum(), dtype=torch.float64)[:, None]
    shares = torch.as_tensor((1 / SIZES).repeat(SIZES))
    objective = CloudObjective(lambda errors, w: (errors.square().mean(2) * w).sum(1))
    numbers, weight = objective.add(cases, y, shares), torch.tensor([1.0, 2.0, 1.0, 0.5]).double()
    each = [float((part**2).mean()) for part in y.split(SIZES.tolist())]
    expected = np.mean(np.multiply(each, weight.numpy()))
    assert np.isclose(objective.loss_of_zero((numbers, weight)), expected)
    assert objective(lambda batch: batch.features, numbers, weight) == 0
