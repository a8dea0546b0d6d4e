"""Symmetries of a domain: exchanges of its axes, reflections along them, changes of sign."""

from itertools import permutations, product
from typing import Any, NamedTuple

import numpy as np
import torch

from skdyn._validation import StrOptions

__all__ = ["SYMMETRY_CONSTRAINTS", "Motion", "mean_over", "motions_of", "moved_at_random"]

_SYMMETRIES = {"exchange", "reflect", "both", "odd", "even"}
SYMMETRY_CONSTRAINTS = {"symmetry": [StrOptions(_SYMMETRIES), None]}


class Motion(NamedTuple):
    """A motion of a square domain onto itself.

    Attributes
    ----------
    order : tuple of int
        Axis of the old grid that each axis of the new one is.
    reflected : tuple of int
        Axes of the old grid that are run through backwards.
    sign, answer_sign : int
        1, or -1 where the values of inputs, or of answers, change sign, as those of a velocity do
        in a mirror.
    periodic : bool
        Whether the axes are: a reflection then leaves the first point where it is, which is one
        place on every grid. That of the point's middle is not: grids would move apart.
    """

    order: tuple[int, ...]
    reflected: tuple[int, ...]
    sign: int = 1
    answer_sign: int = 1
    periodic: bool = False

    def of(self, fields: torch.Tensor) -> torch.Tensor:
        """Move inputs.

        Parameters
        ----------
        fields : Tensor of shape (n, channels, \\*grid)
            Inputs.

        Returns
        -------
        Tensor
        """
        return self._moved(fields, self.sign)

    def of_answers(self, fields: torch.Tensor) -> torch.Tensor:
        """Move answers.

        Parameters
        ----------
        fields : Tensor of shape (n, channels, \\*grid) or (n, channels)
            Fields, or numbers, which at most change their sign.

        Returns
        -------
        Tensor
        """
        return self._moved(fields, self.answer_sign)

    def back(self, fields: torch.Tensor) -> torch.Tensor:
        """Undo :meth:`of_answers`.

        Parameters
        ----------
        fields : Tensor of shape (n, channels, \\*grid) or (n, channels)
            Moved answers.

        Returns
        -------
        Tensor
        """
        if fields.ndim > 2:
            inverse = sorted(range(len(self.order)), key=self.order.__getitem__)
            fields = self._reflected(fields.permute(0, 1, *(axis + 2 for axis in inverse)))
        return fields if self.answer_sign > 0 else -fields

    def _moved(self, fields, sign):
        if fields.ndim > 2:
            fields = self._reflected(fields).permute(0, 1, *(axis + 2 for axis in self.order))
        return fields if sign > 0 else -fields

    def _reflected(self, fields):
        axes = [axis + 2 for axis in self.reflected]
        if not axes:
            return fields
        fields = fields.flip(axes)
        return fields.roll([1] * len(axes), axes) if self.periodic else fields


def motions(symmetry: str | None, n_axes: int, *, periodic: bool = False) -> list[Motion]:
    """List the motions of a symmetry, that which moves nothing first.

    Parameters
    ----------
    symmetry : {"exchange", "reflect", "both", "odd", "even"} or None
        Which; the last two reflect all axes at once and change the sign of inputs, "odd" that of
        answers too.
    n_axes : int
        Axes of the grid.
    periodic : bool, default=False
        Whether they are.

    Returns
    -------
    list of Motion
    """
    axes = tuple(range(n_axes))
    if symmetry in ("odd", "even"):
        return [Motion(axes, ()), Motion(axes, axes, -1, -1 if symmetry == "odd" else 1, periodic)]
    orders = list(permutations(axes)) if symmetry in ("exchange", "both") else [axes]
    flips = list(product((False, True), repeat=n_axes)) if symmetry in ("reflect", "both") else [()]
    return [
        Motion(order, tuple(axis for axis, flipped in enumerate(flip) if flipped), 1, 1, periodic)
        for order in orders
        for flip in flips
    ]


def motions_of(model) -> list[Motion]:
    """List the motions of an estimator's symmetry, which its grids must allow."""
    here, there = model._x_layout.grid, model._y_layout.grid
    unequal = model.symmetry in ("exchange", "both") and max(len({*here}), len({*there})) > 1
    if model.symmetry and (unequal or (there and len(there) != len(here))):
        raise ValueError(
            f"symmetry={model.symmetry!r} moves X and y alike, and 'exchange' and 'both' exchange "
            f"axes; the grids {here} and {there} do not allow that. Set symmetry=None, or "
            "'reflect' where only the lengths of axes differ."
        )
    return motions(model.symmetry, len(here), periodic=model.periodic)


def moved_at_random(plain: Any, moves: list[Motion], optimizer: str, generator: Any) -> Any:
    """Return an objective that moves each batch of the training at random."""

    def objective(module, X, y, weight):
        if not module.training:
            return plain(module, X, y, weight)
        if optimizer == "lbfgs":  # which needs one fixed function
            losses = [plain(module, move.of(X), move.of_answers(y), weight) for move in moves]
            return torch.stack(losses).mean()
        move = moves[int(torch.randint(len(moves), (), generator=generator))]
        return plain(module, move.of(X), move.of_answers(y), weight)

    return objective if len(moves) > 1 else plain


def mean_over(moves: list[Motion], answer: Any, X: np.ndarray) -> np.ndarray:
    """Return the mean of the answers to all motions of inputs, each moved back."""
    if len(moves) == 1:
        return answer(X)
    moved = (move.of(torch.from_numpy(X)).numpy() for move in moves)
    answers = [torch.from_numpy(answer(np.ascontiguousarray(fields))) for fields in moved]
    back = [move.back(fields).numpy() for move, fields in zip(moves, answers, strict=True)]
    return np.mean(back, axis=0)
