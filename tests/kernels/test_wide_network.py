"""What both kernels are for scikit-learn, and that bad parameters are named."""

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, WhiteKernel
from sklearn.kernel_ridge import KernelRidge
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC

from skdyn.kernels import NNGPKernel, NTKKernel
from skdyn.kernels._moments import ACTIVATIONS

# Variances that are not needed end at their bounds.
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
KERNELS = [NNGPKernel, NTKKernel]
both = pytest.mark.parametrize("cls", KERNELS)
every_activation = pytest.mark.parametrize("activation", ACTIVATIONS)


def rows():
    """Rows of which one comes twice, one is another's opposite, and one is a multiple."""
    X = np.random.default_rng(0).normal(size=(6, 3))
    return np.vstack([X, X[:1], -X[1:2], 2 * X[2:3]])


@both
@every_activation
@pytest.mark.parametrize("input_var", [None, 0.7, [0.3, 1.0, 2.0]])
@pytest.mark.parametrize("depth", [1, 3])
def test_the_gradient_is_that_of_finite_differences(cls, activation, input_var, depth):
    kernel, X, h = cls(depth, activation, 1.7, 0.3, input_var), rows(), 1e-5
    K, gradient = kernel(X, eval_gradient=True)
    np.testing.assert_array_equal(K, kernel(X))
    assert gradient.shape == (*K.shape, len(kernel.theta))
    for i, direction in enumerate(h * np.eye(len(kernel.theta))):
        ahead, behind = (kernel.clone_with_theta(kernel.theta + s * direction)(X) for s in (1, -1))
        np.testing.assert_allclose(
            gradient[..., i], (ahead - behind) / (2 * h), rtol=1e-6, atol=1e-7
        )


@both
@every_activation
def test_it_is_a_covariance(cls, activation):
    kernel, X = cls(2, activation), rows()
    K = kernel(X)
    np.testing.assert_array_equal(K, K.T)
    np.testing.assert_array_equal(np.diag(K), kernel.diag(X))
    np.testing.assert_array_equal(kernel(X, X), K)
    np.testing.assert_array_equal(kernel(X[:2], X[2:]), K[:2, 2:])
    assert np.linalg.eigvalsh(K).min() > -1e-13 * np.linalg.eigvalsh(K).max()
    assert not kernel.is_stationary()


@both
@every_activation
def test_equal_rows_are_equal_to_the_kernel(cls, activation):
    K, gradient = cls(3, activation)(rows(), eval_gradient=True)
    assert K[0, 6] == K[0, 0]
    np.testing.assert_array_equal(gradient[0, 6], gradient[0, 0])
    assert np.isfinite(gradient).all()


@both
def test_one_variance_for_all_columns_is_the_same_variance_for_each(cls):
    X = rows()
    several, alone = (cls(2, "erf", 1.5, 0.2, v)(X) for v in ([1.5] * 3, 1.5))
    np.testing.assert_allclose(several, alone, rtol=1e-13)
    np.testing.assert_allclose(cls(2, "erf", 1.5, 0.2)(X), alone, rtol=1e-13)


@both
def test_what_is_fixed_has_no_gradient(cls):
    kernel = cls(weight_var_bounds="fixed", bias_var=0.0, input_var=[1.0, 2.0, 3.0])
    assert kernel.n_dims == 3
    assert len(kernel.bounds) == 3
    assert kernel(rows(), eval_gradient=True)[1].shape == (9, 9, 3)
    kernel.input_var_bounds = "fixed"
    assert kernel.n_dims == 0
    assert kernel(rows(), eval_gradient=True)[1].shape == (9, 9, 0)


@both
def test_copies_are_equal_and_it_shows_what_it_is(cls):
    kernel = cls(2, "sin", 1.25, 0.0, np.array([1.0, 0.5]), input_var_bounds=[(0.1, 1), (0.2, 2)])
    for other in (clone(kernel), pickle.loads(pickle.dumps(kernel)), copy.deepcopy(kernel)):
        assert other == kernel
    assert repr(kernel) == (
        f"{cls.__name__}(depth=2, activation='sin', weight_var=1.25, bias_var=0, "
        "input_var=[1, 0.5])"
    )
    moved = kernel.clone_with_theta(kernel.theta + 1)
    np.testing.assert_allclose(moved.theta, kernel.theta + 1)
    assert moved != kernel


@both
def test_estimators_of_scikit_learn_take_it(cls):
    X, y = load_iris(return_X_y=True)
    X = ((X - X.mean(axis=0)) / X.std(axis=0))[::3]
    y = y[::3]
    for model in (
        GaussianProcessClassifier(cls()),
        GridSearchCV(SVC(kernel=cls()), {"kernel__depth": [1, 2]}, cv=2),
    ):
        assert model.fit(X, y).score(X, y) > 0.9
    kernel = ConstantKernel() * cls(activation="erf") + WhiteKernel()
    for model in (GaussianProcessRegressor(kernel), KernelRidge(kernel=cls(), alpha=0.1)):
        assert model.fit(X, X[:, 0] * X[:, 1]).score(X, X[:, 0] * X[:, 1]) > 0.9


def test_a_process_chooses_the_columns_that_matter():
    X = np.random.default_rng(0).uniform(-1, 1, (60, 3))
    kernel = NNGPKernel(activation="sin", input_var=[1.0] * 3)
    model = GaussianProcessRegressor(kernel, alpha=1e-6, normalize_y=True)
    first, *others = model.fit(X, np.sin(2 * X[:, 0])).kernel_.input_var
    assert first > 100 * max(others)


@both
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("depth", 0), ("depth", 1.5), ("depth", True), ("depth", 10**9), ("activation", "tanh"),
        ("activation", None), ("weight_var", 0.0), ("weight_var", [1.0]), ("weight_var", "1"),
        ("weight_var", np.inf), ("bias_var", -1.0), ("bias_var", np.nan), ("bias_var", False),
        ("input_var", 0.0), ("input_var", [1.0, -1.0, 1.0]), ("input_var", "auto"),
        ("input_var", [[1.0, 1.0, 1.0]]), ("input_var", [1.0, 1.0]), ("input_var", []),
    ],
)  # fmt: skip
def test_bad_parameters_are_named(cls, name, value):
    with pytest.raises(ValueError, match=name):
        cls(**{name: value})(rows())


@both
def test_bad_rows_are_refused(cls):
    X = rows()
    with pytest.raises(ValueError, match="X has 3 columns, but Y has 2"):
        cls()(X, X[:, :2])
    with pytest.raises(ValueError, match="leave out Y"):
        cls()(X, X, eval_gradient=True)
    for far in (1e200, np.nan, np.inf):
        with pytest.raises(ValueError, match="Standardize X"):
            cls()(np.where(np.arange(3) == 1, far, X))


def test_a_state_that_no_network_has_is_refused():
    state = NNGPKernel().__getstate__()
    with pytest.raises(ValueError, match="depth"):
        NNGPKernel().__setstate__({**state, "depth": 10**9})
    with pytest.raises(ValueError, match="lacks"):
        NNGPKernel().__setstate__({"depth": 1})
