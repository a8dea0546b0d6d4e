"""Series as rows: read, scaled and answered."""

import numpy as np
import pytest
import torch

from skdyn import NeuralCDEClassifier, SSMClassifier, SSMRegressor
from skdyn import _series_rows as rows_of_series
from skdyn._series_rows import TimedSeries, validate

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(9, 2, 6)), np.arange(9) % 3
SMALL = {"n_layers": 1, "hidden_channels": 4, "state_size": 4, "max_iter": 1, "random_state": 0}


def test_rows_are_selected_with_their_times():
    rows, y = validate(SSMClassifier(), TimedSeries(X, np.arange(6.0) ** 2), Y, True)
    some = rows[np.array([2, 5])]
    assert (len(some), some.shape) == (2, (2, 2))
    np.testing.assert_array_equal(some.series.times, [np.arange(6.0) ** 2] * 2)
    assert y.tolist() == Y.tolist()


def test_callbacks_are_told_of_times_and_weights():
    told = rows_of_series.told(TimedSeries(X, None), Y, None)
    assert told["metadata"] is None
    told = rows_of_series.told(TimedSeries(X, [1, 2]), Y, [3])
    assert told["metadata"] == {"t": [1, 2], "sample_weight": [3]}
    assert told["X"] is X


def test_units_of_channels_do_not_matter():
    model = SSMClassifier(dtype="float64", **SMALL)
    other = X * np.array([1e6, 1e-4])[:, None] + np.array([3e6, 0.1])[:, None]
    one, two = model.fit(X, Y).predict_proba(X), model.fit(other, Y).predict_proba(other)
    np.testing.assert_allclose(one, two, rtol=1e-6)


def test_a_far_value_is_named_by_its_case_and_changes_little():
    spoilt = np.tile(X, (3, 1, 1))
    spoilt[4, 1, 3] = 1e7
    with pytest.warns(UserWarning, match=r"X holds values far .*\(case 4 channel 1 point 3\)"):
        fitted = SSMClassifier(**SMALL).fit(spoilt, np.tile(Y, 3))
    assert fitted._x_scale.max() < 10


def test_answers_do_not_depend_on_blocks(monkeypatch):
    fitted = SSMRegressor(**SMALL).fit(X, Y)
    whole = fitted.predict(X)
    monkeypatch.setattr(rows_of_series, "_PREDICTION_POINTS", 13)
    sizes = []
    fitted.module_.register_forward_hook(lambda module, given, out: sizes.append(len(out)))
    monkeypatch.setattr(fitted, "_module_for", lambda dtype: fitted.module_)
    blocks = fitted.predict(X)
    assert sizes == [2, 2, 2, 2, 1]
    np.testing.assert_allclose(blocks, whole, rtol=1e-4, atol=1e-5)


def test_weights_of_zero_are_series_that_are_not_there():
    weight = np.r_[np.ones(6), np.zeros(3)]
    spoilt = X.copy()
    spoilt[6:] *= 50
    model = SSMRegressor(dtype="float64", **SMALL)
    weighted = model.fit(spoilt, Y, sample_weight=weight).predict(X)
    np.testing.assert_allclose(weighted, model.fit(X[:6], Y[:6]).predict(X), rtol=1e-6)


def test_nothing_is_left_out_by_chance_where_the_optimizer_needs_one_function():
    model = SSMRegressor(dropout=0.5, point_dropout=0.5, optimizer="lbfgs", batch_size="auto",
                         dtype="float64", **SMALL)  # fmt: skip
    fitted = model.fit(X, Y)
    plain = model.set_params(dropout=0.0, point_dropout=0.0).fit(X, Y)
    for one, two in zip(fitted.module_.parameters(), plain.module_.parameters(), strict=True):
        assert torch.equal(one, two)


def test_series_of_single_points_teach_nothing():
    lonely = np.full((4, 2, 3), np.nan)
    lonely[:, :, 1] = 1.0
    with pytest.raises(ValueError, match="single point at which anything was seen"):
        SSMClassifier(**SMALL).fit(lonely, [0, 1, 0, 1])


@pytest.mark.parametrize("kind", [SSMClassifier, NeuralCDEClassifier])
def test_answers_come_in_the_order_of_the_cases_whatever_their_lengths(kind, monkeypatch):
    cases = [RNG.normal(size=(2, n)) for n in (9, 3, 6, 2, 8, 4, 9, 5, 2)]
    options = {"hidden_channels": 4, "max_iter": 1, "random_state": 0}
    model = kind(dtype="float64", **options).fit(cases, Y)
    one_by_one = np.concatenate([model.predict_proba([case]) for case in cases])
    monkeypatch.setattr(rows_of_series, "_PREDICTION_POINTS", 27)  # three cases at once
    np.testing.assert_allclose(model.predict_proba(cases), one_by_one, rtol=1e-9)
