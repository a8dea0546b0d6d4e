"""scikit-learn's kernels in files: those of names and positive numbers, and nothing else."""

import numpy as np
import pytest
from sklearn.gaussian_process import kernels
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Kernel, Matern, WhiteKernel

import skdyn
from skdyn import io
from skdyn._sklearn_kernels import class_of_kernel, is_plain_kernel, rebuilt_kernel
from skdyn.kernels import NNGPKernel, StudentTProcessRegressor
from skdyn.testing._forgery import walk

ALL = [
    ConstantKernel(2.0) * RBF([1.0, 2.0], [(1e-3, 1e3), (1e-2, 1e2)]) + WhiteKernel(0.1, "fixed"),
    Matern(1.5, nu=2.5) ** 2 + kernels.RationalQuadratic(0.5, 2.0),
    kernels.ExpSineSquared(0.5, 2.0) + kernels.DotProduct(0.5) + 1.0,
    NNGPKernel(2, "sin", input_var=[1.0, 2.0]) + WhiteKernel(),
]


class OwnKernel(RBF):
    """A kernel of somebody else's."""


@pytest.mark.parametrize("kernel", ALL, ids=str)
def test_a_kernel_comes_back_from_a_file(kernel, tmp_path):
    io.save(StudentTProcessRegressor(kernel), tmp_path / "model")
    again = io.load(tmp_path / "model").kernel
    assert repr(again) == repr(kernel)
    np.testing.assert_array_equal(again.theta, kernel.theta)
    np.testing.assert_array_equal(again.bounds, kernel.bounds)


@pytest.mark.parametrize("kernel", ALL[:3], ids=str)
def test_a_forged_kernel_is_refused(kernel):
    X = np.random.default_rng(0).normal(size=(8, 2))
    model = StudentTProcessRegressor(kernel, optimizer=None, alpha=10.0).fit(X, X[:, 0])
    outcomes = walk(model, lambda fitted: fitted.predict(X))
    assert sum(n for name, n in outcomes.items() if name.endswith("refused")) > 50


def test_a_kernel_of_another_package_is_named(tmp_path):
    assert not is_plain_kernel(OwnKernel())
    with pytest.raises(TypeError, match="'kernel' is a OwnKernel"):
        io.save(StudentTProcessRegressor(OwnKernel()), tmp_path / "model")


def test_only_kernels_of_plain_numbers_are_known():
    assert class_of_kernel("RBF") is RBF
    for name in ("PairwiseKernel", "Kernel", "Hyperparameter", "clone", "NNGPKernel"):
        assert class_of_kernel(name) is None
    known = {name for name in dir(kernels) if class_of_kernel(name)}
    assert all(issubclass(class_of_kernel(name), Kernel) for name in known)
    assert not known & set(skdyn.__all__)


@pytest.mark.parametrize(
    "changed",
    [
        {"length_scale": "long"}, {"length_scale": -1.0}, {"length_scale": [[1.0], [1.0, 2.0]]},
        {"length_scale": True}, {"length_scale": None}, {"length_scale": []}, {"length_scale": 0.0},
        {"length_scale": 1e200}, {"length_scale": float("nan")},
        {"length_scale_bounds": "free"}, {"length_scale_bounds": (-1.0, 1.0)}, {"more": 1.0},
    ],
)  # fmt: skip
def test_other_parameters_of_a_kernel_are_refused(changed):
    state = {"length_scale": 1.0, "length_scale_bounds": "fixed"}
    assert rebuilt_kernel(RBF, state) == RBF(1.0, "fixed")
    with pytest.raises(ValueError, match=r"of a RBF|a RBF has"):
        rebuilt_kernel(RBF, state | changed)
    with pytest.raises(ValueError, match="a RBF has"):
        rebuilt_kernel(RBF, {"length_scale": 1.0})
