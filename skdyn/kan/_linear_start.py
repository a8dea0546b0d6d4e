"""A network that begins as the best linear one."""

import torch

from skdyn.kan._layer import through

__all__ = ["ridge", "start_linear"]

_PENALTIES = torch.logspace(-6, 4, 41, dtype=torch.float64)  # of squares of slopes, a row
_ROWS = 2**14  # taken at once
_SPARE = 0.1  # of the rows: with fewer left over, nothing is known of the error
_SHRUNK = 1.0 / 3  # of what other nodes are drawn with: they begin beside the line


def ridge(X, y, weight):
    """Fit linear functions, with the penalty that generalized cross-validation chooses [1]_.

    Parameters
    ----------
    X : Tensor of shape (n, n_features)
        Inputs.
    y : Tensor of shape (n, n_targets)
        Targets.
    weight : Tensor of shape (n,)
        Weights of the rows, of mean one.

    Returns
    -------
    slopes : Tensor of shape (n_features, n_targets)
    intercept : Tensor of shape (n_targets,)

    References
    ----------
    .. [1] G. H. Golub, M. Heath, G. Wahba, "Generalized Cross-Validation as a Method for Choosing a
       Good Ridge Parameter", Technometrics 21, 1979.
    """
    n = len(X)
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
    penalties = n * _PENALTIES.to(X.device)
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


@torch.no_grad()
def start_linear(module, X, y, weight):
    """Let the first nodes of each layer hand on linear functions of the inputs, in place.

    Nothing is added to the network: the edges of these nodes are straight at first.

    Parameters
    ----------
    module : KAN
        The network, its grids where the inputs are.
    X : Tensor of shape (n, n_features)
        Inputs.
    y : Tensor of shape (n, n_outputs)
        What the outputs should be.
    weight : Tensor of shape (n,)
        Weights of the rows.

    Returns
    -------
    bool
        Whether there was room: a hidden layer needs as many sums as there are outputs.
    """
    n_outputs = y.shape[1]
    if any(layer.n_sum < n_outputs for layer in module.layers):
        return False
    levels, columns = module.layers[0].levels, X
    if levels is not None:
        columns = torch.cat([levels.numbers(X), levels.indicators(X)], dim=1)
    slopes, intercept = ridge(columns, y, weight)
    slopes, of_levels = slopes.split([X.shape[1], columns.shape[1] - X.shape[1]])
    for depth, layer in enumerate(module.layers):
        layer.adapt(X, weight)
        mesh = layer.basis.mesh()
        line = layer.basis.fit(mesh, mesh[..., None])[..., 0].to(layer.weight)
        straight = slopes if depth == 0 else torch.eye(layer.n_in, n_outputs)
        is_last = depth == len(module.layers) - 1
        if is_last and depth:
            layer.weight *= _SHRUNK
        layer.weight[..., :n_outputs] *= is_last and depth > 0
        layer.weight[: n_outputs if depth else None, :, :n_outputs] = 0
        layer.weight[:, :-1, :n_outputs] += line[..., None] * straight[:, None].to(line)
        if layer.levels is not None:
            layer.levels.value[:, :n_outputs] = of_levels
        layer.bias[:n_outputs] = intercept.to(layer.bias) if depth == 0 else 0
        X = through(layer, X)
    return True
