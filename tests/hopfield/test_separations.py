import numpy as np
import pytest
import torch
from scipy.optimize import brentq

import skdyn.io
from skdyn.hopfield import EntmaxSeparation, HopfieldMemory, TopKSeparation
from skdyn.hopfield._separations import SEPARATIONS, as_separation

ALL = [EntmaxSeparation(1.0), EntmaxSeparation(1.25), *map(as_separation, SEPARATIONS)]
scores = torch.from_numpy(np.random.default_rng(0).normal(size=(20, 15)) * 3)


@pytest.mark.parametrize("separation", ALL)
def test_weights_are_a_distribution(separation):
    p = separation.weights(scores)
    assert (p >= 0).all()
    torch.testing.assert_close(p.sum(-1), torch.ones(20, dtype=torch.float64))


@pytest.mark.parametrize("separation", ALL)
def test_weights_are_the_gradient_of_the_potential(separation):
    z = scores.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(separation.potential(z).sum(), z)
    torch.testing.assert_close(gradient, separation.weights(scores), atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize("separation", ALL)
def test_weights_have_right_derivatives(separation):
    assert torch.autograd.gradcheck(separation.weights, scores[:3].clone().requires_grad_())


@pytest.mark.parametrize("separation", ALL)
def test_potential_is_convex(separation):
    middle = separation.potential((scores[:10] + scores[10:]) / 2)
    ends = (separation.potential(scores[:10]) + separation.potential(scores[10:])) / 2
    assert (middle <= ends + 1e-12).all()


@pytest.mark.parametrize("separation", ALL)
def test_weights_do_not_change_when_all_scores_shift(separation):
    torch.testing.assert_close(separation.weights(scores + 7), separation.weights(scores))


@pytest.mark.parametrize("alpha", [1.1, 1.5, 1.9, 2.0])
def test_entmax_agrees_with_a_root_finder(alpha):
    power = 1 / (alpha - 1)
    for z in scores.numpy() * (alpha - 1):

        def excess(tau, z=z):
            return (np.clip(z - tau, 0, None) ** power).sum() - 1

        tau = brentq(excess, z.max() - 1, z.max(), xtol=1e-14)
        p = EntmaxSeparation(alpha).weights(torch.from_numpy(z / (alpha - 1))).numpy()
        np.testing.assert_allclose(p, np.clip(z - tau, 0, None) ** power, atol=1e-10)


def test_entmax_tends_to_softmax():
    p = EntmaxSeparation(1 + 1e-5).weights(scores)
    torch.testing.assert_close(p, torch.softmax(scores, -1), atol=1e-4, rtol=0)


@pytest.mark.parametrize("separation", ALL)
def test_huge_scores_select_the_best_and_stay_finite(separation):
    for dtype in (torch.float32, torch.float64):
        p = separation.weights((scores * 1e30).to(dtype))
        torch.testing.assert_close(p, torch.nn.functional.one_hot(scores.argmax(-1), 15).to(dtype))


@pytest.mark.parametrize("separation", ALL)
def test_a_pattern_of_score_minus_infinity_takes_no_part(separation):
    masked = scores.clone()
    masked[:, 3] = -torch.inf
    others = [j for j in range(15) if j != 3]
    p = separation.weights(masked)
    assert (p[:, 3] == 0).all()
    torch.testing.assert_close(p[:, others], separation.weights(scores[:, others]))
    torch.testing.assert_close(
        separation.potential(masked), separation.potential(scores[:, others])
    )


@pytest.mark.parametrize("separation", ALL)
def test_a_mass_of_k_equals_k_copies(separation):
    copies = torch.from_numpy(np.random.default_rng(1).integers(1, 4, size=15))
    expected = separation.weights(scores.repeat_interleave(copies, dim=-1))
    owner = torch.arange(15).repeat_interleave(copies)
    expected = torch.zeros_like(scores).index_add(-1, owner, expected)
    torch.testing.assert_close(separation.weights(scores, copies.double()), expected)


@pytest.mark.parametrize("separation", ALL)
def test_the_potential_of_masses_is_that_of_copies(separation):
    copies = torch.from_numpy(np.random.default_rng(1).integers(1, 4, size=15))
    expected = separation.potential(scores.repeat_interleave(copies, dim=-1))
    torch.testing.assert_close(separation.potential(scores, copies.double()), expected)


@pytest.mark.parametrize("separation", ALL)
@pytest.mark.parametrize("weighed", [False, True])
def test_many_betas_at_once_give_the_weights_of_each(separation, weighed):
    betas = [2.0**power for power in range(-3, 20)]
    z = scores - scores.amax(dim=-1, keepdim=True)
    z[:, 4].fill_(-torch.inf)
    z = z - z.amax(dim=-1, keepdim=True)
    mass = torch.from_numpy(np.random.default_rng(2).uniform(0.2, 3, size=15)) if weighed else None
    shares = separation.shares_by_beta(z.clone(), mass, betas)
    for beta, share in zip(betas, shares, strict=True):
        p = share if mass is None else share * mass
        p = p / p.sum(dim=-1, keepdim=True)
        # Squares of squares of exponentials are cut where they are next to nothing.
        torch.testing.assert_close(p, separation.weights(beta * z, mass), atol=1e-8, rtol=1e-8)


def test_light_patterns_let_more_than_k_of_them_take_part():
    p = TopKSeparation(2).weights(scores, torch.full((15,), 0.25, dtype=torch.float64))
    assert ((p > 0).sum(-1) == 8).all()


@pytest.mark.parametrize("separation", ALL)
def test_weights_with_masses_have_right_derivatives(separation):
    mass = torch.from_numpy(np.random.default_rng(2).uniform(0.3, 3, size=15))
    z = scores[:3].clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda z: separation.weights(z, mass), z)


def test_topk_gives_weight_to_k_patterns():
    assert ((TopKSeparation(4).weights(scores) > 0).sum(-1) == 4).all()


def test_topk_of_all_patterns_is_softmax():
    torch.testing.assert_close(TopKSeparation(100).weights(scores), torch.softmax(scores, -1))


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match="alpha must be in \\[1, 2\\]"):
        EntmaxSeparation(3.0)
    with pytest.raises(ValueError, match="k must be at least 1"):
        TopKSeparation(0)


def test_separations_are_saved_with_the_estimators_that_hold_them(tmp_path):
    memory = HopfieldMemory(EntmaxSeparation(alpha=1.25)).fit(np.eye(3))
    skdyn.io.save(memory, tmp_path / "memory")
    loaded = skdyn.io.load(tmp_path / "memory")
    assert loaded.interaction == EntmaxSeparation(alpha=1.25)
    np.testing.assert_array_equal(loaded.transform(np.eye(3)), memory.transform(np.eye(3)))
