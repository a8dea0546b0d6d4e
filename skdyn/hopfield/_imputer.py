"""Filling gaps by masked retrieval."""

from __future__ import annotations

from functools import cached_property
from numbers import Real
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils import check_random_state

from skdyn._categories import categorical_columns
from skdyn._scales import standardized, units
from skdyn._state import ANY_NUMBER, OPTIONAL, PlainState, Shape, Since
from skdyn._validation import (
    Interval,
    StrOptions,
    check_array,
    check_is_fitted,
    fit_context,
    from_torch,
    validate_data,
)
from skdyn.exceptions import warn_user
from skdyn.hopfield._categories import (
    Coding,
    categories_of,
    codes_of,
    column_of,
    numbers_of,
)
from skdyn.hopfield._explanations import Asked, check_n_cases, explain_gaps, labels_of
from skdyn.hopfield._imputer_choice import choose_beta_and_alpha, corrected
from skdyn.hopfield._kept import Kept
from skdyn.hopfield._masked import MaskedPatterns
from skdyn.hopfield._separations import SEPARATIONS, Separation, as_separation
from skdyn.training import new_generator

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HopfieldImputer"]


class HopfieldImputer(PlainState, OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Fills gaps with what a memory recalls by the entries that are there.

    The training rows are the stored patterns. A row :math:`x` with known coordinates :math:`O` is
    compared with them on these alone, and recalls a mean [1]_

    .. math:: m_j = \\frac{\\sum_k p_k x_{kj}}{\\sum_k p_k}, \\qquad
        p = \\nabla\\Omega^*\\Bigl(-\\frac{\\beta}{2 d} \\lVert x_O - x_{k, O} \\rVert^2\\Bigr)_k

    over the patterns that have coordinate :math:`j`. Its gaps :math:`U` are filled with the mean,
    corrected by what ridge regression says of the difference that recall has left [2]_ [3]_,

    .. math:: \\hat x_U = m_U + C_{UO} (C_{OO} + \\alpha I)^{-1} (x_O - m_O).

    All this is in units of the columns' standard deviations, so that the units of the data do not
    matter. It takes the place of scikit-learn's ``KNNImputer``.

    Parameters
    ----------
    beta : float or "auto", default="auto"
        Inverse temperature: small recalls the mean of all rows, large the nearest row. It divides
        by the number :math:`d` of columns that vary, so that its meaning depends on neither units
        nor repeated columns. "auto" chooses among 2, 6, 18, 54 and 162 by the squared error on
        entries held out.
    alpha : float or "auto", default="auto"
        Ridge of the correction, in variances of a column; ``numpy.inf`` corrects nothing. "auto"
        chooses among 0.02, 0.3 and infinity, together with ``beta``, and goes on below.
    separation : {"softmax", "sparsemax", "entmax", "topk"} or Separation, default="softmax"
        From scores to weights of the rows; all but "softmax" give most rows none [1]_.
    missing_values : float, default=float("nan")
        What stands for a gap.
    copy : bool, default=True
        Whether to leave X as it is; False fills it in place where that is possible.
    add_indicator : bool, default=False
        Whether to append a column of ones where there were gaps, for each column that had gaps in
        ``fit``.
    keep_empty_features : bool, default=False
        Whether to keep columns that were all gaps in ``fit``, filled with zeros.
    categorical_features : "from_dtype", array-like or None, default="from_dtype"
        Which columns hold categories: those of a frame that are of dtype category, or of text; or
        names, numbers, or a truth value for each; None is none. A category that differs counts as
        much as two numbers do on average, a gap gets that of the largest weight, and only numbers
        are corrected, by each other. A category that ``fit`` has not seen stays, and tells nothing.
    sample_posterior : bool, default=False
        Whether to fill gaps with draws instead of means: in a row the entries of one stored row,
        drawn by its weight, corrected as means are. Several such tables, of different
        ``random_state``, tell how much an analysis depends on what is missing [2]_.
    random_state : int, RandomState instance or None, default=None
        Source of the draws; heard by ``transform``.

    Attributes
    ----------
    beta_ : float
        Inverse temperature.
    alpha_ : float
        Ridge of the correction.
    categories_ : list of (ndarray or None)
        Categories of each column, None for numbers.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, when all are strings.

    See Also
    --------
    HopfieldMemory : Completes single patterns.
    sklearn.impute.KNNImputer : Means of neighbors.

    Notes
    -----
    Entries are held out where other rows have their gaps, so that gaps that come together are
    tried together; where there are no gaps, every fifth entry. Gaps of the stored rows are first
    completed by regression, which serves comparisons only: expected distances need no pairs of
    rows that have enough in common. A stored row that has none of what is asked for is left out.

    References
    ----------
    .. [1] Saul Santos, Vlad Niculae, Daniel McNamee, André Martins, "Hopfield-Fenchel-Young
       Networks: A Unified Framework for Associative Memory Retrieval", arXiv:2411.08590, 2024.
    .. [2] Roderick Little, Donald Rubin, "Statistical Analysis with Missing Data", Wiley, 2002.
    .. [3] Hyunsoo Kim, Gene Golub, Haesun Park, "Missing value estimation for DNA microarray gene
       expression data: local least squares imputation", Bioinformatics 21, 2005.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn import HopfieldImputer
    >>> X = np.array([[1.0, 10.0], [1.0, 10.0], [5.0, 50.0], [5.0, np.nan], [np.nan, 10.0]])
    >>> HopfieldImputer(beta=100.0, alpha=np.inf).fit_transform(X)
    array([[ 1., 10.],
           [ 1., 10.],
           [ 5., 50.],
           [ 5., 50.],
           [ 1., 10.]])
    """

    _exponents = None, 250
    n_features_in_: int
    feature_names_in_: Annotated[np.ndarray, Shape("n_features_in_", "OU"), OPTIONAL]
    beta_: float
    alpha_: Annotated[float, ANY_NUMBER]
    _kept: Annotated[np.ndarray, Shape("n_features_in_", "b")]
    _indicated: Annotated[np.ndarray, Shape("n_features_in_", "b")]
    _offset: Annotated[np.ndarray, Shape("coded")]
    _scale: Annotated[np.ndarray, Shape("coded")]
    _stored: tuple[
        Annotated[np.ndarray, Shape("patterns coded")],
        Annotated[np.ndarray, Shape("patterns coded")] | None,
        Annotated[np.ndarray, Shape("coded coded")],
    ]
    categories_: Annotated[
        list[Annotated[np.ndarray, Shape("_", "biufOU")] | None],
        Since(lambda state: [None] * state["n_features_in_"]),
    ]
    categorical_features: Annotated[Any, Since(lambda state: None)]
    sample_posterior: Annotated[bool, Since(lambda state: False)]
    random_state: Annotated[Any, Since(lambda state: None)]

    _parameter_constraints: dict = {
        "beta": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "alpha": [Interval(Real, 0, None, closed="right"), StrOptions({"auto"})],
        "separation": [StrOptions(set(SEPARATIONS)), Separation],
        "missing_values": [Real],
        "copy": ["boolean"],
        "add_indicator": ["boolean"],
        "keep_empty_features": ["boolean"],
        "categorical_features": [StrOptions({"from_dtype"}), "array-like", None],
        "sample_posterior": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        beta: float | str = "auto",
        alpha: float | str = "auto",
        separation: str | Separation = "softmax",
        missing_values: float = np.nan,
        copy: bool = True,
        add_indicator: bool = False,
        keep_empty_features: bool = False,
        categorical_features: str | ArrayLike | None = "from_dtype",
        sample_posterior: bool = False,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.beta = beta
        self.alpha = alpha
        self.separation = separation
        self.missing_values = missing_values
        self.copy = copy
        self.add_indicator = add_indicator
        self.keep_empty_features = keep_empty_features
        self.categorical_features = categorical_features
        self.sample_posterior = sample_posterior
        self.random_state = random_state

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = _is_nan(self.missing_values)
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Store the rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data, with gaps or without.
        y : Ignored
            There for the sake of the interface.

        Returns
        -------
        self : object
            The fitted imputer.
        """
        X, gaps = self._read(X, reset=True)
        kept: Any = ~gaps.all(axis=0)
        indicated: Any = gaps.any(axis=0)
        self._kept, self._indicated = kept, indicated
        if not (self.keep_empty_features or self._kept.all()):
            names = getattr(self, "feature_names_in_", np.arange(X.shape[1]))
            warn_user(
                f"HopfieldImputer drops the columns {names[~self._kept].tolist()} of X, in which "
                "every value is missing. Set keep_empty_features=True to keep them, filled with "
                "zeros, or leave them out."
            )
        X, gaps = self._coding().expand(X[:, kept].astype(np.float64), gaps[:, kept])
        self._learn_units(X, gaps)
        values, known = self._in_units(X, gaps)
        given, separation = (self.beta, self.alpha), as_separation(self.separation)
        coding = self._coding()
        self.beta_, self.alpha_ = choose_beta_and_alpha(values, known, given, separation, coding)
        stored = MaskedPatterns.store(values, known)
        gaps = None if stored.known is None else stored.known.numpy()
        self._stored = stored.completed.numpy(), gaps, stored.covariance.numpy()
        return self

    def _coding(self):
        return Coding([each for each, kept in zip(self.categories_, self._kept) if kept])

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Fill gaps; what is there stays as it is.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data with gaps.

        Returns
        -------
        ndarray of shape (n_samples, n_features_out)
            Without the columns that were all gaps in ``fit``, and with those of the indicator,
            as parameters say.
        """
        check_is_fitted(self)
        given = X
        X, gaps = self._read(X, reset=False)
        lacking = self._lacking(X, gaps)
        marks = gaps[:, self._indicated]
        if self.keep_empty_features:
            X[:, ~self._kept] = 0
        columns = np.flatnonzero(self._kept)
        rows = np.flatnonzero(gaps[:, columns].any(axis=1))
        if rows.size:
            where = np.ix_(rows, columns)
            X[where] = np.where(gaps[where], self._fill(X[where], lacking[where]), X[where])
        X = self._named(given, X, gaps)
        if not (self.keep_empty_features or self._kept.all()):
            X = X[:, columns]
        return np.hstack([X, marks]) if self.add_indicator else X

    def explain(self, X: ArrayLike, n_cases: int = 5, *, cases: Any = None) -> pd.DataFrame:
        """Tell which stored rows filled the gaps, and by how much.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Data with gaps.
        n_cases : int, default=5
            How many cases a gap at most; the others count together.
        cases : DataFrame or Series or None, default=None
            The training data as they were passed to ``fit``, to name cases by its index. None
            names them by the numbers of their rows.

        Returns
        -------
        DataFrame
            Lines of each gap, by the row's index or number ("query"), its "column" and by falling
            weight ("rank"): the "case", its "kind" (others count together, and what regression
            corrects is no case), its "weight", which add up to one, its "value", and its
            "contribution": they add up to the number that is filled in, or to the share of votes of
            the category that is.

        Raises
        ------
        ValueError
            If ``n_cases`` is below one, or ``cases`` has fewer rows than the training data had.
        """
        check_is_fitted(self)
        check_n_cases(n_cases)
        table, gaps = self._read(X, reset=False)
        lacking, kept = self._lacking(table, gaps), self._kept
        names = getattr(self, "feature_names_in_", np.arange(table.shape[1]))
        asked = Asked(labels_of(X), names[kept], gaps[:, kept])
        coded, unknown = self._coding().expand(table[:, kept].astype(np.float64), lacking[:, kept])
        question = *self._in_units(coded, unknown), self.beta_, as_separation(self.separation)
        units = self._offset, self._scale
        return explain_gaps(self._memory(), question, self.alpha_, self._coding(), units, asked,
                            n_cases, cases)  # fmt: skip

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> np.ndarray:
        """Name the columns of the output.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the input's columns; None takes those seen in ``fit``, or ``x0, x1, ...``.

        Returns
        -------
        ndarray of shape (n_features_out,)
            Names.
        """
        names: Any = super().get_feature_names_out(input_features)
        out = names if self.keep_empty_features else names[self._kept]
        if not self.add_indicator:
            return out
        marks = [f"missingindicator_{name}" for name in names[self._indicated]]
        return np.concatenate([out, np.array(marks, dtype=object)])

    def _read(self, X, reset) -> tuple[np.ndarray, np.ndarray]:
        """Return numbers, or codes of categories, and where the gaps are."""
        X = from_torch(X)
        if reset:
            found = categorical_columns(X, self.categorical_features)
            self.categories_ = [
                categories_of(X, j, self.missing_values) if is_one else None
                for j, is_one in enumerate(found)
            ]
        if any(each is not None for each in self.categories_):
            return self._read_mixed(X, reset)
        nan = _is_nan(self.missing_values)
        X = validate_data(
            self, X, reset=reset, dtype=[np.float64, np.float32], copy=self.copy,
            force_writeable=True, ensure_all_finite="allow-nan" if nan else True,
        )  # fmt: skip
        gaps: Any = np.isnan(X) if nan else self.missing_values == X
        return X, gaps

    def _read_mixed(self, X, reset):
        validate_data(self, X, reset=reset, dtype=None, ensure_all_finite="allow-nan")
        parts = []
        for j, categories in enumerate(self.categories_):
            if categories is not None:
                parts.append(codes_of(X, j, categories, self.missing_values))
                continue
            column = numbers_of(X, j)
            missing = np.isnan(column) | (column == self.missing_values)
            parts.append((np.where(missing, np.nan, column), missing))
        table, gaps = (np.stack(each, axis=1) for each in zip(*parts))
        return check_array(table, ensure_all_finite="allow-nan"), gaps

    def _lacking(self, X, gaps):
        """Return what tells nothing: gaps, and categories that were not seen."""
        return gaps | np.isnan(X)

    def _named(self, given, X, gaps):
        """Return categories for their codes; what was there is as it came."""
        chosen = [j for j, each in enumerate(self.categories_) if each is not None]
        if not chosen:
            return X
        kinds: Any = [self.categories_[j] for j in chosen]
        numbers = all(each.dtype.kind in "iuf" for each in kinds)
        named = X.astype(np.float64 if numbers and not hasattr(given, "iloc") else object)
        for j in chosen:
            column, filled = column_of(given, j), gaps[:, j] & self._kept[j]
            categories: Any = self.categories_[j]
            named[~filled, j] = column[~filled]
            named[filled, j] = categories[X[filled, j].astype(int)]
        return named

    def _learn_units(self, X, gaps):
        counts = np.maximum((~gaps).sum(axis=0), 1)
        X = np.where(gaps, 0, X)
        unit = units(X)
        X /= unit
        offset = X.sum(axis=0) / counts
        square = np.square(np.where(gaps, 0, X - offset)).sum(axis=0) / counts
        self._offset, self._scale = offset * unit, np.sqrt(square) * unit
        # A constant column differs from its mean by rounding alone.
        constant = self._scale <= 10 * np.finfo(X.dtype).eps * np.abs(self._offset)
        self._scale[constant | ~self._coding().is_number] = 1

    def _in_units(self, X, gaps):
        """Return standardized values, zero in gaps, and ones where they are known."""
        values = standardized(np.where(gaps, self._offset, X), self._offset, self._scale)
        return torch.from_numpy(values), torch.from_numpy(1.0 - gaps)

    @cached_property
    def _remembered(self):
        return Kept()

    def _memory(self) -> MaskedPatterns:
        return self._remembered.get(_remember, *self._stored)

    def _fill(self, X, gaps):
        memory, coding = self._memory(), self._coding()
        values, known = self._in_units(*coding.expand(X.astype(np.float64), gaps))
        how = [self.beta_], as_separation(self.separation), coding.groups
        if self.sample_posterior:
            generator = new_generator(check_random_state(self.random_state).randint(2**31 - 1))
            chunks = memory.weight_chunks(values, known, *how)
            drawn = [memory.draw(each[0], coding.groups, generator) for _, each in chunks]
            recalled = torch.cat(drawn)
        else:
            (recalled,) = memory.recall(values, known, *how)
        filled = corrected(recalled, values, known, memory, self.alpha_, coding)
        return coding.collapse(filled.numpy() * self._scale + self._offset)


def _remember(completed, known, covariance):
    known = None if known is None else torch.from_numpy(known)
    return MaskedPatterns(torch.from_numpy(completed), known, torch.from_numpy(covariance))


def _is_nan(value):
    return value != value  # true of NaN alone, and harmless for wrong types
