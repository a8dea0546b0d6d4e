import numpy as np
import pytest
import torch
from sklearn import config_context
from sklearn.neighbors import NearestNeighbors

from skdyn.hopfield._frozen_memory import FrozenMemory
from skdyn.hopfield._retrieval import (
    SIMILARITIES,
    retrieve,
    row_chunks,
    scores,
    top,
    total_variance,
)
from skdyn.hopfield._separations import SEPARATIONS, as_separation

rng = np.random.default_rng(0)
queries, patterns, values = (
    torch.from_numpy(rng.normal(size=s)) for s in ((7, 3), (20, 3), (20, 2))
)
SOFTMAX = {"beta": 0.7, "similarity": "euclidean", "separation": as_separation("softmax")}


def test_one_retrieval_is_attention():
    found = retrieve(queries, patterns, values, **SOFTMAX | {"similarity": "dot"})
    wanted = torch.nn.functional.scaled_dot_product_attention(
        queries[None], patterns[None], values[None], scale=0.7
    )
    torch.testing.assert_close(found, wanted[0])


def test_euclidean_scores_are_distances_up_to_a_constant_of_the_query():
    found = scores(queries, patterns, beta=0.7)
    wanted = -0.7 * torch.cdist(queries, patterns).square() / 2
    torch.testing.assert_close(found - found[:, :1], wanted - wanted[:, :1])


def test_cosine_ignores_lengths_and_takes_zero_vectors():
    found = scores(3 * queries, torch.cat([patterns, torch.zeros(1, 3)]), similarity="cosine")
    wanted = torch.nn.functional.cosine_similarity(queries[:, None], patterns[None], dim=2)
    torch.testing.assert_close(found[:, :-1], wanted)
    assert (found[:, -1] == 0).all()


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("separation", SEPARATIONS.values())
def test_huge_beta_takes_the_best_pattern_and_tiny_beta_the_mean(similarity, separation):
    how = {"similarity": similarity, "separation": separation}
    best = scores(queries, patterns, similarity=similarity).argmax(dim=1)
    torch.testing.assert_close(retrieve(queries, patterns, values, beta=1e300, **how), values[best])
    if separation != SEPARATIONS["topk"]:
        found = retrieve(queries, patterns, values, beta=1e-300, **how)
        torch.testing.assert_close(found, values.mean(dim=0).expand_as(found))


def test_huge_beta_finds_the_nearest_neighbours_of_scikit_learn():
    found = top(queries, patterns, 1, **SOFTMAX | {"beta": 1e12})
    wanted = NearestNeighbors(n_neighbors=1).fit(patterns.numpy()).kneighbors(queries.numpy())[1]
    np.testing.assert_array_equal(found.indices, wanted)
    assert (found.weights == 1).all()


@pytest.mark.parametrize("separation", SEPARATIONS.values())
def test_chunks_change_nothing(separation):
    how = SOFTMAX | {"separation": separation, "exclude": torch.arange(7)}
    whole = retrieve(queries, patterns, values, **how)
    with config_context(working_memory=2e-3):
        assert len(list(row_chunks(7, 20))) > 1
        torch.testing.assert_close(retrieve(queries, patterns, values, **how), whole)


def test_chunks_hold_every_row_once_and_stay_in_their_budget():
    with config_context(working_memory=1):
        parts = list(row_chunks(10_000, 5_000))
    rows = [row for part in parts for row in range(part.start, part.stop)]
    assert rows == list(range(10_000))
    assert max(part.stop - part.start for part in parts) * 5_000 * 8 <= 2**20
    with config_context(working_memory=0):
        assert list(row_chunks(2, 10)) == [slice(0, 1), slice(1, 2)]
    assert list(row_chunks(0, 10)) == []


def test_an_excluded_pattern_is_as_if_it_were_not_there():
    own = torch.arange(7) + 5
    found = retrieve(patterns[own], patterns, values, exclude=own, **SOFTMAX)
    for row, i in enumerate(own):
        others = torch.arange(20) != i
        wanted = retrieve(patterns[i : i + 1], patterns[others], values[others], **SOFTMAX)
        torch.testing.assert_close(found[row], wanted[0])


@pytest.mark.parametrize("separation", SEPARATIONS.values())
def test_mass_counts_copies(separation):
    how = SOFTMAX | {"separation": separation}
    copies = torch.from_numpy(rng.integers(1, 4, size=20))
    found = retrieve(queries, patterns, values, mass=copies.double(), **how)
    repeated = [v.repeat_interleave(copies, dim=0) for v in (patterns, values)]
    torch.testing.assert_close(found, retrieve(queries, *repeated, **how))


def test_top_gives_the_largest_weights_in_order():
    found = top(queries, patterns, 4, **SOFTMAX)
    ((_, _, weights),) = FrozenMemory(patterns, sharpness=0.7).weight_chunks(queries)
    torch.testing.assert_close(found.weights, weights.sort(descending=True).values[:, :4])
    torch.testing.assert_close(weights.gather(1, found.indices), found.weights)
    assert top(queries, patterns, 50, **SOFTMAX).indices.shape == (7, 20)


def test_a_beta_beyond_single_precision_takes_the_best():
    found = retrieve(queries.float(), patterns.float(), values.float(), **SOFTMAX | {"beta": 1e300})
    best = scores(queries, patterns).argmax(dim=1)
    torch.testing.assert_close(found, values[best].float())


def test_single_precision_stays_single():
    found = retrieve(queries.float(), patterns.float(), values.float(), **SOFTMAX)
    assert found.dtype == torch.float32
    torch.testing.assert_close(
        found.double(), retrieve(queries, patterns, values, **SOFTMAX), atol=1e-5, rtol=1e-5
    )


def test_an_unknown_similarity_is_refused():
    with pytest.raises(ValueError, match="similarity must be one of"):
        scores(queries, patterns, similarity="manhattan")


def test_the_unit_of_similarities_is_the_total_variance():
    mass = torch.from_numpy(rng.integers(1, 4, size=20))
    repeated = patterns.repeat_interleave(mass, dim=0)
    wanted = repeated.var(dim=0, correction=0).sum().item()
    assert total_variance(patterns, mass.double(), "euclidean") == pytest.approx(wanted)
    assert total_variance(3 * patterns, mass.double(), "cosine") < 1


def test_the_unit_of_equal_patterns_is_one():
    equal = torch.full((7, 3), 0.1, dtype=torch.float64)
    for similarity in SIMILARITIES:
        assert total_variance(equal, torch.rand(7).double(), similarity) == 1
