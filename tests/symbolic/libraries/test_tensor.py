from math import comb

import numpy as np
import pytest

from skdyn.symbolic.libraries import FourierLibrary, PolynomialLibrary


def data():
    return np.random.default_rng(0).uniform(-2, 2, (20, 2))


def test_the_terms_are_the_products_of_all_pairs():
    X, a, b = data(), PolynomialLibrary(2), FourierLibrary(2)
    pairs = a.fit_transform(X)[:, :, None] * b.fit_transform(X)[:, None, :]
    np.testing.assert_allclose((a * b).fit_transform(X), pairs.reshape(len(X), -1), rtol=1e-13)


@pytest.mark.peer
def test_columns_are_those_of_pysindy():
    pysindy = pytest.importorskip("pysindy")
    X = data()
    peer = pysindy.PolynomialLibrary(2) * pysindy.FourierLibrary()
    ours = PolynomialLibrary(2) * FourierLibrary()
    np.testing.assert_allclose(ours.fit_transform(X), peer.fit(X).transform(X), rtol=1e-13)


def test_the_constant_is_the_unit():
    a, one = FourierLibrary(), PolynomialLibrary(0)
    assert (one * a).fit(data()).terms_ == (a * one).fit(data()).terms_ == a.fit(data()).terms_
    assert (one * one).fit(data()).terms_ == [()]


@pytest.mark.parametrize(("m", "n"), [(1, 1), (1, 2), (2, 3)])
def test_products_of_polynomials_are_the_polynomials_of_the_summed_degree(m, n):
    library = (PolynomialLibrary(m) * PolynomialLibrary(n)).fit(data())
    whole = PolynomialLibrary(m + n).fit(data())
    assert library.n_output_features_ == whole.n_output_features_ == comb(2 + m + n, 2)
    assert set(map(frozenset, library.terms_)) == set(map(frozenset, whole.terms_))
