"""What holds for every library: scikit-learn's checks, and that names, values and sympy agree."""

import pickle

import numpy as np
import pandas as pd
import pytest
import sympy
from sklearn.base import clone
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skdyn.symbolic.libraries import (
    ColumnLibrary,
    FourierLibrary,
    FunctionLibrary,
    IdentityLibrary,
    PolynomialLibrary,
)

LIBRARIES = [
    PolynomialLibrary(4),
    PolynomialLibrary(3, include_interaction=False, include_bias=False),
    IdentityLibrary(),
    FourierLibrary(3),
    FunctionLibrary(["exp(-x)", "x*abs(y)", "arctan(x)/(1+y^2)", "sign(x)*sqrt(x**2)", "1"]),
    PolynomialLibrary(2) + FourierLibrary() + FunctionLibrary(["tanh(x/2)"]),
    PolynomialLibrary(2) * (PolynomialLibrary(1) + FourierLibrary(2)),
    ColumnLibrary(PolynomialLibrary(1), [2]) * ColumnLibrary(PolynomialLibrary(3), [0, 1]),
    FunctionLibrary(["x-y"]) * FunctionLibrary(["x-y", "cos(pi*x)"]),
]
every_library = pytest.mark.parametrize("library", LIBRARIES, ids=lambda it: type(it).__name__)


def data(n=20, seed=0):
    return np.random.default_rng(seed).uniform(-2, 2, (n, 3))


@every_library
def test_sympy_evaluates_to_the_same_columns(library):
    X = data()
    symbols = sympy.symbols("p q r")
    expressions = library.fit(X).to_sympy(symbols)
    values = sympy.lambdify(symbols, expressions, "numpy")(*X.T)
    wanted = np.stack([np.broadcast_to(value, len(X)) for value in values], axis=1)
    np.testing.assert_allclose(library.transform(X), wanted, rtol=1e-12)


@every_library
def test_names_are_read_by_sympy_as_the_same_functions(library):
    names = library.fit(data()).get_feature_names_out()
    read = [sympy.sympify(name.replace(" ", "*").replace("arctan", "atan")) for name in names]
    assert all(
        sympy.simplify(one - other) == 0
        for one, other in zip(read, library.to_sympy(), strict=True)
    )
    assert len(set(names)) == len(names) == library.n_output_features_


@every_library
def test_permuted_columns_give_the_same_functions_of_them(library):
    X = data()
    symbols = sympy.symbols("p q r")
    turned = [symbols[i] for i in (2, 0, 1)]
    expressions = library.fit(X).to_sympy(turned)
    direct = library.transform(X[:, [2, 0, 1]])
    values = sympy.lambdify(symbols, expressions, "numpy")(*X.T)
    np.testing.assert_allclose(direct, np.stack(np.broadcast_arrays(*values), axis=1), rtol=1e-12)


@every_library
def test_rows_are_transformed_one_by_one(library):
    X = data()
    whole = library.fit(X).transform(X)
    np.testing.assert_allclose(np.vstack([library.transform(X[i : i + 1]) for i in range(5)]),
                               whole[:5], rtol=1e-14)  # fmt: skip
    assert whole.dtype == np.float64
    assert library.transform(X.astype(np.float32)).dtype == np.float64


@every_library
def test_a_copy_by_pickle_or_clone_gives_the_same(library):
    X = data()
    wanted = library.fit_transform(X)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(library)).transform(X), wanted)
    np.testing.assert_array_equal(clone(library).fit_transform(X), wanted)


@every_library
def test_frames_go_in_and_come_out(library):
    frame = pd.DataFrame(data(), columns=["x", "y", "mu"])
    out = clone(library).set_output(transform="pandas").fit_transform(frame)
    assert list(out.columns) == list(library.fit(frame).get_feature_names_out())
    np.testing.assert_array_equal(out.to_numpy(), library.transform(frame))


def test_a_search_reaches_the_parts_by_name():
    X = data(60)
    y = 1.0 - 2 * X[:, 0] ** 3 + np.sin(2 * X[:, 1])
    model = make_pipeline(PolynomialLibrary() + FourierLibrary(), LinearRegression())
    prefix = "concatlibrary__"
    grid = {f"{prefix}left__degree": [1, 3], f"{prefix}right__n_frequencies": [1, 2]}
    search = GridSearchCV(model, grid, cv=3).fit(X, y)
    assert search.best_params_ == {f"{prefix}left__degree": 3, f"{prefix}right__n_frequencies": 2}
    assert search.best_score_ > 1 - 1e-9
