"""What a regressor's errors cost: by their squares, around a quantile, or as counts.

Losses are in units of what the best constant answer costs, about, so that penalties weigh alike.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch

__all__ = ["LARGEST_LOGARITHM", "LOSSES", "TargetScales", "check_counts", "count_scales"]

LARGEST_LOGARITHM = (
    80.0  # logarithm of a mean, in units of the mean of all: beyond it numbers overflow
)


class TargetScales(NamedTuple):
    """Units of the targets.

    Attributes
    ----------
    offset, scale : ndarray of shape (n_outputs,)
        What the network learns is ``(y - offset) / scale``.
    unit : ndarray of shape (n_outputs,)
        What the best constant answer costs, about.
    """

    offset: np.ndarray
    scale: np.ndarray
    unit: np.ndarray


class _Squared:
    """Mean squares."""

    def rows(self, prediction, y, quantile, unit):
        return (prediction - y).square().mean(dim=1)

    def constant(self, y, weight, quantile):
        return torch.tensordot(weight.to(y), y, dims=1) / weight.sum().to(y)


class _Quantile:
    """Distances, those above the answer by one weight and those below by another [1]_.

    References
    ----------
    .. [1] R. Koenker, G. Bassett, "Regression Quantiles", Econometrica 46, 1978.
    """

    def rows(self, prediction, y, quantile, unit):
        above = y - prediction
        return 2.0 * torch.maximum(quantile * above, (quantile - 1.0) * above).mean(dim=1)

    def constant(self, y, weight, quantile):
        ordered, order = y.sort(dim=0)
        share = weight.double()[order].cumsum(dim=0) / weight.double().sum()
        place = (share < quantile).sum(dim=0).clamp(max=len(y) - 1)
        return ordered.gather(0, place[None])[0]


class _Poisson:
    """Half the deviance of counts, of whose mean the network gives the logarithm."""

    def rows(self, prediction, y, quantile, unit):
        mean = prediction.clamp(max=LARGEST_LOGARITHM).exp()
        least = y - torch.special.xlogy(y, y)
        unit = torch.as_tensor(unit).to(y)
        return (2.0 * (mean - y * prediction - least) / unit).mean(dim=1)

    def constant(self, y, weight, quantile):
        return _Squared().constant(y, weight, quantile).log()


LOSSES: dict[str, Any] = {"squared": _Squared(), "quantile": _Quantile(), "poisson": _Poisson()}


def count_scales(y: np.ndarray, weight: np.ndarray | None) -> TargetScales:
    """Learn the units of counts.

    Parameters
    ----------
    y : ndarray of shape (n, n_outputs)
        Counts, or other numbers from zero.
    weight : ndarray of shape (n,) or None
        Weights of the rows.

    Returns
    -------
    TargetScales
    """
    check_counts(y)
    mean = np.average(y, axis=0, weights=weight)
    if not (mean > 0).all():
        raise ValueError("loss='poisson' needs targets of which some are above zero; y has none.")
    variance = np.average(np.square(y / mean - 1.0), axis=0, weights=weight)
    return TargetScales(np.zeros_like(mean), mean, np.where(variance > 0, variance, 1.0))


def check_counts(y: np.ndarray) -> None:
    """Refuse targets below zero.

    Parameters
    ----------
    y : ndarray of shape (n, n_outputs)
        Targets.

    Raises
    ------
    ValueError
        If one is.
    """
    if (y < 0).any():
        raise ValueError(
            f"loss='poisson' needs y >= 0; got {y.min():.3g}. Take loss='squared', or shift y."
        )
