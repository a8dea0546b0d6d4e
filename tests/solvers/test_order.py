"""Order conditions of Runge-Kutta methods."""

import numpy as np
import pytest

from skdyn.solvers._order import order_conditions, order_residual, rooted_trees


def test_rooted_trees_are_as_many_as_cayley_counted():
    assert [len(rooted_trees(n)) for n in range(1, 9)] == [1, 1, 2, 4, 9, 20, 48, 115]


def test_the_first_conditions_are_those_of_the_textbook():
    matrix = np.array([[0.0, 0.0], [0.5, 0.0]])
    rows, targets, sizes = order_conditions(matrix, 2)
    assert np.allclose(rows, [[1, 1], [0, 0.5]])
    assert np.allclose(targets, [1, 1 / 2])
    assert list(sizes) == [1, 2]


@pytest.mark.parametrize(("order", "holds"), [(2, True), (3, False)])
def test_the_midpoint_rule_has_order_two_and_no_more(order, holds):
    matrix = np.array([[0.0, 0.0], [0.5, 0.0]])
    residual = order_residual(matrix, np.array([0.0, 1.0]), order)
    assert (residual < 1e-14) == holds
