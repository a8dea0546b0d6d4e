"""Values that are solved for: what stored rows must say, so that recall says what is right.

Recall answers with a mean of what the stored rows are. Where these overlap, or few rows are near,
the mean is blunt. Here each row gets a value of its own, found by ridge or logistic regression on
the exponentials of all similarities, as the pseudo-inverse rule finds couplings; beside it there
is a part that is linear. Rows are compared in a map that comes without a gradient descent: the mean
outer product of the slopes of the answers says which directions count.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from skdyn.hopfield._links import LogLoss, SquaredError

__all__ = ["MOST_ROWS", "Found", "Setting", "Solution", "chosen", "faint", "solved"]

Link = LogLoss | SquaredError

_BETAS = 2.0 ** np.arange(-4, 8)
_LINES = [0.0, 0.1, 0.5]  # shares of the linear part
_RIDGES = [10.0**power for power in range(-3, 2)]
_FIRST = {"euclidean": (5, 1), "distance": (2, 1)}  # beta and line that the search begins with
_N_SEARCHED = 200  # rows that tell of beta
_N_JUDGED = 600  # rows that tell of the rest
_N_FOLDS = 3
_STEPS = {"weights": 2, "full": 1}  # kinds of maps, and how often each is found anew at most
_LINE_STEPS = {"weights": 1}
_N_KEPT = 4  # maps that are tried with all ridges
_FLOOR = 0.01  # of what the leading direction counts, each other one counts at least
_N_MAPPED = 1000  # rows that a map is found with
_MOST_CENTRES = 2000  # rows that get a value
MOST_ROWS = 10_000  # rows that are solved for
_JITTER = 1e-9
_NEAR = 1e-6  # distance below which rows are one


class Setting(NamedTuple):
    """What is chosen.

    Attributes
    ----------
    similarity : {"euclidean", "distance"}
        Whether keys are compared by half their squared distance or by their distance.
    beta : float
        Inverse temperature, of keys whose total variance is one.
    line : float
        Share of the linear part; with one there is no other.
    first_ridge : float
        The ridge under which the map is found.
    kind : {"none", "weights", "full"}
        Whether features are compared as they are, weighted, or mapped.
    n_steps : int
        How often the map is found anew.
    ridge : float
        The ridge under which values are solved for.
    """

    similarity: str
    beta: float
    line: float
    first_ridge: float
    kind: str = "none"
    n_steps: int = 0
    ridge: float = 1.0


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


class Solution(NamedTuple):
    """What answers.

    Attributes
    ----------
    projection : ndarray of shape (n_features, n_features)
        From rows to keys, whose total variance is one.
    values : ndarray of shape (n_centres, n_values)
        Values of the first rows.
    slopes : ndarray of shape (n_features, n_values)
        The linear part, on the keys.
    """

    projection: np.ndarray
    values: np.ndarray
    slopes: np.ndarray


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
    some = X[:_N_SEARCHED], values[:_N_SEARCHED], mass[:_N_SEARCHED]
    begin = [_searched(*some, similarity, beta) for similarity in _FIRST]
    X, values, mass = X[:_N_JUDGED], values[:_N_JUDGED], mass[:_N_JUDGED]
    fold = link.folds(values, _N_FOLDS)
    folds = [_Fold((X, values, mass), fold == k, begin) for k in range(_N_FOLDS)]
    glances = {
        setting: sum(each.glance(setting) for each in folds) for setting in folds[0].projections
    }
    answers: dict[Setting, np.ndarray] = {}
    for setting in sorted(glances, key=lambda setting: glances[setting])[:_N_KEPT]:
        for k, each in enumerate(folds):
            for ridge, told in each.told(setting, link):
                known = answers.setdefault(setting._replace(ridge=ridge), np.zeros_like(values))
                known[fold == k] = told
    judged = {setting: link.tempered(F, values, mass) for setting, F in answers.items()}
    best = min(judged, key=lambda setting: judged[setting].loss)
    return Found(best, *judged[best], link.trivial_loss(values, mass))


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


def solved(
    X: np.ndarray, values: np.ndarray, mass: np.ndarray, setting: Setting, link: Link
) -> Solution:
    """Solve for the values of rows.

    Parameters
    ----------
    X, values, mass, link : object
        See :func:`chosen`; at most 10 000 rows.
    setting : Setting
        What was chosen.

    Returns
    -------
    Solution
        With values of all rows, or of the first 2000.
    """
    *_, projection = _projections(X[:_N_MAPPED], values[:_N_MAPPED], mass[:_N_MAPPED], setting)
    centres = X[:_MOST_CENTRES] @ projection
    if len(centres) == len(X):
        K = _kernel(centres, centres, setting)
        a, _ = link.solve(lambda weight: _Square(K, weight, setting.ridge), K, values, mass)
    else:
        K = _kernel(X @ projection, centres, setting)
        among = K[: len(centres)]
        a, _ = link.solve(lambda weight: _Tall(K, among, weight, setting.ridge), K, values, mass)
    return Solution(projection, (1 - setting.line) * a, setting.line * centres.T @ a)


def _searched(X, values, mass, similarity, beta):
    """Return the best beta, line and ridge by leave-one-out of the squared error."""
    betas = _BETAS if beta is None else [beta]
    keys = X / _unit(X, mass)
    Y = values - np.average(values, axis=0, weights=mass)
    root = np.sqrt(mass / mass.mean())[:, None]
    seen: dict[tuple[int, int], tuple[float, Setting]] = {}

    def judge(place):
        if place not in seen:
            setting = Setting(similarity, float(betas[place[0]]), _LINES[place[1]], 1.0)
            K = root * _kernel(keys, keys, setting) * root.T
            size, axes = np.linalg.eigh(K)
            turned, squares = axes.T @ (root * Y), axes**2
            losses = []
            for ridge in _RIDGES:
                shrunk = 1 / (size.clip(min=0) + ridge)
                missed = axes @ (shrunk[:, None] * turned) / (squares @ shrunk)[:, None]
                losses.append(float(np.square(missed).sum()))
            best = int(np.argmin(losses))
            seen[place] = losses[best], setting._replace(first_ridge=_RIDGES[best])
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


class _Fold:
    """Rows to learn from, others that are asked, and the maps that the former lead to."""

    def __init__(self, table, asked, begin):
        self.X, self.values, self.mass = (array[~asked] for array in table)
        self.asked, self.right, self.weight = (array[asked] for array in table)
        self.projections: dict[Setting, np.ndarray] = {}
        learnt = self.X, self.values, self.mass
        line = begin[0]._replace(line=1.0)
        for start, steps in [*((start, _STEPS) for start in begin), (line, _LINE_STEPS)]:
            for kind, n_steps in steps.items():
                wanted = start._replace(kind=kind, n_steps=n_steps)
                for n, projection in enumerate(_projections(*learnt, wanted)):
                    setting = start._replace(kind=kind if n else "none", n_steps=n)
                    self.projections[setting] = projection

    def glance(self, setting):
        """Return the squared error of rows that are asked, at the ridge that begins."""
        K, across = self._kernels(setting)
        mean = np.average(self.values, axis=0, weights=self.mass)
        a = _Square(K, self.mass / self.mass.mean(), setting.first_ridge)(self.values - mean)
        return float(self.weight @ np.square(across @ a + mean - self.right).sum(axis=1))

    def told(self, setting, link):
        """Yield ridges, and what rows that are asked are told with each."""
        K, across = self._kernels(setting)
        F = None
        for ridge in link.ridges:

            def factored(weight, ridge=ridge):
                return _Square(K, weight, ridge)

            a, F = link.solve(factored, K, self.values, self.mass, F)
            yield ridge, across @ a

    def _kernels(self, setting):
        projection = self.projections[setting]
        keys = self.X @ projection
        return _kernel(keys, keys, setting), _kernel(self.asked @ projection, keys, setting)


def _projections(X, values, mass, setting) -> Iterator[np.ndarray]:
    """Yield the map that leaves rows as they are, and the map after each step."""
    projection = np.eye(X.shape[1]) / _unit(X, mass)
    yield projection
    Y = values - np.average(values, axis=0, weights=mass)
    weight = mass / mass.mean()
    for _ in range(setting.n_steps):
        keys = X @ projection
        K = _kernel(keys, keys, setting)
        a = _Square(K, weight, setting.first_ridge)(Y)
        square = projection @ _outer_slopes(keys, K, a, weight, setting) @ projection.T
        if setting.kind == "weights":
            square = np.diag(np.diag(square))
        size, axes = np.linalg.eigh(square)
        size = size.clip(min=0) / (size.max() or 1.0)
        projection = (axes * np.sqrt(size + _FLOOR)) @ axes.T
        projection = projection / _unit(X @ projection, mass)
        yield projection


def _outer_slopes(keys, K, a, weight, setting):
    """Return outer products of the slopes of all answers at the rows, in the keys, up to a unit."""
    unit = max(setting.beta, 1.0)  # of slopes, none of which overflows then
    pull = setting.beta / unit * (K - setting.line * keys @ keys.T)
    if setting.similarity == "distance":
        away = np.sqrt(-2 * _minus_half_squares(keys, keys, keys @ keys.T))
        pull = np.divide(pull, away, out=np.zeros_like(pull), where=away > _NEAR)
    total = np.zeros((keys.shape[1], keys.shape[1]))
    for column in a.T:
        slopes = pull @ (column[:, None] * keys) - (pull @ column)[:, None] * keys
        slopes += setting.line / unit * (column @ keys)
        total += (slopes * weight[:, None]).T @ slopes
    return total


def _kernel(queries, keys, setting):
    """Return the exponentials of similarities, and products; in place, as memory takes time."""
    products = queries @ keys.T
    if setting.line == 1:
        return products
    rbf = _minus_half_squares(queries, keys, products.copy() if setting.line else products)
    if setting.similarity == "distance":
        rbf *= -2
        np.sqrt(rbf, out=rbf)
        rbf *= -1
    rbf *= setting.beta
    np.exp(rbf, out=rbf)
    if setting.line:
        rbf *= 1 - setting.line
        products *= setting.line
        rbf += products
    return rbf


def _minus_half_squares(queries, keys, products):
    """Turn products into minus halves of squared distances, in place."""
    products -= np.square(queries).sum(axis=1, keepdims=True) / 2
    products -= np.square(keys).sum(axis=1) / 2
    return np.minimum(products, 0, out=products)


def _unit(X, mass):
    """Return the root of the total variance."""
    share = mass / mass.sum()
    return np.sqrt((share @ np.square(X - share @ X)).sum()) or 1.0


class _Square:
    """Solves for the values of rows by equations of the same rows."""

    def __init__(self, K, weight, ridge):
        system = K.copy()
        system[np.diag_indices(len(K))] += ridge / weight
        self.factor: Any = cho_factor(system, lower=True, overwrite_a=True, check_finite=False)

    def __call__(self, Y):
        return cho_solve(self.factor, Y, check_finite=False)


class _Tall:
    """Solves for the values of some rows by equations of many more."""

    def __init__(self, K, among, weight, ridge):
        self.weighted = K.T * weight
        system = self.weighted @ K + ridge * among
        system[np.diag_indices(len(among))] += _JITTER * np.trace(system)
        self.factor: Any = cho_factor(system, lower=True, overwrite_a=True, check_finite=False)

    def __call__(self, Y):
        return cho_solve(self.factor, self.weighted @ Y, check_finite=False)
