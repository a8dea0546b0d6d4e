"""Separations: from the scores of the patterns to the weights of a retrieval."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import torch

from skdyn._state import PlainState
from skdyn.hopfield._thresholds import thresholds

__all__ = ["SEPARATIONS", "EntmaxSeparation", "Separation", "TopKSeparation", "as_separation"]

_TINY = 1e-9  # its fourth power is the least that single precision holds well: below, it is slow


class Separation(PlainState):
    """Base of the separations: maps that turn scores into weights of sum one.

    A separation is a convex potential :math:`\\Omega^*` of the scores, and the weights are its
    gradient. That is all that the energy of a memory needs in order to fall at every update.
    """

    if TYPE_CHECKING:  # of the subclasses
        _potential: Any
        _weights: Any

    def weights(self, scores: torch.Tensor, mass: torch.Tensor | None = None) -> torch.Tensor:
        """Return the weights of the patterns, the gradient of the potential.

        Parameters
        ----------
        scores : Tensor of shape (..., n_patterns)
            Scores; a pattern with score ``-inf`` takes no part.
        mass : Tensor of shape (n_patterns,) or (..., n_patterns), or None, default=None
            How many times each pattern is there, a positive number; by default once. Its weight
            is that of all its copies together.

        Returns
        -------
        Tensor of shape (..., n_patterns)
            Weights, at least zero and of sum one.
        """
        return self._weights(scores, mass)

    def potential(self, scores: torch.Tensor, mass: torch.Tensor | None = None) -> torch.Tensor:
        """Return the potential, :math:`\\Omega^*(z) = \\max_p\\, p^\\top z - \\Omega(p)`.

        Parameters
        ----------
        scores : Tensor of shape (..., n_patterns)
            Scores.
        mass : Tensor of shape (n_patterns,) or (..., n_patterns), or None, default=None
            How many times each pattern is there; by default once.

        Returns
        -------
        Tensor of shape (...)
            Potential.
        """
        return self._potential(scores, mass)

    def shares_by_beta(
        self, scores: torch.Tensor, mass: torch.Tensor | None, betas: list[float]
    ) -> Iterator[torch.Tensor]:
        """Yield what one copy of each pattern weighs at several inverse temperatures.

        Parameters
        ----------
        scores : Tensor of shape (n_rows, n_patterns)
            Scores at beta 1, of which the best of each row is zero. They may be overwritten.
        mass : Tensor of shape (n_patterns,) or None
            How many times each pattern is there; None is once.
        betas : list of float
            Inverse temperatures, each more than the one before; twice that is quickest.

        Yields
        ------
        Tensor of shape (n_rows, n_patterns)
            Weights over masses, up to a factor of the row; the next step overwrites them.
        """
        return self._shares_by_beta(scores, mass, betas)

    def _shares_by_beta(self, scores, mass, betas):
        for beta in betas:
            weights = self.weights(scores * beta, mass)
            yield weights if mass is None else weights / mass

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        getattr(self, "__post_init__", lambda: None)()  # the constructor's own checks


@dataclass(frozen=True)
class EntmaxSeparation(Separation):
    """Weights that maximize expected score plus Tsallis entropy: softmax, sparsemax, or between.

    The negative entropy is :math:`\\Omega(p) = (\\sum_k p_k^\\alpha - 1) / (\\alpha (\\alpha - 1))`
    [1]_. With :math:`\\alpha = 1` it is Shannon's and the weights are the softmax; with
    :math:`\\alpha = 2` they are the sparsemax [2]_. Above 1, patterns that are far behind the best
    get a weight of exactly zero, and retrieval can be exact.

    Parameters
    ----------
    alpha : float, default=1.5
        Exponent of the entropy, in [1, 2].

    See Also
    --------
    TopKSeparation : A fixed number of patterns.
    HopfieldMemory : Takes it as ``separation``.

    References
    ----------
    .. [1] Ben Peters, Vlad Niculae, André Martins, "Sparse Sequence-to-Sequence Models", ACL 2019.
    .. [2] André Martins, Ramón Astudillo, "From Softmax to Sparsemax", ICML 2016.

    Examples
    --------
    >>> import torch
    >>> from skdyn.hopfield import EntmaxSeparation
    >>> EntmaxSeparation(alpha=2.0).weights(torch.tensor([1.0, 0.5, -1.0]))
    tensor([0.7500, 0.2500, 0.0000])
    """

    alpha: float = 1.5

    def __post_init__(self) -> None:
        if not 1 <= self.alpha <= 2:
            raise ValueError(
                f"alpha must be in [1, 2], from softmax to sparsemax; got {self.alpha!r}."
            )

    def _weights(self, scores, mass):
        if self.alpha == 1:
            return torch.softmax(scores if mass is None else scores + mass.log(), dim=-1)
        return _Entmax.apply(scores, mass, self.alpha)

    def _potential(self, scores, mass):
        if self.alpha == 1:
            return torch.logsumexp(scores if mass is None else scores + mass.log(), dim=-1)
        p = self.weights(scores, mass)
        powers = p**self.alpha if mass is None else mass * (p / mass) ** self.alpha
        entropy = (1 - powers.sum(dim=-1)) / (self.alpha * (self.alpha - 1))
        return torch.where(p > 0, p * scores, 0).sum(dim=-1) + entropy

    def _shares_by_beta(self, scores, mass, betas):
        if self.alpha == 1:
            yield from _powers(scores, betas)
            return
        found, buffer = thresholds(scores, mass, self.alpha, betas), torch.empty_like(scores)
        for threshold in found:
            shares = torch.sub(scores, threshold, out=buffer).clamp_(min=0)
            if self.alpha < 2:  # in units of the best, whose power is one
                _raise(shares.div_(-threshold), self.alpha)
            yield shares


def _powers(scores, betas):
    """Yield exponentials: those of twice a beta are the squares of those of beta."""
    if any(beta != 2 * before for before, beta in pairwise(betas)):
        buffer = torch.empty_like(scores)
        for beta in betas:
            weights = torch.mul(scores, beta, out=buffer).exp_()
            yield torch.nn.functional.threshold(weights, _TINY, 0.0, inplace=True)
        return
    weights = scores.mul_(betas[0]).exp_()
    for i in range(len(betas)):
        if i % 2:
            torch.nn.functional.threshold(weights, _TINY, 0.0, inplace=True)
        yield weights.square_() if i else weights


class _Entmax(torch.autograd.Function):
    @staticmethod
    def forward(ctx, scores, mass, alpha):
        p = _entmax(scores, mass, alpha)
        ctx.save_for_backward(p, torch.ones_like(p[..., :1]) if mass is None else mass)
        ctx.alpha = alpha
        return p

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        (gradient,) = grad_outputs
        p, mass = ctx.saved_tensors
        s = torch.where(p > 0, mass * (p / mass) ** (2 - ctx.alpha), 0)
        mean = (s * gradient).sum(dim=-1, keepdim=True) / s.sum(dim=-1, keepdim=True)
        return s * (gradient - mean), None, None


def _entmax(scores, mass, alpha):
    """Return p = m [(alpha - 1) z - tau]_+^(1 / (alpha - 1)), with tau such that p sums to one."""
    z = scores - scores.amax(dim=-1, keepdim=True)
    (threshold,) = thresholds(z, mass, alpha, [1.0])
    p = ((alpha - 1) * (z - threshold)).clamp_(min=0)
    p = p if alpha == 2 else _raise(p, alpha)
    p = p if mass is None else p * mass
    return p / p.sum(dim=-1, keepdim=True)


def _raise(excess, alpha):
    return excess.square_() if alpha == 1.5 else excess.pow_(1 / (alpha - 1))


@dataclass(frozen=True)
class TopKSeparation(Separation):
    """Softmax over the ``k`` patterns of the highest scores; all others have weight zero.

    Its potential is the log-sum-exp of these scores, a maximum of convex functions [1]_.

    Parameters
    ----------
    k : int, default=10
        Number of patterns that take part; all where there are fewer.

    See Also
    --------
    EntmaxSeparation : As many as the query asks for.
    HopfieldMemory : Takes it as ``separation``.

    References
    ----------
    .. [1] Saul Santos, Vlad Niculae, Daniel McNamee, André Martins, "Hopfield-Fenchel-Young
       Networks: A Unified Framework for Associative Memory Retrieval", arXiv:2411.08590, 2024.

    Examples
    --------
    >>> import torch
    >>> from skdyn.hopfield import TopKSeparation
    >>> TopKSeparation(k=2).weights(torch.tensor([1.0, 1.0, -1.0]))
    tensor([0.5000, 0.5000, 0.0000])
    """

    k: int = 10

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ValueError(f"k must be at least 1, the best pattern alone; got {self.k!r}.")

    def _weights(self, scores, mass):
        values, copies, indices = self._best(scores, mass)
        share = torch.softmax(values if copies is None else values + copies.log(), dim=-1)
        return torch.zeros_like(scores).scatter(-1, indices, share)

    def _potential(self, scores, mass):
        values, copies, _ = self._best(scores, mass)
        return torch.logsumexp(values if copies is None else values + copies.log(), dim=-1)

    def _shares_by_beta(self, scores, mass, betas):
        values, copies, indices = self._best(scores, mass)
        if copies is not None:
            assert mass is not None
            copies = copies / mass[indices]
        shares = torch.zeros_like(scores)  # the same few of all at every beta
        for beta in betas:
            share = (values * beta).exp_()
            yield shares.scatter_(-1, indices, share if copies is None else share * copies)

    def _best(self, scores, mass):
        """Return the best scores, how many copies of each take part (None is one), and places."""
        n_best = min(self.k, scores.shape[-1])
        if mass is None:
            best = scores.topk(n_best, dim=-1)
            return best.values, None, best.indices
        least = mass.amin().item()  # of light patterns it may take more than k
        best = scores.topk(min(max(n_best, math.ceil(self.k / least)), scores.shape[-1]), dim=-1)
        copies = mass.expand_as(scores).gather(-1, best.indices)
        before = copies.cumsum(dim=-1) - copies
        copies = torch.minimum(copies, (self.k - before).clamp(min=0))
        return best.values, copies, best.indices


SEPARATIONS = {
    "softmax": EntmaxSeparation(1.0),
    "sparsemax": EntmaxSeparation(2.0),
    "entmax": EntmaxSeparation(1.5),
    "topk": TopKSeparation(),
}


def as_separation(separation: Any) -> Separation:
    """Return the separation of a name, or the object as it is.

    Parameters
    ----------
    separation : {"softmax", "sparsemax", "entmax", "topk"} or Separation
        What a user passed; names are checked by the estimator's parameter constraints
        ``[StrOptions(set(SEPARATIONS)), Separation]``.

    Returns
    -------
    Separation
        An object with ``weights`` and ``potential``.
    """
    return separation if isinstance(separation, Separation) else SEPARATIONS[separation]
