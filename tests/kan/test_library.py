"""The library: one text gives torch's function, sympy's, and the domain."""

import copy
import math

import numpy as np
import pytest
import sympy
import torch

from skdyn.kan._library import DEFAULT_LIBRARY, make_library, torch_function

OTHERS = ["cos", "sigmoid", "sgn", "x*exp(-x)", "2^x", "x^x", "2 x arctan(x)", "coth", "pi*x",
           "x^(1/3)", "-x^2.5 + log(1 + x)"]  # fmt: skip


def inside(function, n=50):
    """Points of the domain, off its ends."""
    low, high = (np.clip(end, -3, 3) for end in function.domain)
    return np.linspace(low + 0.01, high - 0.01, n)


@pytest.mark.parametrize("name", [*DEFAULT_LIBRARY, *OTHERS])
def test_torch_and_sympy_agree_on_value_and_slope(name):
    function, x = torch_function(name), sympy.Symbol("x", real=True)
    u = torch.from_numpy(inside(function)).requires_grad_()
    value = function(u)
    (slope,) = torch.autograd.grad(value.sum(), u)
    for torch_side, form in ((value, function.sympy(x)), (slope, function.sympy(x).diff(x))):
        theirs = [float(form.subs(x, point).evalf()) for point in u.tolist()]
        np.testing.assert_allclose(torch_side.detach(), theirs, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("x^3", (-math.inf, math.inf)), ("log", (0, math.inf)), ("1/x^2", (0, math.inf)),
        ("arcsin", (-1, 1)), ("tan", (-math.pi / 2, math.pi / 2)), ("log(1-x)", (-math.inf, 1)),
        ("1/(1-x^2)", (1, math.inf)), ("acosh", (1, math.inf)), ("x^x", (0, math.inf)),
        ("log(sqrt(x) - 1)", (1, math.inf)), ("cot", (0, math.pi)),
    ],
)  # fmt: skip
def test_domain_is_the_widest_interval_without_a_pole(name, domain):
    np.testing.assert_allclose(torch_function(name).domain, domain, atol=1e-8)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", DEFAULT_LIBRARY)
def test_no_function_gives_nan_anywhere(name, dtype):
    u = torch.tensor([-1e3, -1.0, 0.0, 1.0, 1e3], dtype=dtype)
    value = torch_function(name)(u)
    assert value.dtype == dtype
    assert not value.isnan().any()


def test_functions_survive_a_deep_copy():
    function = torch_function("x*exp(-x)")
    u = torch.linspace(-1, 1, 5)
    assert torch.equal(copy.deepcopy(function)(u), function(u))


@pytest.mark.parametrize(
    "name", ["foo", "", "x+", "y", "x.real", "9^9^9^9", "__import__('os')", "'a'"]
)
def test_what_is_no_function_is_refused_with_the_names_of_those_there_are(name):
    with pytest.raises(ValueError, match=r"knows no function .* 'x\^2', .*such as"):
        make_library(["x", name])


def test_a_function_that_is_nowhere_real_is_refused():
    with pytest.raises(ValueError, match="real nowhere near zero"):
        make_library(["log(-1-x^2)"])


def test_an_empty_library_is_refused():
    with pytest.raises(ValueError, match="library is empty"):
        make_library([])


def test_a_library_is_names_or_names_with_complexities():
    assert [f.name for f in make_library()] == list(DEFAULT_LIBRARY)
    assert [f.name for f in make_library("sin")] == ["sin"]
    assert [f.complexity for f in make_library({"sin": 7, "x^5": 1})] == [7, 1]
