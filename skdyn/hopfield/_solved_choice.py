"""How rows are compared, and how much their values are shrunk: chosen by rows that are left out.

Three stages, each with fewer candidates and more rows or steps: leave-one-out of 200 rows finds
how far a row is heard, the squared errors of folds which maps are worth more, and their losses
which ridge; ridges are tried from the middle on, and only where they still gain.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import NamedTuple

import numpy as np
import torch

from skdyn.hopfield._solved import (
    Link,
    Setting,
    Square,
    first_projection,
    kernel,
    outer_slopes,
    stepped,
    unit_of,
)

__all__ = ["Found", "chosen", "faint"]

_BETAS = 2.0 ** np.arange(-4, 8)
_LINES = [0.0, 0.1, 0.5]  # shares of the linear part
_RIDGES = np.array([10.0**power for power in range(-3, 2)])
_FIRST = {"euclidean": (5, 1), "distance": (2, 1)}  # beta and line that the search begins with
_N_SEARCHED = 200  # rows that tell of beta
_N_JUDGED = 600  # rows that tell of the rest
_N_FOLDS = 3
_MAPS = [("none", 0), ("weights", 1), ("weights", 2), ("full", 1)]  # and how often they are found
_LINE_MAPS = [("none", 0), ("weights", 1)]
_N_GLANCED = 6  # maps that all folds glance at, of those that one has
_N_KEPT = 4  # maps of which two ridges are tried
_N_LAST = 2  # maps of which more are


class Found(NamedTuple):
    """What rows that were not learned from say.

    Attributes
    ----------
    setting : Setting
        The best.
    cooling : float
        What answers are multiplied by.
    offsets : ndarray of shape (n_values,)
        What is added to them.
    loss : float
        The loss of both.
    trivial_loss : float
        The loss of an answer that reads no input.
    """

    setting: Setting
    cooling: float
    offsets: np.ndarray
    loss: float
    trivial_loss: float


def chosen(
    X: np.ndarray, values: np.ndarray, mass: np.ndarray, link: Link, beta: float | None = None
) -> Found:
    """Choose by rows that were not learned from.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Standardized rows, in an order that says nothing.
    values : ndarray of shape (n_rows, n_values)
        What they are.
    mass : ndarray of shape (n_rows,)
        Their weights.
    link : LogLoss or SquaredError
        How answers are judged.
    beta : float or None, default=None
        The inverse temperature, where it is given.

    Returns
    -------
    Found
    """
    table = [array[:_N_JUDGED].astype(link.dtype) for array in (X, values, mass)]
    rows, told, weight = (array[:_N_SEARCHED] for array in table)
    begin = [_searched(rows, told, weight, how, beta) for how in _FIRST]
    fold = link.folds(table[1], _N_FOLDS)
    folds = [_Fold(table, fold == k) for k in range(_N_FOLDS)]
    maps = [start._replace(kind=kind, n_steps=n) for start in begin for kind, n in _MAPS]
    maps += [begin[0]._replace(line=1.0, kind=kind, n_steps=n) for kind, n in _LINE_MAPS]
    maps = _worth_more(maps, folds[:1], _N_GLANCED)
    maps = _worth_more(maps, folds, _N_KEPT)
    for each in folds:
        each.forget_all_but(maps)
    walks = [_Walk(setting, folds, link, table) for setting in maps]
    walks.sort(key=lambda walk: walk.begun().loss)
    best = min(walks[:_N_LAST], key=lambda walk: walk.ended().loss)
    trivial = link.trivial_loss(table[1], table[2])
    cooling, offsets, loss = best.best
    return Found(best.setting, cooling, offsets, loss, trivial)


def faint(X: np.ndarray, values: np.ndarray, mass: np.ndarray, link: Link) -> Found:
    """Return what is said of too few rows to choose by: nearly nothing.

    Parameters
    ----------
    X, values, mass, link : object
        See :func:`chosen`.

    Returns
    -------
    Found
    """
    trivial = link.trivial_loss(values, mass)
    cooling, offsets, loss = link.faint(trivial)
    return Found(Setting("euclidean", 1.0, 0.1, 1.0), cooling, offsets, loss, trivial)


def _searched(X, values, mass, similarity, beta):
    """Return the best beta, line and ridge by leave-one-out of the squared error."""
    betas = _BETAS if beta is None else [beta]
    keys = X / unit_of(X, mass)
    root = np.sqrt(mass / mass.mean())[:, None]
    Y = root * (values - np.average(values, axis=0, weights=mass))
    seen: dict[tuple[int, int], tuple[float, Setting]] = {}

    def judge(place):
        if place not in seen:
            setting = Setting(similarity, float(betas[place[0]]), _LINES[place[1]], 1.0)
            K = root * kernel(keys, keys, setting) * root.T
            size, axes = (part.numpy() for part in torch.linalg.eigh(torch.from_numpy(K)))
            turned, squares = axes.T @ Y, axes**2
            losses = []
            for ridge in _RIDGES.astype(K.dtype):
                shrunk = 1 / (size.clip(min=0) + ridge)
                missed = axes @ (shrunk[:, None] * turned) / (squares @ shrunk)[:, None]
                losses.append(float(np.square(missed).sum()))
            best = int(np.argmin(losses))
            seen[place] = losses[best], setting._replace(first_ridge=float(_RIDGES[best]))
        return seen[place][0]

    here, step = _FIRST[similarity] if beta is None else (0, 1), 2
    while step:
        near = [(here[0] + d, here[1]) for d in (-step, step)]
        near += [(here[0], here[1] + d) for d in (-1, 1)]
        near = [p for p in near if 0 <= p[0] < len(betas) and 0 <= p[1] < len(_LINES)]
        best = min(near, key=judge)
        if judge(best) < judge(here):
            here = best
        else:
            step -= 1
    return seen[here][1]


def _worth_more(maps, folds, n_kept):
    """Return the maps of least squared error: the best of each similarity, then the best."""
    glances = [sum(each.seen(setting).error for each in folds) for setting in maps]
    ranked = [maps[i] for i in np.argsort(glances, kind="stable")]
    leading = [next(s for s in ranked if s.similarity == how) for how in _FIRST]
    return [*leading, *(s for s in ranked if s not in leading)][:n_kept]


class _Seen(NamedTuple):
    """What a fold has seen of a map.

    The map, the kernels of rows that are learned from and of those that are asked, the squared
    error at the ridge that begins, and what gives the slopes that a next map rests on.
    """

    projection: np.ndarray
    K: np.ndarray
    across: np.ndarray
    error: float
    slopes: Callable[[], np.ndarray]


class _Fold:
    """Rows to learn from, others that are asked, and the maps that the former lead to."""

    def __init__(self, table, asked):
        self.rows = asked
        self.X, self.values, self.mass = (array[~asked] for array in table)
        self._asked, self._right, self._weight = (array[asked] for array in table)
        self._seen = {}

    def seen(self, setting):
        """Return what is seen of a map, once for all that ask."""
        if setting not in self._seen:
            projection = self._projection(setting)
            keys, asked = (rows @ projection for rows in (self.X, self._asked))
            K, across = kernel(keys, keys, setting), kernel(asked, keys, setting)
            inverse = Square(K, self.mass / self.mass.mean(), setting.first_ridge)
            told = self.values, self.mass
            slopes = cache(partial(outer_slopes, keys, K, inverse, told, setting))
            error = self._error(across, inverse)
            self._seen[setting] = _Seen(projection, K, across, error, slopes)
        return self._seen[setting]

    def _projection(self, setting):
        if not setting.n_steps:
            return first_projection(self.X, self.mass)
        kind = setting.kind if setting.n_steps > 1 else "none"
        before = self.seen(setting._replace(kind=kind, n_steps=setting.n_steps - 1))
        return stepped(self.X, self.mass, before.projection, before.slopes(), setting.kind)

    def _error(self, across, inverse):
        mean = np.average(self.values, axis=0, weights=self.mass)
        told = across @ inverse(self.values - mean) + mean
        return float(self._weight @ np.square(told - self._right).sum(axis=1))

    def forget_all_but(self, settings):
        """Let go of what takes memory."""
        self._seen = {setting: self._seen[setting] for setting in settings}


class _Walk:
    """One map, and ridges from the middle on in the direction that gains."""

    def __init__(self, setting, folds, link, table):
        self._setting, self._folds, self._link = setting, folds, link
        self._values, self._mass = table[1:]
        self._found = [None] * len(folds)
        self._judged = {}

    @property
    def best(self):
        """What is known of the best ridge so far."""
        return min(self._judged.values(), key=lambda tempered: tempered.loss)

    @property
    def setting(self):
        """The best so far."""
        ridge = min(self._judged, key=lambda number: self._judged[number].loss)
        return self._setting._replace(ridge=self._link.ridges[ridge])

    def begun(self):
        """Try two ridges."""
        for number in (self._link.middle, self._link.middle + 1):
            self._judge(number)
        return self.best

    def ended(self):
        """Try those beyond the better one, while they gain."""
        first, second = self._judged
        down = self._judged[second].loss <= self._judged[first].loss
        number, step = (second, 1) if down else (first, -1)
        while 0 <= number + step < len(self._link.ridges):
            number += step
            if self._judge(number) > self.best.loss:
                break
        return self.best

    def _judge(self, number):
        told, ridge = np.empty(self._values.shape), self._link.ridges[number]
        for k, fold in enumerate(self._folds):
            K, across = fold.seen(self._setting)[1:3]

            def factored(weight, K=K):
                return Square(K, weight, ridge)

            task = K, fold.values, fold.mass, ridge, self._found[k]
            self._found[k] = self._link.solve(factored, *task)
            told[fold.rows] = across @ self._found[k]
        self._judged[number] = self._link.tempered(told, self._values, self._mass)
        return self._judged[number].loss
