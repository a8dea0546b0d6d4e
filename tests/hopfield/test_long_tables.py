import numpy as np
import pandas as pd
import pytest

from skdyn.hopfield import bags_from_table
from skdyn.hopfield._long_tables import bags_and_targets, bags_of

TABLE = pd.DataFrame({"bag": list("bab"), "x": [1.0, 2.0, 3.0], "z": [4.0, 5.0, 6.0]})
ROWS, GROUPS = TABLE[["x", "z"]], TABLE["bag"]
EXPECTED = [[[2.0, 5.0]], [[1.0, 4.0], [3.0, 6.0]]]


@pytest.mark.parametrize(
    ("X", "groups"),
    [
        (TABLE, "bag"),
        (ROWS, GROUPS),
        (ROWS.to_numpy(), list("bab")),
        (ROWS.values.tolist(), [7, 3, 7]),
    ],
)
def test_bags_are_in_the_order_of_their_sorted_names(X, groups):
    bags, names = bags_from_table(X, groups)
    assert [np.asarray(bag).tolist() for bag in bags] == EXPECTED
    assert names.tolist() == sorted(set(TABLE["bag"] if isinstance(groups, str) else groups))
    assert [np.asarray(bag).tolist() for bag in bags_of(X, groups)] == EXPECTED


def test_names_of_features_stay():
    assert list(bags_from_table(TABLE, "bag").bags[0].columns) == ["x", "z"]


@pytest.mark.parametrize("y", [[0, 1], [1, 0, 1], np.array([[1, 5], [0, 4], [1, 5]])])
def test_there_may_be_a_target_a_bag_or_a_row(y):
    _, targets = bags_and_targets(TABLE, y, "bag")
    expected = [[0, 4], [1, 5]] if np.ndim(y) == 2 else [0, 1]
    np.testing.assert_array_equal(targets, expected)


def test_what_has_no_groups_stays_as_it_is():
    assert bags_and_targets("X", "y", None) == ("X", "y")


@pytest.mark.parametrize(
    ("X", "groups", "y", "message"),
    [
        (TABLE, "slide", [0, 1], "groups='slide' names no column of X"),
        (ROWS.to_numpy(), "bag", [0, 1], "names no column of X"),
        (ROWS, ["a", "b"], [0, 1], r"shape \(2,\) for X of shape \(3, 2\)"),
        (ROWS, ["a", None, "b"], [0, 1], "row 1 has none"),
        (TABLE, "bag", [1, 0, 0], "row 2, of the bag 'b'"),
    ],
)
def test_what_does_not_fit_is_named(X, groups, y, message):
    with pytest.raises(ValueError, match=message):
        bags_and_targets(X, y, groups)
