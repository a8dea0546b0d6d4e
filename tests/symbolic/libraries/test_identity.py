import numpy as np

from skdyn.symbolic.libraries import IdentityLibrary, PolynomialLibrary


def test_columns_stay_as_they_are():
    X = np.random.default_rng(0).normal(size=(5, 3))
    library = IdentityLibrary().fit(X)
    np.testing.assert_array_equal(library.transform(X), X)
    assert list(library.get_feature_names_out()) == ["x0", "x1", "x2"]
    assert library.terms_ == PolynomialLibrary(1, include_bias=False).fit(X).terms_
