"""The learned part of an association: where rows are compared, and what they are compared with."""

from functools import cache
from typing import Any

import numpy as np
import torch
from sklearn.cluster import KMeans
from threadpoolctl import ThreadpoolController

__all__ = ["Matching", "centers", "whitening"]

_SHRINKAGE = 0.5  # of the covariances towards none, when rows are whitened
_FLOOR = 0.01  # of the mean variance: directions without any within groups count ten times, no more
_N_LLOYD = 20  # the prototypes move on anyway


class Matching(torch.nn.Module):
    """A linear projection, or the identity; prototypes in its space, or none; a temperature.

    What is learned are the differences from where they began, so that weight decay draws them back
    to there and not to zero.

    Parameters
    ----------
    n_features : int
        Width of the rows.
    n_components : int
        Width of the projection; 0 compares rows as they are.
    n_prototypes : int
        Number of prototypes; 0 leaves the projection to be learned, else they are.
    n_values : int
        Width of the prototypes' values.
    learns_beta : bool
        Whether the temperature is learned.
    """

    first_beta: torch.Tensor
    first_unit: torch.Tensor
    first_projection: torch.Tensor  # where there is one
    first_prototypes: torch.Tensor  # the same
    first_values: torch.Tensor

    def __init__(
        self, n_features: int, n_components: int, n_prototypes: int, n_values: int,
        learns_beta: bool,
    ) -> None:  # fmt: skip
        super().__init__()
        self.learns_beta = learns_beta
        self.log_beta = torch.nn.Parameter(torch.zeros(()))
        self.register_buffer("first_beta", torch.ones(()))
        self.register_buffer("first_unit", torch.ones(()))
        if n_components:
            self.register_buffer("first_projection", torch.eye(n_components, n_features))
        if n_components and not n_prototypes:
            self.turn = torch.nn.Parameter(torch.zeros(n_components, n_components))
        if n_prototypes:
            self.register_buffer("first_prototypes", torch.zeros(n_prototypes, n_components))
            self.register_buffer("first_values", torch.zeros(n_prototypes, n_values))
            self.moves = torch.nn.Parameter(torch.zeros(n_prototypes, n_components))
            self.changes = torch.nn.Parameter(torch.zeros(n_prototypes, n_values))

    @torch.no_grad()
    def begin(self, **first):
        """Begin from a projection, prototypes, values, beta, or the unit of beta."""
        for name, value in first.items():
            getattr(self, f"first_{name}").copy_(torch.as_tensor(value))

    def forward(self, X):
        """Project rows, (n, n_features) to (n, n_components)."""
        if not hasattr(self, "first_projection"):
            return X
        projected = X @ self.first_projection.T
        return projected + projected @ self.turn.T if hasattr(self, "turn") else projected

    @property
    def beta(self):
        """The inverse temperature, where similarities are measured in ``first_unit``."""
        return self.first_beta * self.log_beta.exp() if self.learns_beta else self.first_beta

    @property
    def prototypes(self):
        """The prototypes, (n_prototypes, n_components)."""
        return self.first_prototypes + self.moves

    @property
    def values(self):
        """What the prototypes stand for, (n_prototypes, n_values)."""
        return self.first_values + self.changes


def whitening(X, weight, groups, n_components):
    """Return a projection that makes rows of a group vary alike in all directions.

    The covariance within the groups is shrunk towards its diagonal. Directions in which members
    of a group differ tell little about what groups them. Those in which they do not differ at all
    may tell everything: a floor keeps them, and rows are left as they are, but for the unit, where
    each group is one row. Only features without any variance are dropped.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Standardized rows.
    weight : ndarray of shape (n_samples,)
        Their weights.
    groups : ndarray of int of shape (n_samples,) or None
        Groups; without any, rows are left as they are.
    n_components : int
        Keep that many leading directions of the result, those of the largest variance.

    Returns
    -------
    ndarray of shape (n_components, n_features)
    """
    projection = np.eye(X.shape[1])
    if groups is not None:
        mass = np.bincount(groups, weight)
        means = np.stack([np.bincount(groups, weight * column) for column in X.T], axis=1)
        residuals = X - (means / np.maximum(mass, 1e-300)[:, None])[groups]
        covariance = (residuals * weight[:, None]).T @ residuals / weight.sum()
        diagonal = np.diag(np.diag(covariance))
        variances, axes = np.linalg.eigh(covariance + _SHRINKAGE * (diagonal - covariance))
        total = weight @ np.square(X - weight @ X / weight.sum()) / weight.sum()
        floor = _FLOOR * total.mean() or 1.0
        projection = (axes / np.sqrt(variances.clip(min=0) + floor)) @ axes.T
        projection[:, total == 0] = 0.0
    if n_components == X.shape[1]:
        return projection
    projected = X @ projection
    projected = projected - np.average(projected, axis=0, weights=weight)
    axes = np.linalg.eigh((projected * weight[:, None]).T @ projected)[1]
    return axes[:, : -n_components - 1 : -1].T @ projection


@cache
def _threads():
    """Return what limits threads; to find their libraries takes longer than to cluster few rows."""
    return ThreadpoolController()


def centers(X, weight, n_centers, seed) -> Any:
    """Return centers of clusters of rows; where rows are few, some of them twice.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Rows, at least one.
    weight : ndarray of shape (n_samples,)
        Their weights.
    n_centers : int
        How many.
    seed : int
        Seed of the first centers.

    Returns
    -------
    centers : ndarray of shape (n_centers, n_features)
    labels : ndarray of shape (n_samples,)
        The cluster of each row.
    """
    if len(X) <= n_centers:
        return X[np.arange(n_centers) % len(X)], np.arange(len(X))
    once: Any = 1
    with _threads().limit(limits=1):  # sums of threads differ in their last bits
        means = KMeans(n_centers, n_init=once, max_iter=_N_LLOYD, random_state=seed)
        means.fit(X, sample_weight=weight)
    return means.cluster_centers_, means.labels_
