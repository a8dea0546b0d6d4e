"""Shapes of functions of several columns, told without a name for any part."""

import numpy as np
import pytest

from skdyn.kan._shapes import relevant, shapes


def best(y, X, may=lambda name: True):
    return shapes(X, y, may)[0]


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).uniform(0.5, 2, (160, 2))


def test_a_sum_and_a_product_are_told_apart(X):
    a, b = X.T
    assert best(np.sin(a) + b**2, X).kind == "sum"
    shape = best(np.sin(3 * a) * np.exp(b) - 0.1, X)
    assert (shape.kind, shape.link.name) == ("product", "x")


def test_a_root_of_a_sum_is_seen_through(X):
    shape = best(np.sqrt(X[:, 0] ** 2 + np.exp(X[:, 1])), X)
    assert (shape.kind, shape.link.name) == ("sum", "sqrt")


def test_links_that_the_library_lacks_are_not_tried(X):
    y = np.sqrt(X[:, 0] ** 2 + np.exp(X[:, 1]))
    assert {shape.link.name for shape in shapes(X, y, lambda name: name == "exp")} == {"x", "exp"}


def test_two_columns_that_act_as_one_are_merged(X):
    signed = X * np.where(np.arange(len(X)) % 2, 1, -1)[:, None]
    shape = best(np.cos(3 * (signed[:, 0] - 2 * signed[:, 1])), signed)
    merge, ratio, _ = shape.parts
    assert (shape.kind, merge.name, ratio) == ("merge", "line", -0.5)


def test_a_column_that_says_nothing_is_left_out(X):
    wide = np.column_stack([X, np.random.default_rng(1).normal(size=len(X))])
    assert relevant(wide, X[:, 0] * X[:, 1]) == [0, 1]
