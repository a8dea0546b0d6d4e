"""Thresholds of entmax: how far behind the best a pattern may be and still have weight.

With scores :math:`\\beta z`, the weights are :math:`p = m\\, [c\\beta (z - t)]_+^{1/c}`,
:math:`c = \\alpha - 1`, and t is such that they sum to one. The order of the z is the same for all
beta, and so one sort serves many.
"""

from typing import Any

import numpy as np
import torch

__all__ = ["thresholds"]

_MAX_NEWTON_STEPS = 100  # Newton's method needs about ten; the bound only guards against NaN


def thresholds(
    z: torch.Tensor, mass: torch.Tensor | None, alpha: float, betas: list[float]
) -> list[torch.Tensor]:
    """Return the thresholds of rows of scores at several inverse temperatures.

    Parameters
    ----------
    z : Tensor of shape (..., n_patterns)
        Scores at beta 1, of which the best of each row is zero; ``-inf`` takes no part.
    mass : Tensor of shape (n_patterns,) or (..., n_patterns), or None
        How many times each pattern is there; None is once.
    alpha : float
        Exponent of the entropy, above 1 and at most 2.
    betas : list of float
        Inverse temperatures, rising.

    Returns
    -------
    list of Tensor of shape (..., 1)
    """
    if alpha == 2:
        return list(_sparsemax(z, mass, betas).to(z.dtype).split(1, dim=-1))
    if alpha == 1.5:
        return list(_entmax_halfway(z, mass, betas).to(z.dtype).split(1, dim=-1))
    return _by_newton(z, mass, alpha, betas)


def _sparsemax(z, mass, betas):
    """Return thresholds, (..., n_betas); where a pattern counts, sum_j m_j (z_j - z) < 1 / beta."""
    z, m = _sorted(z, mass, betas[0])
    mz = (z if mass is None else m * z).cumsum(dim=-1)
    m = m if mass is None else m.cumsum(dim=-1)
    limits = 1 / torch.as_tensor(betas).to(z)
    last = _last(torch.addcmul(mz, m, z, value=-1), limits)
    m, mz = m.expand_as(z).gather(-1, last), mz.gather(-1, last)
    return (mz - limits) / m


def _entmax_halfway(z, mass, betas):
    """Return them for alpha 1.5; a pattern counts where sum_j m_j (z_j - z)^2 < 4 / beta^2."""
    z, m = _sorted(z, mass, betas[0])
    mz = z if mass is None else m * z
    mzz = (mz * z).cumsum(dim=-1)
    mz, m = mz.cumsum(dim=-1), m if mass is None else m.cumsum(dim=-1)
    limits = 4 / torch.as_tensor(betas).to(z) ** 2
    behind = torch.addcmul(mz, m, z, value=-0.5).mul_(z).mul_(-2).add_(mzz)
    last = _last(behind, limits)
    m, mz, mzz = (part.expand_as(z).gather(-1, last) for part in (m, mz, mzz))
    mean = mz / m
    return mean - ((limits - mzz + mean * mz) / m).clamp(min=0).sqrt()


def _last(behind, limits):
    """Return the last pattern that counts at each limit; those before it are less behind."""
    limits = limits.expand(*behind.shape[:-1], -1).contiguous()
    return (torch.searchsorted(behind, limits) - 1).clamp(min=0)


def _sorted(z, mass, least_beta):
    """Return rows of scores, the best first, and their masses: where all are one, their sums."""
    # Before the sums, as infinity has none; what is this far behind has no weight at any beta.
    least = 1.0 if mass is None else min(1.0, mass.amin().item())
    z = z.detach().clamp(min=-2 / (least * least_beta))
    if mass is None:
        z = _descending(z).double()  # sums of many terms in single precision would lose too much
        return z, torch.arange(1, z.shape[-1] + 1, dtype=z.dtype, device=z.device)
    if z.device.type == "cpu":  # where numpy takes a fifth of torch's time
        order = torch.from_numpy(np.argsort(-z.numpy(), axis=-1))
    else:
        order = z.argsort(dim=-1, descending=True)
    return z.gather(-1, order).double(), mass.expand_as(z).gather(-1, order).double()


def _descending(z):
    if z.device.type == "cpu":  # where numpy takes a tenth of torch's time
        behind = z.neg_().numpy()
        behind.sort(axis=-1)
        return z.neg_()
    return z.sort(dim=-1, descending=True).values


def _by_newton(z, mass, alpha, betas):
    """Solve for each threshold by Newton's method, from the left.

    The sum of weights is convex and falls with the threshold, so that it climbs to the root
    without passing it. Left of it lie the place where the best pattern alone reaches one, and the
    threshold of a smaller beta, up to which alone patterns are looked at.
    """
    found: list[Any] = []
    power, precision = 1 / (alpha - 1), torch.finfo(z.dtype).eps
    if mass is None:
        z, mass = _descending(z.detach().clone()), torch.ones_like(z[..., :1])
    best = torch.where(z == 0, mass, 0).amax(dim=-1, keepdim=True) ** (1 - alpha)
    for beta in betas:
        scale = (alpha - 1) * beta
        t = -best / scale
        if found:
            t = torch.maximum(t, found[-1])
            width = int((z > t).sum(dim=-1).max()) if mass.shape[-1] == 1 else z.shape[-1]
            z = z[..., :width]
        for _ in range(_MAX_NEWTON_STEPS):
            excess = (z - t).clamp_(min=0).mul_(scale)
            slope = excess ** (power - 1) * mass
            step = excess.mul_(slope).sum(-1, keepdim=True) - 1
            step = step / (power * scale * slope.sum(-1, keepdim=True))
            t = t + step
            if not (step * scale > precision).any():
                break
        found.append(t)
    return found
