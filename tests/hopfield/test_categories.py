import numpy as np
import pandas as pd
import pytest

from skdyn.hopfield._categories import (
    Coding,
    categories_of,
    codes_of,
    numbers_of,
)

FRAME = pd.DataFrame({
    "size": [1.5, 2.0, np.nan],
    "kind": pd.Categorical(["b", None, "a"]),
    "text": ["x", "y", None],
    "grade": pd.array([3, None, 1], dtype="Int64"),
})  # fmt: skip


def test_codes_are_places_among_the_categories_and_unseen_ones_are_no_gaps():
    categories = categories_of(FRAME, 1, np.nan)
    assert categories.tolist() == ["a", "b"]
    codes, gaps = codes_of(pd.DataFrame({"z": 0, "k": ["a", "c", None]}), 1, categories, np.nan)
    assert codes[0] == 0
    assert np.isnan(codes[1:]).all()
    assert gaps.tolist() == [False, False, True]
    assert categories_of(FRAME, 3, np.nan).tolist() == [1, 3]
    codes, gaps = codes_of(np.array([[5.0], [-1.0]]), 0, np.array([5, 7]), missing_values=-1)
    assert codes[0] == 0
    assert gaps.tolist() == [False, True]


def test_categories_of_several_kinds_and_text_among_numbers_are_refused_with_advice():
    mixed = pd.DataFrame({"m": ["a", 1, 2]})
    with pytest.raises(ValueError, match=r"astype\(str\)"):
        categories_of(mixed, 0, np.nan)
    with pytest.raises(ValueError, match="column 0 of X holds 'a', which is no number"):
        numbers_of(mixed, 0)
    np.testing.assert_array_equal(numbers_of(FRAME, 3), [3, np.nan, 1])


def test_codes_become_zeros_and_ones_and_votes_become_codes():
    coding = Coding([None, np.array(["a", "b", "c"]), None])
    table = np.array([[1.0, 2.0, 5.0], [3.0, np.nan, 6.0]])
    coded, gaps = coding.expand(table, np.isnan(table))
    assert coded[0].tolist() == [1, 0, 0, 1, 5]
    assert gaps[1].tolist() == [False, True, True, True, False]
    votes = np.array([[1.0, 0.2, 0.5, 0.3, 5.0]])
    assert coding.collapse(votes).tolist() == [[1, 1, 5]]
    whole = Coding([None, None])
    assert whole.expand(table, table > 0)[0] is table
