"""What every feature library can do, and how two are put together."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

from skdyn._state import OPTIONAL, PlainState, Shape
from skdyn._validation import check_is_fitted, fit_context, validate_data
from skdyn.formulas._reader import names_in
from skdyn.symbolic.libraries._term import (
    columns_of,
    evaluate_terms,
    product,
    show_term,
    term_to_sympy,
)

if TYPE_CHECKING:
    import sympy

__all__ = ["ConcatLibrary", "FeatureLibrary", "IdentityLibrary", "PairLibrary", "TensorLibrary"]

# A dense matrix of so many columns over a thousand rows is 0.8 GB; a larger library is a mistake.
_MOST_TERMS = 100_000
_POWER = 500  # the highest degree of a term; evaluating it recurses


def _names_in(library: Any, input_features: ArrayLike | None = None) -> Any:
    """Return the names of the columns, by the public way to scikit-learn's check of them."""
    return OneToOneFeatureMixin.get_feature_names_out(library, input_features)


class FeatureLibrary(PlainState, TransformerMixin, BaseEstimator, ABC):
    """Base of all libraries: a transformer from columns to terms.

    A subclass supplies ``_terms(inputs)``, which yields its terms: tuples of pairs (formula,
    power), such as ``(("x0", 2), ("sin(2*x1)", 1))``. ``inputs`` maps the name of each column to
    its variable "x0", "x1", ... One made of other libraries names them in ``_parts()``.

    A term that occurs twice is kept once.

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

    Examples
    --------
    >>> from skdyn.symbolic.libraries import FourierLibrary, PolynomialLibrary
    >>> library = PolynomialLibrary(1) * FourierLibrary(include_cos=False)
    >>> library.fit([[0.0, 1.0]]).get_feature_names_out(["x", "y"])
    array(['sin(x)', 'sin(y)', 'x sin(x)', 'x sin(y)', 'y sin(x)', 'y sin(y)'],
          dtype=object)
    """

    n_features_in_: int
    feature_names_in_: Annotated[np.ndarray, Shape("n_features_in_", "OU"), OPTIONAL]
    n_output_features_: int
    terms_: list[tuple[tuple[str, int], ...]]
    _functions: dict[str, Callable]

    _parameter_constraints: dict = {}

    @abstractmethod
    def _terms(self, inputs) -> Iterable:
        """Yield the terms; ``inputs`` maps names of columns to variables."""
        ...

    def _parts(self) -> Sequence[FeatureLibrary]:
        """Return the libraries that this one is made of."""
        return ()

    @classmethod
    def _check_state(cls, state):
        """Refuse what are no terms of so many columns."""
        if "terms_" not in state:
            return
        terms, n_columns = state["terms_"], state["n_features_in_"]
        if len(terms) != state["n_output_features_"] or len({*map(frozenset, terms)}) < len(terms):
            raise ValueError("The terms are not as many different ones as there are columns.")
        formulas = {formula for term in terms for formula, _ in term}
        for name in {n for text in formulas for n in names_in(text, state["_functions"])}:
            if not re.fullmatch(r"x\d{1,9}", name) or int(name[1:]) >= n_columns:
                raise ValueError(f"{name!r} is none of the {n_columns} columns that terms are of.")
        for term in terms:
            powers = [power for _, power in term]
            if len(dict(term)) < len(term) or min(powers, default=1) < 1 or sum(powers) > _POWER:
                raise ValueError(f"{term} is no term: its factors are not distinct, or too many.")

    def _callables(self):
        """Map names to the functions in the terms that numpy does not have."""
        merged = {}
        for part in self._parts():
            for name, function in part._callables().items():
                if merged.setdefault(name, function) is not function:
                    raise ValueError(
                        f"Two different functions are named {name!r}. Give them names of their "
                        "own: FunctionLibrary(functions, names=...)."
                    )
        return merged

    def _list_terms(self, inputs):
        """Return the distinct terms, after a look at the parameters: parts are never fitted."""
        self._validate_params()
        distinct = {}
        for term in self._terms(inputs):
            distinct.setdefault(frozenset(term), term)
            if len(distinct) > _MOST_TERMS:
                raise ValueError(
                    f"{type(self).__name__} makes more than {_MOST_TERMS} terms of "
                    f"{len(inputs)} columns. Lower its degree or number of functions, or confine "
                    "it to some columns with ColumnLibrary."
                )
        if not distinct:
            raise ValueError(
                f"{self} makes no terms of {len(inputs)} columns. Give it functions, a higher "
                "degree or the bias."
            )
        return list(distinct.values())

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """List the terms for these columns.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data; only the number and names of the columns matter.
        y : Ignored
            Not used, present for consistency.

        Returns
        -------
        self : FeatureLibrary
            The fitted library.

        Raises
        ------
        ValueError
            If there are no terms or too many, or two functions have the same name.
        """
        X = validate_data(self, X, dtype=np.float64)
        names = _names_in(self)
        inputs = {name: f"x{i}" for i, name in enumerate(names)}
        terms, self._functions = self._list_terms(inputs), self._callables()
        self.terms_, self.n_output_features_ = terms, len(terms)
        return self

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Evaluate the terms.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data.

        Returns
        -------
        ndarray of shape (n_samples, n_output_features_)
            One column a term, float64.

        Raises
        ------
        ValueError
            If a term is NaN or infinite somewhere; the message names term, row and values.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)
        values = evaluate_terms(self.terms_, X, self._functions)
        finite = np.isfinite(values)
        if not finite.all():
            self._refuse(values, int(np.argmin(finite.all(axis=0))), X)
        return values

    def _refuse(self, values, column, X):
        """Say which term has no value, and where."""
        term, names = self.terms_[column], _names_in(self)
        row = int(np.argmin(np.isfinite(values[:, column])))
        where = [f"{names[i]}={X[row, i]:g}" for i in columns_of(term, self._functions)]
        raise ValueError(
            f"The term {show_term(term, names, self._functions)} is {values[row, column]} in row "
            f"{row} of X, where {', '.join(where)}. Leave it out of the library, confine its "
            "library to other columns with ColumnLibrary, or shift or scale X."
        )

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> np.ndarray:
        """Return the names of the terms.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the columns; None uses those seen during fit, else x0, x1, ...

        Returns
        -------
        ndarray of shape (n_output_features_,)
            Names such as "1", "x0 x1^2" or "sin(2 x0)", dtype object.
        """
        check_is_fitted(self)
        names = _names_in(self, input_features)
        shown = [show_term(term, names, self._functions) for term in self.terms_]
        return np.array(shown, dtype=object)

    def to_sympy(self, symbols: Sequence[sympy.Symbol] | None = None) -> list[sympy.Expr]:
        """Return the terms as sympy expressions.

        Parameters
        ----------
        symbols : sequence of sympy.Symbol or None, default=None
            One for each column; None makes them of the columns' names.

        Returns
        -------
        list of sympy.Expr
            One for each column of :meth:`transform`. Callables are undefined functions.

        Raises
        ------
        ValueError
            If the number of symbols is not that of the columns.
        """
        import sympy

        check_is_fitted(self)
        if symbols is None:
            symbols = [sympy.Symbol(n) for n in _names_in(self)]
        if len(symbols) != self.n_features_in_:
            raise ValueError(
                f"symbols must hold one for each of the {self.n_features_in_} columns; got "
                f"{len(symbols)}."
            )
        known = {f"x{i}": symbol for i, symbol in enumerate(symbols)}
        return [term_to_sympy(term, known, self._functions) for term in self.terms_]

    def __add__(self, other: FeatureLibrary) -> ConcatLibrary:
        return ConcatLibrary(self, other) if isinstance(other, FeatureLibrary) else NotImplemented

    def __mul__(self, other: FeatureLibrary) -> TensorLibrary:
        return TensorLibrary(self, other) if isinstance(other, FeatureLibrary) else NotImplemented


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


class PairLibrary(FeatureLibrary):
    """Base of libraries made of two."""

    _parameter_constraints = {"left": [FeatureLibrary, None], "right": [FeatureLibrary, None]}

    def __init__(
        self, left: FeatureLibrary | None = None, right: FeatureLibrary | None = None
    ) -> None:
        self.left = left
        self.right = right

    def _parts(self):
        return [IdentityLibrary() if part is None else part for part in (self.left, self.right)]


class ConcatLibrary(PairLibrary):
    """The terms of one library, then those of another that are not among them; ``left + right``.

    Parameters
    ----------
    left : FeatureLibrary or None, default=None
        The first library; None is ``IdentityLibrary()``.
    right : FeatureLibrary or None, default=None
        The second library; None is ``IdentityLibrary()``.

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


class TensorLibrary(PairLibrary):
    """The products of every term of one library with every term of another; ``left * right``.

    Equal factors become a power, and a product that occurs twice is kept once.

    Parameters
    ----------
    left : FeatureLibrary or None, default=None
        The first library; None is ``IdentityLibrary()``.
    right : FeatureLibrary or None, default=None
        The second library; None is ``IdentityLibrary()``.

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
