"""Masked retrieval: queries and patterns of which only some coordinates are known.

Everything here is in units in which each coordinate has mean zero and variance one. ``known``
holds ones and zeros, and values are zero where they are not known.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Self

import torch

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
        index = gaps.expand(*pull.shape[:-2], *gaps.shape)
        sides = pull[..., rows, :].gather(-1, index).masked_fill_(spare, 0)
        solved = torch.linalg.solve(system, sides.reshape(-1, *gaps.shape).permute(1, 2, 0))
        filled = solved.permute(2, 0, 1).reshape(sides.shape)
        out[..., rows, :] = torch.zeros_like(pull[..., rows, :]).scatter_(-1, index, filled)
    return out


class MaskedPatterns(NamedTuple):
    """Stored patterns with gaps.

    Attributes
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
        covariance = scaled.T @ scaled / n
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
        exclude: torch.Tensor | None = None,
    ) -> Iterator[tuple[slice, torch.Tensor]]:
        """Yield what is recalled by the known coordinates of queries, a chunk at a time.

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
            Inverse temperatures of scores that are divided by the total variance, which is the
            number of coordinates that vary.
        separation : Separation
            From scores to weights.
        exclude : Tensor of int64 of shape (n_queries,) or None, default=None
            A pattern that each query must not see.

        Yields
        ------
        (slice, Tensor of shape (n_betas, n_rows, n_features))
            Which queries, and what they recall.
        """
        patterns = self.completed
        n_varying = (self.covariance.diagonal() > 0).sum().clamp(min=1)
        keys = torch.cat([patterns, patterns.square() / -2], dim=1).T / n_varying
        queries = torch.cat([values * known, known], dim=1)
        betas = torch.tensor(betas, dtype=values.dtype)[:, None, None]
        for rows in row_chunks(len(queries), len(patterns) * len(betas)):
            scores = queries[rows] @ keys
            if self.known is not None:
                scores.masked_fill_((1 - known[rows]) @ self.known.T == 0, -torch.inf)
            if exclude is not None:
                scores.scatter_(1, exclude[rows, None], -torch.inf)
            scores.sub_(scores.amax(dim=1, keepdim=True))  # before beta, which may be huge
            scores.nan_to_num_(nan=0.0, neginf=-torch.inf)  # no pattern left: all alike
            yield rows, self._means(separation.weights(betas * scores))

    def _means(self, weights):
        if self.known is None:
            return weights @ self.completed
        share = weights @ self.known
        means = weights @ (self.completed * self.known) / share
        unknown = share <= _TINY  # to all that have weight: few do in sparse separations
        return torch.where(unknown, weights @ self.completed, means) if unknown.any() else means
