"""Corrections one after the other: when they end, and what they seem to gain but do not."""

import numpy as np
import pytest

from skdyn.operators._corrections import apparent_share, learn_corrections, mean_square
from skdyn.operators._local_correction import Learning

HOW = Learning(radius=1, n_features=40, periodic=True)


def learn(X, y, fields, n_most=3):
    return learn_corrections(X, y, fields, np.ones(len(X)), HOW, n_most, np.random.RandomState(0))


def share(X, y, fields, corrected, fields_without):
    return apparent_share(
        X, y, fields, corrected, np.ones(len(X)), fields_without, HOW, 3, np.random.RandomState(0)
    )


def test_corrections_end_where_one_does_not_help():
    rng = np.random.default_rng(0)
    X, fields, noise = rng.standard_normal((3, 24, 1, 16))
    error = 0.5 * np.sin(X)
    found, corrected = learn(X, fields + error, fields)
    assert found
    assert np.square(fields + error - corrected).mean() < 0.3 * np.square(error).mean()
    found, corrected = learn(X, fields + noise, fields)
    assert found == []
    np.testing.assert_array_equal(corrected, fields)


def test_there_are_no_more_corrections_than_asked_for():
    X, fields = np.random.default_rng(0).standard_normal((2, 24, 1, 16))
    y = fields + np.sin(np.roll(X, 3, axis=-1) + np.roll(X, 1, axis=-1))
    assert [len(learn(X, y, fields, n_most=n)[0]) for n in (0, 1)] == [0, 1]


def test_what_predictions_tell_of_the_sample_they_were_made_without_is_no_gain():
    n = 60
    X, noise = np.random.default_rng(0).standard_normal((2, n, 1, 4))
    y = noise.mean(axis=-1, keepdims=True) + np.zeros(4)  # constants, of which X knows nothing

    def means(y):  # of the others: whoever knows their sum reads off the one that is missing
        return (y.sum(axis=0) - y) / (len(y) - 1)

    _, corrected = learn(X, y, means(y))
    apparent = np.square(y - corrected).mean()
    assert apparent < 0.2 * y.var()
    found = share(X, y, means(y), corrected, lambda held: means(y[~held])) * apparent
    assert found > 0.7 * y.var()


@pytest.mark.parametrize(("n", "calls", "n_held"), [(8, 4, 1), (60, 4, 6), (150, 3, 15)])
def test_few_samples_are_taken_out_of_everything(n, calls, n_held):
    X, fields = np.random.default_rng(0).standard_normal((2, n, 1, 4))
    asked = []

    def fields_without(held):
        asked.append(held)
        return fields[~held]

    share(X, fields + X, fields, fields, fields_without)
    assert [held.sum() for held in asked] == [n_held] * calls
    assert np.sum(asked, axis=0).max() == 1


def test_mean_squares_are_weighted():
    errors = np.array([[[1.0, 2.0]], [[3.0, 0.0]]])
    np.testing.assert_allclose(mean_square(errors, np.array([3.0, 1.0])), [3.0, 3.0])
