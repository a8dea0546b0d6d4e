"""Memories that complete and clean what they are shown."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning

from skdyn._state import OPTIONAL, PlainState, Shape
from skdyn._validation import (
    Interval,
    StrOptions,
    check_is_fitted,
    fit_context,
    is_whole,
    validate_data,
)
from skdyn.exceptions import warn_user
from skdyn.hopfield._capacity import (
    Capacity,
    beta_for_separation,
    separations,
    sphere_capacity,
    well_separated,
)
from skdyn.hopfield._fixed_points import FixedPoint, fixed_points
from skdyn.hopfield._interactions import INTERACTIONS, Interaction, as_interaction
from skdyn.hopfield._networks import ContinuousNetwork, SignNetwork, follow
from skdyn.hopfield._retrieval import row_chunks
from skdyn.hopfield._separations import SEPARATIONS, Separation, as_separation

__all__ = ["HopfieldMemory"]

_GAPS = 1000  # patterns whose separations set beta; more take long and change it little
_CROWDED = 0.1  # share of the patterns that may be less separated than that


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

    Attributes
    ----------
    patterns_ : ndarray of shape (n_patterns, n_features_in_)
        Stored patterns, in the order they came. A copy counts once more.
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

    _parameter_constraints = {
        "interaction": [StrOptions({*SEPARATIONS, *INTERACTIONS}), Separation, Interaction],
        "beta": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "similarity": [StrOptions({"euclidean", "dot"})],
        "update": [StrOptions({"synchronous", "asynchronous"})],
        "max_steps": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
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
    ) -> None:
        self.interaction = interaction
        self.beta = beta
        self.similarity = similarity
        self.update = update
        self.max_steps = max_steps
        self.tol = tol

    # -- storing ---------------------------------------------------------------------------------

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Store patterns in place of any stored before.

        Parameters
        ----------
        X : array-like of shape (n_patterns, n_features)
            Patterns; -1 and +1 for a memory of bits.
        y : Ignored
            Not used, present for consistency.

        Returns
        -------
        self : HopfieldMemory
            The fitted memory.

        Raises
        ------
        ValueError
            If X holds NaN or infinity, or, for a memory of bits, anything but -1 and +1.
        """
        return self._store(validate_data(self, X, dtype=np.float64))

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: ArrayLike, y: object = None) -> Self:
        """Store patterns beside those stored before.

        Parameters
        ----------
        X : array-like of shape (n_patterns, n_features)
            Patterns; -1 and +1 for a memory of bits.
        y : Ignored
            Not used, present for consistency.

        Returns
        -------
        self : HopfieldMemory
            The fitted memory.

        Raises
        ------
        ValueError
            If X holds NaN or infinity, has another number of features, or, for a memory of bits,
            anything but -1 and +1.
        """
        earlier = getattr(self, "patterns_", None)
        X = validate_data(self, X, dtype=np.float64, reset=earlier is None)
        return self._store(X, earlier)

    def _store(self, X, earlier=None):
        if self._of_bits():
            as_interaction(self.interaction)._validate_params()
            self._check_bits(X)
        patterns = X.copy() if earlier is None else np.concatenate([earlier, X])
        self.beta_ = self._choose_beta(patterns)
        self.patterns_, self._n_patterns = patterns, len(patterns)
        if self._of_bits():
            self._couplings = as_interaction(self.interaction)._couplings(patterns)
        return self

    def _choose_beta(self, patterns):
        if self.beta != "auto":
            return float(self.beta)
        if self._of_bits():
            return 1.0
        rows = np.unique(np.linspace(0, len(patterns) - 1, _GAPS, dtype=np.intp))
        gaps = separations(patterns, rows)
        gap = np.quantile(gaps, _CROWDED, method="higher")
        # Without two patterns that can be told apart, any beta does.
        if not 0 < gap < np.inf:
            return 1.0
        return beta_for_separation(gap, len(patterns), _radius(patterns))

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
        trajectories = []
        for rows in row_chunks(len(X), len(self.patterns_)):
            energies = []
            for states, known, moved in follow(network, X[rows], n_steps, self.tol):
                now = energies[-1].copy() if energies else np.empty(len(states))
                now[moved] = network.energy(states[moved], known if known is None else known[moved])
                energies.append(now)
            trajectories.append(np.stack(energies, axis=1))
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

    def _network(self) -> Any:
        if self._of_bits():
            interaction = as_interaction(self.interaction)
            return SignNetwork(self._couplings, interaction, self.beta_, self.update)
        separation = as_separation(self.interaction)
        return ContinuousNetwork(self.patterns_, separation, self.beta_, self.similarity)

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
        retrieved = np.empty_like(X)
        n_moving = 0
        step, states, moved = 0, X[:0], X[:0]
        for rows in row_chunks(len(X), len(self.patterns_)):
            for step, (states, _, moved) in enumerate(follow(network, X[rows], limit, self.tol)):  # noqa: B007
                pass
            retrieved[rows] = states
            n_moving += len(moved) * (step == limit)
        if n_moving and n_steps is None:
            warn_user(
                f"{n_moving} of {len(X)} queries still move after max_steps={limit} updates. "
                "Allow more, or raise tol.",
                ConvergenceWarning,
            )
        return retrieved

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
            return np.bincount(copies.ravel(), network.weights(state[None])[0])

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
            radius = _radius(patterns, self.similarity)
            stable = well_separated(gaps, self.beta_, radius)
            law = sphere_capacity(patterns.shape[1], self.beta_, radius), "sqrt(p) c^((N-1)/4)"
        expected, formula = law
        return Capacity(expected, formula, gaps, stable)


def _radius(patterns, similarity="euclidean"):
    """Return the largest norm, about the origin that the similarity has."""
    origin = patterns.mean(axis=0) if similarity == "euclidean" else 0.0
    return np.linalg.norm(patterns - origin, axis=1).max()
