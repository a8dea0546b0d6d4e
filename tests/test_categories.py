import numpy as np
import pandas as pd
import pytest

from skdyn._categories import categorical_columns, width_of

FRAME = pd.DataFrame({
    "size": [1.5, 2.0, np.nan],
    "kind": pd.Categorical(["b", None, "a"]),
    "text": ["x", "y", None],
    "grade": pd.array([3, None, 1], dtype="Int64"),
})  # fmt: skip


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("from_dtype", [0, 1, 1, 0]),
        (None, [0, 0, 0, 0]),
        (["kind", "grade"], [0, 1, 0, 1]),
        ([3], [0, 0, 0, 1]),
        ([], [0, 0, 0, 0]),
        ([True, False, False, True], [1, 0, 0, 1]),
    ],
)
def test_columns_of_categories_are_found_by_dtype_name_number_or_mask(given, wanted):
    assert categorical_columns(FRAME, given).tolist() == [bool(w) for w in wanted]


def test_numbers_in_a_column_of_objects_are_numbers():
    frame = pd.DataFrame({"a": [1.0, None], "b": ["x", None]}, dtype=object)
    assert categorical_columns(frame, "from_dtype").tolist() == [False, True]


def test_an_array_has_no_dtypes_but_numbers_of_columns():
    table = np.zeros((2, 3))
    assert not categorical_columns(table, "from_dtype").any()
    assert categorical_columns(table, [1]).tolist() == [False, True, False]


@pytest.mark.parametrize("given", [["color"], [4], [-1], [0.5], [True]])
def test_columns_that_are_not_there_are_refused(given):
    with pytest.raises(ValueError, match="categorical_features"):
        categorical_columns(FRAME, given)


@pytest.mark.parametrize(("X", "width"), [([[1, 2]], 2), ([[1], [1, 2]], None), ([1, 2], None)])
def test_the_width_is_that_of_tables_alone(X, width):
    assert width_of(X) == width
    assert width_of(FRAME) == 4


def test_what_only_becomes_an_array_has_a_width():
    class Wrapped:
        def __array__(self, dtype=None, copy=None):
            return np.zeros((2, 3))

    assert width_of(Wrapped()) == 3
