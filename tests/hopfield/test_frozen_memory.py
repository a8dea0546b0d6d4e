from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
import torch
from sklearn import config_context
from sklearn.neighbors import NearestNeighbors

from skdyn.hopfield import _frozen_memory
from skdyn.hopfield._frozen_memory import FrozenMemory
from skdyn.hopfield._retrieval import SIMILARITIES, row_chunks, scores
from skdyn.hopfield._separations import SEPARATIONS

rng = np.random.default_rng(0)
queries, patterns, values = (
    torch.from_numpy(rng.normal(size=s)) for s in ((7, 3), (20, 3), (20, 2))
)
memory = FrozenMemory(patterns, values, sharpness=0.7)
ALL = SEPARATIONS.values()


def test_a_memory_does_not_change():
    with pytest.raises(FrozenInstanceError):
        memory.sharpness = 2.0


def test_one_retrieval_is_attention():
    wanted = torch.nn.functional.scaled_dot_product_attention(
        queries[None], patterns[None], values[None], scale=0.7
    )
    torch.testing.assert_close(replace(memory, similarity="dot").means(queries), wanted[0])


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_scores_are_those_of_one_matrix_less_the_best(similarity):
    z = scores(queries, patterns, 0.7, similarity)
    ((_, _, found),) = replace(memory, similarity=similarity).score_chunks(queries)
    torch.testing.assert_close(found, z - z.amax(dim=1, keepdim=True))


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("separation", ALL)
def test_huge_sharpness_takes_the_best_pattern_and_tiny_the_mean(similarity, separation):
    other = replace(memory, similarity=similarity, separation=separation)
    best = scores(queries, patterns, similarity=similarity).argmax(dim=1)
    torch.testing.assert_close(replace(other, sharpness=1e300).means(queries), values[best])
    if separation != SEPARATIONS["topk"]:
        found = replace(other, sharpness=1e-300).means(queries)
        torch.testing.assert_close(found, values.mean(dim=0).expand_as(found))


def test_huge_sharpness_finds_the_nearest_neighbors_of_scikit_learn():
    found = replace(memory, sharpness=1e12).nearest(queries, 1)
    wanted = NearestNeighbors(n_neighbors=1).fit(patterns.numpy()).kneighbors(queries.numpy())[1]
    np.testing.assert_array_equal(found.indices, wanted)
    assert (found.weights == 1).all()


@pytest.mark.parametrize("separation", ALL)
def test_chunks_change_nothing(separation):
    other, own = replace(memory, separation=separation), torch.arange(7)
    whole = other.means(queries, exclude=own), other.energies(queries, exclude=own)
    with config_context(working_memory=2e-3):
        assert len(list(row_chunks(7, 20))) > 1
        torch.testing.assert_close(other.means(queries, exclude=own), whole[0])
        torch.testing.assert_close(other.energies(queries, exclude=own), whole[1])


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_blocks_of_patterns_change_nothing(monkeypatch, similarity):
    betas, own = [2.0**power for power in range(-2, 30)], torch.arange(7) + 5
    other = replace(memory, similarity=similarity, mass=torch.rand(20).double() + 0.5)
    fine = betas[0], 3 * betas[0], 5.5  # no powers of two
    whole = [other.means_by_beta(patterns[own], each, own) for each in (betas, fine)]
    energies = [replace(other, sharpness=beta).energies(queries) for beta in (0.7, 1e300)]
    without = other.energies(patterns[own], exclude=own)
    monkeypatch.setattr(_frozen_memory, "_BLOCK", 6)
    monkeypatch.setattr(_frozen_memory, "_BLOCK_OF_SCORES", 12)
    for each, wanted in zip((betas, fine), whole):
        torch.testing.assert_close(other.means_by_beta(patterns[own], each, own), wanted)
    for beta, wanted in zip((0.7, 1e300), energies):
        torch.testing.assert_close(replace(other, sharpness=beta).energies(queries), wanted)
    torch.testing.assert_close(other.energies(patterns[own], exclude=own), without)


def test_an_excluded_pattern_is_as_if_it_were_not_there():
    own = torch.arange(7) + 5
    found = memory.means(patterns[own], exclude=own)
    for row, i in enumerate(own):
        others = torch.arange(20) != i
        rest = replace(memory, keys=patterns[others], values=values[others])
        torch.testing.assert_close(found[row], rest.means(patterns[i : i + 1])[0])


@pytest.mark.parametrize("separation", ALL)
def test_mass_counts_copies(separation):
    copies = torch.from_numpy(rng.integers(1, 4, size=20))
    weighed = replace(memory, separation=separation, mass=copies.double())
    repeated = [v.repeat_interleave(copies, dim=0) for v in (patterns, values)]
    whole = FrozenMemory(*repeated, sharpness=0.7, separation=separation)
    torch.testing.assert_close(weighed.means(queries), whole.means(queries))
    torch.testing.assert_close(weighed.energies(queries), whole.energies(queries))


@pytest.mark.parametrize("similarity", ["euclidean", "dot"])
@pytest.mark.parametrize("separation", ALL)
def test_queries_with_gaps_ask_a_memory_of_what_they_know(similarity, separation):
    known = torch.tensor([1.0, 0.0, 1.0], dtype=torch.float64)
    other = replace(memory, similarity=similarity, separation=separation)
    small = replace(other, keys=patterns[:, ::2])
    how = {"known": known.expand(7, 3)}
    torch.testing.assert_close(other.means(queries * known, **how), small.means(queries[:, ::2]))
    found = other.energies(queries * known, **how)
    torch.testing.assert_close(found, small.energies(queries[:, ::2]))


@pytest.mark.parametrize("similarity", ["euclidean", "dot"])
@pytest.mark.parametrize("separation", ALL)
def test_the_slope_of_the_energy_points_from_the_mean_of_the_patterns(similarity, separation):
    other = replace(memory, values=None, similarity=similarity, separation=separation)
    step = 1e-6 * torch.eye(3, dtype=torch.float64)
    slopes = [(other.energies(queries + s) - other.energies(queries - s)) / 2e-6 for s in step]
    wanted = queries - other.means(queries)
    torch.testing.assert_close(torch.stack(slopes, dim=1), wanted, atol=1e-6, rtol=1e-6)


def test_the_nearest_come_by_falling_weight():
    found = memory.nearest(queries, 4)
    ((_, _, weights),) = memory.weight_chunks(queries)
    torch.testing.assert_close(found.weights, weights.sort(descending=True).values[:, :4])
    torch.testing.assert_close(weights.gather(1, found.indices), found.weights)
    assert memory.nearest(queries, 50).indices.shape == (7, 20)


def test_single_precision_stays_single_and_takes_any_sharpness():
    single = memory.to(queries.float())
    assert single.to(queries.float()) is single
    found = single.means(queries.float())
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), memory.means(queries), atol=1e-5, rtol=1e-5)
    best = scores(queries, patterns).argmax(dim=1)
    found = replace(single, sharpness=1e300).means(queries.float())
    torch.testing.assert_close(found, values[best].float())


@pytest.mark.parametrize("similarity", ["euclidean", "distance"])
def test_sums_are_not_divided(similarity):
    keys, queries = (torch.randn(n, 3, dtype=torch.float64) for n in (20, 5))
    values, mass = torch.randn(20, 2, dtype=torch.float64), torch.rand(20, dtype=torch.float64)
    memory = FrozenMemory(keys, values, mass, 3.0, similarity)
    away = torch.cdist(queries, keys)
    powers = (-3 * (away if similarity == "distance" else away**2 / 2)).exp() * mass
    wanted = torch.column_stack([powers @ values, powers.sum(dim=1)])
    torch.testing.assert_close(memory.sums(queries), wanted)
    nearest = memory.nearest(queries, 3)
    torch.testing.assert_close(
        nearest.weights, (powers / powers.sum(dim=1, keepdim=True)).topk(3).values
    )
