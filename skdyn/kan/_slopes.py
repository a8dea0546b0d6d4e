"""Derivatives of what a network predicts by what it is given."""

import copy

import numpy as np
import torch

__all__ = ["network_slopes"]

_ROWS = 4096  # at a time: every edge of every row is a large array


def network_slopes(module, Z):
    """Return the derivative of each output by each input, exact but for rounding.

    Parameters
    ----------
    module : KAN
        The network.
    Z : ndarray of shape (n, n_features)
        Inputs, as the network sees them.

    Returns
    -------
    ndarray of shape (n, n_outputs, n_features)
        float64. At the ends of the range, where a function may turn, that of one side.
    """
    module = copy.deepcopy(module).double().requires_grad_(False)
    like = next(module.parameters())
    blocks = []
    for part in torch.from_numpy(Z.astype(np.float64)).split(_ROWS):
        x = part.to(like).requires_grad_()
        with torch.enable_grad():
            outputs = module(x)
            slopes = [
                torch.autograd.grad(output.sum(), x, retain_graph=True)[0]
                for output in outputs.unbind(dim=1)
            ]
        blocks.append(torch.stack(slopes, dim=1).cpu())
    return torch.cat(blocks).numpy()
