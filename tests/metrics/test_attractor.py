"""Laws of the attractor distance."""

import numpy as np
import pytest

from skdyn.metrics import attractor_distance

RNG = np.random.default_rng(0)
STATES = RNG.normal(size=(4000, 2))


@pytest.mark.parametrize("method", ["bins", "gmm"])
def test_the_same_states_in_any_order_have_distance_zero(method):
    shuffled = RNG.permutation(STATES)
    distance = attractor_distance(STATES, shuffled, method=method, random_state=0)
    assert distance == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("method", ["bins", "gmm"])
def test_it_grows_with_the_shift_and_does_not_depend_on_units(method):
    options = {"method": method, "n_bins": 10, "random_state": 0}
    distances = [attractor_distance(STATES, STATES + s, **options) for s in (0.0, 0.5, 1.0, 2.0)]
    assert distances == sorted(distances)
    assert distances[1] > 0.02
    scale = np.array([1e3, 1e-3])
    scaled = attractor_distance(scale * STATES, scale * (STATES + 1.0), **options)
    assert scaled == pytest.approx(distances[2], rel=1e-6)


def test_mixtures_of_gaussians_equal_the_closed_form():
    # A Gaussian of variance 1 blurred by the bandwidth 1 has variance 2; shifted by m standard
    # deviations of the data, the divergence is m^2 / (2 * 2).
    true, pred = RNG.normal(size=(4000, 1)), RNG.normal(size=(4000, 1))
    distance = attractor_distance(true, pred + 1.0, method="gmm", n_samples=4000, random_state=0)
    assert distance == pytest.approx(0.25, abs=0.06)


def test_counts_equal_the_discrete_divergence():
    # Half of the states in each box against three quarters and one quarter.
    true, pred = np.repeat([[0.0], [1.0]], [50, 50], axis=0), np.repeat([[0.0], [1.0]], [75, 25], 0)
    known = 0.5 * np.log(0.5 / 0.75) + 0.5 * np.log(0.5 / 0.25)
    assert attractor_distance(true, pred, n_bins=2) == pytest.approx(known, rel=1e-6)


def test_a_model_outside_of_the_range_is_far_but_finite():
    distance = attractor_distance(STATES, STATES + 1e6)
    assert 10 < distance < 100


def test_cases_are_pooled_and_may_differ_in_number_and_length():
    true = np.moveaxis(STATES.reshape(4, 1000, 2), 1, 2)
    pred = RNG.normal(size=(700, 2))
    assert attractor_distance(true, pred) == attractor_distance(STATES, pred)


def test_missing_time_points_are_left_out():
    holes = np.concatenate([STATES, [[np.nan, 1.0]]])
    assert attractor_distance(holes, STATES) == 0.0


def test_the_same_seed_gives_the_same_estimate():
    pred = STATES + 0.3
    first, again, other = (
        attractor_distance(STATES, pred, method="gmm", n_samples=50, random_state=seed)
        for seed in (0, 0, 1)
    )
    assert first == again != other


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "kde"}, "method must be 'bins' or 'gmm'; got 'kde'"),
        ({"n_bins": 0}, "n_bins must be a positive integer; got 0"),
        ({"smoothing": 0.0}, "smoothing must be a positive number; got 0.0"),
        ({"bandwidth": -1}, "bandwidth must be a positive number; got -1"),
        ({"y_pred": np.zeros((5, 3))}, "same number of channels.*got 2 and 3"),
        ({"y_pred": np.full((5, 2), np.nan)}, "y_pred must be finite.*diverges"),
        ({"y_true": np.ones((5, 2))}, "Channel 0 of y_true stands still"),
        ({"y_true": np.full((5, 2), np.nan)}, "no time point at which all channels"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        attractor_distance(**{"y_true": STATES, "y_pred": STATES, **arguments})


def test_the_last_box_holds_the_largest_state():
    true, pred = (np.array([[low], [0.9], [high]]) for low, high in ((0.0, 1.0), (0.1, 0.9)))
    assert attractor_distance(true, pred, n_bins=2) == pytest.approx(0.0, abs=1e-12)
