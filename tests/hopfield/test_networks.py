import numpy as np
import pytest
import torch

from skdyn.hopfield import PolynomialInteraction
from skdyn.hopfield._interactions import INTERACTIONS, as_interaction
from skdyn.hopfield._networks import ContinuousNetwork, SignNetwork, follow
from skdyn.hopfield._separations import SEPARATIONS, as_separation

rng = np.random.default_rng(0)
patterns = rng.normal(size=(30, 8)) * [1, 1, 1, 1, 2, 2, 3, 3] + 5
queries = rng.normal(size=(40, 8)) * 2 + 5
incomplete = np.where(rng.random(queries.shape) < 0.3, np.nan, queries)
bits = rng.choice([-1.0, 1.0], size=(12, 20))
spoilt = rng.choice([-1.0, 1.0], size=(60, 20))
partial = np.where(rng.random(spoilt.shape) < 0.3, np.nan, spoilt)
INTERACTIONS_OF_BITS = [*map(as_interaction, INTERACTIONS), PolynomialInteraction(order=2)]


def continuous(separation="softmax", beta=0.3, similarity="euclidean", X=patterns):
    return ContinuousNetwork(X, as_separation(separation), beta, similarity)


def of_bits(interaction="hebb", update="synchronous", X=bits, beta=0.2):
    interaction = as_interaction(interaction)
    return SignNetwork(interaction._couplings(X), interaction, beta, update)


def energies(network, X, n_steps=30):
    found = [
        network.energy(states, known) for states, known, _ in follow(network, X, n_steps, tol=0.0)
    ]
    return np.stack(found, axis=1)


# -- continuous ---------------------------------------------------------------------------------


@pytest.mark.parametrize("X", [queries, incomplete], ids=["complete", "incomplete"])
@pytest.mark.parametrize("similarity", ["euclidean", "dot"])
@pytest.mark.parametrize("separation", SEPARATIONS)
def test_energy_never_rises(separation, similarity, X):
    course = energies(continuous(separation, similarity=similarity), X)
    assert (np.diff(course) <= 1e-12 * (1 + np.abs(course[:, 1:]))).all()
    assert (course[:, 0] - course[:, -1] > 1e-3).mean() > 0.9  # and there was a way to fall


def test_one_update_is_attention():
    keys, q = torch.from_numpy(patterns), torch.from_numpy(queries)
    attention = torch.nn.functional.scaled_dot_product_attention(q, keys, keys, scale=0.3)
    updated = continuous(similarity="dot").update(queries, None)
    np.testing.assert_allclose(updated, attention.numpy(), rtol=1e-10)


def test_the_euclidean_energy_is_that_of_a_mixture_of_gaussians():
    distances = ((queries[:, None] - patterns) ** 2).sum(axis=2)
    expected = -np.log(np.exp(-0.3 * distances / 2).sum(axis=1)) / 0.3
    np.testing.assert_allclose(continuous().energy(queries, None), expected, rtol=1e-10)


@pytest.mark.parametrize("similarity", ["euclidean", "dot"])
def test_known_entries_move_as_in_a_memory_of_these_alone(similarity):
    known = np.array([0, 2, 3, 6])
    X = np.full_like(queries, np.nan)
    X[:, known] = queries[:, known]
    network = continuous(similarity=similarity)
    small = continuous(similarity=similarity, X=patterns[:, known])
    for (states, seen, _), (few, _, _) in zip(
        follow(network, X, 5, 0.0), follow(small, X[:, known], 5, 0.0)
    ):
        np.testing.assert_allclose(states[:, known], few, rtol=1e-10)
        np.testing.assert_allclose(
            network.energy(states, seen), small.energy(few, None), rtol=1e-10
        )


def test_a_query_without_any_known_entry_gets_the_mean():
    network = continuous()
    mean = network.update(*network.start(np.full((1, 8), np.nan)))
    np.testing.assert_allclose(mean, patterns.mean(axis=0, keepdims=True))


@pytest.mark.parametrize("similarity", ["euclidean", "dot"])
@pytest.mark.parametrize("separation", SEPARATIONS)
def test_any_beta_gives_finite_states_and_energies(separation, similarity):
    for beta in (1e-300, 1e308):
        network = continuous(separation, beta, similarity)
        assert np.isfinite(network.update(queries, None)).all()
        assert np.isfinite(network.energy(queries, None)).all()


def test_euclidean_memories_do_not_care_where_the_origin_is():
    far = continuous(X=patterns + 1e6).update(queries + 1e6, None)
    np.testing.assert_allclose(far - 1e6, continuous().update(queries, None), atol=1e-8)


def test_a_query_rests_by_itself_whatever_its_company():
    *_, (together, _, _) = follow(continuous(), queries, 500, 1e-6)
    for query, state in zip(queries, together):
        *_, (alone, _, _) = follow(continuous(), query[None], 500, 1e-6)
        np.testing.assert_allclose(alone[0], state, rtol=1e-12)


# -- bits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("X", [spoilt, partial], ids=["complete", "incomplete"])
@pytest.mark.parametrize("update", ["synchronous", "asynchronous"])
@pytest.mark.parametrize("interaction", INTERACTIONS_OF_BITS, ids=repr)
def test_energy_of_bits_never_rises_and_they_come_to_rest(interaction, update, X):
    network = of_bits(interaction, update)
    course = energies(network, X, n_steps=100)
    assert course.shape[1] < 50
    assert (np.diff(course) <= 1e-10 * np.abs(course[:, 1:])).all()
    *_, (states, _, _) = follow(network, X, 100, 0.0)
    assert set(np.unique(states)) == {-1.0, 1.0}


@pytest.mark.parametrize("update", ["synchronous", "asynchronous"])
@pytest.mark.parametrize("interaction", INTERACTIONS_OF_BITS, ids=repr)
def test_at_rest_no_single_flip_would_lower_the_energy(interaction, update):
    network = of_bits(interaction, update)
    *_, (states, _, _) = follow(network, spoilt, 100, 0.0)
    for i in range(20):
        flipped = states.copy()
        flipped[:, i] *= -1
        assert (network.energy(flipped) >= network.energy(states) * (1 + 1e-9) - 1e-9).all()


def test_flipping_all_at_once_does_not_go_back_and_forth():
    # Each bit agrees to be like the other, so that plain synchronous updates swap them for ever.
    network = of_bits("hebb", X=np.array([[1.0, 1.0]]))
    *_, (states, _, _) = follow(network, np.array([[1.0, -1.0]]), 10, 0.0)
    assert abs(states.sum()) == 2


def krotov_hopfield(patterns, state, order):
    """One asynchronous update as the paper writes it: F with the bit up less F with it down."""
    state = state.copy()
    for i in range(len(state)):
        rest = patterns @ state - patterns[:, i] * state[i]
        up, down = (np.maximum(rest + sign * patterns[:, i], 0) ** order for sign in (1, -1))
        drive = (up - down).sum()
        state[i] = np.sign(drive) if drive else state[i]
    return state


@pytest.mark.parametrize("order", [2, 3, 5])
def test_asynchronous_updates_are_those_of_the_paper(order):
    network = of_bits(PolynomialInteraction(order), "asynchronous")
    expected = [krotov_hopfield(bits, state, order) for state in spoilt]
    np.testing.assert_array_equal(network.update(spoilt), expected)


def test_unknown_bits_take_no_part_until_they_are_set():
    network = of_bits("hebb")
    states, _ = network.start(partial)
    seen = ~np.isnan(partial)
    drive = np.where(seen, partial, 0) @ bits.T @ bits
    expected = np.where(seen, partial, np.where(drive < 0, -1, 1))
    np.testing.assert_array_equal(network.update(states)[~seen.all(1)], expected[~seen.all(1)])
