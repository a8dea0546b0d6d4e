import numpy as np
import pytest
import torch
from scipy.special import logsumexp

from skdyn.hopfield import _density, _frozen_memory
from skdyn.hopfield._density import log_densities, most_likely_beta
from skdyn.hopfield._frozen_memory import FrozenMemory

rng = np.random.default_rng(0)
patterns, queries = rng.normal(size=(40, 3)), 3 * rng.normal(size=(10, 3))
mass = rng.integers(1, 4, 40).astype(float)
keys = torch.from_numpy(patterns)


def stored(beta, keys=keys):
    return FrozenMemory(keys, mass=torch.from_numpy(mass), sharpness=beta)


def means(asked, beta, mass):
    squares = np.square(asked[:, None] - patterns).sum(axis=2)
    return (logsumexp(-beta * squares / 2, b=mass, axis=1) - np.log(mass.sum())) / beta


@pytest.mark.parametrize("beta", [1e-3, 1.0, 1e4])
def test_log_densities_are_means_of_kernels(beta):
    found = log_densities(torch.from_numpy(queries), stored(beta))
    np.testing.assert_allclose(found, means(queries, beta, mass))


def test_a_huge_beta_leaves_the_distance_to_the_nearest():
    found = log_densities(torch.from_numpy(queries), stored(1e300))
    nearest = np.square(queries[:, None] - patterns).sum(axis=2).min(axis=1)
    np.testing.assert_allclose(found, -nearest / 2)


def test_far_from_the_origin_nothing_cancels():
    shift = 2.0**20
    found = log_densities(torch.from_numpy(queries + shift), stored(1e6, keys + shift))
    np.testing.assert_allclose(found, means(queries, 1e6, mass), rtol=1e-6)


def test_one_copy_of_a_query_that_is_stored_is_left_out():
    places = torch.tensor([3, -1, 7])
    asked = torch.from_numpy(np.vstack([patterns[3], queries[0], patterns[7]]))
    found = log_densities(asked, stored(5.0), places)
    for row, place in enumerate([3, None, 7]):
        others = mass - (np.arange(40) == place)
        np.testing.assert_allclose(found[row], means(asked[[row]].numpy(), 5.0, others)[0])


def test_the_only_pattern_cannot_be_left_out():
    one = FrozenMemory(keys[:1], mass=torch.ones(1, dtype=torch.float64), sharpness=2.0)
    assert log_densities(keys[:1], one, torch.zeros(1, dtype=torch.int64)).item() == 0


def test_beta_finds_the_density_of_known_kernels():
    draw = np.random.default_rng(1)
    centers = torch.from_numpy(np.repeat(10 * draw.normal(size=(200, 1)), 5, axis=0))
    rows = centers + 0.01 * torch.from_numpy(draw.normal(size=(1000, 1)))
    beta = most_likely_beta(rows, torch.ones(1000, dtype=torch.float64))
    assert 0.1 < beta * 0.01**2 < 10


def test_of_many_rows_few_tell_beta(monkeypatch):
    ones = torch.ones(40, dtype=torch.float64)
    wanted = most_likely_beta(keys, ones)
    monkeypatch.setattr(_density, "_N_WEIGHTS", 0)
    monkeypatch.setattr(_density, "_FEW", 20)
    assert most_likely_beta(keys, ones) == wanted


def test_beta_in_blocks_is_that_of_the_whole(monkeypatch):
    wanted = most_likely_beta(keys, torch.from_numpy(mass))
    monkeypatch.setattr(_frozen_memory, "_BLOCK", 6)
    assert most_likely_beta(keys, torch.from_numpy(mass)) == wanted
