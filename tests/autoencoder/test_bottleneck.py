import copy
import io
from functools import cache

import numpy as np
import pytest
import torch

from skdyn import CodebookTransformer, SparseAutoencoder
from skdyn.autoencoder import CodebookBottleneck, collect_activations, spliced, with_codebooks

X = torch.randn(60, 4, generator=torch.Generator().manual_seed(0))


@cache
def fitted(assignment="residual"):
    """A small network and a codebook of its hidden layer."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.Tanh(), torch.nn.Linear(6, 3))
    hidden = collect_activations(network, X, "1")
    book = CodebookTransformer(12, k=3, assignment=assignment, max_iter=3, random_state=0)
    return network, book.fit(hidden)


@pytest.mark.parametrize("assignment", ["residual", "cosine"])
def test_untrained_it_answers_as_the_spliced_network_and_leaves_the_network_alone(assignment):
    network, book = fitted(assignment)
    with spliced(network, "1", book):
        expected = network(X)
    torch.testing.assert_close(with_codebooks(network, {"1": book})(X), expected)
    assert isinstance(network[1], torch.nn.Tanh)


def test_rows_that_are_sums_of_codes_pass_unchanged():
    _, book = fitted()
    alone = CodebookTransformer(12, k=1, max_iter=1, random_state=0).fit(np.eye(6, dtype="f"))
    bottleneck = CodebookBottleneck(torch.nn.Identity(), alone)
    rows = torch.from_numpy(alone.inverse_transform(np.eye(12, dtype="f")))
    torch.testing.assert_close(bottleneck(rows), rows)
    assert bottleneck.error < 1e-10
    assert CodebookBottleneck(torch.nn.Identity(), book)(rows).shape == rows.shape


def test_gradients_pass_straight_through_to_the_layer_and_as_a_sum_to_the_codes():
    _, book = fitted()
    bottleneck = CodebookBottleneck(torch.nn.Identity(), book)
    rows = torch.randn(9, 6, requires_grad=True)
    weights = torch.randn(9, 6)
    (bottleneck(rows) * weights).sum().backward()
    assert torch.equal(rows.grad, weights)
    codes = torch.from_numpy(book.transform(rows.detach().numpy()))
    expected = codes.T @ (weights / bottleneck.codebook.output_scale)
    torch.testing.assert_close(bottleneck.codebook.decoder_weight.grad, expected)


def test_the_error_draws_codes_to_the_outputs_and_not_the_other_way():
    network, book = fitted()
    coded = with_codebooks(network, {"1": book})
    optimizer = torch.optim.Adam(coded.parameters(), lr=0.01)
    errors = []
    for _ in range(20):
        optimizer.zero_grad()
        coded(X)
        errors.append(coded[1].error.item())
        coded[1].error.backward()
        assert coded[0].weight.grad is None
        optimizer.step()
    assert errors[-1] < 0.8 * errors[0]


def test_training_teaches_the_network_to_make_do_with_codes():
    network, book = fitted()
    coded = with_codebooks(network, {"1": book})
    targets = network(X).detach()
    optimizer = torch.optim.Adam(coded.parameters(), lr=0.01)
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = (coded(X) - targets).square().mean()
        losses.append(loss.item())
        (loss + 0.1 * coded[1].error).backward()
        optimizer.step()
    assert losses[-1] < 0.7 * losses[0]
    learned = coded[1].coder()
    assert not np.allclose(learned.components_, book.components_)
    np.testing.assert_allclose(
        learned.inverse_transform(learned.transform(coded[1].layer(coded[0](X)).detach().numpy())),
        coded[1](coded[0](X)).detach(), atol=1e-5,
    )  # fmt: skip


def test_it_is_copied_and_saved_in_the_middle_of_a_training():
    network, book = fitted()
    coded = with_codebooks(network, {"1": book})
    coded(X)
    torch.testing.assert_close(copy.deepcopy(coded)(X), coded(X))
    file = io.BytesIO()
    torch.save(coded.state_dict(), file)
    file.seek(0)
    other = with_codebooks(network, {"1": book})
    other.load_state_dict(torch.load(file))
    torch.testing.assert_close(other(X), coded(X))


def test_tuples_and_more_axes_keep_their_form():
    rows = np.random.default_rng(0).normal(size=(50, 5)).astype("f")
    book = CodebookTransformer(8, k=2, max_iter=1, random_state=0).fit(rows)
    coded = with_codebooks(torch.nn.Sequential(torch.nn.GRU(3, 5)), {"0": book})
    output, state = coded(torch.randn(7, 2, 3))
    assert output.shape == (7, 2, 5)
    assert state.shape == (1, 2, 5)


@pytest.mark.parametrize(
    ("layer", "kind", "error", "message"),
    [
        ("9", CodebookTransformer, ValueError, "no layer '9'"),
        ("", CodebookTransformer, ValueError, "which is the module"),
        ("1", SparseAutoencoder, TypeError, "must be a CodebookTransformer"),
    ],
)
def test_what_cannot_stand_there_is_refused(layer, kind, error, message):
    network, book = fitted()
    coder = book if kind is CodebookTransformer else SparseAutoencoder()
    with pytest.raises(error, match=message):
        with_codebooks(network, {layer: coder})


def test_another_width_is_refused():
    network, book = fitted()
    with pytest.raises(ValueError, match="gives 3 features"):
        with_codebooks(network, {"2": book})(X)
