"""All doors read the same: a spelling that one of them takes, the others take for the same."""

import numpy as np
import pytest
import torch

from skdyn.formulas import on_arrays
from skdyn.kan import KANRegressor
from skdyn.kan._library import torch_function
from skdyn.symbolic import EquationSystem, SINDyRegressor
from skdyn.symbolic.discovery._meaning import probes, read_term, same
from skdyn.symbolic.discovery._terms import evaluate
from skdyn.symbolic.libraries import FunctionLibrary, PolynomialLibrary

X = 0.3
SPELLINGS = [
    ("x^2", X**2), ("x**2", X**2), ("2 x", 2 * X), ("2x", 2 * X), ("x x", X * X),
    ("2 sin(x)", 2 * np.sin(X)), ("x (1 + x)", X * (1 + X)), ("(x)(x + 1)", X * (1 + X)),
    ("abs(x)", X), ("Abs(x)", X), ("arcsin(x)", np.arcsin(X)), ("asin(x)", np.arcsin(X)),
    ("arctan(x)", np.arctan(X)), ("atan(x)", np.arctan(X)), ("ln(x)", np.log(X)),
    ("log(x)", np.log(X)), ("x sgn(x)", X), ("x sign(x)", X), ("cot(x)", 1 / np.tan(X)),
    ("pi*x", np.pi * X), ("pi x", np.pi * X), ("x' = 1.5 x", 1.5 * X), ("1e-3 x", 1e-3 * X),
    ("sqrt(x)", np.sqrt(X)), ("max(x, 0)", X), ("Max(x, 0)", X), ("tanh(x)", np.tanh(X)),
    ("2^x", 2**X), ("x^(1/3)", X ** (1 / 3)), ("sech(x)", 1 / np.cosh(X)), ("sinh(x)", np.sinh(X)),
    ("x*exp(1)", X * np.e), ("-x^2", -(X**2)), ("1/(1 + exp(-x))", 1 / (1 + np.exp(-X))),
    ("x^3/(0.5 + x^3)", X**3 / (0.5 + X**3)),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), SPELLINGS)
def test_every_door_reads_a_spelling_as_the_same(text, value):
    system = EquationSystem([text], ["x"]).rhs([[X]])
    library = FunctionLibrary([text]).fit_transform([[X]])
    edge = torch_function(text)(torch.tensor([X], dtype=torch.float64))
    for found in (on_arrays(text, {"x": X}), system, library, edge):
        assert np.ravel(found)[0] == pytest.approx(value, rel=1e-12)
    assert abs(evaluate(read_term(text, ["x"]), [np.full(1, X)])[0]) > 0
    assert same(read_term(text, ["x"]), read_term(f"1.5*({text.split('=')[-1]})", ["x"]), probes(1))


def pasted(equation, names):
    """Read a printed equation in the doors for several variables; return its values there."""
    point = np.linspace(0.4, 0.9, len(names))
    values = dict(zip(names, point, strict=True))
    term = read_term(equation, names)
    return [
        on_arrays(equation, values),
        EquationSystem([equation], names, target_names=["z"]).rhs([point])[0, 0],
        FunctionLibrary([equation]).fit_transform([point])[0, 0],
    ], evaluate(term, [np.full(1, v) for v in point])[0]


@pytest.mark.parametrize(
    "text",
    ["1.1*x - 0.4*x*y", "-2*(x + y)*exp(-y)/3", "x/(0.3 + x**2) - pi*y", "x**0.71*Abs(y)/sqrt(x)",
     "E*sin(2.5*x*y)**2", "Max(x, y, 0.5) + cot(x)"],
)  # fmt: skip
@pytest.mark.parametrize("precision", [3, 17])
def test_a_printed_equation_can_be_pasted_back_in_every_door(text, precision):
    system = EquationSystem([text, "y"], ["x", "y"])
    printed = system.equations(precision)[0]
    values, term = pasted(printed, ["x", "y"])
    wanted = system.rhs([[0.4, 0.9]])[0, 0]
    np.testing.assert_allclose(values, wanted, rtol=5e-3 if precision == 3 else 1e-12)
    assert np.isfinite(term)


def test_what_sindy_and_its_library_print_can_be_pasted_back():
    t = np.linspace(0, 5, 100)
    X = np.stack([np.exp(-t), np.cos(t)], axis=1)
    library = PolynomialLibrary(2) + FunctionLibrary(["x/(1+y)", "arctan(2 x)"])
    model = SINDyRegressor(feature_library=library).fit(X, t=t)
    for name in model.feature_library_.get_feature_names_out():
        if name != "1":
            assert np.isfinite(pasted(name, ["x0", "x1"])[0]).all()
    for equation in model.equations():
        EquationSystem([equation], ["x0", "x1"], target_names=["z"])


def test_an_edge_takes_what_an_equation_prints():
    printed = EquationSystem(["1.5*sin(2*x) - x**2/3"], ["x"]).equations()[0]
    X = np.linspace(-1, 1, 80)[:, None]
    y = 1.5 * np.sin(2 * X[:, 0]) - X[:, 0] ** 2 / 3
    model = KANRegressor((), optimizer="lm", max_iter=3, tol=1e-3, random_state=0).fit(X, y)
    model.fix_symbolic(0, 0, 0, printed)
    assert model.module_.layers[0].symbolic["0_0"].name == printed


@pytest.mark.parametrize("text", ["9**9**8", "x.real", "foo(x)", "(" * 99 + "x" + ")" * 99])
def test_every_door_refuses_a_hostile_text_alike(text):
    doors = [
        lambda: EquationSystem([text], ["x"]),
        lambda: FunctionLibrary([text]).fit([[1.0]]),
        lambda: torch_function(text),
        lambda: read_term(text, ["x"]),
    ]
    for door in doors:
        with pytest.raises(ValueError, match=r"The formula .* is refused"):
            door()


def test_what_was_written_before_there_was_one_grammar_is_read_as_it_was_meant():
    system = EquationSystem(["x"], ["x"])
    state = system.__getstate__() | {"_texts": ["x0**2*Abs(x0) - E*asin(1/(x0 + 2.0)) + pi"]}
    old = EquationSystem.__new__(EquationSystem)
    old.__setstate__(state)
    assert old.rhs([[X]])[0, 0] == pytest.approx(
        X**3 - np.e * np.arcsin(1 / (X + 2)) + np.pi, rel=1e-14
    )
    library = FunctionLibrary(["x"]).fit([[X]])
    state = library.__getstate__() | {"terms_": [(("arctan(x0)*abs(x0)**2", 1), ("x0", 2))]}
    library.__setstate__(state)
    assert library.transform([[X]])[0, 0] == pytest.approx(np.arctan(X) * X**4, rel=1e-14)
