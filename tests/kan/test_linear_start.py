"""Networks that begin as the best linear function."""

import pytest
import torch
from sklearn.utils.estimator_checks import check_sample_weight_equivalence_on_dense_data

from skdyn import KANClassifier, KANRegressor
from skdyn.kan._linear_start import start_linear
from skdyn.kan._network import KAN
from skdyn.training import ridge


def linear_data(n=60, n_columns=5, noise=0.1):
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(n, n_columns, generator=generator).double()
    slopes = torch.randn(n_columns, 2, generator=generator).double()
    y = X @ slopes + 1 + noise * torch.randn(n, 2, generator=generator).double()
    return X, y, torch.ones(n).double()


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


@pytest.mark.parametrize("kind", [KANRegressor, KANClassifier])
def test_rows_that_stand_for_several_begin_as_their_copies_do(kind):
    model = kind(dtype="float64", max_iter=5)  # on that check's table, wide for its rows
    check_sample_weight_equivalence_on_dense_data(kind.__name__, model)
