"""Forward regression by orthogonal least squares."""

import numpy as np

from skdyn.symbolic.optimizers._stepwise import StepwiseOptimizer

__all__ = ["FROLS"]


def forward_order(A: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Rank columns by what each takes off the squared error after those before it.

    Parameters
    ----------
    A : ndarray of shape (n_rows, n_features)
        Terms.
    b : ndarray of shape (n_rows,)
        Target.

    Returns
    -------
    ndarray of shape (n_independent,), int
        Columns, most useful first.
    """
    W, residual = A.copy(), b.copy()
    tiny = 100 * np.finfo(float).eps * np.linalg.norm(A, axis=0)
    order = []
    while len(order) < min(A.shape):
        # W is A made orthogonal to the columns taken so far.
        length = np.linalg.norm(W, axis=0)
        left = length > tiny
        left[order] = False
        if not left.any():
            break
        reduction = np.full(len(length), -1.0)
        reduction[left] = np.abs(residual @ W[:, left]) / length[left]
        # Of equals the first, whatever their last digits.
        best = np.argmax(reduction >= reduction.max() * (1 - 1e-8))
        q = W[:, best] / length[best]
        W -= np.outer(q, q @ W)
        residual -= q * (q @ residual)
        order.append(best)
    return np.array(order, dtype=int)


class FROLS(StepwiseOptimizer):
    """Sparse regressor that takes in the most useful term, one after the other.

    With the terms made orthogonal to those already taken, w_j, the next one is that with the
    largest error reduction ratio [1]_

    .. math:: \\mathrm{ERR}_j = \\frac{(w_j \\cdot b)^2}{\\|w_j\\|^2 \\|b\\|^2}

    which does not depend on the scale of the terms.

    Parameters
    ----------
    n_terms : int or None, default=None
        Number of terms of each equation at most; None lets ``criterion`` choose.
    criterion : {"aic", "aicc", "bic"}, default="bic"
        Information criterion that chooses the number of terms; it takes the errors of the samples
        to be independent.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features,) or (n_targets, n_features)
        Coefficients.
    coef_path_ : ndarray of shape (n_sizes, n_targets, n_features)
        Coefficients of the models with 0, 1, 2, ... terms.
    intercept_ : float
        Zero: a constant is a term of the library.
    n_iter_ : int
        Number of models on the path.
    n_features_in_ : int
        Number of terms.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the terms, when all are strings.

    See Also
    --------
    SSR : Goes the other way, from all terms.
    MIOSR : The best subset of a given size.

    References
    ----------
    .. [1] S. A. Billings, "Nonlinear System Identification: NARMAX Methods in the Time,
       Frequency, and Spatio-Temporal Domains", Wiley, 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn.symbolic.optimizers import FROLS
    >>> A = np.random.default_rng(0).normal(size=(50, 4))
    >>> FROLS().fit(A, 2 * A[:, 1] - A[:, 3]).coef_.round(3)
    array([ 0.,  2.,  0., -1.])
    """

    def __init__(self, n_terms: int | None = None, *, criterion: str = "bic") -> None:
        self.n_terms = n_terms
        self.criterion = criterion

    def _order(self, A, b):
        return forward_order(A, b)
