import warnings

import numpy as np
import pytest
from sklearn.model_selection import train_test_split

from skdyn._holdout import hold_out_rows


def test_where_rows_suffice_it_is_scikit_learns_split_without_a_warning():
    labels = np.repeat([0, 1, 2], [40, 30, 10])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parts = hold_out_rows(80, 0.1, 3, labels)
        plain = hold_out_rows(80, 0.1, 3)
    expected = train_test_split(np.arange(80), test_size=0.1, random_state=3, stratify=labels)
    for mine, theirs in zip(parts, expected, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    for mine, theirs in zip(plain, train_test_split(np.arange(80), test_size=0.1, random_state=3)):
        np.testing.assert_array_equal(mine, theirs)


def test_a_class_of_one_row_is_learnt_from():
    labels = np.r_[np.zeros(30), np.ones(29), 2]
    with pytest.warns(UserWarning, match="1 classes have one row each.*validation_fraction"):
        learnt, held_out = hold_out_rows(60, 0.1, 0, labels)
    assert 59 in learnt
    assert sorted([*learnt, *held_out]) == list(range(60))
    assert set(labels[held_out]) == {0, 1}


def test_more_is_held_out_so_that_every_class_is_watched():
    labels = np.arange(18) % 3
    with pytest.warns(UserWarning, match="3 rows are held out instead of 2"):
        learnt, held_out = hold_out_rows(18, 0.1, 0, labels)
    assert sorted(labels[held_out]) == [0, 1, 2]
    assert len(learnt) == 15


def test_where_no_split_holds_every_class_one_that_does_not_is_taken():
    labels = np.array([0, 0, 1, 1, 2, 2, 3, 3])
    with pytest.warns(UserWarning, match="either part may lack classes"):
        learnt, held_out = hold_out_rows(8, 0.8, 0, labels)
    assert sorted([*learnt, *held_out]) == list(range(8))
    assert len(held_out) == 7


@pytest.mark.parametrize("labels", [None, np.array([4])])
def test_of_one_row_nothing_is_held_out(labels):
    with pytest.warns(UserWarning, match="early_stopping=False"):
        learnt, held_out = hold_out_rows(1, 0.1, 0, labels)
    assert learnt.tolist() == [0]
    assert held_out.tolist() == []


def test_something_is_left_to_learn_from():
    with pytest.warns(UserWarning, match="1 rows are held out instead of 2"):
        learnt, held_out = hold_out_rows(2, 0.9, 0)
    assert len(learnt) == len(held_out) == 1
