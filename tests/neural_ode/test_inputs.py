"""Controls, covariates and the clock."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.model_selection import cross_val_score

from skdyn import NeuralODE, io

T = np.linspace(0, 4, 17)
LINEAR = {"hidden_layer_sizes": (), "random_state": 0}
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def relaxation(x0, u, t=T, rate=1.0):
    """Closed form of x' = -rate x + u with straight lines between the values of u."""
    x = [x0]
    for h, now, later in zip(np.diff(t), u, u[1:], strict=False):
        slope = (later - now) / h
        steady = now / rate - slope / rate**2
        x.append(steady + slope * h / rate + (x[-1] - steady) * np.exp(-rate * h))
    return np.array(x)[None]


@pytest.fixture(scope="module")
def driven():
    rng = np.random.default_rng(0)
    U = rng.normal(size=(6, 1, len(T)))
    X = np.stack([relaxation(rng.normal(), u[0]) for u in U])
    return X, U


@pytest.fixture(scope="module")
def model(driven):
    X, U = driven
    with warnings.catch_warnings(action="ignore"):
        return NeuralODE(**LINEAR, max_iter=4).fit(X, t=T, u=U)


# -- laws -----------------------------------------------------------------------------------------


def test_a_driven_relaxation_is_found_and_foretold_under_new_inputs(model):
    u = np.random.default_rng(1).normal(size=len(T))
    solved = model.predict([[0.5]], T, u=u[None, None])
    np.testing.assert_allclose(solved[0], relaxation(0.5, u), atol=2e-4)
    found = model.vector_field([[0.3]], u=[[1.1]])
    np.testing.assert_allclose(found, [[0.8]], atol=2e-3)


def test_resampled_inputs_are_the_same_inputs(model, driven):
    X, U = driven
    fine = np.sort(np.concatenate([T, T[:-1] + 0.1]))
    u = np.stack([np.interp(fine, T, case[0])[None] for case in U])
    at = np.isin(fine, T)
    solved = model.predict(X[:, :, 0], fine, u=u)[:, :, at]
    np.testing.assert_allclose(solved, model.predict(X[:, :, 0], T, u=U), atol=1e-5)


def test_every_door_gives_the_same_solution(model, driven):
    X, U = driven
    along = model.predict(X, T, u=U)
    np.testing.assert_allclose(model.predict(X[:, :, 0], T, u=U), along, atol=1e-6)
    np.testing.assert_allclose(model.simulate(X[:, :, 0], T, U), along, atol=1e-6)
    alone = model.simulate(X[2, :, 0], T, U[2].T)
    np.testing.assert_allclose(alone.T, along[2], atol=1e-6)
    by_name = model.simulate(X[2, :, 0], T, lambda s: np.interp(s, T, U[2, 0]))
    np.testing.assert_allclose(by_name, alone, atol=1e-4)
    assert model.score(X, t=T, u=U) > 0.9999
    assert model.score(X, t=T, u=U, of="derivative") > 0.8


def test_the_middle_of_a_trajectory_is_followed_both_ways(model, driven):
    X, U = driven
    gap = X.copy()
    gap[:, :, :5] = np.nan
    np.testing.assert_allclose(model.predict(gap, T, u=U), X, atol=2e-3)


def test_gaps_of_inputs_are_bridged_and_lengths_may_differ(driven):
    X, U = driven
    holed = U.copy()
    holed[0, 0, 5] = np.nan
    cases = [X[k][:, : 17 - k] for k in range(6)], [holed[k][:, : 17 - k] for k in range(6)]
    times = [T[: 17 - k] for k in range(6)]
    fitted = NeuralODE(**LINEAR, max_iter=1).fit(cases[0], t=times, u=cases[1])
    assert fitted.score(cases[0], t=times, u=cases[1]) > 0.9


def test_held_inputs_jump_and_solutions_do_not():
    rng, t = np.random.default_rng(0), T[:9]
    U = rng.choice([-1.0, 1.0], size=(4, 1, len(t)))
    keeps = np.exp(-np.diff(t)[0])
    X = [rng.normal(size=4)]
    for k in range(len(t) - 1):
        X.append(X[-1] * keeps + U[:, 0, k] * (1 - keeps))
    X = np.array(X).T[:, None]
    held = NeuralODE(**LINEAR, input_interpolation="hold", alpha=1e-6, window=None, max_iter=2)
    model = held.fit(X, t=t, u=U)
    solved = model.predict(X[:, :, 0], t, u=U)
    np.testing.assert_allclose(solved, X, atol=5e-3)
    fine = np.sort(np.concatenate([t, t[1:] - 1e-6]))
    u = U[:, :, np.searchsorted(t, fine, side="right") - 1]
    dense = model.predict(X[:, :, 0], fine, u=u)
    assert np.abs(np.diff(dense, axis=2)[:, :, 1::2]).max() < 1e-5
    # One interval ahead, the input is held too.
    ahead = model.predict(X[:, :, 0], u=U[:, :, 0])
    np.testing.assert_allclose(ahead, solved[:, :, 1], atol=1e-4)


def test_covariates_tell_the_dynamics_of_cases_apart():
    rates = np.linspace(0.5, 1.5, 5)
    X = np.stack([relaxation(1.0, np.zeros(len(T)), rate=rate) for rate in rates])
    model = NeuralODE((8,), max_iter=4, window=None, random_state=0).fit(X, t=T, covariates=rates)
    assert model.score(X, t=T, covariates=rates) > 0.99
    new = model.simulate([1.0], T, covariates=[1.1])
    np.testing.assert_allclose(new[:, 0], np.exp(-1.1 * T), atol=0.05)


def test_a_period_and_a_trend_are_functions_of_the_time_itself():
    """x' = -x + sin(2 pi t / 3) has the same answer whatever the windows begin at."""
    t, w = np.linspace(100, 106, 31), 2 * np.pi / 3
    start = np.linspace(-1, 1, 5)[:, None]
    steady = (np.sin(w * t) - w * np.cos(w * t)) / (1 + w**2)
    X = (steady + (start - steady[0]) * np.exp(-(t - t[0])))[:, None]
    periodic = NeuralODE(**LINEAR, period=3.0, max_iter=4).fit(X, t=t)
    later = t + 3.0
    np.testing.assert_allclose(periodic.predict(X[:, :, 0], later), X, atol=2e-3)
    drifting = NeuralODE(**LINEAR, time_dependent=True, max_iter=4)
    X = (0.1 * (t - 100) - 0.1 + (start + 0.1) * np.exp(-(t - t[0])))[:, None]
    np.testing.assert_allclose(drifting.fit(X, t=t).predict(X, t), X, atol=2e-3)
    with pytest.raises(ValueError, match="pass the times t"):
        drifting.vector_field([[0.0]])


def test_a_frame_and_its_controls_are_one_trajectory_and_keep_their_columns(driven):
    X, U = driven
    frame = pd.DataFrame({"a": X[0, 0]})
    u = pd.DataFrame({"wind": U[0, 0], "rain": U[1, 0]})
    with warnings.catch_warnings(action="ignore"):
        model = NeuralODE(**LINEAR, max_iter=1).fit(frame, u=u)
    assert model.control_names_ == ["wind", "rain"]
    assert model.score(frame, u=u) == model.score(X[:1, :, :], u=u.to_numpy().T[None])
    turned = u[["rain", "wind"]]
    for ask in (
        lambda: model.score(frame, u=turned),
        lambda: model.simulate([0.0], np.arange(17), u=turned),
        lambda: model.predict(X[:, :, 0], u=turned[:6]),
        lambda: model.vector_field(X[:, :, 0], u=turned[:6]),
    ):
        with pytest.raises(ValueError, match=r"Pass u\[\['wind', 'rain'\]\]"):
            ask()


def test_columns_of_covariates_keep_their_order(driven):
    X, _ = driven
    covariates = pd.DataFrame({"age": np.arange(6.0), "size": np.ones(6)})
    with pytest.warns(UserWarning, match="Column size of covariates is 1 everywhere"):
        model = NeuralODE(**LINEAR, max_iter=1).fit(X, t=T, covariates=covariates)
    assert np.isfinite(model.score(X, t=T, covariates=covariates.to_numpy()))
    with pytest.raises(ValueError, match="covariates has the columns"):
        model.predict(X, T, covariates=covariates[["size", "age"]])


# -- the house ------------------------------------------------------------------------------------


def test_inputs_are_saved_with_the_model(model, driven, tmp_path):
    X, U = driven
    io.save(model, tmp_path / "m.skdyn")
    again = io.load(tmp_path / "m.skdyn")
    assert again.control_names_ == ["u0"]
    assert np.array_equal(again.predict(X, T, u=U), model.predict(X, T, u=U))


def test_inputs_are_routed_and_cut_with_the_cases(driven):
    X, U = driven
    with config_context(enable_metadata_routing=True):
        model = NeuralODE(**LINEAR, max_iter=1)
        model.set_fit_request(t=True, u=True).set_score_request(t=True, u=True)
        params = {"t": np.tile(T, (6, 1)), "u": U}
        scores = cross_val_score(model, X, cv=2, params=params, error_score="raise")
    assert scores.min() > 0.8


def test_inputs_of_a_validation_set_come_with_it(driven):
    X, U = driven
    model = NeuralODE(**LINEAR, early_stopping=True, max_iter=1)
    model.fit(X[:4], t=T, u=U[:4], X_val=X[4:], t_val=T, u_val=U[4:])
    assert model.validation_scores_ is not None
    with pytest.raises(ValueError, match="the 1 controls seen during fit"):
        model.fit(X[:4], t=T, u=U[:4], X_val=X[4:], t_val=T)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: m.predict([[1.0]], T), "it is missing"),
        (lambda m: m.predict(np.ones((1, 1, 17)), T), "the 1 controls seen during fit"),
        (lambda m: m.predict([[1.0]], T, u=np.ones((1, 2, 17))), "1 controls at each of the 17"),
        (lambda m: m.predict([[1.0]], T, u=np.ones((1, 1, 9))), "1 controls at each of the 17"),
        (lambda m: m.predict([[1.0]], T + 1, t0=0.0, u=np.ones((1, 1, 17))), "begins at t0"),
        (lambda m: m.predict([[1.0]], T, u=np.full((1, 1, 17), np.nan)), "no value of a control"),
        (lambda m: m.simulate([1.0], T, lambda s: [s, s]), "must return 1 controls"),
        (lambda m: m.simulate([1.0], T, np.ones(17), covariates=[1.0]), "the 0 covariates"),
        (lambda m: m.vector_field([[1.0]]), "it is missing"),
        (lambda m: NeuralODE().fit(np.ones((1, 1, 3)), u=np.full((1, 1, 3), np.nan)), "u0 in case"),
        (lambda m: NeuralODE().fit(np.ones((2, 1, 3)), covariates=[1.0]), "each of the 2 cases"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(model, call, message):
    with pytest.raises(ValueError, match=message):
        call(model)


def test_inputs_of_a_model_without_any_are_refused(driven):
    X, U = driven
    model = NeuralODE(**LINEAR, max_iter=1).fit(X, t=T)
    for call in (model.simulate, model.predict):
        with pytest.raises(ValueError, match="there were none"):
            call(X[:, :, 0], T, u=U)
    with pytest.raises(ValueError, match="the 0 controls"):
        model.score(X, t=T, u=U)


def test_controls_that_end_before_the_times_are_told(driven, model):
    X, U = driven
    short = U.copy()
    short[2, 0, 11:] = np.nan
    with pytest.warns(UserWarning, match=rf"u0 of case 2 is NaN after t={T[10]:g}"):
        model.predict(X, T, u=short)
    with pytest.warns(UserWarning, match="u0 of case 0 is NaN after"):
        model.simulate(X[0, :, 0], T, u=short[2].T)
    with pytest.raises(ValueError, match=r"of 17 time points.*must not end before"):
        model.predict(X, T, u=U[:, :, :11])
    gaps = np.where(np.arange(len(T)) % 3 == 2, np.nan, U)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.predict(X, T, u=gaps)
