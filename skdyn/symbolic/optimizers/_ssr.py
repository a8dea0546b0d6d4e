"""Stepwise sparse regression."""

import numpy as np
import scipy.linalg

from skdyn._validation import StrOptions
from skdyn.symbolic.optimizers._sparse_optimizer import least_ridge, with_ridge
from skdyn.symbolic.optimizers._stepwise import StepwiseOptimizer

__all__ = ["SSR"]


def backward_order(A: np.ndarray, b: np.ndarray, elimination: str) -> np.ndarray:
    """Rank columns by how late they are dropped from the fit with all.

    Parameters
    ----------
    A : ndarray of shape (n_rows, n_features)
        Terms.
    b : ndarray of shape (n_rows,)
        Target.
    elimination : {"coefficient", "residual"}
        Drop the smallest coefficient, or the term that adds least to the squared error.

    Returns
    -------
    ndarray of shape (n_features,), int
        Columns, most useful first.
    """
    A, B = with_ridge(A, b[:, None], least_ridge(A))
    kept = np.arange(A.shape[1])
    dropped = []
    while kept.size:
        Q, R = np.linalg.qr(A[:, kept])
        inverse = scipy.linalg.solve_triangular(R, np.eye(len(kept)))
        cost = np.abs(inverse @ (Q.T @ B[:, 0]))
        if elimination == "residual":
            # The squared error rises by x_j^2 / (A'A)^-1_jj.
            cost /= np.linalg.norm(inverse, axis=1)
        elif elimination != "coefficient":
            raise ValueError(f"elimination={elimination!r} is none of 'coefficient', 'residual'.")
        least = np.argmin(cost)
        dropped.append(kept[least])
        kept = np.delete(kept, least)
    return np.array(dropped[::-1], dtype=int)


class SSR(StepwiseOptimizer):
    """Sparse regressor that fits all terms and drops the least useful, one after the other.

    Stepwise sparse regression [1]_: of the least squares fit of those left, the term with the
    smallest coefficient goes, or the one without which the squared error rises least.

    Parameters
    ----------
    n_terms : int or None, default=None
        Number of terms of each equation at most; None lets ``criterion`` choose.
    criterion : {"aic", "aicc", "bic"}, default="bic"
        Information criterion that chooses the number of terms; it takes the errors of the samples
        to be independent.
    elimination : {"coefficient", "residual"}, default="residual"
        What the next term to drop has least of. "coefficient" is [1]_ and depends on the scale
        of the terms.
    normalize_columns : bool, default=False
        Whether coefficients are compared as those of columns of length one.

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
    FROLS : Goes the other way, from no term.
    MIOSR : The best subset of a given size.

    References
    ----------
    .. [1] L. Boninsegna, F. Nueske, C. Clementi, "Sparse learning of stochastic dynamical
       equations", Journal of Chemical Physics 148, 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn.symbolic.optimizers import SSR
    >>> A = np.random.default_rng(0).normal(size=(50, 4))
    >>> SSR().fit(A, 2 * A[:, 1] - A[:, 3]).coef_.round(3)
    array([ 0.,  2.,  0., -1.])
    """

    _parameter_constraints: dict = {
        **StepwiseOptimizer._parameter_constraints,
        "elimination": [StrOptions({"coefficient", "residual"})],
        "normalize_columns": ["boolean"],
    }

    def __init__(
        self,
        n_terms: int | None = None,
        *,
        criterion: str = "bic",
        elimination: str = "residual",
        normalize_columns: bool = False,
    ) -> None:
        self.n_terms = n_terms
        self.criterion = criterion
        self.elimination = elimination
        self.normalize_columns = normalize_columns

    def _order(self, A, b):
        return backward_order(A, b, self.elimination)
