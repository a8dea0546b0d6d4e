"""Signatures of paths of straight steps, and the algebra of the tensors that they are."""

from __future__ import annotations

from functools import reduce
from math import factorial, gcd
from operator import add

import numpy as np

__all__ = ["log_signature", "lyndon_words", "signatures", "tensor_product", "witt_dimension"]

Levels = list[np.ndarray]  # level k of shape (n, d^k), k = 1, 2, ...: level 0 is one


def signatures(steps: np.ndarray, depth: int) -> Levels:
    """Return the signatures of paths, level by level.

    The m-th letter of a word of n falls on some step z, some letters before it on earlier steps,
    and l of those after it on later ones. With P and Q the signatures of the path before the step
    and after it, level n is the sum over all steps of

    .. math:: \\sum_{l=0}^{n-m} \\left(
        \\sum_{k=0}^{m-1} \\frac{P_k \\otimes z^{\\otimes (m-k)}}{(n-k-l)!}
        \\right) \\otimes \\left(z^{\\otimes (n-m-l)} \\otimes Q_l\\right),

    products of matrices. With m in the middle, only half of the levels are made for each step.

    Parameters
    ----------
    steps : ndarray of shape (n, d, n_steps)
        Differences of the paths' points. A step of zero changes nothing.
    depth : int
        Number of levels.

    Returns
    -------
    list of ndarray of shape (n, d^k)
    """
    n, _, n_steps = steps.shape
    before, lefts, levels = [], [], []  # before: levels as they were before each step
    rights = [np.ones((n, 1, n_steps), steps.dtype)]  # the last of them: the level after each step
    for level in range(1, depth + 1):
        half = level // 2
        if level % 2:
            if half:
                before.append(_sums(_left(steps, before, half, half)))
            lefts = [_left(steps, before, half + 1, level - k) for k in range(half + 1)]
        else:
            lefts.insert(0, _left(steps, before, half, level))
            rights = [_products(steps, right) for right in rights]
            grown = reduce(add, (right / factorial(half - k) for k, right in enumerate(rights)))
            rights.append(_sums(grown[:, :, ::-1])[:, :, ::-1])
        products = map(np.matmul, lefts, (right.transpose(0, 2, 1) for right in rights))
        levels.append(reduce(add, products).reshape(n, -1))
    return levels


def _left(steps, before, n_left, n_letters):
    """Return the first letters of words, up to one in the middle, where so many end with its step.

    By Horner's rule.
    """
    left = steps / factorial(n_letters)
    for k, earlier in enumerate(before[: n_left - 1], start=1):
        left = _products(left + earlier / factorial(n_letters - k), steps)
    return left


def _products(a, b):
    """Multiply step by step."""
    return (a[:, :, None] * b[:, None]).reshape(len(a), -1, a.shape[2])


def _sums(a):
    """Return sums over the steps before each."""
    sums = np.zeros_like(a)
    np.cumsum(a[:, :, :-1], axis=2, out=sums[:, :, 1:])
    return sums


def tensor_product(a: Levels, b: Levels) -> Levels:
    """Multiply truncated tensor series whose level 0 is one: the signature of a, then of b.

    Parameters
    ----------
    a, b : list of ndarray of shape (n, d^k)
        Levels.

    Returns
    -------
    list of ndarray of shape (n, d^k)
    """
    product = [left + right for left, right in zip(a, b, strict=True)]
    for level in range(1, len(a)):
        for k in range(level):
            product[level] += _outer(a[k], b[level - 1 - k])
    return product


def log_signature(levels: Levels, words: list[tuple[int, ...]]) -> np.ndarray:
    """Return the logarithm's coefficients of the Lyndon words, which determine all others.

    Parameters
    ----------
    levels : list of ndarray of shape (n, d^k)
        A signature.
    words : list of tuple of int
        Of :func:`lyndon_words`.

    Returns
    -------
    ndarray of shape (n, n_words)
    """
    depth, d = len(levels), levels[0].shape[1]
    # log(1 + x) = x (1 - x (1/2 - x (1/3 - ...))): by Horner's rule, from the inside.
    constant, total = 1.0 / depth, [np.zeros_like(level) for level in levels]
    for order in range(depth - 1, -1, -1):
        product = [constant * level for level in levels]
        for level in range(1, depth):
            for k in range(level):
                product[level] += _outer(levels[k], total[level - 1 - k])
        if order == 0:
            total = product
        else:
            constant, total = 1.0 / order, [-level for level in product]
    return np.stack([total[len(w) - 1][:, _position(w, d)] for w in words], axis=1)


def lyndon_words(n_letters: int, longest: int) -> list[tuple[int, ...]]:
    """List the Lyndon words, those smaller than all their rotations, short ones first.

    Parameters
    ----------
    n_letters : int
        Size of the alphabet 0, 1, 2, ...
    longest : int
        Length of the longest.

    Returns
    -------
    list of tuple of int
    """
    words, word = [], [-1]
    while word:  # Duval's algorithm
        word[-1] += 1
        words.append(tuple(word))
        word = (word * (longest // len(word) + 1))[:longest]
        while word and word[-1] == n_letters - 1:
            word.pop()
    return sorted(words, key=lambda w: (len(w), w))


def witt_dimension(n_letters: int, longest: int) -> int:
    """Count the Lyndon words by Witt's formula.

    Parameters
    ----------
    n_letters : int
        Size of the alphabet.
    longest : int
        Length of the longest.

    Returns
    -------
    int
    """
    return sum(
        sum(n_letters ** gcd(k, turn) for turn in range(1, k + 1)) // k  # necklaces of k beads
        - sum(_aperiodic(n_letters, part) for part in range(1, k) if k % part == 0)
        for k in range(1, longest + 1)
    )


def _aperiodic(n_letters, length):
    """Count the Lyndon words of one length."""
    return witt_dimension(n_letters, length) - witt_dimension(n_letters, length - 1)


def _outer(a, b):
    return (a[:, :, None] * b[:, None]).reshape(len(a), -1)


def _position(word, n_letters):
    """Return where a word stands in its level."""
    place = 0
    for letter in word:
        place = place * n_letters + letter
    return place
