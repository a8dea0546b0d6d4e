"""One interpreter: numpy, torch and sympy agree."""

import numpy as np
import pytest
import sympy
import torch

from skdyn.formulas import on_arrays, on_tensors, parse
from skdyn.formulas._values import compiled

VALUES = {"x": np.array([0.31, 0.52, 0.88]), "y": np.array([0.77, 0.45, 0.39])}


def test_numpy_torch_and_sympy_agree(random_text):
    formula = parse(random_text, VALUES)
    symbols = [sympy.Symbol(name, real=True) for name in VALUES]
    points = zip(*VALUES.values())
    exact = [float(formula.subs(dict(zip(symbols, point))).evalf(30)) for point in points]
    tensors = {name: torch.from_numpy(value) for name, value in VALUES.items()}
    size = 1e-12 * max(np.abs(exact).max(), 1.0)  # what is left of terms that cancel
    for given in (random_text, formula):
        np.testing.assert_allclose(on_arrays(given, VALUES), exact, rtol=1e-12, atol=size)
        np.testing.assert_allclose(on_tensors(given, tensors), exact, rtol=1e-12, atol=size)


def test_values_have_the_shape_of_the_variables_even_if_they_are_constant():
    assert on_arrays("2", {"x": np.zeros((2, 3))}).tolist() == [[2.0] * 3] * 2
    assert on_tensors("2", {"x": torch.zeros(2, 3)}).shape == (2, 3)
    assert on_arrays("x + y", {"x": np.zeros((2, 1)), "y": np.ones(3)}).shape == (2, 3)


def test_what_does_not_depend_on_a_variable_is_the_same_wherever_that_is():
    odd = [np.inf, -np.inf, np.nan, 0.0]
    for text in ("2", "max(2, 1)", "y + 1"):
        values = {"x": np.array(odd), "y": np.array(1.0)}
        tensors = {name: torch.tensor(value, requires_grad=True) for name, value in values.items()}
        found = on_tensors(text, tensors)
        assert on_arrays(text, values).tolist() == found.tolist() == [2.0] * 4
        (slope,) = torch.autograd.grad(found.sum(), tensors["x"])
        assert slope.tolist() == [0.0] * 4


def test_tensors_keep_their_dtype_and_gradients():
    x = torch.tensor([0.3, 0.4], requires_grad=True)
    value = on_tensors("sqrt(2) x^(1/3) + max(x, 0)", {"x": x})
    assert value.dtype == torch.float32
    (slope,) = torch.autograd.grad(value.sum(), x)
    torch.testing.assert_close(slope, 2**0.5 / 3 * x.detach() ** (-2 / 3) + 1)


def test_what_is_not_real_is_nan_without_a_warning():
    with np.errstate(all="raise"):
        assert np.isnan(on_arrays("ln(x) + x^0.5", {"x": -1.0}))
    assert on_tensors("ln(x)", {"x": torch.tensor(-1.0)}).isnan()


def test_names_may_be_any_texts_and_own_functions_are_called():
    values = {"prey, thousands": np.array([1.0, 2.0]), "lambda": 3.0}
    value = on_arrays("lambda hill(prey, thousands)", values, {"hill": lambda x: x / (1 + x)})
    np.testing.assert_allclose(value, [1.5, 2.0])


def test_what_is_compiled_sees_nothing_of_python():
    function = compiled("x + pi", ("x",))
    assert function.__globals__["__builtins__"] == {}
    assert function(1.0) == 1.0 + np.pi


def test_a_name_that_is_not_given_is_refused():
    with pytest.raises(ValueError, match="'y' is none of the names x"):
        on_arrays("x + y", {"x": 1.0})
