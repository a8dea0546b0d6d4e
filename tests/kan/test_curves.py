"""Names of functions of one column, alone and in pairs."""

import numpy as np
import pytest
import sympy

from skdyn.kan._curves import as_node, complexity, curves
from skdyn.kan._formula import expression_of
from skdyn.kan._library import make_library

U = sympy.Dummy("u", real=True)
x = np.linspace(0.2, 3, 60)


def named(z, names, **options):
    found = curves({U: 1.0}, x, z, make_library(names), **options)
    return min(found, key=lambda each: each.error)


def test_one_function_is_found_with_and_without_its_offset():
    found = curves({U: 1.0}, x, 2 * np.exp(-x), make_library(["exp", "x"]), pairs=False)
    assert found[0].error < 1e-12
    assert len({str(expression_of(curve.node)).count("+") for curve in found[:2]}) == 2


@pytest.mark.parametrize(
    ("z", "names"),
    [(x**2 * np.exp(-1.3 * x), ["x", "x^2", "exp"]), (1 / (x + 0.7 * x**3), ["x", "x^3", "1/x"]),
     (x * np.sin(2.2 * x), ["x", "x^2", "sin"])],
    ids=["product", "inverse of a sum", "damped wave"],
)  # fmt: skip
def test_two_functions_are_found_together(z, names):
    assert named(z, names).error < 1e-12
    assert named(z, names, pairs=False).error > 1e-6


def test_a_constant_is_named_by_one_number():
    (found,) = curves({U: 1.0}, x, 0 * x + 3, make_library(["0"]))
    assert abs(expression_of(found.node) - 3) < 1e-12


def test_complexity_counts_parts():
    forms = [U, U**2, 2 * U**2, 2 * U**2 + 3]
    assert [complexity(form) for form in forms] == sorted(map(complexity, forms))
    assert complexity(U) == 1


def test_a_formula_is_taken_apart_into_terms():
    assert as_node(2.5 * U**2 - U + 1) == {U**2: 2.5, U: -1.0, sympy.S.One: 1.0}
