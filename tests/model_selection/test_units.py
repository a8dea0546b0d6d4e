import numpy as np
import pytest

from skdyn.model_selection._units import units_of, whole_number


def test_units_are_numbered_as_they_appear():
    unit, one_trajectory = units_of(np.zeros((5, 2)), list("baabc"))
    np.testing.assert_array_equal(unit, [0, 1, 1, 0, 2])
    assert not one_trajectory


def test_rows_with_one_id_are_one_trajectory_but_cases_with_one_belong_together():
    assert units_of(np.zeros((4, 2)), list("aaaa"))[1]
    unit, one_trajectory = units_of(np.zeros((4, 2, 3)), list("aaaa"))
    assert not unit.any()
    assert not one_trajectory


@pytest.mark.parametrize("value", [True, 1.0, "2", None])
def test_what_is_no_whole_number_is_shown(value):
    with pytest.raises(ValueError, match=r"gap must be an int of at least 0; got"):
        whole_number("gap", value, 0)
