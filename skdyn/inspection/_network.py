"""Networks with functions on their edges, as displays read them: layer by layer."""

from typing import Any, NamedTuple

import numpy as np

from skdyn._validation import check_is_fitted

__all__ = [
    "EdgeLayer",
    "check_network",
    "edge_layers",
    "input_names",
    "node_inputs",
    "output_names",
]


class EdgeLayer(NamedTuple):
    """The edges of one layer that stand.

    Attributes
    ----------
    edges : ndarray of shape (n_edges, 2)
        Input and subnode of each edge.
    scores : ndarray of shape (n_edges,)
        Their scores.
    x, values : ndarray of shape (n_edges, n_points)
        Points over the range of the data, and the edge functions there.
    functions : list of str or None
        Names of the edges in closed form; None for the others.
    n_in, n_sum, n_mult : int
        Inputs, outputs that are sums, and outputs that are products of two further sums.
    """

    edges: np.ndarray
    scores: np.ndarray
    x: np.ndarray
    values: np.ndarray
    functions: list
    n_in: int
    n_sum: int
    n_mult: int


def check_network(estimator: Any) -> None:
    """Refuse what is no fitted network with functions on its edges.

    Parameters
    ----------
    estimator : object
        What the user passed.

    Raises
    ------
    ValueError
        If it has no edge functions.
    NotFittedError
        If it is not fitted.
    """
    if not hasattr(estimator, "edge_function"):
        raise ValueError(
            f"{type(estimator).__name__} has no edge functions to draw. Pass a fitted "
            "KANRegressor or KANClassifier, or a pipeline or search of one."
        )
    check_is_fitted(estimator)


def edge_layers(estimator: Any, n_points: int) -> list[EdgeLayer]:
    """Evaluate every edge of a network that stands, over the range of its data.

    Parameters
    ----------
    estimator : estimator
        Fitted, with ``edge_function``.
    n_points : int
        Points on each edge.

    Returns
    -------
    list of EdgeLayer
    """
    layers = []
    described = zip(
        estimator.module_.layers, estimator.edge_scores_, estimator._node_quantiles, strict=True
    )
    for depth, (layer, scores, quantiles) in enumerate(described):
        edges = np.argwhere(layer.standing().cpu().numpy())
        x = np.linspace(quantiles[0], quantiles[-1], n_points, axis=1)[edges[:, 0]]
        values = [
            estimator.edge_function(depth, i, j, points)
            for (i, j), points in zip(edges, x, strict=True)
        ]
        functions = [
            layer.symbolic[f"{i}_{j}"].name if f"{i}_{j}" in layer.symbolic else None
            for i, j in edges
        ]
        layers.append(
            EdgeLayer(
                edges, scores[tuple(edges.T)], x, np.array(values).reshape(x.shape), functions,
                layer.n_in, layer.n_sum, layer.n_mult,
            )
        )  # fmt: skip
    return layers


def node_inputs(estimator: Any, layer: int, i: int, X: Any = None) -> np.ndarray:
    """Return what one input of a layer gets to see.

    Parameters
    ----------
    estimator : estimator
        Fitted, with ``edge_function``.
    layer, i : int
        The layer, and its input.
    X : array-like of shape (n_samples, n_features) or None, default=None
        Data; None takes the quantiles of the training data.

    Returns
    -------
    ndarray of shape (n,)
        In the units the layer sees.
    """
    import torch

    if X is None:
        return estimator._node_quantiles[layer][:, i]
    X = estimator._read(X).astype(np.float64)
    module = estimator._module_for(X.dtype)
    with torch.inference_mode():
        X = torch.as_tensor(estimator._scaled(X)).to(next(module.parameters()))
        seen = module.inputs(X)[layer][:, i].double().cpu().numpy()
    return seen[~np.isnan(seen)]  # of a feature, what is not missing


def input_names(estimator: Any, feature_names: Any = None) -> list[str]:
    """Return what the features are called: as told, as in training, or x0, x1, ...

    Parameters
    ----------
    estimator : estimator
        Fitted.
    feature_names : sequence of str or None, default=None
        What the user passed.

    Returns
    -------
    list of str

    Raises
    ------
    ValueError
        If the number of names is another.
    """
    n_features = estimator.n_features_in_
    if feature_names is None:
        numbered = [f"x{i}" for i in range(n_features)]
        feature_names = getattr(estimator, "feature_names_in_", numbered)
    if len(feature_names) != n_features:
        raise ValueError(
            f"feature_names holds {len(feature_names)} names; the estimator was fitted on "
            f"{n_features} features."
        )
    return [str(name) for name in feature_names]


def output_names(estimator: Any, n_outputs: int) -> list[str]:
    """Return what the outputs are called: the classes, y, or y0, y1, ...

    Parameters
    ----------
    estimator : estimator
        Fitted.
    n_outputs : int
        How many there are.

    Returns
    -------
    list of str
    """
    if hasattr(estimator, "classes_"):
        return [str(label) for label in estimator.classes_]
    return ["y"] if n_outputs == 1 else [f"y{k}" for k in range(n_outputs)]
