"""Laws of signatures: Chen, shuffles, straight lines; and of their logarithms."""

import functools
from itertools import product
from math import factorial

import numpy as np
import pytest

from skdyn.sequence._signature import (
    log_signature,
    lyndon_words,
    signatures,
    tensor_product,
    witt_dimension,
)


@pytest.fixture
def steps():
    return np.random.default_rng(0).normal(size=(4, 3, 11))


def word(levels, *letters):
    shaped = levels[len(letters) - 1].reshape(-1, *[3] * len(letters))
    return shaped[(slice(None), *letters)]


@pytest.mark.parametrize("depth", [1, 4, 7])
def test_a_straight_line_has_the_exponential_of_its_step(depth):
    z = np.array([[[0.5], [-2.0], [3.0]]])
    power = np.ones(1)
    for k, level in enumerate(signatures(z, depth), start=1):
        power = np.multiply.outer(power, z[0, :, 0]).ravel()
        np.testing.assert_allclose(level[0], power / factorial(k), rtol=1e-12)


@pytest.mark.parametrize("depth", range(1, 8))
def test_a_path_has_the_product_of_its_steps_as_chen_found(steps, depth):
    whole = signatures(steps, depth)
    single = [signatures(steps[:, :, k : k + 1], depth) for k in range(11)]
    joined = functools.reduce(tensor_product, single)
    for mine, theirs in zip(whole, joined, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-10, atol=1e-10)


def test_going_back_the_same_way_undoes_it(steps):
    there_and_back = np.concatenate([steps, -steps[:, :, ::-1]], axis=2)
    for level in signatures(there_and_back, 4):
        np.testing.assert_allclose(level, 0, atol=1e-9)


def test_products_are_sums_over_shuffles(steps):
    levels = signatures(steps, 4)
    for i, j in product(range(3), repeat=2):
        both = word(levels, i) * word(levels, j)
        np.testing.assert_allclose(both, word(levels, i, j) + word(levels, j, i), atol=1e-10)
    both = word(levels, 0, 1) * word(levels, 2, 0)
    shuffles = [
        (0, 1, 2, 0), (0, 2, 1, 0), (0, 2, 0, 1), (2, 0, 1, 0), (2, 0, 0, 1), (2, 0, 0, 1),
    ]  # fmt: skip
    np.testing.assert_allclose(both, sum(word(levels, *w) for w in shuffles), atol=1e-9)


def test_steps_of_zero_and_points_on_a_line_change_nothing(steps):
    halved = np.repeat(steps / 2, 2, axis=2)
    idle = np.insert(steps, 5, 0, axis=2)
    for level, same, other in zip(*(signatures(s, 4) for s in (steps, halved, idle)), strict=True):
        np.testing.assert_allclose(same, level, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(other, level, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("n_letters", [1, 2, 3])
def test_lyndon_words_are_those_below_their_rotations_and_as_many_as_witt_counts(n_letters):
    longest = 5
    found = lyndon_words(n_letters, longest)
    expected = [
        w
        for k in range(1, longest + 1)
        for w in product(range(n_letters), repeat=k)
        if all(w < w[turn:] + w[:turn] for turn in range(1, k))
    ]
    assert found == expected
    assert len(found) == witt_dimension(n_letters, longest)


def test_the_logarithm_of_a_line_is_its_step_and_of_two_steps_half_their_bracket():
    a, b = np.array([1.0, 2.0]), np.array([-0.5, 3.0])
    words = lyndon_words(2, 4)
    line = log_signature(signatures(a[None, :, None], 4), words)[0]
    np.testing.assert_allclose(line, [*a, *[0] * (len(words) - 2)], atol=1e-12)
    both = signatures(np.stack([a, b], axis=1)[None], 4)
    found = dict(zip(words, log_signature(both, words)[0], strict=True))
    area = (a[0] * b[1] - a[1] * b[0]) / 2
    np.testing.assert_allclose([found[0,], found[1,]], a + b)
    np.testing.assert_allclose(found[0, 1], area)
    # Baker, Campbell, Hausdorff: [a, [a, b]] / 12 + [b, [b, a]] / 12
    np.testing.assert_allclose(found[0, 0, 1], area * (a[0] - b[0]) / 6)


def test_the_logarithm_determines_the_signature(steps):
    """exp(log S) = S, with log S taken apart into all words, Lyndon or not."""
    levels = signatures(steps, 3)
    every = [w for k in (1, 2, 3) for w in product(range(3), repeat=k)]
    flat = log_signature(levels, every)
    log = [flat[:, :3], flat[:, 3:12], flat[:, 12:]]
    outer = lambda a, b: (a[:, :, None] * b[:, None]).reshape(len(a), -1)  # noqa: E731
    square = outer(log[0], log[0])
    np.testing.assert_allclose(log[0], levels[0])
    np.testing.assert_allclose(log[1] + square / 2, levels[1], atol=1e-10)
    mixed = (outer(log[0], log[1]) + outer(log[1], log[0])) / 2
    np.testing.assert_allclose(log[2] + mixed + outer(square, log[0]) / 6, levels[2], atol=1e-9)


@pytest.mark.peer
def test_it_equals_pysiglib(steps):
    pysiglib = pytest.importorskip("pysiglib")
    paths = np.cumsum(steps.transpose(0, 2, 1), axis=1)
    paths = np.concatenate([np.zeros_like(paths[:, :1]), paths], axis=1)
    theirs = np.asarray(pysiglib.sig(paths, 4))
    ours = np.concatenate(signatures(steps, 4), axis=1)
    np.testing.assert_allclose(ours, theirs[:, -ours.shape[1] :], rtol=1e-9, atol=1e-9)
