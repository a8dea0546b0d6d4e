import copy
import warnings

import numpy as np
import pandas as pd
import pytest
import torch

from skdyn.kan import KANRegressor


def wave(n, noise, seed=0, lowest=-3.0):
    rng = np.random.default_rng(seed)
    X = rng.uniform(lowest, 3, (n, 1))
    return X, np.sin(2 * X[:, 0]) + noise * rng.normal(size=n)


@pytest.fixture(scope="module")
def fitted():
    X, y = wave(80, 0.2)
    return KANRegressor((), optimizer="lm", max_iter=15, random_state=0).fit(X, y)


def test_one_layer_is_as_sure_as_bayesian_regression_on_its_functions():
    X, y = wave(40, 0.2)
    model = KANRegressor(
        (), optimizer="lm", alpha=0.5, smoothness=0.1, grid_update=None, max_iter=15,
        random_state=0,
    ).fit(X, y)  # fmt: skip
    (layer,) = model.module_.layers

    def columns(X):
        x = torch.as_tensor((X - model._x_offset) / model._x_scale)
        return np.column_stack([layer.basis.features(x)[:, 0].numpy(), np.ones(len(X))])

    rough = np.zeros((columns(X).shape[1],) * 2)
    rough[:-2, :-2] = 0.1 * 2 * layer.basis.roughness()[0].numpy()
    rough += 0.5 * np.eye(len(rough))
    gram = 2 * columns(X).T @ columns(X)
    target = (y - model._y_offset) / model._y_scale
    covariance = np.linalg.inv(gram + rough)
    weights = covariance @ (2 * columns(X).T @ target)
    decided = np.trace(covariance @ gram)
    noise = ((columns(X) @ weights - target) ** 2).sum() / (len(X) - decided)
    new = np.linspace(-5, 5, 9)[:, None]
    variance = noise * (1 + 2 * np.einsum("ni,ij,nj->n", columns(new), covariance, columns(new)))
    mean, std = model.predict(new, return_std=True)
    np.testing.assert_allclose(
        mean, columns(new) @ weights * model._y_scale + model._y_offset, rtol=1e-6, atol=1e-8
    )
    np.testing.assert_allclose(std, variance**0.5 * model._y_scale, rtol=1e-6)
    np.testing.assert_allclose(model.noise_, noise**0.5 * model._y_scale, rtol=1e-6)


def test_intervals_hold_what_they_say():
    shares = []
    for seed in range(6):
        model = KANRegressor((), optimizer="lm", grid_sizes=8, max_iter=15, random_state=0)
        model.fit(*wave(120, 0.2, seed))
        X, y = wave(400, 0.2, 100 + seed)
        mean, std = model.predict(X, return_std=True)
        shares.append(np.mean(np.abs(y - mean) < 1.96 * std))
    assert 0.93 < np.mean(shares) < 0.97


def test_answers_far_from_the_data_are_less_sure(fitted):
    _, std = fitted.predict([[0.0], [4.0], [6.0]], return_std=True)
    assert fitted.noise_[0] < std[0] < std[1] < std[2]


def test_draws_have_the_mean_and_the_spread_of_the_prediction(fitted):
    X = [[-1.0], [0.5], [5.0]]
    mean, std = fitted.predict(X, return_std=True)
    draws = fitted.sample_y(X, 4000, random_state=1)
    assert draws.shape == (3, 4000)
    np.testing.assert_allclose(draws.mean(axis=1), mean, atol=0.06 * std.max())
    np.testing.assert_allclose(draws.std(axis=1), std, rtol=0.06)
    np.testing.assert_array_equal(draws, fitted.sample_y(X, 4000, random_state=1))


def test_a_draw_is_of_one_curve(fitted):
    draws = fitted.sample_y([[6.0], [6.1]], 500) - fitted.predict([[6.0], [6.1]])[:, None]
    assert np.corrcoef(draws)[0, 1] > 0.9  # far outside there is more doubt than noise


def test_each_target_has_its_noise_and_a_constant_one_has_none():
    X, y = wave(100, 0.1)
    rng = np.random.default_rng(1)
    Y = np.column_stack([y, 100 * (y + rng.normal(size=100)), np.full(100, 7.0)])
    model = KANRegressor((), optimizer="lm", max_iter=15, random_state=0).fit(X, Y)
    assert 0.07 < model.noise_[0] < 0.2
    assert 70 < model.noise_[1] < 130
    mean, std = model.predict(X[:4], return_std=True)
    assert mean.shape == std.shape == (4, 3)
    assert (std[:, 2] == 0).all()
    assert model.sample_y(X[:4], 5).shape == (4, 3, 5)
    assert (model.sample_y(X[:4], 5)[:, 2] == 7).all()


def test_gradients_that_follow_noise_do_not_hide_it():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(120, 20)), rng.normal(size=120)
    model = KANRegressor((4,), optimizer="adam", max_iter=80, random_state=0)
    with pytest.warns(UserWarning, match="worse than one answer for all"):
        model.fit(X, y)
    mean, std = model.predict(rng.normal(size=(300, 20)), return_std=True)
    error = ((mean - rng.normal(size=300)) ** 2).mean() ** 0.5
    assert np.std(y - model.predict(X)) < 0.6 * error  # residuals alone say half of it
    assert 0.75 * error < np.sqrt((std**2).mean()) < 1.5 * error


def test_rows_held_out_say_how_large_the_noise_is():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 12)), rng.normal(size=60)
    X_val, y_val = rng.normal(size=(200, 12)), rng.normal(size=200)
    model = KANRegressor((8,), optimizer="adam", max_iter=20, early_stopping=True, random_state=0)
    model.fit(X, y, X_val=X_val, y_val=y_val)
    error = (model.predict(X_val) - y_val).std()
    assert np.sqrt((model.predict(X_val, return_std=True)[1] ** 2).mean()) > 0.9 * error


@pytest.mark.parametrize("change", ["partial_fit", "prune", "fix_symbolic"])
def test_weights_that_fit_did_not_end_with_have_no_spread(fitted, change):
    model = copy.deepcopy(fitted)
    if change == "partial_fit":
        model = KANRegressor((), optimizer="adam", random_state=0).partial_fit(*wave(30, 0.1))
    elif change == "prune":
        model = model.prune(edge_threshold=0.0, node_threshold=0.0)
    else:
        model.fix_symbolic(0, 0, 0, "sin")
    with pytest.raises(ValueError, match="Call fit"):
        model.predict([[0.0]], return_std=True)
    with pytest.raises(ValueError, match="Call fit"):
        model.sample_y([[0.0]])
    assert model.predict([[0.0]]).shape == (1,)


def test_other_losses_have_no_standard_deviation():
    model = KANRegressor((), loss="quantile", max_iter=2, random_state=0)
    with warnings.catch_warnings(action="ignore"):
        model.fit(*wave(30, 0.1))
    with pytest.raises(ValueError, match="loss='quantile'"):
        model.predict([[0.0]], return_std=True)


def test_gaps_and_categories_have_a_spread():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"number": rng.normal(size=90), "kind": rng.choice(["a", "b"], 90)})
    y = X["number"] + 3.0 * (X["kind"] == "b") + 0.1 * rng.normal(size=90)
    X.loc[::9, "number"] = np.nan
    model = KANRegressor((), optimizer="lm", max_iter=15, random_state=0).fit(X, y)
    mean, std = model.predict(X.assign(kind="b"), return_std=True)
    assert 0.07 < std.min() < std[1] < 1.5 * std[0]  # of a gap the value is not known
