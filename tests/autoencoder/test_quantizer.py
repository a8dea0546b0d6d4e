import numpy as np
import pytest
import torch

from skdyn.autoencoder._plan import Plan
from skdyn.autoencoder._quantizer import Codebook, QuantizationObjective, start_codes
from skdyn.training import new_generator, seeded_rng

X = np.random.default_rng(0).normal(size=(50, 3)) * 5.0 + 2.0


def _codebook(n_components=6, k=2, assignment="residual"):
    with seeded_rng(0):
        codebook = Codebook(3, n_components, k, assignment).double()
    start_codes(codebook, X, new_generator(0))
    return codebook


def test_residual_choice_is_the_nearest_code_not_yet_taken_to_what_is_left():
    codebook = _codebook(k=3)
    x, codes = (
        codebook.scaled(torch.from_numpy(X)).numpy(),
        codebook.decoder_weight.detach().numpy(),
    )
    for row, chosen in zip(x, codebook.choose(torch.from_numpy(x)).index.view(-1, 3).tolist()):
        left, free = row.copy(), set(range(6))
        for code in chosen:
            assert code == min(free, key=lambda j: np.linalg.norm(left - codes[j]))
            left -= codes[code]
            free.remove(code)


def test_cosine_choice_is_the_most_similar_directions():
    codebook = _codebook(assignment="cosine")
    x, codes = codebook.scaled(torch.from_numpy(X)), codebook.decoder_weight.detach()
    cosines = torch.nn.functional.cosine_similarity(x[:, None], codes, dim=2)
    best = cosines.topk(2, dim=1).indices.flatten().tolist()
    assert codebook.choose(x).index.tolist() == best


def test_an_unknown_choice_is_refused():
    codebook = _codebook()
    codebook.assignment = "random"
    with pytest.raises(ValueError, match="assignment must be one of"):
        codebook.choose(torch.from_numpy(X))


def test_gradients_pass_straight_through_to_what_comes_before():
    codebook = _codebook()
    x = torch.from_numpy(X).requires_grad_()
    quantized = codebook(x)
    assert torch.equal(quantized, codebook.decode(codebook.encode(x)))
    weights = torch.arange(150.0).double().view(50, 3)
    (quantized * weights).sum().backward()
    assert torch.equal(x.grad, weights)
    assert codebook.decoder_weight.grad is None


def test_the_loss_is_the_error_in_units_of_the_variance():
    codebook = _codebook(n_components=12)
    x = torch.from_numpy(X)
    loss = QuantizationObjective(100, new_generator(0), Plan(None))(codebook, x)
    error = (codebook(x) - x).square().mean() * codebook.output_scale[0] ** 2
    torch.testing.assert_close(loss, error)


def test_the_first_codes_of_a_single_group_are_rows():
    codebook = _codebook(k=1)
    rows = codebook.scaled(torch.from_numpy(X))
    distances = torch.cdist(codebook.decoder_weight.detach(), rows)
    assert distances.min(dim=1).values.max() < 1e-6
    assert len(distances.argmin(dim=1).unique()) == 6


def test_more_codes_than_rows_repeat_some():
    codebook = _codebook(n_components=80, k=1)
    assert torch.isfinite(codebook.decoder_weight).all()
    assert len(codebook.decoder_weight.unique(dim=0)) == 50


@pytest.mark.parametrize("assignment", ["residual", "cosine"])
def test_a_dead_code_begins_anew_where_it_is_chosen_at_once(assignment):
    codebook = _codebook(assignment=assignment)
    x = torch.from_numpy(X)
    with torch.no_grad():
        codebook.decoder_weight[0] = 1e4
    before = codebook.decoder_weight.detach().clone()
    objective = QuantizationObjective(dead_after=100, generator=new_generator(0), plan=Plan(None))
    loss = objective(codebook, x)
    codebook.idle[0] = 99.0
    objective.after_step(codebook)
    assert torch.equal(codebook.decoder_weight, before)
    codebook.idle[0] = 100.0
    objective.after_step(codebook)
    assert (codebook.decoder_weight != before).any(dim=1).tolist() == [True] + [False] * 5
    assert codebook.idle[0] == 0.0
    assert (codebook.choose(codebook.scaled(x)).index == 0).any()
    assert objective(codebook, x) < loss


def test_running_use_is_that_of_the_batches():
    codebook = _codebook(k=2)
    support = codebook.choose(codebook.scaled(torch.from_numpy(X)))
    codebook.track_use(support)
    shares = np.bincount(support.index.numpy(), minlength=6) / 50
    np.testing.assert_allclose(codebook.density, shares, rtol=1e-12)
    assert codebook.idle[shares > 0].tolist() == [0.0] * int((shares > 0).sum())
    np.testing.assert_allclose(codebook.mean_code, shares, rtol=1e-12)
