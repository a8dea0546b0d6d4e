"""The shape of a network by the evidence: as large as the data ask for."""

import numpy as np
import pytest
import torch

from skdyn import KANClassifier, KANRegressor
from skdyn._tabular import TabularRegressor
from skdyn.kan._evidence import Evidence
from skdyn.kan._network import KAN
from skdyn.kan._objective import KANObjective
from skdyn.kan._search import Trial, Trials, affordable
from skdyn.training import Stage, TrainingSettings


def table(n, n_columns, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (n, n_columns))


def sizes(model):
    return model.module_.plan["layer_sizes"][1:-1]


def trials(X, y):
    evidence = Evidence("auto", "auto", len(X), "unknown")
    objective = KANObjective(
        TabularRegressor._row_loss, KANRegressor._curvature, evidence, 0.0, 1.0, 2.0
    )
    arrays = tuple(map(torch.as_tensor, (X, y[:, None], np.ones(len(X)))))

    def follow(grid_size):
        return lambda module, epoch: epoch == 0 and module.adapt(arrays[0])

    settings = TrainingSettings(optimizer="lm")
    return Trials(Stage(objective, arrays, 20), settings, torch.Generator().manual_seed(0), follow)


def network(n_in, *hidden):
    widths = ((n_in, 0), *((width, 0) for width in hidden), (1, 0))
    return KAN(widths, "bspline", 3, 3, "linear").double()


def test_an_additive_target_takes_no_hidden_nodes():
    X = table(100, 3)
    y = np.sin(3 * X[:, 0]) + X[:, 1] ** 2 + 0.1 * np.random.default_rng(1).normal(size=100)
    assert sizes(KANRegressor(max_iter=8, random_state=0).fit(X, y)) == ()


def test_an_additive_target_without_noise_takes_none_either():
    X = np.random.default_rng(0).normal(size=(200, 5))
    model = KANRegressor(max_iter=20, random_state=0).fit(X, X[:, 0] + X[:, 1])
    assert sizes(model) == ()
    assert model.score(X, X[:, 0] + X[:, 1]) > 1 - 1e-12


def test_a_product_takes_some():
    X = table(100, 2)
    y = X[:, 0] * X[:, 1] + 0.05 * np.random.default_rng(1).normal(size=100)
    model = KANRegressor(grid_sizes=3, max_iter=8, random_state=0).fit(X, y)
    assert len(sizes(model)) == 1
    assert model.score(X, y) > 0.9


def test_sizes_that_are_given_are_kept():
    X = table(60, 2)
    model = KANRegressor((3,), random_state=0, max_iter=5).fit(X, X[:, 0])
    assert sizes(model) == ((3, 0),)
    assert model.optimizer_ == "lm"


def test_a_grown_network_computes_what_the_one_before_did():
    X = table(80, 2)
    made = trials(X, np.sin(2 * X[:, 0]) + X[:, 1])
    additive = made.fit(network(2))
    points = torch.as_tensor(X)
    for before in (additive, made.fit(network(2, 2))):
        grown = made.grown(before, 4)
        for weight in (grown.layers[1].weight,):  # what new nodes say is left out
            n_old = before.module.layers[0].n_subnodes
            weight.data[n_old:] = 0
        torch.testing.assert_close(grown(points), before.module(points), rtol=0, atol=1e-6)


def test_a_trial_far_ahead_of_what_it_is_compared_with_takes_fewer_steps():
    X = table(100, 2)
    made, epochs = trials(X, X[:, 0] * X[:, 1]), []
    plain = made.follow
    made.follow = lambda grid_size: lambda *given: (epochs.append(given[1]), plain(0)(*given))[1]
    additive = made.fit(network(2))
    ahead, epochs[:] = made.fit(network(2, 2)), []
    for rival, fewer in ((additive, True), (ahead, False), (None, False)):
        epochs.clear()
        found = made.fit(network(2, 2), beside=rival)
        assert (len(epochs) < 20) == fewer
        assert found.evidence.log > additive.evidence.log + 100


def test_the_evidence_prefers_the_network_that_made_the_data():
    X = table(200, 2)
    y = X[:, 0] * X[:, 1] + 0.1 * np.random.default_rng(1).normal(size=200)
    made = trials(X, y)
    assert made.fit(network(2, 2)).evidence.log > made.fit(network(2)).evidence.log + 10


def test_rows_left_out_must_agree_with_the_evidence():
    def trial(log, loss):
        evidence = Evidence("auto", "auto", 100, "unknown")
        evidence.log = log
        return Trial(None, evidence, lambda: loss)

    first = trial(0.0, 1.0)
    assert trial(5.0, 0.9).improves_on(first)
    assert not trial(5.0, 0.9).improves_on(first, price=6.0)
    assert not trial(5.0, 1.1).improves_on(first)
    assert trial(50.0, 1.1).improves_on(first)
    assert not trial(-1.0, 0.9).improves_on(first)


def test_rows_left_out_are_told_as_fits_without_them_would():
    X = table(40, 1)
    y = np.sin(3 * X[:, 0]) + 0.3 * np.random.default_rng(1).normal(size=40)
    model = network(1)
    trial = trials(X, y).fit(model)
    inputs = model.layers[0].features(torch.as_tensor(X)).detach().flatten(1).numpy()
    inputs = np.c_[inputs, np.ones(40)]
    rough = np.zeros((len(inputs.T),) * 2)
    rough[:-2, :-2] = model.layers[0].basis.roughness()[0]
    prior = 2 * trial.evidence.smoothness * rough + np.diag(trial.evidence.alphas[[0] * len(rough)])
    prior[-1, -1] = trial.evidence.alphas[-1]
    losses = []
    for i in range(40):
        rest = np.arange(40) != i
        hessian = 2 / 40 * inputs[rest].T @ inputs[rest] + prior
        weights = np.linalg.solve(hessian, 2 / 40 * inputs[rest].T @ y[rest])
        losses.append((inputs[i] @ weights - y[i]) ** 2)
    assert trial.left_out_loss() == pytest.approx(np.mean(losses), rel=1e-3)


def test_inputs_pay_apart_only_where_that_says_more():
    X = table(100, 12)
    noise = 0.1 * np.random.default_rng(1).normal(size=100)
    for y, apart in ((np.sin(3 * X[:, 0]) + noise, True), (X.sum(axis=1) + noise, False)):
        made = trials(X, y)
        assert made.first(network(12)).evidence.by_input is apart
        assert made.stage.objective.evidence.by_input is apart


def test_the_budget_counts_rows_and_weights():
    assert affordable(1000, 300)
    assert not affordable(10**6, 300)
    assert not affordable(100, 4000)


def test_tables_too_wide_for_the_evidence_are_learned_from_the_linear_answer():
    X = table(50, 100)
    y = X.sum(axis=1)
    model = KANRegressor(random_state=0, max_iter=2, tol=0).fit(X, y)
    assert model.optimizer_ == "adam"
    assert model.score(X, y) > 0.9


@pytest.mark.parametrize(
    "options",
    [{"lamb": 1e-3}, {"basis": "cauchy"}, {"dtype": "float32"}, {"batch_size": 10}],
    ids=str,
)
def test_what_levenberg_marquardt_cannot_do_is_left_to_gradients(options):
    X = table(40, 2)
    model = KANRegressor(random_state=0, max_iter=2, tol=0, **options).fit(X, X[:, 0])
    assert model.optimizer_ == "adam"
    assert sizes(model) == ((16, 0),)


def test_data_in_parts_are_learned_by_gradients_and_so_is_what_goes_on():
    X = table(40, 2)
    y = (X[:, 0] > 0).astype(int)
    model = KANClassifier(random_state=0).partial_fit(X, y, classes=[0, 1])
    assert model.optimizer_ == "adam"
    model.partial_fit(X, y)
    assert model.optimizer_ == "adam"


def test_a_warm_start_keeps_the_shape_that_was_found():
    X = table(80, 2)
    y = X[:, 0] * X[:, 1]
    model = KANRegressor(random_state=0, grid_sizes=3, warm_start=True, max_iter=5).fit(X, y)
    found, before = sizes(model), model.score(X, y)
    model.fit(X, y)
    assert sizes(model) == found
    assert model.score(X, y) > before - 1e-6


def test_a_learning_rate_of_ones_own_is_heard_at_a_warm_start_too():
    X = table(60, 2)
    y = X[:, 0]
    model = KANRegressor((), max_iter=5, warm_start=True, random_state=0).fit(X, y)
    assert model.optimizer_ == "lm"
    before = model.predict(X)
    model.set_params(learning_rate=1e-9, max_iter=1).fit(X[y > 0], y[y > 0])
    assert model.optimizer_ == "adam"
    np.testing.assert_allclose(model.predict(X), before, atol=1e-4)
