import numpy as np
import pytest
import torch
from sklearn import config_context

from skdyn.hopfield._masked import MaskedPatterns, regress
from skdyn.hopfield._separations import as_separation

SOFTMAX = as_separation("softmax")


def rows_with_gaps(n=40, d=5, share=0.3, random_state=0):
    rng = np.random.default_rng(random_state)
    values = torch.from_numpy(rng.normal(size=(n, d)) @ rng.normal(size=(d, d)))
    values = (values - values.mean(0)) / values.std(0, correction=0)
    known = torch.from_numpy((rng.random((n, d)) > share).astype(float))
    return values * known, known


def test_regression_gives_the_conditional_means_of_a_normal_distribution():
    values, known = rows_with_gaps()
    covariance = values.T @ values / len(values)
    filled = regress(values, known, covariance, 0.1)
    sigma = covariance + 0.1 * torch.eye(5)
    for row, x, k in zip(filled, values, known > 0, strict=True):
        torch.testing.assert_close(
            row[~k], sigma[~k][:, k] @ torch.linalg.solve(sigma[k][:, k], x[k])
        )
        assert (row[k] == 0).all()


def test_regression_of_a_stack_is_that_of_each():
    values, known = rows_with_gaps()
    covariance = values.T @ values / len(values)
    stack = torch.stack([values, 2 * values.flip(1), values - 1])
    each = torch.stack([regress(part, known, covariance, 0.3) for part in stack])
    torch.testing.assert_close(regress(stack, known, covariance, 0.3), each)


def test_regression_of_a_row_does_not_depend_on_its_company():
    values, known = rows_with_gaps()
    covariance = values.T @ values / len(values)
    alone = torch.cat(
        [regress(values[[i]], known[[i]], covariance, 0.02) for i in range(len(values))]
    )
    torch.testing.assert_close(regress(values, known, covariance, 0.02), alone)


def test_regression_survives_what_has_no_inverse():
    values, known = rows_with_gaps()
    values = values[:, [0, 0, 1, 1, 1]]
    for ridge in (1e-300, 1e300):
        assert torch.isfinite(regress(values, known, torch.ones(5, 5).double(), ridge)).all()


def test_completion_recovers_what_depends_linearly():
    rng = np.random.default_rng(0)
    values = torch.from_numpy(rng.normal(size=(500, 2)) @ rng.normal(size=(2, 6)))
    values = (values - values.mean(0)) / values.std(0, correction=0)
    known = torch.from_numpy((rng.random((500, 6)) > 0.2).astype(float))
    completed = MaskedPatterns.store(values * known, known).completed
    torch.testing.assert_close(completed * known, values * known)
    error = (completed - values)[known == 0].square().mean().sqrt()
    assert error < 0.35  # the mean, zero, would make an error of one


def test_recall_of_complete_patterns_is_attention_to_the_known_coordinates():
    patterns, _ = rows_with_gaps(share=0)
    queries, known = rows_with_gaps(7, random_state=1)
    memory = MaskedPatterns.store(patterns, torch.ones_like(patterns))
    (recalled,) = memory.recall(queries, known, [3.0], SOFTMAX)
    distances = ((queries[:, None] - patterns) * known[:, None]).square().sum(-1)
    weights = torch.softmax(-3.0 / 2 * distances / 5, dim=1)
    torch.testing.assert_close(recalled, weights @ patterns)


def test_a_query_that_is_stored_learns_nothing_from_its_own_copy():
    values, known = rows_with_gaps()
    memory = MaskedPatterns.store(values, known)
    own = torch.arange(len(values))
    (plain,) = memory.recall(values, known, [5.0], SOFTMAX)
    (without,) = memory.recall(values, known, [5.0], SOFTMAX, exclude=own)
    incomplete = (known == 0).any(dim=1)
    torch.testing.assert_close(plain[incomplete], without[incomplete])


@pytest.mark.parametrize("name", ["softmax", "topk", "sparsemax"])
def test_any_beta_recalls_finite_values(name):
    values, known = rows_with_gaps(share=0.6)
    memory = MaskedPatterns.store(values, known)
    how = {"betas": [1e-300, 1.0, 1e300], "separation": as_separation(name)}
    assert torch.isfinite(memory.recall(values, known, **how)).all()


def test_a_query_whom_no_pattern_can_answer_gets_what_regression_says():
    values, known = rows_with_gaps()
    known[:, 0] = 0
    memory = MaskedPatterns.store(values * known, known)
    query = torch.ones(1, 5).double()
    (recalled,) = memory.recall(query, query * (torch.arange(5) > 0), [1.0], SOFTMAX)
    assert torch.isfinite(recalled).all()


def test_chunks_change_nothing():
    values, known = rows_with_gaps(300)
    memory = MaskedPatterns.store(values, known)
    whole = memory.recall(values, known, [2.0, 8.0], SOFTMAX)
    with config_context(working_memory=0.1):
        torch.testing.assert_close(memory.recall(values, known, [2.0, 8.0], SOFTMAX), whole)
        covariance = memory.covariance
        parts = regress(values, known, covariance, 0.1)
    torch.testing.assert_close(regress(values, known, covariance, 0.1), parts)
