"""Memories of what follows what: sequences are stored, and replayed from any of their states."""

from __future__ import annotations

from functools import cached_property
from numbers import Integral, Real
from typing import Annotated, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from skdyn._blocks import in_blocks
from skdyn._scoring import r2
from skdyn._state import OPTIONAL, PlainState, Shape
from skdyn._validation import (
    Interval,
    StrOptions,
    check_is_fitted,
    check_weights,
    fit_context,
    is_whole,
    validate_data,
)
from skdyn.hopfield._capacity import beta_for_patterns
from skdyn.hopfield._frozen_memory import FrozenMemory
from skdyn.hopfield._index import FaissIndex, as_index
from skdyn.hopfield._interactions import (
    INTERACTIONS,
    Interaction,
    PseudoInverseInteraction,
    as_interaction,
    check_bits,
)
from skdyn.hopfield._kept import Kept
from skdyn.hopfield._separations import SEPARATIONS, Separation, as_separation
from skdyn.hopfield._sequences import complete_sequences, ends_of, rows_of_windows

__all__ = ["SequenceMemory"]


class SequenceMemory(PlainState, BaseEstimator):
    """Memory of sequences: from a state it recalls the next, and so the rest of the sequence.

    **Continuous memories** answer with the mean of the successors of the states that are like the
    present one,

    .. math:: \\xi_{t+1} = \\sum_k p_k x_{k+1}, \\qquad p = \\nabla\\Omega^*(\\beta s(\\xi_t)),

    with the scores and separations of :class:`HopfieldMemory`. As beta grows, this becomes
    forecasting by analogues [1]_: do what followed the most similar state.

    **Memories of bits** of -1 and +1 answer with the signs of

    .. math:: \\sum_k F'(x_k^\\top \\sigma_t) \\, x_{k+1}.

    With the square as F this is the asymmetric rule of Hebb [2]_, which fails beyond some .27
    steps per bit; powers and the exponential store sequences that are longer by far [3]_, and the
    pseudo-inverse rule [4]_ any whose states are linearly independent.

    Parameters
    ----------
    interaction : str, Separation or Interaction, default="softmax"
        How the present is compared with the past. Continuous memories: "softmax", "sparsemax",
        "entmax", "topk" or a separation. Memories of bits: "polynomial" or
        ``PolynomialInteraction(order=...)``, "exponential", "hebb", "pseudo_inverse". The force of
        order n is a power of n - 1, the degree of [3]_.
    beta : float or "auto", default="auto"
        Inverse temperature. "auto" is that of :class:`HopfieldMemory` for the states that are
        looked up, 1 in the exponential memory. The other memories of bits have none.
    similarity : {"euclidean", "dot"}, default="euclidean"
        Scores of a continuous memory: nearness, or the scalar product.
    window : int, default=1
        How many states in a row are compared. One state does not tell where sequences cross, or
        repeat themselves: there it takes more.
    index : {"exact", "faiss"} or FaissIndex, default="exact"
        For many states in a continuous memory: compare with all of them, or with candidates from an
        approximate index, which needs the extra ``index``.

    Attributes
    ----------
    states_ : ndarray of shape (n_states, n_features_in_)
        Stored states, one sequence after the other.
    beta_ : float
        Inverse temperature used.
    n_transitions_ : int
        How many windows there are that something follows.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, when all are strings.

    See Also
    --------
    HopfieldMemory : Memory of patterns that stand still.
    skdyn.NeuralODE : Learns a law of motion in place of examples.

    References
    ----------
    .. [1] Edward Lorenz, "Atmospheric Predictability as Revealed by Naturally Occurring Analogues",
       Journal of the Atmospheric Sciences 26, 1969.
    .. [2] Haim Sompolinsky, Ido Kanter, "Temporal Association in Asymmetric Neural Networks",
       Physical Review Letters 57, 1986.
    .. [3] Hamza Chaudhry, Jacob Zavatone-Veth, Dmitry Krotov, Cengiz Pehlevan, "Long Sequence
       Hopfield Memory", NeurIPS 2023.
    .. [4] Léon Personnaz, Isabelle Guyon, Gérard Dreyfus, "Collective computational properties of
       neural networks: New learning mechanisms", Physical Review A 34, 1986.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn import SequenceMemory
    >>> tune = np.array([[0.0, 4.0], [4.0, 4.0], [4.0, 0.0], [0.0, 0.0]])
    >>> memory = SequenceMemory(beta=2.0).fit(tune)
    >>> memory.recall([[0.2, 3.9]], n_steps=3).round(1)
    array([[[4., 4., 0.],
            [4., 0., 0.]]])
    """

    n_features_in_: int
    feature_names_in_: Annotated[np.ndarray, Shape("n_features_in_", "OU"), OPTIONAL]
    beta_: float
    n_transitions_: int
    states_: Annotated[np.ndarray, Shape("_ n_features_in_")]
    _ends: Annotated[np.ndarray, Shape("n_transitions_", "i")]  # of windows, among the states

    _parameter_constraints = {
        "interaction": [StrOptions({*SEPARATIONS, *INTERACTIONS}), Separation, Interaction],
        "beta": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "similarity": [StrOptions({"euclidean", "dot"})],
        "window": [Interval(Integral, 1, None, closed="left")],
        "index": [StrOptions({"exact", "faiss"}), FaissIndex],
    }

    def __init__(
        self,
        interaction: str | Separation | Interaction = "softmax",
        *,
        beta: float | str = "auto",
        similarity: str = "euclidean",
        window: int = 1,
        index: str | FaissIndex = "exact",
    ) -> None:
        self.interaction = interaction
        self.beta = beta
        self.similarity = similarity
        self.window = window
        self.index = index

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Store sequences in place of any stored before.

        Parameters
        ----------
        X : array-like
            One sequence ``(n_timepoints, n_features)``, several ``(n_cases, n_features,
            n_timepoints)``, or a list of ``(n_features, n_timepoints_i)``.
        y : Ignored
            Not used, present for consistency.

        Returns
        -------
        self : SequenceMemory
            The fitted memory.

        Raises
        ------
        ValueError
            If no sequence is longer than ``window``, a state is not complete, or, for a memory of
            bits, X holds anything but -1 and +1.
        """
        sequences = self._sequences(X, reset=True)
        states, ends = np.concatenate(sequences), ends_of([*map(len, sequences)], self.window)
        if not len(ends):
            longest = max(map(len, sequences))
            raise ValueError(
                f"window={self.window} leaves nothing to follow: the longest sequence has "
                f"{longest} states. Pass longer ones, or lower window."
            )
        self.beta_ = self._choose_beta(rows_of_windows(states, ends, self.window))
        self.states_, self._ends, self.n_transitions_ = states, ends, len(ends)
        if not self._of_bits() and self.index != "exact":
            self._memory()[0].built  # noqa: B018 - now, not at the first question
        self._kept  # noqa: B018 - there before a method asks
        return self

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Recall what follows.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features) or (n_queries, n_features, window)
            The present states; with a window of several the last ones, oldest first.

        Returns
        -------
        ndarray of shape (n_queries, n_features)
            The next states, float64.
        """
        return self.recall(X, 1)[:, :, 0]

    def recall(self, X: ArrayLike, n_steps: int) -> np.ndarray:
        """Recall the next states, one after the other.

        Parameters
        ----------
        X : array-like of shape (n_queries, n_features) or (n_queries, n_features, window)
            The present states; with a window of several the last ones, oldest first.
        n_steps : int
            How many.

        Returns
        -------
        ndarray of shape (n_queries, n_features, n_steps)
            What follows X, float64. After the last state of a sequence comes what followed the
            states that are most like it.

        Raises
        ------
        ValueError
            If X has another shape or holds NaN, or ``n_steps`` is not at least 1.
        """
        check_is_fitted(self)
        window = self._queries(X)
        if not is_whole(n_steps, 1):
            raise ValueError(f"n_steps must be an integer of at least 1; got {n_steps!r}.")
        found = np.empty((len(window), self.n_features_in_, n_steps))
        for step in range(n_steps):
            rows = window.transpose(0, 2, 1).reshape(len(window), -1)
            found[:, :, step] = self._next(rows)
            window = np.concatenate([window[:, :, 1:], found[:, :, step, None]], axis=2)
        return found

    def score(
        self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None
    ) -> float:
        """Score recall step by step: each next state, from the true ones before it.

        Parameters
        ----------
        X : array-like
            Sequences, as in ``fit``.
        y : Ignored
            Not used, present for consistency.
        sample_weight : array-like of shape (n_states,), default=None
            Weights of the states, one sequence after the other.

        Returns
        -------
        float
            Coefficient of determination, mean over the features; in memories of bits the share of
            bits that are right.
        """
        check_is_fitted(self)
        sequences = self._sequences(X, reset=False)
        states, ends = np.concatenate(sequences), ends_of([*map(len, sequences)], self.window)
        if not len(ends):
            raise ValueError(f"No sequence of X is longer than window={self.window}.")
        weight = check_weights(sample_weight, states)
        weight = None if weight is None else weight[ends + 1]
        found, truth = self._next(rows_of_windows(states, ends, self.window)), states[ends + 1]
        if self._of_bits():
            return float(np.average((found == truth).mean(axis=1), weights=weight))
        return r2(truth, found, weight)

    @classmethod
    def _check_state(cls, state):
        if "states_" not in state:
            return
        last, first = len(state["states_"]) - 2, state["window"] - 1
        if not ((state["_ends"] >= first) & (state["_ends"] <= last)).all():
            raise ValueError("Windows of the state of SequenceMemory leave its stored states.")

    # -- how -------------------------------------------------------------------------------------

    def _sequences(self, X, reset):
        """Return the sequences, each of shape (n_timepoints_i, n_features)."""
        sequences = complete_sequences(self, X, reset=reset)
        if self._of_bits():
            check_bits(self.interaction, np.concatenate(sequences))
        return sequences

    def _queries(self, X):
        X = validate_data(self, X, reset=False, dtype=np.float64, allow_nd=True)
        X = X[:, :, None] if X.ndim == 2 else X
        if X.shape[2:] != (self.window,):
            raise ValueError(
                f"X must hold the last {self.window} states of each sequence, of shape (n_queries, "
                f"{self.n_features_in_}, {self.window}); got {X.shape}."
            )
        if self._of_bits():
            check_bits(self.interaction, X)
        return X

    def _choose_beta(self, keys):
        if self.beta != "auto":
            return float(self.beta)
        return 1.0 if self._of_bits() else beta_for_patterns(keys, np.ones(len(keys)))

    def _of_bits(self):
        return isinstance(self.interaction, Interaction) or self.interaction in INTERACTIONS

    @cached_property
    def _kept(self):
        return Kept()

    def _memory(self) -> tuple[FrozenMemory, np.ndarray]:
        separation, index = as_separation(self.interaction), as_index(self.index)
        how = self.beta_, self.similarity, separation, index
        return self._kept.get(_frozen, self.states_, self._ends, self.window, *how)

    def _next(self, keys):
        """Return what follows windows, the rows of keys."""
        if self._of_bits():
            return in_blocks(lambda part: self._next_bits(part), keys)
        memory, origin = self._memory()
        return memory.means(torch.from_numpy(keys - origin)).numpy()

    def _next_bits(self, keys):
        interaction = as_interaction(self.interaction)
        stored = rows_of_windows(self.states_, self._ends, self.window)
        if isinstance(interaction, PseudoInverseInteraction):
            pull = keys @ self._kept.get(_inverse, self.states_, self._ends, self.window)
        else:
            overlaps = torch.from_numpy(keys @ stored.T)
            pull = interaction._slopes(overlaps, keys.shape[1], self.beta_).numpy()
        force = pull @ self.states_[self._ends + 1]
        now = keys[:, -self.n_features_in_ :]
        rounding = 1e-12 * np.abs(pull).sum(axis=1, keepdims=True)
        return np.where(np.abs(force) <= rounding, now, np.sign(force))  # no force: as it was


def _frozen(states, ends, window, beta, similarity, separation, index):
    """Return a memory of what follows windows, and where its keys have their origin."""
    keys = rows_of_windows(states, ends, window)
    origin = keys.mean(axis=0) if similarity == "euclidean" else np.zeros(keys.shape[1])
    values = torch.from_numpy(states[ends + 1])
    keys = torch.from_numpy(keys - origin)
    return FrozenMemory(keys, values, None, beta, similarity, separation, index), origin


def _inverse(states, ends, window):
    """Return what maps a window to weights of the stored ones: those of the least squares."""
    return np.linalg.pinv(rows_of_windows(states, ends, window))
