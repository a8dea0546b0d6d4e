"""Each latent chooses its rows."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING

import torch

from skdyn._validation import Interval
from skdyn.autoencoder._kernels import Codes
from skdyn.autoencoder.allocations._allocation import Allocation
from skdyn.autoencoder.allocations._floor import rouse
from skdyn.autoencoder.allocations._largest import largest, largest_of_rows
from skdyn.autoencoder.allocations._zipf import zipf_shares

if TYPE_CHECKING:
    from skdyn.autoencoder._network import SparseCoder

__all__ = ["FeatureChoiceAllocation"]

_DEMAND_STEPS = 4  # between two looks at the demand, which changes slowly
_DEMAND_ROWS = 128  # rows of a batch, which is in random order, by which ranks are told
_LONG = 512  # rows that are sooner chosen latent by latent than sorted for several at a time
_SHALLOW = 3  # power of two below which more groups cost more than longer ones
_GOLDEN = 0.6180339887  # its multiples, modulo one, cover every stretch of steps evenly


class FeatureChoiceAllocation(Allocation):
    """Each latent takes the rows that it matches best, as many as Zipf's law allots it [1]_.

    The latent of rank r has a share of the rows proportional to 1 / (r + offset), so that none is
    ever idle. Ranks go by how often a latent would be active by mutual choice, a running average.
    Later, a latent is active above a threshold of its own: the running average of what lies between
    the smallest value that it took and the largest that it left.

    Parameters
    ----------
    offset : float, default=5.0
        How flat the law is at its head.
    max_share : float, default=0.9
        Largest share of the rows.

    References
    ----------
    .. [1] Kola Ayonrinde, "Adaptive Sparse Allocation with Mutual Choice & Feature Choice Sparse
       Autoencoders", arXiv:2411.02124, 2024. Details are ours where the paper leaves them open.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skdyn import SparseAutoencoder
    >>> from skdyn.autoencoder.allocations import FeatureChoiceAllocation
    >>> X, _ = load_digits(return_X_y=True)
    >>> allocation = FeatureChoiceAllocation(offset=10.0)
    >>> model = SparseAutoencoder(64, k=8, allocation=allocation, max_iter=2)
    >>> model.fit_transform(X).shape
    (1797, 64)
    """

    _parameter_constraints = {
        "offset": [Interval(Real, 0, None, closed="left")],
        "max_share": [Interval(Real, 0, 1, closed="right")],
    }

    def __init__(self, offset: float = 5.0, max_share: float = 0.9) -> None:
        self.offset = offset
        self.max_share = max_share

    def extend(self, coder: SparseCoder) -> None:
        """Register with a new coder what this allocation learns beside its weights.

        Parameters
        ----------
        coder : SparseCoder
            The network, its weights made.
        """
        coder.register_buffer("demand", torch.zeros_like(coder.threshold))

    def by_latent(self, progress: float) -> bool:
        """Say whether pre-activations are read latent by latent rather than row by row.

        Parameters
        ----------
        progress : float
            Share of the training that is done.

        Returns
        -------
        bool
        """
        return True

    def choose(self, pre: torch.Tensor, coder: SparseCoder, k: int, progress: float) -> Codes:
        """Choose the active latents of a training batch.

        Parameters
        ----------
        pre : Tensor of shape (n_rows, n_components)
            Pre-activations, without gradient.
        coder : SparseCoder
            The network, whose running statistics may be read and written.
        k : int
            Active latents per row, on average.
        progress : float
            Share of the training that is done.

        Returns
        -------
        Codes
            The pre-activations that are active.
        """
        self.track_demand(pre, coder, k)
        return self._take(pre, coder, k, training=True)

    def _take(self, pre, coder, k, training=False):
        """Let each latent take its rows, by the demand that is known."""
        quotas = self.quotas(coder, len(pre), k)
        matches = pre.T.contiguous()  # which they are, as the coder computed them
        choices = [
            (latents, *_sorted(matches.index_select(0, latents), quotas[latents], depth))
            for depth, latents in by_depth(quotas.where(quotas <= _LONG, 0))
        ]
        choices += [
            (latent, *_unsorted(matches[latent], quotas[latent]))
            for latent in (quotas > _LONG).nonzero()
        ]
        latents, rows, values, ends = map(torch.cat, zip(*choices, strict=True))
        coder.track_threshold(ends, len(pre), latents)
        taken = quotas[latents]
        if training:  # each one's best comes first
            rouse(coder, latents, values[taken.cumsum(0) - taken])
        return Codes.of_pairs(rows, latents.repeat_interleave(taken), values, *pre.shape)

    def track_demand(self, pre: torch.Tensor, coder: SparseCoder, k: int) -> None:
        """Note how often each latent is among the largest matches, every fourth batch.

        Parameters
        ----------
        pre : Tensor of shape (n_rows, n_components)
            Pre-activations.
        coder : SparseCoder
            The network.
        k : int
            Active latents per row, on average.
        """
        if (coder.steps - 1) % _DEMAND_STEPS != 0:
            return
        rate = (_DEMAND_STEPS * coder.rate).clamp_max(1.0)
        demand = _demanded(pre[:_DEMAND_ROWS], k)
        coder.demand.lerp_(demand.to(coder.demand), rate.to(coder.demand))

    def calibrate(self, pre: torch.Tensor, coder: SparseCoder, fresh: bool) -> None:
        """Learn from a batch what inference compares with, now that the weights rest.

        Parameters
        ----------
        pre : Tensor of shape (n_rows, n_components)
            Pre-activations.
        coder : SparseCoder
            The network.
        fresh : bool
            Not used: thresholds are no parameters here.
        """
        # A last step of few rows may have moved the ranks; these rows are many.
        coder.demand.copy_(_demanded(pre, coder.k))
        self._take(pre, coder, coder.k)

    def quotas(self, coder: SparseCoder, n_rows: int, k: int) -> torch.Tensor:
        """Return how many rows of a batch each latent takes.

        Whole numbers, less than one away from the law's, that sum to k n_rows, give or take one;
        fractions come round from step to step.

        Parameters
        ----------
        coder : SparseCoder
            The network.
        n_rows : int
            Rows of the batch.
        k : int
            Active latents per row, on average.

        Returns
        -------
        Tensor of shape (n_components,)
        """
        shares = zipf_shares(coder.n_components, k, self.offset, self.max_share)
        turn = (_GOLDEN * coder.steps.item()) % 1.0
        ends = (shares.cumsum(0) * n_rows + turn).floor()
        by_rank = ends.diff(prepend=ends.new_zeros(1)).clamp_max(n_rows).long()
        quotas = torch.empty_like(by_rank, device=coder.demand.device)
        quotas[coder.demand.argsort(descending=True, stable=True)] = by_rank.to(quotas.device)
        return quotas


def _demanded(pre, k):
    """Return how often each latent is among the largest matches, a row."""
    n_rows, n_components = pre.shape
    if pre.is_contiguous():
        latents = largest(pre, k * n_rows) % n_components
    else:  # the same, in the order in which they lie in memory
        latents = torch.div(largest(pre.T, k * n_rows), n_rows, rounding_mode="floor")
    return torch.bincount(latents, minlength=n_components) / n_rows


def _sorted(matches, quotas, depth):
    """Return rows and values of the quotas of some latents, and where each of these ends."""
    width = min(depth + 1, matches.shape[1])
    values, rows = largest_of_rows(matches, width, ordered=True)
    quotas = quotas[:, None]
    last = torch.cat([quotas - 1, quotas.clamp_max(width - 1)], dim=1)
    taken = (torch.arange(width, device=matches.device) < quotas).flatten().nonzero().squeeze(1)
    rows, values_taken = (z.flatten().index_select(0, taken) for z in (rows, values))
    return rows, values_taken, values.gather(1, last).mean(dim=1)


def _unsorted(matches, quota):
    """Return the same of one latent with a long list, which is chosen by itself."""
    matches = matches.squeeze(0)
    quota = int(quota)
    values, rows = matches.topk(min(quota + 1, len(matches)))  # one that is left, for a bound
    end = (values[quota - 1] + values[-1]) / 2
    return rows[:quota], values[:quota], end[None]


def by_depth(quotas: torch.Tensor) -> list[tuple[int, torch.Tensor]]:
    """Put latents together whose quotas have the same next power of two, or are at most eight.

    Parameters
    ----------
    quotas : Tensor of shape (n_components,)
        Whole numbers; latents without any appear nowhere.

    Returns
    -------
    list of (int, Tensor)
        The power and the latents.
    """
    some = quotas.nonzero().squeeze(1)
    exponents = torch.log2(quotas[some].double()).ceil().clamp_min(_SHALLOW)
    return [
        (2 ** int(exponent), some[exponents == exponent])
        for exponent in exponents.unique().tolist()
    ]
