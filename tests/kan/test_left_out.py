import warnings

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning

from skdyn._tabular import TabularRegressor
from skdyn.kan import KANClassifier, KANRegressor
from skdyn.kan._evidence import Evidence
from skdyn.kan._left_out import left_out_outputs
from skdyn.kan._network import KAN
from skdyn.kan._objective import KANObjective

ALPHA = 0.02


def minimized(layer, objective, X, y, weight):
    """Give a layer the weights of the minimum: one step of Newton's, for the loss is a parabola."""
    columns = layer.basis.features(X).detach()
    shape = layer.weight.shape
    n = shape.numel()

    def loss(vector):
        weights, bias = vector[:n].reshape(shape), vector[n:]
        outputs = torch.einsum("nik,ikj->nj", columns, weights) + bias
        functions, line = weights[:, :-1], layer.basis.straight()[..., None]
        rough = (functions * (layer.basis.roughness() @ functions)).sum()
        straight = (functions * line).sum(dim=1).square().sum()
        bent, residual = functions.square().sum() - straight, weights[:, -1].square().sum()
        wide = sum((layer.width**p - 1) * s for p, s in ((1, straight), (1.5, bent), (2, residual)))
        squares = 0.5 * (ALPHA * vector.square().sum() + objective.alpha * wide)
        data = objective.data_loss(outputs, y, weight)
        return data + objective.evidence.smoothness * rough + squares

    start = torch.zeros(n + shape[2], dtype=torch.float64)
    slope = torch.autograd.functional.jacobian(loss, start)
    best = start - torch.linalg.solve(torch.autograd.functional.hessian(loss, start), slope)
    torch.nn.utils.vector_to_parameters(best, layer.parameters())


def test_the_answers_of_a_network_of_one_layer_are_those_of_fits_without_each_row():
    rng = np.random.default_rng(0)
    X = torch.as_tensor(rng.uniform(-1, 1, (7, 20)))
    y = torch.as_tensor(rng.normal(size=(7, 2)))
    weight = torch.as_tensor([0.5, 1.5, 1.0, 1.0, 1.0, 0.5, 1.5])
    module = KAN(((20, 0), (2, 0)), "bspline", 2, 1, "linear").double()
    objective = KANObjective(
        TabularRegressor._row_loss, KANRegressor._curvature, Evidence(0.01, 0.0, 7.0, None),
        0, 0, 0, alpha=ALPHA,
    )  # fmt: skip
    (layer,) = module.layers
    minimized(layer, objective, X, y, weight)
    found, settled = left_out_outputs(module, objective, (X, y, weight), ALPHA)
    torch.testing.assert_close(found, settled)
    assert (found - module(X)).abs().max() > 0.1
    for i in (0, 3):
        without = weight.clone()
        without[i] = 0.0
        minimized(layer, objective, X, y, without)
        torch.testing.assert_close(found[i], module(X[[i]])[0].detach())
    layer.weight.data += 0.1 * torch.as_tensor(rng.normal(size=layer.weight.shape))
    torch.testing.assert_close(left_out_outputs(module, objective, (X, y, weight), ALPHA)[1], found)


def test_a_row_that_stands_for_two_is_left_out_by_half():
    rng = np.random.default_rng(1)
    X, y = (torch.as_tensor(rng.normal(size=(8, k))) for k in (3, 2))
    weight = torch.ones(8, dtype=torch.float64)
    module = KAN(((3, 0), (2, 0)), "bspline", 2, 1, "linear").double()
    objective = KANObjective(
        TabularRegressor._row_loss, KANRegressor._curvature, Evidence(0.01, 0.0, 8.0, None), 0, 0, 0
    )
    twice = [torch.cat([part, part]) for part in (X, y, weight)]
    copies = left_out_outputs(module, objective, twice, ALPHA)[0]
    halves = left_out_outputs(module, objective, (X, y, weight), ALPHA, of_row=0.5)[0]
    torch.testing.assert_close(halves, copies[:8])


def told(model, X, y):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(X, y)
    return any("likely to answer new rows worse" in str(each.message) for each in caught)


@pytest.fixture(scope="module")
def table():
    return np.random.default_rng(0).normal(size=(2, 30, 24))


def test_a_network_that_new_rows_would_find_worse_than_the_mean_says_so(table):
    X, other = table
    few = KANRegressor((4,), optimizer="adam", max_iter=60, random_state=0)
    assert told(few, X, other[:, 0])
    assert not told(few, X, X[:, 0] - X[:, 1])
    assert told(
        KANClassifier((4,), optimizer="adam", max_iter=60, random_state=0), X, other[:, 0] > 0
    )


def test_rows_that_are_held_out_and_penalties_of_ones_own_are_not_second_guessed(table):
    X, other = table
    for given in ({"early_stopping": True}, {"alpha": 1.0}, {"lamb": 1e-3}):
        assert not told(
            KANRegressor((4,), optimizer="adam", max_iter=20, random_state=0, **given),
            X,
            other[:, 0],
        )


def test_penalties_alone_are_no_misfit_and_a_misfit_is_told():
    X = np.random.default_rng(0).normal(size=(40, 3))
    y = X.sum(axis=1)
    started = {"optimizer": "adam", "learning_rate": 1e-4, "max_iter": 1, "tol": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        penalized = KANRegressor((), lamb=1.0, random_state=0, **started).fit(X, y)
    assert penalized.score(X, y) > 0.2
    assert penalized.loss_curve_[-1] > 1
    wild = KANRegressor((4,), optimizer="adam", learning_rate=3.0, max_iter=1, random_state=0)
    with pytest.warns(ConvergenceWarning, match="worse than that of an answer which reads no"):
        wild.fit(X, y)
    assert wild.score(X, y) < 0


def test_nothing_is_doubted_where_all_targets_are_one():
    X = np.random.default_rng(0).normal(size=(40, 3))
    model = KANRegressor((), optimizer="adam", max_iter=5, tol=0, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X, np.full(40, 2.0))
    assert np.allclose(model.predict(X), 2.0, atol=0.1)
