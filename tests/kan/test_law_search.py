"""Laws of a table, without a network."""

import _thread

import numpy as np
import pytest

from skdyn._time_limit import interrupts_end_time, time_limit
from skdyn.kan._law_search import LawSearch
from skdyn.kan._library import make_library

LAWS = {
    "a quotient": (lambda a, b: a / (1 + b**2), ["x", "x^2", "1/x"]),
    "a root of squares": (lambda a, b: np.sqrt(a**2 + b**2), ["x", "x^2", "sqrt"]),
    "a function of a product": (lambda a, b: np.exp(-1.5 * a * b), ["x", "exp"]),
}


def search(f, library, **options):
    X = np.random.default_rng(0).uniform(0.5, 2, (60, 2))
    return LawSearch(X, f(*X.T), make_library(library), **options)


@pytest.mark.parametrize("name", LAWS)
def test_a_law_is_found_exactly(name):
    found = search(*LAWS[name]).run()
    assert found[0].error < 1e-20
    assert found[0].complexity < 16


def test_only_the_columns_that_are_named_come_in():
    looking = search(lambda a, b: a * b, ["x", "x^2"], columns=[1])
    assert all(
        set(term.free_symbols) <= {looking.symbols[1]}
        for each in looking.run() for term in each.node
    )  # fmt: skip


def test_without_time_nothing_is_found_and_nothing_fails():
    with time_limit(0):
        assert search(*LAWS["a quotient"]).run() == []


def test_an_interrupt_leaves_what_was_found_by_then():
    told = []

    def stop(text):
        told.append(text)
        _thread.interrupt_main()

    with interrupts_end_time():
        found = search(lambda a, b: np.sin(3 * a * b) + a / b, ["x", "sin"], tell=stop).run()
    assert found
    assert len(told) == 1
