"""Errors near an input."""

import numpy as np

from skdyn.datasets import FieldData
from skdyn.operators._error_scales import learn_near_errors


def test_the_nearest_cases_tell_and_all_count_as_one_of_them():
    X = np.array([[0.0], [0.1], [10.0], [10.1]])
    near = learn_near_errors(X, np.array([1.0, 1.0, 3.0, 3.0]), n_neighbors=2)
    np.testing.assert_allclose(near.widths(np.array([[0.05], [9.0]])) ** 2, [7 / 3, 23 / 3])


def test_no_error_at_all_is_some_width():
    near = learn_near_errors(np.arange(4.0)[:, None], np.zeros((4, 2)), n_neighbors=2)
    assert (near.widths(np.zeros((1, 1))) > 0).all()


def test_clouds_are_compared_by_where_they_are_and_what_they_hold():
    coords = [np.arange(3.0), np.arange(4.0), np.arange(3.0), np.arange(5.0)]
    values = [np.full(len(x), v) for x, v in zip(coords, (0.0, 0.1, 5.0, 5.1), strict=True)]
    X = FieldData.from_lists(coords, values, weights=None)
    errors = np.repeat([1.0, 1.0, 3.0, 3.0], X.sizes)[:, None]
    near = learn_near_errors(X, errors, 2, y=X)
    assert near.squares.tolist() == [1, 1, 9, 9]
    widths = near.widths(X)
    assert widths[0] < widths[2]
