"""Symmetries of a domain: exchanges of its axes and reflections along them."""

from itertools import permutations, product
from typing import NamedTuple

import torch

__all__ = ["SYMMETRIES", "Motion", "motions"]

SYMMETRIES = frozenset({"exchange", "reflect", "both"})


class Motion(NamedTuple):
    """A motion of a square domain onto itself.

    Attributes
    ----------
    order : tuple of int
        Axis of the old grid that each axis of the new one is.
    reflected : tuple of int
        Axes of the old grid that are run through backwards.
    """

    order: tuple[int, ...]
    reflected: tuple[int, ...]

    def of(self, fields: torch.Tensor) -> torch.Tensor:
        """Move fields.

        Parameters
        ----------
        fields : Tensor of shape (n, channels, *grid) or (n, channels)
            Fields; numbers stay what they are.

        Returns
        -------
        Tensor
        """
        if fields.ndim == 2:
            return fields
        moved = fields.flip([axis + 2 for axis in self.reflected])
        return moved.permute(0, 1, *(axis + 2 for axis in self.order))

    def back(self, fields: torch.Tensor) -> torch.Tensor:
        """Undo :meth:`of`.

        Parameters
        ----------
        fields : Tensor of shape (n, channels, *grid) or (n, channels)
            Moved fields.

        Returns
        -------
        Tensor
        """
        if fields.ndim == 2:
            return fields
        inverse = sorted(range(len(self.order)), key=self.order.__getitem__)
        moved = fields.permute(0, 1, *(axis + 2 for axis in inverse))
        return moved.flip([axis + 2 for axis in self.reflected])


def motions(symmetry: str | None, n_axes: int) -> list[Motion]:
    """List the motions of a symmetry, that which moves nothing first.

    Parameters
    ----------
    symmetry : {"exchange", "reflect", "both"} or None
        Which.
    n_axes : int
        Axes of the grid.

    Returns
    -------
    list of Motion
    """
    axes = tuple(range(n_axes))
    orders = list(permutations(axes)) if symmetry in ("exchange", "both") else [axes]
    flips = list(product((False, True), repeat=n_axes)) if symmetry in ("reflect", "both") else [()]
    return [
        Motion(order, tuple(axis for axis, flipped in enumerate(flip) if flipped))
        for order in orders
        for flip in flips
    ]
