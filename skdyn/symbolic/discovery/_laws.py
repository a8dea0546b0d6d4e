"""Laws that tie constants together: conservation, symmetry, monotony, damping."""

import copy
from typing import Any

import numpy as np

from skdyn.symbolic.discovery._meaning import read_expression, write_term
from skdyn.symbolic.discovery._shooting import System
from skdyn.symbolic.discovery._terms import evaluate

__all__ = ["Laws"]

_WEIGHT = 1e4  # of a departure in shares of the usual rates, in standard deviations of noise
_N_POINTS = 64  # at which laws are imposed
_CHEAP = 2.0  # price of terms that most laws get by with
_MOST = 1500  # terms for which it is worth finding out whether they can conserve anything


class Laws:
    """Departures of systems from laws, which must vanish.

    Parameters
    ----------
    names : list of str
        Names of the states, then the controls.
    inputs : ndarray of shape (n_rows, n_variables)
        States, then controls, along the data.
    rates : ndarray of shape (n_equations,)
        Usual sizes of the right-hand sides, in whose shares departures are.
    conserved : list of str
        Functions of the states that are constant along every solution.
    matrices : list of ndarray of shape (n_states, n_states)
        Maps of solutions to solutions.
    monotone : list of (int, int, int)
        Equation, variable and sign of the derivative over the data.
    damped : dict of int to str
        Text of the term that must not make a state grow, for some equations.
    """

    def __init__(self, names, inputs, rates, conserved, matrices, monotone, damped):
        self._names, self._rates, self._damped = names, rates, damped
        self._n_states, self._range = len(rates), np.ptp(inputs, axis=0)
        self._box = inputs.min(axis=0), inputs.max(axis=0)
        rng = np.random.default_rng(0)
        self._points = self._anywhere(rng, _N_POINTS)  # laws hold off the data, too
        self._along = inputs[rng.permutation(len(inputs))[:_N_POINTS]].T
        self.conserved = conserved
        self._gradients = [self._gradient(text) for text in conserved]
        self._matrices = []
        for matrix in matrices:
            states, controls = np.split(self._points, [self._n_states])
            self._matrices.append((matrix, np.concatenate([matrix @ states, controls])))
        self._slopes = [self._slope(*statement) for statement in monotone]

    def _anywhere(self, rng, n):
        return rng.uniform(*self._box, (n, len(self._names))).T

    def _gradient(self, text):
        """Return derivatives of a conserved function at points, over its usual rate of change."""
        slopes = self._derivatives(text, self._points)
        if not np.isfinite(slopes).all() or not slopes.any():
            raise ValueError(
                f"conserved: {text!r} must have finite derivatives by states where the data are."
            )
        return slopes / np.sqrt(np.mean((self._rates @ np.abs(slopes)) ** 2))

    def _derivatives(self, text, points):
        try:
            function: Any = read_expression(text, self._names)
            slopes = np.zeros((self._n_states, points.shape[1]))
            for symbol in function.free_symbols:
                i = int(symbol.name[1:])
                if i >= self._n_states:
                    raise ValueError(f"{text!r} depends on the control {self._names[i]}.")
                slopes[i] = evaluate(write_term(function.diff(symbol)), list(points))
        except ValueError as error:
            raise ValueError(f"conserved: {error}") from error
        return slopes

    def _slope(self, equation, variable, sign):
        step = 1e-5 * self._range[variable]
        ends = [self._along.copy(), self._along.copy()]
        ends[0][variable] -= step
        ends[1][variable] += step
        return equation, ends, sign * self._range[variable] / (2 * step * self._rates[equation])

    def departures(self, equations, coefficients):
        """Return what must vanish.

        Parameters
        ----------
        equations : tuple of tuple of Term
            Terms of each equation.
        coefficients : tuple of tuple of float
            Their coefficients.

        Returns
        -------
        list of (str, ndarray)
            The parameter that states the law, and departures from it.
        """
        parts = self._linear(equations, coefficients)
        for i, (below, above), scale in self._slopes:
            rise = [_sum(equations[i], coefficients[i], columns) for columns in (above, below)]
            parts.append(("monotone", np.minimum(scale * (rise[0] - rise[1]), 0.0)))
        for i, text in self._damped.items():
            pairs = zip(equations[i], coefficients[i], strict=True)
            growth = [c for term, c in pairs if term.form.text == text]
            share = np.maximum(growth, 0.0) * self._range[int(text[1:])] / self._rates[i]
            parts.append(("bounded", share))
        return parts

    def of_equation(self, i):
        """Return the laws of one equation, which stands alone."""
        one = copy.copy(self)
        one._slopes = [(0, *rest) for equation, *rest in self._slopes if equation == i]
        one._damped = {0: self._damped[i]} if i in self._damped else {}
        one._rates = self._rates[[i]]
        return one

    def _linear(self, equations, coefficients):
        """Return departures that are linear in the coefficients."""
        parts = []
        if not (self._gradients or self._matrices):
            return parts
        field = _field(equations, coefficients, self._points)
        parts += [("conserved", (slopes * field).sum(axis=0)) for slopes in self._gradients]
        for matrix, moved in self._matrices:
            off = _field(equations, coefficients, moved) - matrix @ field
            parts.append(("symmetry", (off / self._rates[:, None]).ravel()))
        return parts

    def residuals(self, equations):
        """Return rows that must vanish as a function of all constants; None without laws.

        Parameters
        ----------
        equations : tuple of tuple of Term
            Terms of each equation.

        Returns
        -------
        callable or None
        """
        if not (self._gradients or self._matrices or self._slopes or self._damped):
            return None
        system = System(equations)

        def rows(p):
            parts = [part for _, part in self.departures(*system.split(p))]
            return _WEIGHT * np.nan_to_num(np.concatenate(parts), nan=1.0, posinf=1e3, neginf=-1e3)

        return rows

    def exact(self, equations, coefficients):
        """Move coefficients by what little is missing to obey conservation and symmetry.

        Parameters
        ----------
        equations : tuple of tuple of Term
            Terms of each equation.
        coefficients : tuple of tuple of float
            Their coefficients.

        Returns
        -------
        tuple of tuple of float
        """
        if not (self._gradients or self._matrices):
            return coefficients
        cuts = np.cumsum([len(row) for row in coefficients])[:-1]
        flat = np.concatenate([np.asarray(row, dtype=float) for row in coefficients])
        # Laws are linear in the coefficients, and each of these may move in proportion to its size.
        columns = [
            np.concatenate([part for _, part in self._linear(equations, np.split(alone, cuts))])
            for alone in np.diag(flat)
        ]
        A = np.stack(columns, axis=1)
        off = A.sum(axis=1)
        if np.abs(off).max() > 1e-13 * np.abs(A).max():
            flat = flat * (1.0 - np.linalg.pinv(A, rcond=1e-8) @ off)
        return tuple(tuple(row.tolist()) for row in np.split(flat, cuts))

    def check_conserved(self, rows):
        """Refuse functions that no combination of terms conserves.

        Parameters
        ----------
        rows : list of list of Term
            Terms of each equation.

        Raises
        ------
        ValueError
            If there is one.
        """
        rows = [list({term.form.text: term for term in row}.values()) for row in rows]
        few = [[term for term in row if term.form.cost <= _CHEAP] for row in rows]
        for text in self.conserved:
            # Most laws need only a few terms, and these take little time.
            if not (self.can_conserve(text, few) or self.can_conserve(text, rows)):
                raise ValueError(
                    f"conserved={text!r}: no combination of the allowed terms conserves it, unless "
                    "states in it stand still. Allow more families or a higher degree, or drop it."
                )

    def can_conserve(self, text, rows):
        """Whether there are combinations of terms that conserve a function and let states move.

        Parameters
        ----------
        text : str
            The function.
        rows : list of list of Term
            Terms of each equation.

        Returns
        -------
        bool
            True also where there are too many terms to find out.
        """
        n = sum(map(len, rows))
        if n > _MOST:
            return True
        points = self._anywhere(np.random.default_rng(1), n + 16)
        slopes = self._derivatives(text, points)
        moving = np.flatnonzero(slopes.any(axis=1))
        owner = np.array([i for i in moving for _ in rows[i]])
        columns = [slopes[i] * evaluate(term, list(points)) for i in moving for term in rows[i]]
        if set(owner) < set(moving):
            return False
        A = np.stack(columns, axis=1)
        size = np.linalg.norm(A, axis=0)
        known = np.isfinite(size) & (size > 0.0)
        _, values, vectors = np.linalg.svd(A[:, known] / size[known])
        free = vectors[np.sum(values > 1e-9 * values[0]) :]
        return all(np.linalg.norm(free[:, owner[known] == i]) > 1e-6 for i in moving)


def _sum(terms, coefficients, columns):
    total = np.zeros(columns.shape[1])
    for term, c in zip(terms, coefficients, strict=True):
        total += c * evaluate(term, list(columns))
    return total


def _field(equations, coefficients, columns):
    pairs = zip(equations, coefficients, strict=True)
    return np.stack([_sum(terms, coefs, columns) for terms, coefs in pairs])
