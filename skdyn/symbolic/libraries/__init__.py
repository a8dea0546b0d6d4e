"""Feature libraries: the terms that an equation may be made of, as transformers.

A library turns columns (states; to their right controls and parameters) into columns of terms.
Libraries add (``a + b``: the terms of both) and multiply (``a * b``: the products of all pairs),
and :class:`ColumnLibrary` confines one to some of the columns. Every term has a name and a sympy
expression.

A library of one's own derives from :class:`FeatureLibrary` and lists its terms.
"""

from skdyn.symbolic.libraries._base import (
    ConcatLibrary,
    FeatureLibrary,
    IdentityLibrary,
    TensorLibrary,
)
from skdyn.symbolic.libraries._column import ColumnLibrary
from skdyn.symbolic.libraries._fourier import FourierLibrary
from skdyn.symbolic.libraries._function import FunctionLibrary
from skdyn.symbolic.libraries._polynomial import PolynomialLibrary

__all__ = [
    "ColumnLibrary",
    "ConcatLibrary",
    "FeatureLibrary",
    "FourierLibrary",
    "FunctionLibrary",
    "IdentityLibrary",
    "PolynomialLibrary",
    "TensorLibrary",
]
