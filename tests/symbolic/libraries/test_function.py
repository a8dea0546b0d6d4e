import functools

import numpy as np
import pytest
import sympy

from skdyn.symbolic.libraries import FunctionLibrary


def data(width=3):
    return np.random.default_rng(0).uniform(0.5, 2, (20, width))


def hill(x, y, order=2):
    return x / (1 + y**order)


def test_formulas_are_taken_of_every_choice_of_columns():
    X = data()
    x, y, z = X.T
    library = FunctionLibrary(["x*exp(-y)", "log(u)"]).fit(X)
    wanted = [x * np.exp(-y), x * np.exp(-z), y * np.exp(-z), np.log(x), np.log(y), np.log(z)]
    np.testing.assert_allclose(library.transform(X), np.stack(wanted, axis=1), rtol=1e-14)
    names = ["x*exp(-y)", "x*exp(-z)", "y*exp(-z)", "log(x)", "log(y)", "log(z)"]
    assert list(library.get_feature_names_out(["x", "y", "z"])) == names


def test_choices_may_repeat_a_column():
    library = FunctionLibrary(["x*y"], interaction_only=False).fit(data(2))
    assert list(library.get_feature_names_out()) == ["x0*x0", "x0*x1", "x1*x1"]


@pytest.mark.peer
@pytest.mark.parametrize("interaction_only", [True, False])
def test_columns_are_those_of_pysindy_for_formulas_and_callables_alike(interaction_only):
    pysindy = pytest.importorskip("pysindy")
    X = data()
    functions = [lambda x: np.exp(-x), lambda x, y: np.sin(x + y)]
    peer = pysindy.CustomLibrary(functions, interaction_only=interaction_only).fit(X)
    for given in (functions, ["exp(-x)", "sin(x+y)"]):
        library = FunctionLibrary(given, interaction_only=interaction_only)
        np.testing.assert_allclose(library.fit_transform(X), peer.transform(X), rtol=1e-13)


def test_callables_are_named_and_undefined_functions_of_sympy():
    X = data(2)
    x, y = sympy.symbols("x y")
    library = FunctionLibrary([hill, lambda x: x**3, "y*hill(x, y)"]).fit(X)
    names = ["hill(x0, x1)", "f1(x0)", "f1(x1)", "x1*hill(x0, x1)"]
    assert list(library.get_feature_names_out()) == names
    np.testing.assert_allclose(library.transform(X)[:, 3], X[:, 1] * hill(*X.T))
    symbolic = [sympy.Function("hill")(x, y), *map(sympy.Function("f1"), (x, y))]
    assert library.to_sympy([x, y]) == [*symbolic, y * symbolic[0]]
    renamed = FunctionLibrary([hill, lambda x: x**3], names=["h", "cube"]).fit(X)
    assert list(renamed.get_feature_names_out()) == ["h(x0, x1)", "cube(x0)", "cube(x1)"]


def test_functions_of_numpy_are_the_formulas_of_their_names():
    library = FunctionLibrary([np.exp, np.abs, np.arctan, np.hypot]).fit(data(2))
    same = FunctionLibrary(["exp(x)", "abs(x)", "atan(x)"]).fit(data(2))
    assert library.terms_[:6] == same.terms_
    assert library.get_feature_names_out()[6] == "hypot(x0, x1)"


def test_a_partial_function_has_a_number_for_a_name():
    library = FunctionLibrary([functools.partial(np.power, 2.0), "x"], names=["two_to"])
    with pytest.raises(ValueError, match="fixed number of columns"):
        FunctionLibrary([lambda *x: x[0]]).fit(data())
    cubic = FunctionLibrary([functools.partial(hill, order=3)]).fit(data(2))
    assert list(cubic.get_feature_names_out()) == ["f0(x0, x1)"]
    assert library.names == ["two_to"]


def test_the_constant_is_known_as_such():
    assert FunctionLibrary(["1", "x"]).fit(data(1)).terms_ == [(), (("x0", 1),)]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"functions": []}, ValueError, "makes no terms"),
        ({"functions": "exp(x)"}, ValueError, "'functions' parameter of FunctionLibrary"),
        ({"functions": [3]}, TypeError, "must be formulas or callables; got 3, a int"),
        ({"functions": ["x*y*z"]}, ValueError, r"x\*y\*z needs 3 columns, but there are 2"),
        ({"functions": ["foo(x)"]}, ValueError, "calls no known function"),
        ({"functions": [hill], "names": []}, ValueError, "each of the 1 callables.*got 0"),
        ({"functions": [hill, hill]}, ValueError, "different names"),
        ({"functions": [hill], "names": ["sin"]}, ValueError, "cannot be named 'sin'"),
        ({"functions": [hill], "names": ["x0"]}, ValueError, "cannot be named 'x0'"),
        ({"functions": [hill], "names": ["a b"]}, ValueError, "cannot be named 'a b'"),
        ({"functions": [lambda: 1]}, ValueError, "f0 must take a fixed number of columns"),
    ],
)
def test_what_cannot_be_used_is_named(options, error, message):
    with pytest.raises(error, match=message):
        FunctionLibrary(**options).fit(data(2))
