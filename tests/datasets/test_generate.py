"""The engine: what every generator shares."""

import numpy as np
import pytest

from skdyn.datasets import make_damped_oscillator, make_lorenz96, make_lotka_volterra
from skdyn.datasets._generate import integrate
from skdyn.exceptions import DivergenceError, MaxStepsError

SMALL = {"n_cases": 3, "n_timepoints": 20, "t_span": (0.0, 2.0)}


def test_the_same_seed_gives_the_same_data_and_another_seed_gives_other_data():
    damage = {"irregular": True, "noise": 0.1, "missing": 0.2}
    X, t = make_lotka_volterra(**SMALL, **damage, random_state=0)
    again, t_again = make_lotka_volterra(**SMALL, **damage, random_state=0)
    other, _ = make_lotka_volterra(**SMALL, **damage, random_state=1)
    np.testing.assert_array_equal(X, again)
    np.testing.assert_array_equal(t, t_again)
    assert not np.array_equal(np.isnan(X), np.isnan(other))


def test_global_randomness_is_left_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002  (the global state is what is tested)
    make_lotka_volterra(**SMALL, noise=0.1, missing=0.1, random_state=0)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_noise_and_missing_values_damage_the_same_trajectories():
    clean, t = make_lotka_volterra(**SMALL, irregular=True, random_state=0)
    noisy, t_noisy = make_lotka_volterra(**SMALL, irregular=True, noise=0.1, random_state=0)
    holes, t_holes = make_lotka_volterra(**SMALL, irregular=True, missing=0.3, random_state=0)
    np.testing.assert_array_equal(t, t_noisy)
    np.testing.assert_array_equal(t, t_holes)
    np.testing.assert_array_equal(holes[~np.isnan(holes)], clean[~np.isnan(holes)])
    assert 0 < np.abs(noisy - clean).max() < 1


def test_noise_is_a_fraction_of_each_channels_own_deviation():
    arguments = {"n_cases": 5, "n_timepoints": 400, "omega": 3.0, "random_state": 0}
    clean, _ = make_damped_oscillator(**arguments)
    noisy, _ = make_damped_oscillator(**arguments, noise=0.2)
    ratio = (noisy - clean).std(axis=(0, 2)) / clean.std(axis=(0, 2))
    # 2000 draws a channel: the deviation is known to 1.6 %.
    np.testing.assert_allclose(ratio, 0.2, rtol=0.08)


def test_each_series_loses_exactly_the_fraction_asked_for():
    X, _ = make_lotka_volterra(**SMALL, missing=0.25, random_state=0)
    np.testing.assert_array_equal(np.isnan(X).sum(axis=-1), 5)


def test_regular_times_are_even_and_shared():
    _, t = make_lotka_volterra(**SMALL, random_state=0)
    np.testing.assert_array_equal(t, np.linspace(0.0, 2.0, 20))


@pytest.mark.parametrize(
    ("irregular", "shape"), [("shared", (20,)), ("per_case", (3, 20)), (True, (3, 20))]
)
def test_irregular_times_increase_strictly_from_the_first_to_the_last(irregular, shape):
    _, t = make_lotka_volterra(**SMALL, irregular=irregular, random_state=0)
    assert t.shape == shape
    assert (np.diff(t, axis=-1) > 0).all()
    np.testing.assert_array_equal(t[..., 0], 0.0)
    np.testing.assert_array_equal(t[..., -1], 2.0)
    assert np.ptp(np.diff(t, axis=-1)) > 0.05


def test_irregular_cases_are_sampled_at_their_own_times():
    X, t = make_damped_oscillator(**SMALL, zeta=0.0, x0=[1.0, 0.0], irregular=True, random_state=0)
    np.testing.assert_allclose(X[:, 0], np.cos(t), atol=1e-7)
    assert not np.array_equal(t[0], t[1])


def test_initial_states_given_are_where_trajectories_start():
    x0 = [[1.0, 0.0], [0.0, 2.0]]
    X, _ = make_damped_oscillator(x0=x0, n_timepoints=3)
    np.testing.assert_array_equal(X[:, :, 0], x0)


def test_one_initial_state_is_repeated_for_each_case():
    X, _ = make_damped_oscillator(n_cases=4, x0=[1.0, 0.0], n_timepoints=3)
    assert X.shape == (4, 2, 3)
    np.testing.assert_array_equal(X, np.repeat(X[:1], 4, axis=0))


def test_a_case_does_not_depend_on_its_company():
    x0 = [[1.0, 0.0], [0.0, 2.0]]
    X, _ = make_damped_oscillator(x0=x0)
    alone, _ = make_damped_oscillator(x0=x0[1])
    np.testing.assert_array_equal(X[1], alone[0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_cases": 0}, r"n_cases must be an integer of at least 1; got 0"),
        ({"n_cases": 2.0}, r"n_cases must be an integer of at least 1; got 2.0"),
        ({"n_timepoints": 1}, r"n_timepoints must be an integer of at least 2; got 1"),
        ({"t_span": (1.0, 1.0)}, r"t_span must be two finite times .* got \(1.0, 1.0\)"),
        ({"t_span": (0.0, np.inf)}, r"t_span must be two finite times"),
        ({"t_span": 3}, r"t_span must be two finite times .* got 3"),
        ({"irregular": "per-case"}, r"irregular must be True, False, 'shared' or 'per_case'"),
        ({"noise": -0.1}, r"noise must be a finite number in \[0, inf\); got -0.1"),
        ({"noise": True}, r"noise must be a finite number"),
        ({"missing": 1.0}, r"missing must be a finite number in \[0, 1\); got 1.0"),
        ({"missing": 0.95}, r"fewer than 2 observed points\. Lower missing"),
        ({"x0": [1.0, 2.0, 3.0]}, r"x0 must have shape \(2,\) or \(n_cases, 2\).*prey, predator"),
        ({"x0": [np.nan, 1.0]}, r"x0 must be finite"),
        ({"x0": [[1.0, 1.0], [2.0, 2.0]]}, r"n_cases=3 but x0 has 2 rows"),
        ({"alpha": 0.0}, r"alpha must be a finite number in \(0, inf\); got 0.0"),
        ({"alpha": np.inf}, r"alpha must be a finite number in \(0, inf\); got inf"),
        ({"alpha": np.nan}, r"alpha must be a finite number"),
        ({"random_state": "seed"}, r"cannot be used to seed"),
    ],
)
def test_bad_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_lotka_volterra(**{**SMALL, **arguments})


def test_the_number_of_channels_must_fit_the_ring():
    with pytest.raises(ValueError, match=r"n_channels must be an integer of at least 4; got 3"):
        make_lorenz96(n_channels=3)


def test_a_blow_up_is_a_typed_error_that_knows_when_and_which_case():
    # y' = y^2 from y = 1 reaches infinity at t = 1.
    with pytest.raises(DivergenceError, match=r"in case 7 .* Shorten t_span") as caught:
        integrate(lambda t, y: y**2, [1.0], np.linspace(0, 2, 5), case=7)
    assert caught.value.case == 7
    assert caught.value.t <= 1.0 + 1e-6


def test_a_stiff_field_ends_with_a_typed_error(monkeypatch):
    monkeypatch.setattr("skdyn.datasets._generate._MAX_EVALUATIONS", 500)
    with pytest.raises(MaxStepsError, match="probably stiff"):
        integrate(lambda t, y: -1e6 * (y - np.cos(t)), [0.0], np.linspace(0, 10, 5))


def test_a_field_of_the_wrong_shape_is_refused():
    with pytest.raises(ValueError, match=r"each of the 2 channels, shape \(2,\); got shape \(1,\)"):
        integrate(lambda t, y: y[:1], [1.0, 2.0], np.linspace(0, 1, 5))
