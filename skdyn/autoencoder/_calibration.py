"""What is measured on training data once the weights rest: thresholds, and how latents are used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from skdyn.autoencoder._start import Shortened
from skdyn.training import to_tensor

if TYPE_CHECKING:
    from skdyn.autoencoder._network import SparseCoder

__all__ = ["calibrate", "in_parts", "measure_use", "recent_rows"]

_ENTRIES = 2**24  # pre-activations at a time: bounds memory, costs no speed
_CALIBRATION_ROWS = 2**14  # on which the thresholds of inference are measured
_BRIEF_ROWS, _BRIEF_SHARE = 2**12, 8  # after brief trainings: so many do, or one of 8 that it saw
_RECENT_ROWS = 2**11  # of earlier calls of partial_fit: a few rows tell little of rare latents
_FEW_ROWS = 2**8  # fewer tell less than what was known before, if only of earlier weights
_DENSITY_ROWS = 2**16  # rows of the training data on which densities are measured, at most;
_FIRST_ROWS = 2**13  # about so many, and as many more at a time until
_OFTEN = 8  # rows were seen that activate each latent: the rest would tell little more


def in_parts(module: Any, n_rows: int) -> int:
    """Return in how many parts so many rows are encoded.

    Parameters
    ----------
    module : torch.nn.Module
        The network.
    n_rows : int
        Rows.

    Returns
    -------
    int
    """
    return max(1, -(-n_rows * module.n_components // _ENTRIES))


def recent_rows(earlier: np.ndarray | None, X: np.ndarray) -> np.ndarray:
    """Return the rows of a call and, where these are few, those of the calls before it.

    Parameters
    ----------
    earlier : ndarray of shape (n_earlier_rows, n_features) or None
        What this returned before.
    X : ndarray of shape (n_rows, n_features)
        The new rows.

    Returns
    -------
    ndarray of shape (n_recent_rows, n_features)
        The newest last.
    """
    if earlier is None or len(X) >= _RECENT_ROWS:
        return X[-_CALIBRATION_ROWS:]
    return np.concatenate([earlier, X])[-_RECENT_ROWS:]


@torch.inference_mode()
def calibrate(
    module: SparseCoder,
    X: np.ndarray,
    known: dict[str, torch.Tensor] | None,
    fresh: bool,
    n_seen: float = np.inf,
) -> None:
    """Measure the thresholds on training data.

    What was known of them before a ``partial_fit`` counts beside few rows; what its steps tracked,
    with weights that moved on, does not.

    Parameters
    ----------
    module : SparseCoder
        The network.
    X : ndarray of shape (n_rows, n_features)
        Rows, of which some are looked at.
    known : dict of str to Tensor or None
        What the network's ``known_thresholds`` returned before.
    fresh : bool
        Whether the training was the first of these weights, and aims at k.
    n_seen : float, default=inf
        Rows that training saw, all epochs together: after a brief one fewer are looked at, lest
        that take longer than the training.
    """
    if not module.allocation.has_thresholds:
        return
    known = known if len(X) < _FEW_ROWS else None
    like = next(module.parameters())
    most = int(min(_CALIBRATION_ROWS, max(_BRIEF_ROWS, n_seen / _BRIEF_SHARE)))
    order = np.random.default_rng(0).permutation(len(X))[:most]
    # Parts as large as memory allows: the mean of their quantiles is the quantile of all.
    parts = np.array_split(order, in_parts(module, len(order)))
    shorten = Shortened(X, module.input_scale, module.shift)
    scaled = (to_tensor(X[part]).to(like) * module.input_scale for part in parts)
    module.calibrate(map(shorten, scaled), known, fresh)


@torch.inference_mode()
def measure_use(module: Any, X: np.ndarray) -> float:
    """Measure how often and how much latents are active on training data.

    Parameters
    ----------
    module : torch.nn.Module
        The network, which keeps both.
    X : ndarray of shape (n_rows, n_features)
        Rows. So many are looked at, drawn from all, that each latent is active in eight: some
        8192 at least and 65536 at most.

    Returns
    -------
    float
        Active latents per row.
    """
    counts: Any = 0
    sums: Any = 0
    like = next(module.parameters())
    rows = np.unique(np.linspace(0, len(X) - 1, _DENSITY_ROWS, dtype=np.intp))
    n_looked_at = 0
    order = np.random.default_rng(0).permutation(rows)  # a stride might keep step with the rows
    for looked_at in map(np.sort, np.array_split(order, -(-len(rows) // _FIRST_ROWS))):
        for part in np.array_split(looked_at, in_parts(module, len(looked_at))):
            support, values = module.encode(to_tensor(X[part]).to(like))
            counts = counts + support.counts
            sums = sums + torch.bincount(support.index, values.double(), module.n_components)
        n_looked_at += len(looked_at)
        if int(counts.min()) >= _OFTEN:
            break
    module.density.copy_(counts / n_looked_at)
    module.mean_code.copy_(sums / n_looked_at)
    return int(counts.sum()) / n_looked_at
