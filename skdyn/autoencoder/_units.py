"""Do two networks learn the same? Their units compared by what they answer to the same inputs."""

from __future__ import annotations

import warnings
from numbers import Real
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import SpectralCoclustering
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import Lasso

from skdyn._validation import check_array, is_whole

__all__ = ["UnitMatch", "match_units"]


class UnitMatch(NamedTuple):
    """How the units of one network come back in another.

    Attributes
    ----------
    correlation : ndarray of shape (n_first, n_second)
        Correlation of each unit with each; 0 where a unit never changes.
    partner : ndarray of int, shape (n_first,)
        One to one: the unit of the second network that stands for each of the first, by the
        assignment with the largest sum of correlations; -1 where it has none.
    partner_correlation : ndarray of shape (n_first,)
        Correlation with the partner, 0 without one.
    weights : ndarray of shape (n_first, n_second)
        One to many: of which few units of the second network each of the first is a sum, all
        standardized.
    explained : ndarray of shape (n_first,)
        Share of each unit's variance that this sum explains.
    first_groups, second_groups : ndarray of int, shape (n_first,) and (n_second,)
        Many to many: the group that each unit is in.

    See Also
    --------
    match_units : Returns it.
    """

    correlation: np.ndarray
    partner: np.ndarray
    partner_correlation: np.ndarray
    weights: np.ndarray
    explained: np.ndarray
    first_groups: np.ndarray
    second_groups: np.ndarray


def match_units(
    first: ArrayLike,
    second: ArrayLike,
    *,
    alpha: float = 0.02,
    n_groups: int = 8,
    random_state: int | np.random.RandomState | None = None,
) -> UnitMatch:
    """Match units of two networks by how their activations correlate over the same inputs [1]_.

    Unlike :func:`match_dictionaries`, which compares atoms of one space, it needs no common space:
    only that row i of both is the answer to the same input.

    Parameters
    ----------
    first, second : array-like of shape (n_samples, n_first) and (n_samples, n_second)
        Activations of the two networks, or codes of two dictionaries.
    alpha : float, default=0.02
        Penalty of the Lasso that looks for few units whose sum is one.
    n_groups : int, default=8
        Number of groups that spectral co-clustering of the absolute correlations looks for; less
        where there are fewer units.
    random_state : int, RandomState instance or None, default=None
        Source of the co-clustering's starts.

    Returns
    -------
    UnitMatch

    Raises
    ------
    ValueError
        If the numbers of samples differ, ``alpha`` is not positive or ``n_groups`` no positive
        whole number.

    See Also
    --------
    match_dictionaries : Atoms of two dictionaries.
    convergent_learning : What several trainings share.

    References
    ----------
    .. [1] Yixuan Li, Jason Yosinski, Jeff Clune, Hod Lipson, John Hopcroft, "Convergent Learning:
       Do different neural networks learn the same representations?", ICLR 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn.autoencoder import match_units
    >>> first = np.random.default_rng(0).normal(size=(100, 3))
    >>> found = match_units(first, 5 * first[:, [2, 0, 1]], n_groups=3)
    >>> found.partner
    array([1, 2, 0])
    """
    A = check_array(first, dtype=np.float64, input_name="first")
    B = check_array(second, dtype=np.float64, input_name="second")
    if len(A) != len(B):
        raise ValueError(
            f"first has {len(A)} samples, second {len(B)}; row i of both must be the answer to the "
            "same input."
        )
    if not isinstance(alpha, Real) or not alpha > 0:
        raise ValueError(f"alpha must be a positive number; got {alpha!r}.")
    if not is_whole(n_groups, 1):
        raise ValueError(f"n_groups must be a positive whole number; got {n_groups!r}.")
    A, B = _standardized(A), _standardized(B)
    correlation = A.T @ B / len(A)
    rows, columns = linear_sum_assignment(correlation, maximize=True)
    partner = np.full(A.shape[1], -1)
    partner[rows] = columns
    partner_correlation = np.zeros(A.shape[1])
    partner_correlation[rows] = correlation[rows, columns]
    weights = _few_that_sum_to_each(A, B, alpha)
    explained = 1.0 - np.square(A - B @ weights.T).mean(axis=0)
    explained[~A.any(axis=0)] = 0.0
    groups = _groups(np.abs(correlation), n_groups, random_state)
    return UnitMatch(correlation, partner, partner_correlation, weights, explained, *groups)


def _standardized(A):
    """Return columns of mean zero and deviation one; those that never change become zeros."""
    centered = A - A.mean(axis=0)
    deviation = centered.std(axis=0)
    still = deviation <= 1e-12 * np.abs(A).max(axis=0)
    return np.where(still, 0.0, centered / np.where(still, 1.0, deviation))


def _few_that_sum_to_each(A, B, alpha):
    """Return the Lasso's choice for each column, its weights fitted again without the penalty."""
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        lasso = Lasso(alpha=alpha, fit_intercept=False).fit(B, A)
    chosen = np.atleast_2d(lasso.coef_) != 0
    weights = np.zeros(chosen.shape)
    for unit, some in enumerate(chosen):
        if some.any():
            weights[unit, some] = np.linalg.lstsq(B[:, some], A[:, unit], rcond=None)[0]
    return weights


def _groups(similarity, n_groups, random_state):
    n_groups = min(n_groups, *similarity.shape)
    if n_groups == 1:
        return tuple(np.zeros(n, dtype=int) for n in similarity.shape)
    # A unit that correlates with none has no place in the spectrum: it is alike to all.
    lifted = similarity + 1e-6
    found = SpectralCoclustering(n_groups, random_state=random_state).fit(lifted)
    return found.row_labels_, found.column_labels_
