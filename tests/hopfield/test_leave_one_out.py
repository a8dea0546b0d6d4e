import numpy as np
import pytest
import torch
from sklearn import config_context

from skdyn.hopfield import _leave_one_out
from skdyn.hopfield._frozen_memory import FrozenMemory
from skdyn.hopfield._leave_one_out import best_beta, best_of_ladder
from skdyn.hopfield._separations import SEPARATIONS

rng = np.random.default_rng(0)
X = torch.from_numpy(rng.normal(size=(30, 3)))
Y = torch.column_stack([X[:, 0], X[:, 1].square()])
MASS = torch.from_numpy(rng.uniform(0.5, 2.0, size=30))
BETAS = [0.5, 1.0, 2.0, 4.0, 8.0, 16.0]


@pytest.mark.parametrize("similarity", ["euclidean", "dot"])
@pytest.mark.parametrize("name", SEPARATIONS)
def test_closed_form_equals_recall_from_a_store_without_the_row(name, similarity):
    how = {"similarity": similarity, "separation": SEPARATIONS[name]}
    memory = FrozenMemory(X, Y, MASS, **how)
    found = memory.means_by_beta(X[:10], BETAS, exclude=torch.arange(10))
    for i in range(10):
        others = torch.arange(30) != i
        for beta, means in zip(BETAS, found):
            rest = FrozenMemory(X[others], Y[others], MASS[others], beta, **how)
            torch.testing.assert_close(means[i], rest.means(X[i : i + 1])[0])


def test_powers_stay_exact_where_weights_underflow():
    memory = FrozenMemory(X.float(), Y.float(), MASS.float())
    betas = [2.0**power for power in range(20)]
    found = memory.means_by_beta(X.float(), betas, exclude=torch.arange(30))
    distances = torch.cdist(X, X).fill_diagonal_(torch.inf)
    torch.testing.assert_close(found[-1], Y.float()[distances.argmin(dim=1)], atol=1e-3, rtol=0)


def test_chunks_change_nothing():
    memory = FrozenMemory(X, Y, MASS)
    whole = memory.means_by_beta(X, BETAS)
    with config_context(working_memory=2e-3):
        torch.testing.assert_close(memory.means_by_beta(X, BETAS), whole)


def squared_error(means, n_rows):
    losses = (means - Y[:n_rows]).square().mean(dim=(1, 2))
    return losses, torch.zeros_like(losses)


def test_the_best_beta_is_the_one_of_least_loss():
    how = {"similarity": "euclidean", "separation": SEPARATIONS["softmax"]}
    best = best_beta(X, Y, MASS, squared_error, unit=2.0, **how)
    for beta in (best.beta / 2, best.beta, best.beta * 2):
        one = best_beta(X, Y, MASS, squared_error, unit=2.0, beta=beta, **how)
        assert one.beta == beta
        assert one.loss >= best.loss * (1 - 1e-9)


def test_of_many_rows_few_tell_which_betas_to_ask_all_of_them(monkeypatch):
    how = {"similarity": "euclidean", "separation": SEPARATIONS["softmax"]}
    wanted = best_beta(X, Y, MASS, squared_error, unit=2.0, **how)
    monkeypatch.setattr(_leave_one_out, "_MANY_WEIGHTS", 0)
    monkeypatch.setattr(_leave_one_out, "_FEW", 12)
    found = best_beta(X, Y, MASS, squared_error, unit=2.0, **how)
    assert found == pytest.approx(wanted)


def test_a_single_pattern_leaves_nothing_to_choose():
    how = {"similarity": "euclidean", "separation": SEPARATIONS["softmax"]}
    assert best_beta(X[:1], Y[:1], MASS[:1], squared_error, **how) == (1.0, 0.0, 0.0)
    assert best_beta(X[:1], Y[:1], MASS[:1], squared_error, beta=3.0, **how).beta == 3.0


def least_at(best):
    """A recall that hands on the betas, and a loss that is least at one of them."""

    def recall(betas):
        return torch.tensor(betas)[:, None, None]

    def loss(means, n_rows):
        losses = (means[:, 0, 0] / best).log().abs()
        return losses, torch.zeros_like(losses)

    return recall, loss


@pytest.mark.parametrize("best", [2.0**-10, 2.0**-3, 4.0, 2.0**15, 2.0**24])
def test_the_ladder_goes_on_where_the_best_is_at_its_end(best):
    assert best_of_ladder(*least_at(best)).beta == best


def test_an_end_of_the_ladder_is_told():
    with pytest.warns(UserWarning, match=r"beta='auto' ended at 1.07e\+09"):
        best_of_ladder(*least_at(2.0**50))
