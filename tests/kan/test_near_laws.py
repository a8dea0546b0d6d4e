"""Formulas one function away: found where noise hides them, and weighed by how tuned they are."""

import numpy as np
import sympy

from skdyn.kan._laws import judged
from skdyn.kan._library import make_library
from skdyn.kan._near_laws import near_laws, plainly_written, tuning

A, B = columns = [sympy.Dummy("a", real=True), sympy.Dummy("b", real=True)]
LIBRARY = make_library(["x", "x^2", "sin"])
rng = np.random.default_rng(0)
X = rng.uniform(-1, 1, (150, 2))
NOISE = rng.normal(size=len(X))
ROWS = np.arange(120), np.arange(120, 150)


def test_plainer_functions_take_the_place_of_those_that_go_their_way():
    wave = sympy.sin(311.0 * sympy.cos(0.139 * A)) + B
    found = near_laws(wave, columns, X, LIBRARY, 1e-4)
    assert any(form.has(sympy.sin, A**2) and not form.has(sympy.cos) for form in found)


def test_nothing_is_near_a_function_that_goes_its_own_way():
    assert near_laws(sympy.sin(40.0 * A), columns, X, make_library(["x", "x^2"]), 1e-4) == []


def test_the_law_behind_a_look_alike_is_found_in_spite_of_noise():
    y = np.sin(3 * X[:, 0] ** 2) + 0.02 * NOISE
    alike = sympy.sin(sympy.Float(311.02) * sympy.cos(sympy.Float(0.1389) * A))
    law = judged([alike], columns, X, y, np.ones(len(y)), *ROWS, library=LIBRARY[1:2])[0]
    assert law.doubt == ""
    (inside,) = (wave.args[0] for wave in law.expression.atoms(sympy.sin))
    assert sympy.sin(inside) == law.expression
    assert abs(inside / A**2 - 3) < 0.05


def test_waves_are_written_with_the_least_shift_and_numbers_as_one():
    form = 2 * sympy.sin(A**2 - 99 * sympy.pi - sympy.Float(0.25)) + sympy.Float(0.5) * sympy.pi * B
    plain = plainly_written(form)
    assert not plain.has(sympy.pi)
    assert plain.atoms(sympy.sin) == {sympy.sin(A**2 - sympy.Float(0.25))}
    there = {A: 0.3, B: 0.7}
    assert abs((plain - form).subs(there).n()) < 1e-12


def test_numbers_that_cancel_cost_more_than_factors_do():
    plain = sympy.Float(2.5) * A * sympy.cos(B)
    tuned = sympy.sin(sympy.Float(311.0) * sympy.cos(sympy.Float(0.139) * A))
    assert tuning(plain, columns, X, 1.0) < 0.5 < 4 < tuning(tuned, columns, X, 1.0)
    named = sympy.sin(99 * sympy.pi * sympy.cos(sympy.Float(0.139) * A))
    assert tuning(named, columns, X, 1.0) > 4
