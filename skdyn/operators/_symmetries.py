"""Symmetries of a domain: exchanges of its axes, reflections along them, changes of sign."""

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
    sign : int
        1, or -1 where the values change sign, as those of a velocity do in a mirror.
    """

    order: tuple[int, ...]
    reflected: tuple[int, ...]
    sign: int = 1

    def of(self, fields: torch.Tensor) -> torch.Tensor:
        """Move fields.

        Parameters
        ----------
        fields : Tensor of shape (n, channels, \\*grid) or (n, channels)
            Fields; numbers stay what they are.

        Returns
        -------
        Tensor
        """
        if fields.ndim == 2:
            return fields
        moved = fields.flip([axis + 2 for axis in self.reflected])
        moved = moved.permute(0, 1, *(axis + 2 for axis in self.order))
        return moved if self.sign > 0 else -moved

    def back(self, fields: torch.Tensor) -> torch.Tensor:
        """Undo :meth:`of`.

        Parameters
        ----------
        fields : Tensor of shape (n, channels, \\*grid) or (n, channels)
            Moved fields.

        Returns
        -------
        Tensor
        """
        if fields.ndim == 2:
            return fields
        inverse = sorted(range(len(self.order)), key=self.order.__getitem__)
        moved = fields.permute(0, 1, *(axis + 2 for axis in inverse))
        moved = moved.flip([axis + 2 for axis in self.reflected])
        return moved if self.sign > 0 else -moved


def motions(symmetry: str | None, n_axes: int) -> list[Motion]:
    """List the motions of a symmetry, that which moves nothing first.

    Parameters
    ----------
    symmetry : {"exchange", "reflect", "both", "odd"} or None
        Which; "odd" reflects all axes at once and changes the sign.
    n_axes : int
        Axes of the grid.

    Returns
    -------
    list of Motion
    """
    axes = tuple(range(n_axes))
    if symmetry == "odd":
        return [Motion(axes, ()), Motion(axes, axes, -1)]
    orders = list(permutations(axes)) if symmetry in ("exchange", "both") else [axes]
    flips = list(product((False, True), repeat=n_axes)) if symmetry in ("reflect", "both") else [()]
    return [
        Motion(order, tuple(axis for axis, flipped in enumerate(flip) if flipped))
        for order in orders
        for flip in flips
    ]
