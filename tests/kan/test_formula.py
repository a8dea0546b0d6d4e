"""From edges in closed form to a formula: the same numbers, no constant that another can be."""

import numpy as np
import pytest
import sympy
import torch

from skdyn.kan._constants import evaluate
from skdyn.kan._formula import LayerFormula, Scales, network_formula
from skdyn.kan._library import DEFAULT_LIBRARY, torch_function

NAMES = ["a", "b"]


def network(layers, X, scales):
    """Evaluate the layers one after another, straight from their definition."""
    nodes = (X - scales.x_offset) / scales.x_scale
    for layer in layers:
        sums = np.tile(np.asarray(layer.bias, dtype=float), (len(X), 1))
        for (i, j), (name, a, b, c, d) in layer.edges.items():
            value = torch_function(name)(torch.from_numpy(a * nodes[:, i] + b)).numpy()
            sums[:, j] += c * value + d
        factors = sums[:, layer.n_sum :]
        nodes = np.hstack([sums[:, : layer.n_sum], factors[:, ::2] * factors[:, 1::2]])
    return nodes * scales.y_scale + scales.y_offset


def constants(expression):
    return len([node for node in sympy.preorder_traversal(expression) if node.is_Float])


@pytest.mark.parametrize("name", [*DEFAULT_LIBRARY, "x*exp(-x)"])
def test_formula_equals_the_network_in_the_units_of_the_user(name):
    rng = np.random.default_rng(0)
    X = rng.uniform(1, 2, (30, 2))
    layers = [
        LayerFormula(
            {(0, 0): (name, 0.1, 0.3, 2.0, 0.5), (1, 0): ("sin", -2.0, 0.3, 0.7, 0.1),
             (0, 1): ("x", 1.0, 0.2, 3.0, 0.0), (1, 2): ("exp", 0.5, 1.0, 2.0, 0.1)},
            (0.1, 0.2, 0.3), 1, 1,
        ),
        LayerFormula({(0, 0): ("x^2", 1.5, 0.4, 2.0, 1.0), (1, 0): (name, 0.003, 0.4, -1.0, 0.0),
                      (1, 1): ("sqrt", 0.01, 3.0, 2.0, 0.0)}, (-0.2, 0.4), 2, 0),
    ]  # fmt: skip
    scales = Scales((0.5, 1.0), (2.0, 0.3), (10.0, -1.0), (3.0, 0.1))
    wanted = network(layers, X, scales)
    for output, expression in enumerate(network_formula(layers, NAMES, scales)):
        found = evaluate(expression, NAMES, X)
        np.testing.assert_allclose(found, wanted[:, output], rtol=1e-11)


@pytest.mark.parametrize(
    ("inner", "outer", "wanted"),
    [
        ("x", "x", 3),  # p a + q b + r
        ("x^2", "sqrt", 6),  # p sqrt((a + q)^2 + r (b + s)^2 + t) + u
        ("sin", "exp", 8),  # p exp(q sin(r a + s) + t sin(u b + v)) + w
        ("log", "exp", 6),  # p (a + q)^r (b + s)^t + u
        ("abs", "log", 6),
    ],
)
def test_no_constant_is_left_that_another_could_stand_in_for(inner, outer, wanted):
    affine = 1.3, 5.2, 0.7, 0.4
    layers = [
        LayerFormula({(0, 0): (inner, *affine), (1, 0): (inner, 1.7, 6.1, 1.2, 0.3)}, (0.2,), 1, 0),
        LayerFormula({(0, 0): (outer, *affine)}, (0.1,), 1, 0),
    ]
    (expression,) = network_formula(layers, NAMES)
    assert constants(expression) == wanted


def test_a_product_of_straight_edges_has_two_shifts_a_factor_and_a_shift_at_most():
    layers = [LayerFormula({(0, 0): ("x", 2, 3, 4, 5), (1, 1): ("x", 3, 4, 5, 6)}, (0.1, 0), 0, 1)]
    (expression,) = network_formula(layers, NAMES)
    assert constants(expression) == 3


def test_a_layer_without_edges_is_a_constant():
    layers = [
        LayerFormula({}, (2.0,), 1, 0),
        LayerFormula({(0, 0): ("exp", 1, 0, 1, 1)}, (0,), 1, 0),
    ]
    assert float(network_formula(layers, NAMES)[0]) == pytest.approx(np.exp(2) + 1)
