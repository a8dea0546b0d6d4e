"""How a forecaster looks back: chosen by forecasts from origins that were held out."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch

from skdyn.exceptions import warn_user
from skdyn.hopfield._analogues import Analogues, Recipe, taught
from skdyn.hopfield._origins import Held, History, held_out, some_steps, spaced
from skdyn.hopfield._separations import Separation
from skdyn.hopfield._sequences import overlapping, windows_at
from skdyn.hopfield._trivial_forecasts import ADVICE, SAID_INSTEAD, judged_beside_trivial

__all__ = [
    "LADDER",
    "Chosen",
    "candidates",
    "choose",
    "held_out_errors",
    "recalled_by_step",
]

LADDER = [2.0**power for power in range(-6, 21)]  # from nearly the mean to nearly the nearest
_WINDOWS = (1, 2, 4, 8, 16, 32)
_TIMES = 3  # as long as a window, at least, is the longest series
_SHORTEST = {"mean": 2, "trend": 3}  # windows that tell these levels from the last state
_N_RECALLED = 300  # windows that choose beta
_N_LEARNED = 3000  # windows before a block, the latest


def held_out_errors(
    history: History,
    held: list[Held],
    recipe: Recipe,
    betas: list[float],
    separation: Separation,
) -> np.ndarray:
    """Return mean squared errors of forecasts from held-out origins.

    Parameters
    ----------
    history : History
        What is looked back on.
    held : list of Held
        Where from; at least one block.
    recipe : Recipe
        How.
    betas : list of float
        Inverse temperatures, each twice the one before.
    separation : Separation
        From scores to weights.

    Returns
    -------
    ndarray of shape (n_betas, n_steps, n_features)
        At some steps of the horizon.
    """
    squares = _held_out_squares(history, held, recipe, betas, separation)
    return squares.mean(axis=1)


def _held_out_squares(history, held, recipe, betas, separation):
    """Return squared errors of shape (n_betas, n_origins, n_steps, n_features)."""
    ends, steps = history.ends(recipe.window), some_steps(history.horizon)
    total = []
    for fold in held:
        model = taught(
            history.states, ends[ends <= fold.last][-_N_LEARNED:], recipe, steps, separation
        )
        windows = windows_at(history.states, fold.origins, recipe.window)
        queries, known = model.before_recall(windows)
        answers = known + model.memory.means_by_beta(queries, betas).numpy()
        total.append(np.square(answers - history.after(fold.origins, steps)))
    squares = np.concatenate(total, axis=1)
    return squares.reshape(*squares.shape[:2], len(steps), -1)


def candidates(history: History, window: int | str, level: str, linear: bool | str) -> list[Recipe]:
    """Return the recipes that parameters allow, the simplest first.

    Parameters
    ----------
    history : History
        What is looked back on.
    window, level, linear : int, str, bool
        Parameters of the forecaster, "auto" for all that make sense.

    Returns
    -------
    list of Recipe

    Raises
    ------
    ValueError
        If no sequence is long enough for any.
    """
    longest, horizon = int(history.lengths.max()), history.horizon
    least = 1 if isinstance(window, str) else window
    if longest < least + horizon:
        raise ValueError(
            f"window={window!r} and horizon={horizon} need a series of {least + horizon} states; "
            f"the longest of X has n_samples = {longest}. Pass longer ones, or lower them."
        )
    most = max(1, (longest - horizon) // _TIMES)
    widths = [w for w in _WINDOWS if w <= most] if isinstance(window, str) else [window]
    levels = ("last", "none", "mean", "trend") if level == "auto" else (level,)
    lines = (False, True) if isinstance(linear, str) else (bool(linear),)
    return [
        Recipe(width, each, line)
        for width in widths
        for each in levels
        for line in lines
        if level != "auto" or width >= _SHORTEST.get(each, 1)
    ]


class Chosen(NamedTuple):
    """What was chosen, and what is to be expected of it.

    Attributes
    ----------
    recipe : Recipe
        How windows are told what follows.
    betas : ndarray of shape (horizon,)
        Inverse temperature of each step.
    errors : ndarray of shape (horizon, n_features)
        Mean squared errors of forecasts.
    spreads : ndarray of shape (horizon, n_features)
        Mean variances of what was recalled.
    """

    recipe: Recipe
    betas: np.ndarray
    errors: np.ndarray
    spreads: np.ndarray


def choose(
    history: History,
    recipes: list[Recipe],
    beta: float | None,
    separation: Separation,
) -> Chosen:
    """Choose a recipe by forecasts from held-out origins, then the temperatures by recall.

    Parameters
    ----------
    history : History
        What is looked back on.
    recipes : list of Recipe
        Candidates, the simplest first.
    beta : float or None
        The one inverse temperature of all steps, where it is given.
    separation : Separation
        From scores to weights.

    Returns
    -------
    Chosen
    """
    held = held_out(history, max(recipe.window for recipe in recipes))
    betas = LADDER if beta is None else [beta]
    if not held:
        warn_user(
            f"{history.lengths.sum()} states are too few to hold any out: nothing tells whether "
            "forecasts are better than the last state. Pass longer series, or lower horizon."
        )
        places, errors, spreads = _recalled(history, recipes[0], betas, separation)
        return _of_all_steps(history, recipes[0], betas, places, errors, spreads)
    judged = [held_out_errors(history, held, each, betas, separation) for each in recipes]
    best = int(np.argmin([each.mean(axis=2).min(axis=0).mean() for each in judged]))
    places, _, spreads = _recalled(history, recipes[best], betas, separation)
    errors = _at(judged[best], places)
    squares = _held_out_squares(history, held, recipes[best], betas, separation)
    mine = squares[places, :, np.arange(len(places))].transpose(1, 0, 2)
    verdict = judged_beside_trivial(mine, history, held)
    if verdict is not None:
        plain = Recipe(recipes[0].window, verdict.level, False)
        if verdict.instead and beta is None and plain in recipes:
            best, places = recipes.index(plain), np.zeros_like(places)
            errors, spreads = _at(judged[best], places), np.zeros_like(spreads)
            warn_user(verdict.words + SAID_INSTEAD)
        else:
            warn_user(verdict.words + ADVICE)
    return _of_all_steps(history, recipes[best], betas, places, errors, spreads)


def _at(errors, places):
    """Return errors of each step at the inverse temperature chosen for it."""
    return errors[places, np.arange(len(places))]


def _of_all_steps(history, recipe, betas, places, errors, spreads):
    """Return a choice in which each step has what was chosen for the nearest of some."""
    steps = some_steps(history.horizon)
    near = np.abs(np.arange(1, history.horizon + 1)[:, None] - steps).argmin(axis=1)
    return Chosen(recipe, np.asarray(betas)[places][near], errors[near], spreads[near])


def _recalled(history, recipe, betas, separation):
    steps, ends = some_steps(history.horizon), history.ends(recipe.window)
    model = taught(history.states, ends, recipe, steps, separation)
    return recalled_by_step(history, model, betas)


def recalled_by_step(
    history: History, model: Analogues, betas: list[float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Choose the inverse temperature of each step, windows recalled from others.

    Windows that share a state with what follows the one asked about are left out with it.

    Parameters
    ----------
    history : History
        What is looked back on.
    model : Analogues
        Of all windows, and some steps of the horizon.
    betas : list of float
        Candidates.

    Returns
    -------
    places : ndarray of int of shape (n_steps,)
        Which of them, for each step; the first where no window can be recalled from others.
    errors, spreads : ndarray of shape (n_steps, n_features)
        Mean squared errors with it, and variances of what was recalled.
    """
    window, ends, n_steps = model.recipe.window, history.ends(model.recipe.window), len(model.steps)
    asked = spaced(np.arange(len(ends)), _N_RECALLED)
    but = overlapping(ends, history.lengths, asked, window, history.horizon)
    some = np.array([len(np.unique(row)) < len(ends) for row in but], dtype=bool)
    if not some.any():
        rest = model.values.square().mean(dim=0).numpy().reshape(n_steps, -1)
        return np.zeros(n_steps, dtype=int), rest, rest
    asked, but = asked[some], torch.from_numpy(but[some])
    queries, known = model.before_recall(windows_at(history.states, ends[asked], window))
    both = replace(model.memory, values=torch.column_stack([model.values, model.values.square()]))
    means, squares = np.split(both.means_by_beta(queries, betas, but).numpy(), 2, axis=2)
    errors = np.square(known + means - history.after(ends[asked], model.steps)).mean(axis=1)
    spreads = (squares - np.square(means)).clip(min=0).mean(axis=1)
    errors, spreads = (part.reshape(len(betas), n_steps, -1) for part in (errors, spreads))
    best = errors.mean(axis=2).argmin(axis=0)
    return best, errors[best, np.arange(n_steps)], spreads[best, np.arange(n_steps)]
