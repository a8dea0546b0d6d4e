"""Formulas as networks: the same values, whatever the formula."""

import numpy as np
import pytest
import sympy
import torch

from skdyn.kan._formula import Scales
from skdyn.kan._law_network import network_of
from skdyn.kan._network import KAN

A, B = sympy.symbols("a b", real=True)
FORMS = [
    "3", "a", "2*a - b + 1", "a*b", "a*exp(-b**2/2)", "sqrt(a**2 + b**2)", "a**1.7*b**-0.5",
    "a*b/(a + b)", "sin(a) + sin(2*a) + b", "log(a + exp(a*b))/cosh(b)", "a**b",
    "2**a + 1/(1 + b**2)",
]  # fmt: skip


@pytest.mark.parametrize("text", FORMS)
def test_a_network_computes_its_formula(text):
    form = sympy.sympify(text, locals={"a": A, "b": B})
    X = np.random.default_rng(0).uniform(0.5, 2, (20, 2))
    scales = Scales(X.mean(axis=0), X.std(axis=0), [0.3], [1.7])
    module = network_of([form], [A, B], scales, KAN((2, 1)))
    assert not any(layer.mask.any() for layer in module.layers)
    y = module(torch.from_numpy((X - scales.x_offset) / scales.x_scale))[:, 0].numpy() * 1.7 + 0.3
    wanted = sympy.lambdify([A, B], form)(*X.T) + np.zeros(len(X))
    np.testing.assert_allclose(y, wanted, rtol=1e-12)


def test_outputs_share_what_they_have_in_common():
    scales = Scales([0, 0], [1, 1], [0, 0], [1, 1])
    module = network_of([A * B, sympy.exp(A * B) + A], [A, B], scales, KAN((2, 2)))
    assert module.plan["layer_sizes"] == ((2, 0), (1, 1), (2, 0))
    X = torch.tensor([[1.0, 2.0], [0.5, -1.0]], dtype=torch.float64)
    wanted = torch.stack([X.prod(dim=1), X.prod(dim=1).exp() + X[:, 0]], dim=1)
    torch.testing.assert_close(module(X), wanted)
