"""Linear functions, with the penalty that the data choose."""

import numpy as np
import torch
from sklearn.linear_model import Ridge

from skdyn.training import ridge


def linear_data(n=60, n_columns=5, noise=0.1):
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(n, n_columns, generator=generator).double()
    slopes = torch.randn(n_columns, 2, generator=generator).double()
    y = X @ slopes + 1 + noise * torch.randn(n, 2, generator=generator).double()
    return X, y, torch.ones(n).double()


def test_exact_linear_data_give_their_slopes_back():
    X, y, weight = linear_data(noise=0.0)
    slopes, intercept = ridge(X, y, weight)
    torch.testing.assert_close(X @ slopes + intercept, y, rtol=0, atol=1e-3)


def test_the_slopes_are_those_of_a_ridge_regression():
    X, y, weight = linear_data(noise=1.0)
    slopes, _ = ridge(X, y, weight)
    found = [Ridge(alpha=penalty).fit(X, y).coef_.T for penalty in 60 * np.logspace(-6, 4, 41)]
    assert min(np.abs(slopes.numpy() - other).max() for other in found) < 1e-8


def test_noise_is_answered_by_its_mean_where_columns_are_many():
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(30, 40, generator=generator).double()
    y = torch.randn(30, 1, generator=generator).double()
    slopes, intercept = ridge(X, y, torch.ones(30).double())
    fresh = torch.randn(200, 40, generator=generator).double() @ slopes + intercept
    assert fresh.var() < 0.5 * y.var()


def test_a_row_of_weight_two_counts_as_two_rows():
    X, y, weight = linear_data(noise=1.0)
    twice = [torch.cat([part, part[:5]]) for part in (X, y, weight)]
    weight[:5] = 2
    for found, expected in zip(ridge(X, y, weight), ridge(*twice), strict=True):
        torch.testing.assert_close(found, expected)


def test_weights_of_a_small_sum_leave_as_many_rows_as_there_are():
    X, y, weight = linear_data(noise=1.0)
    for found, expected in zip(ridge(X, y, weight / 60), ridge(X, y, weight), strict=True):
        torch.testing.assert_close(found, expected)


def test_a_smaller_penalty_leaves_less_of_slopes_that_hardly_matter():
    X, y, weight = linear_data(noise=0.0)
    X[:, 0] *= 1e-3
    y = X @ torch.linspace(1, 2, 10).view(5, 2).double()
    left = [
        (X @ slopes + intercept - y).abs().max()
        for slopes, intercept in (ridge(X, y, weight, least) for least in (1e-6, 1e-10))
    ]
    assert left[1] < 1e-2 * left[0]
