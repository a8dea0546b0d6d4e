import numpy as np
import pytest
from sklearn.preprocessing import PolynomialFeatures

from skdyn.symbolic.optimizers import STLSQ, ConstrainedSR3, EnsembleOptimizer, TrappingSR3
from skdyn.symbolic.optimizers._energy import (
    calmest_center,
    energy_constraints,
    gradients,
    growth,
)

TRUTH = np.array([[2.0, 0, 0, -1, 0], [0, 1.0, 0.3, 0, 0]])


@pytest.fixture
def data():
    rng = np.random.default_rng(0)
    A = rng.normal(size=(80, 5))
    return A, A @ TRUTH.T + 0.3 * rng.normal(size=(80, 2))


@pytest.mark.parametrize("n_jobs", [None, 2])
def test_the_same_seed_gives_the_same_models_under_any_n_jobs(n_jobs, data):
    once = EnsembleOptimizer(n_terms_dropped=1, random_state=1).fit(*data)
    again = EnsembleOptimizer(n_terms_dropped=1, random_state=1, n_jobs=n_jobs).fit(*data)
    np.testing.assert_array_equal(once.coef_samples_, again.coef_samples_)
    np.testing.assert_array_equal(once.inclusion_probabilities_, again.inclusion_probabilities_)
    other = EnsembleOptimizer(n_terms_dropped=1, random_state=2).fit(*data)
    assert not np.array_equal(once.coef_, other.coef_)


@pytest.mark.parametrize("aggregate", ["median", "mean"])
@pytest.mark.parametrize("threshold", [None, 0.6])
def test_coefficients_are_the_aggregate_of_the_samples(aggregate, threshold, data):
    model = EnsembleOptimizer(
        STLSQ(0.25), aggregate=aggregate, inclusion_threshold=threshold, random_state=0
    ).fit(*data)
    combine = getattr(np, aggregate)
    np.testing.assert_array_equal(model.coef_, combine(model.coef_samples_, axis=0))
    np.testing.assert_array_equal(model.coef_std_, model.coef_samples_.std(axis=0))
    assert model.coef_samples_.shape == (20, 2, 5)


def test_terms_seldom_found_are_left_out_and_the_others_refitted(data):
    raw = EnsembleOptimizer(STLSQ(0.3), inclusion_threshold=None, random_state=0).fit(*data)
    model = EnsembleOptimizer(STLSQ(0.3), inclusion_threshold=0.9, random_state=0).fit(*data)
    np.testing.assert_array_equal(raw.inclusion_probabilities_, model.inclusion_probabilities_)
    found = np.mean(raw.coef_samples_ != 0, axis=0)
    np.testing.assert_array_equal(model.inclusion_probabilities_, found)
    assert ((found > 0) & (found < 0.9)).any()
    np.testing.assert_array_equal(model.coef_ != 0, found >= 0.9)
    np.testing.assert_array_equal(
        (model.coef_samples_ != 0).all(axis=0), (model.coef_samples_ != 0).any(axis=0)
    )


def test_one_model_of_all_rows_is_the_optimizer_itself(data):
    model = EnsembleOptimizer(STLSQ(0.25), n_models=1, replace=False, random_state=0).fit(*data)
    np.testing.assert_allclose(model.coef_, STLSQ(0.25).fit(*data).coef_)


def test_the_spread_of_the_samples_is_the_standard_error(data):
    A, B = data
    model = EnsembleOptimizer(STLSQ(0.0), n_models=400, random_state=0).fit(A, B)
    expected = 0.3 * np.sqrt(np.linalg.inv(A.T @ A).diagonal())
    np.testing.assert_allclose(model.coef_std_, np.tile(expected, (2, 1)), rtol=0.35)


@pytest.mark.filterwarnings("ignore:STLSQ. no term is left")
def test_withheld_terms_do_not_count_against_their_probability(data):
    model = EnsembleOptimizer(n_models=30, n_terms_dropped=2, random_state=0).fit(*data)
    probabilities = model.inclusion_probabilities_
    np.testing.assert_array_equal(probabilities[TRUTH != 0][[0, 1, 2]], 1.0)
    with pytest.raises(ValueError, match="n_terms_dropped=5 leaves no term of 5"):
        EnsembleOptimizer(n_terms_dropped=5).fit(*data)


def test_rows_of_no_weight_are_never_drawn(data):
    A, B = data
    spoilt = B.copy()
    spoilt[:20] = 1e6
    weight = np.r_[np.zeros(20), np.ones(60)]
    for replace in (True, False):
        model = EnsembleOptimizer(replace=replace, random_state=0)
        coef = model.fit(A, spoilt, sample_weight=weight).coef_
        np.testing.assert_allclose(coef, TRUTH, atol=0.15)


@pytest.mark.parametrize("aggregate", ["median", "mean"])
@pytest.mark.parametrize("threshold", [None, 0.6])
def test_constraints_of_the_optimizer_hold_for_the_ensemble(aggregate, threshold, data):
    opposite = [[1.0, 0, 0, 2.0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, -1.0, 0, 0, 0]]
    optimizer = ConstrainedSR3(opposite, [0.3, -1.2], ["equality", "inequality"], threshold=0.1)
    ensemble = EnsembleOptimizer(
        optimizer, n_models=5, aggregate=aggregate, inclusion_threshold=threshold, random_state=0
    ).fit(*data)
    first, second = opposite @ ensemble.coef_.ravel()
    assert first == pytest.approx(0.3, abs=1e-9)
    assert second <= -1.2 + 1e-9
    np.testing.assert_allclose(ensemble.coef_, optimizer.fit(*data).coef_, atol=0.2)


def test_energy_is_conserved_and_the_margin_kept_by_an_ensemble():
    rng = np.random.default_rng(0)
    x, y, z = X = rng.normal(size=(3, 100))
    dX = np.stack([10 * (y - x), x * (28 - z) - y, x * y - 8 / 3 * z], axis=1)
    library = PolynomialFeatures(2).fit(X.T)
    trapping = TrappingSR3(library.powers_, stability_margin=0.1, threshold=0.5)
    ensemble = EnsembleOptimizer(trapping, n_models=3, random_state=0)
    coef = ensemble.fit(library.transform(X.T), dX + 0.1 * rng.normal(size=dX.shape)).coef_
    constraints = energy_constraints(library.powers_, 3)
    assert np.abs(np.tensordot(constraints.lhs, coef, 2)).max() < 1e-9
    constant, linear = gradients(library.powers_, 3)
    center = calmest_center(coef, constant, linear)
    rates = np.linalg.eigvalsh(growth(coef, constant + np.tensordot(center, linear, 1)))
    assert rates.max() < -0.099


def test_terms_that_cannot_obey_are_refused(data):
    """Each model takes one of two terms back to obey: no term is taken by all of them."""
    either = ConstrainedSR3([[0, 0, 1.0, 0, 1.0, 0, 0, 0, 0, 0]], [0.5], threshold=0.4)
    message = r"cannot obey the constraints of ConstrainedSR3\. Lower inclusion"
    with pytest.raises(ValueError, match=message):
        EnsembleOptimizer(either, inclusion_threshold=1.0, random_state=0).fit(*data)
