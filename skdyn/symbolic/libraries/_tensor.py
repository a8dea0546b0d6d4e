"""Products of two libraries."""

from skdyn.symbolic.libraries._pair import PairLibrary
from skdyn.symbolic.libraries._term import product

__all__ = ["TensorLibrary"]


class TensorLibrary(PairLibrary):
    """The products of every term of one library with every term of another; ``left * right``.

    Equal factors become a power, and a product that occurs twice is kept once.

    Parameters
    ----------
    left : FeatureLibrary or None, default=None
        The first library; None is ``PolynomialLibrary()``.
    right : FeatureLibrary or None, default=None
        The second library; None is ``FourierLibrary()``.

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
    ConcatLibrary : The terms of both.
    ColumnLibrary : Confines a factor to parameters or states.

    Examples
    --------
    >>> from skdyn.symbolic.libraries import IdentityLibrary, PolynomialLibrary
    >>> library = PolynomialLibrary(1) * IdentityLibrary()
    >>> library.fit([[0.0, 0.0]]).get_feature_names_out(["x", "y"])
    array(['x', 'y', 'x^2', 'x y', 'y^2'], dtype=object)
    """

    def _terms(self, inputs):
        left, right = (part._list_terms(inputs) for part in self._parts())
        for one in left:
            for other in right:
                yield product(one, other)
