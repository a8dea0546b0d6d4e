"""How much of what a network answers only two columns together can say."""

import copy
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from skdyn._blocks import in_blocks
from skdyn._validation import check_is_fitted
from skdyn.kan._columns import with_gaps_known

__all__ = ["interaction_scores", "meeting_columns"]


def interaction_scores(self: Any, X: ArrayLike, *, n_draws: int = 300) -> np.ndarray:
    """Score how far the effect of each column depends on each other one.

    The score is the share of the variance of the predictions in which both columns have a part
    that no sum of functions without one of them can have: a quarter of the mean square of

    .. math:: f(x) - f(x, x_i = z_i) - f(x, x_j = z_j) + f(x, x_i = z_i, x_j = z_j)

    over pairs of rows x and z, by the variance of f [1]_. Additive models have none. Columns are
    moved apart from each other, so that those that go together are asked where no data are.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Rows to compare, best the training data.
    n_draws : int, default=300
        Number of pairs of rows, drawn by ``random_state``.

    Returns
    -------
    ndarray of shape (n_features, n_features)
        Symmetric; zero on the diagonal, and exactly zero for columns that meet in no hidden node.
        Of several outputs together; a classifier's are its scores before they become
        probabilities.

    References
    ----------
    .. [1] R. Liu, A. B. Owen, "Estimating Mean Dimensionality of Analysis of Variance
       Decompositions", Journal of the American Statistical Association 101, 2006.
    """
    check_is_fitted(self)
    Z = self._scaled(self._read(X)).astype(np.float64)
    module: Any = copy.deepcopy(with_gaps_known(self, Z).module_).double()

    @torch.no_grad()
    def answers(rows):
        outputs = module(torch.from_numpy(rows).to(next(module.parameters()).device)).cpu().numpy()
        # A constant that all classes' scores share says nothing.
        return outputs - outputs.mean(axis=1, keepdims=True) if _has_classes(self) else outputs

    draw, n_features = check_random_state(self.random_state).randint, Z.shape[1]
    here, there = Z[draw(len(Z), size=n_draws)], Z[draw(len(Z), size=n_draws)]

    def changed(*columns):
        rows = here.copy()
        rows[:, columns] = there[:, columns]
        return answers(rows)

    variance = in_blocks(answers, Z).var(axis=0).sum()
    meets, scores = meeting_columns(module), np.zeros((n_features, n_features))
    asked = np.flatnonzero(meets.any(axis=1))
    base, alone = answers(here), {i: changed(i) for i in asked}
    for i, j in zip(*np.nonzero(np.triu(meets, 1)), strict=True):
        mixed = base - alone[i] - alone[j] + changed(i, j)
        share = 0.25 * np.square(mixed).mean(axis=0).sum() / (variance or 1.0)
        scores[i, j] = scores[j, i] = share
    return scores


def meeting_columns(module: Any) -> np.ndarray:
    """Tell which inputs meet in a hidden node, beyond which only sums are left.

    Parameters
    ----------
    module : KAN
        The network.

    Returns
    -------
    ndarray of shape (n_features, n_features), bool
    """
    reach = np.eye(module.layers[0].n_in, dtype=bool)
    meets = np.zeros_like(reach)
    for layer in module.layers[:-1]:
        subnodes = reach @ layer.standing().cpu().numpy()
        sums, factors = np.split(subnodes, [layer.n_sum], axis=1)
        reach = np.hstack([sums, factors[:, ::2] | factors[:, 1::2]])
        meets |= reach @ reach.T
    np.fill_diagonal(meets, False)
    return meets


def _has_classes(model):
    return hasattr(model, "classes_")
