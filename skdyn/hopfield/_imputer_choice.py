"""How few rows an imputer recalls, and how little it corrects: what fills hidden entries best."""

from typing import Any

import numpy as np
import torch

from skdyn.hopfield._categories import Coding
from skdyn.hopfield._masked import MaskedPatterns, regress
from skdyn.hopfield._separations import Separation

__all__ = ["choose_beta_and_alpha", "corrected"]

# Grids twice as fine fill wine, breast cancer, diabetes and digits no better on the average.
_BETAS = [2.0, 6.0, 18.0, 54.0, 162.0]
_ALPHAS = [0.02, 0.3, np.inf]
_RATIO = 3.0  # of steps beyond, where the best is at an end
_LEAST, _MOST = 0.01, 1e6  # betas: beyond, there is nothing but the mean, or the nearest row
_LEAST_ALPHA = 1e-5
_UNTRIED = 16.0, 0.1  # beta and alpha where nothing can be held out
_SHARE_OF_COMPLETE = 0.2  # hidden where the training data have no gaps to imitate
_N_TRIAL_ROWS = 200  # with 128, errors are 1 % larger; with 256 and 384, hardly smaller
# Steps of a sequence that spreads evenly over rows and columns, in any order of either: which
# entries are held out depends on no random state.
_ROW_STEP, _COLUMN_STEP = (5**0.5 - 1) / 2, 2**0.5


def corrected(
    recalled: torch.Tensor,
    values: torch.Tensor,
    known: torch.Tensor,
    memory: MaskedPatterns,
    alpha: float,
    coding: Coding,
) -> torch.Tensor:
    """Add to gaps what regression says of the difference that recall has left elsewhere.

    Parameters
    ----------
    recalled : Tensor of shape (..., n_queries, n_features)
        What was recalled.
    values, known : Tensor of shape (n_queries, n_features)
        What is there.
    memory : MaskedPatterns
        Tells the covariance.
    alpha : float
        Ridge; infinity corrects nothing.
    coding : Coding
        Tells which columns are numbers: only they are corrected, by each other.

    Returns
    -------
    Tensor of shape (..., n_queries, n_features)
    """
    if np.isinf(alpha) or not coding.is_number.any():
        return recalled
    left = values - recalled
    if coding.is_number.all():
        return recalled + regress(left, known, memory.covariance, alpha)
    numbers = torch.from_numpy(np.flatnonzero(coding.is_number))
    covariance = memory.covariance[numbers][:, numbers]
    added = regress(left[..., numbers], known[:, numbers], covariance, alpha)
    return recalled.index_add(-1, numbers, added)


def choose_beta_and_alpha(
    values: torch.Tensor,
    known: torch.Tensor,
    given: tuple[float | str, float | str],
    separation: Separation,
    coding: Coding,
) -> tuple[float, float]:
    """Return the beta and alpha with the least squared error on entries held out.

    Parameters
    ----------
    values, known : Tensor of shape (n_rows, n_features)
        Rows in units, zero in gaps, and ones where they are known.
    given : tuple of (float or "auto")
        Parameters ``beta`` and ``alpha``.
    separation : Separation
        From scores to weights.
    coding : Coding
        Columns of categories are held out whole.

    Returns
    -------
    beta, alpha : float
    """
    betas, alphas = ([g] if g != "auto" else grid for g, grid in zip(given, (_BETAS, _ALPHAS)))
    if len(betas) == len(alphas) == 1:
        return given  # pyright: ignore[reportReturnType]: two numbers
    trial = torch.arange(0, len(values), -(-len(values) // _N_TRIAL_ROWS))
    held_out = _held_out(known[:, coding.starts[:-1]], trial)[:, coding.groups]
    asked = held_out.any(dim=1)
    trial, held_out = trial[asked], held_out[asked]
    if len(values) < 2 or len(trial) == 0:
        untried: Any = [default if g == "auto" else g for g, default in zip(given, _UNTRIED)]
        return tuple(untried)
    values, held_out = values.float(), held_out.float()  # precise enough to choose by
    seen = known.float()
    seen[trial] -= held_out
    memory = MaskedPatterns.store(values * seen, seen)
    values, seen = values[trial], seen[trial]
    # Half the squared distance of two categories is one: that of two numbers, on average.
    weight = held_out * torch.where(torch.from_numpy(coding.is_number), 1.0, 0.5)

    def errors(betas, alphas):
        recalled = memory.recall(values, seen, betas, separation, coding.groups, exclude=trial)
        squares = [
            (weight * (corrected(recalled, values, seen, memory, alpha, coding) - values).square())
            .sum(dim=(1, 2)).tolist()
            for alpha in alphas
        ]  # fmt: skip
        return {
            (beta, alpha): square
            for alpha, row in zip(alphas, squares) for beta, square in zip(betas, row)
        }  # fmt: skip

    return _climb(errors, betas, alphas, [g == "auto" for g in given])


def _climb(errors, betas, alphas, free):
    """Return the beta and alpha of the least error; go on where they are at an end."""
    found = errors(betas, alphas)
    while True:
        beta, alpha = min(found, key=found.get)
        tried = {beta for beta, _ in found}, {alpha for _, alpha in found}
        further = []
        if free[0] and beta == max(tried[0]) and beta * _RATIO <= _MOST:
            further.append((beta * _RATIO, alpha))
        if free[0] and beta == min(tried[0]) and beta / _RATIO >= _LEAST:
            further.append((beta / _RATIO, alpha))
        if free[1] and alpha == min(tried[1]) and alpha / _RATIO >= _LEAST_ALPHA:
            further.append((beta, alpha / _RATIO))
        if not further:
            return float(beta), float(alpha)
        for beta, alpha in further:
            found |= errors([beta], [alpha])


def _held_out(known, trial):
    """Return ones where an entry of the trial rows is to be hidden, else zeros.

    A row borrows the gaps of another. Where it has gaps of its own, it takes half of them, so that
    it is not left with far less than rows have.
    """
    columns = torch.arange(known.shape[1])
    spread = (trial[:, None] * _ROW_STEP + columns * _COLUMN_STEP) % 1
    incomplete = torch.nonzero((known == 0).any(dim=1) & known.any(dim=1))[:, 0]
    if len(incomplete) == 0:
        return known[trial] * (spread < _SHARE_OF_COMPLETE)
    borrowed = 1 - known[incomplete[(trial + 1) % len(incomplete)]]
    half = (spread < 0.5) | known[trial].all(dim=1, keepdim=True)
    return known[trial] * borrowed * half
