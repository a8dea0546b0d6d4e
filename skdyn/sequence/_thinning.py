"""Points left out by chance while training: other samplings of the same series."""

from __future__ import annotations

import torch

__all__ = ["POINTS_DROPPED", "kept_points"]

POINTS_DROPPED = 0.3  # decision 0084


def kept_points(
    n_points: torch.Tensor, longest: int, share: float, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw which points of each series stay; the first and the last always do.

    Parameters
    ----------
    n_points : tensor of int of shape (n,)
        Points of each series.
    longest : int
        Number of places.
    share : float
        Share of the others that is left out.
    generator : torch.Generator
        Source of the choice.

    Returns
    -------
    places : tensor of int of shape (n, m)
        The points that stay, in their order; after them the last one again and again.
    n_kept : tensor of int of shape (n,)
        How many stay.
    """
    place = torch.arange(longest, device=n_points.device)
    last = n_points[:, None] - 1
    drawn = torch.rand(len(n_points), longest, generator=generator, dtype=torch.float64)
    kept = (drawn.to(n_points.device) >= share) | (place == 0) | (place == last)
    kept &= place <= last
    n_kept = kept.sum(dim=1)
    order = torch.where(kept, place, last).sort(dim=1).values
    return order[:, : int(n_kept.max())], n_kept
