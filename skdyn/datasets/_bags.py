"""Generator of bags, some of which hold instances of a planted kind."""

from numbers import Integral
from typing import Any

import numpy as np
from sklearn.utils import check_random_state

from skdyn.datasets._generate import check_integer, check_number

__all__ = ["make_bags"]


def make_bags(
    n_bags: int = 100,
    n_features: int = 10,
    *,
    n_instances: int | tuple[int, int] = (5, 15),
    n_kinds: int = 5,
    share: float = 0.1,
    separation: float = 1.0,
    random_state: int | np.random.RandomState | None = None,
) -> tuple[list[np.ndarray], np.ndarray, list[np.ndarray]]:
    r"""Draw bags of instances; a bag is positive when it holds at least one of a planted kind.

    This is the standard assumption of multiple-instance learning [1]_. Every kind is a cloud of
    Gaussian points of variance one around a center of its own,

    .. math:: x = c_k + \epsilon, \qquad c_k \sim N(0, s^2 I), \qquad \epsilon \sim N(0, I).

    Instances of negative bags are of any kind but the planted one.

    Parameters
    ----------
    n_bags : int, default=100
        Number of bags, half of them positive.
    n_features : int, default=10
        Number of features of an instance.
    n_instances : int or tuple of (int, int), default=(5, 15)
        Number of instances of a bag: a number, or the least and the greatest, between which it is
        drawn for each bag.
    n_kinds : int, default=5
        Number of kinds, the planted one among them.
    share : float, default=0.1
        Probability with which an instance of a positive bag is of the planted kind. At least one
        is.
    separation : float, default=1.0
        Standard deviation s of the centers, in each feature.
    random_state : int, RandomState instance or None, default=None
        Source of randomness; an int makes the data reproducible.

    Returns
    -------
    X : list of ndarray of shape (n_instances_i, n_features)
        The bags.
    y : ndarray of shape (n_bags,)
        1 for positive bags, 0 for negative ones.
    planted : list of ndarray of bool, shape (n_instances_i,)
        Which instances of each bag are of the planted kind.

    Raises
    ------
    ValueError
        If a parameter is out of its range; the message names it.

    References
    ----------
    .. [1] Thomas Dietterich, Richard Lathrop, Tomás Lozano-Pérez, "Solving the Multiple Instance
       Problem with Axis-Parallel Rectangles", Artificial Intelligence 89, 1997.

    Examples
    --------
    >>> from skdyn.datasets import make_bags
    >>> X, y, planted = make_bags(4, n_features=3, random_state=0)
    >>> sorted(y.tolist())
    [0, 0, 1, 1]
    >>> X[0].shape == (len(planted[0]), 3)
    True
    >>> [bool(of_bag.any()) for of_bag in planted] == y.astype(bool).tolist()
    True
    """
    for name, value, low in (("n_bags", n_bags, 1), ("n_features", n_features, 1),
                             ("n_kinds", n_kinds, 2)):  # fmt: skip
        check_integer(name, value, low=low)
    check_number("share", share, low=0, high=1)
    check_number("separation", separation, low=0)
    least, most = _range(n_instances)
    rng = check_random_state(random_state)
    centers = separation * rng.standard_normal((n_kinds, n_features))
    y = rng.permutation(np.arange(n_bags) % 2)
    X, planted = [], []
    for positive in y:
        size = rng.randint(least, most + 1)
        n_planted = max(1, rng.binomial(size, share)) if positive else 0
        chosen = rng.permutation(np.arange(size) < n_planted)
        kinds = np.where(chosen, 0, rng.randint(1, n_kinds, size))
        X.append(centers[kinds] + rng.standard_normal((size, n_features)))
        planted.append(chosen)
    return X, y, planted


def _range(n_instances: Any) -> tuple[int, int]:
    """Return the least and the greatest number of instances."""
    pair: Any = (n_instances,) * 2 if isinstance(n_instances, Integral) else n_instances
    whole = np.shape(pair) == (2,) and all(isinstance(n, Integral) for n in pair)
    if not whole or not 1 <= pair[0] <= pair[1]:
        raise ValueError(
            "n_instances must be a whole number of at least 1, or the least and the greatest of "
            f"them; got {n_instances!r}."
        )
    return pair
