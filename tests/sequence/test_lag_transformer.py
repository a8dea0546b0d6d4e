"""Values at equal steps of time."""

import numpy as np

from skdyn import LagTransformer


def test_on_an_even_grid_it_turns_the_series_around():
    X = np.random.default_rng(0).normal(size=(4, 2, 6))
    model = LagTransformer(6).fit(X)
    np.testing.assert_allclose(model.transform(X), X[:, :, ::-1].reshape(4, 12))
    assert model.get_feature_names_out()[5:7].tolist() == ["x0_lag5", "x1_lag0"]
    np.testing.assert_allclose(model.lags_, np.arange(6))


def test_lines_are_read_at_any_time_and_held_before_they_begin():
    t = [np.array([3.0, 3.5, 7.0]), np.array([0.0, 6.0])]
    X = [2 * times[None] - 1 for times in t]
    found = LagTransformer(4, step=1.75).fit_transform(X, t=t)
    np.testing.assert_allclose(found[0], 2 * np.array([7.0, 5.25, 3.5, 3.0]) - 1)
    np.testing.assert_allclose(found[1], 2 * np.array([6.0, 4.25, 2.5, 0.75]) - 1)


def test_one_lag_is_the_last_value_that_was_seen():
    X = np.array([[1.0, 2.0, np.nan], [4.0, np.nan, 5.0]])
    np.testing.assert_array_equal(LagTransformer(1).fit_transform(X).ravel(), [2.0, 5.0])
