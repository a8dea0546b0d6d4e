"""A network that begins as the best linear one."""

import torch

from skdyn.kan._layer import through
from skdyn.training import ridge

__all__ = ["start_linear"]

_SHRUNK = 1.0 / 3  # of what other nodes are drawn with: they begin beside the line


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
        How many rows each row stands for.

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
