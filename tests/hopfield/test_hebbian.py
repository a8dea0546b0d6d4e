import numpy as np
import pytest
from scipy.special import erf, erfc
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import cross_val_score
from sklearn.preprocessing import StandardScaler

from skdyn.hopfield import DenseHebbianClassifier

WINE, KINDS = load_wine(return_X_y=True)


def noisy_copies(patterns, n_each, quality, random_state=0):
    """Examples of patterns, each bit right with probability (1 + quality) / 2."""
    rng = np.random.default_rng(random_state)
    right = rng.random((len(patterns) * n_each, patterns.shape[1])) < (1 + quality) / 2
    examples = np.repeat(patterns, n_each, axis=0) * np.where(right, 1.0, -1.0)
    return examples, np.repeat(np.arange(len(patterns)), n_each)


def random_patterns(n, n_bits, random_state=1):
    return np.random.default_rng(random_state).choice([-1.0, 1.0], size=(n, n_bits))


# -- laws ----------------------------------------------------------------------------------------


def test_order_two_decides_as_hebbs_rule():
    model = DenseHebbianClassifier(order=2).fit(WINE, KINDS)
    Z = StandardScaler().fit_transform(WINE)
    means = np.array([Z[kind == KINDS].mean(axis=0) for kind in range(3)])
    overlaps = Z @ (means / np.linalg.norm(means, axis=1, keepdims=True)).T
    np.testing.assert_array_equal(model.predict(WINE), overlaps.argmax(axis=1))
    np.testing.assert_allclose(model.prototypes_, means)
    lengths = np.linalg.norm(Z, axis=1, keepdims=True)
    np.testing.assert_allclose(model.overlaps(WINE), overlaps / lengths)


@pytest.mark.parametrize("quality", [0.1, 0.3])
@pytest.mark.parametrize("n_each", [5, 25, 101])
def test_bits_of_prototypes_are_right_as_theory_says(quality, n_each):
    archetypes = random_patterns(5, 2000)
    X, y = noisy_copies(archetypes, n_each, quality)
    model = DenseHebbianClassifier(binarize=0.0).fit(X, y)
    overlap = (np.sign(model.prototypes_) * archetypes).mean()
    entropy = (1 - quality**2) / (n_each * quality**2)
    assert overlap == pytest.approx(erf(1 / np.sqrt(2 * entropy)), abs=0.04)


def test_error_falls_with_the_number_of_examples_as_theory_says():
    n_bits, quality = 150, 0.2
    archetypes = random_patterns(2, n_bits)
    errors = []
    for n_each in (2, 8, 32):
        wrong = []
        for seed in range(40):
            X, y = noisy_copies(archetypes, n_each, quality, seed)
            model = DenseHebbianClassifier(binarize=0.0).fit(X, y)
            fresh, names = noisy_copies(archetypes, 50, quality, 1000 + seed)
            wrong.append(1 - model.score(fresh, names))
        # A fresh example overlaps with its prototype by r^2 / sqrt(r^2 + (1 - r^2) / M) on the
        # average, and with each of the two by chance, of variance 1 / N.
        signal = quality**2 / np.sqrt(quality**2 + (1 - quality**2) / n_each)
        assert np.mean(wrong) == pytest.approx(erfc(signal * np.sqrt(n_bits) / 2) / 2, abs=0.03)
        errors.append(np.mean(wrong))
    assert errors[0] > errors[1] > errors[2]


@pytest.mark.filterwarnings("ignore:The number of unique classes")
@pytest.mark.parametrize(("order", "moment"), [(2, 1), (3, 3)])
def test_signal_to_noise_of_random_patterns_is_that_of_the_theory(order, moment):
    n, n_bits = 60, 100
    patterns = random_patterns(n, n_bits)
    model = DenseHebbianClassifier(order, binarize=0.0).fit(patterns, np.arange(n))
    # Overlaps are normal of variance 1 / N, and only those above zero pull.
    expected = np.sqrt(2 * n_bits ** (order - 1) / (moment * (n - 1)))
    assert np.sqrt(1 / np.mean(model.signal_to_noise_**-2)) == pytest.approx(expected, rel=0.1)


@pytest.mark.filterwarnings("ignore:The number of unique classes")
def test_higher_orders_stand_out_of_more_noise():
    patterns = random_patterns(40, 60)
    signals = [
        DenseHebbianClassifier(order, binarize=0.0).fit(patterns, range(40)).signal_to_noise_.min()
        for order in (2, 3, 4, 6)
    ]
    assert (np.diff(signals) > 0).all()


@pytest.mark.parametrize("learning", ["supervised", "unsupervised"])
def test_order_of_examples_and_names_of_labels_do_not_matter(learning):
    model = DenseHebbianClassifier(learning=learning)
    expected = model.fit(WINE, KINDS).predict_proba(WINE)
    mixed = np.random.default_rng(0).permutation(len(WINE))
    shuffled = model.fit(WINE[mixed], KINDS[mixed]).predict_proba(WINE)
    np.testing.assert_allclose(shuffled, expected, atol=0.01 if model.n_iter_ > 1 else 1e-12)
    other = np.array([2, 0, 1])
    renamed = model.fit(WINE, other[KINDS]).predict_proba(WINE)
    np.testing.assert_allclose(renamed[:, other], expected, atol=1e-12)


def test_units_do_not_matter():
    units, zero = 10.0 ** np.arange(-6, 7), np.arange(13)
    model = DenseHebbianClassifier()
    expected = model.fit(WINE, KINDS).predict_proba(WINE)
    moved = (WINE + zero) * units
    np.testing.assert_allclose(model.fit(moved, KINDS).predict_proba(moved), expected, atol=1e-9)


def test_learning_in_batches_is_learning_at_once():
    mixed = np.random.default_rng(0).permutation(len(WINE))
    weight = np.random.default_rng(1).uniform(size=len(WINE))
    model = DenseHebbianClassifier()
    for batch in np.array_split(mixed, 9):
        model.partial_fit(WINE[batch], KINDS[batch], [0, 1, 2], weight[batch])
    whole = DenseHebbianClassifier().fit(WINE, KINDS, weight)
    np.testing.assert_allclose(model.prototypes_, whole.prototypes_, rtol=1e-9)
    np.testing.assert_allclose(model.predict_proba(WINE), whole.predict_proba(WINE), rtol=1e-9)


def test_labels_without_a_teacher_only_name():
    model = DenseHebbianClassifier(6, learning="unsupervised")
    expected = model.fit(WINE, KINDS).prototypes_
    nonsense = np.random.default_rng(0).permutation(KINDS)
    np.testing.assert_array_equal(model.fit(WINE, nonsense).prototypes_, expected)


def test_probabilities_add_up_and_agree_with_decisions():
    for learning in ("supervised", "unsupervised"):
        model = DenseHebbianClassifier(learning=learning).fit(WINE, KINDS)
        p = model.predict_proba(WINE)
        np.testing.assert_allclose(p.sum(axis=1), 1)
        np.testing.assert_array_equal(model.classes_[p.argmax(axis=1)], model.predict(WINE))
        decisions = model.decision_function(WINE)
        np.testing.assert_allclose(np.exp(decisions) / np.exp(decisions).sum(1)[:, None], p)
    two = DenseHebbianClassifier().fit(WINE, KINDS == 1)
    np.testing.assert_allclose(
        two.predict_proba(WINE)[:, 1], 1 / (1 + np.exp(-two.decision_function(WINE)))
    )


# -- scores --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("load", "parameters", "least"),
    [
        (load_wine, {}, 0.91),
        (load_breast_cancer, {}, 0.91),
        (load_wine, {"order": 4, "learning": "unsupervised"}, 0.92),
        (load_iris, {"learning": "unsupervised"}, 0.8),
    ],
)
def test_tables_are_learned(load, parameters, least):
    X, y = load(return_X_y=True)
    assert cross_val_score(DenseHebbianClassifier(**parameters), X, y).mean() > least


def test_digits_are_named_by_what_was_found_without_names():
    X, y = load_digits(return_X_y=True)
    learning = DenseHebbianClassifier(16, learning="unsupervised", max_iter=500)
    assert learning.fit(X[:600], y[:600]).score(X[600:900], y[600:900]) > 0.85
    assert len(learning.prototypes_) < 200
    sizes = learning.class_weights_.sum(axis=1)
    assert (np.diff(sizes) <= 0).all()
    assert sizes.sum() == 600


# -- refusals and edges --------------------------------------------------------------------------


def test_a_teacher_is_needed_to_learn_in_batches():
    assert not hasattr(DenseHebbianClassifier(learning="unsupervised"), "partial_fit")
    model = DenseHebbianClassifier().partial_fit(WINE[:60], KINDS[:60], classes=[0, 1, 2])
    assert set(model.predict(WINE)) <= {0, 1}  # of two there is no example yet
    assert (model.predict_proba(WINE)[:, 2] == 0).all()
    with pytest.raises(ValueError, match=r"labels \[9\] that are none of the classes \[0, 1, 2\]"):
        model.partial_fit(WINE[:2], [9, 9])


def test_one_class_stands_alone():
    model = DenseHebbianClassifier().fit(WINE, np.full(len(WINE), "x"))
    assert set(model.predict(WINE)) == {"x"}
    assert model.signal_to_noise_[0] in (0, np.inf)
    assert DenseHebbianClassifier(binarize=1.0).fit(WINE, KINDS * 0).signal_to_noise_ == np.inf


@pytest.mark.parametrize("learning", ["supervised", "unsupervised"])
def test_high_orders_and_constant_rows_stay_finite(learning):
    X = np.vstack([WINE, WINE.mean(axis=0)])
    y = np.append(KINDS, 0)
    model = DenseHebbianClassifier(2000, learning=learning).fit(X, y)
    assert np.isfinite(model.predict_proba(X)).all()
    assert (model.signal_to_noise_ >= 0).all()
    same = DenseHebbianClassifier(learning=learning).fit(np.ones((6, 3)), [0, 1] * 3)
    np.testing.assert_allclose(same.predict_proba(np.ones((1, 3))), 0.5)


def test_states_that_still_move_are_told():
    with pytest.warns(ConvergenceWarning, match="max_iter=2"):
        DenseHebbianClassifier(learning="unsupervised", max_iter=2).fit(WINE, KINDS)
