"""The columns as they are."""

from skdyn.symbolic.libraries._base import FeatureLibrary

__all__ = ["IdentityLibrary"]


class IdentityLibrary(FeatureLibrary):
    """The columns themselves, without a constant.

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
    PolynomialLibrary : Their powers and products too.

    Examples
    --------
    >>> from skdyn.symbolic.libraries import FourierLibrary, IdentityLibrary
    >>> library = IdentityLibrary() + FourierLibrary()
    >>> library.fit([[0.0]]).get_feature_names_out()
    array(['x0', 'sin(x0)', 'cos(x0)'], dtype=object)
    """

    def _terms(self, inputs):
        for variable in inputs.values():
            yield ((variable, 1),)
