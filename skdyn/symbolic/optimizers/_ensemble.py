"""Many sparse models of resampled data: how often each term is found."""

from numbers import Integral, Real
from typing import Annotated, Any

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from skdyn._seeds import seed_within
from skdyn._state import Shape
from skdyn._validation import Interval, StrOptions, clone
from skdyn.symbolic._default_parts import DefaultParts
from skdyn.symbolic.optimizers._constraints import InfeasibleError
from skdyn.symbolic.optimizers._sparse_optimizer import SparseOptimizer, compressed, fit_support
from skdyn.symbolic.optimizers._stlsq import STLSQ

__all__ = ["EnsembleOptimizer"]


class EnsembleOptimizer(DefaultParts, SparseOptimizer):
    """Sparse regressor that fits many models and keeps the terms that most of them find.

    Ensemble SINDy [1]_: each model sees rows drawn at random, and not all of the terms. A term's
    inclusion probability is the share of the models offered it that took it. The terms kept are
    fitted again to each draw of rows, and the coefficients are the median, or mean, of these. What
    ``sparse_optimizer`` demands of the coefficients is kept: they are fitted again by its own rule.

    Parameters
    ----------
    sparse_optimizer : estimator or None, default=None
        Linear regressor without intercept, of this module or of scikit-learn; None is
        :class:`STLSQ`.
    n_models : int, default=20
        Number of models.
    sample_fraction : float, default=1.0
        Number of rows drawn for each model, as a share of all.
    replace : bool, default=True
        Whether a row may be drawn more than once.
    n_terms_dropped : int, default=0
        Number of terms withheld from each model.
    aggregate : {"median", "mean"}, default="median"
        How the models' coefficients become one.
    inclusion_threshold : float or None, default=0.6
        Inclusion probability below which a term is left out. None aggregates the models as they
        are, without fitting again.
    random_state : int, RandomState instance or None, default=None
        Source of the rows and terms drawn, and of the seeds of ``sparse_optimizer`` if it takes
        any. Pass an int for the same model every time.
    n_jobs : int or None, default=None
        Number of models fitted at the same time; -1 for all processors. The result is the same.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients.
    coef_samples_ : ndarray of shape (n_models, n_targets, n_features)
        The coefficients that ``coef_`` is the median or mean of.
    coef_path_ : ndarray of shape (1, n_targets, n_features)
        Coefficients.
    coef_std_ : ndarray of shape (n_targets, n_features)
        Standard deviation of ``coef_samples_``.
    inclusion_probabilities_ : ndarray of shape (n_targets, n_features)
        Share of the models offered a term that took it; NaN if none was.
    intercept_ : float
        Zero: a constant is a term of the library.
    n_iter_ : int
        Number of models.
    n_features_in_ : int
        Number of terms.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the terms, when all are strings.

    See Also
    --------
    STLSQ : What it runs many times by default.
    SINDyRegressor : Takes it as ``sparse_optimizer``.

    References
    ----------
    .. [1] U. Fasel, J. N. Kutz, B. W. Brunton, S. L. Brunton, "Ensemble-SINDy: Robust sparse model
       discovery in the low-data, high-noise limit, with active learning and control",
       Proceedings of the Royal Society A 478, 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn.symbolic.optimizers import EnsembleOptimizer
    >>> rng = np.random.default_rng(0)
    >>> A = rng.normal(size=(50, 4))
    >>> b = 2 * A[:, 1] - A[:, 3] + 0.2 * rng.normal(size=50)
    >>> model = EnsembleOptimizer(random_state=0).fit(A, b)
    >>> np.flatnonzero(model.coef_)
    array([1, 3])
    >>> model.inclusion_probabilities_[0, [1, 3]]
    array([1., 1.])
    """

    inclusion_probabilities_: Annotated[np.ndarray, Shape("outputs n_features_in_")]
    coef_samples_: Annotated[np.ndarray, Shape("samples outputs n_features_in_")]
    coef_std_: Annotated[np.ndarray, Shape("outputs n_features_in_")]

    _default_parts = {"sparse_optimizer": STLSQ}

    # Draws depend on how many rows there are and in which order.
    _expected_failed_checks = {
        "check_sample_weight_equivalence_on_dense_data": "rows are drawn at random"
    }

    _old_names = {"optimizer": "sparse_optimizer"}
    _sketch_parameters = {"n_models": 5}

    _parameter_constraints: dict = {
        "sparse_optimizer": [BaseEstimator, None],
        "n_models": [Interval(Integral, 1, None, closed="left")],
        "sample_fraction": [Interval(Real, 0, 1, closed="right")],
        "replace": ["boolean"],
        "n_terms_dropped": [Interval(Integral, 0, None, closed="left")],
        "aggregate": [StrOptions({"median", "mean"})],
        "inclusion_threshold": [Interval(Real, 0, 1, closed="both"), None],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        sparse_optimizer: BaseEstimator | None = None,
        n_models: int = 20,
        *,
        sample_fraction: float = 1.0,
        replace: bool = True,
        n_terms_dropped: int = 0,
        aggregate: str = "median",
        inclusion_threshold: float | None = 0.6,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.sparse_optimizer = sparse_optimizer
        self.n_models = n_models
        self.sample_fraction = sample_fraction
        self.replace = replace
        self.n_terms_dropped = n_terms_dropped
        self.aggregate = aggregate
        self.inclusion_threshold = inclusion_threshold
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _coefficients(self, X, Y, weight):
        n_samples, n_features = X.shape
        if self.n_terms_dropped >= n_features:
            raise ValueError(
                f"n_terms_dropped={self.n_terms_dropped} leaves no term of {n_features}; "
                "choose a smaller number."
            )
        rng = check_random_state(self.random_state)
        optimizer: Any = STLSQ() if self.sparse_optimizer is None else self.sparse_optimizer
        # All draws are made here, so that they do not depend on n_jobs.
        draws = [self._draw(rng, n_samples, n_features, weight) for _ in range(self.n_models)]
        optimizers = [clone(optimizer) for _ in draws]
        for one in optimizers:
            seed_within(one, None if self.random_state is None else rng)
        with Parallel(n_jobs=self.n_jobs) as pool:
            parallel: Any = pool  # it returns a list
            coefs = parallel(
                delayed(_fit_terms)(one, X[rows], Y[rows], terms)
                for one, (rows, terms) in zip(optimizers, draws, strict=True)
            )
            samples = np.stack(coefs)
            offered = np.stack([terms for _, terms in draws]).sum(axis=0)
            found = (samples != 0.0).sum(axis=0)
            probabilities = np.where(offered > 0, found / np.maximum(offered, 1), np.nan)
            if self.inclusion_threshold is not None:
                kept = (probabilities >= self.inclusion_threshold) & (found > 0)
                samples = np.stack(
                    parallel(
                        delayed(_refit)(optimizer, X[rows], Y[rows], kept) for rows, _ in draws
                    )
                )
        combine = np.median if self.aggregate == "median" else np.mean
        coef = combine(samples, axis=0)
        if _constrains(optimizer):  # a median of coefficients that obey need not obey itself
            coef = _refit(optimizer, X, X @ coef.T, coef != 0.0)
        self.inclusion_probabilities_ = probabilities
        self.coef_samples_ = samples
        self.coef_std_ = samples.std(axis=0)
        self.coef_path_ = coef[None]
        self.n_iter_ = self.n_models
        return coef

    def _draw(self, rng, n_samples, n_features, weight):
        """Draw rows, those of more weight more often, and which terms to offer."""
        chance = None if weight is None else weight / weight.sum()
        size = max(1, round(self.sample_fraction * n_samples))
        if weight is not None and not self.replace:
            size = min(size, np.count_nonzero(weight))
        rows = rng.choice(n_samples, size, replace=self.replace, p=chance)
        terms = np.ones(n_features, dtype=bool)
        terms[rng.choice(n_features, self.n_terms_dropped, replace=False)] = False
        return rows, terms


def _fit_terms(optimizer, X, Y, terms):
    coef = np.zeros((Y.shape[1], X.shape[1]))
    targets = Y[:, 0] if Y.shape[1] == 1 else Y
    coef[:, terms] = optimizer.fit(X[:, terms], targets).coef_
    return coef


def _constrains(optimizer):
    rule = getattr(type(optimizer), "_refitted", SparseOptimizer._refitted)
    return rule is not SparseOptimizer._refitted


def _refit(optimizer, X, Y, support):
    A, B = compressed(X, Y)
    if not _constrains(optimizer):
        return fit_support(A, B, support)
    try:
        return optimizer._refitted(A, B, support)
    except InfeasibleError as error:
        raise ValueError(
            f"The terms that enough models found cannot obey the constraints of "
            f"{type(optimizer).__name__}. Lower "
            "inclusion_threshold, or the threshold of the optimizer."
        ) from error
