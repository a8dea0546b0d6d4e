"""Values that are solved for: what stored rows must say, so that recall says what is right.

Recall answers with a mean of what the stored rows are. Where these overlap, or few rows are near,
the mean is blunt. Here each row gets a value of its own, found by ridge or logistic regression on
the exponentials of all similarities, as the pseudo-inverse rule finds couplings; beside it there
is a part that is linear. Rows are compared in a map that comes without a gradient descent: the mean
outer product of the slopes of the answers says which directions count.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import get_lapack_funcs

from skdyn.hopfield._links import LogLoss, SquaredError

__all__ = [
    "MOST_ROWS",
    "Link",
    "Setting",
    "Solution",
    "Square",
    "first_projection",
    "kernel",
    "outer_slopes",
    "solved",
    "stepped",
    "unit_of",
]

Link = LogLoss | SquaredError

_FLOOR = 0.01  # of what the leading direction counts, each other one counts at least
_N_MAPPED = 1000  # rows that a map is found with
_MOST_CENTERS = 2000  # rows that get a value
MOST_ROWS = 10_000  # rows that are solved for
_JITTER = 1e-9
_ROUTINES: Any = {
    name: get_lapack_funcs(("potrf", "potrs"), dtype=name) for name in ("float32", "float64")
}


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


class Solution(NamedTuple):
    """What answers.

    Attributes
    ----------
    projection : ndarray of shape (n_features, n_features)
        From rows to keys, whose total variance is one.
    values : ndarray of shape (n_centers, n_values)
        Values of the first rows.
    slopes : ndarray of shape (n_features, n_values)
        The linear part, on the keys.
    """

    projection: np.ndarray
    values: np.ndarray
    slopes: np.ndarray


def solved(
    X: np.ndarray, values: np.ndarray, mass: np.ndarray, setting: Setting, link: Link
) -> Solution:
    """Solve for the values of rows.

    Parameters
    ----------
    X, values, mass, link : object
        Standardized rows, at most 10 000, what they are, their weights, and how answers are judged.
    setting : Setting
        What was chosen.

    Returns
    -------
    Solution
        With values of all rows, or of the first 2000.
    """
    rows, told, weight = (array[:_N_MAPPED].astype(link.dtype) for array in (X, values, mass))
    projection = _projection(rows, told, weight, setting).astype(np.float64)
    is_square = len(X) <= _MOST_CENTERS
    # Few values for many rows stand in equations whose errors are squared.
    dtype = link.dtype if is_square else "float64"
    keys, values, mass = (array.astype(dtype) for array in (X @ projection, values, mass))
    centers = keys[:_MOST_CENTERS]
    K = kernel(keys, centers, setting)
    solver = Square if is_square else _Tall

    def factored(weight):
        return solver(K, weight, setting.ridge)

    a = link.solve(factored, K, values, mass, setting.ridge).astype(np.float64)
    return Solution(projection, (1 - setting.line) * a, setting.line * centers.T @ a)


def _projection(X, values, mass, setting):
    """Return the map that a setting asks for."""
    projection = first_projection(X, mass)
    for _ in range(setting.n_steps):
        keys = X @ projection
        K = kernel(keys, keys, setting)
        inverse = Square(K, mass / mass.mean(), setting.first_ridge)
        slopes = outer_slopes(keys, K, inverse, (values, mass), setting)
        projection = stepped(X, mass, projection, slopes, setting.kind)
    return projection


def first_projection(X: np.ndarray, mass: np.ndarray) -> np.ndarray:
    """Return the map that leaves rows as they are, but for their size.

    Parameters
    ----------
    X, mass : ndarray
        Rows and their weights.

    Returns
    -------
    ndarray of shape (n_features, n_features)
    """
    return np.eye(X.shape[1], dtype=X.dtype) / unit_of(X, mass)


def stepped(
    X: np.ndarray, mass: np.ndarray, projection: np.ndarray, slopes: np.ndarray, kind: str
) -> np.ndarray:
    """Return the map in which directions count as much as answers change along them.

    Parameters
    ----------
    X, mass : ndarray
        Rows and their weights.
    projection : ndarray of shape (n_features, n_features)
        The map before.
    slopes : ndarray of shape (n_features, n_features)
        Their mean outer product, in that map; see :func:`outer_slopes`.
    kind : {"weights", "full"}
        Whether features are weighted, or mapped.

    Returns
    -------
    ndarray of shape (n_features, n_features)
    """
    square = projection @ slopes @ projection.T
    if kind == "weights":
        square = np.diag(np.diag(square))
    size, axes = np.linalg.eigh(square)
    size = size.clip(min=0) / (size.max() or 1.0)
    projection = (axes * np.sqrt(size + _FLOOR)) @ axes.T
    return projection / unit_of(X @ projection, mass)


def _axes(square):
    """Return the directions in which there is anything."""
    size, axes = np.linalg.eigh(square)
    return axes[:, size > np.finfo(size.dtype).eps * len(size) * max(size[-1], 0.0)]


def outer_slopes(
    keys: np.ndarray,
    K: np.ndarray,
    inverse: Square,
    told: tuple[np.ndarray, np.ndarray],
    setting: Setting,
) -> np.ndarray:
    """Return outer products of the slopes of all answers at the rows, in the keys, up to a unit.

    Parameters
    ----------
    keys : ndarray of shape (n_rows, n_features)
        Rows in the map.
    K : ndarray of shape (n_rows, n_rows)
        Their kernel.
    inverse : Square
        What solves for their values.
    told : tuple of ndarray
        What the rows are, and their weights.
    setting : Setting
        How they are compared.

    Returns
    -------
    ndarray of shape (n_features, n_features)
    """
    values, mass = told
    Y = values - np.average(values, axis=0, weights=mass)
    if len(Y) > Y.shape[1]:  # turned, so that columns of classes, which sum to zero, are one less
        Y = Y @ _axes(Y.T @ Y)
    a, weight = inverse(Y), mass / mass.mean()
    unit = max(setting.beta, 1.0)  # of slopes, none of which overflows then
    products = keys @ keys.T
    pull = K - setting.line * products
    pull *= setting.beta / unit
    if setting.similarity == "distance":
        away = _minus_half_squares(keys, keys, products)
        away *= -2
        np.sqrt(away, out=away)
        pull /= np.maximum(away, np.sqrt(np.finfo(away.dtype).eps), out=away)
        np.fill_diagonal(pull, 0.0)  # of a row from itself, where distances have a corner
    total = np.zeros((keys.shape[1], keys.shape[1]), dtype=keys.dtype)
    for column in a.T:
        slopes = pull @ (column[:, None] * keys) - (pull @ column)[:, None] * keys
        slopes += setting.line / unit * (column @ keys)
        total += (slopes * weight[:, None]).T @ slopes
    return total


def kernel(queries: np.ndarray, keys: np.ndarray, setting: Setting) -> np.ndarray:
    """Return the exponentials of similarities, and products; in place, as memory takes time.

    Parameters
    ----------
    queries, keys : ndarray of shape (n_queries, n_features) and (n_keys, n_features)
        Rows in the map.
    setting : Setting
        Of which ``similarity``, ``beta`` and ``line`` tell of the kernel.

    Returns
    -------
    ndarray of shape (n_queries, n_keys)
    """
    products = queries @ keys.T
    if setting.line == 1:
        return products
    rbf = _minus_half_squares(queries, keys, products.copy() if setting.line else products)
    if setting.similarity == "distance":
        rbf *= -2
        np.sqrt(rbf, out=rbf)
        rbf *= -1
    rbf *= min(setting.beta, float(np.sqrt(np.finfo(rbf.dtype).max)))  # beyond it, nothing is near
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


def unit_of(X: np.ndarray, mass: np.ndarray) -> float:
    """Return the root of the total variance.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Rows.
    mass : ndarray of shape (n_rows,)
        Their weights.

    Returns
    -------
    float
        One where all rows are the same.
    """
    share = mass / mass.sum()
    return float(np.sqrt((share @ np.square(X - share @ X)).sum())) or 1.0


class Square:
    """Solves for the values of rows by equations of the same rows.

    Parameters
    ----------
    K : ndarray of shape (n_rows, n_rows)
        Kernel.
    weight : ndarray of shape (n_rows,)
        Weights of the rows.
    ridge : float
        What is added for rows of weight one.
        Where single precision is not enough for the factors, they are in double.
    """

    def __init__(self, K: np.ndarray, weight: np.ndarray, ridge: float) -> None:
        self.added = (ridge / weight)[:, None]
        try:
            self.factor = self._factor(K, K.dtype)
        except np.linalg.LinAlgError:
            self.factor = self._factor(K, np.float64)

    def _factor(self, K, dtype):
        system = np.array(K, dtype=dtype, order="C")
        system[np.diag_indices(len(K))] += self.added[:, 0]
        # Turned, as the library wants it: the matrix is the same.
        return _factored(system.T)

    def __call__(self, missed: np.ndarray, a: np.ndarray | None = None) -> np.ndarray:
        """Return the values that answer with what is missed, shrunk by the ridge.

        Parameters
        ----------
        missed : ndarray of shape (n_rows, n_values)
            What answers shall be, or be beyond those of the present values.
        a : ndarray of shape (n_rows, n_values) or None, default=None
            Present values, which are shrunk as well.

        Returns
        -------
        ndarray of shape (n_rows, n_values)
        """
        return _by_factor(self.factor, missed if a is None else missed - self.added * a)


class _Tall:
    """Solves for the values of the first rows by equations of many more."""

    def __init__(self, K, weight, ridge):
        self.K, self.weight = K, weight[:, None]
        self.added = ridge * K[: K.shape[1]]
        root = K * np.sqrt(self.weight)
        system = root.T @ root  # of a matrix with itself: half of the products
        system += self.added
        system[np.diag_indices(len(system))] += _JITTER * np.trace(system)
        self.factor = _factored(system.T)

    def __call__(self, missed, a=None):
        wanted = self.K.T @ (self.weight * missed)
        return _by_factor(self.factor, wanted if a is None else wanted - self.added @ a)


def _factored(system):
    """Return the Cholesky factor, in place of the system."""
    factor, failed = _ROUTINES[system.dtype.name][0](system, lower=1, overwrite_a=1, clean=0)
    if failed:
        raise np.linalg.LinAlgError("The equations of the rows are too near to dependent ones.")
    return factor


def _by_factor(factor, wanted):
    """Solve by a factor, in its precision; without the checks of others, which take their time."""
    solve = _ROUTINES[factor.dtype.name][1]
    return solve(factor, wanted, lower=1)[0].astype(wanted.dtype, copy=False)
