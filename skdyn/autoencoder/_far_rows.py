"""Rows that lie far from all others: squared errors would make them all that is learned."""

from typing import NamedTuple, Self

import numpy as np
import torch

from skdyn.exceptions import warn_user

__all__ = ["Reach", "tell_of_far_rows"]

_MOST = 0.9  # share of the rows by which is told how far is usual
_FAR = 5.0  # times as far, beyond which a row is taken as if it lay at the usual distance
_TINY = 1e-30  # distance of a row at the center


class Reach(NamedTuple):
    """How far from the center rows usually lie; farther ones are brought back to there.

    Attributes
    ----------
    usual : float
        Distance within which nine tenths of the rows lie; infinite where nothing is known of it.
    """

    usual: float

    @classmethod
    def of(cls, distance: np.ndarray) -> Self:
        """Return the reach of rows.

        Parameters
        ----------
        distance : ndarray of shape (n_rows,)
            Distances from the center.

        Returns
        -------
        Reach
        """
        # Where most rows are one and the same, such as empty ones, the others tell what is usual.
        others = distance[distance != np.median(distance)]
        usual = max(_quantile(distance), _quantile(others))
        return cls(usual if usual > 0 else np.inf)

    @property
    def farthest(self) -> float:
        """Distance up to which rows are taken as they are."""
        return _FAR * self.usual

    def within(self, distance: np.ndarray) -> np.ndarray:
        """Return the distances at which training takes rows.

        Parameters
        ----------
        distance : ndarray of shape (n_rows,)
            Where they are.

        Returns
        -------
        ndarray of shape (n_rows,)
        """
        return np.where(distance > self.farthest, self.usual, distance)

    def share(self, x: torch.Tensor, center: torch.Tensor) -> torch.Tensor:
        """Return how much of each row's way from the center training takes.

        Parameters
        ----------
        x : Tensor of shape (n_rows, n_columns)
            Scaled rows.
        center : Tensor of shape (n_columns,)
            The center.

        Returns
        -------
        Tensor of shape (n_rows, 1)
            One of those that are taken as they are.
        """
        distance = torch.linalg.vector_norm(x - center, dim=1, keepdim=True)
        share = self.usual / distance.clamp_min(_TINY)
        return torch.where(distance > self.farthest, share, 1.0)


def _quantile(distance):
    return float(np.quantile(distance, _MOST, method="higher")) if len(distance) else 0.0


def tell_of_far_rows(distance: np.ndarray, numbers: np.ndarray, name: str) -> None:
    """Warn where rows lie too far: they count for less than what they are.

    Parameters
    ----------
    distance : ndarray of shape (n_rows,)
        Distances from the center.
    numbers : ndarray of int, shape (n_rows,)
        Which rows these are.
    name : str
        What holds them, such as "X".
    """
    reach = Reach.of(distance)
    n_far = int((distance > reach.farthest).sum())
    if n_far == 0:
        return
    farthest = distance.argmax()
    warn_user(
        f"{n_far} of {len(distance)} rows of {name} lie far from all others: row "
        f"{numbers[farthest]} is {distance[farthest] / reach.usual:.3g} times as far from the "
        f"center as nine tenths of them. Training takes rows over {_FAR:g} times as far as if they "
        "lay at that distance, lest nothing else be learned. Drop them if they are errors; if they "
        "are what matters, give all rows the same norm first.",
        UserWarning,
    )
