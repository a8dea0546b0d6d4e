import pytest

from skdyn.symbolic.libraries import FourierLibrary, PolynomialLibrary
from skdyn.symbolic.libraries._concat import ConcatLibrary
from skdyn.symbolic.libraries._tensor import TensorLibrary


@pytest.mark.parametrize("cls", [ConcatLibrary, TensorLibrary])
def test_the_parts_are_polynomials_and_waves_unless_given(cls):
    given = cls(PolynomialLibrary(), FourierLibrary()).fit([[1.0, 2.0]])
    assert cls().fit([[1.0, 2.0]]).terms_ == given.terms_
    assert cls(left=FourierLibrary()).fit([[1.0]]).terms_ != cls().fit([[1.0]]).terms_


@pytest.mark.parametrize("cls", [ConcatLibrary, TensorLibrary])
def test_a_part_must_be_a_library(cls):
    with pytest.raises(ValueError, match="'right' parameter of"):
        cls(PolynomialLibrary(), "fourier").fit([[1.0]])
