"""Masked retrieval: queries and patterns of which only some coordinates are known.

Everything here is in units in which each coordinate has mean zero and variance one. ``known``
holds ones and zeros, and values are zero where they are not known.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import torch

from skdyn.hopfield._frozen_memory import FrozenMemory
from skdyn.hopfield._retrieval import row_chunks
from skdyn.hopfield._separations import Separation

__all__ = ["MaskedPatterns", "regress"]

_N_COMPLETIONS = 2  # a third one changes the errors of imputation in the third digit, either way
_COMPLETION_RIDGE = 0.1
_LEAST_RIDGE = 1e-10  # below, the inverse of a singular covariance has no digits left
_TINY = 1e-300


def regress(
    values: torch.Tensor, known: torch.Tensor, covariance: torch.Tensor, ridge: float
) -> torch.Tensor:
    """Predict the gaps from what is known by ridge regression, in every row from its own.

    These are conditional means of a normal distribution, :math:`-P_{UU}^{-1} P_{UO} x_O` with the
    inverse covariance :math:`P`: each row needs a system no larger than the number of its gaps.

    Parameters
    ----------
    values : Tensor of shape (..., n_rows, n_features)
        Rows; what is not known does not count.
    known : Tensor of shape (n_rows, n_features)
        Ones where values are known, else zeros.
    covariance : Tensor of shape (n_features, n_features)
        Of the coordinates.
    ridge : float
        Added to the variances; at least 1e-10 is.

    Returns
    -------
    Tensor of shape (..., n_rows, n_features)
        Predictions in gaps, zero elsewhere.
    """
    ridges = torch.full_like(covariance[0], max(ridge, _LEAST_RIDGE)).diag()
    precision = torch.linalg.inv(covariance + ridges)
    pull = -(values * known) @ precision
    n_gaps = (known == 0).sum(dim=1)
    order = n_gaps.argsort()  # so that rows of one batch have systems of about one size
    order = order[n_gaps[order] > 0]
    out = torch.zeros_like(pull)
    for part in row_chunks(len(order), int(n_gaps.max()) ** 2):
        rows = order[part]
        size = int(n_gaps[rows[-1]])
        gaps = known[rows].argsort(dim=1, stable=True)[:, :size]
        spare = torch.arange(size) >= n_gaps[rows, None]  # rows of fewer gaps have these to spare
        system = precision[gaps[:, :, None], gaps[:, None, :]]
        system.masked_fill_(spare[:, :, None] | spare[:, None, :], 0)
        system.diagonal(dim1=1, dim2=2).masked_fill_(spare, 1)
        sides = pull[..., rows[:, None], gaps].masked_fill_(spare, 0)
        solved = torch.linalg.solve(system, sides.reshape(-1, *gaps.shape).permute(1, 2, 0))
        out[..., rows[:, None], gaps] = solved.permute(2, 0, 1).reshape(sides.shape)
    return out


@dataclass(frozen=True, eq=False)
class MaskedPatterns:
    """Stored patterns with gaps, compared by a frozen memory of what completes them.

    Parameters
    ----------
    completed : Tensor of shape (n_patterns, n_features)
        Patterns; their gaps are filled by regression, for comparisons only.
    known : Tensor of shape (n_patterns, n_features) or None
        Ones where they are known, else zeros; None where there are no gaps.
    covariance : Tensor of shape (n_features, n_features)
        Of the coordinates.
    """

    completed: torch.Tensor
    known: torch.Tensor | None
    covariance: torch.Tensor

    @cached_property
    def memory(self) -> FrozenMemory:
        """The completed patterns."""
        return FrozenMemory(self.completed)

    @classmethod
    def store(cls, values: torch.Tensor, known: torch.Tensor) -> Self:
        """Store patterns.

        Parameters
        ----------
        values : Tensor of shape (n_patterns, n_features)
            Patterns, zero in their gaps.
        known : Tensor of shape (n_patterns, n_features)
            Ones where they are known, else zeros.

        Returns
        -------
        MaskedPatterns
        """
        n = len(values)
        if known.all():
            return cls(values, None, values.T @ values / n)
        # Each coordinate divided by the share of rows that know it: right for pairs where gaps come
        # by chance, positive definite, and with variances too large where many are missing, which
        # is a ridge of the right kind.
        scaled = values * (n / known.sum(dim=0).clamp(min=1))
        completed, covariance = values, scaled.T @ scaled / n
        for _ in range(_N_COMPLETIONS):
            completed = values + regress(values, known, covariance, _COMPLETION_RIDGE)
            covariance = completed.T @ completed / n
        return cls(completed, known, covariance)

    def recall(
        self,
        values: torch.Tensor,
        known: torch.Tensor,
        betas: Sequence[float],
        separation: Separation,
        groups: np.ndarray | None = None,
        exclude: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return what is recalled by the known coordinates of queries.

        Each coordinate of what is recalled is the mean over the patterns that know it. A pattern
        that knows none of what a query asks for takes no part, so that a query which is stored
        itself learns nothing from its own copy.

        Parameters
        ----------
        values : Tensor of shape (n_queries, n_features)
            Queries, zero in their gaps.
        known : Tensor of shape (n_queries, n_features)
            Ones where they are known, else zeros.
        betas : sequence of float
            Inverse temperatures of scores that are divided by the number of columns that vary.
        separation : Separation
            From scores to weights.
        groups : ndarray of int of shape (n_features,) or None, default=None
            Which coordinates are of one column; None is each of its own.
        exclude : Tensor of int64 of shape (n_queries,) or None, default=None
            A pattern that each query must not see.

        Returns
        -------
        Tensor of shape (n_betas, n_queries, n_features)
        """
        told = self._told()
        means = values.new_empty(len(betas), *values.shape)
        chunks = self.weight_chunks(values, known, betas, separation, groups, exclude)
        for rows, weights in chunks:
            means[:, rows] = self._means(weights, told)
        return means

    def weight_chunks(
        self,
        values: torch.Tensor,
        known: torch.Tensor,
        betas: Sequence[float],
        separation: Separation,
        groups: np.ndarray | None = None,
        exclude: torch.Tensor | None = None,
    ) -> Iterator[tuple[slice, torch.Tensor]]:
        """Yield the weights of the patterns, a chunk of queries at a time.

        Parameters
        ----------
        values, known, betas, separation, groups, exclude : object
            See :meth:`recall`.

        Yields
        ------
        (slice, Tensor of shape (n_betas, n_rows, n_patterns))
            Which queries, and their weights.
        """
        varies = (self.covariance.diagonal() > 0).numpy()
        columns = varies.nonzero()[0] if groups is None else np.unique(groups[varies])
        limits = torch.finfo(values.dtype)
        steps = [min(max(b / max(len(columns), 1), limits.tiny), limits.max) for b in betas]
        by_beta = torch.tensor(steps, dtype=values.dtype)[:, None, None]
        chunks = self.memory.score_chunks(values * known, known=known, exclude=exclude)
        for rows, _, scores in chunks:
            if self.known is not None:
                scores.masked_fill_((1 - known[rows]) @ self.known.T == 0, -torch.inf)
                best = scores.amax(dim=1, keepdim=True)
                if torch.isneginf(best).any():  # no pattern left: all alike
                    scores.masked_fill_(torch.isneginf(best), 0)
                    best.nan_to_num_(neginf=0)
                scores.sub_(best)  # before beta, which may be huge
            yield rows, separation.weights(by_beta * scores)

    def shares_of(self, weights: np.ndarray, column: int) -> np.ndarray:
        """Return the weights of patterns in what is recalled of a coordinate.

        Parameters
        ----------
        weights : ndarray of shape (n_patterns,)
            Weights of a query.
        column : int
            The coordinate.

        Returns
        -------
        ndarray of shape (n_patterns,)
            Of those that know it, out of a sum of one; of all, where those have no weight.
        """
        mine = weights if self.known is None else weights * self.known[:, column].numpy()
        return mine / mine.sum() if mine.sum() > _TINY else weights

    def draw(
        self, weights: torch.Tensor, groups: np.ndarray, generator: torch.Generator
    ) -> torch.Tensor:
        """Return patterns drawn by their weights, with their gaps filled by other draws.

        Parameters
        ----------
        weights : Tensor of shape (n_queries, n_patterns)
            Weights of sum one.
        groups : ndarray of int of shape (n_features,)
            Which coordinates are of one column, which is drawn whole.
        generator : torch.Generator
            Draws.

        Returns
        -------
        Tensor of shape (n_queries, n_features)
        """
        donors = torch.multinomial(weights, 1, generator=generator)[:, 0]
        drawn = self.completed[donors]
        if self.known is None:
            return drawn
        lacking = self.known[donors] == 0
        for group in np.unique(groups[lacking.any(dim=0).numpy()]):
            columns = torch.from_numpy(np.flatnonzero(groups == group))
            rows = torch.nonzero(lacking[:, columns[0]])[:, 0]
            of_those = weights[rows] * self.known[:, columns[0]]
            told = of_those.sum(dim=1) > _TINY  # else what completes the donor stays
            rows, of_those = rows[told], of_those[told]
            if len(rows):
                others = torch.multinomial(of_those, 1, generator=generator)
                drawn[rows[:, None], columns] = self.completed[others, columns]
        return drawn

    def _told(self):
        if self.known is None:
            return self.completed
        return torch.cat([self.completed * self.known, self.known], dim=1)

    def _means(self, weights, told):
        if self.known is None:
            return weights @ told
        sums, share = (weights @ told).chunk(2, dim=-1)
        unknown = share <= _TINY  # to all that have weight: few have in sparse separations
        means = sums / share
        return torch.where(unknown, weights @ self.completed, means) if unknown.any() else means
