"""The largest entries of rows, and of whole matrices, found faster than by a full selection."""

import torch

from skdyn.training._devices import is_near

__all__ = ["largest", "largest_of_rows"]

_PROBED = 2**15  # entries from whose quantile the bound of the largest is guessed


def largest_of_rows(
    dense: torch.Tensor, k: int, ordered: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the k largest values of each row and their columns.

    Columns are put into blocks; the k blocks with the largest maxima hold the k largest entries,
    for each of these maxima is larger than whatever is in the other blocks.

    Parameters
    ----------
    dense : Tensor of shape (n_rows, n_columns)
        Values.
    k : int
        How many of each row.
    ordered : bool, default=False
        Whether the largest come first; else they are in no order.

    Returns
    -------
    values : Tensor of shape (n_rows, k)
    columns : Tensor of shape (n_rows, k)
    """
    n_rows, n_columns = dense.shape
    depth = 1  # columns a block; near the square root of n_columns / k there is least to compare
    while 8 * k < n_columns and n_columns % (2 * depth) == 0 and 3 * depth**2 * k < n_columns:
        depth *= 2
    if depth == 1 or not dense.is_contiguous():
        best = dense.topk(k, dim=1, sorted=ordered)
        return best.values, best.indices
    n_blocks = n_columns // depth
    peaks = dense.view(n_rows, depth, n_blocks).amax(dim=1)
    blocks = peaks.topk(k, dim=1, sorted=False).indices
    steps = n_blocks * torch.arange(depth, device=dense.device)
    columns = (blocks[:, None, :] + steps[:, None]).view(n_rows, depth * k)
    best = dense.gather(1, columns).topk(k, dim=1, sorted=ordered)
    return best.values, columns.gather(1, best.indices)


def largest(pre: torch.Tensor, budget: int) -> torch.Tensor:
    """Return the entries with the largest values, exactly ``budget`` of them.

    A quantile of a sample bounds them from below, so that only a few are compared exactly. How
    many, the host must know; where that would make it wait, all are compared.

    Parameters
    ----------
    pre : Tensor of shape (n_rows, n_components)
        Values.
    budget : int
        How many.

    Returns
    -------
    Tensor of shape (budget,)
        Their numbers in the flattened matrix, in order.
    """
    flat = pre.flatten()
    budget = min(budget, len(flat))
    if not is_near(flat):
        return flat.topk(budget, sorted=False).indices.sort().values
    # A stride that is odd and no power of two meets all columns alike.
    probe = flat[:: max(1, len(flat) // _PROBED) | 1]
    expected = len(probe) * budget / len(flat)
    for slack in (4.0, 32.0):  # standard deviations of the count in the probe
        rank = int(expected + slack * (expected**0.5 + 1))
        if rank >= len(probe):
            break
        bound = probe.topk(rank, sorted=False).values.min()
        candidates = (flat > bound).nonzero().squeeze(1)
        if len(candidates) >= budget:
            keep = torch.zeros(len(candidates), dtype=torch.bool, device=flat.device)
            keep[flat[candidates].topk(budget, sorted=False).indices] = True
            return candidates[keep]
    return flat.topk(budget, sorted=False).indices.sort().values
