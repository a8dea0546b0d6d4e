"""Clouds of points as a network sees them: padded among those of one length, weights zero there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch

from skdyn.training._devices import sent

__all__ = ["CloudArrays", "CloudBatch", "CloudObjective", "CloudStore"]

_PADDED = 1.25  # points of a batch, filled up, over those that are there, at most


class CloudArrays(NamedTuple):
    """What is known of cases, point after point.

    Attributes
    ----------
    features : ndarray of shape (n_points, n_features)
        Standardized.
    weights : ndarray of shape (n_points,)
        Of sum one in each case.
    edge : ndarray of bool of shape (n_points,)
        Which points are of the edge.
    sizes : ndarray of int of shape (n_cases,)
        Points of each case.
    nearest : ndarray of int of shape (n_points, k)
        Neighbors within the case.
    places : ndarray of shape (n_places, n_features) or None
        Features of where answers are asked for; None at the points themselves.
    place_sizes : ndarray of int of shape (n_cases,)
        Of these.
    place_nearest : ndarray of int of shape (n_places, k)
        Points of the case nearest to these.
    """

    features: np.ndarray
    weights: np.ndarray
    edge: np.ndarray
    sizes: np.ndarray
    nearest: np.ndarray
    places: np.ndarray | None
    place_sizes: np.ndarray
    place_nearest: np.ndarray


class CloudBatch(NamedTuple):
    """Some cases, filled up to the longest.

    Attributes
    ----------
    features : Tensor of shape (n_cases, n_points, n_features)
        Of the points.
    weights : Tensor of shape (n_cases, n_points)
        Of sum one in each case, zero where filled up.
    edge : Tensor of int of shape (n_cases, n_edge)
        Numbers of the points of the edge.
    edge_weights : Tensor of shape (n_cases, n_edge)
        Of sum one, zero where filled up.
    nearest : Tensor of int of shape (n_cases, n_points, k)
        Neighbors.
    places : Tensor of shape (n_cases, n_places, n_features) or None
        Features of where answers are asked for.
    place_nearest : Tensor of int of shape (n_cases, n_places, k)
        Points nearest to these.
    """

    features: torch.Tensor
    weights: torch.Tensor
    edge: torch.Tensor
    edge_weights: torch.Tensor
    nearest: torch.Tensor
    places: torch.Tensor | None
    place_nearest: torch.Tensor


class CloudStore:
    """Cases on a device, flat; batches are put together from them.

    Parameters
    ----------
    arrays : CloudArrays
        The cases.
    like : Tensor
        Whose precision and device the numbers take.
    """

    def __init__(self, arrays: CloudArrays, like: torch.Tensor) -> None:
        def on_device(values):
            tensor = torch.as_tensor(np.ascontiguousarray(values))
            return tensor.to(like) if tensor.is_floating_point() else tensor.to(like.device)

        self._features, self._weights = on_device(arrays.features), on_device(arrays.weights)
        self._nearest, self._place_nearest = map(on_device, arrays[4::3])
        self.sizes, self._first = _spans(arrays.sizes, on_device)
        rows = np.flatnonzero(arrays.edge)
        case = np.repeat(np.arange(len(arrays.sizes)), arrays.sizes)[rows]
        counts = np.bincount(case, minlength=len(arrays.sizes))
        first = np.cumsum(arrays.sizes) - arrays.sizes
        self._edge = on_device(rows - first[case])
        self._edge_sizes, self._edge_first = _spans(counts, on_device)
        self._places = None if arrays.places is None else on_device(arrays.places)
        self.place_sizes, self._place_first = _spans(arrays.place_sizes, on_device)
        # On the host too, which then knows how long batches are without asking.
        known = arrays.sizes, counts, arrays.place_sizes
        self._known_sizes = np.stack([np.asarray(sizes, dtype=np.int64) for sizes in known])

    def __len__(self) -> int:
        return len(self.sizes)

    def groups(self, numbers: np.ndarray) -> list[np.ndarray]:
        """Part cases into groups of nearly one length, longest first.

        Parameters
        ----------
        numbers : ndarray of int of shape (n_cases,)
            Of the cases.

        Returns
        -------
        list of ndarray
            Positions in `numbers`.
        """
        sizes = self._known_sizes[::2, numbers].max(axis=0)
        # By torch, whose order of equals differs from numpy's: sums over cases hang on it.
        order = np.from_dlpack(torch.as_tensor(sizes).sort(descending=True).indices)
        lengths, groups, start = sizes[order].tolist(), [], 0
        while start < len(lengths):
            stop, total = start, 0
            while stop < len(lengths):
                total += lengths[stop]
                if lengths[start] * (stop - start + 1) > _PADDED * total:
                    break
                stop += 1
            groups.append(order[start:stop])
            start = stop
        return groups

    def batch(self, numbers: np.ndarray) -> CloudBatch:
        """Put cases together.

        Parameters
        ----------
        numbers : ndarray of int of shape (n_cases,)
            Of the cases.

        Returns
        -------
        CloudBatch
        """
        here = self.numbers_here(numbers)
        n_points, n_edge, _ = self._known_sizes[:, numbers].max(axis=1).tolist()
        rows, there = _padded(self._first[here], self.sizes[here], n_points)
        weights = self._weights[rows] * there
        spots, on_edge = _padded(self._edge_first[here], self._edge_sizes[here], n_edge)
        edge = torch.zeros_like(spots)
        if len(self._edge):
            edge = self._edge[spots.clamp(max=len(self._edge) - 1)].where(on_edge, edge)
        edge_weights = weights.gather(1, edge) * on_edge
        total = edge_weights.sum(dim=1, keepdim=True)
        edge_weights = edge_weights / torch.where(total > 0, total, 1.0)
        places, near = None, self._nearest[rows]
        if self._places is not None:
            asked, _ = self.rows_of_places(numbers)
            places, near = self._places[asked], self._place_nearest[asked]
        return CloudBatch(
            self._features[rows], weights, edge, edge_weights, self._nearest[rows], places, near
        )

    def ask(self, module: Any, n_points: int) -> torch.Tensor:
        """Run a network over all cases, some at a time.

        Parameters
        ----------
        module : Module
            The network.
        n_points : int
            Points of a batch, more or less.

        Returns
        -------
        Tensor of shape (n_places, n_outputs)
            Place after place.
        """
        rows, answers = [], []
        for group in self.groups(np.arange(len(self))):
            each = max(1, n_points // int(self._known_sizes[::2, group].max()))
            for some in np.split(group, range(each, len(group), each)):
                asked, there = self.rows_of_places(some)
                rows.append(asked[there])
                answers.append(module(self.batch(some))[there])
        found = torch.cat(answers)
        return found.new_empty(found.shape).index_copy_(0, torch.cat(rows), found)

    def numbers_here(self, numbers: np.ndarray) -> torch.Tensor:
        """Return numbers on the cases' device.

        Parameters
        ----------
        numbers : ndarray of int of shape (n_cases,)
            Of the cases.

        Returns
        -------
        Tensor of int of the same shape
        """
        return sent(torch.as_tensor(numbers), self.sizes.device)

    def rows_of_places(self, numbers: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the numbers of the places of a batch, and which of them are there.

        Parameters
        ----------
        numbers : ndarray of int of shape (n_cases,)
            Of the cases.

        Returns
        -------
        rows : Tensor of int of shape (n_cases, n_places)
        there : Tensor of bool of the same shape
        """
        here, longest = self.numbers_here(numbers), self._known_sizes[2, numbers].max()
        return _padded(self._place_first[here], self.place_sizes[here], int(longest))


def _spans(sizes, on_device):
    sizes = np.asarray(sizes, dtype=np.int64)
    return on_device(sizes), on_device(np.cumsum(sizes) - sizes)


def _padded(first, sizes, longest):
    """Return the numbers of the rows of spans, filled up with their first, and which are there."""
    steps = torch.arange(max(1, longest), device=sizes.device)
    there = steps < sizes[:, None]
    return first[:, None] + torch.where(there, steps, 0), there


class CloudObjective:
    """Mean loss of a network on cases of a store.

    Parameters
    ----------
    case_loss : callable
        ``case_loss(errors, weights)`` returns the loss of each case from errors
        ``(n_cases, n_places, n_outputs)`` and weights of places, of sum one.
    """

    def __init__(self, case_loss: Callable[..., torch.Tensor]) -> None:
        self._case_loss = case_loss
        self._stores: list[tuple[CloudStore, torch.Tensor, torch.Tensor]] = []

    def add(self, store: CloudStore, y: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Take in cases; return their numbers, by which batches ask for them.

        Parameters
        ----------
        store : CloudStore
            The cases.
        y : Tensor of shape (n_places, n_outputs)
            Targets, place after place.
        weights : Tensor of shape (n_places,)
            Of sum one in each case.

        Returns
        -------
        Tensor of int of shape (n_cases,)
        """
        first = sum(len(part[0]) for part in self._stores)
        self._stores.append((store, y, weights))
        return torch.arange(first, first + len(store))

    def __call__(self, module: Any, numbers: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        """Return the loss of a batch.

        Parameters
        ----------
        module : Module
            The network.
        numbers : Tensor of int of shape (n_cases,)
            Of cases of one store.
        weight : Tensor of shape (n_cases,)
            Their weights, divided by the size of their targets where that counts.

        Returns
        -------
        Tensor
        """
        (store, y, shares), first = self._stores[0], 0
        known = np.asarray(numbers.tolist())  # the one look at the device
        if len(self._stores) > 1 and known[0] >= len(store):
            first = len(store)
            store, y, shares = self._stores[1]
        known = known - first
        total: Any = 0.0
        for group in store.groups(known):
            some, part = known[group], weight[store.numbers_here(group)]
            rows, there = store.rows_of_places(some)
            errors = module(store.batch(some)) - y[rows]
            total = total + (self._case_loss(errors, shares[rows] * there) * part).sum()
        return total / len(known)

    @torch.no_grad()
    def loss_of_zero(self, arrays: tuple[torch.Tensor, torch.Tensor]) -> float:
        """Return the loss of answers that are zero, the mean of standardized targets.

        Parameters
        ----------
        arrays : tuple of Tensor
            Numbers of cases and weights, as in a batch.

        Returns
        -------
        float
        """
        return float(self(lambda batch: 0.0, *arrays))

    def multiply_adds(self, module: Any, shape: tuple[int, ...]) -> int:
        """Count the multiply-adds of a pass over a batch of this shape.

        Parameters
        ----------
        module : Module
            The network.
        shape : tuple of int
            ``(n_cases,)``.

        Returns
        -------
        int
        """
        store = self._stores[0][0]
        n_rows = int((store.sizes + store.place_sizes).sum()) // len(store)
        return shape[0] * n_rows * sum(weight.numel() for weight in module.parameters())
