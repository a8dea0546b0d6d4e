"""Scores of codes against closed forms and scikit-learn."""

import numpy as np
import pytest
from scipy.sparse import csc_array, csr_array, csr_matrix
from sklearn.metrics import r2_score

from skdyn.metrics import dead_fraction, fraction_variance_unexplained, l0, sparse_probing_score

RNG = np.random.default_rng(0)
X = RNG.normal(size=(50, 4)) * [1.0, 2.0, 3.0, 4.0] + 5.0
CODES = np.array([[0.0, 2.0, 0.0, 0.0], [1.0, 3.0, 0.0, 0.0], [0.0, 1.0, 0.0, 4.0]])


def test_nothing_is_unexplained_by_the_data_and_all_by_their_mean():
    assert fraction_variance_unexplained(X, X) == 0.0
    mean = np.tile(X.mean(axis=0), (50, 1))
    assert fraction_variance_unexplained(X, mean) == pytest.approx(1.0)


def test_noise_of_a_known_size_is_what_is_unexplained():
    wrong = X + 0.3 * (X - X.mean(axis=0))
    assert fraction_variance_unexplained(X, wrong) == pytest.approx(0.09)


@pytest.mark.parametrize("weights", [None, RNG.random(50)])
def test_it_is_one_minus_r2_weighted_by_variance(weights):
    wrong = X + RNG.normal(size=X.shape)
    r2 = r2_score(X, wrong, sample_weight=weights, multioutput="variance_weighted")
    score = fraction_variance_unexplained(X, wrong, sample_weight=weights)
    assert score == pytest.approx(1 - r2)


def test_unexplained_variance_does_not_depend_on_units_or_origin():
    wrong = X + RNG.normal(size=X.shape)
    score = fraction_variance_unexplained(X, wrong)
    assert fraction_variance_unexplained(7 * X - 3, 7 * wrong - 3) == pytest.approx(score)


@pytest.mark.parametrize("kind", [np.asarray, csr_array, csc_array, csr_matrix])
def test_active_codes_and_dead_components_are_counted_in_any_format(kind):
    codes = kind(CODES)
    assert l0(codes) == pytest.approx(5 / 3)
    assert dead_fraction(codes) == 0.25
    assert dead_fraction(codes, min_density=1 / 3) == 0.75


def test_stored_zeros_are_not_active_and_stay_in_the_array():
    codes = csr_array(CODES)
    codes.data[0] = 0.0
    assert l0(codes) == pytest.approx(4 / 3)
    assert codes.nnz == 5


def test_one_component_is_enough_for_a_concept_of_its_own():
    y = np.arange(60) % 2
    codes = np.column_stack([RNG.normal(size=60), 3.0 * y, RNG.normal(size=60)])
    assert sparse_probing_score(codes, y) == 1.0
    assert sparse_probing_score(csr_array(codes), np.where(y, "yes", "no")) == 1.0


def test_a_concept_of_two_components_needs_two():
    first, second = RNG.random((2, 400)) < 0.5
    codes, y = np.column_stack([first, second, RNG.random(400) < 0.5]) * 1.0, first | second
    # The best single component is right unless only the other one is there: 3 cases in 4.
    assert sparse_probing_score(codes, y, k=1) == pytest.approx(0.75, abs=0.07)
    assert sparse_probing_score(codes, y, k=2) == 1.0


def test_codes_that_say_nothing_score_as_the_larger_class_or_by_chance():
    y = np.arange(100) < 20
    codes = np.ones((100, 3))
    assert sparse_probing_score(codes, y) == pytest.approx(0.8)
    assert sparse_probing_score(codes, y, scoring="balanced_accuracy") == pytest.approx(0.5)


def test_each_of_several_classes_is_told_from_the_others():
    y = np.arange(90) % 3
    codes = np.eye(3)[y]
    codes[:, 0] = 0
    # The first class has no component, and a probe of one sees another class at most.
    score = sparse_probing_score(codes, y)
    assert score == pytest.approx((2 / 3 + 1 + 1) / 3)
    assert sparse_probing_score(codes, y, k=2) == 1.0


def test_components_are_chosen_without_the_fold_that_is_scored():
    codes, y = RNG.normal(size=(40, 2000)), np.arange(40) % 2
    scores = sparse_probing_score(codes, y, k=3)
    assert scores < 0.75, "the components with the largest differences of noise fit all samples"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fraction_variance_unexplained(X, X[:, :2]), r"shape; got \(50, 4\) and \(50, 2\)"),
        (lambda: fraction_variance_unexplained(0 * X + 0.1, X), "All samples of X_true are equal"),
        (lambda: fraction_variance_unexplained(X, X * np.nan), "Input X_pred contains NaN"),
        (lambda: l0([[1.0, np.inf]]), "Input codes contains"),
        (lambda: l0(np.empty((0, 3))), "minimum of 1 is required"),
        (lambda: dead_fraction(CODES, min_density=1.0), r"a share in \[0, 1\); got 1.0"),
        (lambda: sparse_probing_score(CODES, [0, 1, 0], k=5), "1 and the 4 components; got 5"),
        (lambda: sparse_probing_score(CODES, [0, 0, 0]), "at least two classes .* {0: 3}"),
        (lambda: sparse_probing_score(CODES, [0, 1]), "inconsistent numbers of samples"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
