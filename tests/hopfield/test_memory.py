import pickle
import warnings

import numpy as np
import pytest
import sklearn
from sklearn import config_context
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from skdyn import HopfieldMemory
from skdyn.hopfield import EntmaxSeparation, FaissIndex, PolynomialInteraction, TopKSeparation
from skdyn.hopfield._interactions import INTERACTIONS
from skdyn.hopfield._separations import SEPARATIONS

CONTINUOUS = [*SEPARATIONS, EntmaxSeparation(1.25), TopKSeparation(3)]
BITS = [*INTERACTIONS, PolynomialInteraction(order=4)]
rng = np.random.default_rng(0)
X = rng.normal(size=(20, 6))
queries = X[:12] + 0.1 * rng.normal(size=(12, 6))
bits = rng.choice([-1.0, 1.0], size=(6, 40))


def random_bits(n_patterns, n_bits, seed=0):
    return np.random.default_rng(seed).choice([-1.0, 1.0], size=(n_patterns, n_bits))


def with_flips(patterns, share, seed=1):
    flips = np.random.default_rng(seed).random(patterns.shape) < share
    return np.where(flips, -patterns, patterns)


# -- laws ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("interaction", CONTINUOUS + BITS, ids=str)
def test_energy_never_rises(interaction):
    patterns = X if interaction in CONTINUOUS else bits
    memory = HopfieldMemory(interaction).fit(patterns)
    starts = with_flips(bits, 0.3) if interaction in BITS else queries + 0.5
    course = memory.energy_trajectory(starts)
    assert (np.diff(course) <= 1e-12 * (1 + np.abs(course[:, 1:]))).all()
    assert (course[:, -1] < course[:, 0] - 1e-3).mean() > 0.5
    np.testing.assert_allclose(course[:, 0], memory.energy(starts))
    np.testing.assert_allclose(course[:, -1], memory.energy(memory.retrieve(starts)), atol=1e-12)


@pytest.mark.parametrize("similarity", ["dot", "euclidean"])
def test_well_separated_patterns_are_retrieved_within_the_papers_bound(similarity):
    # Ramsauer 2021, theorem 5: |f(xi) - x| <= 2 (K - 1) exp(-beta (D - 2 |xi - x| M)) M.
    rng = np.random.default_rng(1)
    patterns = rng.normal(size=(40, 30))
    patterns -= patterns.mean(axis=0)  # so that both similarities have the same M
    radius = np.linalg.norm(patterns, axis=1).max()
    memory = HopfieldMemory(beta=1.2, similarity=similarity).fit(patterns)
    gaps = memory.capacity().separation
    noise = rng.normal(size=patterns.shape)
    for distance in (0.0, 0.05, 0.2):
        spoilt = patterns + distance * noise / np.linalg.norm(noise, axis=1, keepdims=True)
        error = np.linalg.norm(memory.retrieve(spoilt, n_steps=1) - patterns, axis=1)
        bound = 2 * 39 * np.exp(-1.2 * (gaps - 2 * distance * radius)) * radius
        assert (error <= bound).all()
        assert (bound < 0.1 * radius).mean() > 0.5  # for most patterns it says something


@pytest.mark.parametrize("similarity", ["euclidean", "dot"])
def test_a_huge_beta_gives_the_nearest_pattern(similarity):
    patterns = X / np.linalg.norm(X, axis=1, keepdims=True)  # equal norms
    nearest = patterns[((queries[:, None] - patterns) ** 2).sum(axis=2).argmin(axis=1)]
    for beta in (1e6, 1e300):
        memory = HopfieldMemory(beta=beta, similarity=similarity).fit(patterns)
        np.testing.assert_allclose(memory.transform(queries), nearest)


def test_a_tiny_beta_gives_the_mean_of_all():
    memory = HopfieldMemory(beta=1e-300).fit(X)
    np.testing.assert_allclose(memory.transform(queries), np.tile(X.mean(axis=0), (12, 1)))


@pytest.mark.parametrize("interaction", CONTINUOUS + BITS, ids=str)
def test_the_order_of_the_patterns_does_not_matter(interaction):
    patterns = X if interaction in CONTINUOUS else bits
    starts = queries if interaction in CONTINUOUS else with_flips(bits, 0.2)
    memory, other = (
        HopfieldMemory(interaction).fit(patterns[order])
        for order in (slice(None), slice(None, None, -1))
    )
    assert memory.beta_ == pytest.approx(other.beta_)
    np.testing.assert_allclose(memory.transform(starts), other.transform(starts), atol=1e-7)


@pytest.mark.parametrize("update", ["synchronous", "asynchronous"])
def test_the_pseudo_inverse_keeps_linearly_independent_patterns(update):
    patterns = random_bits(30, 40)
    patterns[:, :20] = patterns[:1, :20]  # much alike, which Hebb's rule does not stand
    assert np.linalg.matrix_rank(patterns) == 21 < 30
    patterns = patterns[:15]
    memory = HopfieldMemory("pseudo_inverse", update=update).fit(patterns)
    np.testing.assert_array_equal(memory.transform(patterns), patterns)
    hebb = HopfieldMemory("hebb", update=update).fit(patterns)
    assert (hebb.transform(patterns) != patterns).any()


def test_hebbs_rule_breaks_down_near_0_138_n():
    overlap = {}
    for load in (0.10, 0.18):
        patterns = random_bits(int(load * 700), 700)
        recalled = HopfieldMemory("hebb").fit(patterns).transform(patterns)
        overlap[load] = (patterns * recalled).mean()
    assert overlap[0.10] > 0.98
    assert overlap[0.18] < 0.75


@pytest.mark.parametrize(
    ("interaction", "order", "few", "many"),
    [
        ("hebb", 2, 40, 120),
        (PolynomialInteraction(order=3), 3, 16, 48),
        (PolynomialInteraction(order=4), 4, 12, 32),
    ],
)
def test_capacity_grows_as_n_to_the_order_less_one(interaction, order, few, many):
    def share_of_wrong_bits(n_patterns, n_bits):
        rounds = range(1 + 500 // n_patterns)
        wrong = []
        for seed in rounds:
            patterns = random_bits(n_patterns, n_bits, seed)
            memory = HopfieldMemory(interaction).fit(patterns)
            wrong.append((memory.retrieve(patterns[:300], 1) != patterns[:300]).mean())
        return np.mean(wrong)

    def patterns_at_one_percent(n_bits):
        low, high = 2, 2000
        while high > 1.1 * low and high - low > 1:
            middle = round(np.sqrt(low * high))
            low, high = (
                (middle, high) if share_of_wrong_bits(middle, n_bits) < 0.01 else (low, middle)
            )
        return np.sqrt(low * high)

    growth = np.log(patterns_at_one_percent(many) / patterns_at_one_percent(few))
    assert growth / np.log(many / few) == pytest.approx(order - 1, abs=0.4)


def test_the_exponential_interaction_recalls_many_random_patterns():
    patterns = random_bits(10_000, 64)
    memory = HopfieldMemory("exponential").fit(patterns)
    spoilt = with_flips(patterns[:200], 0.1)
    recalled = memory.transform(spoilt)
    assert (recalled == patterns[:200]).all(axis=1).mean() > 0.98


# -- known equals and round trips ---------------------------------------------------------------


def test_half_masked_digits_come_back():
    digits = load_digits().data[::4]
    masked = np.where(np.random.default_rng(0).random(digits.shape) < 0.5, np.nan, digits)
    memory = HopfieldMemory().fit(digits)
    wrong = np.abs(memory.retrieve(masked) - digits).max(axis=1) > 0.5
    assert wrong.mean() < 0.02
    nothing = memory.retrieve(np.full((1, 64), np.nan), n_steps=1)
    np.testing.assert_allclose(nothing, digits.mean(axis=0, keepdims=True))


@pytest.mark.parametrize("interaction", BITS, ids=str)
def test_half_known_bits_come_back(interaction):
    patterns = random_bits(4, 100)
    masked = np.where(np.random.default_rng(0).random(patterns.shape) < 0.5, np.nan, patterns)
    memory = HopfieldMemory(interaction).fit(patterns)
    np.testing.assert_array_equal(memory.retrieve(masked), patterns)


@pytest.mark.parametrize("interaction", ["softmax", "topk", "exponential", "pseudo_inverse"])
def test_patterns_may_come_in_parts(interaction):
    patterns = X if interaction in CONTINUOUS else bits
    whole = HopfieldMemory(interaction).fit(patterns)
    parts = HopfieldMemory(interaction).partial_fit(patterns[:4]).partial_fit(patterns[4:])
    np.testing.assert_array_equal(parts.patterns_, patterns)
    assert parts.beta_ == whole.beta_
    np.testing.assert_array_equal(parts.transform(patterns), whole.transform(patterns))
    again = parts.fit(patterns[:4])
    assert len(again.patterns_) == 4


def test_a_memory_keeps_its_own_copy():
    data = X.copy()
    memory = HopfieldMemory().fit(data)
    data[:] = 0
    np.testing.assert_array_equal(memory.patterns_, X)


@pytest.mark.parametrize(
    ("interaction", "patterns"), [(EntmaxSeparation(1.25), X), (PolynomialInteraction(4), bits)]
)
def test_a_memory_with_an_object_is_pickled(interaction, patterns):
    memory = HopfieldMemory(interaction).fit(patterns)
    other = pickle.loads(pickle.dumps(memory))
    np.testing.assert_array_equal(other.transform(patterns), memory.transform(patterns))


@pytest.mark.parametrize("interaction", ["entmax", "exponential"])
def test_chunks_change_nothing(interaction):
    numbers = np.random.default_rng(2).normal(size=(300, 8))
    patterns = numbers if interaction == "entmax" else random_bits(300, 16)
    memory = HopfieldMemory(interaction).fit(patterns)
    starts = patterns + 0.3 if interaction == "entmax" else with_flips(patterns, 0.2)
    starts[0, 0] = np.nan
    whole, energies = memory.retrieve(starts), memory.energy_trajectory(starts)
    with sklearn.config_context(working_memory=0.05):
        np.testing.assert_allclose(memory.retrieve(starts), whole, rtol=1e-10)
        np.testing.assert_allclose(memory.energy_trajectory(starts), energies, atol=1e-12)


def test_steps_one_by_one_lead_where_all_at_once_do():
    memory = HopfieldMemory(beta=2.0).fit(X)
    states = queries
    for _ in range(5):
        states = memory.retrieve(states, n_steps=1)
    np.testing.assert_allclose(memory.retrieve(queries, n_steps=5), states)
    np.testing.assert_array_equal(memory.retrieve(queries, n_steps=0), queries)


# -- fixed points and capacity ------------------------------------------------------------------


def test_beta_decides_between_patterns_their_clusters_and_the_mean_of_all():
    corners = np.array([[0.0, 0.0], [0.2, 0.0], [6.0, 0.0], [6.2, 0.0], [0.0, 6.0], [0.2, 6.0]])
    kinds = {}
    for beta in (1e4, 5.0, 1e-3):
        points = HopfieldMemory(beta=beta).fit(corners).metastable_states()
        kinds[beta] = [point.kind for point in points]
        if beta == 5.0:
            assert {frozenset(p.patterns.tolist()) for p in points} == {
                frozenset({0, 1}), frozenset({2, 3}), frozenset({4, 5})
            }  # fmt: skip
            for point in points:
                np.testing.assert_allclose(point.weights, [0.5, 0.5], atol=1e-3)
                np.testing.assert_allclose(
                    point.state, corners[point.patterns].mean(axis=0), atol=1e-3
                )
    assert kinds == {
        1e4: ["single pattern"] * 6, 5.0: ["metastable"] * 3, 1e-3: ["global average"]
    }  # fmt: skip


def test_copies_of_a_pattern_are_one_pattern():
    memory = HopfieldMemory(beta=50.0).fit(np.repeat(X, 3, axis=0))
    points = memory.metastable_states()
    assert [point.kind for point in points] == ["single pattern"] * 20
    assert sorted(point.patterns[0] for point in points) == list(range(0, 60, 3))
    alone = HopfieldMemory().fit(np.ones((3, 2)))
    np.testing.assert_array_equal(alone.transform([[5.0, -3.0]]), [[1.0, 1.0]])
    assert alone.metastable_states()[0].kind == "single pattern"


def test_a_mixture_of_three_patterns_is_recognised():
    patterns = random_bits(3, 500)
    mixture = np.sign(patterns.sum(axis=0, keepdims=True))
    memory = HopfieldMemory("hebb").fit(patterns)
    (point,) = memory.metastable_states(mixture)
    np.testing.assert_array_equal(point.state, mixture[0])
    assert point.kind == "global average"  # all of the three
    np.testing.assert_allclose(point.weights, [0.5] * 3, atol=0.15)
    (negative,) = memory.metastable_states(-patterns[:1])
    assert (negative.kind, negative.patterns[0], negative.weights[0]) == ("single pattern", 0, -1)


def test_capacity_tells_the_law_and_which_patterns_are_kept():
    softmax = HopfieldMemory(beta=15.0).fit(X).capacity()
    distances = ((X[:, None] - X) ** 2).sum(axis=2) / 2
    np.fill_diagonal(distances, np.inf)
    np.testing.assert_allclose(softmax.separation, distances.min(axis=1))
    assert 0 < softmax.stable.sum() < 20
    assert (np.argsort(softmax.separation)[-softmax.stable.sum() :]).tolist() == sorted(
        np.flatnonzero(softmax.stable), key=lambda k: softmax.separation[k]
    )
    crowded = HopfieldMemory("hebb").fit(random_bits(30, 40)).capacity()
    assert crowded.n_patterns == pytest.approx(0.138 * 40)
    assert crowded.law == "0.138 N"
    assert not crowded.stable.all()
    assert HopfieldMemory("exponential").fit(bits).capacity().stable.all()


def test_auto_beta_separates_nine_in_ten_patterns():
    memory = HopfieldMemory().fit(X)
    assert memory.capacity().stable.mean() == pytest.approx(0.9)


# -- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize("interaction", BITS, ids=str)
@pytest.mark.parametrize("value", [0.0, 0.5, 2.0])
def test_memories_of_bits_refuse_other_numbers(interaction, value):
    spoilt = bits.copy()
    spoilt[2, 3] = value
    with pytest.raises(ValueError, match=rf"-1 and \+1; X holds {value:g}"):
        HopfieldMemory(interaction).fit(spoilt)
    memory = HopfieldMemory(interaction).fit(bits)
    for call in (memory.retrieve, memory.energy, memory.partial_fit, memory.metastable_states):
        with pytest.raises(ValueError, match=rf"interaction=.*X holds {value:g}"):
            call(spoilt)
    np.testing.assert_array_equal(memory.patterns_, bits)


def test_nan_is_refused_in_patterns_and_where_states_must_be_whole():
    spoilt = X.copy()
    spoilt[1, 2] = np.nan
    memory = HopfieldMemory().fit(X)
    for call in (memory.fit, memory.partial_fit, memory.transform):
        with pytest.raises(ValueError, match="Input X contains NaN"):
            call(spoilt)
    with pytest.raises(ValueError, match=r"pass retrieve\(X\)"):
        memory.metastable_states(spoilt)
    assert np.isfinite(memory.retrieve(spoilt)).all()
    assert np.isfinite(memory.energy(spoilt)).all()


def test_linearly_dependent_and_repeated_bits_are_defined():
    for interaction in BITS:
        memory = HopfieldMemory(interaction).fit(np.concatenate([bits, bits[:2], -bits[3:4]]))
        recalled = memory.transform(bits)
        assert np.isin(recalled, [-1, 1]).all()
        if interaction in ("pseudo_inverse", "exponential"):
            np.testing.assert_array_equal(recalled, bits)


@pytest.mark.parametrize("beta", [1e-300, 1e300])
@pytest.mark.parametrize("interaction", ["softmax", "sparsemax", "entmax", "topk", "exponential"])
def test_extreme_beta_gives_finite_answers_without_warnings(interaction, beta):
    patterns = bits if interaction == "exponential" else X
    starts = with_flips(bits, 0.1) if interaction == "exponential" else queries
    memory = HopfieldMemory(interaction, beta=beta).fit(patterns)
    with warnings.catch_warnings(action="error"):
        assert np.isfinite(memory.transform(starts)).all()
        assert np.isfinite(memory.energy_trajectory(starts)).all()
        assert len(memory.metastable_states()) >= 1
        memory.capacity()


def test_one_pattern_and_patterns_of_zeros_are_defined():
    np.testing.assert_array_equal(HopfieldMemory().fit(X[:1]).transform(queries[:1]), X[:1])
    zeros = HopfieldMemory().fit(np.zeros((2, 3)))
    np.testing.assert_array_equal(zeros.transform([[1.0, 2.0, 3.0]]), np.zeros((1, 3)))
    assert zeros.capacity().n_patterns == 1


def test_what_does_not_come_to_rest_is_told():
    memory = HopfieldMemory(beta=1.0, max_steps=2).fit(X)
    with pytest.warns(ConvergenceWarning, match="still move after max_steps=2"):
        memory.transform(queries)
    with warnings.catch_warnings(action="error"):
        memory.retrieve(queries, n_steps=2)  # asked for


@pytest.mark.parametrize("n_steps", [-1, 1.5, "all"])
def test_a_number_of_steps_that_is_none_is_refused(n_steps):
    memory = HopfieldMemory().fit(X)
    for call in (memory.retrieve, memory.energy_trajectory):
        with pytest.raises(ValueError, match="n_steps must be an integer of at least 0"):
            call(queries, n_steps=n_steps)


def test_parameters_of_the_interaction_are_checked():
    with pytest.raises(ValueError, match="The 'order' parameter of PolynomialInteraction"):
        HopfieldMemory(PolynomialInteraction(order=1)).fit(bits)
    with pytest.raises(ValueError, match="The 'interaction' parameter of HopfieldMemory"):
        HopfieldMemory("cubic").fit(bits)


# -- weights, many patterns ---------------------------------------------------------------------


@pytest.mark.parametrize("interaction", ["softmax", "sparsemax", "entmax", "topk"])
def test_a_weight_counts_copies(interaction):
    times = np.random.default_rng(5).integers(0, 4, size=len(X))
    weighed = HopfieldMemory(interaction).fit(X, sample_weight=times)
    repeated = HopfieldMemory(interaction).fit(np.repeat(X, times, axis=0))
    assert weighed.beta_ == pytest.approx(repeated.beta_)
    gaps = np.where(np.random.default_rng(6).random(X.shape) < 0.2, np.nan, X + 0.1)
    np.testing.assert_allclose(weighed.retrieve(gaps, 3), repeated.retrieve(gaps, 3))
    np.testing.assert_allclose(weighed.energy(X + 0.1), repeated.energy(X + 0.1))
    more = HopfieldMemory(interaction).fit(X[:3], None, times[:3])
    more.partial_fit(X[3:], sample_weight=times[3:])
    np.testing.assert_array_equal(more.patterns_, weighed.patterns_)
    assert more.beta_ == weighed.beta_


def test_weights_of_bits_are_refused_with_advice():
    with pytest.raises(ValueError, match=r"np.repeat\(X, times, axis=0\)"):
        HopfieldMemory("hebb").fit(np.ones((2, 3)), sample_weight=[1, 2])


def test_single_precision_is_stored_as_it_came_and_answers_alike():
    single = X.astype(np.float32)
    found = HopfieldMemory().fit(single)
    wanted = HopfieldMemory(beta=found.beta_).fit(single.astype(np.float64))
    assert found.patterns_.dtype == np.float32
    np.testing.assert_array_equal(found.retrieve(X), wanted.retrieve(X))


def test_threads_change_nothing():
    queries = np.vstack([X, X + 0.1])
    memory = HopfieldMemory().fit(X)
    wanted = memory.retrieve(queries), memory.energy_trajectory(queries)
    with config_context(working_memory=1e-3):
        memory.set_params(n_jobs=2)
        np.testing.assert_allclose(memory.retrieve(queries), wanted[0])
        np.testing.assert_allclose(memory.energy_trajectory(queries), wanted[1])


def test_an_index_of_all_patterns_changes_nothing():
    pytest.importorskip("faiss", reason="extra 'index' is not installed")
    exact = HopfieldMemory().fit(X)
    few = HopfieldMemory(index=FaissIndex(len(X), 100)).fit(X)
    np.testing.assert_allclose(few.retrieve(X + 0.1), exact.retrieve(X + 0.1))
    np.testing.assert_allclose(few.energy(X + 0.1), exact.energy(X + 0.1))
    gaps = np.where(np.arange(X.shape[1]) == 1, np.nan, X)
    np.testing.assert_array_equal(few.retrieve(gaps), exact.retrieve(gaps))


def test_what_is_set_after_fit_is_heard():
    memory = HopfieldMemory(beta=1.0).fit(X)
    wanted = HopfieldMemory("sparsemax", beta=1.0).fit(X).retrieve(X + 0.1)
    assert not np.allclose(memory.retrieve(X + 0.1), wanted)
    np.testing.assert_array_equal(
        memory.set_params(interaction="sparsemax").retrieve(X + 0.1), wanted
    )
