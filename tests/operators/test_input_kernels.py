"""Kernels between inputs of several channels."""

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import Matern

from skdyn import KernelOperatorRegressor, io
from skdyn.operators._input_kernels import (
    Factor,
    gram,
    groups_of,
    learn_components,
    linear_channels,
    prior_variance,
    stretches,
)

PLAIN = {"n_corrections": 0, "length_scale": 1.0, "emphasis": 0.0, "alpha": 1e-3}
rng = np.random.default_rng(0)


def several(n=30, n_channels=2, n_points=4):
    return rng.standard_normal((n, n_channels, n_points))


def linear_equation(n=70, n_points=16):
    """Sources times a gain that another function sets: ``(n, 2, n_points)`` and answers."""
    x = np.linspace(0, 1, n_points)
    waves = np.sin(np.pi * np.arange(1, 4)[:, None] * x)
    a, f = (rng.standard_normal((n, 3)) @ waves for _ in range(2))
    return np.stack([a, f], axis=1), np.cumsum(f, axis=1) / (1.5 + np.tanh(a))


def test_a_product_is_the_gaussian_process_of_the_product_of_kernels():
    X, T = several(), several(5)
    y = np.sin(X[:, 0]) * X[:, 1]
    unit = X.std(axis=(0, 2))[:, None]
    scaled = [((Z - X.mean(axis=(0, 2))[:, None]) / unit).reshape(len(Z), -1) for Z in (X, T)]
    spread = [2 * part.var(axis=0).sum() for part in np.split(scaled[0], 2, axis=1)]
    kernels = [Matern(np.sqrt(unit), nu=2.5) for unit in spread]

    def together(A, B):
        halves = np.split(A, 2, axis=1), np.split(B, 2, axis=1)
        return np.prod([k(a, b) for k, a, b in zip(kernels, *halves, strict=True)], axis=0)

    mean = y.mean(axis=0)
    known = together(scaled[0], scaled[0]) + 1e-3 * np.eye(len(X))
    expected = together(scaled[1], scaled[0]) @ np.linalg.solve(known, y - mean) + mean
    model = KernelOperatorRegressor(combine="product", grid_shape=(4,), **PLAIN).fit(X, y)
    np.testing.assert_allclose(model.predict(T).reshape(5, 4), expected, atol=1e-8)
    assert model.combine_ == "product"


def test_answers_are_exactly_linear_in_what_is_named_so():
    X, y = linear_equation()
    model = KernelOperatorRegressor(linear_in=[1], n_corrections=3).fit(X[:50], y[:50, None])
    one, two = X[50:60], X[50:60].copy()
    two[:, 1] = X[60:, 1]
    both = one.copy()
    both[:, 1] = 2 * one[:, 1] - 3 * two[:, 1]
    found = 2 * model.predict(one) - 3 * model.predict(two)
    np.testing.assert_allclose(model.predict(both), found, atol=1e-9)
    both[:, 1] = 0
    np.testing.assert_array_equal(model.predict(both), 0)


def test_what_is_known_to_be_linear_is_learned_from_fewer_samples():
    X, y = linear_equation()
    errors = [
        np.square(model.fit(X[:50], y[:50]).predict(X[50:]).reshape(20, -1) - y[50:]).mean()
        for model in (KernelOperatorRegressor(linear_in=1), KernelOperatorRegressor(n_waves=50))
    ]
    assert errors[0] < 0.5 * errors[1]


def test_the_better_way_to_combine_channels_is_chosen_by_samples_left_out():
    X, y = linear_equation()
    fits = {
        way: KernelOperatorRegressor(combine=way, n_corrections=0).fit(X, y)
        for way in ("joint", "product", "auto")
    }
    lower = min(fits["joint"].left_out_error_, fits["product"].left_out_error_)
    assert fits["auto"].left_out_error_ == pytest.approx(lower, rel=1e-3)
    assert fits["product"].left_out_error_ != fits["joint"].left_out_error_


def test_a_model_saved_with_one_kernel_answers_as_before(tmp_path):
    X, y = linear_equation(30)
    model = KernelOperatorRegressor(n_corrections=0).fit(X, y)
    state = model.__getstate__()
    for name in ("combine", "linear_in", "combine_", "_factors", "_case_errors"):
        state.pop(name)
    old = KernelOperatorRegressor.__new__(KernelOperatorRegressor)
    old.__setstate__(state)
    np.testing.assert_array_equal(old.predict(X), model.predict(X))
    product = KernelOperatorRegressor(combine="product", linear_in=[1], n_corrections=0).fit(X, y)
    io.save(product, tmp_path / "model")
    again = io.load(tmp_path / "model")
    for one, other in zip(*(m.predict(X, return_std=True) for m in (product, again)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_factors_multiply_and_tell_the_variance():
    A = rng.standard_normal((6, 5))
    factors = [Factor("rbf", 2.0, 3), Factor("linear", 0.5, 2)]
    alone = gram(factors[:1], A[:, :3], A[:, :3]), gram(factors[1:], A[:, 3:], A[:, 3:])
    K = gram(factors, A, A)
    np.testing.assert_allclose(K, alone[0] * alone[1])
    np.testing.assert_allclose(prior_variance(factors, A), np.diag(K))


def test_components_of_a_group_see_its_channels_only():
    X = several(20, 3) + 1.0
    parts = learn_components(X, np.ones(20), [[0, 1], [2]], [2])
    first = parts.vectors[:, : parts.sizes[0]]
    assert not first[8:].any()
    assert not parts.vectors[:8, parts.sizes[0] :].any()
    assert not parts.mean[8:].any()
    Z = (X.reshape(20, -1) - parts.mean) @ parts.vectors * stretches(parts, [0.5, 1.0])
    for rows in np.split(Z, [parts.sizes[0]], axis=1)[:1]:
        apart = np.square(rows[:, None] - rows).sum(axis=2)
        assert apart.mean() == pytest.approx(1.0)


def test_channels_are_grouped_by_what_is_asked_for():
    assert groups_of(3, [], "auto") == {"joint": [[0, 1, 2]], "product": [[0], [1], [2]]}
    assert groups_of(3, [2], "product") == {"product": [[0], [1], [2]]}
    assert groups_of(2, [1], "auto") == {"joint": [[0], [1]]}
    assert groups_of(2, [0, 1], "joint") == {"joint": [[0, 1]]}
    assert linear_channels([-1, 0], 3) == [0, 2]


@pytest.mark.parametrize("named", [[2], [0.5], [], ["f"], [True, 5]])
def test_channels_that_are_none_are_refused(named):
    with pytest.raises(ValueError, match="linear_in must name some of the 2 channels"):
        linear_channels(named, 2)
