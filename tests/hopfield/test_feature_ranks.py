import numpy as np
import pytest

from skdyn.hopfield._feature_ranks import learn_ranks, ranked

RNG = np.random.default_rng(0)
TABLE = np.column_stack([RNG.lognormal(size=50), RNG.integers(0, 3, 50), np.ones(50)])


def test_ranks_of_training_rows_are_the_middles_of_their_shares():
    found = ranked(TABLE, learn_ranks(TABLE, None))
    for column, ranks in zip(TABLE.T, found.T, strict=True):
        below = (column < column[:, None]).mean(axis=1)
        equal = (column == column[:, None]).mean(axis=1)
        np.testing.assert_allclose(ranks, below + equal / 2)


def test_ranks_do_not_depend_on_units_order_or_a_rising_function():
    expected = ranked(TABLE, learn_ranks(TABLE, None))
    bent = np.exp(3 * TABLE)
    np.testing.assert_allclose(ranked(bent, learn_ranks(bent[::-1], None)), expected)


def test_a_weight_is_that_many_copies():
    weight = RNG.integers(1, 4, 50)
    copies = np.repeat(TABLE, weight, axis=0)
    np.testing.assert_allclose(learn_ranks(TABLE, weight), learn_ranks(copies, None))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_new_values_lie_between_and_far_ones_at_the_ends(dtype):
    values = np.linspace(0, 1, 5000)[:, None] ** 3
    knots = learn_ranks(values, None)
    assert knots.shape[1] <= 256
    asked = np.array([[-5.0], [0.125], [7.0]], dtype=dtype)
    found = ranked(asked, knots)
    assert found.dtype == dtype
    np.testing.assert_allclose(found[:, 0], [0, 0.5, 1], atol=0.003)


def test_without_knots_nothing_is_done():
    assert ranked(TABLE, np.empty((2, 0, 3))) is TABLE
