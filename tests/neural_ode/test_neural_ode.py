"""The neural ODE of trajectories."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skdyn import NeuralODE
from skdyn._trajectories import Trajectories, split_trajectories
from skdyn.datasets import make_damped_oscillator, make_lotka_volterra
from skdyn.exceptions import SolverError, TrainingDivergedError

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.fixture(scope="module")
def oscillations():
    return make_damped_oscillator(n_cases=6, n_timepoints=40, t_span=(0, 10), random_state=0)


@pytest.fixture(scope="module")
def fitted(oscillations):
    X, t = oscillations
    return NeuralODE((32,), max_iter=20, random_state=0).fit(X, t=t)


# -- laws -----------------------------------------------------------------------------------------


def test_a_simulation_can_be_interrupted_anywhere(fitted):
    """The flow property: the solution through a later state is the same solution."""
    t = np.linspace(0, 6, 13)
    whole = fitted.simulate([1.0, 0.5], t)
    rest = fitted.simulate(whole[6], t[6:])
    np.testing.assert_allclose(rest, whole[6:], atol=2e-4)


def test_only_differences_of_time_matter(fitted):
    x0, t = [[1.0, 0.5]], np.linspace(0, 3, 5)
    np.testing.assert_allclose(fitted.predict(x0, t + 100), fitted.predict(x0, t), atol=1e-9)
    np.testing.assert_allclose(
        fitted.predict(x0, t + 7, t0=5.0), fitted.predict(x0, t + 2, t0=0.0), atol=1e-9
    )


def test_the_vector_field_is_the_derivative_of_the_simulation(fitted):
    x = np.array([[1.0, 0.5], [-0.5, 0.2]])
    step = 1e-3
    ahead = fitted.predict(x, [0.0, step])[:, :, 1]
    np.testing.assert_allclose((ahead - x) / step, fitted.vector_field(x), rtol=0.02, atol=2e-3)


def test_units_of_states_and_times_do_not_matter(oscillations):
    X, t = oscillations
    units = np.array([1e3, 1e-2])[:, None]
    model = NeuralODE((8,), max_iter=4, random_state=0, dtype="float64")
    once = model.fit(X, t=t).predict(X[:, :, 0], t)
    again = model.fit(X * units + 5, t=t * 60).predict(X[:, :, 0] * units[:, 0] + 5, t * 60)
    np.testing.assert_allclose((again - 5) / units, once, atol=0.02)


def test_a_rows_answer_does_not_depend_on_its_company(fitted):
    x = np.random.default_rng(0).normal(size=(5, 2))
    t = np.linspace(0, 5, 9)
    alone = np.concatenate([fitted.predict(row[None], t) for row in x])
    np.testing.assert_allclose(fitted.predict(x, t), alone, atol=1e-10)


def test_a_spike_counts_as_missing_and_its_place_is_told(oscillations):
    X, t = oscillations
    model = NeuralODE((8,), max_iter=2, window=5, random_state=0)
    spike, gap = X.copy(), X.copy()
    spike[2, 0, 30], gap[2, 0, 30] = 1e4, np.nan
    with pytest.warns(UserWarning, match="case 2 channel 0 index 30"):
        found = model.fit(spike, t=t).simulate([1.0, 0.5], t)
    np.testing.assert_array_equal(found, model.fit(gap, t=t).simulate([1.0, 0.5], t))
    model.set_params(early_stopping=True)
    with pytest.warns(UserWarning, match="X_val holds .*case 2 channel 0 index 30"):
        model.fit(X, t=t, X_val=spike, t_val=t)
    assert max(model.validation_scores_) > -1.0


# -- what it learns -------------------------------------------------------------------------------


def test_a_linear_system_is_recovered(oscillations, fitted):
    X, t = oscillations
    assert fitted.score(X, t=t) > 0.999
    x = X[:, :, ::5].transpose(0, 2, 1).reshape(-1, 2)
    # x'' = -x - 0.2 x'
    expected = np.stack([x[:, 1], -x[:, 0] - 0.2 * x[:, 1]], axis=1)
    np.testing.assert_allclose(fitted.vector_field(x), expected, atol=0.1)


def test_noisy_irregular_incomplete_data_are_learnt():
    bad = {"irregular": True, "noise": 0.1, "missing": 0.3}
    size = {"n_cases": 6, "n_timepoints": 40, "t_span": (0, 8), "random_state": 1}
    X, t = make_damped_oscillator(**size, **bad)
    truth, t_truth = make_damped_oscillator(**size)
    model = NeuralODE((8,), max_iter=2, random_state=0).fit(X, t=t)
    assert model.score(truth, t=t_truth) > 0.98
    expected = 0.1 * truth.std(axis=(0, 2))
    np.testing.assert_allclose(model.noise_, expected, rtol=0.3)


def test_the_fit_to_noisy_data_starts_at_the_learnt_states():
    size = {"n_cases": 4, "n_timepoints": 50, "t_span": (0, 8), "random_state": 1}
    X, t = make_damped_oscillator(noise=0.2, **size)
    truth, _ = make_damped_oscillator(**size)
    model = NeuralODE((8,), max_iter=3, random_state=0).fit(X, t=t)
    learnt, observed = model.simulate(model.x0_, t), model.simulate(X[:, :, 0], t)
    assert np.mean((learnt - truth) ** 2) < 0.5 * np.mean((observed - truth) ** 2)
    exact = NeuralODE((4,), max_iter=1, learn_x0=False).fit(truth, t=t)
    np.testing.assert_allclose(exact.x0_, truth[:, :, 0], atol=1e-9)


def test_unequal_lengths_are_learnt(oscillations):
    X, t = oscillations
    lengths = [40, 25, 10, 40, 30, 2]
    ragged = [case[:, :n] for case, n in zip(X, lengths)]
    times = [t[:n] + 3 * k for k, n in enumerate(lengths)]
    model = NeuralODE((16,), max_iter=4, random_state=0).fit(ragged, t=times)
    assert model.score(X, t=t) > 0.99
    followed = model.predict(ragged, times)
    assert followed.shape == (6, 2, 40)
    for case, n in enumerate(lengths):
        assert np.isfinite(followed[case, :, :n]).all()
        assert np.isnan(followed[case, :, n:]).all()


def test_hidden_dimensions_explain_what_the_state_cannot():
    """One coordinate of an oscillation is no autonomous system: it crosses itself."""
    X, t = make_damped_oscillator(
        n_timepoints=30, t_span=(0, 9), x0=[[1.0, 0.0], [2.0, 0.0], [-1.5, 0.0]]
    )
    X = X[:, :1]
    plain = NeuralODE((8,), max_iter=2, random_state=0).fit(X, t=t).score(X, t=t)
    model = NeuralODE((8,), max_iter=4, augment_dim=1, random_state=0)
    augmented = model.fit(X, t=t).score(X, t=t)
    assert plain < 0.6
    assert augmented > 0.99


@pytest.mark.parametrize(
    "params",
    [
        {"pretrain": None, "window": 10},
        {"window": None, "learn_x0": True},
        {"regularization": "error"},
        {"regularization": "stiffness", "regularization_mode": "local"},
        {"solver": "rk4"},
        {"activation": "tanh", "dtype": "float64"},
        {"adjoint": "continuous", "window": 10, "max_iter": 1},
        {"optimizer": "adam", "max_iter": 40, "learning_rate": 0.03, "batch_size": 8},
    ],
    ids=str,
)
def test_every_option_learns(oscillations, params):
    X, t = oscillations
    options = {"max_iter": 3, "random_state": 0} | params
    model = NeuralODE((16,), **options).fit(X[:3], t=t)
    assert model.score(X, t=t) > 0.9


def test_a_second_fit_with_warm_start_goes_on(oscillations):
    X, t = oscillations
    model = NeuralODE((8,), max_iter=2, tol=0, warm_start=True, random_state=0).fit(X, t=t)
    first = model.loss_curve_[0]
    assert model.fit(X, t=t).loss_curve_[0] < 0.1 * first


# -- early stopping -------------------------------------------------------------------------------


@pytest.mark.parametrize("one", [False, True], ids=["cases", "end"])
def test_early_stopping_watches_held_out_data(oscillations, one):
    X, t = oscillations
    X = X[0].T if one else X
    model = NeuralODE((16,), early_stopping=True, random_state=0, max_iter=6).fit(X, t=t)
    assert model.best_loss_ == -max(model.validation_scores_)


def test_a_validation_set_is_watched_and_needs_early_stopping(oscillations):
    X, t = oscillations
    model = NeuralODE((16,), early_stopping=True, random_state=0, max_iter=6)
    watched = model.fit(X[:4], t=t, X_val=X[4:], t_val=t).validation_scores_
    assert np.isfinite(watched).all()
    with pytest.raises(ValueError, match="X_val was passed to fit but early_stopping=False"):
        NeuralODE().fit(X, t=t, X_val=X, t_val=t)
    with pytest.raises(ValueError, match="t_val was passed to fit without X_val"):
        NeuralODE(early_stopping=True).fit(X, t=t, t_val=t)


# -- layouts --------------------------------------------------------------------------------------


def test_shapes_of_predictions(fitted):
    x, t = np.ones((3, 2)), np.linspace(0, 1, 4)
    assert fitted.predict(x).shape == (3, 2)
    assert fitted.predict(x, t).shape == (3, 2, 4)
    assert fitted.predict(x, [2.0]).shape == (3, 2, 1)
    assert fitted.simulate(x[0], t).shape == (4, 2)
    assert fitted.simulate(x, np.tile(t, (3, 1))).shape == (3, 2, 4)
    assert fitted.predict(np.ones((3, 2, 5)), np.arange(5)).shape == (3, 2, 5)
    np.testing.assert_allclose(fitted.predict(x, t)[:, :, 0], x, rtol=1e-14)


def test_the_default_is_one_training_interval_ahead(fitted):
    x = np.array([[1.0, 0.5]])
    assert abs(fitted.interval_ - 10 / 39) < 1e-12
    ahead = fitted.predict(x, [0.0, fitted.interval_])[:, :, 1]
    np.testing.assert_allclose(fitted.predict(x), ahead, atol=1e-9)


def test_a_channel_of_times_inside_the_data_does_as_well(oscillations):
    X, t = oscillations
    inside = np.insert(X, 1, t, axis=1)
    options = {"max_iter": 2, "window": 10, "random_state": 0}
    outside = NeuralODE((16,), **options).fit(X, t=t)
    model = NeuralODE((16,), time_channel=1, **options).fit(inside)
    assert model.n_features_in_ == 3
    assert model.score(inside) == outside.score(X, t=t)
    followed = model.predict(inside)
    np.testing.assert_array_equal(followed[:, 1], np.tile(t, (6, 1)))
    ahead = model.predict([[1.0, 7.0, 0.5]])
    np.testing.assert_allclose(ahead[:, [0, 2]], outside.predict([[1.0, 0.5]]))
    assert ahead[0, 1] == 7.0 + model.interval_
    with pytest.raises(ValueError, match="before its initial state at t0=7"):
        model.predict([[1.0, 7.0, 0.5]], [6.0, 8.0])


def test_frames_are_one_trajectory(oscillations):
    X, t = oscillations
    frame = pd.DataFrame(X[0].T, columns=["x", "v"])
    model = NeuralODE((4,), max_iter=1, random_state=0).fit(frame, t=t)
    assert list(model.feature_names_in_) == ["x", "v"]


# -- in scikit-learn's company --------------------------------------------------------------------


def test_a_search_over_spans_of_one_trajectory(oscillations):
    X, _ = oscillations
    model = make_pipeline(StandardScaler(), NeuralODE(max_iter=2, window=5, random_state=0))
    grid = {"neuralode__hidden_layer_sizes": [(8,), (16,)]}
    search = GridSearchCV(model, grid, cv=TimeSeriesSplit(2), error_score="raise")
    assert np.isfinite(search.fit(X[0].T).best_score_)


def test_times_are_routed_and_cut_with_the_cases(oscillations):
    X, t = oscillations
    rows = np.tile(t, (6, 1)) * np.linspace(1, 1.0001, 6)[:, None]
    with config_context(enable_metadata_routing=True):
        model = NeuralODE((16,), max_iter=2, window=20, random_state=0)
        model.set_fit_request(t=True).set_score_request(t=True)
        scores = cross_val_score(model, X, cv=2, params={"t": rows}, error_score="raise")
    assert scores.min() > 0.9


# -- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.predict([[1.0, 2.0]], [1.0, 0.5]), "strictly increase"),
        (lambda m: m.predict([[1.0, 2.0]], [1.0], t0=2.0), "horizon of case 0"),
        (lambda m: m.predict([[1.0, np.nan]]), "Row 0 of X contains NaN"),
        (lambda m: m.predict([[1.0, np.inf]]), "infinity"),
        (lambda m: m.predict([[1.0]]), "X has 1 features, but NeuralODE is expecting 2"),
        (lambda m: m.predict([1.0, 2.0]), "Reshape your data"),
        (lambda m: m.predict(np.ones((1, 2, 3)), t0=0.0), "trajectories bring their own"),
        (lambda m: m.predict(np.ones((1, 3, 3)), [0, 1, 2]), "X has 3 features"),
        (lambda m: m.simulate([1.0], [0.0, 1.0]), "x0 must hold states of 2 channels"),
        (lambda m: m.simulate([np.nan, 1.0], [0.0, 1.0]), "x0 contains NaN"),
        (lambda m: m.vector_field([1.0, 2.0]), "X must hold states of 2 channels"),
    ],
)
def test_bad_questions_are_refused(fitted, call, message):
    with pytest.raises(ValueError, match=message):
        call(fitted)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"solver": "rk5"}, "'solver' parameter.*'rk5'"),
        ({"window": 0}, "'window' parameter"),
        ({"learn_x0": "maybe"}, "'learn_x0' parameter"),
        ({"pretrain": "smoothing"}, "'pretrain' parameter"),
        ({"time_channel": 2}, "time_channel=2"),
        ({"hidden_layer_sizes": (0,)}, "hidden_layer_sizes must be positive"),
    ],
)
def test_bad_parameters_are_refused(oscillations, params, message):
    X, t = oscillations
    model = NeuralODE(**params)
    with pytest.raises(ValueError, match=message):
        model.fit(X) if "time_channel" in params else model.fit(X, t=t)
    with pytest.raises(NotFittedError):
        model.predict(X[:, :, 0])


def test_questions_before_the_fit_are_refused():
    for call in (
        lambda m: m.predict([[1.0]]),
        lambda m: m.simulate([1.0], [0.0, 1.0]),
        lambda m: m.vector_field([[1.0]]),
        lambda m: m.score([[1.0], [2.0]]),
    ):
        with pytest.raises(NotFittedError):
            call(NeuralODE())


# -- trouble --------------------------------------------------------------------------------------


def test_divergence_is_recovered_with_a_warning_or_raised_and_nothing_is_half_fitted(oscillations):
    X, t = oscillations
    wild = NeuralODE(
        (16,), optimizer="sgd", learning_rate=1e4, max_iter=20, pretrain=None, window=None,
        n_iter_no_change=20, random_state=0,
    )  # fmt: skip
    with (
        pytest.warns(match="best weights were restored"),
        pytest.raises((SolverError, TrainingDivergedError)),
    ):
        wild.fit(X, t=t)
    assert not hasattr(wild, "module_")
    assert not hasattr(wild, "n_features_in_")


def test_a_failed_second_fit_leaves_the_first(oscillations):
    X, t = oscillations
    model = NeuralODE((4,), max_iter=1, window=5, random_state=0).fit(X, t=t)
    before = model.predict(X[:, :, 0])
    with pytest.raises(ValueError, match="strictly increase"):
        model.fit(X[:, :1], t=t[::-1])
    np.testing.assert_array_equal(model.predict(X[:, :, 0]), before)


def test_white_noise_ends_in_a_finite_model():
    X = np.random.default_rng(0).normal(size=(60, 3))
    model = NeuralODE((16,), random_state=0, max_iter=8).fit(X)
    assert np.isfinite(model.predict(X)).all()


def test_a_fit_with_enough_epochs_does_not_warn(oscillations):
    X, t = oscillations
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        NeuralODE((16,), random_state=0, tol=1e-4).fit(X, t=t)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("noise", "model", "most"),
    [
        (0.0, NeuralODE((32,), max_iter=20, random_state=0), 5e-3),  # 2e-4 to 3e-3 over seeds, CPUs
        (0.1, NeuralODE((8,), max_iter=4, random_state=0), 0.03),
    ],
    ids=["exact", "noisy"],
)
def test_lotka_and_volterra_from_exact_and_noisy_data(noise, model, most):
    X, t = make_lotka_volterra(n_cases=10, n_timepoints=40, noise=noise, random_state=0)
    truth, _ = make_lotka_volterra(n_cases=10, n_timepoints=40, random_state=100)
    model.fit(X, t=t)
    assert np.mean((model.predict(truth[:, :, 0], t) - truth) ** 2) < most


def test_the_seed_chooses_the_cases_that_early_stopping_watches():
    cases = np.random.default_rng(0).normal(size=(8, 5, 2))
    data = Trajectories(cases, np.tile(np.arange(5.0), (8, 1)), np.full(8, 5))

    def watched(seed):
        model = NeuralODE(early_stopping=True, validation_fraction=0.25, random_state=seed)
        return split_trajectories(model, data, None, None)[1].values

    np.testing.assert_array_equal(watched(0), watched(0))
    assert len({watched(seed).tobytes() for seed in range(5)}) > 1
