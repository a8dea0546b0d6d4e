"""A library of some of the columns."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any

from skdyn.symbolic.libraries._base import FeatureLibrary
from skdyn.symbolic.libraries._polynomial import PolynomialLibrary

__all__ = ["ColumnLibrary"]


class ColumnLibrary(FeatureLibrary):
    """A library confined to some of the columns: to states, controls or parameters.

    Parameters
    ----------
    library : FeatureLibrary or None, default=None
        The library; None is ``PolynomialLibrary()``.
    columns : list or tuple of int or str, or None, default=None
        Indices or names of its columns, in its order; negative indices count from the right. None
        is all of them.

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
    TensorLibrary : Multiplies the libraries of states and of parameters.

    References
    ----------
    .. [1] S. L. Brunton, J. L. Proctor, J. N. Kutz, "Discovering Governing Equations from Data by
       Sparse Identification of Nonlinear Dynamical Systems", PNAS 113, 2016.

    Examples
    --------
    Equations whose coefficients are polynomials of a parameter [1]_, here in the last column:

    >>> from skdyn.symbolic.libraries import ColumnLibrary, PolynomialLibrary
    >>> of_parameter = ColumnLibrary(PolynomialLibrary(1), columns=[-1])
    >>> of_states = ColumnLibrary(PolynomialLibrary(2, include_bias=False), columns=[0, 1])
    >>> library = of_parameter * of_states
    >>> library.fit([[0.0, 0.0, 1.0]]).get_feature_names_out(["x", "y", "mu"])
    array(['x', 'y', 'x^2', 'x y', 'y^2', 'mu x', 'mu y', 'mu x^2', 'mu x y',
           'mu y^2'], dtype=object)
    """

    _parameter_constraints = {
        "library": [FeatureLibrary, None],
        "columns": [list, tuple, None],
    }

    def __init__(
        self, library: FeatureLibrary | None = None, columns: Sequence[Any] | None = None
    ) -> None:
        self.library = library
        self.columns = columns

    def _parts(self):
        return (PolynomialLibrary() if self.library is None else self.library,)

    def _terms(self, inputs):
        (part,) = self._parts()
        names = list(inputs) if self.columns is None else self._names(list(inputs), self.columns)
        return part._list_terms({name: inputs[name] for name in names})

    @staticmethod
    def _names(names, columns):
        """Return the names of the columns; an index may be negative."""
        for column in columns:
            known = column in names
            if isinstance(column, Integral):
                known = -len(names) <= int(column) < len(names)
            if not known:
                raise ValueError(
                    f"columns names {column!r}, but the library is given {len(names)} columns: "
                    f"{', '.join(map(str, names))}."
                )
        return [names[c] if isinstance(c, Integral) else c for c in columns]
