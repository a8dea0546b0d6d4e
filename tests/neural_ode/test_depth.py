import numpy as np
import pytest
import torch
from sklearn.datasets import make_circles

from skdyn import NeuralODEClassifier, NeuralODERegressor
from skdyn.neural_ode._depth import DepthODE, check_layer_sizes, penalty_weight
from skdyn.training import seeded_rng

CONFIG = {
    "n_features": 3, "n_outputs": 2, "augment_dim": 2, "hidden_layer_sizes": (8,),
    "activation": "tanh", "solver": "dopri5", "rtol": 1e-8, "atol": 1e-10, "adjoint": "discrete",
    "max_steps": 1000,
}  # fmt: skip
RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 3))
Y = np.sin(2 * X[:, 0]) + X[:, 1]


def _depth(**changes):
    with seeded_rng(0):
        return DepthODE(**(CONFIG | changes)).double()


def test_a_field_of_zero_leaves_a_linear_model():
    module = _depth()
    with torch.no_grad():
        for weight in module.field.parameters():
            weight.zero_()
    x = torch.from_numpy(X)
    expected = module.readout(torch.nn.functional.pad(x, (0, 2)))
    torch.testing.assert_close(module(x), expected)


def test_the_flow_agrees_with_scipy():
    from scipy.integrate import solve_ivp

    module = _depth()

    def field(t, y):
        with torch.no_grad():
            return module.field(torch.tensor(t, dtype=torch.float64), torch.tensor(y)[None])[0]

    start = np.r_[X[0], 0.0, 0.0]
    oracle = solve_ivp(field, (0, 1), start, method="DOP853", rtol=1e-11, atol=1e-12).y[:, -1]
    ours = module.flow(torch.from_numpy(X[:1])).ys[0, -1].detach()
    np.testing.assert_allclose(ours, oracle, rtol=1e-6, atol=1e-8)


def test_after_training_a_rows_answer_does_not_depend_on_its_company():
    module = _depth(rtol=1e-3, atol=1e-3).eval()
    with torch.no_grad():
        for weight in module.field.parameters():
            weight.mul_(4.0)  # far from the linear start, so that steps differ from row to row
        x = torch.from_numpy(X)
        alone = torch.cat([module(row) for row in x.split(1)])
        torch.testing.assert_close(module(x), alone, rtol=1e-12, atol=1e-12)


def test_it_starts_near_the_identity_flow():
    module = _depth()
    x = torch.from_numpy(X)
    moved = module.flow(x).ys[:, -1, :3] - x
    assert moved.norm() < 0.1 * x.norm()


@pytest.mark.parametrize("regularization", ["error", "stiffness"])
@pytest.mark.parametrize("mode", ["global", "local"])
def test_the_penalty_on_the_solver_enters_the_loss(regularization, mode):
    settings = {"max_iter": 3, "tol": 0, "random_state": 0, "dtype": "float64"}
    plain = NeuralODERegressor((8,), **settings).fit(X, Y)
    penalized = NeuralODERegressor(
        (8,), regularization=regularization, regularization_mode=mode, regularization_weight=10.0,
        **settings,
    ).fit(X, Y)  # fmt: skip
    assert penalized.loss_curve_[0] > plain.loss_curve_[0]
    assert not np.array_equal(penalized.predict(X), plain.predict(X))


def test_the_automatic_weight_makes_the_learnt_field_cheaper():
    X, y = make_circles(100, factor=0.5, noise=0.05, random_state=0)
    settings = {"learning_rate": 0.02, "max_iter": 40, "tol": 0, "rtol": 1e-5, "random_state": 0}
    plain = NeuralODEClassifier(**settings).fit(X, y)
    penalized = NeuralODEClassifier(regularization="error", **settings).fit(X, y)
    assert penalized.solver_statistics(X).n_fev < 0.8 * plain.solver_statistics(X).n_fev
    assert penalized.score(X, y) > 0.95


def test_the_automatic_weight_is_of_the_size_of_what_it_weighs():
    assert penalty_weight(NeuralODERegressor(regularization="error", rtol=1e-4)) == 1e4
    assert penalty_weight(NeuralODERegressor(regularization="stiffness")) == 0.03
    assert penalty_weight(NeuralODERegressor(regularization_weight=7.0)) == 7.0


def test_solver_statistics_count_what_a_prediction_costs():
    settings = {"max_iter": 10, "learning_rate": 0.1, "tol": 0, "random_state": 0}
    model = NeuralODERegressor((8,), rtol=1e-2, atol=1e-2, **settings).fit(X, Y)
    loose = model.solver_statistics(X)
    tight = model.set_params(rtol=1e-7, atol=1e-8).fit(X, Y).solver_statistics(X)
    assert tight.n_fev > loose.n_fev > 0


@pytest.mark.parametrize("sizes", [(0,), (3, -1), (2.5,), ("a",)])
def test_bad_layer_sizes_are_shown(sizes):
    with pytest.raises(ValueError, match=r"hidden_layer_sizes.*\(64,\)"):
        check_layer_sizes(sizes)


def test_layer_sizes_become_plain_ints():
    sizes = check_layer_sizes(np.array([4, 5]))
    assert sizes == (4, 5)
    assert all(type(size) is int for size in sizes)
