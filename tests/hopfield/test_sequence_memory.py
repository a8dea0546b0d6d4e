import numpy as np
import pytest
from scipy.linalg import hadamard
from sklearn.neighbors import NearestNeighbors

from skdyn.hopfield import PolynomialInteraction, SequenceMemory

BITS = ["hebb", "pseudo_inverse", "polynomial", "exponential"]


def random_bits(n_states, n_features, seed=0):
    return np.random.default_rng(seed).choice([-1.0, 1.0], (n_states, n_features))


def replayed(memory, sequence):
    """Number of steps that are right, from the first state on."""
    found = memory.recall(sequence[:1], len(sequence) - 1)[0].T
    wrong = (found != sequence[1:]).any(axis=1)
    return int(wrong.argmax()) if wrong.any() else len(wrong)


@pytest.mark.parametrize("interaction", [*BITS, "softmax", "sparsemax", "topk"])
def test_a_cycle_of_orthogonal_patterns_is_replayed_for_ever(interaction):
    states = hadamard(16)[:6].astype(float)
    cycle = states[np.arange(7) % 6]
    memory = SequenceMemory(interaction, beta=20.0).fit(cycle)
    assert memory.n_transitions_ == 6
    found = memory.recall(states[:2], 20)
    np.testing.assert_allclose(found[0].T, states[np.arange(1, 21) % 6], atol=1e-6)
    np.testing.assert_allclose(found[1].T, states[np.arange(2, 22) % 6], atol=1e-6)


def test_higher_powers_hold_sequences_that_the_rule_of_hebb_does_not():
    sequence = random_bits(81, 60)
    assert replayed(SequenceMemory("hebb").fit(sequence[:7]), sequence[:7]) == 6
    steps = [
        replayed(SequenceMemory(interaction).fit(sequence), sequence)
        for interaction in (
            "hebb", PolynomialInteraction(order=2), PolynomialInteraction(order=6), "exponential"
        )
    ]  # fmt: skip
    assert steps[0] < 20
    assert steps[1] < 20
    assert steps[2:] == [80, 80]
    assert replayed(SequenceMemory("pseudo_inverse").fit(sequence[:50]), sequence[:50]) == 49


def test_the_rule_of_hebb_fails_beyond_a_quarter_as_many_steps_as_bits():
    n_bits, kept = 400, []
    for load in (0.2, 0.4):  # the law of large networks is .269
        sequence = random_bits(int(load * n_bits) + 1, n_bits, seed=1)
        found = SequenceMemory("hebb").fit(sequence).recall(sequence[:1], len(sequence) - 1)
        kept.append((found[0, :, -1] @ sequence[-1]) / n_bits)
    assert kept[0] > 0.8
    assert kept[1] < 0.5


def test_spoilt_bits_are_mended_by_the_next_step():
    sequence = random_bits(30, 80)
    spoilt = sequence[4:5].copy()
    spoilt[:, :12] *= -1
    for interaction in ("polynomial", "exponential"):
        found = SequenceMemory(interaction).fit(sequence).recall(spoilt, 10)[0].T
        np.testing.assert_array_equal(found, sequence[5:15])


def test_without_temperature_it_is_forecasting_by_analogues():
    rng = np.random.default_rng(0)
    X, asked = rng.normal(size=(50, 3)), rng.normal(size=(20, 3))
    memory = SequenceMemory(beta=1e9).fit(X)
    nearest = NearestNeighbors(n_neighbors=1).fit(X[:-1])
    best = nearest.kneighbors(asked, return_distance=False)[:, 0]
    np.testing.assert_allclose(memory.predict(asked), X[best + 1])


def test_the_answer_is_the_mean_of_successors_by_their_weights():
    rng = np.random.default_rng(0)
    X, asked = rng.normal(size=(12, 2)), rng.normal(size=(5, 2))
    scores = -0.5 * ((asked[:, None] - X[:-1]) ** 2).sum(axis=2) * 3.0
    weights = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(SequenceMemory(beta=3.0).fit(X).predict(asked), weights @ X[1:])


def test_a_window_tells_where_sequences_cross():
    tune = np.tile([[0.0], [1.0], [0.0], [5.0]], (4, 1))
    wide = SequenceMemory(beta=50.0, window=2).fit(tune)
    np.testing.assert_allclose(wide.recall([[[1.0, 0.0]]], 5)[0, 0], [5, 0, 1, 0, 5], atol=1e-6)
    assert 1 < SequenceMemory(beta=50.0).fit(tune).predict([[0.0]])[0, 0] < 4


def test_no_state_follows_the_end_of_another_sequence():
    first, second = np.array([[0.0, 1.0, 2.0]]), np.array([[9.0, 8.0]])
    memory = SequenceMemory(beta=1e6).fit([first, second])
    assert memory.n_transitions_ == 3
    np.testing.assert_allclose(memory.predict([[2.0]]), [[2.0]])  # what followed 1, not 9
    padded = np.full((2, 1, 3), np.nan)
    padded[0], padded[1, :, :2] = first, second
    np.testing.assert_array_equal(SequenceMemory(beta=1e6).fit(padded)._ends, memory._ends)


def test_scores_are_of_single_steps():
    turn = np.linspace(0, 12 * np.pi, 240)
    circle = np.column_stack([np.cos(turn), np.sin(turn)])
    memory = SequenceMemory().fit(circle[:120])
    assert memory.score(circle[120:]) > 0.99
    bits = random_bits(20, 30)
    assert SequenceMemory("exponential").fit(bits).score(bits) == 1.0
    assert SequenceMemory("exponential").fit(bits).score(-bits) < 0.9


@pytest.mark.parametrize(
    ("parameters", "X", "message"),
    [
        ({"window": 4}, np.zeros((4, 2)), "window=4 leaves nothing to follow"),
        ({}, np.array([[0.0], [np.nan], [1.0]]), "NaN at step 1"),
        ({"interaction": "hebb"}, np.array([[0.5], [1.0]]), "of -1 and"),
        ({}, np.zeros((1, 2)), "n_samples = 1"),
        ({}, [np.zeros((2, 5)), np.zeros((2, 1))], "Case 1 of X has n_samples = 1"),
    ],
)
def test_what_is_no_sequence_is_refused(parameters, X, message):
    with pytest.raises(ValueError, match=message):
        SequenceMemory(**parameters).fit(X)


def test_questions_of_another_shape_are_refused():
    memory = SequenceMemory(window=2).fit(np.arange(8.0).reshape(4, 2))
    with pytest.raises(ValueError, match=r"\(n_queries, 2, 2\); got \(1, 2, 1\)"):
        memory.predict([[0.0, 1.0]])
    with pytest.raises(ValueError, match="n_steps must be"):
        memory.recall(np.zeros((1, 2, 2)), 0)
    with pytest.raises(ValueError, match="No sequence of X"):
        memory.score(np.zeros((2, 2)))
