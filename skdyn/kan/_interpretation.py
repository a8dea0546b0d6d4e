"""What a fitted network says of its edges, and the smaller network that is left of it."""

import copy

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning

from skdyn.exceptions import warn_user
from skdyn.kan._posterior import forget_posterior
from skdyn.kan._pruning import cut_edges, without_nodes
from skdyn.kan._scores import edge_means, node_quantiles, score_edges
from skdyn.training import seeded_rng

_ROWS = 4096  # at most, to score edges on


@torch.no_grad()
def look_at_edges(module, X, weight):
    """Return the scores of edges and of inputs, the means of edges, the quantiles of nodes."""
    like = next(module.parameters())
    some = slice(None, None, -(-len(X) // _ROWS))  # every edge of every row is a large array
    data = torch.as_tensor(X[some]).to(like), torch.as_tensor(weight[some]).to(like)
    edges, nodes = score_edges(module, *data)
    means, quantiles = edge_means(module, *data), node_quantiles(module, *data)
    return _arrays(edges), _arrays(nodes)[0], _arrays(means), _arrays(quantiles)


def look_back(model, task):
    """Keep what a fitted network says of its edges and inputs on its training data."""
    X, _, weight = task.training
    looked = look_at_edges(model.module_, X, weight)
    model.edge_scores_, of_inputs, model._edge_means, model._node_quantiles = looked
    if not of_inputs.any() and model.lamb > 0:
        warn_user(
            f"lamb={model.lamb} left no edge that matters: the outputs are constants. Lower it.",
            ConvergenceWarning,
        )
    model.feature_importances_ = shares(of_inputs)


def edge_values(module, layer, i, j, x):
    """Return the values of an edge function at some points."""
    module.check_edge(layer, i, j)
    x, module = np.asarray(x, dtype=np.float64), module.layers[layer]
    if layer == 0 and module.levels is not None and module.levels.is_category[i]:
        x = np.rint(x).clip(0, module.levels.code[module.levels.column == i].max().item())
    inputs = torch.as_tensor(x)[:, None].repeat(1, module.n_in)
    with torch.inference_mode():
        like = next(module.parameters())
        return module.edges(inputs.to(like))[:, i, j].double().cpu().numpy()


def shares(scores):
    """Return scores that add up to one, all alike where there are none."""
    total = scores.sum()
    return scores / total if total > 0 else np.full_like(scores, 1 / len(scores))


def pruned(model, edge_threshold, node_threshold):
    """Return a copy of an estimator without the edges and nodes that matter little."""
    scores = [torch.as_tensor(score) for score in model.edge_scores_]
    keep = _edges_to_keep(model.module_, scores, edge_threshold, node_threshold)
    nodes = [_standing_nodes(layer, *pair) for layer, pair in
             zip(model.module_.layers, zip(keep, [*keep[1:], None]))][:-1]  # fmt: skip
    smaller = copy.deepcopy(model)
    cut_edges(smaller.module_, keep, [torch.as_tensor(mean) for mean in model._edge_means])
    with seeded_rng(0):  # every weight drawn here is overwritten at once
        smaller.module_ = without_nodes(smaller.module_, nodes).requires_grad_(False).eval()
    smaller._module_config = smaller.module_.config()
    sizes = smaller._module_config["layer_sizes"][1:-1]
    smaller.hidden_layer_sizes = tuple(pair if pair[1] else pair[0] for pair in sizes)
    _forget_nodes(smaller, keep, nodes)
    forget_posterior(smaller)
    return smaller


def _forget_nodes(model, keep, nodes):
    """Cut the fitted scores to the nodes that are left."""
    inputs = [torch.ones(model.n_features_in_, dtype=torch.bool), *nodes]
    kept = zip(inputs, [*nodes, torch.ones(model._n_outputs(), dtype=torch.bool)], strict=True)
    for depth, (rows, columns) in enumerate(kept):
        n_mult = model._edge_means[depth].shape[1] - len(columns)
        n_sum = len(columns) - n_mult
        columns = torch.cat([columns[:n_sum], columns[n_sum:].repeat_interleave(2)])
        cut = np.ix_(rows.numpy(), columns.numpy())
        model.edge_scores_[depth] = (model.edge_scores_[depth] * keep[depth].numpy())[cut]
        model._edge_means[depth] = (model._edge_means[depth] * keep[depth].numpy())[cut]
        model._node_quantiles[depth] = model._node_quantiles[depth][:, rows.numpy()]
    model.feature_importances_ = shares(model.edge_scores_[0].sum(axis=1))


def _arrays(tensors):
    return [tensor.double().cpu().numpy() for tensor in tensors]


def _edges_to_keep(module, scores, edge_threshold, node_threshold):
    keep = [
        layer.standing().cpu() & (score >= edge_threshold)
        for layer, score in zip(module.layers, scores)
    ]
    for depth in range(len(keep) - 1):
        weak = (scores[depth + 1] * keep[depth + 1]).sum(dim=1) < node_threshold
        keep[depth + 1][weak] = False
    changed = True
    while changed:  # a node without edges on one side needs none on the other
        before = [edges.clone() for edges in keep]
        for depth, layer in enumerate(module.layers[:-1]):
            stays = _standing_nodes(layer, keep[depth], keep[depth + 1])
            subnodes = torch.cat([stays[: layer.n_sum], stays[layer.n_sum :].repeat_interleave(2)])
            keep[depth][:, ~subnodes] = False
            keep[depth + 1][~stays] = False
        changed = any((old != new).any() for old, new in zip(before, keep))
    if not all(edges.any() for edges in keep):
        raise ValueError(
            f"edge_threshold={edge_threshold} and node_threshold={node_threshold} leave no edge "
            "from the inputs to the outputs; lower them (edge_scores_ has the scores)."
        )
    return keep


def _standing_nodes(layer, entering, leaving):
    """Tell which nodes have an edge in and an edge out; a product needs one of its factors."""
    enter = entering.any(dim=0)
    factors = enter[layer.n_sum :].reshape(-1, 2).any(dim=1)
    enter = torch.cat([enter[: layer.n_sum], factors])
    return enter if leaving is None else enter & leaving.any(dim=1)
