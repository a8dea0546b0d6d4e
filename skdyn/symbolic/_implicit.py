"""Rational right-hand sides from implicit equations."""

from typing import NamedTuple

import numpy as np

from skdyn._validation import clone
from skdyn.symbolic._coefficients import standard_errors

__all__ = ["Rational", "fit_rational", "rational_errors"]

# A denominator that shrinks to this share of its largest value counts as vanishing.
_SMALLEST = 1e-6
_N_BLOCKS, _HELD_OUT = 20, 5  # every fifth of so many blocks of rows is held out
# A term must lower the squared error on rows held out by a quarter. That is much to ask, as errors
# of derivatives are systematic: they would pay for terms that an information criterion takes in.
_GAIN = -np.log(0.75)
_PRECISE = 1e-4  # relative error of derivatives below which there is nothing to gain


class Rational(NamedTuple):
    """A right-hand side ``N / (1 + D)``.

    Attributes
    ----------
    numerator : ndarray of shape (n_terms,)
        Coefficients of N.
    denominator : ndarray of shape (n_denominator_terms,)
        Coefficients of D.
    """

    numerator: np.ndarray
    denominator: np.ndarray

    def divisor(self, denominator_terms):
        """Return ``1 + D``."""
        return 1.0 + denominator_terms @ self.denominator

    def __call__(self, terms, denominator_terms):
        """Return ``N / (1 + D)``."""
        return terms @ self.numerator / self.divisor(denominator_terms)


def fit_rational(optimizer, terms, denominator_terms, target, name):
    """Find a sparse rational function, as SINDy-PI does.

    The equation ``target * (1 + D) = N`` is linear, and any of its terms can stand alone on the
    left: each is tried, as only for a true term the others add up to it with few coefficients.
    Every set of terms on the optimizer's way is a candidate. The one taken predicts rows that were
    held out best, with a price on each term.

    Parameters
    ----------
    optimizer : estimator
        Sparse linear regressor, not fitted.
    terms : ndarray of shape (n_samples, n_terms)
        Terms of the numerator.
    denominator_terms : ndarray of shape (n_samples, n_denominator_terms)
        Terms of the denominator beside the one.
    target : ndarray of shape (n_samples,)
        Derivatives.
    name : str
        Of the target, for messages.

    Returns
    -------
    Rational

    Raises
    ------
    ValueError
        If every candidate has a denominator with a zero within the data.
    """
    p = terms.shape[1]
    columns = np.hstack([terms, target[:, None], target[:, None] * denominator_terms])
    block = np.arange(len(target)) * _N_BLOCKS // len(target)
    held_out = block % _HELD_OUT == _HELD_OUT - 1

    def fitted(left, support, rows):
        """Fit a candidate; None if it is no function on the data."""
        weights = np.zeros(len(support))
        weights[support] = np.linalg.lstsq(columns[rows][:, support], columns[rows, left])[0]
        weights[left] = -1.0
        if weights[p] == 0.0:
            return None
        found = Rational(-weights[:p] / weights[p], weights[p + 1 :] / weights[p])
        divisor = found.divisor(denominator_terms)
        divisor *= np.sign(divisor[0])
        return found if divisor.min() > _SMALLEST * divisor.max() else None

    best, lowest = None, np.inf
    floor = max(_PRECISE**2 * np.mean(target**2), np.finfo(float).tiny)
    for left, support in _supports(optimizer, columns[~held_out]):
        tried, found = fitted(left, support, ~held_out), fitted(left, support, slice(None))
        if tried is not None and found is not None:
            errors = (target - tried(terms, denominator_terms))[held_out]
            score = np.log(np.mean(errors**2) + floor) + _GAIN * np.count_nonzero(support)
            if score < lowest:
                best, lowest = found, score
    if best is None:
        raise ValueError(
            f"No rational equation was found for {name} whose denominator keeps its sign over the "
            "data. Change the terms of implicit_library or feature_library, or the optimizer."
        )
    return best


def _supports(optimizer, columns):
    """Yield each term that is tried alone, with sets of others that add up to it, once each."""
    n = columns.shape[1]
    for left in range(n):
        rest = np.arange(n) != left
        fitted = clone(optimizer).fit(columns[:, rest], columns[:, left])
        path = np.reshape(getattr(fitted, "coef_path_", fitted.coef_), (-1, n - 1))
        for kept in np.unique(path != 0.0, axis=0):
            support = np.zeros(n, dtype=bool)
            support[rest] = kept
            yield left, support


def rational_errors(found, terms, denominator_terms, target):
    """Return standard errors of the coefficients of a rational function, linearised.

    Parameters
    ----------
    found : Rational
        The function.
    terms : ndarray of shape (n_samples, n_terms)
        Terms of the numerator.
    denominator_terms : ndarray of shape (n_samples, n_denominator_terms)
        Terms of the denominator beside the one.
    target : ndarray of shape (n_samples,)
        Derivatives.

    Returns
    -------
    Rational
        A standard error in place of each coefficient, zero where that is.
    """
    value = found(terms, denominator_terms)
    slopes = np.hstack([terms, -value[:, None] * denominator_terms])
    slopes /= found.divisor(denominator_terms)[:, None]
    kept = np.concatenate(found)[None] != 0.0
    errors = standard_errors(slopes, (target - value)[:, None], found=kept)[0]
    return Rational(errors[: terms.shape[1]], errors[terms.shape[1] :])
