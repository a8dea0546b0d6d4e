"""Signatures of paths of straight steps, and the algebra of the tensors that they are."""

from __future__ import annotations

from math import gcd

import numpy as np

__all__ = ["log_signature", "lyndon_words", "signatures", "tensor_product", "witt_dimension"]

Levels = list[np.ndarray]  # level k of shape (n, d^k), k = 1, 2, ...: level 0 is one


def signatures(steps: np.ndarray, depth: int) -> Levels:
    """Return the signatures of paths, level by level.

    With :math:`S_k` before a step z, Chen's relation in Horner's form is

    .. math:: S_k \\leftarrow S_k + \\left(S_{k-1} + \\left(S_{k-2} + \\dots
        \\tfrac{z}{k-1}\\right) \\otimes \\tfrac{z}{2} \\right) \\otimes z,

    so that each level is a sum over time of products of what the levels below were before each
    step: all steps at once, and the last level as one product of matrices.

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
    n, d, n_steps = steps.shape
    shares = [steps[:, None] / divisor for divisor in range(1, depth + 1)]
    before, levels = [], []  # before: each level as it was before each step
    for level in range(1, depth + 1):
        inner = np.ones((n, 1, n_steps), steps.dtype)
        for k in range(1, level):
            inner = (inner[:, :, None] * shares[level - k]).reshape(n, d**k, n_steps)
            inner += before[k - 1]
        levels.append((inner @ steps.transpose(0, 2, 1)).reshape(n, -1))
        if level < depth:
            grown = (inner[:, :, None] * steps[:, None]).reshape(n, d**level, n_steps)
            earlier = np.zeros_like(grown)
            np.cumsum(grown[:, :, :-1], axis=2, out=earlier[:, :, 1:])
            before.append(earlier)
    return levels


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
