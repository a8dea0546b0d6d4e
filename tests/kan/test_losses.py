"""Losses beside squares: quantiles lie where they should, counts are answered by their means."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import QuantileRegressor
from sklearn.metrics import mean_pinball_loss, mean_poisson_deviance

from skdyn import KANRegressor
from skdyn.kan._losses import LOSSES, count_scales

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


@pytest.mark.parametrize("loss", LOSSES)
def test_the_constant_answer_is_the_one_that_costs_least(loss):
    y = torch.rand(60, 2).double() ** 2
    weight = torch.rand(60).double()
    kind, unit = LOSSES[loss], np.ones(2)
    best = kind.constant(y, weight, 0.2)

    def cost(answer):
        return (kind.rows(answer.expand_as(y), y, 0.2, unit) * weight).mean()

    for move in (torch.tensor([0.02, 0.0]), torch.tensor([0.0, -0.02])):
        assert cost(best) <= min(cost(best + move), cost(best - move))


def test_losses_are_those_of_scikit_learn_but_for_a_factor():
    y, answer = torch.rand(40, 1).double(), torch.randn(40, 1).double()
    pinball = LOSSES["quantile"].rows(answer, y, 0.3, 1.0).mean()
    expected = mean_pinball_loss(y.numpy(), answer.numpy(), alpha=0.3)
    assert pinball.item() == pytest.approx(2 * expected)
    deviance = LOSSES["poisson"].rows(answer, y, 0.3, np.array([2.0])).mean()
    expected = mean_poisson_deviance(y.numpy().ravel(), answer.exp().numpy().ravel())
    assert deviance.item() == pytest.approx(expected / 2)


@pytest.mark.parametrize("optimizer", ["auto", "lbfgs"])
def test_quantiles_of_noise_that_grows_are_found(optimizer):
    generator = np.random.default_rng(0)
    X = generator.uniform(0, 1, (400, 1))
    y = X[:, 0] * (1 + generator.normal(size=400))
    model = KANRegressor((), loss="quantile", quantile=0.9, optimizer=optimizer, random_state=0)
    model.set_params(max_iter=80 if optimizer == "auto" else 8).fit(X, y)
    assert model.optimizer_ == ("adam" if optimizer == "auto" else "lbfgs")
    assert np.mean(y <= model.predict(X)) == pytest.approx(0.9, abs=0.03)
    line = QuantileRegressor(quantile=0.9, alpha=0).fit(X, y).predict(X)
    ours = mean_pinball_loss(y, model.predict(X), alpha=0.9)
    assert ours < 1.02 * mean_pinball_loss(y, line, alpha=0.9)


def test_counts_are_answered_by_means_that_add_up_in_logarithms():
    generator = np.random.default_rng(0)
    X = generator.uniform(-1, 1, (400, 2))
    truth = np.exp(1 + 1.5 * X[:, 0] - X[:, 1])
    y = generator.poisson(truth)
    model = KANRegressor((), loss="poisson", max_iter=100, random_state=0).fit(X, y)
    ours, mean = model.predict(X), np.full(400, y.mean())
    assert (ours > 0).all()
    assert mean_poisson_deviance(truth, ours) < 0.03 * mean_poisson_deviance(truth, mean)
    step = np.array([1e-5, 0.0])
    difference = (model.predict(X + step) - model.predict(X - step)) / 2e-5
    np.testing.assert_allclose(model.predict_gradient(X)[:, 0], difference, rtol=1e-4)


def test_with_a_loss_of_ones_own_rising_columns_still_rise():
    generator = np.random.default_rng(0)
    X = generator.uniform(-1, 1, (80, 1))
    model = KANRegressor((), loss="poisson", monotonic_cst=[-1], max_iter=5, random_state=0)
    answers = model.fit(X, generator.poisson(3, 80)).predict(np.linspace(-2, 2, 99)[:, None])
    assert (np.diff(answers) <= 0).all()


def test_what_does_not_go_with_a_loss_is_refused_by_name():
    X, y = np.random.default_rng(0).uniform(0, 1, (40, 1)), np.arange(40.0)
    with pytest.raises(ValueError, match="optimizer='lm' needs loss='squared'"):
        KANRegressor(loss="quantile", optimizer="lm").fit(X, y)
    with pytest.raises(ValueError, match="'quantile' parameter"):
        KANRegressor(loss="quantile", quantile=1.0).fit(X, y)
    with pytest.raises(ValueError, match=r"loss='poisson' needs y >= 0; got -1"):
        KANRegressor(loss="poisson").fit(X, y - 1)
    with pytest.raises(ValueError, match="some are above zero"):
        count_scales(np.zeros((3, 1)), None)
    model = KANRegressor((), loss="poisson", max_iter=2).fit(X, y)
    with pytest.raises(ValueError, match="has no formula"):
        model.auto_symbolic()
