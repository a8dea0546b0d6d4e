"""Methods as checked data."""

import numpy as np
import pytest

from skdyn.solvers._order import order_conditions, order_residual
from skdyn.solvers._tableaux import TABLEAUX, Tableau

METHODS = list(TABLEAUX.values())
NAMES = list(TABLEAUX)


@pytest.mark.parametrize("method", METHODS, ids=NAMES)
def test_a_method_has_its_order_and_no_more(method):
    assert order_residual(method.matrix, np.array(method.b), method.order) < 1e-13
    if method.order < 8:
        assert order_residual(method.matrix, np.array(method.b), method.order + 1) > 1e-6


@pytest.mark.parametrize("method", [m for m in METHODS if m.adaptive], ids=lambda m: m.name)
def test_the_embedded_solution_has_its_order_and_differs(method):
    embedded = np.array(method.b) - np.array(method.b_error)
    assert order_residual(method.matrix, embedded, method.error_order) < 1e-13
    assert order_residual(method.matrix, embedded, method.error_order + 1) > 1e-6


@pytest.mark.parametrize("method", METHODS, ids=NAMES)
def test_the_last_stage_is_the_derivative_at_the_end_of_the_step(method):
    assert np.allclose(method.matrix[-1], method.b)
    assert method.nodes[-1] == 1


@pytest.mark.parametrize(
    ("name", "order"),
    [("bosh3", 3), ("dopri5", 4), ("tsit5", 4), ("dopri8", 5), ("kvaerno5", 4)],
)
@pytest.mark.parametrize("theta", [0.1, 0.5, 0.9])
def test_dense_output_has_its_order_everywhere(name, order, theta):
    method = TABLEAUX[name]
    rows, targets, sizes = order_conditions(method.matrix, order)
    weights = method.dense @ theta ** np.arange(1, method.dense.shape[1] + 1)
    assert np.allclose(rows @ weights, targets * theta**sizes, atol=1e-12)


@pytest.mark.parametrize("name", ["rk4", "bosh3", "dopri5", "tsit5", "dopri8", "kvaerno5"])
def test_dense_output_joins_smoothly_at_both_ends(name):
    dense = TABLEAUX[name].dense
    n_stages, degree = dense.shape
    assert np.allclose(dense[:, 0], np.eye(n_stages)[0], atol=1e-10)
    assert np.allclose(dense @ np.arange(1, degree + 1), np.eye(n_stages)[-1], atol=1e-10)


def test_a_row_that_misses_its_node_is_refused():
    with pytest.raises(ValueError, match="'typo': a row of a misses its node"):
        Tableau("typo", 2, a=((0.51,),), b=(0.0, 1.0), c=(0.5,))


def test_a_weight_that_breaks_the_order_is_refused():
    with pytest.raises(ValueError, match=r"'typo': a row|'typo': b misses an order condition"):
        Tableau("typo", 3, a=((0.5,),), b=(0.0, 1.0), c=(0.5,))


def test_an_interpolant_that_misses_the_end_is_refused():
    with pytest.raises(ValueError, match="'typo': the dense output misses y1"):
        Tableau("typo", 1, a=((1.0,),), b=(1.0,), c=(1.0,), interpolant=((0.9,), (0.0,)))
