"""Polynomials."""

from itertools import combinations_with_replacement
from numbers import Integral

from skdyn._validation import Interval
from skdyn.symbolic.libraries._base import FeatureLibrary
from skdyn.symbolic.libraries._term import product

__all__ = ["PolynomialLibrary"]


class PolynomialLibrary(FeatureLibrary):
    """Monomials up to a degree, ordered as in scikit-learn's ``PolynomialFeatures``.

    .. math:: 1, x_0, x_1, x_0^2, x_0 x_1, x_1^2, \\ldots

    Parameters
    ----------
    degree : int, default=2
        Highest degree.
    include_interaction : bool, default=True
        Whether to include products of different columns; if not, only pure powers.
    include_bias : bool, default=True
        Whether to include the constant.

    Attributes
    ----------
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, when all are strings.
    n_output_features_ : int
        Number of terms.
    terms_ : list of tuple of (str, int)
        The terms: formulas in x0, x1, ... with their powers.

    See Also
    --------
    IdentityLibrary : The columns themselves.

    Examples
    --------
    >>> from skdyn.symbolic.libraries import PolynomialLibrary
    >>> library = PolynomialLibrary(degree=2)
    >>> library.fit_transform([[2.0, 3.0]])
    array([[1., 2., 3., 4., 6., 9.]])
    >>> library.get_feature_names_out()
    array(['1', 'x0', 'x1', 'x0^2', 'x0 x1', 'x1^2'], dtype=object)
    """

    _parameter_constraints = {
        "degree": [Interval(Integral, 0, None, closed="left")],
        "include_interaction": ["boolean"],
        "include_bias": ["boolean"],
    }

    def __init__(
        self, degree: int = 2, include_interaction: bool = True, include_bias: bool = True
    ) -> None:
        self.degree = degree
        self.include_interaction = include_interaction
        self.include_bias = include_bias

    def _terms(self, inputs):
        if self.include_bias:
            yield ()
        columns = [((variable, 1),) for variable in inputs.values()]
        for degree in range(1, self.degree + 1):
            if self.include_interaction:
                choices = combinations_with_replacement(columns, degree)
            else:
                choices = ([column] * degree for column in columns)
            for factors in choices:
                yield product(*factors)
