"""What a fitted network says of its edges, and the smaller network that is left of it."""

import copy
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning

from skdyn._state import Shape
from skdyn._tabular import TabularEstimator
from skdyn._validation import check_is_fitted
from skdyn.exceptions import warn_user
from skdyn.kan._pruning import cut_edges, without_nodes
from skdyn.kan._scores import edge_means, node_quantiles, score_edges
from skdyn.training import seeded_rng

_ROWS = 4096  # at most, to score edges on


class Interpretation(TabularEstimator):
    """Scores of edges and inputs, and pruning, for estimators whose module is a KAN."""

    edge_scores_: list[Annotated[np.ndarray, Shape("_ _")]]
    feature_importances_: Annotated[np.ndarray, Shape("n_features_in_")]
    _edge_means: list[Annotated[np.ndarray, Shape("_ _")]]
    _node_quantiles: list[Annotated[np.ndarray, Shape("_ _")]]
    if TYPE_CHECKING:  # parameters of the estimators
        hidden_layer_sizes: Any
        lamb: Any

    def _look_back(self, task):
        like = next(self.module_.parameters())
        X, _, weight = task.training
        some = slice(None, None, -(-len(X) // _ROWS))  # every edge of every row is a large array
        X, weight = torch.as_tensor(X[some]).to(like), torch.as_tensor(weight[some]).to(like)
        with torch.no_grad():
            edges, nodes = score_edges(self.module_, X, weight)
            self._edge_means = _arrays(edge_means(self.module_, X, weight))
            self._node_quantiles = _arrays(node_quantiles(self.module_, X, weight))
        self.edge_scores_ = _arrays(edges)
        if not nodes[0].any() and self.lamb > 0:
            warn_user(
                f"lamb={self.lamb} left no edge that matters: the outputs are constants. Lower it.",
                ConvergenceWarning,
            )
        self.feature_importances_ = _shares(nodes[0].double().cpu().numpy())

    def edge_function(self, layer: int, i: int, j: int, x: np.ndarray) -> np.ndarray:
        """Evaluate one edge function.

        Parameters
        ----------
        layer : int
            The layer, the first is 0.
        i : int
            The input of the layer.
        j : int
            The subnode of the layer; the factors of its products come last, in pairs.
        x : ndarray of shape (n,)
            Points, in the units the layer sees: features are standardized.

        Returns
        -------
        ndarray of shape (n,)
            Values, float64.
        """
        check_is_fitted(self)
        self._check_edge(layer, i, j)
        x = np.asarray(x, dtype=np.float64)
        module = self._module_for(np.dtype("float64")).layers[layer]
        inputs = torch.as_tensor(x)[:, None].repeat(1, module.n_in)
        with torch.inference_mode():
            like = next(module.parameters())
            return module.edges(inputs.to(like))[:, i, j].double().cpu().numpy()

    def prune(self, *, edge_threshold: float = 0.03, node_threshold: float = 0.01) -> Self:
        """Return a smaller fitted estimator without the edges and nodes that matter little.

        An edge that goes leaves its mean behind in the bias of its subnode. The result predicts,
        can be pruned again, and trains on from its weights with ``warm_start=True``; its
        ``hidden_layer_sizes`` are what is left.

        Parameters
        ----------
        edge_threshold : float, default=0.03
            Edges with a lower score go; all outputs of the network together have score one each.
        node_threshold : float, default=0.01
            Hidden nodes whose edges' scores add up to less go, with all their edges.

        Returns
        -------
        estimator : object
            A new fitted estimator; this one stays as it is.

        Raises
        ------
        ValueError
            If a layer would lose all its edges.
        """
        check_is_fitted(self)
        scores = [torch.as_tensor(score) for score in self.edge_scores_]
        keep = _edges_to_keep(self.module_, scores, edge_threshold, node_threshold)
        nodes = [_standing_nodes(layer, *pair) for layer, pair in
                 zip(self.module_.layers, zip(keep, [*keep[1:], None]))][:-1]  # fmt: skip
        pruned = copy.deepcopy(self)
        cut_edges(pruned.module_, keep, [torch.as_tensor(mean) for mean in self._edge_means])
        with seeded_rng(0):  # every weight drawn here is overwritten at once
            pruned.module_ = without_nodes(pruned.module_, nodes).requires_grad_(False).eval()
        pruned._module_config = pruned.module_.config()
        sizes = pruned._module_config["layer_sizes"][1:-1]
        pruned.hidden_layer_sizes = tuple(pair if pair[1] else pair[0] for pair in sizes)
        pruned._forget_nodes(keep, nodes)
        return pruned

    def _forget_nodes(self, keep, nodes):
        """Cut the fitted scores to the nodes that are left."""
        inputs = [torch.ones(self.n_features_in_, dtype=torch.bool), *nodes]
        kept = zip(inputs, [*nodes, torch.ones(self._n_outputs(), dtype=torch.bool)], strict=True)
        for depth, (rows, columns) in enumerate(kept):
            n_mult = self._edge_means[depth].shape[1] - len(columns)
            n_sum = len(columns) - n_mult
            columns = torch.cat([columns[:n_sum], columns[n_sum:].repeat_interleave(2)])
            cut = np.ix_(rows.numpy(), columns.numpy())
            self.edge_scores_[depth] = (self.edge_scores_[depth] * keep[depth].numpy())[cut]
            self._edge_means[depth] = (self._edge_means[depth] * keep[depth].numpy())[cut]
            self._node_quantiles[depth] = self._node_quantiles[depth][:, rows.numpy()]
        self.feature_importances_ = _shares(self.edge_scores_[0].sum(axis=1))

    def _check_edge(self, layer, i, j):
        layers = self.module_.layers
        if not 0 <= layer < len(layers):
            raise ValueError(f"layer={layer} does not exist; the network has {len(layers)} layers.")
        n_in, n_subnodes = layers[layer].n_in, layers[layer].n_subnodes
        if not (0 <= i < n_in and 0 <= j < n_subnodes):
            raise ValueError(
                f"Layer {layer} has {n_in} inputs (i) and {n_subnodes} subnodes (j); got i={i}, "
                f"j={j}."
            )


def _arrays(tensors):
    return [tensor.double().cpu().numpy() for tensor in tensors]


def _shares(scores):
    total = scores.sum()
    return scores / total if total > 0 else np.full_like(scores, 1 / len(scores))


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
