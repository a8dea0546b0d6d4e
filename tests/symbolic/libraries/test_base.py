from math import comb

import numpy as np
import pandas as pd
import pytest
import sympy

from skdyn.symbolic.libraries import (
    ConcatLibrary,
    FeatureLibrary,
    FourierLibrary,
    FunctionLibrary,
    IdentityLibrary,
    PolynomialLibrary,
    TensorLibrary,
    _base,
)


class Bilinear(FeatureLibrary):
    """A library of a user's own."""

    def _terms(self, inputs):
        first, *others = inputs.values()
        for other in others:
            yield ((first, 1), (other, 1))
            yield ((other, 1), (first, 1))


def test_a_library_of_ones_own_lists_its_terms_and_inherits_the_rest():
    library = Bilinear().fit([[1.0, 2.0, 3.0]])
    assert list(library.get_feature_names_out(["u", "x", "y"])) == ["u x", "u y"]
    assert library.transform([[2.0, 3.0, 5.0]]).tolist() == [[6.0, 10.0]]
    u, x, y = sympy.symbols("u x y")
    assert library.to_sympy([u, x, y]) == [u * x, u * y]


def test_operators_make_sums_and_products():
    a, b = PolynomialLibrary(1), Bilinear()
    assert isinstance(a + b, ConcatLibrary)
    assert isinstance(a * b, TensorLibrary)
    assert (a * b).right is b
    with pytest.raises(TypeError, match="unsupported operand"):
        a + 1
    with pytest.raises(TypeError, match="unsupported operand"):
        a * 2.0


@pytest.mark.parametrize(
    ("function", "told"),
    [
        ("log(x)", r"log\(x1\) is nan"),
        ("1/(x+3)", r"1/\(x1\+3\) is inf"),
        ("exp(-500*x)", r"exp\(-500 x1\) is inf"),
    ],
)
def test_a_term_without_a_value_is_named_with_row_and_data(function, told):
    X = np.array([[1.0, 1.0], [2.0, 1.0], [1.0, -3.0], [1.0, -4.0]])
    library = (PolynomialLibrary() + FunctionLibrary([function])).fit(X)
    with pytest.raises(ValueError, match=f"{told} in row 2 of X, where x1=-3. Leave it out"):
        library.transform(X)


def test_an_overflow_of_large_data_is_named():
    library = PolynomialLibrary(5).fit([[1.0]])
    with pytest.raises(ValueError, match=r"x0\^5 is inf in row 0 of X, where x0=1e\+70"):
        library.transform([[1e70]])


def test_too_many_terms_are_refused_before_they_are_made(monkeypatch):
    assert _base._MOST_TERMS == 100_000
    monkeypatch.setattr(_base, "_MOST_TERMS", 1000)
    with pytest.raises(ValueError, match=r"more than 1000 terms of 20 columns. Lower its degree"):
        PolynomialLibrary(8).fit(np.zeros((1, 20)))  # of three million
    library = FourierLibrary(20) * PolynomialLibrary(3)
    with pytest.raises(ValueError, match="TensorLibrary makes more than 1000 terms"):
        library.fit(np.zeros((1, 10)))


def test_a_library_without_terms_is_refused():
    with pytest.raises(ValueError, match=r"degree=0.* makes no terms of 2 columns. Give it"):
        PolynomialLibrary(0, include_bias=False).fit([[1.0, 2.0]])


def test_parts_are_neither_fitted_nor_left_unchecked():
    left, right = PolynomialLibrary(1), PolynomialLibrary(-1)
    with pytest.raises(ValueError, match="'degree' parameter of PolynomialLibrary"):
        (left * right).fit([[1.0]])
    (left + left).fit([[1.0]])
    assert not hasattr(left, "terms_")


def test_parameters_changed_after_the_fit_change_nothing_until_the_next():
    library = PolynomialLibrary(1) + Bilinear()
    library.fit([[1.0, 2.0]])
    library.set_params(left__degree=3)
    assert library.transform([[1.0, 2.0]]).tolist() == [[1.0, 1.0, 2.0, 2.0]]


def test_functions_of_the_same_name_are_refused_unless_they_are_the_same():
    one, other = FunctionLibrary([lambda x: x]), FunctionLibrary([lambda x: x + 1])
    with pytest.raises(ValueError, match="Two different functions are named 'f0'"):
        (one + other).fit([[1.0]])
    same = one + one * PolynomialLibrary(1)
    assert list(same.fit([[1.0]]).get_feature_names_out()) == ["f0(x0)", "f0(x0) x0"]


def test_symbols_are_those_of_the_columns_or_one_for_each():
    frame = pd.DataFrame({"prey": [1.0], "predator": [2.0]})
    library = PolynomialLibrary(1).fit(frame)
    assert library.to_sympy() == [1, sympy.Symbol("prey"), sympy.Symbol("predator")]
    with pytest.raises(ValueError, match="one for each of the 2 columns; got 1"):
        library.to_sympy([sympy.Symbol("x")])


def test_columns_stay_as_they_are():
    X = np.random.default_rng(0).normal(size=(5, 3))
    library = IdentityLibrary().fit(X)
    np.testing.assert_array_equal(library.transform(X), X)
    assert list(library.get_feature_names_out()) == ["x0", "x1", "x2"]
    assert library.terms_ == PolynomialLibrary(1, include_bias=False).fit(X).terms_


@pytest.mark.parametrize("cls", [ConcatLibrary, TensorLibrary])
def test_the_parts_are_the_columns_unless_given(cls):
    given = cls(IdentityLibrary(), IdentityLibrary()).fit([[1.0, 2.0]])
    assert cls().fit([[1.0, 2.0]]).terms_ == given.terms_
    assert cls(left=FourierLibrary()).fit([[1.0]]).terms_ != cls().fit([[1.0]]).terms_


@pytest.mark.parametrize("cls", [ConcatLibrary, TensorLibrary])
def test_a_part_must_be_a_library(cls):
    with pytest.raises(ValueError, match="'right' parameter of"):
        cls(PolynomialLibrary(), "fourier").fit([[1.0]])


def data():
    return np.random.default_rng(0).uniform(0.5, 2, (20, 2))


def test_the_terms_stand_side_by_side():
    X, a, b = data(), PolynomialLibrary(3), FourierLibrary(2)
    both = np.hstack([a.fit_transform(X), b.fit_transform(X)])
    np.testing.assert_array_equal((a + b).fit_transform(X), both)


@pytest.mark.peer
def test_the_order_of_a_sum_is_that_of_pysindy():
    pysindy = pytest.importorskip("pysindy")
    X = data()
    peer = pysindy.PolynomialLibrary(2) + pysindy.FourierLibrary() + pysindy.FourierLibrary(2)
    ours = PolynomialLibrary(2) + FourierLibrary() + FourierLibrary(2)
    _, first = np.unique(peer.fit(X).get_feature_names(), return_index=True)
    wanted = peer.transform(X)[:, np.sort(first)]
    np.testing.assert_allclose(ours.fit_transform(X), wanted, rtol=1e-13)


def test_a_term_of_both_is_kept_once():
    library = PolynomialLibrary(1) + PolynomialLibrary(2) + FunctionLibrary(["1", "sin(u)", "x*y"])
    names = library.fit(data()).get_feature_names_out(["x", "y"])
    wanted = ["1", "x", "y", "x^2", "x y", "y^2", "sin(x)", "sin(y)", "x*y"]
    assert list(names) == wanted
    waves = FourierLibrary() + FunctionLibrary(["sin(u)"])
    assert waves.fit(data()).n_output_features_ == 4


def signed():
    return np.random.default_rng(0).uniform(-2, 2, (20, 2))


def test_the_terms_are_the_products_of_all_pairs():
    X, a, b = signed(), PolynomialLibrary(2), FourierLibrary(2)
    pairs = a.fit_transform(X)[:, :, None] * b.fit_transform(X)[:, None, :]
    np.testing.assert_allclose((a * b).fit_transform(X), pairs.reshape(len(X), -1), rtol=1e-13)


@pytest.mark.peer
def test_columns_of_a_product_are_those_of_pysindy():
    pysindy = pytest.importorskip("pysindy")
    X = signed()
    peer = pysindy.PolynomialLibrary(2) * pysindy.FourierLibrary()
    ours = PolynomialLibrary(2) * FourierLibrary()
    np.testing.assert_allclose(ours.fit_transform(X), peer.fit(X).transform(X), rtol=1e-13)


def test_the_constant_is_the_unit():
    a, one = FourierLibrary(), PolynomialLibrary(0)
    assert (
        (one * a).fit(signed()).terms_ == (a * one).fit(signed()).terms_ == a.fit(signed()).terms_
    )
    assert (one * one).fit(signed()).terms_ == [()]


@pytest.mark.parametrize(("m", "n"), [(1, 1), (1, 2), (2, 3)])
def test_products_of_polynomials_are_the_polynomials_of_the_summed_degree(m, n):
    library = (PolynomialLibrary(m) * PolynomialLibrary(n)).fit(signed())
    whole = PolynomialLibrary(m + n).fit(signed())
    assert library.n_output_features_ == whole.n_output_features_ == comb(2 + m + n, 2)
    assert set(map(frozenset, library.terms_)) == set(map(frozenset, whole.terms_))
