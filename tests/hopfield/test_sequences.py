import numpy as np

from skdyn.hopfield._sequences import ends_of, overlapping, rows_of_windows, windows_at


def test_windows_end_where_enough_follows_in_their_own_sequence():
    np.testing.assert_array_equal(ends_of([5, 2, 4], 2, 1), [1, 2, 3, 8, 9])
    np.testing.assert_array_equal(ends_of([5, 2, 4], 2, 2), [1, 2, 8])
    states = np.arange(11.0)[:, None]
    np.testing.assert_array_equal(windows_at(states, np.array([3]), 3)[0, :, 0], [1, 2, 3])
    np.testing.assert_array_equal(rows_of_windows(states, np.array([3, 4]), 2), [[2, 3], [3, 4]])


def test_windows_that_share_a_state_with_the_answer_are_left_out():
    lengths, window, n_after = [30, 20], 3, 4
    ends = ends_of(lengths, window, n_after)
    asked = np.arange(len(ends))
    found = overlapping(ends, lengths, asked, window, n_after)
    for i, end in enumerate(ends):
        answer = set(range(end + 1, end + n_after + 1))
        first = 0 if end < 30 else 30
        expected = [
            k for k, other in enumerate(ends)
            if (other < 30) == (first == 0)
            and answer & set(range(other - window + 1, other + n_after + 1))
        ]  # fmt: skip
        assert sorted(set(found[i].tolist())) == expected
