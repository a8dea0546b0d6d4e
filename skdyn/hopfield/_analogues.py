"""What followed past windows, told to a present one: at its level, and beside a linear forecast."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch

from skdyn.hopfield._frozen_memory import FrozenMemory
from skdyn.hopfield._separations import Separation
from skdyn.hopfield._sequences import windows_at

__all__ = ["LEVELS", "Analogues", "Recipe", "taught"]

LEVELS = ("none", "last", "mean", "trend")
_PENALTIES = 10.0 ** np.arange(-10, 3)  # of ridge, in mean variances of a column


class Recipe(NamedTuple):
    """How windows are told what follows.

    Attributes
    ----------
    window : int
        States of a window.
    level : str
        What is taken off each window and what follows it.
    linear : bool
        Whether ridge regression comes first, and its errors are recalled.
    """

    window: int
    level: str
    linear: bool


@dataclass(frozen=True, eq=False)
class Analogues:
    """Past windows, and what followed them.

    Parameters
    ----------
    recipe : Recipe
        How.
    steps : ndarray of int of shape (n_steps,)
        How far ahead, from one.
    line : tuple of ndarray, or None
        Coefficients and intercepts of the linear part, and the least and largest that followed,
        within which its answers are held.
    memory : FrozenMemory
        Windows and the errors that are left, at beta one.
    origin : ndarray of shape (window * n_features,)
        Mean of the windows, which the memory holds less this.
    """

    recipe: Recipe
    steps: np.ndarray
    line: tuple[np.ndarray, ...] | None
    memory: FrozenMemory
    origin: np.ndarray

    @property
    def values(self) -> torch.Tensor:
        """What is recalled, of shape (n_windows, n_steps * n_features)."""
        assert self.memory.values is not None
        return self.memory.values

    def before_recall(self, windows: np.ndarray) -> tuple[torch.Tensor, np.ndarray]:
        """Return what is looked up, and what is forecast without looking.

        Parameters
        ----------
        windows : ndarray of shape (n_queries, window, n_features)
            Present windows.

        Returns
        -------
        queries : Tensor of shape (n_queries, window * n_features)
            Windows without their levels.
        known : ndarray of shape (n_queries, n_steps * n_features)
            Levels and linear part.
        """
        keys, known = without_levels(windows, self.recipe.level, self.steps)
        if self.line is not None:
            coef, intercept, least, most = self.line
            known = known + np.clip(keys @ coef + intercept, least, most)
        return torch.from_numpy(keys - self.origin), known

    def at(self, beta: float, squared: bool = False) -> FrozenMemory:
        """Return the memory at an inverse temperature.

        Parameters
        ----------
        beta : float
            In units of the variance of the windows.
        squared : bool, default=False
            Whether what is recalled is squared.

        Returns
        -------
        FrozenMemory
        """
        values = self.values.square() if squared else self.values
        return replace(self.memory, values=values, sharpness=beta * self.memory.sharpness)

    def answers(
        self, windows: np.ndarray, betas: np.ndarray, *, with_spread: bool = False
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return forecasts.

        Parameters
        ----------
        windows : ndarray of shape (n_queries, window, n_features)
            Present windows.
        betas : ndarray of shape (n_steps,)
            Inverse temperature of each step.
        with_spread : bool, default=False
            Whether to tell the variance of what is recalled.

        Returns
        -------
        forecasts : ndarray of shape (n_queries, n_steps, n_features)
            What follows.
        variances : ndarray of shape (n_queries, n_steps, n_features) or None
            Of what is recalled.
        """
        queries, known = self.before_recall(windows)
        shape = len(windows), len(self.steps), windows.shape[2]
        means, squares = np.empty(shape), np.empty(shape) if with_spread else None
        for beta in np.unique(betas):
            mine = betas == beta
            means[:, mine] = self.at(beta).means(queries).numpy().reshape(shape)[:, mine]
            if squares is not None:
                found = self.at(beta, squared=True).means(queries).numpy()
                squares[:, mine] = found.reshape(shape)[:, mine]
        spread = None if squares is None else (squares - np.square(means)).clip(min=0)
        return known.reshape(shape) + means, spread


def without_levels(
    windows: np.ndarray, level: str, steps: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return windows without their levels, as rows, and the levels of what follows.

    Parameters
    ----------
    windows : ndarray of shape (n_windows, window, n_features)
        Windows.
    level : str
        One of ``LEVELS``.
    steps : ndarray of int of shape (n_steps,)
        How far ahead.

    Returns
    -------
    keys : ndarray of shape (n_windows, window * n_features)
        Windows.
    levels : ndarray of shape (n_windows, n_steps * n_features)
        To be added to what follows.
    """
    n, width = windows.shape[:2]
    line = _line(level, width, steps)
    levels = np.einsum("sw,nwc->nsc", line, windows)
    keys = windows - levels[:, :width]
    return keys.reshape(n, -1), levels[:, width:].reshape(n, -1)


def _line(level, width, steps):
    """Return what maps a window to its level there and at steps after it, linear in it."""
    if level == "none":
        return np.zeros((width + len(steps), width))
    if level == "last":
        return np.tile(np.eye(width)[-1], (width + len(steps), 1))
    if level == "mean":
        return np.full((width + len(steps), width), 1 / width)
    times = np.concatenate([np.arange(1 - width, 1), steps])
    powers = np.column_stack([np.ones(len(times)), times])
    return powers @ np.linalg.pinv(powers[:width])


def taught(
    states: np.ndarray,
    ends: np.ndarray,
    recipe: Recipe,
    steps: np.ndarray,
    separation: Separation,
) -> Analogues:
    """Store windows.

    Parameters
    ----------
    states : ndarray of shape (n_states, n_features)
        Sequences, joined, of deviations near one.
    ends : ndarray of int of shape (n_windows,)
        The last state of each window.
    recipe : Recipe
        How.
    steps : ndarray of int of shape (n_steps,)
        How far ahead.
    separation : Separation
        From scores to weights.

    Returns
    -------
    Analogues
    """
    windows = windows_at(states, ends, recipe.window)
    keys, levels = without_levels(windows, recipe.level, steps)
    rest = states[ends[:, None] + steps].reshape(len(ends), -1) - levels
    line = _ridge(keys, rest) if recipe.linear else None
    if line is not None:
        rest = rest - np.clip(keys @ line[0] + line[1], *line[2:])
    origin = keys.mean(axis=0)
    keys = torch.from_numpy(keys - origin)
    variance = float(keys.square().sum(dim=1).mean())
    memory = FrozenMemory(
        keys, torch.from_numpy(rest), None, 1 / variance if variance > 0 else 1.0,
        separation=separation,
    )  # fmt: skip
    return Analogues(recipe, steps, line, memory, origin)


def _ridge(keys, rest):
    """Return a linear map, its penalty chosen by generalized cross-validation."""
    center, mean = keys.mean(axis=0), rest.mean(axis=0)
    U, s, Vt = np.linalg.svd(keys - center, full_matrices=False)
    pulled, n = U.T @ (rest - mean), len(keys)
    unit = max((s**2).mean(), np.finfo(float).tiny)
    outside = np.square(rest - mean).sum() - np.square(pulled).sum()
    best = np.inf, None
    for penalty in _PENALTIES * unit:
        kept = s**2 / (s**2 + penalty)
        left = outside + (np.square(1 - kept) @ np.square(pulled)).sum()
        free = n - 1 - kept.sum()
        score = left / max(free, 1e-9) ** 2
        if score < best[0]:
            best = score, penalty
    coef = Vt.T @ ((s / (s**2 + best[1]))[:, None] * pulled)
    return coef, mean - center @ coef, rest.min(axis=0), rest.max(axis=0)
