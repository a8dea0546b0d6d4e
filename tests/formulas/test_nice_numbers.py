"""Numbers with a name around a measured value."""

import numpy as np
import pytest
import sympy

from skdyn.formulas import nice_numbers

NAMED = [
    "0",
    "1",
    "-3",
    "2/3",
    "-7/12",
    "pi",
    "3*pi/4",
    "1/(2*pi)",
    "sqrt(2)/2",
    "1/sqrt(2*pi)",
    "E",
]


@pytest.mark.parametrize("text", NAMED)
def test_a_number_known_well_is_called_by_its_name(text):
    value = float(sympy.sympify(text))
    exact, chance = nice_numbers(value + 3e-8, 1e-7)[0]
    assert exact == sympy.sympify(text)
    assert chance < 0.01


def test_numbers_come_within_the_tolerance_the_least_likely_by_chance_first():
    found = nice_numbers(3.1, 0.2)
    assert found[0][0] == 3
    assert all(abs(float(exact) - 3.1) <= 0.2 for exact, _ in found)
    assert [chance for _, chance in found] == sorted(chance for _, chance in found)


def test_the_chance_is_how_often_a_random_number_is_as_near_to_a_fraction_as_simple():
    tolerance, values = 1e-3, np.random.default_rng(0).uniform(1, 9, 300)
    chances = [nice_numbers(value, tolerance) for value in values]
    surprising = np.mean([bool(found) and found[0][1] < 0.05 for found in chances])
    assert 0.01 < surprising < 0.15  # fractions and factors are two ways of being simple


def test_a_number_far_from_all_that_is_simple_has_no_name():
    assert nice_numbers(0.123456789, 1e-9) == []
