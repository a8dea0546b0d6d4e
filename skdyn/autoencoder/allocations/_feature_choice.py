"""Each latent chooses its rows."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING

import numpy as np
import torch

from skdyn._validation import Interval
from skdyn.autoencoder._kernels import Codes, marked
from skdyn.autoencoder.allocations._allocation import Allocation
from skdyn.autoencoder.allocations._floor import rouse
from skdyn.autoencoder.allocations._largest import largest, largest_of_rows
from skdyn.autoencoder.allocations._zipf import zipf_ends
from skdyn.training._devices import counted, is_near, sent

if TYPE_CHECKING:
    from skdyn.autoencoder._network import SparseCoder

__all__ = ["FeatureChoiceAllocation"]

_DEMAND_STEPS = 4  # between two looks at the demand, which changes slowly
_DEMAND_ROWS = 128  # rows of a batch, which is in random order, by which ranks are told
_LONG = 512  # rows that are sooner chosen latent by latent than sorted for several at a time
_SHALLOW = 3  # power of two below which more groups cost more than longer ones
_PACE = {True: 1, False: 3}  # of exponents of groups: on a device calls cost more than columns
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
        by_rank, ranking = self.quotas_by_rank(coder, len(pre), k), _ranking(coder)
        quotas, one_by_one = _dealt(by_rank, ranking), is_near(pre)
        groups = by_depth(np.where(one_by_one & (by_rank > _LONG), 0, by_rank), _PACE[one_by_one])
        matches = pre.T.contiguous()  # which they are, as the coder computed them
        choices = []
        for (depth, ranks), latents in zip(groups, _latents_of(groups, ranking), strict=True):
            some, n_taken = matches.index_select(0, latents), int(by_rank[ranks].sum())
            choices.append((latents, *_sorted(some, quotas[latents], depth, n_taken)))
        choices += [
            (latent, *_unsorted(matches[latent], quotas[latent]))
            for latent in ((quotas > _LONG).nonzero() if one_by_one else ())
        ]
        latents, rows, values, ends = map(torch.cat, zip(*choices, strict=True))
        coder.track_threshold(ends, len(pre), latents)
        taken = quotas[latents]
        if training:  # each one's best comes first
            rouse(coder, latents, values[taken.cumsum(0) - taken])
        latents = latents.repeat_interleave(taken, output_size=len(rows))
        return Codes.of_pairs(rows, latents, values, *pre.shape)

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
        if (coder.number("steps") - 1) % _DEMAND_STEPS != 0:
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

        Parameters
        ----------
        coder : SparseCoder
            The network.
        n_rows : int
            Rows of the batch.
        k : int
            Active latents a row, on average.

        Returns
        -------
        Tensor of shape (n_components,)
        """
        return _dealt(self.quotas_by_rank(coder, n_rows, k), _ranking(coder))

    def quotas_by_rank(self, coder: SparseCoder, n_rows: int, k: int) -> np.ndarray:
        """Return how many rows of a batch the latent of each rank takes.

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
        ndarray of shape (n_components,)
            On the host, which no device need tell how many there are.
        """
        ends = zipf_ends(coder.n_components, k, self.offset, self.max_share)
        turn = (_GOLDEN * coder.number("steps")) % 1.0
        ends = np.floor(ends * n_rows + turn)
        return np.diff(ends, prepend=0.0).clip(max=n_rows).astype(np.int64)


def _ranking(coder):
    """Return the latents, those most in demand first."""
    return coder.demand.argsort(descending=True, stable=True)


def _dealt(by_rank, ranking):
    """Return numbers of ranks as those of latents."""
    by_rank = sent(torch.from_numpy(by_rank), ranking.device)
    return torch.empty_like(by_rank).index_copy_(0, ranking, by_rank)


def _latents_of(groups, ranking):
    """Return the latents of groups of ranks, each group's in order."""
    ranks = [ranks for _, ranks in groups] or [np.zeros(0, np.int64)]
    latents = ranking.index_select(0, sent(torch.from_numpy(np.concatenate(ranks)), ranking.device))
    return [part.sort().values for part in latents.split([len(ranks) for _, ranks in groups])]


def _demanded(pre, k):
    """Return how often each latent is among the largest matches, a row."""
    n_rows, n_components = pre.shape
    if pre.is_contiguous():
        latents = largest(pre, k * n_rows) % n_components
    else:  # the same, in the order in which they lie in memory
        latents = torch.div(largest(pre.T, k * n_rows), n_rows, rounding_mode="floor")
    return counted(latents, n_components) / n_rows


def _sorted(matches, quotas, depth, n_taken):
    """Return rows and values of the quotas of some latents, and where each of these ends."""
    width = min(depth + 1, matches.shape[1])
    values, rows = largest_of_rows(matches, width, ordered=True)
    quotas = quotas[:, None]
    last = torch.cat([quotas - 1, quotas.clamp_max(width - 1)], dim=1)
    taken = (torch.arange(width, device=matches.device) < quotas).flatten()
    taken = marked(taken, n_taken)
    rows, values_taken = (z.flatten().index_select(0, taken) for z in (rows, values))
    return rows, values_taken, values.gather(1, last).mean(dim=1)


def _unsorted(matches, quota):
    """Return the same of one latent with a long list, which is chosen by itself."""
    matches = matches.squeeze(0)
    quota = int(quota)
    values, rows = matches.topk(min(quota + 1, len(matches)))  # one that is left, for a bound
    end = (values[quota - 1] + values[-1]) / 2
    return rows[:quota], values[:quota], end[None]


def by_depth(quotas: np.ndarray, pace: int = 1) -> list[tuple[int, np.ndarray]]:
    """Put ranks together whose quotas have the same next power of two, or are at most eight.

    Parameters
    ----------
    quotas : ndarray of shape (n_components,)
        Whole numbers; ranks without any appear nowhere.
    pace : int, default=1
        Which of the exponents are used: the third, the sixth, ... if 3.

    Returns
    -------
    list of (int, ndarray)
        The power and the ranks.
    """
    (some,) = quotas.nonzero()
    exponents = pace * np.ceil(np.log2(quotas[some]).clip(min=_SHALLOW) / pace).astype(int)
    return [(2 ** int(exponent), some[exponents == exponent]) for exponent in np.unique(exponents)]
