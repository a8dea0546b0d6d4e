import numpy as np
import pytest
import torch

from skdyn.hopfield import PolynomialInteraction
from skdyn.hopfield._interactions import INTERACTIONS, as_interaction

ALL = [*map(as_interaction, INTERACTIONS), PolynomialInteraction(order=6)]
BETA = 0.3
rng = np.random.default_rng(0)
patterns = rng.choice([-1.0, 1.0], size=(9, 12))
states = torch.from_numpy(np.concatenate([rng.choice([-1.0, 1.0], size=(16, 12)), patterns[:4]]))


def couplings_of(interaction):
    return torch.from_numpy(interaction._couplings(patterns))


def energy(interaction, s):
    return interaction._energy(s @ couplings_of(interaction).T, 12, BETA)


@pytest.mark.parametrize("interaction", ALL, ids=repr)
def test_the_cost_of_a_flip_is_the_change_of_energy(interaction):
    couplings = couplings_of(interaction)
    costs, _ = interaction._flip_costs(states, states @ couplings.T, couplings, BETA)
    before, changes = energy(interaction, states), torch.empty_like(costs)
    for i in range(12):
        flipped = states.clone()
        flipped[:, i] *= -1
        after = energy(interaction, flipped)
        if interaction is INTERACTIONS["exponential"]:  # whose energy is a logarithm
            before_, after = -torch.exp(-BETA * before), -torch.exp(-BETA * after)
            highest = (states @ couplings.T).amax(dim=1) + 2
            changes[:, i] = (after - before_) / torch.exp(BETA * highest)
        else:
            changes[:, i] = after - before
    torch.testing.assert_close(costs, changes, atol=1e-12, rtol=1e-10)


@pytest.mark.parametrize("interaction", ALL, ids=repr)
def test_slopes_give_the_direction_in_which_the_energy_falls(interaction):
    couplings, s = couplings_of(interaction), states.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(energy(interaction, s).sum(), s)
    force = interaction._slopes(states @ couplings.T, 12, BETA) @ couplings
    cosine = torch.nn.functional.cosine_similarity(force, -gradient)
    torch.testing.assert_close(cosine, torch.ones_like(cosine))


@pytest.mark.parametrize("interaction", ALL, ids=repr)
def test_the_energy_is_concave(interaction):
    ends = (energy(interaction, states[:10]) + energy(interaction, states[10:])) / 2
    assert (energy(interaction, (states[:10] + states[10:]) / 2) >= ends - 1e-12).all()


def test_hebb_couples_bits_by_their_mean_product():
    couplings = couplings_of(INTERACTIONS["hebb"]).numpy()
    expected = sum(np.outer(x, x) for x in patterns) / 12
    np.testing.assert_allclose(couplings.T @ couplings, expected, atol=1e-14)


@pytest.mark.parametrize("dependent", [False, True])
def test_the_pseudo_inverse_projects_on_the_span(dependent):
    X = np.concatenate([patterns, patterns[:3], -patterns[4:5]]) if dependent else patterns
    couplings = INTERACTIONS["pseudo_inverse"]._couplings(X)
    assert len(couplings) == 9
    np.testing.assert_allclose(couplings.T @ couplings, np.linalg.pinv(X) @ X, atol=1e-12)


@pytest.mark.parametrize("beta", [1e-300, 1e300])
def test_the_exponential_stays_finite_at_any_beta(beta):
    exponential, overlaps = INTERACTIONS["exponential"], states @ couplings_of(ALL[-1]).T
    assert exponential._energy(overlaps, 12, beta).isfinite().all()
    costs, size = exponential._flip_costs(states, overlaps, torch.from_numpy(patterns), beta)
    assert costs.isfinite().all()
    assert size.isfinite().all()


def test_a_high_order_stays_finite():
    steep = PolynomialInteraction(order=500)
    overlaps = states @ torch.from_numpy(patterns).T
    costs, _ = steep._flip_costs(states, overlaps, torch.from_numpy(patterns), BETA)
    assert costs.isfinite().all()
    assert steep._capacity(10**4)[0] == INTERACTIONS["exponential"]._capacity(10**4)[0] == np.inf


def test_laws_of_capacity_are_those_of_the_papers():
    assert INTERACTIONS["hebb"]._capacity(1000)[0] == pytest.approx(138)
    assert INTERACTIONS["exponential"]._capacity(64)[0] == 2.0**32
    assert INTERACTIONS["pseudo_inverse"]._capacity(64)[0] == 64
    for order, odd_factorial in ((2, 1), (3, 3), (4, 15), (5, 105)):
        expected = 100 ** (order - 1) / (2 * odd_factorial * np.log(100))
        assert PolynomialInteraction(order)._capacity(100)[0] == pytest.approx(expected)
