import warnings

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from skdyn import _scales
from skdyn._scales import learn_column_scales, standardized, units

X = np.random.default_rng(0).normal(3.0, 2.0, (50, 3))
TINY = np.array([1e-200, 1.0, 1e250])


def test_ordinary_columns_have_scikit_learns_scales_bit_for_bit():
    scales, scaler = learn_column_scales(X, None), StandardScaler().fit(X)
    np.testing.assert_array_equal(scales.mean, scaler.mean_)
    np.testing.assert_array_equal(scales.scale, scaler.scale_)


def test_scales_follow_the_unit_to_the_ends_of_float64():
    plain = learn_column_scales(X, np.ones(50))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scales = learn_column_scales(X * TINY, np.ones(50))
        Z = standardized(X * TINY, scales.mean, scales.scale)
    np.testing.assert_allclose(scales.mean, plain.mean * TINY)
    np.testing.assert_allclose(scales.scale, plain.scale * TINY)
    np.testing.assert_allclose(Z, standardized(X, plain.mean, plain.scale), atol=1e-12)


def test_float32_has_ends_of_its_own():
    rows = (X * 1e30).astype(np.float32)
    scales = learn_column_scales(rows, None)
    np.testing.assert_allclose(scales.scale, X.std(axis=0) * 1e30, rtol=1e-5)
    Z = standardized(rows, scales.mean, scales.scale)
    assert Z.dtype == np.float32
    np.testing.assert_allclose(Z.std(axis=0), 1.0, rtol=1e-5)


def test_a_query_in_single_precision_of_columns_that_it_cannot_hold_is_answered():
    scales = learn_column_scales(X * 1e-200, None)
    Z = standardized(np.zeros((1, 3), np.float32), scales.mean, scales.scale)
    np.testing.assert_allclose(Z, [-X.mean(axis=0) / X.std(axis=0)], rtol=1e-5)


def test_a_constant_column_keeps_scale_one_in_any_unit():
    scales = learn_column_scales(np.full((5, 2), [1e-200, 7.0]), None)
    np.testing.assert_array_equal(scales.scale, 1.0)
    np.testing.assert_array_equal(scales.varies, False)


def test_a_query_too_far_away_for_an_answer_is_refused():
    with pytest.raises(ValueError, match=r"standard deviations from the data of fit.*units"):
        standardized(np.ones((1, 1)), np.zeros(1), np.full(1, 1e-200))


def test_units_are_powers_of_two_of_axis_one_blind_to_nan():
    fields = np.ones((2, 3, 4)) * [[1e-200], [2.0], [0.0]]
    fields[0, 1] = np.nan
    unit = units(fields)
    np.testing.assert_array_equal(np.frexp(unit)[0], 0.5)
    assert 1 <= unit[0] / 1e-200 <= 2
    np.testing.assert_array_equal(unit[1:], 1.0)


@pytest.mark.parametrize("weighted", [False, True])
def test_scales_learned_block_by_block_are_those_of_all_rows(monkeypatch, weighted):
    columns = np.random.default_rng(0).normal(1e3, [1.0, 1e-3, 1e5], size=(101, 3))
    weight = np.r_[np.zeros(40), np.arange(1.0, 62.0)] if weighted else None
    wanted = learn_column_scales(columns, weight)
    monkeypatch.setattr(_scales, "_NUMBERS", 30)
    for found, whole in zip(learn_column_scales(columns, weight), wanted, strict=True):
        np.testing.assert_allclose(found, whole, rtol=1e-10)
