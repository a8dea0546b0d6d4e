"""The kernel of signatures: the limit of truncated ones, lines, and kernel methods."""

from functools import partial
from math import factorial

import numpy as np
import pytest
from scipy.special import iv
from sklearn.kernel_ridge import KernelRidge
from sklearn.svm import SVC

from skdyn.sequence import signature_kernel
from skdyn.sequence._signature import signatures


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(5, 2, 9)).cumsum(axis=2) / 8


def test_it_is_the_limit_of_products_of_truncated_signatures(X):
    levels = signatures(np.diff(X), 9)
    truncated = 1 + sum(level @ level.T for level in levels)
    np.testing.assert_allclose(signature_kernel(X, refinement=4), truncated, rtol=1e-4)
    auto, fine = (signature_kernel(X, scale=3.0, refinement=r) for r in ("auto", 6))
    np.testing.assert_allclose(auto, fine, atol=5e-3 * fine.max())
    errors = [
        np.abs(signature_kernel(X, refinement=finer) - truncated).max() for finer in (1, 2, 3)
    ]
    assert errors[0] > 3 * errors[1] > 9 * errors[2]  # second order


def test_two_lines_have_a_bessel_function_of_their_product():
    a, b = np.array([[0.0, 1.5], [0.0, -1.0]]), np.array([[0.0, 1.0], [0.0, 0.5]])
    expected = iv(0, 2 * np.sqrt(1.0))
    found = signature_kernel([a], [b], refinement=6)[0, 0]
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    np.testing.assert_allclose(expected, sum(1 / factorial(k) ** 2 for k in range(12)))


def test_it_is_symmetric_and_positive_and_padding_changes_nothing(X):
    cases = [case[:, :size] for case, size in zip(X, (9, 4, 2, 7, 9), strict=True)]
    kernel = signature_kernel(cases)
    np.testing.assert_array_equal(kernel, kernel.T)
    np.testing.assert_allclose(signature_kernel(cases, cases), kernel, rtol=1e-12)
    np.testing.assert_allclose(signature_kernel(cases[1:2], cases[:1])[0, 0], kernel[1, 0])
    assert np.linalg.eigvalsh(kernel)[0] > 0
    unit = signature_kernel(cases, normalize=True)
    np.testing.assert_allclose(np.diagonal(unit), 1)
    np.testing.assert_allclose(signature_kernel(cases, cases, normalize=True), unit)


def test_times_and_levels_count_where_they_are_asked_for(X):
    t = np.linspace(0, 2, 9) ** 2
    plain, timed = signature_kernel(X), signature_kernel(X, t=t, time_scale=0.25)
    counted = signature_kernel(X, time_scale=0.25)
    assert not np.allclose(timed, counted)
    np.testing.assert_allclose(signature_kernel(X, time_scale=1e-9), plain, rtol=1e-6)
    with_time = np.concatenate([np.broadcast_to(t / 4, (5, 1, 9)), X], axis=1)
    np.testing.assert_allclose(signature_kernel(with_time), timed)
    np.testing.assert_allclose(signature_kernel(X + 3.0), plain)
    assert not np.allclose(*(signature_kernel(Z, basepoint=True) for Z in (X, X + 3.0)))


def test_kernel_methods_take_it_as_a_matrix_and_as_a_function():
    rng = np.random.default_rng(0)
    table = rng.normal(size=(12, 5)).cumsum(axis=1) / 4
    y = table[:, 3] - table[:, 0]
    kernel = partial(signature_kernel, basepoint=True, normalize=True)
    matrix = KernelRidge(kernel="precomputed", alpha=1e-3).fit(kernel(table[:6]), y[:6])
    function = KernelRidge(kernel=kernel, alpha=1e-3).fit(table[:6], y[:6])
    predicted = matrix.predict(kernel(table[9:], table[:6]))
    np.testing.assert_allclose(function.predict(table[9:]), predicted)
    model = SVC(kernel=kernel).fit(table[:6], y[:6] > 0)
    same = SVC(kernel="precomputed").fit(kernel(table[:6]), y[:6] > 0)
    expected = same.decision_function(kernel(table[9:], table[:6]))
    np.testing.assert_allclose(model.decision_function(table[9:]), expected)


@pytest.mark.parametrize(
    ("words", "parameters"),
    [
        ("t came without time_scale", {"t": np.arange(9.0)}),
        ("t_Y came without Y", {"t_Y": np.arange(9.0), "time_scale": 1.0}),
        ("X has 2 channels, but Y has 1", {"Y": np.zeros((2, 1, 9)) + np.arange(9)}),
        ("refinement must be 'auto' or an integer", {"refinement": -1}),
        ("scale must be a positive number", {"scale": 0.0}),
        ("time_scale must be a positive number", {"time_scale": "auto"}),
        ("Steps of the paths are as long as", {"scale": 1e6}),
        ("case 1 of t_Y", {"Y": np.zeros((2, 2, 3)), "t_Y": [[0, 1, 2], [0, 1, 1]],
                           "time_scale": 1.0}),
    ],
)  # fmt: skip
def test_what_has_no_kernel_is_refused(X, words, parameters):
    with pytest.raises(ValueError, match=words):
        signature_kernel(X, **parameters)


def test_grids_too_coarse_for_long_steps_are_told():
    zigzag = np.array([[1.3, -2.2, 0.7, 0.0]])
    with pytest.warns(UserWarning, match=r"refinement=0 is too coarse: products .* reach 12.2"):
        assert signature_kernel(zigzag, refinement=0)[0, 0] < 0  # which no kernel is
    with (
        pytest.warns(UserWarning, match="too coarse"),
        pytest.raises(ValueError, match=r"refinement=0 is too coarse .* is negative"),
    ):
        signature_kernel(zigzag, refinement=0, normalize=True)
    fine = signature_kernel(zigzag, refinement=8)
    np.testing.assert_allclose(signature_kernel(zigzag), fine, rtol=2e-2)
    with (
        pytest.warns(UserWarning, match="too coarse"),
        pytest.raises(ValueError, match="leaves the range of numbers"),
    ):
        signature_kernel(np.linspace(0, 4000, 80)[None], refinement=0)


def test_a_channel_that_was_never_seen_in_a_case_is_refused(X):
    X[3, 1] = np.nan
    with pytest.raises(ValueError, match="Channel 1 of case 3 of X was never seen"):
        signature_kernel(X)


@pytest.mark.peer
def test_it_equals_pysiglib_on_the_same_grid(X):
    pysiglib = pytest.importorskip("pysiglib")
    paths = np.ascontiguousarray(X.transpose(0, 2, 1))
    theirs = pysiglib.sig_kernel_gram(paths, paths, dyadic_order=2)
    np.testing.assert_allclose(signature_kernel(X, refinement=2), theirs, rtol=1e-9)
