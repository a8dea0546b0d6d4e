"""How large the weights of a basis may be at first."""

import torch


@torch.no_grad()
def unit_scale(basis):
    """Return the standard deviation of weights that give an edge variance one over its range.

    Parameters
    ----------
    basis : Basis
        The basis.

    Returns
    -------
    float
        A scale s: with weights from N(0, s^2), an edge's values at points spread evenly over the
        range have variance one in the mean.
    """
    if basis.low.is_meta:  # a skeleton, of which only the shapes are asked
        return 1.0
    nodes = torch.linspace(0, 1, 8 * basis.n_functions + 1).to(basis.low)[:, None]
    values = basis(basis.low + (basis.high - basis.low) * nodes)[:, 0]
    # A single spline of order zero is constant; any scale will do.
    return values.var(dim=0).sum().clamp(min=1e-3).rsqrt().item()
