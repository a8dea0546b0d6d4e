from math import prod

import numpy as np
import pytest
import torch

from skdyn.operators._factorization import (
    FACTORIZATIONS,
    CPWeight,
    DenseWeight,
    TTWeight,
    TuckerWeight,
)

SHAPE = (3, 4, 2, 6)


def dense(shape=SHAPE):
    return np.random.default_rng(0).normal(size=shape)


def load(parameter, values):
    with torch.no_grad():
        parameter.copy_(torch.as_tensor(values.copy()))


def test_tucker_at_full_rank_is_the_dense_weight():
    weight = TuckerWeight(SHAPE, rank=6).double()
    bases = [np.linalg.qr(np.random.default_rng(n).normal(size=(n, n)))[0] for n in SHAPE]
    load(weight.core, np.einsum("abcd,ai,bj,ck,dl->ijkl", dense(), *bases))
    for factor, basis in zip(weight.factors, bases, strict=True):
        load(factor, basis)
    np.testing.assert_allclose(weight().detach(), dense(), atol=1e-12)


def test_cp_at_full_rank_is_the_dense_weight():
    shape = (2, 3, 2)
    weight = CPWeight(shape, rank=6).double()
    fibres = [(i, j) for i in range(2) for j in range(3)]
    load(weight.factors[0], np.eye(2)[[i for i, _ in fibres]].T)
    load(weight.factors[1], np.eye(3)[[j for _, j in fibres]].T)
    load(weight.factors[2], np.stack([dense(shape)[i, j] for i, j in fibres], axis=1))
    np.testing.assert_allclose(weight().detach(), dense(shape), atol=1e-12)


def test_a_train_at_full_rank_is_the_dense_weight():
    weight = TTWeight(SHAPE, rank=24).double()
    rest = dense().reshape(1, -1)
    for core in list(weight.cores)[:-1]:
        a, n, b = core.shape
        left, values, right = np.linalg.svd(rest.reshape(a * n, -1), full_matrices=False)
        assert len(values) == b
        load(core, left.reshape(a, n, b))
        rest = values[:, None] * right
    load(weight.cores[-1], rest.reshape(weight.cores[-1].shape))
    np.testing.assert_allclose(weight().detach(), dense(), atol=1e-12)


@pytest.mark.parametrize("name", FACTORIZATIONS)
@pytest.mark.parametrize("share", [0.05, 0.3, 0.9])
def test_a_share_of_the_weights_is_nearly_spent_and_not_exceeded(name, share):
    shape = (8, 15, 16, 32)
    weight = FACTORIZATIONS[name](shape, share)
    spent = sum(parameter.numel() for parameter in weight.parameters()) / prod(shape)
    assert 0.5 * share < spent <= share


@pytest.mark.parametrize("name", FACTORIZATIONS)
def test_weights_start_at_the_size_of_dense_ones(name):
    shape = (8, 8, 16, 32)
    torch.manual_seed(0)
    sizes = [FACTORIZATIONS[name](shape, 16)().square().mean().item() for _ in range(5)]
    np.testing.assert_allclose(np.mean(sizes), DenseWeight(shape)().var().item(), rtol=0.7)


@pytest.mark.parametrize("name", FACTORIZATIONS)
def test_the_smallest_rank_is_one_term(name):
    weight = FACTORIZATIONS[name]((3, 4, 5), 1e-9)().detach().numpy()
    assert np.linalg.matrix_rank(weight.reshape(3, -1)) == 1
