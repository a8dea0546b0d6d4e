from math import comb

import numpy as np
import pytest
from sklearn.preprocessing import PolynomialFeatures

from skdyn.symbolic.libraries import PolynomialLibrary


def data(n=30, width=3):
    return np.random.default_rng(0).normal(size=(n, width))


@pytest.mark.parametrize("degree", [0, 1, 2, 5])
@pytest.mark.parametrize("width", [1, 3])
@pytest.mark.parametrize("include_bias", [True, False])
def test_columns_and_names_are_those_of_scikit_learn(degree, width, include_bias):
    if degree == 0 and not include_bias:
        return
    X = data(width=width)
    library = PolynomialLibrary(degree, include_bias=include_bias).fit(X)
    peer = PolynomialFeatures(degree, include_bias=include_bias).fit(X)
    np.testing.assert_allclose(library.transform(X), peer.transform(X), rtol=1e-13)
    assert list(library.get_feature_names_out()) == list(peer.get_feature_names_out())
    assert library.n_output_features_ == comb(width + degree, degree) - (not include_bias)


@pytest.mark.peer
@pytest.mark.parametrize("include_interaction", [True, False])
def test_columns_and_names_are_those_of_pysindy(include_interaction):
    pysindy = pytest.importorskip("pysindy")
    X = data()
    library = PolynomialLibrary(4, include_interaction=include_interaction).fit(X)
    peer = pysindy.PolynomialLibrary(4, include_interaction=include_interaction).fit(X)
    np.testing.assert_allclose(library.transform(X), peer.transform(X), rtol=1e-13)
    assert list(library.get_feature_names_out()) == peer.get_feature_names()


def test_without_interaction_pure_powers_remain():
    library = PolynomialLibrary(3, include_interaction=False, include_bias=False).fit([[0.0, 0.0]])
    assert list(library.get_feature_names_out(["x", "y"])) == ["x", "y", "x^2", "y^2", "x^3", "y^3"]


def test_scaled_columns_give_terms_scaled_by_the_powers():
    X, scale = data(), np.array([2.0, -3.0, 0.5])
    library = PolynomialLibrary(3).fit(X)
    powers = PolynomialFeatures(3).fit(X).powers_
    wanted = library.transform(X) * (scale**powers).prod(axis=1)
    np.testing.assert_allclose(library.transform(X * scale), wanted, rtol=1e-12)


def test_a_wrong_degree_is_named():
    with pytest.raises(ValueError, match="'degree' parameter of PolynomialLibrary must be an int"):
        PolynomialLibrary(1.5).fit([[1.0]])
