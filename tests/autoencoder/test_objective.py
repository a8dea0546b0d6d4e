import pytest
import torch

from skdyn.autoencoder._network import SparseCoder
from skdyn.autoencoder._objective import ObjectiveSettings, ReconstructionObjective
from skdyn.autoencoder._plan import Plan
from skdyn.autoencoder._start import start_from_data
from skdyn.autoencoder.allocations import ALLOCATIONS
from skdyn.training import seeded_rng

X = torch.randn(40, 6, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def _coder():
    with seeded_rng(0):
        return SparseCoder(6, 6, 20, 3, "topk").double()


def _dense(coder, x):
    pre = (x - coder.decoder_bias) @ coder.encoder_weight.T + coder.encoder_bias
    best = pre.topk(3, dim=1)
    return torch.zeros_like(pre).scatter(1, best.indices, torch.relu(best.values))


def _leave_out_norms(coder):
    weight = coder.decoder_weight.detach()
    weight_gradient = coder.decoder_weight.grad
    along = (weight_gradient * weight).sum(dim=1) / weight.square().sum(dim=1)
    weight_gradient -= along[:, None] * weight


def test_the_loss_and_its_gradients_equal_those_of_dense_autograd():
    ours, theirs = _coder(), _coder()
    loss = ReconstructionObjective(ObjectiveSettings(3), Plan(400))(ours, X)
    rebuilt = _dense(theirs, X) @ theirs.decoder_weight + theirs.decoder_bias
    expected = (rebuilt - X).square().mean()
    torch.testing.assert_close(loss, expected, rtol=0, atol=1e-10)
    loss.backward()
    expected.backward()
    _leave_out_norms(theirs)
    for (name, one), other in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=0, atol=1e-10, msg=name)


def test_the_loss_curve_equals_that_of_dense_autograd():
    ours, theirs = _coder(), _coder()
    objective = ReconstructionObjective(ObjectiveSettings(3), Plan(1600))
    optimizers = [torch.optim.Adam(c.parameters(), lr=0.01) for c in (ours, theirs)]
    for _ in range(40):
        loss = objective(ours, X)
        rebuilt = _dense(theirs, X) @ theirs.decoder_weight + theirs.decoder_bias
        expected = (rebuilt - X).square().mean()
        torch.testing.assert_close(loss, expected, rtol=1e-8, atol=0)
        for optimizer, value, coder in zip(optimizers, (loss, expected), (ours, theirs)):
            optimizer.zero_grad()
            value.backward()
            if coder is theirs:
                _leave_out_norms(coder)
            optimizer.step()
            objective.after_step(coder)
    norms = ours.decoder_weight.norm(dim=1)
    torch.testing.assert_close(norms, torch.ones_like(norms))


def test_prefixes_reconstruct_alone():
    coder = _coder()
    loss = ReconstructionObjective(ObjectiveSettings(3, prefixes=(4, 11)), Plan(400))(coder, X)
    codes = _dense(coder, X)
    expected = [
        (codes[:, :end] @ coder.decoder_weight[:end] + coder.decoder_bias - X).square().mean()
        for end in (4, 11, 20)
    ]
    torch.testing.assert_close(loss, sum(expected) / 3)


def test_sparsity_tightens_over_the_warm_up():
    settings = ObjectiveSettings(3, l1_coefficient=2.0, sparsity_warmup=0.5)
    objective = ReconstructionObjective(settings, Plan(400))
    assert objective.sparsity(0.0, 20) == (12, 0.0)
    assert objective.sparsity(0.25, 20) == (8, 1.0)  # half-way from twelve, rounded
    assert objective.sparsity(0.5, 20) == (3, 2.0)
    assert objective.sparsity(0.0, 5)[0] == 5  # no more than there are


@pytest.mark.parametrize("name", sorted(ALLOCATIONS))
def test_the_trivial_loss_is_that_of_no_code_at_all(name):
    allocation = ALLOCATIONS[name]()
    settings = tuple(sorted(allocation.get_params().items()))
    with seeded_rng(0):
        coder = SparseCoder(6, 6, 20, 3, name, settings).double()
    rows = torch.cat([X, -X]).numpy() * 7.0 + 3.0
    start_from_data(coder, rows)
    with torch.no_grad():
        coder.encoder_bias.fill_(-1e3)
        if name == "jumprelu":
            coder.log_threshold.fill_(5.0)
    objective = ReconstructionObjective(ObjectiveSettings(3), Plan(400))
    loss = objective(coder, torch.from_numpy(rows)).item()
    assert loss == pytest.approx(objective.trivial_loss + allocation.trivial_penalty, rel=1e-3)
