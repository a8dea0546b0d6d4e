"""Filling gaps by masked retrieval."""

from __future__ import annotations

from numbers import Real
from typing import Annotated, Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin

from skdyn._scales import standardized, units
from skdyn._state import ANY_NUMBER, OPTIONAL, PlainState, Shape
from skdyn._validation import (
    Interval,
    StrOptions,
    check_is_fitted,
    fit_context,
    validate_data,
)
from skdyn.exceptions import warn_user
from skdyn.hopfield._masked import MaskedPatterns, regress
from skdyn.hopfield._separations import SEPARATIONS, Separation, as_separation

__all__ = ["HopfieldImputer"]

# Grids twice as fine fill wine, breast cancer, diabetes and digits no better on the average.
_BETAS = [2.0, 6.0, 18.0, 54.0, 162.0]
_ALPHAS = [0.02, 0.3, np.inf]
_RATIO = 3.0  # of steps beyond, where the best is at an end
_LEAST, _MOST = 0.01, 1e6  # betas: beyond, there is nothing but the mean, or the nearest row
_LEAST_ALPHA = 1e-5
_UNTRIED = 16.0, 0.1  # beta and alpha where nothing can be held out
_SHARE_OF_COMPLETE = 0.2  # hidden where the training data have no gaps to imitate
_N_TRIAL_ROWS = 200  # with 128, errors are 1 % larger; with 256 and 384, hardly smaller
# Steps of a sequence that spreads evenly over rows and columns, in any order of either: which
# entries are held out depends on no random state.
_ROW_STEP, _COLUMN_STEP = (5**0.5 - 1) / 2, 2**0.5


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

    Attributes
    ----------
    beta_ : float
        Inverse temperature.
    alpha_ : float
        Ridge of the correction.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, when all are strings.

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
    _offset: Annotated[np.ndarray, Shape("kept")]
    _scale: Annotated[np.ndarray, Shape("kept")]
    _stored: tuple[
        Annotated[np.ndarray, Shape("patterns kept")],
        Annotated[np.ndarray, Shape("patterns kept")] | None,
        Annotated[np.ndarray, Shape("kept kept")],
    ]

    _parameter_constraints: dict = {
        "beta": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "alpha": [Interval(Real, 0, None, closed="right"), StrOptions({"auto"})],
        "separation": [StrOptions(set(SEPARATIONS)), Separation],
        "missing_values": [Real],
        "copy": ["boolean"],
        "add_indicator": ["boolean"],
        "keep_empty_features": ["boolean"],
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
    ) -> None:
        self.beta = beta
        self.alpha = alpha
        self.separation = separation
        self.missing_values = missing_values
        self.copy = copy
        self.add_indicator = add_indicator
        self.keep_empty_features = keep_empty_features

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
        X, gaps = X[:, self._kept].astype(np.float64), gaps[:, self._kept]
        self._learn_units(X, gaps)
        values, known = self._in_units(X, gaps)
        self.beta_, self.alpha_ = self._choose(values, known)
        stored = MaskedPatterns.store(values, known)
        arrays: Any = tuple(part if part is None else part.numpy() for part in stored)
        self._stored = arrays
        return self

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
        X, gaps = self._read(X, reset=False)
        marks = gaps[:, self._indicated]
        if self.keep_empty_features:
            X[:, ~self._kept] = 0
        columns = np.flatnonzero(self._kept)
        rows = np.flatnonzero(gaps[:, columns].any(axis=1))
        if rows.size:
            where = np.ix_(rows, columns)
            X[where] = np.where(gaps[where], self._fill(X[where], gaps[where]), X[where])
        if not (self.keep_empty_features or self._kept.all()):
            X = X[:, columns]
        return np.hstack([X, marks]) if self.add_indicator else X

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
        nan = _is_nan(self.missing_values)
        X = validate_data(
            self, X, reset=reset, dtype=[np.float64, np.float32], copy=self.copy,
            force_writeable=True, ensure_all_finite="allow-nan" if nan else True,
        )  # fmt: skip
        gaps: Any = np.isnan(X) if nan else self.missing_values == X
        return X, gaps

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
        self._scale[constant] = 1

    def _in_units(self, X, gaps):
        """Return standardized values, zero in gaps, and ones where they are known."""
        values = standardized(np.where(gaps, self._offset, X), self._offset, self._scale)
        return torch.from_numpy(values), torch.from_numpy(1.0 - gaps)

    def _fill(self, X, gaps):
        values, known = self._in_units(X, gaps)
        parts: Any = (part if part is None else torch.from_numpy(part) for part in self._stored)
        memory = MaskedPatterns(*parts)
        separation = as_separation(self.separation)
        (recalled,) = memory.recall(values, known, [self.beta_], separation)
        filled = _correct(recalled, values, known, memory, self.alpha_)
        return filled.numpy() * self._scale + self._offset

    def _choose(self, values, known) -> Any:
        """Return the beta and alpha with the least squared error on entries held out."""
        betas = _BETAS if self.beta == "auto" else [self.beta]
        alphas = _ALPHAS if self.alpha == "auto" else [self.alpha]
        if len(betas) == len(alphas) == 1:
            return self.beta, self.alpha
        trial = torch.arange(0, len(values), -(-len(values) // _N_TRIAL_ROWS))
        held_out = _held_out(known, trial)
        asked = held_out.any(dim=1)
        trial, held_out = trial[asked], held_out[asked]
        if len(values) < 2 or len(trial) == 0:
            untried = zip((self.beta, self.alpha), _UNTRIED, strict=True)
            return tuple(default if given == "auto" else given for given, default in untried)
        values, held_out = values.float(), held_out.float()  # precise enough to choose by
        seen = known.float()
        seen[trial] -= held_out
        memory = MaskedPatterns.store(values * seen, seen)
        separation = as_separation(self.separation)
        values, seen = values[trial], seen[trial]

        def errors(betas, alphas):
            recalled = memory.recall(values, seen, betas, separation, exclude=trial)
            squares = [
                (held_out * (_correct(recalled, values, seen, memory, alpha) - values))
                .square().sum(dim=(1, 2)).tolist()
                for alpha in alphas
            ]  # fmt: skip
            return {
                (beta, alpha): square
                for alpha, row in zip(alphas, squares) for beta, square in zip(betas, row)
            }  # fmt: skip

        return self._climb(errors, betas, alphas)

    def _climb(self, errors, betas, alphas):
        """Return the beta and alpha of the least error; go on where they are at an end."""
        found = errors(betas, alphas)
        while True:
            beta, alpha = min(found, key=found.get)
            tried = {beta for beta, _ in found}, {alpha for _, alpha in found}
            further = []
            if self.beta == "auto" and beta == max(tried[0]) and beta * _RATIO <= _MOST:
                further.append((beta * _RATIO, alpha))
            if self.beta == "auto" and beta == min(tried[0]) and beta / _RATIO >= _LEAST:
                further.append((beta / _RATIO, alpha))
            if self.alpha == "auto" and alpha == min(tried[1]) and alpha / _RATIO >= _LEAST_ALPHA:
                further.append((beta, alpha / _RATIO))
            if not further:
                return float(beta), float(alpha)
            for beta, alpha in further:
                found |= errors([beta], [alpha])


def _is_nan(value):
    return value != value  # true of NaN alone, and harmless for wrong types


def _correct(recalled, values, known, memory, alpha):
    """Add to gaps what regression says of the difference that recall has left elsewhere."""
    if np.isinf(alpha):
        return recalled
    return recalled + regress(values - recalled, known, memory.covariance, alpha)


def _held_out(known, trial):
    """Return ones where an entry of the trial rows is to be hidden, else zeros.

    A row borrows the gaps of another. Where it has gaps of its own, it takes half of them, so that
    it is not left with far less than rows have.
    """
    columns = torch.arange(known.shape[1])
    spread = (trial[:, None] * _ROW_STEP + columns * _COLUMN_STEP) % 1
    incomplete = torch.nonzero((known == 0).any(dim=1) & known.any(dim=1))[:, 0]
    if len(incomplete) == 0:
        return known[trial] * (spread < _SHARE_OF_COMPLETE)
    borrowed = 1 - known[incomplete[(trial + 1) % len(incomplete)]]
    half = (spread < 0.5) | known[trial].all(dim=1, keepdim=True)
    return known[trial] * borrowed * half
