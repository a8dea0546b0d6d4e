"""Memories that complete and clean what they are shown."""

from __future__ import annotations

from functools import cached_property
from numbers import Integral, Real
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.parallel import Parallel, delayed

from skdyn._state import OPTIONAL, PlainState, Shape, Since
from skdyn._validation import (
    Interval,
    StrOptions,
    check_is_fitted,
    check_weights,
    fit_context,
    is_whole,
    validate_data,
)
from skdyn.exceptions import warn_user
from skdyn.hopfield._capacity import (
    Capacity,
    beta_for_patterns,
    radius_of,
    separations,
    sphere_capacity,
    well_separated,
)
from skdyn.hopfield._fixed_points import FixedPoint, fixed_points
from skdyn.hopfield._index import FaissIndex, as_index
from skdyn.hopfield._interactions import INTERACTIONS, Interaction, as_interaction
from skdyn.hopfield._kept import Kept
from skdyn.hopfield._networks import (
    ContinuousNetwork,
    SignNetwork,
    come_to_rest,
    energies_along,
)
from skdyn.hopfield._retrieval import row_chunks
from skdyn.hopfield._separations import SEPARATIONS, Separation, as_separation

__all__ = ["HopfieldMemory"]


class HopfieldMemory(PlainState, OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Associative memory: stores patterns and restores them from what is spoilt or incomplete.

    **Continuous memories** take any numbers. A state moves to a mean of the patterns by their
    weights, which are the gradient of a separation :math:`\\Omega^*` of the scores,

    .. math:: \\xi \\leftarrow X^\\top \\nabla\\Omega^*(\\beta s(\\xi)), \\qquad
        E(\\xi) = -\\tfrac1\\beta \\Omega^*(\\beta s(\\xi)) + \\tfrac12 \\lVert\\xi\\rVert^2,

    with scores :math:`s_k = x_k^\\top \\xi` [1]_, [2]_, or these less :math:`\\|x_k\\|^2 / 2`.

    **Memories of bits** take patterns and states :math:`\\sigma` of -1 and +1. A bit is flipped if
    that lowers :math:`E(\\sigma) = -\\sum_k F(x_k^\\top \\sigma)`. With a power F they are dense
    associative memories [3]_, with the exponential they hold exponentially many patterns [4]_, with
    the square they are the classical Hopfield network [5]_, in which the pseudo-inverse rule [6]_
    puts the projection on the span of the patterns in the place of the sum over them.

    No update raises the energy. Each query comes to rest by itself, whatever its company.

    Parameters
    ----------
    interaction : str, Separation or Interaction, default="softmax"
        What the energy makes of the patterns. Continuous memories: "softmax", "sparsemax",
        "entmax", "topk" or a separation such as ``EntmaxSeparation(alpha=1.25)``. Memories of bits:
        "polynomial" or ``PolynomialInteraction(order=...)``, "exponential", "hebb",
        "pseudo_inverse".
    beta : float or "auto", default="auto"
        Inverse temperature: small values give means of many patterns, large ones the best alone.
        "auto", in continuous memories, is the smallest at which nine in ten patterns are far enough
        apart to be retrieved by the theorem of [1]_, with distances of at most a thousand of them,
        evenly spaced, to all; in the exponential memory 1. The other memories of bits have none.
    similarity : {"euclidean", "dot"}, default="euclidean"
        Scores of a continuous memory: nearness, or the scalar product of [1]_ (which prefers long
        patterns). They are the same where all patterns have the same norm.
    update : {"synchronous", "asynchronous"}, default="synchronous"
        How bits are flipped: at once, all those whose flip alone would lower the energy (or, where
        together they do not, the better half of them, and so on), or one by one in the order of the
        features.
    max_steps : int, default=1000
        Number of updates at most, if the call does not say how many.
    tol : float, default=1e-8
        A continuous state rests when an update moves it by no more than this part of the spread of
        the patterns (the root of their total variance).
    index : {"exact", "faiss"} or FaissIndex, default="exact"
        For many patterns in a continuous memory: compare queries with all of them, or with
        candidates from an approximate index, which needs the extra ``index``. Queries with unknown
        entries are compared with all.
    n_jobs : int or None, default=None
        How many queries, or groups of them, are updated at a time, in threads; None is one, -1 as
        many as there are processors.

    Attributes
    ----------
    patterns_ : ndarray of shape (n_patterns, n_features_in_)
        Stored patterns, in the order they came and as precise. A copy counts once more.
    beta_ : float
        Inverse temperature used.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, when all are strings.

    See Also
    --------
    skdyn.inspection.RetrievalDisplay : Stored, spoilt and retrieved images.
    skdyn.inspection.EnergyLandscapeDisplay : Energy of a memory of two features.

    References
    ----------
    .. [1] Hubert Ramsauer et al., "Hopfield Networks is All You Need", ICLR 2021.
    .. [2] Saul Santos, Vlad Niculae, Daniel McNamee, André Martins, "Hopfield-Fenchel-Young
       Networks: A Unified Framework for Associative Memory Retrieval", arXiv:2411.08590, 2024.
    .. [3] Dmitry Krotov, John Hopfield, "Dense Associative Memory for Pattern Recognition",
       NeurIPS 2016.
    .. [4] Mete Demircigil, Judith Heusel, Matthias Löwe, Sven Upgang, Franck Vermet, "On a Model of
       Associative Memory with Huge Storage Capacity", Journal of Statistical Physics 168, 2017.
    .. [5] John Hopfield, "Neural networks and physical systems with emergent collective
       computational abilities", PNAS 79, 1982.
    .. [6] Léon Personnaz, Isabelle Guyon, Gérard Dreyfus, "Collective computational properties of
       neural networks: New learning mechanisms", Physical Review A 34, 1986.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn import HopfieldMemory
    >>> memory = HopfieldMemory().fit([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [5.0, 1.0, 9.0]])
    >>> memory.retrieve([[0.1, np.nan, -0.1], [np.nan, np.nan, 8.5]]).round(1)
    array([[0., 0., 0.],
           [5., 1., 9.]])
    """

    n_features_in_: int
    feature_names_in_: Annotated[np.ndarray, Shape("n_features_in_", "OU"), OPTIONAL]
    beta_: float
    patterns_: Annotated[np.ndarray, Shape("_n_patterns n_features_in_")]
    _n_patterns: int
    _couplings: Annotated[np.ndarray, Shape("_ n_features_in_"), OPTIONAL]
    _mass: Annotated[
        np.ndarray, Shape("_n_patterns"), Since(lambda state: np.ones(state["_n_patterns"]))
    ]
    index: Annotated[Any, Since(lambda state: "exact")]
    n_jobs: Annotated[int | None, Since(lambda state: None)]

    _parameter_constraints = {
        "interaction": [StrOptions({*SEPARATIONS, *INTERACTIONS}), Separation, Interaction],
        "beta": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "similarity": [StrOptions({"euclidean", "dot"})],
        "update": [StrOptions({"synchronous", "asynchronous"})],
        "max_steps": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "index": [StrOptions({"exact", "faiss"}), FaissIndex],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        interaction: str | Separation | Interaction = "softmax",
        *,
        beta: float | str = "auto",
        similarity: str = "euclidean",
        update: str = "synchronous",
        max_steps: int = 1000,
        tol: float = 1e-8,
        index: str | FaissIndex = "exact",
        n_jobs: int | None = None,
    ) -> None:
        self.interaction = interaction
        self.beta = beta
        self.similarity = similarity
        self.update = update
        self.max_steps = max_steps
        self.tol = tol
        self.index = index
        self.n_jobs = n_jobs

    # -- storing ---------------------------------------------------------------------------------

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None) -> Self:
        """Store patterns in place of any stored before.

        Parameters
        ----------
        X : array-like of shape (n_patterns, n_features)
            Patterns; -1 and +1 for a memory of bits.
        y : Ignored
            Not used, present for consistency.
        sample_weight : array-like of shape (n_patterns,) or None, default=None
            How many times each pattern is there, in a continuous memory; one of zero is not.

        Returns
        -------
        self : HopfieldMemory
            The fitted memory.

        Raises
        ------
        ValueError
            If X holds NaN or infinity, or, for a memory of bits, anything but -1 and +1, or if
            that is passed weights.
        """
        return self._store(self._patterns(X, reset=True), sample_weight)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Store patterns beside those stored before.

        Parameters
        ----------
        X : array-like of shape (n_patterns, n_features)
            Patterns; -1 and +1 for a memory of bits.
        y : Ignored
            Not used, present for consistency.
        sample_weight : array-like of shape (n_patterns,) or None, default=None
            How many times each pattern is there, in a continuous memory; one of zero is not.

        Returns
        -------
        self : HopfieldMemory
            The fitted memory.

        Raises
        ------
        ValueError
            If X holds NaN or infinity, has another number of features, or, for a memory of bits,
            anything but -1 and +1, or if that is passed weights.
        """
        stored = hasattr(self, "patterns_")
        earlier = (self.patterns_, self._mass) if stored else None
        return self._store(self._patterns(X, reset=not stored), sample_weight, earlier)

    def _patterns(self, X, reset):
        dtype = np.float64 if self._of_bits() else [np.float64, np.float32]
        return validate_data(self, X, dtype=dtype, reset=reset, copy=True)

    def _store(self, X, sample_weight, earlier=None):
        mass = check_weights(sample_weight, X)
        if self._of_bits():
            as_interaction(self.interaction)._validate_params()
            self._check_bits(X)
            if mass is not None:
                raise ValueError(
                    f"sample_weight is for continuous memories; interaction={self.interaction!r} "
                    "is not. Store a pattern several times instead: np.repeat(X, times, axis=0)."
                )
        if mass is None:
            mass = np.ones(len(X))
        elif not mass.all():
            X, mass = X[mass > 0], mass[mass > 0]
        if earlier is not None:
            X, mass = (np.concatenate(parts) for parts in zip(earlier, (X, mass)))
        self.beta_ = self._choose_beta(X, mass)
        self.patterns_, self._mass, self._n_patterns = X, mass, len(X)
        if self._of_bits():
            self._couplings = as_interaction(self.interaction)._couplings(X)
        elif self.index != "exact":
            self._network().memory.built  # noqa: B018 - now, not at the first question
        self._kept  # noqa: B018 - there before a method asks
        return self

    def _choose_beta(self, patterns, mass):
        if self.beta != "auto":
            return float(self.beta)
        return 1.0 if self._of_bits() else beta_for_patterns(patterns, mass)

    def _of_bits(self):
        return isinstance(self.interaction, Interaction) or self.interaction in INTERACTIONS

    def _check_bits(self, X):
        other = X[(np.abs(X) != 1) & ~np.isnan(X)]
        if other.size:
            raise ValueError(
                f"interaction={self.interaction!r} is for patterns and queries of -1 and +1; X "
                f"holds {other[0]:g}. Turn it into bits, np.where(X > threshold, 1, -1), or use a "
                "memory of real numbers such as interaction='softmax'."
            )

    # -- recalling -------------------------------------------------------------------------------

    def transform(self, X: ArrayLike) -> np.ndarray:
        """Return what the queries come to rest at.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features)
            Queries; those with unknown entries are for :meth:`retrieve`.

        Returns
        -------
        ndarray of shape (n_queries, n_features)
            Retrieved patterns, float64.

        Warns
        -----
        ConvergenceWarning
            If a query is still moving after ``max_steps`` updates.
        """
        return self._retrieve(self._queries(X, ensure_all_finite=True))

    def retrieve(self, X: ArrayLike, n_steps: int | None = None) -> np.ndarray:
        """Update queries until they rest.

        Only known entries are compared with the patterns. In a continuous memory that holds for all
        updates; a bit that is unknown is set by the first update and may flip in later ones.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features)
            Queries; NaN where an entry is unknown.
        n_steps : int or None, default=None
            Number of updates, fewer for queries that rest before; None allows ``max_steps`` and
            warns if that was not enough.

        Returns
        -------
        ndarray of shape (n_queries, n_features)
            Retrieved patterns, float64.

        Raises
        ------
        ValueError
            If ``n_steps`` is negative, or X holds what the memory cannot.
        """
        return self._retrieve(self._queries(X), n_steps)

    def energy(self, X: ArrayLike) -> np.ndarray:
        """Return the energies of states.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features)
            States; entries that are NaN take no part.

        Returns
        -------
        ndarray of shape (n_queries,)
            Energies.
        """
        return self.energy_trajectory(X, n_steps=0)[:, 0]

    def energy_trajectory(self, X: ArrayLike, n_steps: int | None = None) -> np.ndarray:
        """Return the energies of queries on their way to rest.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features)
            Queries; NaN where an entry is unknown.
        n_steps : int or None, default=None
            Number of updates at most; None allows ``max_steps``.

        Returns
        -------
        ndarray of shape (n_queries, n_updates + 1)
            Energies before the first update and after each, until the last query rests. They do not
            rise along a row.
        """
        X = self._queries(X)
        network = self._network()
        n_steps = self._n_steps(n_steps)

        trajectories = self._in_threads(
            lambda rows: energies_along(network, X[rows], n_steps, self.tol), len(X)
        )
        longest = max(part.shape[1] for part in trajectories)
        pad = [((0, 0), (0, longest - part.shape[1])) for part in trajectories]
        return np.concatenate([np.pad(p, w, "edge") for p, w in zip(trajectories, pad)])

    def _queries(self, X, ensure_all_finite: Any = "allow-nan"):
        check_is_fitted(self)
        X = validate_data(
            self, X, reset=False, dtype=np.float64, ensure_all_finite=ensure_all_finite
        )
        if self._of_bits():
            self._check_bits(X)
        return X

    @cached_property
    def _kept(self):
        return Kept()

    def _network(self) -> Any:
        if self._of_bits():
            interaction = as_interaction(self.interaction)
            return SignNetwork(self._couplings, interaction, self.beta_, self.update)
        how = as_separation(self.interaction), self.beta_, self.similarity
        mass = None if (self._mass == 1).all() else self._mass
        index = as_index(self.index)
        return self._kept.get(ContinuousNetwork, self.patterns_, *how, mass, index)

    def _in_threads(self, work, n_queries) -> list[Any]:
        """Return what is worked out for groups of queries, in order."""
        groups = row_chunks(n_queries, len(self.patterns_))
        if self.n_jobs in (None, 1):
            return [work(rows) for rows in groups]
        threads = Parallel(n_jobs=self.n_jobs, prefer="threads")
        found: Any = threads(delayed(work)(rows) for rows in groups)
        return list(found)

    def _n_steps(self, n_steps):
        if n_steps is None:
            return self.max_steps
        if not is_whole(n_steps, 0):
            raise ValueError(f"n_steps must be an integer of at least 0, or None; got {n_steps!r}.")
        return n_steps

    def _retrieve(self, X, n_steps=None):
        limit = self._n_steps(n_steps)
        if limit == 0:
            return X.copy()
        network = self._network()
        groups = self._in_threads(
            lambda rows: come_to_rest(network, X[rows], limit, self.tol), len(X)
        )
        n_moving = sum(moving for _, moving in groups)
        if n_moving and n_steps is None:
            warn_user(
                f"{n_moving} of {len(X)} queries still move after max_steps={limit} updates. "
                "Allow more, or raise tol.",
                ConvergenceWarning,
            )
        return np.concatenate([states for states, _ in groups])

    # -- what is remembered ----------------------------------------------------------------------

    def metastable_states(self, X: ArrayLike | None = None) -> list[FixedPoint]:
        """Find where queries come to rest, and of which patterns these states are made.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features) or None, default=None
            Queries without NaN; None takes the stored patterns.

        Returns
        -------
        list of FixedPoint
            Distinct states at rest, the most frequent first; ``kind`` says whether it is a
            "single pattern", "metastable" (a mean of several) or a "global average".

        Raises
        ------
        ValueError
            If X holds NaN.
        """
        check_is_fitted(self)
        X = self.patterns_ if X is None else self._queries(X)
        if np.isnan(X).any():
            raise ValueError("X holds NaN: pass retrieve(X), which completes it, instead.")
        distinct, first, copies = np.unique(
            self.patterns_, axis=0, return_index=True, return_inverse=True
        )
        network, bits = self._network(), self._of_bits()

        def shares(state):
            if bits:
                return distinct @ state / len(state)
            return np.bincount(copies.ravel(), network.weights(state))

        # A state that creeps to its limit stops a good many times tol short of it.
        radius = 1.0 if bits else max(1e4 * self.tol, 1e-6) * network.scale or 1.0
        return fixed_points(self._retrieve(X), radius, shares, first, bits)

    def capacity(self) -> Capacity:
        """Tell how many random patterns such a memory holds, and which stored ones it keeps.

        The laws, with N features: continuous memories, patterns on a sphere as large as the longest
        one stored, all retrieved with probability 0.999 (proven for softmax); powers
        :math:`N^{n-1} / (2 (2n-3)!! \\ln N)`; exponential :math:`2^{N/2}`; Hebb's rule
        :math:`0.138 N`; pseudo-inverse N, as many as can be linearly independent.

        Returns
        -------
        Capacity
            ``n_patterns``, ``law``, and of each stored pattern its ``separation`` from the others
            and whether it is ``stable``.
        """
        check_is_fitted(self)
        patterns = self.patterns_
        if self._of_bits():
            gaps = separations(patterns, similarity="dot")
            stable = (self._retrieve(patterns, 1) == patterns).all(axis=1)
            law = as_interaction(self.interaction)._capacity(patterns.shape[1])
        else:
            gaps = separations(patterns, similarity=self.similarity)
            radius = radius_of(patterns, self._mass, self.similarity)
            stable = well_separated(gaps, self.beta_, radius, self._mass.sum())
            law = sphere_capacity(patterns.shape[1], self.beta_, radius), "sqrt(p) c^((N-1)/4)"
        expected, formula = law
        return Capacity(expected, formula, gaps, stable)
