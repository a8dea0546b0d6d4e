"""Prototypes from noisy examples, by Hebb's rule of any order."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets

from skdyn._state import OPTIONAL, PlainState, Shape
from skdyn._validation import (
    Interval,
    StrOptions,
    check_is_fitted,
    check_weights,
    fit_context,
    validate_data,
)
from skdyn.exceptions import warn_user
from skdyn.hopfield._archetypes import Moments, find_archetypes, to_unit_size

__all__ = ["DenseHebbianClassifier"]


class DenseHebbianClassifier(PlainState, ClassifierMixin, BaseEstimator):
    """Classifies by overlaps with prototypes that a dense Hebbian network makes of examples.

    A network of order :math:`P` over :math:`N` neurons stores prototypes :math:`\\xi_k` with the
    energy

    .. math:: E(x) = -N \\sum_k [m_k(x)]_+^P, \\qquad m_k(x) = \\tfrac1N \\, \\xi_k \\cdot x,

    where :math:`m_k` are the Mattis overlaps; :math:`P = 2` is Hopfield's network. What it is shown
    are not the prototypes but noisy examples :math:`\\eta_a` of them. With a teacher, the examples
    of a class are averaged before the power is taken, and their mean is the prototype [1]_ [2]_.
    Without one, each example enters by itself, :math:`-N \\sum_a [\\eta_a \\cdot x / N]_+^P` [3]_,
    and prototypes are the states in which this network comes to rest, started from the examples;
    labels only say what they are called.

    The probability of class :math:`c` is proportional to :math:`\\sum_k w_{kc} e^{P m_k}`, with the
    weight :math:`w_{kc}` of its examples near prototype :math:`k`. Up to a factor, the exponential
    touches the power at :math:`m = 1`; it goes on to overlaps below zero, which pull at nothing.

    Parameters
    ----------
    order : int, default=8
        Order of the interaction. Without a teacher, higher orders find more prototypes, in the end
        one an example. With a teacher there is one per class, the label is that of the largest
        overlap at any order, and higher orders make probabilities more decided.
    learning : {"supervised", "unsupervised"}, default="supervised"
        Whether labels tell which examples belong together.
    binarize : float or None, default=None
        Threshold above which a feature is +1 and else -1. None takes features as real numbers,
        standardizes them, and gives every row the same length.
    max_iter : int, default=200
        Updates of a state at most. Only without a teacher.
    tol : float, default=1e-06
        Change of a state, one minus its overlap with the one before, at which it has come to rest.
        Only without a teacher.

    Attributes
    ----------
    prototypes_ : ndarray of shape (n_prototypes, n_features)
        Prototypes; of binary features or in units of standard deviations. With a teacher these are
        means, whose signs are the estimates of binary archetypes.
    class_weights_ : ndarray of shape (n_prototypes, n_classes)
        Weight of the examples of each class near each prototype. With a teacher, one.
    signal_to_noise_ : ndarray of shape (n_prototypes,)
        How far the pull of a prototype on its own examples stands out of that of the others,
        :math:`\\langle m_k \\rangle^{P - 1} / \\langle \\sum_{l \\ne k} [m_l]_+^{2 P - 2}
        \\rangle^{1/2}`, with means over the examples of the last call. A bit of a random pattern
        stays right with probability :math:`(1 + \\mathrm{erf}(s / \\sqrt 2)) / 2`.
    n_iter_ : int
        Updates until all states were at rest; 1 with a teacher.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, when all are strings.

    See Also
    --------
    HopfieldClassifier : Keeps all rows, and no prototypes.
    HopfieldMemory : Recalls patterns without classes.

    Notes
    -----
    The default order was chosen on iris, wine, breast cancer and digits, by the log-loss of both
    ways to learn. Without a teacher, higher orders predict digits better and iris no worse.

    References
    ----------
    .. [1] Francesco Alemanno, Miriam Aquaro, Ido Kanter, Adriano Barra, Elena Agliari, "Supervised
       Hebbian learning", Europhysics Letters 141, 2023.
    .. [2] Elena Agliari et al., "Dense Hebbian neural networks: a replica symmetric picture of
       supervised learning", Physica A 626, 2023.
    .. [3] Elena Agliari et al., "Dense Hebbian neural networks: a replica symmetric picture of
       unsupervised learning", Physica A 627, 2023.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from skdyn import DenseHebbianClassifier
    >>> X, y = load_wine(return_X_y=True)
    >>> model = DenseHebbianClassifier(order=4, learning="unsupervised").fit(X, y)
    >>> model.prototypes_.shape, model.score(X, y) > 0.9
    ((3, 13), True)
    """

    n_features_in_: int
    feature_names_in_: Annotated[np.ndarray, Shape("n_features_in_", "OU"), OPTIONAL]
    classes_: Annotated[np.ndarray, Shape("classes", "biufOU")]
    n_iter_: int
    prototypes_: Annotated[np.ndarray, Shape("prototypes n_features_in_")]
    class_weights_: Annotated[np.ndarray, Shape("prototypes classes", "bf")]
    signal_to_noise_: Annotated[np.ndarray, Shape("prototypes", finite=False)]
    _moments: Moments

    _parameter_constraints: dict = {
        "order": [Interval(Integral, 2, None, closed="left")],
        "learning": [StrOptions({"supervised", "unsupervised"})],
        "binarize": [Real, None],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        order: int = 8,
        *,
        learning: str = "supervised",
        binarize: float | None = None,
        max_iter: int = 200,
        tol: float = 1e-6,
    ) -> None:
        self.order = order
        self.learning = learning
        self.binarize = binarize
        self.max_iter = max_iter
        self.tol = tol

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Make prototypes.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Examples.
        y : array-like of shape (n_samples,)
            Class labels, of any type.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each example.

        Returns
        -------
        self : object
            The fitted classifier.
        """
        return self._learn(X, y, sample_weight, None, first=True)

    @available_if(lambda self: self.learning == "supervised")
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Learn from one more batch: the same as learning from all batches at once.

        Only with a teacher, whose means need no example twice.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Examples.
        y : array-like of shape (n_samples,)
            Class labels.
        classes : array-like of shape (n_classes,), default=None
            Every label that will ever come; needed in the first call if its ``y`` lacks some.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each example.

        Returns
        -------
        self : object
            The fitted classifier.
        """
        return self._learn(X, y, sample_weight, classes, first=not hasattr(self, "prototypes_"))

    def _learn(self, X, y, sample_weight, classes, first):
        X, y = validate_data(self, X, y, reset=first, dtype=np.float64)
        check_classification_targets(y)
        weight = check_weights(sample_weight, X)
        weight = np.ones(len(X)) if weight is None else weight
        if first:
            self.classes_ = np.unique(y if classes is None else np.asarray(classes))
            self._moments = Moments.of_nothing(X.shape[1], len(self.classes_))
        unknown = sorted(set(np.unique(y).tolist()) - set(self.classes_.tolist()), key=str)
        if unknown:
            raise ValueError(
                f"y holds labels {unknown} that are none of the classes {self.classes_.tolist()}. "
                "Pass every label as classes= in the first partial_fit, or fit anew."
            )
        membership = weight[:, None] * (y[:, None] == self.classes_)
        self._moments = self._moments.joined(self._neurons(X), membership)
        if self.learning == "supervised":
            self.n_iter_, near = 1, membership
            moments = self._moments
            seen = (moments.class_weights > 0).astype(float)
            self.prototypes_ = seen[:, None] * self._standardised(moments.class_means)
            self.class_weights_ = np.diag(seen)
        else:
            near = self._find_prototypes(X, weight, membership)
        self._measure_signals(X, near)
        return self

    def _find_prototypes(self, X, weight, membership):
        """Set prototypes and their weights; return the weight of each example near each."""
        found = find_archetypes(
            self._states(X), weight, self.order, binary=self.binarize is not None,
            max_iter=self.max_iter, tol=self.tol,
        )  # fmt: skip
        self.prototypes_, self.n_iter_ = found.states, max(1, found.n_iter)
        if not found.converged:
            warn_user(
                f"Some states still moved after max_iter={self.max_iter} updates. Raise max_iter "
                "or tol.",
                ConvergenceWarning,
            )
        nearest = self._overlaps(X).argmax(axis=1)
        near = weight[:, None] * (nearest[:, None] == np.arange(len(self.prototypes_)))
        largest_first = np.argsort(-near.sum(axis=0), kind="stable")
        kept = largest_first[near.sum(axis=0)[largest_first] > 0]
        self.prototypes_, near = self.prototypes_[kept], near[:, kept]
        self.class_weights_ = near.T @ (membership > 0)
        return near

    def _measure_signals(self, X, near):
        total = near.sum(axis=0)
        share = near / np.where(total > 0, total, 1)
        overlaps = self._overlaps(X)
        own = np.sum(share * overlaps, axis=0)
        with np.errstate(divide="ignore", over="ignore"):  # none pulls, or one alone
            pulls = (self.order - 1) * np.log(np.maximum(overlaps, 0))
            signals = (self.order - 1) * np.log(np.abs(own))
            for k, signal in enumerate(signals):
                pulls_of_others = np.where(np.arange(len(own)) == k, -np.inf, pulls)
                pull: Any = logsumexp(2 * pulls_of_others, b=share[:, [k]])
                noise = pull / 2
                signals[k] = 0 if own[k] == 0 else np.sign(own[k]) * np.exp(signal - noise)
        self.signal_to_noise_ = signals

    def _neurons(self, X):
        return X if self.binarize is None else np.where(self.binarize < X, 1.0, -1.0)

    def _standardised(self, neurons):
        if self.binarize is not None:
            return neurons
        moments = self._moments
        return (neurons - moments.mean) / moments.scale()

    def _states(self, X):
        return to_unit_size(self._standardised(self._neurons(X)))

    def _overlaps(self, X):
        return self._states(X) @ to_unit_size(self.prototypes_).T / X.shape[1]

    def overlaps(self, X: ArrayLike) -> np.ndarray:
        """Return the Mattis overlaps with the prototypes, all scaled to the same length.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.

        Returns
        -------
        ndarray of shape (n_samples, n_prototypes)
            Overlaps, from -1 to 1.
        """
        check_is_fitted(self, "prototypes_")
        X = validate_data(self, X, reset=False, dtype=np.float64)
        return self._overlaps(X)

    def decision_function(self, X: ArrayLike) -> np.ndarray:
        """Return the logarithms of the classes' interactions with each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), or (n_samples,) of two classes
            Of two classes, that of the second less that of the first.
        """
        scores = self._scores(X)
        return scores[:, 1] - scores[:, 0] if scores.shape[1] == 2 else scores

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Predict class probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities, in the order of ``classes_``.
        """
        return softmax(self._scores(X), axis=1)

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Predict class labels.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels.
        """
        scores = self._scores(X)  # first of all: it tells whether the model is fitted
        return self.classes_[scores.argmax(axis=1)]

    def _scores(self, X):
        powers = self.order * self.overlaps(X)
        scores: Any = [logsumexp(powers, axis=1, b=weights) for weights in self.class_weights_.T]
        return np.stack(scores, axis=1)
