"""Answers of a kernel regression to new rows, block by block, and how sure it is of each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from skdyn.operators._case_errors import CaseErrors, case_numbers
from skdyn.operators._input_kernels import Factor, gram, prior_variance

__all__ = ["Known"]

_QUERIES = 2048  # rows a block: bounds memory


class Known(NamedTuple):
    """What a kernel regression knows.

    Attributes
    ----------
    factors : list of Factor
        Of its kernel.
    rows : ndarray of shape (n, n_columns)
        Inputs that it learned from.
    noise : ndarray of shape (n,)
        Variance of the noise of each.
    alpha : float
        That of a row of weight one.
    case_errors : CaseErrors or None
        How large errors are in which cases.
    """

    factors: list[Factor]
    rows: np.ndarray
    noise: np.ndarray
    alpha: float
    case_errors: CaseErrors | None

    def gram(self, rows: np.ndarray) -> np.ndarray:
        """Evaluate the kernel between rows and the known ones.

        Parameters
        ----------
        rows : ndarray of shape (m, n_columns)
            Rows.

        Returns
        -------
        ndarray of shape (m, n)
        """
        return gram(self.factors, rows, self.rows)

    def blocks(self, rows: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Evaluate it on some rows at a time.

        Parameters
        ----------
        rows : ndarray of shape (m, n_columns)
            Rows.

        Yields
        ------
        tuple of (slice, ndarray of shape (few, n))
            Which rows, and the kernel between them and the known ones.
        """
        for start in range(0, len(rows), _QUERIES):
            block = slice(start, start + _QUERIES)
            yield block, self.gram(rows[block])

    def factor(self) -> tuple[Any, bool]:
        """Factor the kernel of the known rows with their noise: once for all blocks.

        Returns
        -------
        tuple
            As of :func:`scipy.linalg.cho_factor`.
        """
        return cho_factor(self.gram(self.rows) + np.diag(self.noise), lower=True)

    def spread(
        self, factor: tuple[Any, bool], rows: np.ndarray, across: np.ndarray, around: np.ndarray
    ) -> np.ndarray:
        """Return a standard deviation of each row, noise included, for a scale of one.

        Parameters
        ----------
        factor : tuple
            What ``factor`` returned.
        rows : ndarray of shape (m, n_columns)
            Rows.
        across : ndarray of shape (m, n)
            The kernel between them and the known ones.
        around : ndarray of shape (m, ...)
            Answers, around the mean of the targets.

        Returns
        -------
        ndarray of shape (m,)
        """
        explained = np.sum(across * cho_solve(factor, across.T).T, axis=1)
        prior = prior_variance(self.factors, rows)
        spread = np.sqrt(np.maximum(prior - explained, 0) + self.alpha)
        if self.case_errors is None:
            return spread
        return spread * self.case_errors.factors(case_numbers(rows, spread, around), across)
