import pytest
import torch

from skdyn.autoencoder import SparseAutoencoder
from skdyn.autoencoder._kernels import Codes
from skdyn.autoencoder.allocations import JumpReLUAllocation, ReLUAllocation, TopKAllocation
from skdyn.autoencoder.allocations._steering import steered_strength
from skdyn.datasets import make_superposition

X = make_superposition(480, 16, 24, l0=3.0, random_state=0)[0]


def _codes(n_active):
    """Of twenty rows, so many latents each."""
    dense = torch.zeros(20, 24)
    dense[:, :n_active] = 1.0
    return Codes.of_mask(dense > 0, dense)


def test_a_penalty_grows_with_too_many_and_shrinks_with_too_few(make_coder):
    coder = make_coder("relu")
    one = coder.penalty_strength.item()
    assert steered_strength(coder, _codes(3), 3, None).item() == one
    more = steered_strength(coder, _codes(5), 3, None).item()
    assert one < more
    assert steered_strength(coder, _codes(1), 3, None).item() < more
    for _ in range(1000):  # nothing is active, whatever the penalty
        steered_strength(coder, _codes(0), 3, None)
    assert 0 < coder.penalty_strength < one


def test_a_strength_that_is_given_stays(make_coder):
    coder = make_coder("gated")
    assert steered_strength(coder, _codes(9), 3, 0.7) == 0.7
    assert coder.penalty_strength == 1.0


@pytest.mark.parametrize("allocation", ["relu", "gated", "jumprelu"])
def test_about_k_are_active_after_a_training_that_had_the_time(allocation):
    model = SparseAutoencoder(
        24, k=3, allocation=allocation, max_iter=9, batch_size=40, learning_rate=0.02,
        random_state=0,
    ).fit(X)  # fmt: skip
    assert (model.transform(X) > 0).sum(axis=1).mean() == pytest.approx(3, rel=0.1)


def test_only_those_that_penalize_numbers_or_are_steered_aim_at_k():
    assert JumpReLUAllocation().aims_at_k(1.0)
    assert not JumpReLUAllocation(strength=0.0).aims_at_k(None)
    assert [ReLUAllocation().aims_at_k(given) for given in (None, 0.0, 1.0)] == [True, False, False]
    assert not TopKAllocation().aims_at_k(None)


@pytest.mark.parametrize("allocation", ["relu", "gated", "jumprelu"])
@pytest.mark.parametrize("learning_rate", [3e-4, 1e-2])
def test_k_is_kept_however_slow_and_short_the_training(allocation, learning_rate):
    settings = {"learning_rate": learning_rate, "max_iter": 2, "random_state": 0}
    model = SparseAutoencoder(24, k=3, allocation=allocation, **settings).fit(X)
    assert (model.transform(X) > 0).sum(axis=1).mean() == pytest.approx(3, rel=0.01)


@pytest.mark.parametrize("name", ["relu", "gated"])
def test_the_bias_is_shifted_by_the_mean_over_batches(make_coder, pre, name):
    coder = make_coder(name)
    before = coder.encoder_bias.detach().clone()
    with torch.no_grad():
        for part in pre.split(20):
            shifted = part + (coder.encoder_bias - before)
            coder.allocation.calibrate(shifted, coder, fresh=True)
        of_each = [-part.flatten().topk(3 * 20 + 1).values[-2:].mean() for part in pre.split(20)]
        expected = before + torch.stack(of_each).mean()
        torch.testing.assert_close(coder.encoder_bias.data, expected)
        coder.allocation.calibrate(pre, coder, fresh=False)
        torch.testing.assert_close(coder.encoder_bias.data, expected)


def test_a_budget_that_was_missed_is_told_unless_a_penalty_was_asked_for(recwarn):
    settings = {"k": 3, "max_iter": 2, "random_state": 0, "warm_start": True}
    model = SparseAutoencoder(24, allocation="relu", **settings).fit(X)
    with pytest.warns(UserWarning, match=r"latents per row are active .* not about k=3: .*'relu'"):
        model.fit(3.0 * X)  # what was trained before is not shifted
    recwarn.clear()
    model.set_params(l1_coefficient=1.0, warm_start=False).fit(X)
    assert (model.transform(X) > 0).sum(axis=1).mean() > 3 * 1.25
    assert not [w for w in recwarn if "latents per row are active" in str(w.message)]
