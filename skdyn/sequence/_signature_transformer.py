"""Signatures as features of series."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import factorial
from numbers import Integral
from typing import Annotated, Any

import numpy as np

from skdyn._state import Shape
from skdyn._validation import Interval, StrOptions, check_sizes
from skdyn.sequence._series_transformer import SeriesTransformer
from skdyn.sequence._signature import (
    log_signature,
    lyndon_words,
    signatures,
    tensor_product,
    witt_dimension,
)

__all__ = ["SignatureTransformer"]

_AUGMENTATIONS = ("time", "counts", "basepoint", "lead_lag")
_DYADIC, _MOST_HALVINGS = 2, 12  # where none are named; 4096 parts
_MOST_FEATURES = 2**20
_NUMBERS = 2**18  # in a block of cases: what a core's cache holds


class SignatureTransformer(SeriesTransformer):
    """Signatures of series: what happened in which order, as features for any estimator.

    A series is a path x through its channels. Its signature holds the iterated integrals

    .. math:: S_{i_1 \\dots i_k} = \\int_{t_1 < \\dots < t_k} dx_{i_1}(t_1) \\cdots dx_{i_k}(t_k)

    of all words of up to ``depth`` channels [1]_. The path runs straight from one point to the
    next, so that times may be irregular, values missing and series of any length. Linear functions
    of a signature approximate any continuous function of a path: a ridge or logistic regression
    behind it is often enough.

    Parameters
    ----------
    depth : int, default=3
        Length of the longest words. There are :math:`d + d^2 + \\dots + d^{depth}` for a path of d
        channels, augmentations included.
    augment : tuple of str, default=("time", "basepoint", "lead_lag")
        What is added to the path [2]_. "time": a channel of the times; without it only the order
        of the values counts, not when they came. "counts": how many values of each channel were
        seen so far, for events, whose times tell something. "basepoint": a first step from the
        mean of the data to the first value; without it only differences of values count.
        "lead_lag": each channel twice, the second one a step late, which tells how rough a series
        is.
    log : bool, default=False
        Whether to take the logarithm, which says the same in fewer numbers, those of the Lyndon
        words. Linear models are at a loss with it.
    window : {"dyadic"}, int or None, default=None
        How often to halve the time: 2, which is "dyadic", gives the signatures of the whole series,
        of its halves and of its quarters. A step belongs to the part that its middle falls in. None
        is the whole alone.
    rescale : bool, default=True
        Whether units are taken off: channels are standardized, times and counts divided by the
        largest of the training data, and words of k channels multiplied by k!, so that all are of
        one size.
    time_channel : int or None, default=None
        Channel of ``X`` that holds the times, instead of ``t``.

    Attributes
    ----------
    n_channels_ : int
        Number of channels of the series.
    n_features_in_ : int
        Number of columns of a table, else of channels.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, when all are strings.

    See Also
    --------
    skdyn.sequence.signature_kernel : Products of whole signatures, without end of depth.
    HiPPOTransformer : Features that tell what a series looks like, channel by channel.

    Notes
    -----
    Channels that are missing at a time are filled by a straight line in time, held at the ends. A
    channel that was never seen in a case stands at its mean in the training data.

    References
    ----------
    .. [1] I. Chevyrev, A. Kormilitzin, "A Primer on the Signature Method in Machine Learning",
       arXiv:1603.03788, 2016.
    .. [2] J. Morrill, A. Fermanian, P. Kidger, T. Lyons, "A Generalised Signature Method for
       Multivariate Time Series Feature Extraction", arXiv:2006.00873, 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import RidgeClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skdyn import SignatureTransformer
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(80, 2, 30)).cumsum(axis=2)  # cases, channels, time points
    >>> y = np.arange(80) % 2
    >>> X[y == 0, 0, 2:] = X[y == 0, 1, :-2]  # the first channel follows the second
    >>> X[y == 1, 1, 2:] = X[y == 1, 0, :-2]  # or the other way round
    >>> model = make_pipeline(SignatureTransformer(depth=2), StandardScaler(), RidgeClassifier())
    >>> model.fit(X[:60], y[:60]).score(X[60:], y[60:])
    1.0
    """

    _n_halvings: int
    _most_counts: Annotated[np.ndarray, Shape("n_channels_")]

    _parameter_constraints = {
        "depth": [Interval(Integral, 1, 12, closed="both")],
        "augment": [tuple, list],
        "log": ["boolean"],
        "window": [
            StrOptions({"dyadic"}),
            Interval(Integral, 1, _MOST_HALVINGS, closed="both"),
            None,
        ],
        "rescale": ["boolean"],
        "time_channel": [Integral, None],
    }

    def __init__(
        self,
        depth: int = 3,
        *,
        augment: Sequence[str] = ("time", "basepoint", "lead_lag"),
        log: bool = False,
        window: str | int | None = None,
        rescale: bool = True,
        time_channel: int | None = None,
    ) -> None:
        self.depth = depth
        self.augment = augment
        self.log = log
        self.window = window
        self.rescale = rescale
        self.time_channel = time_channel

    def _learn(self, paths):
        halvings = _DYADIC if isinstance(self.window, str) else self.window
        self._n_halvings = int(halvings or 0)
        if not self.rescale:  # words of this length are neither to vanish nor to overflow
            most = 1000 // self.depth
            check_sizes(paths.values.reshape(-1, self.n_channels_), "X", (-most, most))
        self._most_counts = paths.seen.sum(axis=1).max(axis=0).astype(np.float64)
        n_letters = len(self._letters([""] * self.n_channels_))
        n_words = (
            witt_dimension(n_letters, self.depth)
            if self.log
            else sum(n_letters**k for k in range(1, self.depth + 1))
        )
        n_features = n_words * (2 ** (self._n_halvings + 1) - 1)
        if n_features > _MOST_FEATURES:
            raise ValueError(
                f"depth={self.depth} makes {n_features} features of paths of {n_letters} channels, "
                "augmentations included. Lower depth, leave out 'lead_lag', or reduce the channels."
            )

    def _features(self, paths):
        each = paths.times.shape[1] * len(self._letters([""] * self.n_channels_)) ** (
            self.depth - 1
        )
        n_cases = max(1, _NUMBERS // each)
        return np.concatenate([
            self._of_block(paths.select(slice(start, start + n_cases)))
            for start in range(0, len(paths.times), n_cases)
        ])  # fmt: skip

    def _names(self, channels):
        letters = self._letters(channels)
        words: Any = (
            [[letters[i] for i in word] for word in lyndon_words(len(letters), self.depth)]
            if self.log
            else [word for k in range(1, self.depth + 1) for word in product(letters, repeat=k)]
        )
        kind = "log" if self.log else "S"
        halved = [2**k for k in range(self._n_halvings + 1)]
        parts = [f"[{part}/{n}]" if n > 1 else "" for n in halved for part in range(1, n + 1)]
        return [f"{kind}({','.join(word)}){part}" for part in parts for word in words]

    @classmethod
    def _check_state(cls, state):
        super()._check_state(state)
        if not 0 <= state.get("_n_halvings", 0) <= _MOST_HALVINGS:
            raise ValueError(f"The state of {cls.__name__} has a window of too many parts.")
        if not all(isinstance(name, str) for name in state["augment"]):
            raise ValueError(f"augment of {cls.__name__} must hold texts; got {state['augment']}.")

    # -- how ---------------------------------------------------------------------------------

    def _letters(self, channels):
        """Return the names of the augmented path's channels."""
        unknown = [name for name in self.augment if name not in _AUGMENTATIONS]
        if unknown or len(set(self.augment)) < len(self.augment):
            raise ValueError(
                f"augment must hold some of {_AUGMENTATIONS}, each once; got {self.augment!r}."
            )
        letters = ["time"] if "time" in self.augment else []
        letters += [f"n_{c}" for c in channels] if "counts" in self.augment else []
        lagged = [f"{c}_lag" for c in channels] if "lead_lag" in self.augment else []
        return [*letters, *channels, *lagged]

    def _of_block(self, paths):
        steps, middles = self._steps(paths)
        parts = _in_parts(steps, middles, 2**self._n_halvings)
        n_cases, n_parts = parts.shape[:2]
        levels = signatures(parts.reshape(n_cases * n_parts, *parts.shape[2:]), self.depth)
        rows = []
        while True:
            rows.append(self._rows(levels).reshape(n_cases, -1))
            if len(levels[0]) == n_cases:
                return np.concatenate(rows[::-1], axis=1)
            halves = ([level[half::2] for level in levels] for half in (0, 1))
            levels = tensor_product(*halves)

    def _rows(self, levels):
        words = lyndon_words(levels[0].shape[1], self.depth) if self.log else None
        if self.rescale and words is None:
            levels = [factorial(k) * level for k, level in enumerate(levels, start=1)]
        if words is None:
            return np.concatenate(levels, axis=1)
        rows = log_signature(levels, words)
        return rows * [factorial(len(word)) for word in words] if self.rescale else rows

    def _steps(self, paths):
        """Return the steps (n, d, n_steps) of augmented paths, and when in a case they are."""
        paths = self._standardized(paths) if self.rescale else paths
        since = paths.times - paths.times[:, :1]
        spans = np.where(since[:, -1:] > 0, since[:, -1:], 1.0)  # none of a single point
        middles = (since[:, 1:] + since[:, :-1]) / (2 * spans)
        extra = []
        if "time" in self.augment:
            extra.append(
                np.diff(since)[:, None]
                / (self._duration if self.rescale and self._duration else 1.0)
            )
        if "counts" in self.augment:
            counts = paths.seen[:, 1:].transpose(0, 2, 1)
            extra.append(counts / (self._most_counts[:, None] if self.rescale else 1.0))
        moves = np.diff(paths.values, axis=1).transpose(0, 2, 1)
        steps = np.concatenate([*extra, moves], axis=1)
        n_extra = steps.shape[1] - self.n_channels_
        if "lead_lag" in self.augment:
            steps, middles = _lead_lag(steps, moves), np.repeat(middles, 2, axis=1)
        if "basepoint" in self.augment:
            first = np.zeros((*steps.shape[:2], 1))
            copies = (steps.shape[1] - n_extra) // self.n_channels_
            first[:, n_extra:, 0] = np.tile(paths.values[:, 0], copies)
            steps = np.concatenate([first, steps], axis=2)
            middles = np.concatenate([np.zeros((len(middles), 1)), middles], axis=1)
        return steps, middles


def _lead_lag(steps, moves):
    """Return each step, and after it the same moves in channels that lag behind."""
    n, d, n_steps = steps.shape
    both = np.zeros((n, d + moves.shape[1], n_steps, 2))
    both[:, :d, :, 0] = steps
    both[:, d:, :, 1] = moves
    return both.reshape(n, both.shape[1], 2 * n_steps)


def _in_parts(steps, middles, n_parts):
    """Deal steps (n, d, n_steps) to equal parts of time: (n, n_parts, d, most steps of a part)."""
    if n_parts == 1:
        return steps[:, None]
    n, d, n_steps = steps.shape
    part = np.minimum((middles * n_parts).astype(np.intp), n_parts - 1)
    first = np.stack([(part < k).sum(axis=1) for k in range(n_parts)], axis=1)
    place = np.arange(n_steps) - np.take_along_axis(first, part, axis=1)
    dealt = np.zeros((n, n_parts, place.max() + 1, d))
    dealt[np.arange(n)[:, None], part, place] = steps.transpose(0, 2, 1)
    return dealt.transpose(0, 1, 3, 2)
