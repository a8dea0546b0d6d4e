"""Cross-validation of forecasts: from one origin after another, of what comes next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import indexable

from skdyn._trajectories import is_trajectories
from skdyn.model_selection._units import units_of, whole_number

__all__ = ["RollingOriginSplit"]


class RollingOriginSplit(BaseCrossValidator):
    """Splitter by origins of forecasts: the past trains, the steps that follow test [1]_.

    The last origin lies ``horizon`` rows before the end, the others earlier by ``step`` each. With
    several trajectories in the rows of a 2-D ``X``, told by ``groups``, each has its own past and
    future, counted from its own end; a model may learn from the pasts of all. Whole cases, of a 3-D
    ``X`` or a list, count as recorded one after the other.

    Parameters
    ----------
    n_splits : int, default=5
        Number of origins.
    horizon : int, default=1
        Rows, or cases, of a test set, of each trajectory.
    gap : int, default=0
        Rows, or cases, left out between the training and the test set.
    max_train_size : int or None, default=None
        Rows, or cases, of a training set at most, of each trajectory: a window that slides. None
        takes the whole past, a window that expands.
    step : int or None, default=None
        Rows, or cases, from one origin to the next; None is ``horizon``.

    See Also
    --------
    TrajectorySplit : Splits by whole trajectories, or by blocks of time.
    sklearn.model_selection.TimeSeriesSplit : Expanding windows of one series, without steps.

    References
    ----------
    .. [1] L. J. Tashman, "Out-of-sample tests of forecasting accuracy: an analysis and review",
       International Journal of Forecasting 16, 2000.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn.model_selection import RollingOriginSplit
    >>> X = np.zeros((8, 2))
    >>> for train, test in RollingOriginSplit(2, horizon=2, max_train_size=3).split(X):
    ...     print(train, test)
    [1 2 3] [4 5]
    [3 4 5] [6 7]
    >>> for train, test in RollingOriginSplit(1, horizon=1).split(X, groups=list("aaaaabbb")):
    ...     print(train, test)
    [0 1 2 3 5 6] [4 7]
    """

    # Asks for the ids as scikit-learn's splitters by group do.
    __metadata_request__split = {"groups": True}

    def __init__(
        self,
        n_splits: int = 5,
        *,
        horizon: int = 1,
        gap: int = 0,
        max_train_size: int | None = None,
        step: int | None = None,
    ) -> None:
        self.n_splits = n_splits
        self.horizon = horizon
        self.gap = gap
        self.max_train_size = max_train_size
        self.step = step

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
        """Yield the rows, or cases, of each training and test set, the earliest origin first.

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
            If a parameter is out of range, or there is nothing before the first origin.
        """
        self._check_parameters()
        arrays: Any = indexable(X, y, groups)
        X, y, groups = arrays
        left = _left_after(X, groups)
        step = self.horizon if self.step is None else self.step
        needed = self.horizon + (self.n_splits - 1) * step + self.gap + 1
        if not len(left) or left.max() + 1 < needed:
            what = "cases" if is_trajectories(X) else "rows of a trajectory"
            raise ValueError(
                f"n_splits={self.n_splits}, horizon={self.horizon}, step={step} and gap={self.gap} "
                f"need at least {needed} {what}; got {left.max(initial=-1) + 1}. Lower one of them."
            )
        for number in range(self.n_splits):
            origin = self.horizon + (self.n_splits - 1 - number) * step
            training = left >= origin + self.gap
            if self.max_train_size is not None:
                training &= left < origin + self.gap + self.max_train_size
            test = (left < origin) & (left >= origin - self.horizon)
            yield np.flatnonzero(training), np.flatnonzero(test)

    def _check_parameters(self):
        whole_number("n_splits", self.n_splits, 1)
        whole_number("horizon", self.horizon, 1)
        whole_number("gap", self.gap, 0)
        for name in ("max_train_size", "step"):
            if getattr(self, name) is not None:
                whole_number(name, getattr(self, name), 1)


def _left_after(X, groups):
    """Count how many rows of its trajectory, or how many cases, come after each."""
    unit, one_trajectory = units_of(X, groups)
    if one_trajectory or is_trajectories(X):
        return unit.max(initial=-1) - unit
    order = np.argsort(unit, kind="stable")
    counts = np.bincount(unit)
    left = np.empty(len(unit), dtype=np.intp)
    left[order] = np.concatenate([np.arange(count)[::-1] for count in counts])
    return left
