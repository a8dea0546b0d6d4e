"""How much each edge, node and input contributes to the outputs."""

import torch

from skdyn.kan._objective import edge_sizes, row_shares
from skdyn.kan.bases._range import weighted_quantiles

_NOTHING = 1e-2  # standard deviation, for targets of one, of an output that says nothing
_LEVELS = 65  # quantiles kept of each node


def score_edges(module, X, weight=None):
    """Share out each output's score over the edges behind it (Liu et al. 2024, KAN 2.0).

    A subnode passes its score on to its edges in proportion to the part of its own standard
    deviation that theirs is; a factor has the score of its product. Outputs count alike; one
    that is constant does not count.

    Parameters
    ----------
    module : KAN
        The network.
    X : Tensor of shape (n, n_features)
        Data.
    weight : Tensor of shape (n,), default=None
        Weights of the rows.

    Returns
    -------
    edges : list of Tensor of shape (n_in, n_subnodes)
        Score of each edge, layer by layer.
    nodes : list of Tensor of shape (n_in,)
        Score of each layer's inputs, the network's inputs first.
    """
    edges, nodes = [], []
    score = None
    seen = module.inputs(X)
    for layer, x in zip(module.layers[::-1], seen[::-1], strict=True):
        if score is None:
            score = (spread(layer(x), weight) > _NOTHING).to(X.dtype)
        size = edge_sizes(layer, x, weight) * layer.standing()
        whole = spread(layer.subnodes(x), weight).clamp(min=1e-12)
        factors = score[layer.n_sum :].repeat_interleave(2)
        of_subnode = torch.cat([score[: layer.n_sum], factors])
        edges.append(size / whole * of_subnode)
        score = edges[-1].sum(dim=1)
        nodes.append(score)
    return edges[::-1], nodes[::-1]


def spread(values, weight=None):
    """Return the standard deviation of each column.

    Parameters
    ----------
    values : Tensor of shape (n, m)
        Data.
    weight : Tensor of shape (n,), default=None
        Weights of the rows.

    Returns
    -------
    Tensor of shape (m,)
    """
    share = row_shares(values, weight)
    centered = values - share @ values
    return (share @ centered.square()).sqrt()


def node_quantiles(module, X, weight=None):
    """Return where the inputs of each layer lie.

    Parameters
    ----------
    module : KAN
        The network.
    X : Tensor of shape (n, n_features)
        Data.
    weight : Tensor of shape (n,), default=None
        Weights of the rows.

    Returns
    -------
    list of Tensor of shape (65, n_in)
        Evenly spaced quantiles, extremes included.
    """
    levels = torch.linspace(0, 1, _LEVELS, dtype=torch.float64)
    seen, first = module.inputs(X), module.layers[0].levels
    if first is not None:
        seen[0] = torch.where(first.is_category, seen[0], first.observed(seen[0]))
    return [weighted_quantiles(x, levels, weight) for x in seen]


def edge_means(module, X, weight=None):
    """Return the mean of each edge function over the data.

    Parameters
    ----------
    module : KAN
        The network.
    X : Tensor of shape (n, n_features)
        Data.
    weight : Tensor of shape (n,), default=None
        Weights of the rows.

    Returns
    -------
    list of Tensor of shape (n_in, n_subnodes)
    """
    share = row_shares(X, weight)
    pairs = zip(module.layers, module.inputs(X), strict=True)
    return [torch.einsum("n,nij->ij", share, layer.edges(x)) for layer, x in pairs]
