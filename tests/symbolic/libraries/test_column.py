import numpy as np
import pandas as pd
import pytest

from skdyn.symbolic.libraries import (
    ColumnLibrary,
    FourierLibrary,
    FunctionLibrary,
    PolynomialLibrary,
)


def data():
    return np.random.default_rng(0).uniform(-2, 2, (20, 3))


@pytest.mark.parametrize("columns", [[0], [2, 0], [-1, 1], (1,)])
def test_it_is_the_library_of_those_columns(columns):
    X = data()
    library = ColumnLibrary(FunctionLibrary(["sin(x)", "x-y"]), columns)
    if len(columns) == 1:
        library.set_params(library__functions=["sin(x)"])
    part = library.library.fit(X[:, columns])
    np.testing.assert_array_equal(library.fit_transform(X), part.transform(X[:, columns]))
    names = np.array(["a", "b", "c"])[list(columns)]
    assert list(library.get_feature_names_out(["a", "b", "c"])) == list(
        part.get_feature_names_out(names)
    )


def test_columns_go_by_name_inside_sums_and_other_choices_too():
    frame = pd.DataFrame(data(), columns=["x", "y", "u"])
    inner = ColumnLibrary(PolynomialLibrary(2, include_bias=False), ["u"])
    library = ColumnLibrary(inner, ["y", "u"]) + ColumnLibrary(FourierLibrary(), ["x"])
    assert list(library.fit(frame).get_feature_names_out()) == ["u", "u^2", "sin(x)", "cos(x)"]
    assert ColumnLibrary(columns=["x1"]).fit(frame.to_numpy()).n_output_features_ == 3


def test_all_columns_are_the_default():
    assert ColumnLibrary().fit(data()).terms_ == PolynomialLibrary().fit(data()).terms_


@pytest.mark.peer
def test_libraries_of_parameters_and_states_are_those_of_pysindy():
    pysindy = pytest.importorskip("pysindy")
    X = data()
    peer = pysindy.ParameterizedLibrary(
        feature_library=pysindy.PolynomialLibrary(2),
        parameter_library=pysindy.PolynomialLibrary(1),
        num_features=2,
        num_parameters=1,
    ).fit(X)
    parameters = ColumnLibrary(PolynomialLibrary(1), [-1])
    library = parameters * ColumnLibrary(PolynomialLibrary(2), [0, 1])
    np.testing.assert_allclose(library.fit_transform(X), peer.transform(X), rtol=1e-13)


@pytest.mark.parametrize("column", [3, -4, "x3"])
def test_a_column_that_is_not_there_is_named(column):
    with pytest.raises(ValueError, match=f"columns names {column!r}, but .* 3 columns: x0, x1, x2"):
        ColumnLibrary(columns=[0, column]).fit(data())
