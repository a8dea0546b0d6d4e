"""Cross-validation that respects time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import indexable

from skdyn.model_selection._units import units_of, whole_number

__all__ = ["TrajectorySplit"]


class TrajectorySplit(BaseCrossValidator):
    """Splitter by whole trajectories, or one trajectory by blocks of time, never shuffled.

    Several trajectories are the cases of a 3-D ``X`` or of a list, or the ids in ``groups``, which
    need not lie together; each is in the training or in the test set, as a whole. Without
    ``groups``, or with only one id in it, the rows of a 2-D ``X`` are one trajectory, which is cut
    into blocks [1]_.

    Parameters
    ----------
    n_splits : int, default=5
        Number of splits, at least 2.
    gap : int, default=0
        Rows of one trajectory left out of the training set at both sides of the test block, as
        neighbors in time are alike. Whole trajectories have no neighbors.
    strategy : {"blocks", "forward"}, default="blocks"
        "blocks": every block, or set of trajectories, is the test set once and all others train.
        "forward": only the past trains. The first of ``n_splits + 1`` blocks is never tested;
        several trajectories count as recorded in the order in which they appear.

    See Also
    --------
    RollingOriginSplit : Tests short forecasts from one origin after another.
    sklearn.model_selection.GroupKFold : Splits by groups only.
    sklearn.model_selection.TimeSeriesSplit : Splits one series forward only.

    Notes
    -----
    A test block in the middle leaves a hole in the training rows. Pass the times along, so that
    the estimator sees it: ``cross_val_score(model, X, cv=TrajectorySplit(), params={"t": t})``.
    With "forward" there is no hole.

    References
    ----------
    .. [1] C. Bergmeir, J. M. Benitez, "On the Use of Cross-Validation for Time Series Predictor
       Evaluation", Information Sciences 191, 2012.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn.model_selection import TrajectorySplit
    >>> X = np.zeros((7, 2))
    >>> for train, test in TrajectorySplit(n_splits=3, gap=1).split(X):
    ...     print(train, test)
    [4 5 6] [0 1 2]
    [0 1 6] [3 4]
    [0 1 2 3] [5 6]
    >>> for train, test in TrajectorySplit(n_splits=2).split(X, groups=list("aaabbcc")):
    ...     print(train, test)
    [5 6] [0 1 2 3 4]
    [0 1 2 3 4] [5 6]
    """

    # Asks for the ids as scikit-learn's splitters by group do.
    __metadata_request__split = {"groups": True}

    def __init__(self, n_splits: int = 5, *, gap: int = 0, strategy: str = "blocks") -> None:
        self.n_splits = n_splits
        self.gap = gap
        self.strategy = strategy

    def get_n_splits(  # pyright: ignore[reportIncompatibleMethodOverride]: a number always
        self, X: ArrayLike | None = None, y: object = None, groups: ArrayLike | None = None
    ) -> int:
        """Return the number of splits.

        Parameters
        ----------
        X : Ignored
            Not used, present for consistency.
        y : Ignored
            Not used, present for consistency.
        groups : Ignored
            Not used, present for consistency.

        Returns
        -------
        int
            ``n_splits``.
        """
        return self.n_splits

    def split(  # pyright: ignore[reportIncompatibleMethodOverride]: into arrays always
        self, X: ArrayLike, y: object = None, groups: ArrayLike | None = None
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the rows, or cases, of each training and test set.

        Parameters
        ----------
        X : array-like of shape (n_timepoints, n_features) or (n_cases, n_channels, n_timepoints)
            The data; a list of cases (n_channels, n_timepoints_i) too.
        y : array-like of shape (n_timepoints, ...) or None, default=None
            Targets; only their number is looked at.
        groups : array-like of shape (n_timepoints,) or (n_cases,), or None, default=None
            Trajectory of each row; or of each case, where cases belong together.

        Yields
        ------
        train : ndarray of shape (n_train,)
            Indices of the training set, increasing.
        test : ndarray of shape (n_test,)
            Indices of the test set, increasing.

        Raises
        ------
        ValueError
            If a parameter is out of range, there are fewer trajectories or rows than splits, or
            the gap leaves nothing to train on.
        """
        self._check_parameters()
        arrays: Any = indexable(X, y, groups)
        X, y, groups = arrays
        unit, one_trajectory = units_of(X, groups)
        forward = self.strategy == "forward"
        n_units, n_blocks = int(unit.max(initial=-1)) + 1, self.n_splits + forward
        if n_units < n_blocks:
            raise ValueError(
                f"n_splits={self.n_splits} with strategy={self.strategy!r} needs at least "
                f"{n_blocks} {'rows' if one_trajectory else 'trajectories'}; got {n_units}. Lower "
                "n_splits, or pass one trajectory as (n_timepoints, n_features) without groups to "
                "split it into blocks of time."
            )
        block = unit * n_blocks // n_units
        for number in range(forward, n_blocks):
            test = np.flatnonzero(block == number)
            training = block < number if forward else block != number
            if one_trajectory:
                training[max(0, test[0] - self.gap) : test[-1] + 1 + self.gap] = False
            if not training.any():
                raise ValueError(
                    f"gap={self.gap} leaves no rows to train on beside test rows {test[0]} to "
                    f"{test[-1]} of {len(unit)}. Lower gap or n_splits."
                )
            yield np.flatnonzero(training), test

    def _check_parameters(self):
        whole_number("n_splits", self.n_splits, 2)
        whole_number("gap", self.gap, 0)
        if self.strategy not in ("blocks", "forward"):
            raise ValueError(f"strategy must be 'blocks' or 'forward'; got {self.strategy!r}.")
