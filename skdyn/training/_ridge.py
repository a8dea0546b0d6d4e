"""Linear functions of many columns, fitted to some rows at a time."""

import math

import torch

__all__ = ["ridge"]

_LARGEST = 4  # power of ten of the largest penalty on squares of slopes, a row
_A_DECADE = 4  # penalties that are tried in each
_ROWS = 2**14  # taken at once
_SPARE = 0.1  # of the rows: with fewer left over, nothing is known of the error


def ridge(
    X: torch.Tensor, y: torch.Tensor, weight: torch.Tensor, least: float = 1e-6
) -> tuple[torch.Tensor, torch.Tensor]:
    """Fit linear functions, with the penalty that generalized cross-validation chooses [1]_.

    Parameters
    ----------
    X : Tensor of shape (n, n_features)
        Inputs.
    y : Tensor of shape (n, n_targets)
        Targets.
    weight : Tensor of shape (n,)
        How many rows each row stands for; if less than one each in sum, the rows count as they are.
    least : float, default=1e-6
        Smallest penalty on squares of slopes, a row; the columns have variances of about one.

    Returns
    -------
    slopes : Tensor of shape (n_features, n_targets)
    intercept : Tensor of shape (n_targets,)

    References
    ----------
    .. [1] G. H. Golub, M. Heath, G. Wahba, "Generalized Cross-Validation as a Method for Choosing a
       Good Ridge Parameter", Technometrics 21, 1979.
    """
    n = max(float(weight.sum()), int((weight > 0).sum()))
    share = (weight / weight.sum()).double()
    parts = list(zip(*(part.split(_ROWS) for part in (X, y, share)), strict=True))
    means, middle = (
        sum(part[-1] @ part[i].double() for part in parts) for i in range(2)
    )  # some rows at a time: a copy in float64 would be as large as the data
    squares, products, power = 0.0, 0.0, 0.0
    for some, targets, shares in parts:
        root = (n * shares).sqrt()[:, None]
        rows, targets = root * (some.double() - means), root * (targets.double() - middle)
        squares, products = squares + rows.T @ rows, products + rows.T @ targets
        power = power + targets.square().sum()
    sizes, axes = torch.linalg.eigh(squares)
    sizes = sizes.clamp(min=0)
    along = axes.T @ products
    n_penalties = round(_A_DECADE * (_LARGEST - math.log10(least))) + 1
    penalties = torch.logspace(math.log10(least), _LARGEST, n_penalties, dtype=torch.float64)
    penalties = n * penalties.to(X.device)
    # Of all penalties at once: what the fit explains, and how many slopes it takes for that.
    kept = sizes / (sizes + penalties[:, None])
    seen = sizes > 1e-10 * sizes[-1].clamp(min=1e-300)
    explained = torch.where(seen, along.square().sum(dim=1) / sizes.clamp(min=1e-300), 0.0)
    left = (power - (kept * (2 - kept)) @ explained).clamp(min=0)
    spare = n - 1 - kept.sum(dim=1)
    error = torch.where(spare > _SPARE * n, left / spare.square(), torch.inf)
    best = penalties[error.argmin()]  # of no spare rows, the first: then there is hardly a row
    slopes = axes @ (along / (sizes + best)[:, None])
    return slopes, middle - means @ slopes
