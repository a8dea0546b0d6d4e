import numpy as np
import pytest
from scipy.sparse import csr_array

from skdyn.metrics import saved_bits

RNG = np.random.default_rng(0)
N, D, M = 4000, 8, 16
ATOMS = np.linalg.qr(RNG.normal(size=(M, M)))[0][:, :D]
ATOMS /= np.linalg.norm(ATOMS, axis=1, keepdims=True)
CODES = RNG.exponential(size=(N, M)) * (RNG.random((N, M)) < 0.1)
X = CODES @ ATOMS + 0.05 * RNG.normal(size=(N, D))


def _bits(codes, atoms=ATOMS, rows=X):
    return saved_bits(rows, codes @ atoms, codes, atoms)


def test_no_codes_save_nothing_and_the_mean_as_the_reconstruction_neither():
    mean = np.broadcast_to(X.mean(axis=0), X.shape)
    assert saved_bits(X, mean, np.zeros((N, M)), ATOMS) == pytest.approx(0.0, abs=1e-9)


def test_one_gaussian_code_costs_and_saves_what_information_theory_says():
    z, noise = RNG.normal(size=(N, 1)), 0.1 * RNG.normal(size=(N, 1))
    left, variance = np.mean(noise**2), np.var(z + noise)
    expected = 0.5 * np.log2(variance / left) - 0.5 * np.log2(1 + np.mean(z**2) / left)
    found = saved_bits(z + noise, z, z, [[1.0]])
    assert found == pytest.approx(expected)
    assert found == pytest.approx(0.0, abs=0.05)  # a column told by itself saves nothing


def test_the_truth_saves_more_than_fewer_codes_and_than_more_of_them():
    truth = _bits(CODES)
    fewer = CODES * (np.median(CODES[CODES > 0]) < CODES)
    pieces = np.hstack([CODES / 2, CODES / 2])  # every atom twice
    assert truth > _bits(fewer) > 0
    assert truth > _bits(pieces, np.vstack([ATOMS, ATOMS]))


def test_units_of_rows_and_of_atoms_do_not_matter():
    truth = _bits(CODES)
    assert saved_bits(100 * X, 100 * CODES @ ATOMS, 100 * CODES, ATOMS) == pytest.approx(truth)
    assert _bits(CODES / 3, 3 * ATOMS) == pytest.approx(truth)
    assert saved_bits(X, CODES @ ATOMS, csr_array(CODES), ATOMS) == pytest.approx(truth)


def test_nothing_left_over_is_infinitely_precise():
    assert saved_bits(CODES @ ATOMS, CODES @ ATOMS, CODES, ATOMS) == np.inf
    still = np.ones((5, 2))
    assert saved_bits(still, still, np.zeros((5, 3)), np.eye(3, 2)) == 0.0


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"components of shape \(16, 8\); got"):
        saved_bits(X, CODES @ ATOMS, CODES, ATOMS.T)
