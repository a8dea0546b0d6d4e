"""Feature libraries: the terms that an equation may be made of, as transformers.

A library turns columns (states; to their right controls and parameters) into columns of terms.
Libraries add (``a + b``: the terms of both) and multiply (``a * b``: the products of all pairs),
and :class:`ColumnLibrary` confines one to some of the columns. Every term has a name and a sympy
expression.

A library of one's own derives from :class:`FeatureLibrary` and lists its terms.
"""

from skdyn.symbolic.libraries._base import FeatureLibrary
from skdyn.symbolic.libraries._column import ColumnLibrary
from skdyn.symbolic.libraries._concat import ConcatLibrary
from skdyn.symbolic.libraries._fourier import FourierLibrary
from skdyn.symbolic.libraries._function import FunctionLibrary
from skdyn.symbolic.libraries._identity import IdentityLibrary
from skdyn.symbolic.libraries._polynomial import PolynomialLibrary
from skdyn.symbolic.libraries._tensor import TensorLibrary

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
