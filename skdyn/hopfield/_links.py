"""From what is recalled to answers: how they are solved for, and how sure they may be."""

from typing import NamedTuple

import numpy as np

from skdyn.hopfield._logistic import logistic, softmax

__all__ = ["LogLoss", "SquaredError", "Tempered"]

_STEPS = (6,)  # of each factorization
_MORE_STEPS = (4,)  # the same, from the values of another ridge
_COOLINGS = 2.0 ** np.arange(-4, 2.5, 0.5)
_N_MATCHINGS = 8
_FAINT = 1 / 64  # what is kept where nothing is told: the order
_N_CHOSEN = 2  # numbers, each of which must gain the logarithm of the number of rows


class Tempered(NamedTuple):
    """How sure answers may be.

    Attributes
    ----------
    cooling : float
        What they are multiplied by.
    offsets : ndarray of shape (n_values,)
        What is added.
    loss : float
        The loss of the result.
    """

    cooling: float
    offsets: np.ndarray
    loss: float


class LogLoss:
    """Classes: answers are log-odds, and the loss is the log-loss.

    Parameters
    ----------
    prior : ndarray of shape (n_classes,)
        Class frequencies; zero for classes that are only announced.
    """

    ridges = (3.0, 0.6, 0.12, 0.025, 0.005, 0.001, 0.0002)
    middle = 2  # of the ridges: where a search begins
    dtype = "float32"  # in which it is made

    def __init__(self, prior: np.ndarray) -> None:
        self.prior = prior
        self.offsets = np.log(np.maximum(prior, 1e-12))

    def solve(self, factored, K, values, mass, ridge, a=None):
        """Return values by logistic regression.

        Parameters
        ----------
        factored : callable
            ``factored(weight)`` returns what solves the equations of rows with these weights.
        K : ndarray of shape (n_rows, n_centers)
            Kernel.
        values : ndarray of shape (n_rows, n_classes)
            Ones where a row is of a class.
        mass : ndarray of shape (n_rows,)
            Weights of the rows.
        ridge : float
            That of the equations.
        a : ndarray of shape (n_centers, n_classes) or None, default=None
            Values to begin from.

        Returns
        -------
        ndarray of shape (n_centers, n_classes)
        """
        steps = _STEPS if a is None else _MORE_STEPS
        offsets = self.offsets.astype(K.dtype)
        return logistic(factored, K, values, mass, offsets, ridge, steps, a)

    def tempered(self, F, values, mass):
        """Return the cooling and the offsets of the least loss.

        Parameters
        ----------
        F, values : ndarray of shape (n_rows, n_classes)
            Answers to rows that were not learned from, and what is right.
        mass : ndarray of shape (n_rows,)
            Weights of the rows.

        Returns
        -------
        Tempered
        """
        share = mass / mass.sum()
        F, right = np.asfortranarray(F), values.astype(bool)

        def loss_of(p):
            return float(-(share @ np.log(np.maximum(p[right], 1e-300))))

        losses = [loss_of(softmax(cooling * F + self.offsets)) for cooling in _COOLINGS]
        each = [Tempered(0.0, self.offsets, self.trivial_loss(values, mass))]
        each += [Tempered(cooling, self.offsets, loss) for cooling, loss in zip(_COOLINGS, losses)]
        near = min(range(1, len(each)), key=lambda i: each[i].loss)
        for cooling, offsets, _ in each[max(near - 1, 1) : near + 2]:
            offsets, p = self._matched(cooling * F, share, share @ values)
            each.append(Tempered(cooling, offsets, loss_of(p)))
        best = min(each, key=lambda tempered: tempered.loss)
        trivial = each[0].loss
        return best if self.tells(best.loss, trivial, len(F)) else self.faint(trivial)

    def tells(self, loss, trivial, n_rows):
        """Tell whether answers gain more than chance does by the numbers that were chosen.

        Parameters
        ----------
        loss, trivial : float
            Of the answers, and of the class frequencies.
        n_rows : int
            Rows that told.

        Returns
        -------
        bool
        """
        return n_rows * (trivial - loss) >= _N_CHOSEN * np.log(n_rows)

    def faint(self, trivial):
        """Return how sure answers may be that tell nothing.

        Parameters
        ----------
        trivial : float
            Loss of the class frequencies.

        Returns
        -------
        Tempered
        """
        return Tempered(_FAINT, self.offsets, trivial)

    def _matched(self, F, share, wanted):
        """Return offsets with which a class is told as often as it is right, and probabilities."""
        few, offsets, p = 1 / len(F), self.offsets, softmax(F + self.offsets)
        for _ in range(_N_MATCHINGS):
            offsets = offsets + np.log((wanted + few) / (share @ p + few))
            p = softmax(F + offsets)
        return offsets, p

    def trivial_loss(self, values, mass):
        """Return the loss of the class frequencies.

        Parameters
        ----------
        values, mass : ndarray
            See :meth:`tempered`.

        Returns
        -------
        float
        """
        return float(-(mass / mass.sum()) @ (values @ self.offsets))

    def folds(self, values, n_folds):
        """Return the fold of each row, with its share of each class.

        Parameters
        ----------
        values : ndarray of shape (n_rows, n_classes)
            Ones where a row is of a class.
        n_folds : int
            How many.

        Returns
        -------
        ndarray of int of shape (n_rows,)
        """
        fold = np.empty(len(values), dtype=int)
        fold[np.argsort(values.argmax(axis=1), kind="stable")] = np.arange(len(values)) % n_folds
        return fold


class SquaredError:
    """Numbers of mean zero and variance one, and the mean of their squared errors.

    Parameters
    ----------
    n_values : int
        How many numbers a row has.
    """

    ridges = (10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 1e-3, 1e-5)
    middle = 4  # of the ridges: where a search begins
    dtype = "float64"  # in which it is made: errors may be as small as they come

    def __init__(self, n_values: int) -> None:
        self.offsets = np.zeros(n_values)

    def solve(self, factored, K, values, mass, ridge, a=None):
        """Return values of ridge regression.

        Parameters
        ----------
        factored : callable
            ``factored(weight)`` returns what solves the equations of rows with these weights.
        K : ndarray of shape (n_rows, n_centers)
            Kernel.
        values : ndarray of shape (n_rows, n_values)
            What is right.
        mass : ndarray of shape (n_rows,)
            Weights of the rows.
        ridge, a : object, default=None
            Nothing: there is one solution, of the equations.

        Returns
        -------
        ndarray of shape (n_centers, n_values)
        """
        return factored(mass / mass.mean())(values)

    def tempered(self, F, values, mass):
        """Return the cooling of the least loss; there are no offsets.

        Parameters
        ----------
        F, values : ndarray of shape (n_rows, n_values)
            Answers to rows that were not learned from, and what is right.
        mass : ndarray of shape (n_rows,)
            Weights of the rows.

        Returns
        -------
        Tempered
        """
        weight = mass[:, None]
        size = (weight * F**2).sum()
        cooling = float(((weight * F * values).sum() / size).clip(0, 1)) if size > 0 else 0.0
        loss, trivial = self._loss(cooling * F, values, mass), self.trivial_loss(values, mass)
        if self.tells(loss, trivial, len(F)):
            return Tempered(cooling, self.offsets, loss)
        return self.faint(trivial)

    def tells(self, loss, trivial, n_rows):
        """Tell whether answers gain more than chance does by the numbers that were chosen.

        Parameters
        ----------
        loss, trivial : float
            Of the answers, and of the mean.
        n_rows : int
            Rows that told.

        Returns
        -------
        bool
        """
        # Half the logarithm of the ratio is the gain of a row, where errors are normal.
        gain = np.log(max(trivial, 1e-300) / max(loss, 1e-300)) / 2
        return n_rows * gain >= _N_CHOSEN * np.log(n_rows)

    def faint(self, trivial):
        """Return how sure answers may be that tell nothing.

        Parameters
        ----------
        trivial : float
            Loss of the mean.

        Returns
        -------
        Tempered
        """
        return Tempered(0.0, self.offsets, trivial)

    def trivial_loss(self, values, mass):
        """Return the loss of the mean.

        Parameters
        ----------
        values, mass : ndarray
            See :meth:`tempered`.

        Returns
        -------
        float
        """
        return self._loss(np.zeros_like(values), values, mass)

    def folds(self, values, n_folds):
        """Return the fold of each row.

        Parameters
        ----------
        values : ndarray of shape (n_rows, n_values)
            What is right.
        n_folds : int
            How many.

        Returns
        -------
        ndarray of int of shape (n_rows,)
        """
        return np.arange(len(values)) % n_folds

    @staticmethod
    def _loss(F, values, mass):
        return float((mass / mass.sum()) @ np.square(F - values).mean(axis=1))
