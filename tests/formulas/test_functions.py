"""The table of functions: one meaning in numpy, torch and sympy."""

import numpy as np
import pytest
import sympy
import torch

from skdyn.formulas import on_arrays
from skdyn.formulas._functions import FUNCTIONS, function_named, functions_for
from skdyn.symbolic.discovery._terms import FAMILIES

POINTS = {"acosh": 1.5}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_means_the_same_to_numpy_torch_and_sympy(name):
    arguments = [POINTS.get(name, 0.3), -0.2][: 1 + FUNCTIONS[name].several]
    wanted = float(getattr(sympy, name)(*arguments))
    assert functions_for("numpy")[name](*arguments) == pytest.approx(wanted, rel=1e-13)
    tensors = [torch.tensor(argument, dtype=torch.float64) for argument in arguments]
    assert functions_for("torch")[name](*tensors).item() == pytest.approx(wanted, rel=1e-13)
    assert functions_for("torch")[name](*arguments).item() == pytest.approx(wanted, rel=1e-13)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_spelling_names_the_one_function(name):
    function = FUNCTIONS[name]
    assert all(function_named(each) is function for each in (name, *function.aliases))


def test_no_two_functions_share_a_name():
    names = [n for f in FUNCTIONS.values() for n in (f.name, *f.aliases)]
    assert len({*names}) == len(names)


def test_each_function_makes_a_kind_of_term_that_there_is():
    assert {function.kind for function in FUNCTIONS.values()} < {*FAMILIES}


def test_a_name_that_is_none_names_no_function():
    assert function_named("foo") is None


@pytest.mark.parametrize("name", [f.name for f in FUNCTIONS.values() if f.positive])
def test_a_function_is_real_just_where_the_table_says(name):
    x = np.linspace(-3.03, 3.07, 200)
    real = np.isfinite(on_arrays(f"{name}(x)", {"x": x}))
    np.testing.assert_array_equal(real, on_arrays(FUNCTIONS[name].positive, {"x": x}) > 0)


@pytest.mark.parametrize("name", [f.name for f in FUNCTIONS.values() if f.nonzero])
def test_a_pole_stands_where_the_table_says(name):
    x = np.linspace(-4.03, 4.07, 20001)
    far = np.abs(on_arrays(f"{name}(x)", {"x": x})) > 1e3
    zero = np.diff(np.sign(on_arrays(FUNCTIONS[name].nonzero, {"x": x}))) != 0
    assert zero.any()
    near = np.convolve(zero, np.ones(9), mode="same") > 0
    assert (far[1:] | far[:-1])[zero].all()
    assert not (far[1:] & ~near).any()
