import subprocess
import sys

import pytest
import torch

from skdyn.training._eager import eager

# Run in a process of its own: what the tests import must not hide what a fit does.
FITS = """
import sys, warnings
from skdyn import HopfieldRegressor, KANRegressor
from skdyn.base import TorchEstimator
from skdyn.testing import all_estimators, quick_instance
from skdyn.testing._probe import sample_to_sketch
from skdyn.training._optimizers import OPTIMIZERS

warnings.simplefilter("ignore")
models = [
    quick_instance(cls, max_iter=1)
    for _, cls in all_estimators()
    if issubclass(cls, TorchEstimator)
]
models += [HopfieldRegressor("projected", optimizer=name, max_iter=1) for name in OPTIMIZERS]
models.append(KANRegressor(optimizer="lm", max_iter=1))
for model in models:
    model.fit(*sample_to_sketch(model))
    heavy = {"torch._dynamo", "torch._inductor", "sympy", "matplotlib"} & set(sys.modules)
    assert not heavy, f"{model} imported {sorted(heavy)}"
print(len(models))
"""
OPTIMISERS = {
    "Adam": {"fused": True},
    "AdamW": {"fused": True, "weight_decay": 0.1},
    "SGD": {"momentum": 0.9, "nesterov": True},
    "LBFGS": {"line_search_fn": "strong_wolfe"},
}


def _path_of(cls, settings):
    """Return where five steps on a curved function lead."""
    weight = torch.nn.Parameter(torch.tensor([3.0, -2.0]))
    optimizer = cls([weight], lr=0.1, **settings)
    places = []

    def closure():
        optimizer.zero_grad()
        loss = weight.cos().sum() + 0.1 * weight.prod()
        loss.backward()
        return loss

    for _ in range(5):
        optimizer.step(closure)
        places.append(weight.detach().clone())
    return torch.stack(places), weight


@pytest.mark.parametrize("name", OPTIMISERS)
def test_the_steps_are_those_of_torch_to_the_bit(name):
    cls, settings = getattr(torch.optim, name), OPTIMISERS[name]
    expected, _ = _path_of(cls, settings)
    found, weight = _path_of(eager(cls), settings)
    assert torch.equal(found, expected)
    assert weight.is_leaf
    assert torch.is_grad_enabled()


def test_a_fit_imports_neither_the_compiler_nor_the_algebra_system():
    run = subprocess.run([sys.executable, "-c", FITS], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) > 15  # every estimator that trains a module was there
