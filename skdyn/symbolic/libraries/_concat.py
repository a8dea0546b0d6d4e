"""Two libraries side by side."""

from skdyn.symbolic.libraries._pair import PairLibrary

__all__ = ["ConcatLibrary"]


class ConcatLibrary(PairLibrary):
    """The terms of one library, then those of another that are not among them; ``left + right``.

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
    TensorLibrary : The products of their terms.

    Examples
    --------
    >>> from skdyn.symbolic.libraries import FunctionLibrary, PolynomialLibrary
    >>> library = PolynomialLibrary(1) + FunctionLibrary(["1", "exp(-x)"])
    >>> library.fit([[0.0]]).get_feature_names_out()
    array(['1', 'x0', 'exp(-x0)'], dtype=object)
    >>> library.set_params(left__degree=2).fit([[0.0]]).get_feature_names_out()
    array(['1', 'x0', 'x0^2', 'exp(-x0)'], dtype=object)
    """

    def _terms(self, inputs):
        for part in self._parts():
            yield from part._list_terms(inputs)
