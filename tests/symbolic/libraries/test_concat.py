import numpy as np
import pytest

from skdyn.symbolic.libraries import FourierLibrary, FunctionLibrary, PolynomialLibrary


def data():
    return np.random.default_rng(0).uniform(0.5, 2, (20, 2))


def test_the_terms_stand_side_by_side():
    X, a, b = data(), PolynomialLibrary(3), FourierLibrary(2)
    both = np.hstack([a.fit_transform(X), b.fit_transform(X)])
    np.testing.assert_array_equal((a + b).fit_transform(X), both)


@pytest.mark.peer
def test_the_order_is_that_of_pysindy():
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
