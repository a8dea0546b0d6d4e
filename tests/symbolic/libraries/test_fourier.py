import numpy as np
import pytest

from skdyn.symbolic.libraries import FourierLibrary


def data():
    return np.random.default_rng(0).uniform(-3, 3, (25, 2))


def test_columns_are_sines_and_cosines_by_frequency_then_column():
    X = data()
    x, y = X.T
    wanted = np.stack([np.sin(x), np.cos(x), np.sin(y), np.cos(y), np.sin(2 * x), np.cos(2 * x),
                       np.sin(2 * y), np.cos(2 * y)], axis=1)  # fmt: skip
    np.testing.assert_allclose(FourierLibrary(2).fit_transform(X), wanted, rtol=1e-13)


def test_a_full_turn_changes_nothing():
    X = data()
    library = FourierLibrary(3).fit(X)
    np.testing.assert_allclose(library.transform(X + 2 * np.pi), library.transform(X), atol=1e-13)


@pytest.mark.peer
@pytest.mark.parametrize(("sines", "cosines"), [(True, True), (True, False), (False, True)])
def test_columns_are_those_of_pysindy(sines, cosines):
    pysindy = pytest.importorskip("pysindy")
    X, options = data(), {"include_sin": sines, "include_cos": cosines}
    peer = pysindy.FourierLibrary(3, **options).fit(X)
    library = FourierLibrary(3, **options).fit(X)
    np.testing.assert_allclose(library.transform(X), peer.transform(X), rtol=1e-13)
    names = [name.replace("(1 ", "(") for name in peer.get_feature_names()]
    assert list(library.get_feature_names_out()) == names


def test_one_of_the_two_must_be_included():
    with pytest.raises(ValueError, match="leave no function; include one"):
        FourierLibrary(include_sin=False, include_cos=False).fit([[1.0]])
