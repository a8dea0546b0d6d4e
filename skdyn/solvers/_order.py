"""Order conditions of Runge-Kutta methods, from rooted trees.

A method has order p when, for every rooted tree of at most p nodes, its elementary weight equals
one over the tree's density (Hairer, Nørsett and Wanner, Solving Ordinary Differential Equations I,
theorem II.2.13).
"""

from functools import cache
from itertools import combinations_with_replacement

import numpy as np

__all__ = ["order_conditions", "order_residual", "rooted_trees"]


@cache
def rooted_trees(n_nodes):
    """All rooted trees with ``n_nodes`` nodes, each a sorted tuple of its branches.

    Parameters
    ----------
    n_nodes : int
        Number of nodes.

    Returns
    -------
    trees : tuple of tuple
        The trees; ``()`` is the single node.
    """
    if n_nodes == 1:
        return ((),)
    found = set()
    for sizes in _partitions(n_nodes - 1, n_nodes - 1):
        found.update(_branchings(sizes))
    return tuple(sorted(found))


def _partitions(total, largest):
    """Partitions of ``total`` into parts of at most ``largest``, decreasing."""
    if total == 0:
        yield ()
    for part in range(min(total, largest), 0, -1):
        for rest in _partitions(total - part, part):
            yield (part, *rest)


def _branchings(sizes):
    """Trees whose branches have the given sizes."""
    if not sizes:
        yield ()
        return
    count = sizes.count(sizes[0])
    for chosen in combinations_with_replacement(rooted_trees(sizes[0]), count):
        for rest in _branchings(sizes[count:]):
            yield tuple(sorted((*chosen, *rest)))


def _size(tree):
    return 1 + sum(map(_size, tree))


def _density(tree):
    density = _size(tree)
    for branch in tree:
        density *= _density(branch)
    return density


def _weights(matrix, tree):
    """The vector whose product with ``b`` is the tree's elementary weight."""
    product = np.ones(len(matrix))
    for branch in tree:
        product = product * (matrix @ _weights(matrix, branch))
    return product


def order_conditions(matrix, order):
    """Order conditions as a linear system in the weights.

    Parameters
    ----------
    matrix : ndarray of shape (s, s)
        The coefficients ``a``.
    order : int
        Highest order.

    Returns
    -------
    rows : ndarray of shape (n_trees, s)
        Left-hand sides.
    targets : ndarray of shape (n_trees,)
        What ``rows @ b`` must be.
    sizes : ndarray of shape (n_trees,)
        Number of nodes of each tree.
    """
    trees = [tree for n_nodes in range(1, order + 1) for tree in rooted_trees(n_nodes)]
    rows = np.array([_weights(matrix, tree) for tree in trees])
    return rows, np.array([1 / _density(t) for t in trees]), np.array([_size(t) for t in trees])


def order_residual(matrix, weights, order):
    """Largest violation of the order conditions up to ``order``.

    Parameters
    ----------
    matrix : ndarray of shape (s, s)
        The coefficients ``a``.
    weights : ndarray of shape (s,)
        The weights ``b``.
    order : int
        Highest order checked.

    Returns
    -------
    residual : float
        Zero up to rounding for a method of that order.
    """
    rows, targets, _ = order_conditions(matrix, order)
    return float(np.abs(rows @ weights - targets).max())
