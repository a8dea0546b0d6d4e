import pickle

import numpy as np
import pytest
from scipy.special import logsumexp
from sklearn import config_context
from sklearn.datasets import load_digits, make_moons
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KernelDensity, LocalOutlierFactor

from skdyn import HopfieldMemory, HopfieldOutlierDetector, io
from skdyn.hopfield import FaissIndex

rng = np.random.default_rng(0)
X = rng.normal(size=(120, 3)) * [1.0, 10.0, 0.1]
queries = 2 * rng.normal(size=(40, 3)) * [1.0, 10.0, 0.1]
weight = rng.integers(1, 4, len(X)).astype(float)
moons, _ = make_moons(300, noise=0.08, random_state=0)


def standardized(rows, weight):
    mean = np.average(X, axis=0, weights=weight)
    return (rows - mean) / np.sqrt(np.average(np.square(X - mean), axis=0, weights=weight))


def log_density(stored, asked, beta, weight):
    kernels = KernelDensity(bandwidth=beta**-0.5, leaf_size=1000)  # a tree is less exact
    return kernels.fit(stored, sample_weight=weight).score_samples(asked)


# -- densities ----------------------------------------------------------------------------------


@pytest.mark.parametrize("beta", ["auto", 0.5, 40.0])
def test_scores_of_new_rows_are_a_kernel_density_up_to_a_constant(beta):
    model = HopfieldOutlierDetector(beta=beta).fit(X, sample_weight=weight)
    Z, asked = standardized(X, weight), standardized(queries, weight)
    expected = log_density(Z, asked, model.beta_, weight)
    constant = 1.5 * np.log(model.beta_ / (2 * np.pi))
    np.testing.assert_allclose(model.beta_ * model.score_samples(queries) + constant, expected)


def test_scores_are_minus_the_energies_of_a_memory():
    model = HopfieldOutlierDetector(beta=3.0, standardize=False).fit(moons)
    scale = np.sqrt(moons.var(axis=0).mean())
    stored, asked = moons - moons.mean(axis=0), queries[:, :2] - moons.mean(axis=0)
    memory = HopfieldMemory(beta=3.0).fit(stored / scale)
    difference = model.score_samples(queries[:, :2]) + memory.energy(asked / scale)
    np.testing.assert_allclose(difference, -np.log(len(moons)) / 3.0)


def test_a_stored_row_is_scored_as_if_one_copy_of_it_was_not_there():
    model = HopfieldOutlierDetector().fit(X, sample_weight=weight)
    Z, constant = standardized(X, weight), 1.5 * np.log(model.beta_ / (2 * np.pi))
    scores = model.beta_ * model.score_samples(X) + constant
    for row in (weight.argmin(), weight.argmax()):
        others = weight - np.eye(len(X))[row]
        kept = others > 0
        expected = log_density(Z[kept], Z[[row]], model.beta_, others[kept])
        np.testing.assert_allclose(scores[row], expected[0])


def test_a_copy_counts_as_twice_the_weight():
    models = [
        HopfieldOutlierDetector(contamination=0.1).fit(X, sample_weight=weight),
        HopfieldOutlierDetector(contamination=0.1).fit(np.repeat(X, weight.astype(int), axis=0)),
        HopfieldOutlierDetector(contamination=0.1).fit(
            np.vstack([X, queries]), sample_weight=np.r_[weight, np.zeros(len(queries))]
        ),
    ]
    for model in models[1:]:
        assert model.beta_ == models[0].beta_
        assert model.offset_ == models[0].offset_
        for rows in (X, queries):
            np.testing.assert_array_equal(model.score_samples(rows), models[0].score_samples(rows))


@pytest.mark.parametrize("copies", [False, True])
def test_beta_is_the_most_likely_one_by_brute_force(copies):
    mass = weight if copies else np.ones(len(X))
    model = HopfieldOutlierDetector().fit(X, sample_weight=mass)
    Z = standardized(X, mass)
    squares = np.square(Z[:, None] - Z).sum(axis=2)
    others = np.where(np.eye(len(Z)) == 1, 0, mass)  # all copies of a row are left out with it
    grid = 2.0 ** np.arange(-8, 9, 0.25)
    likelihood = [
        (logsumexp(-beta * squares / 2, b=others, axis=1) - np.log(others.sum(axis=1))) @ mass
        + mass.sum() * 1.5 * np.log(beta)
        for beta in grid
    ]
    assert model.beta_ == grid[np.argmax(likelihood)]


def test_copies_neither_sharpen_the_kernels_nor_explode_the_scores():
    # scikit-learn#27839: scores of LocalOutlierFactor reach 1e9 beside copies.
    once = HopfieldOutlierDetector().fit(moons)
    many = HopfieldOutlierDetector().fit(np.repeat(moons, 30, axis=0))
    assert many.beta_ == once.beta_
    some = HopfieldOutlierDetector().fit(np.vstack([moons, np.repeat(moons[:5], 50, axis=0)]))
    assert some.beta_ < 4 * once.beta_
    near = moons[:5] + 1e-3
    assert np.abs(some.score_samples(near)).max() < 5
    copied = np.vstack([moons, np.repeat(moons[:5], 50, axis=0)])
    factor = LocalOutlierFactor(novelty=True).fit(copied)
    assert np.abs(factor.score_samples(near)).max() > 1e5


def test_columns_that_are_repeated_or_constant_change_no_ranking():
    plain = HopfieldOutlierDetector(beta=4.0).fit(X).score_samples(queries)
    twice = HopfieldOutlierDetector(beta=2.0).fit(np.hstack([X, X]))
    np.testing.assert_allclose(twice.score_samples(np.hstack([queries, queries])), 2 * plain)
    filled = [np.column_stack([rows, np.full(len(rows), 0.1)]) for rows in (X, queries)]
    constant = HopfieldOutlierDetector(beta=4.0).fit(filled[0])
    np.testing.assert_allclose(constant.score_samples(filled[1]), plain)
    assert HopfieldOutlierDetector().fit(filled[0]).beta_ == HopfieldOutlierDetector().fit(X).beta_
    filled[1][:, -1] = 0.2  # it never was
    assert (constant.score_samples(filled[1]) < plain - 1e-3).all()


def test_units_and_chunks_change_nothing():
    model = HopfieldOutlierDetector().fit(X)
    scaled = HopfieldOutlierDetector().fit(X * [2.0**40, 1.0, 2.0**-40])
    assert scaled.beta_ == model.beta_
    scores = model.score_samples(queries)
    np.testing.assert_allclose(
        scaled.score_samples(queries * [2.0**40, 1.0, 2.0**-40]), scores, rtol=1e-9
    )
    with config_context(working_memory=1e-9):
        np.testing.assert_allclose(HopfieldOutlierDetector().fit(X).score_samples(queries), scores)


# -- thresholds ---------------------------------------------------------------------------------


def test_the_threshold_cuts_off_the_share_asked_for_of_stored_and_of_new_rows():
    # In 60 columns, what a row adds to its own density is far more than all others add.
    stored, new = (np.random.default_rng(seed).normal(size=(500, 60)) for seed in (1, 2))
    model = HopfieldOutlierDetector(contamination=0.1).fit(stored)
    assert (model.predict(stored) == -1).sum() == 50
    assert 20 < (model.predict(new) == -1).sum() < 90
    np.testing.assert_array_equal(
        model.predict(new), np.where(model.decision_function(new) >= 0, 1, -1)
    )
    np.testing.assert_allclose(
        model.decision_function(new), model.score_samples(new) - model.offset_
    )


def test_by_default_few_rows_are_outliers_where_there_are_none_and_far_ones_are():
    model = HopfieldOutlierDetector().fit(moons)
    assert (model.predict(moons) == -1).mean() < 0.05
    far = np.array([[5.0, 5.0], [-3.0, 0.0], [0.5, -2.0]])
    assert model.predict(far).tolist() == [-1, -1, -1]
    assert (HopfieldOutlierDetector().fit_predict(np.vstack([moons, far]))[-3:] == -1).all()


def test_a_far_value_does_not_set_the_scale_of_its_column():
    spoilt = np.vstack([X, [[0.0, 1e6, 0.0]]])
    model = HopfieldOutlierDetector(beta=4.0).fit(spoilt)
    plain = HopfieldOutlierDetector(beta=4.0).fit(X)
    assert model.predict(spoilt)[-1] == -1
    ranks = [each.score_samples(queries).argsort().argsort() for each in (model, plain)]
    assert np.corrcoef(ranks)[0, 1] > 0.99


def test_an_unknown_digit_stands_out():
    digits, target = load_digits(return_X_y=True)
    digits, target = digits[:900], target[:900]
    known = np.flatnonzero(target != 8)
    model = HopfieldOutlierDetector(standardize=False).fit(digits[known[:500]])
    asked = np.r_[known[500:], np.flatnonzero(target == 8)]
    score = roc_auc_score(target[asked] != 8, model.score_samples(digits[asked]))
    trees = IsolationForest(random_state=0).fit(digits[known[:500]]).score_samples(digits[asked])
    assert score > 0.9 > roc_auc_score(target[asked] != 8, trees)


# -- known outliers -----------------------------------------------------------------------------


def with_outliers():
    draw = np.random.default_rng(3)
    outliers = draw.normal([0.5, 0.25], 0.12, size=(40, 2))
    rows = np.vstack([moons, outliers])
    return rows, np.r_[np.ones(len(moons)), -np.ones(len(outliers))], outliers


@pytest.mark.parametrize("beta", ["auto", 2.0])
def test_with_known_outliers_the_score_is_the_ratio_of_two_densities(beta):
    rows, y, outliers = with_outliers()
    model = HopfieldOutlierDetector(beta=beta).fit(rows, y)
    scale, asked = moons.std(axis=0), queries[:, :2]
    inside, outside = (
        log_density(stored / scale, asked / scale, beta, None)
        for stored, beta in ((moons, model.beta_), (outliers, model.outlier_beta_))
    )
    np.testing.assert_allclose(model.beta_ * model.score_samples(asked), inside - outside)
    assert (model.beta_ == model.outlier_beta_) == (beta == 2.0)
    assert model.offset_ == 0
    assert len(model.outliers_) == len(outliers)
    assert len(model.patterns_) == len(moons)


def test_one_known_outlier_takes_the_kernels_of_the_others():
    y = np.ones(len(X))
    y[0] = -1
    model = HopfieldOutlierDetector().fit(X, y)
    assert model.outlier_beta_ == model.beta_
    assert np.isfinite(model.score_samples(X)).all()
    assert model.predict(X[:1]) == [-1]


def test_few_known_outliers_all_around_do_no_harm():
    draw = np.random.default_rng(6)
    noise = draw.uniform(-2.5, 3.0, size=(220, 2))
    ordinary, _ = make_moons(200, noise=0.08, random_state=5)
    asked, truth = np.vstack([ordinary, noise[20:]]), np.r_[np.ones(200), -np.ones(200)]
    rows, y = np.vstack([moons, noise[:20]]), np.r_[np.ones(len(moons)), -np.ones(20)]
    one, own = (
        HopfieldOutlierDetector(beta=beta).fit(rows, y).score_samples(asked)
        for beta in (HopfieldOutlierDetector().fit(moons).beta_, "auto")
    )
    alone = HopfieldOutlierDetector().fit(moons).score_samples(asked)
    assert roc_auc_score(truth, own) > roc_auc_score(truth, alone) - 0.02
    assert roc_auc_score(truth, own) > roc_auc_score(truth, one) + 0.02


def test_known_outliers_are_told_from_rows_they_lie_between():
    rows, y, _ = with_outliers()
    new = np.random.default_rng(4).normal([0.5, 0.25], 0.12, size=(100, 2))
    ordinary, _ = make_moons(200, noise=0.08, random_state=5)
    asked, truth = np.vstack([ordinary, new]), np.r_[np.ones(200), -np.ones(100)]
    alone = HopfieldOutlierDetector().fit(moons).score_samples(asked)
    model = HopfieldOutlierDetector().fit(rows, y)
    assert roc_auc_score(truth, model.score_samples(asked)) > roc_auc_score(truth, alone)
    assert (HopfieldOutlierDetector().fit_predict(rows, y) == y).mean() > 0.95
    strict = HopfieldOutlierDetector(contamination=0.2).fit(rows, y)
    assert (strict.predict(moons) == -1).sum() == 0.2 * len(moons)


def test_labels_of_ordinary_rows_alone_are_the_same_as_none():
    plain = HopfieldOutlierDetector().fit(X).score_samples(queries)
    labeled = HopfieldOutlierDetector().fit(X, np.ones(len(X)))
    np.testing.assert_array_equal(labeled.score_samples(queries), plain)


# -- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("X", "y", "match"),
    [
        ([[1.0, np.nan], [0.0, 1.0]], None, "contains NaN"),
        ([[1.0, np.inf], [0.0, 1.0]], None, "contains infinity"),
        ([[1.0, 0.0]], None, "minimum of 2 is required"),
        (X, -np.ones(len(X)), "Found 0 rows, n_samples=0, that are not known outliers"),
        (X, np.r_[1, -np.ones(len(X) - 1)], "y=-1: 119 rows"),
        (X, np.r_[2, -np.ones(len(X) - 1)], "holds -1 and 2.0: pass np.where"),
        (X, np.r_[np.nan, -np.ones(len(X) - 1)], "holds -1 and nan"),
        (X, np.ones(3), "one label for each of the 120 rows"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(X, y, match):
    with pytest.raises(ValueError, match=match):
        HopfieldOutlierDetector().fit(X, y)


@pytest.mark.parametrize("labels", [[0, 1], ["good", "bad"]])
def test_labels_without_outliers_are_said_to_be_of_no_use(labels):
    y = np.resize(labels, len(X))
    with pytest.warns(UserWarning, match="and no -1, the label of known outliers"):
        model = HopfieldOutlierDetector().fit(X, y)
    assert len(model.outliers_) == 0


def test_rows_that_are_all_equal_make_anything_else_an_outlier():
    model = HopfieldOutlierDetector().fit(np.ones((5, 2)))
    assert model.predict([[1.0, 1.0], [1.0, 1.1]]).tolist() == [1, -1]


def test_rows_that_differ_by_next_to_nothing_are_warned_of():
    jitter = np.repeat(rng.normal(size=(10, 1)), 2, axis=0)
    jitter[::2] *= 1 + 1e-14
    with pytest.warns(UserWarning, match="differ from them by next to nothing"):
        HopfieldOutlierDetector().fit(jitter)


def test_saved_detectors_answer_the_same(tmp_path):
    rows, y, _ = with_outliers()
    model = HopfieldOutlierDetector().fit(rows, y)
    io.save(model, tmp_path / "model.skdyn")
    for loaded in (io.load(tmp_path / "model.skdyn"), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(loaded.score_samples(rows), model.score_samples(rows))


def test_an_index_of_all_rows_changes_nothing():
    pytest.importorskip("faiss", reason="extra 'index' is not installed")
    rows = np.random.default_rng(0).normal(size=(120, 3))
    y = np.where(np.arange(120) % 4, 1, -1)
    for known in (None, y):
        exact = HopfieldOutlierDetector().fit(rows, known)
        few = HopfieldOutlierDetector(index=FaissIndex(120, 100)).fit(rows, known)
        asked = np.vstack([rows, rows + 0.1])
        np.testing.assert_allclose(few.score_samples(asked), exact.score_samples(asked))
        assert few.offset_ == pytest.approx(exact.offset_)
