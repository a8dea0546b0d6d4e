import warnings

import numpy as np
import pandas as pd
import pytest

import skdyn
from skdyn import HopfieldForecaster
from skdyn.inspection import CasesDisplay

WAVE = np.column_stack([np.sin(np.arange(60) / 4), np.cos(np.arange(60) / 4)])
PERIOD = np.random.default_rng(0).normal(size=(9, 2))


def quick(**parameters):
    return HopfieldForecaster(4, **{"horizon": 3} | parameters)


def test_what_is_periodic_is_forecast_exactly_for_ever():
    series = np.tile(PERIOD, (6, 1))
    model = HopfieldForecaster(horizon=4).fit(series[:50])
    expected = series[(50 + np.arange(30)) % 9]
    np.testing.assert_allclose(model.predict(n_steps=30), expected, atol=1e-6)
    assert model.score(series) > 1 - 1e-9


def test_large_beta_is_the_nearest_analogue():
    rng = np.random.default_rng(0)
    series, asked = rng.normal(size=(40, 2)), rng.normal(size=(3, 2))
    with pytest.warns(UserWarning, match="past windows tell next to nothing"):
        model = HopfieldForecaster(3, 2, level="none", linear=False, beta=1e9).fit(series)
    windows = np.stack([series[end - 3 : end] for end in range(3, 39)])
    away = np.square((windows - asked) / series.std(axis=0)).sum(axis=(1, 2))
    best = int(away.argmin())
    np.testing.assert_allclose(model.predict(asked), series[best + 3 : best + 5])
    assert model.explain(asked)["case"].iloc[0] == best + 2


def test_small_beta_is_the_mean_of_what_followed():
    with pytest.warns(UserWarning, match="past windows tell next to nothing"):
        model = HopfieldForecaster(1, level="none", linear=False, beta=1e-12).fit(WAVE)
    np.testing.assert_allclose(model.predict(), WAVE[1:].mean(axis=0)[None])


def test_a_linear_law_is_found_and_goes_on():
    rng = np.random.default_rng(0)
    noise, series = rng.normal(size=300), np.zeros(300)
    for i in range(2, 300):
        series[i] = 1.6 * series[i - 1] - 0.8 * series[i - 2] + noise[i]
    model = HopfieldForecaster(4).fit(series[:200, None])
    assert model.linear_
    errors = [model.predict(series[:i, None])[0, 0] - series[i] for i in range(200, 300)]
    assert np.std(errors) < 1.1 * np.std(noise[200:])  # no model errs less than the noise


def test_a_trend_goes_on_beyond_what_was_seen():
    times = np.arange(80.0)
    series = (times + 3 * np.sin(times))[:, None]
    forecast = HopfieldForecaster(horizon=6).fit(series[:70]).predict(n_steps=10)
    np.testing.assert_allclose(forecast, series[70:], atol=1.0)


def test_forecasts_stay_bounded_however_far_they_go():
    series = np.exp(np.arange(40) / 4)[:, None]  # a linear map would go on to 1e48
    with pytest.warns(UserWarning, match="saying the last state"):
        model = quick(level="none", linear=True).fit(series)
    far = model.predict(n_steps=400)
    assert np.abs(far).max() < 2 * series.max()


def test_recent_history_is_continued_not_the_end_of_fit():
    model = quick().fit(WAVE[:50])
    np.testing.assert_allclose(model.predict(WAVE[:30]), WAVE[30:33], atol=0.02)
    np.testing.assert_array_equal(model.predict(WAVE[:30]), model.predict(WAVE[26:30]))
    np.testing.assert_array_equal(model.predict(), model.predict(WAVE[:50]))


def test_histories_beyond_what_was_seen_are_told_where_nothing_is_taken_off():
    frame = pd.DataFrame(WAVE, columns=["sine", "cosine"])
    high = frame.assign(cosine=frame["cosine"] + 0.5)
    model = HopfieldForecaster(4, level="none").fit(frame)
    with pytest.warns(UserWarning, match=r"outside .* column cosine, by 0.24 of its range"):
        model.predict(high[:30])
    with warnings.catch_warnings(action="error"):
        model.predict(1.01 * frame[:30])
        HopfieldForecaster(4, level="last").fit(frame).predict(high[:30])


def test_several_series_are_continued_each_by_itself():
    cases = [WAVE[:40].T, WAVE[10:60].T]
    model = quick().fit(cases)
    found = model.predict()
    assert found.shape == (2, 2, 3)
    for case, one in zip(cases, found, strict=True):
        np.testing.assert_allclose(model.predict(case.T), one.T)
    frames = [pd.DataFrame(case.T) for case in cases]
    np.testing.assert_array_equal(quick().fit(frames).predict(), found)


@pytest.mark.parametrize("kind", ["frame", "series"])
def test_labels_go_on(kind):
    dates = pd.date_range("2021-01-31", periods=40, freq="ME", name="month")
    series = pd.DataFrame(WAVE[:40], index=dates, columns=["hare", "lynx"])
    series = series if kind == "frame" else series["hare"]
    forecast, std = quick().fit(series).predict(return_std=True)
    assert type(forecast) is type(series) is type(std)
    expected = pd.date_range("2024-05-31", periods=3, freq="ME", name="month")
    pd.testing.assert_index_equal(forecast.index, expected)
    if kind == "frame":
        assert list(forecast.columns) == ["hare", "lynx"]
    model = quick().fit(series)
    later = model.predict(series.set_axis(dates + pd.offsets.MonthEnd(12)).iloc[-4:])
    assert later.index[0] == pd.Timestamp("2025-05-31")


def test_files_keep_all_of_it(tmp_path):
    dates = pd.date_range("2021-01-01", periods=60, freq="D", tz="Europe/Vienna")
    frame = pd.DataFrame(WAVE, index=dates, columns=["a", "b"])
    model = quick().fit(frame)
    skdyn.io.save(model, tmp_path / "model")
    loaded = skdyn.io.load(tmp_path / "model")
    pd.testing.assert_frame_equal(loaded.predict(n_steps=7), model.predict(n_steps=7))
    pd.testing.assert_frame_equal(
        loaded.predict(return_std=True)[1], model.predict(None, 3, return_std=True)[1]
    )
    pd.testing.assert_frame_equal(clone_fit(model, frame).predict(), model.predict())


def clone_fit(model, X):
    return HopfieldForecaster(**model.get_params()).fit(X)


def test_deviations_are_those_of_held_out_errors():
    rng = np.random.default_rng(0)
    series = WAVE[:, :1] + 0.1 * rng.normal(size=(60, 1))
    model = quick().fit(series)
    _, std = model.predict(return_std=True)
    assert std.shape == (3, 1)
    ratio = std / model.errors_
    assert ((ratio > 0.7) & (ratio < 3)).all()
    assert ((model.errors_ > 0.07) & (model.errors_ < 0.3)).all()
    with pytest.raises(ValueError, match="return_std=True knows the errors of 3 steps"):
        model.predict(n_steps=4, return_std=True)


@pytest.mark.parametrize("level", ["none", "last", "mean", "trend"])
def test_explanations_add_up_to_the_forecast(level):
    model = quick(level=level, beta=3.0).fit(WAVE)
    table = model.explain(WAVE[:20], n_cases=4, step=2)
    forecast = model.predict(WAVE[:20])[1]
    np.testing.assert_allclose(table["weight"].sum(), 1)
    np.testing.assert_allclose(table.filter(like="contribution").sum(), forecast)
    cases = table[table["kind"] == "case"]
    np.testing.assert_allclose(
        cases["contribution_1"], cases["weight"] * cases["target_1"].astype(float)
    )
    assert (np.diff(cases["weight"]) <= 0).all()


def test_explanations_name_windows_by_the_index_they_end_at():
    dates = pd.date_range("2021-01-01", periods=60)
    frame = pd.DataFrame(WAVE, index=dates)
    model = quick(level="none", linear=False).fit(frame)
    table = model.explain(frame.iloc[:21], n_cases=1, cases=frame)
    assert table["case"].iloc[0] == dates[20]  # the window itself
    np.testing.assert_allclose(table["target_0"].iloc[0], WAVE[21, 0])
    assert len(CasesDisplay(table).plot().bars_) == 2


def test_what_past_windows_do_not_tell_is_said():
    walk = np.cumsum(np.random.default_rng(1).normal(size=(120, 1)), axis=0)
    with pytest.warns(UserWarning, match="saying the last state one of"):
        quick(level="last", linear=False, beta=1e-9).fit(walk)
    with pytest.warns(UserWarning, match="too few to hold any out"):
        quick().fit(WAVE[:8])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        quick().fit(WAVE)
        quick().fit(np.ones((20, 1)))  # nothing to be better at


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (WAVE[:6], "window=4 and horizon=3 need a series of 7 states; the longest"),
        (WAVE[:1], "n_samples = 1"),
        (np.where(np.arange(60)[:, None] == 7, np.nan, WAVE), "NaN at step 7"),
        (pd.Series(WAVE[:, 0], index=np.arange(60) ** 2.0), "resample"),
        ([pd.DataFrame(WAVE), pd.DataFrame(WAVE[:, ::-1], columns=[1, 0])], "same, in the same"),
    ],
)
def test_what_is_no_series_is_refused(X, message):
    with pytest.raises(ValueError, match=message):
        quick().fit(X)


def test_questions_that_have_no_answer_are_refused():
    model = quick().fit(pd.DataFrame(WAVE, columns=["a", "b"]))
    with pytest.raises(ValueError, match="the last 4 states"):
        model.predict(pd.DataFrame(WAVE[:3], columns=["a", "b"]))
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(pd.DataFrame(WAVE, columns=["b", "a"]))
    with pytest.raises(ValueError, match="contains NaN"):
        model.predict(pd.DataFrame(np.full((9, 2), np.nan), columns=["a", "b"]))
    with pytest.raises(ValueError, match="n_steps must be"):
        model.predict(n_steps=0)
    with pytest.raises(ValueError, match="step must be an integer from 1 to horizon=3"):
        model.explain(step=4)
    with pytest.raises(ValueError, match="window of 4 states and the 3 after it"):
        model.score(pd.DataFrame(WAVE[:6], columns=["a", "b"]))
