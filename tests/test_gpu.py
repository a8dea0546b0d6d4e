"""Every network on a GPU: the answers of the CPU, within the rounding of float32.

Without one they are skipped: ``pytest -m gpu -n 0`` runs them where there is one.
"""

import pickle
import warnings

import numpy as np
import pytest
import torch

from skdyn.kan.bases import make_basis
from skdyn.kan.bases._spline_sums import FewSum, SplineSum
from skdyn.testing import all_estimators, quick_instance
from skdyn.testing._probe import answer, sample_data, trains_a_module

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here"),
]
TRAINED = {name: cls for name, cls in all_estimators() if trains_a_module(quick_instance(cls))}


def fitted(cls, device, max_iter=3):
    model = quick_instance(cls, random_state=0, device=device, max_iter=max_iter)
    X, y = sample_data(model)
    X = X.astype(np.float32)
    with warnings.catch_warnings(action="ignore"):
        return (model.fit(X) if y is None else model.fit(X, y)), X


@pytest.mark.parametrize("name", sorted(TRAINED))
def test_few_steps_on_a_gpu_are_those_of_the_cpu(name):
    here, _ = fitted(TRAINED[name], "cpu")
    there, _ = fitted(TRAINED[name], "cuda")
    assert torch.device(there.device_).type == "cuda"
    scale = max(map(abs, here.loss_curve_))
    np.testing.assert_allclose(there.loss_curve_, here.loss_curve_, rtol=1e-3, atol=1e-5 * scale)


@pytest.mark.parametrize("name", sorted(TRAINED))
def test_a_fit_made_on_a_gpu_answers_the_same_on_the_cpu(name):
    there, X = fitted(TRAINED[name], "cuda")
    on_gpu = np.asarray(answer(there, X))
    copies = [pickle.loads(pickle.dumps(there)) for _ in range(2)]
    np.testing.assert_allclose(np.asarray(answer(copies[0], X)), on_gpu, rtol=1e-5)
    copies[1].module_.to("cpu")
    on_cpu = np.asarray(answer(copies[1], X))
    if on_cpu.dtype.kind == "f":
        scale = np.abs(on_cpu).max()
        np.testing.assert_allclose(on_gpu, on_cpu, rtol=1e-3, atol=1e-3 * scale)
    else:
        assert np.mean(on_gpu == on_cpu) >= 0.95


@pytest.mark.parametrize("name", ["FNORegressor", "KANRegressor", "SparseAutoencoder"])
def test_the_same_seed_gives_the_same_bits_where_torch_is_asked_for_it(name):
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        first, second = (fitted(TRAINED[name], "cuda")[0] for _ in range(2))
    finally:
        torch.use_deterministic_algorithms(False)
    assert first.loss_curve_ == second.loss_curve_


@pytest.mark.parametrize("name", ["FNORegressor", "KANRegressor", "SparseAutoencoder"])
def test_auto_leaves_little_work_to_the_cpu(name):
    assert fitted(TRAINED[name], "auto", max_iter=1)[0].device_ == "cpu"


@pytest.mark.parametrize("sum_", [SplineSum, FewSum])
@pytest.mark.parametrize("n_out", [1, 4])
def test_sums_of_splines_are_the_dense_products_there_too(sum_, n_out):
    basis = make_basis("bspline", 3, n_out, 20, 3, "linear").to("cuda")
    x = (2 * torch.randn(50, 3)).to("cuda").requires_grad_()
    weight = torch.randn(3, basis.n_functions + 1, n_out).to("cuda").requires_grad_()
    dense = basis.features(x).flatten(1) @ weight.flatten(0, 1)
    found = sum_.apply(x, weight, basis)
    torch.testing.assert_close(found, dense, rtol=1e-3, atol=1e-3)
    for ours, theirs in zip(
        torch.autograd.grad(found.sum(), (x, weight)),
        torch.autograd.grad(dense.sum(), (x, weight)),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-3)
