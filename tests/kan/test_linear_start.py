"""Networks that begin as the best linear function."""

import numpy as np
import torch
from sklearn.linear_model import Ridge

from skdyn import KANRegressor
from skdyn.kan._linear_start import ridge, start_linear
from skdyn.kan._network import KAN


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
        torch.testing.assert_close(found, expected, rtol=0.05, atol=0.01)


def test_a_network_begins_as_the_linear_function_whatever_its_depth():
    X, y, weight = linear_data()
    slopes, intercept = ridge(X, y, weight)
    for hidden in ((), ((2, 0),), ((4, 0), (3, 0))):
        module = KAN(((5, 0), *hidden, (2, 0)), "bspline", 5, 3, "linear").double()
        assert start_linear(module, X, y, weight)
        if hidden:  # what other nodes say is left out
            module.layers[-1].weight.data[2:] = 0
        torch.testing.assert_close(module(X), X @ slopes + intercept, rtol=0, atol=1e-6)


def test_where_there_is_no_room_nothing_happens():
    X, y, weight = linear_data()
    module = KAN(((5, 0), (1, 0), (2, 0)), "bspline", 5, 3, "linear").double()
    before = module(X)
    assert not start_linear(module, X, y, weight)
    torch.testing.assert_close(module(X), before)


def test_gradients_chosen_by_auto_begin_there():
    X, y, _ = linear_data(n=200)
    options = {"dtype": "float32", "max_iter": 1, "random_state": 0}
    started = KANRegressor(**options).fit(X.numpy(), y.numpy())
    from_nothing = KANRegressor(optimizer="adam", **options).fit(X.numpy(), y.numpy())
    assert started.score(X.numpy(), y.numpy()) > 0.9 > from_nothing.score(X.numpy(), y.numpy())
