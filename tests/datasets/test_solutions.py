"""Times, and solutions kept on disk."""

import numpy as np
import pytest

from skdyn.datasets import make_darcy
from skdyn.datasets._solutions import check_times, kept


def test_one_time_is_a_list_of_one():
    assert check_times(2).tolist() == [2.0]
    assert check_times((1, 2.5)).tolist() == [1.0, 2.5]


@pytest.mark.parametrize("times", [0, -1.0, [1, 1], [2, 1], [], [[1.0]], np.nan, np.inf, "now"])
def test_other_times_are_refused(times):
    with pytest.raises(ValueError, match="times must be a positive number, or finite"):
        check_times(times)


def test_a_kept_solution_is_not_computed_again(tmp_path):
    options = {"n_samples": 2, "n_points": 5, "cache": tmp_path, "random_state": 0}
    first = make_darcy(**options)
    files = sorted(tmp_path.rglob("output.pkl"))
    assert len(files) == 1
    again = make_darcy(**options)
    np.testing.assert_array_equal(first[1], again[1])
    assert sorted(tmp_path.rglob("output.pkl")) == files
    other = make_darcy(**options | {"forcing": 2.0})
    np.testing.assert_allclose(other[1], 2 * first[1])
    assert len(list(tmp_path.rglob("output.pkl"))) == 2


def test_without_a_folder_the_solver_is_called_as_it_is():
    assert kept(print, None, None) is print


def test_only_a_seed_can_be_kept(tmp_path):
    with pytest.raises(ValueError, match="random_state must be an int; got None"):
        make_darcy(cache=tmp_path)
