"""Records that noise moves are forecast as well as by a linear model of one step."""

import functools
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning

from skdyn import NeuralODE, io
from skdyn.datasets import make_lotka_volterra
from skdyn.neural_ode import _noisy_records
from skdyn.neural_ode._noisy_records import RecordPlan, doubt_forecasts, is_driven_by_noise


def cycles(n, seed=0):
    """Cycles of some eleven steps that noise keeps going, as delays."""
    rng, x = np.random.default_rng(seed), np.zeros(n + 100)
    for k in range(2, len(x)):
        x[k] = 1.6 * x[k - 1] - 0.93 * x[k - 2] + rng.normal()
    return np.stack([x[100:-1], x[101:]], axis=1)


def ahead(record, model, horizon=6):
    """Mean squared error of forecasts, in variances of the record."""
    origins = np.arange(len(record) - horizon)
    solved = model.predict(record[origins], np.arange(horizon + 1.0))[:, 1, 1:]
    truth = np.stack([record[origins + k, 1] for k in range(1, horizon + 1)], axis=1)
    return np.mean((solved - truth) ** 2) / record[:, 1].var()


@functools.cache
def fitted(n=100):
    model = NeuralODE((4,), max_iter=12, random_state=0)
    return model.fit(cycles(n))


def test_forecasts_are_those_of_an_autoregression_or_better():
    record, new = cycles(100), cycles(100, seed=1)
    X = np.c_[record[:-1], np.ones(len(record) - 1)]
    step = np.linalg.lstsq(X, record[1:], rcond=None)[0]

    class Steps:
        @staticmethod
        def predict(x0, t):
            rows = [x0]
            for _ in t[1:]:
                rows.append(np.c_[rows[-1], np.ones(len(x0))] @ step)
            return np.stack(rows, axis=2)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        own = ahead(new, fitted())
    assert own < 1.1 * ahead(new, Steps) < 0.9


def test_a_record_is_learned_over_a_period_and_its_penalty_is_told():
    model = fitted()
    ((name, _),) = model.stages_
    assert 8 <= int(name.split()[2]) <= 14
    assert model.alpha_ >= model.alpha
    assert model.module_.lined


def test_it_is_saved_with_its_line(tmp_path):
    model = fitted()
    io.save(model, tmp_path / "model.skdyn")
    again = io.load(tmp_path / "model.skdyn")
    rows, t = cycles(8), [0.0, 2.5]
    np.testing.assert_array_equal(again.predict(rows, t), model.predict(rows, t))
    np.testing.assert_array_equal(again.vector_field(rows), model.vector_field(rows))


def test_a_warm_start_keeps_the_line():
    model = clone(fitted()).set_params(warm_start=True, max_iter=1)
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        slope = model.fit(cycles(100)).module_.slope.clone()
        model.fit(cycles(60, seed=2))
    assert model.module_.lined
    assert (model.module_.slope == slope).all()


def test_noise_that_only_covers_the_states_is_learned_as_before():
    X, t = make_lotka_volterra(n_cases=3, n_timepoints=30, noise=0.1, random_state=0)
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        model = NeuralODE((8,), max_iter=5, random_state=0).fit(X, t=t)
    assert not model.module_.lined
    assert model.alpha_ == model.alpha


@pytest.mark.parametrize(
    ("smooth", "line", "driven"),
    [(1.3, 0.9, True), (0.02, 0.2, False), (0.4, 0.5, True), (0.6, 0.95, False)],
)
def test_noise_moves_the_states_where_a_line_foretells_what_smooth_curves_lose(
    smooth, line, driven
):
    assert is_driven_by_noise(smooth, line, 1.0) is driven


def test_nothing_to_foretell_is_told():
    plan = RecordPlan(None, 5, 1.0, 1.0, error=1.1, trivial=1.0)
    with pytest.warns(ConvergenceWarning, match=r"nothing to foretell.*over 5 intervals"):
        doubt_forecasts(plan, None, None)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        doubt_forecasts(plan._replace(error=0.9), None, None)


def test_states_too_noisy_to_start_from_are_told():
    rng, t = np.random.default_rng(0), np.linspace(0, 2, 60)
    noisy = (t + 2.0 * rng.normal(size=60))[:, None]
    model = NeuralODE((2,), max_iter=2, window=20, random_state=0)
    with pytest.warns(ConvergenceWarning, match="too much noise in a state to start from it"):
        model.fit(noisy)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        model.fit((t + 0.2 * rng.normal(size=60))[:, None])
    assert not any("measured states" in str(warning.message) for warning in told)


@pytest.mark.parametrize("spoil", ["gaps", "times"])
def test_gaps_and_uneven_times_are_no_noise_that_moves(monkeypatch, spoil):
    monkeypatch.setattr(_noisy_records, "line_of", None)  # nobody looks at a line
    rng, X, t = np.random.default_rng(0), cycles(61), np.arange(60.0)
    if spoil == "gaps":
        X[rng.random(X.shape) < 0.5] = np.nan
    else:
        t = t + rng.uniform(0, 0.5, 60)
    with warnings.catch_warnings(action="ignore"):
        assert not NeuralODE((2,), max_iter=1, random_state=0).fit(X, t=t).module_.lined


def test_parameters_that_say_how_to_learn_are_heard(monkeypatch):
    monkeypatch.setattr(_noisy_records, "line_of", None)  # nobody looks at a line
    for own in ({"window": 5}, {"learn_x0": False}, {"pretrain": None}):
        model = NeuralODE((2,), max_iter=1, random_state=0, **own)
        with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
            assert not model.fit(cycles(30)).module_.lined
