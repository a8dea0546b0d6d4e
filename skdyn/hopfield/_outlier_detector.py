"""Outliers: what a memory has nothing like."""

from __future__ import annotations

from functools import cached_property, partial
from numbers import Real
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, OutlierMixin

from skdyn._blocks import in_blocks
from skdyn._outliers import far_values
from skdyn._scales import standardized
from skdyn._state import OPTIONAL, PlainState, Shape, Since
from skdyn._validation import (
    Interval,
    StrOptions,
    check_is_fitted,
    check_weights,
    fit_context,
    from_torch,
    validate_data,
)
from skdyn.exceptions import warn_user
from skdyn.hopfield._density import heaviest_kernels, log_densities, most_likely_beta
from skdyn.hopfield._explanations import case_table, check_n_cases, labels_of
from skdyn.hopfield._frozen_memory import FrozenMemory
from skdyn.hopfield._index import FaissIndex, as_index
from skdyn.hopfield._kept import Kept
from skdyn.hopfield._store import Finder, Store, merged, scales

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HopfieldOutlierDetector"]

_N_SCORES = 2**26  # compared to set offset_: all rows of 8192;
_N_LEAST = 1000  # or so many rows, if that is more;
_N_BELOW = 100  # or so many that a share holds a hundred outliers
_FENCE = 1.5  # Tukey's, in distances between the quartiles


class HopfieldOutlierDetector(PlainState, OutlierMixin, BaseEstimator):
    """Finds outliers by the energy of a Hopfield network that stores the data.

    A row :math:`\\xi`, standardized, is compared with all stored rows :math:`x_k`, and scored by
    minus its energy in a continuous memory of them [1]_,

    .. math:: -E(\\xi) = \\tfrac1\\beta \\log \\tfrac1K \\sum_k \\exp\\bigl(\\beta s_k\\bigr)
        - \\tfrac12 \\lVert \\xi \\rVert^2, \\qquad
        s_k = x_k^\\top \\xi - \\tfrac12 \\lVert x_k \\rVert^2,

    which times :math:`\\beta` is the logarithm of a kernel density with Gaussian kernels of
    variance :math:`1 / \\beta`, up to a constant. Where ``fit`` is given outliers too, these have a
    memory of their own, and the score is the difference between the energies in both [2]_: over
    :math:`1 / \\beta`, the logarithm of the ratio of two densities.

    **A stored row is scored as a new one would be**: one copy of it, weight one, is left out. So
    one threshold serves the rows of ``fit`` and those to come.

    Parameters
    ----------
    beta : float or "auto", default="auto"
        Inverse temperature, one over the variance of the kernels, in units of the columns'
        variances: small values compare with all rows, large ones with the nearest. "auto" is the
        most likely one: each row, or each of a sample, given all rows that differ from it. Known
        outliers then have one of their own, as they may lie wider apart.
    contamination : float or "auto", default="auto"
        Share of the rows of ``fit``, up to one half, to be called outliers; where outliers are
        labeled, of the others. "auto" draws Tukey's fence: the lower quartile of the scores
        less 1.5 times the distance between the quartiles. Where outliers are labeled, it is zero,
        where both memories are alike.
    standardize : bool, default=True
        Whether to divide each column by its standard deviation, values far from all others held in.
        False suits columns in one unit, such as pixels, in which those that vary little say little.
    index : {"exact", "faiss"} or FaissIndex, default="exact"
        Compare rows with all stored ones, or with candidates from an approximate index, for many
        rows; that needs the extra ``index``. The density is then that of the candidates alone, too
        low where ``beta`` is so small that others count.

    Attributes
    ----------
    patterns_ : ndarray of shape (n_patterns, n_features_in_)
        Stored rows in the units of X, each distinct one once; outliers apart.
    pattern_rows_ : ndarray of shape (n_patterns,)
        The row of the training data in which each came first, -1 in files of earlier versions.
    outliers_ : ndarray of shape (n_outliers, n_features_in_)
        Distinct rows that were labeled as outliers; none where none were.
    outlier_rows_ : ndarray of shape (n_outliers,)
        The row of the training data in which each came first.
    beta_ : float
        Inverse temperature used.
    outlier_beta_ : float
        Inverse temperature of the memory of known outliers, ``beta_`` where there are none.
    offset_ : float
        Score below which a row is an outlier.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, when all are strings.

    See Also
    --------
    HopfieldMemory : Restores rows instead of judging them.

    Notes
    -----
    Each row that is asked for is compared with all that are stored. ``fit`` asks for few: 200 rows
    (all of 1000) choose ``beta``, and ``offset_`` is set by 1000 rows (all of 8192), or by so many
    that ``contamination`` is a hundred of them. They are the first in an order that is the rows'
    own and says nothing of them. Memory is that of two copies of X.

    References
    ----------
    .. [1] Hubert Ramsauer et al., "Hopfield Networks is All You Need", ICLR 2021.
    .. [2] C. Hofmann, S. Schmid, B. Lehner, D. Klotz, S. Hochreiter,
       "Energy-based Hopfield Boosting for Out-of-Distribution Detection", NeurIPS 2024.

    Examples
    --------
    >>> from skdyn import HopfieldOutlierDetector
    >>> X = [[0.0, 0.1], [0.1, 0.0], [0.2, 0.1], [0.1, 0.2], [0.0, 0.2], [3.0, 3.0]]
    >>> HopfieldOutlierDetector().fit_predict(X)
    array([ 1,  1,  1,  1,  1, -1])
    """

    n_features_in_: int
    feature_names_in_: Annotated[np.ndarray, Shape("n_features_in_", "OU"), OPTIONAL]
    beta_: float
    outlier_beta_: float
    offset_: float
    patterns_: Annotated[np.ndarray, Shape("patterns n_features_in_")]
    outliers_: Annotated[np.ndarray, Shape("outliers n_features_in_")]
    _mass: Annotated[np.ndarray, Shape("patterns")]
    _outlier_mass: Annotated[np.ndarray, Shape("outliers")]
    _center: Annotated[np.ndarray, Shape("n_features_in_")]
    _scale: Annotated[np.ndarray, Shape("n_features_in_")]
    pattern_rows_: Annotated[
        np.ndarray, Shape("patterns", "iu"), Since(lambda state: _no_rows(state["patterns_"]))
    ]
    outlier_rows_: Annotated[
        np.ndarray, Shape("outliers", "iu"), Since(lambda state: _no_rows(state["outliers_"]))
    ]
    index: Annotated[Any, Since(lambda state: "exact")]

    _parameter_constraints = {
        "beta": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "contamination": [Interval(Real, 0, 0.5, closed="right"), StrOptions({"auto"})],
        "standardize": ["boolean"],
        "index": [StrOptions({"exact", "faiss"}), FaissIndex],
    }

    def __init__(
        self,
        *,
        beta: float | str = "auto",
        contamination: float | str = "auto",
        standardize: bool = True,
        index: str | FaissIndex = "exact",
    ) -> None:
        self.beta = beta
        self.contamination = contamination
        self.standardize = standardize
        self.index = index

    # -- storing ---------------------------------------------------------------------------------

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: ArrayLike, y: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Store the rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows, with known outliers among them or without.
        y : array-like of shape (n_samples,) or None, default=None
            -1 for known outliers, +1 for all others. Without -1, no outliers are known: other
            labels, which a pipeline may pass on, are not used.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights: one of two is two such rows, one of zero is not there.

        Returns
        -------
        self : HopfieldOutlierDetector
            The fitted detector.

        Raises
        ------
        ValueError
            If X holds NaN or infinity or fewer than two rows that are no known outliers, or y
            -1 beside labels other than +1.

        Warns
        -----
        UserWarning
            If y holds other labels and no -1.
        """
        X = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        weight = check_weights(sample_weight, X)
        weight = np.ones(len(X)) if weight is None else weight
        known = self._known_outliers(X, y)
        inside, outside = (_stored(X, weight, rows) for rows in (~known, known))
        self.patterns_, self._mass = inside.patterns, inside.mass
        self.outliers_, self._outlier_mass = outside.patterns, outside.mass
        self.pattern_rows_, self.outlier_rows_ = inside.rows, outside.rows
        self._check_number()
        self._learn_units()
        self._choose_betas()
        self.offset_ = self._threshold()
        return self

    def _known_outliers(self, X, y):
        if y is None:
            return np.zeros(len(X), dtype=bool)
        y = np.asarray(from_torch(y))
        if y.shape != (len(X),):
            raise ValueError(
                f"y must have one label for each of the {len(X)} rows of X; its shape is {y.shape}."
            )
        known, other = y == -1, y[~np.isin(y, [-1, 1])].tolist()
        first = other[0] if other else None
        advice = "pass np.where(is_outlier, -1, 1), or no y where no outliers are known."
        if len(other) and known.any():
            raise ValueError(
                "y must be -1 for known outliers and +1 for all other rows; it holds -1 and "
                f"{first!r}: {advice}"
            )
        if len(other):
            warn_user(
                f"y holds {first!r}, and no -1, the label of known outliers: it was not used, as "
                f"outlier detectors of scikit-learn use none. To label outliers, {advice}"
            )
        return np.asarray(known)

    def _check_number(self):
        total = self._mass.sum()
        if total > 1 or len(self._mass) > 1:
            return
        known = len(self.outliers_)
        raise ValueError(
            f"Found {len(self._mass)} rows, n_samples={len(self._mass)}, that are not known "
            f"outliers (y=-1: {known} rows); at least two of positive weight are needed to compare "
            "with."
        )

    def _learn_units(self):
        """Learn means and deviations; a few values that are far from all others set neither."""
        table = self.patterns_
        alike = (self._mass == self._mass[0]).all()
        found = list(far_values(table, None if alike else self._mass))
        if found:
            table = table.copy()
        for column, rows, middle, reach in found:
            table[rows, column] = table[rows, column].clip(middle - reach, middle + reach)
        self._center, self._scale = scales(table, self._mass)
        if not self.standardize:
            varies = (table != table[0]).any(axis=0)
            typical = np.sqrt(np.mean(np.square(self._scale[varies]))) if varies.any() else 1.0
            self._scale = np.full(len(self._scale), typical)

    def _scaled(self, X):
        scaled = partial(standardized, offset=self._center, scale=self._scale)
        return torch.from_numpy(in_blocks(scaled, X))

    def _choose_betas(self):
        self.beta_ = self.outlier_beta_ = 1.0 if self.beta == "auto" else float(self.beta)
        if self.beta == "auto":
            mass, known = map(torch.from_numpy, (self._mass, self._outlier_mass))
            self.beta_ = most_likely_beta(self._scaled(self.patterns_), mass)
            self.outlier_beta_ = self.beta_
            if len(known) > 1:
                self.outlier_beta_ = most_likely_beta(self._scaled(self.outliers_), known)

    @cached_property
    def _kept(self):
        return Kept()

    def _memories(self):
        """Return the memory of ordinary rows and that of known outliers, standardized."""
        arrays = self.patterns_, self._mass, self.outliers_, self._outlier_mass
        units = self._center, self._scale
        index = as_index(self.index)
        return self._kept.get(
            self._remember, *arrays, self.beta_, self.outlier_beta_, index, *units
        )

    def _remember(self, patterns, mass, outliers, outlier_mass, beta, outlier_beta, index, *_units):
        inside, outside = (
            FrozenMemory(self._scaled(rows), None, torch.from_numpy(m), beta, index=index)
            for rows, m, beta in ((patterns, mass, beta), (outliers, outlier_mass, outlier_beta))
        )
        if index is not None:
            inside.built  # noqa: B018 - now, not at the first question
        finders = Finder(patterns), Finder(outliers) if len(outliers) else None
        return inside, outside, *finders, self._n_varying(inside, outside)

    def _threshold(self):
        if self.contamination == "auto" and len(self.outliers_):
            return 0.0
        share: Any = 1.0 if self.contamination == "auto" else self.contamination
        rows = slice(max(_N_SCORES // len(self._mass), _N_LEAST, round(_N_BELOW / share)))
        scores, mass = self._scores(self.patterns_[rows]), self._mass[rows]
        if self.contamination == "auto":
            low, high = (_quantile(scores, mass, share) for share in (0.25, 0.75))
            return low - _FENCE * (high - low)
        return _quantile(scores, mass, self.contamination)

    # -- judging ---------------------------------------------------------------------------------

    def score_samples(self, X: ArrayLike) -> np.ndarray:
        """Return minus the energies of rows: the lower, the less is stored that is like them.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows. Those that were stored are compared with all others, and with their copies.

        Returns
        -------
        ndarray of shape (n_samples,)
            Scores; with known outliers, less minus the energies in the memory of these.
        """
        check_is_fitted(self)
        return self._scores(validate_data(self, X, reset=False, dtype=np.float64))

    def _scores(self, X):
        inside, outside, patterns, outliers, n_varying = self._memories()
        queries = self._scaled(X)
        scores = log_densities(queries, inside, torch.from_numpy(patterns.places(X)))
        if outliers is not None:
            ratio = self.outlier_beta_ / self.beta_
            kernels = n_varying / 2 * np.log(ratio)
            known = log_densities(queries, outside, torch.from_numpy(outliers.places(X)))
            scores -= ratio * known + kernels / self.beta_
        return scores.numpy()

    @staticmethod
    def _n_varying(inside, outside):
        """Return the number of columns that kernels of different width are compared in."""
        if not len(outside):
            return 0
        first = inside.keys[0]
        varies = [(memory.keys != first).any(dim=0) for memory in (inside, outside)]
        return int((varies[0] | varies[1]).sum())

    def explain(self, X: ArrayLike, n_cases: int = 5, *, cases: Any = None) -> pd.DataFrame:
        """Tell which stored rows the density at others comes from.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows; of those that were stored, one copy of theirs takes no part.
        n_cases : int, default=5
            How many cases a row at most; the others count together.
        cases : DataFrame or Series or None, default=None
            The training data as they were passed to ``fit``, to name cases by its index. None
            names them by the numbers of their rows.

        Returns
        -------
        DataFrame
            Lines of each row of X, by its index or number ("query") and by falling weight
            ("rank"): the "case", its "kind" (others count together), its "weight", a share of the
            density, which add up to one, and its "distance", standardized. Where outliers are
            known, these have lines of their own, with weights that add up to one again; "memory"
            tells them apart.

        Raises
        ------
        ValueError
            If ``n_cases`` is below one, or ``cases`` has fewer rows than the training data had.
        """
        check_is_fitted(self)
        check_n_cases(n_cases)
        names = labels_of(X)
        X = validate_data(self, X, reset=False, dtype=np.float64)
        inside, outside, patterns, outliers, _ = self._memories()
        parts = [("ordinary rows", inside, patterns, self.pattern_rows_)]
        if outliers is not None:
            parts.append(("known outliers", outside, outliers, self.outlier_rows_))
        queries, lines = self._scaled(X), []
        for name, memory, finder, numbers in parts:
            places = torch.from_numpy(finder.places(X))
            found, weights = heaviest_kernels(queries, memory, n_cases, places)
            distances = torch.linalg.vector_norm(queries[:, None] - memory.keys[found], dim=2)
            for query in range(len(X)):
                n_found = int((found[query] >= 0).sum())
                mine = weights[query, :n_found].tolist()
                lines += [
                    (names[query], rank, int(numbers[found[query, rank]]), name, "case",
                     mine[rank], distances[query, rank].item())
                    for rank in range(n_found)
                ]  # fmt: skip
                rest = max(0.0, 1 - sum(mine))
                lines.append((names[query], n_found, -1, name, "other cases", rest, np.nan))
        query, rank, rows, memory, kind, weight, distance = zip(*lines)
        columns = {"memory": memory, "kind": kind, "weight": weight, "distance": distance}
        return case_table({"query": query, "rank": rank}, np.array(rows), cases, columns)

    def decision_function(self, X: ArrayLike) -> np.ndarray:
        """Return scores less the threshold.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples,)
            Negative for outliers.
        """
        return self.score_samples(X) - self.offset_

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Tell outliers from other rows.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples,)
            -1 for outliers, +1 for others.
        """
        return np.where(self.decision_function(X) >= 0, 1, -1)

    def fit_predict(  # pyright: ignore[reportIncompatibleMethodOverride]: no other keywords
        self, X: ArrayLike, y: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> np.ndarray:
        """Store rows, and tell which of them are outliers.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,) or None, default=None
            -1 for known outliers, +1 for all others; see :meth:`fit`.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights.

        Returns
        -------
        ndarray of shape (n_samples,)
            -1 for outliers, +1 for others.
        """
        return self.fit(X, y, sample_weight).predict(X)

    @classmethod
    def _check_state(cls, state: dict[str, Any]) -> None:
        if "_scale" in state and not (state["_scale"] > 0).all():
            raise ValueError(f"The state of {cls.__name__} holds scales that are not positive.")


def _stored(X, weight, chosen):
    """Return the distinct ones of some rows; those of weight zero are not there."""
    rows = np.flatnonzero(chosen & (weight > 0))
    if not len(rows):
        return Store(X[:0], X[:0, :0], weight[:0], rows)
    if len(rows) < len(X):
        X, weight = X[rows], weight[rows]
    return merged(Store(X, X[:, :0], weight, rows))[0]


def _no_rows(patterns):
    return np.full(len(patterns), -1)


def _quantile(scores, mass, share):
    """Return a number that a share of the mass is below: halfway between two scores."""
    order = np.argsort(scores, kind="stable")
    below = np.cumsum(mass[order]) / mass.sum()
    last = np.searchsorted(below, share * (1 - 1e-9))
    above = scores[order[last:]]
    above = above[above > above[0]]
    return float(scores[order[last]] if not len(above) else (scores[order[last]] + above[0]) / 2)
