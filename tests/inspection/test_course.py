import numpy as np
import pytest

from skdyn.inspection._course import follow_case, times_of_case


class Growth:
    """Stands for a fitted model of x' = x."""

    def simulate(self, x0, t):
        """Return (n_times, n_states)."""
        return np.exp(t - t[0])[:, None] * x0


def test_times_are_counted_shared_or_each_case_s_own():
    np.testing.assert_array_equal(times_of_case(None, 3, 4), [0, 1, 2, 3])
    np.testing.assert_array_equal(times_of_case([1, 2, 4], 3, 3), [1, 2, 4])
    np.testing.assert_array_equal(times_of_case(np.array([[1, 2], [5, 6]]), 1, 2), [5, 6])
    np.testing.assert_array_equal(times_of_case([[1, 2, 3], [5, 6]], 1, 2), [5, 6])


def test_the_course_starts_at_the_first_complete_state():
    observed = np.array([[1.0, 2.0, 4.0], [np.nan, 3.0, 6.0]])
    t, course = follow_case(Growth(), observed, np.array([0.0, 1.0, 3.0]), case=0)
    assert (t[0], t[-1]) == (1.0, 3.0)
    np.testing.assert_allclose(course[:, -1], np.exp(2) * observed[:, 1])
    assert follow_case(Growth(), observed, np.arange(3.0), case=0, horizon=9.0)[0][-1] == 9.0


def test_without_a_complete_state_the_case_is_named():
    with pytest.raises(ValueError, match="Case 7 has no time point"):
        follow_case(Growth(), np.array([[1.0, np.nan], [np.nan, 1.0]]), np.arange(2.0), case=7)
