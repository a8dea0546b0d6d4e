"""Formulas as torch's operations: what sympy computes, with constants to be fitted."""

import numpy as np
import pytest
import sympy
import torch

from skdyn.kan._program import Program

A, B = sympy.symbols("a b", real=True)
FORMS = [
    "a**2.5/sqrt(b) + 3", "exp(-a*b)*sin(a + 0.5)", "Max(a, b)**3 - Abs(a - b)", "a**b + b**-1.5",
    "log(a + exp(b))/(1 + a**2)", "pi*a + sqrt(2)*b",
]  # fmt: skip


@pytest.mark.parametrize("text", FORMS)
def test_values_are_those_of_sympy(text):
    form = sympy.sympify(text, locals={"a": A, "b": B})
    points = np.array([[0.5, 1.5, 2.0], [1.2, 0.7, 2.0]])
    program = Program(form, [A, B])
    columns = [torch.tensor(row) for row in points]
    values = program([*columns, *torch.tensor(program.start, dtype=torch.float64)])
    wanted = [float(form.subs({A: a, B: b})) for a, b in points.T]
    np.testing.assert_allclose(values, wanted, rtol=1e-14)
    np.testing.assert_allclose(Program(form, [A, B], floats=False)(columns), wanted, rtol=1e-14)


def test_other_constants_take_the_places_of_those_before():
    form = sympy.Float(2.5) * A + sympy.exp(sympy.Float(0.5) * B)
    program = Program(form, [A, B])
    now = {2.5: sympy.Integer(7), 0.5: sympy.Integer(3)}
    assert program.expression([now[c] for c in program.start]) == 7 * A + sympy.exp(3 * B)


def test_a_part_that_comes_twice_shares_its_constants():
    part = sympy.sin(sympy.Float(1.5) * A)
    assert Program(part + sympy.exp(part), [A]).start == [1.5]
