import numpy as np
from scipy.special import log_softmax

from skdyn.hopfield._logistic import logistic, softmax
from skdyn.hopfield._solved import Setting, Square, kernel

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 3))
VALUES = np.eye(3)[np.digitize(np.square(X).sum(axis=1), [1.5, 3.5])]
MASS = rng.integers(1, 4, 60).astype(float)
OFFSETS = np.log([0.3, 0.3, 0.4])
K = kernel(X, X, Setting("euclidean", 0.5, 0.0, 1.0))


def loss(a, ridge):
    told = (MASS / MASS.mean()) @ (log_softmax(K @ a + OFFSETS, axis=1) * VALUES).sum(axis=1)
    return ridge / 2 * (a * (K @ a)).sum() - told


def solved(ridge, steps, a=None):
    def factored(weight):
        return Square(K, weight, ridge)

    return logistic(factored, K, VALUES, MASS, OFFSETS, ridge, steps, a)


def test_it_ends_where_what_is_missed_pays_for_the_penalty():
    found = solved(0.1, (8, 8, 8))
    missed = (MASS / MASS.mean())[:, None] * (VALUES - softmax(K @ found + OFFSETS))
    np.testing.assert_allclose(K @ found, K @ missed / 0.1, atol=1e-3)
    assert abs(K @ found).max() > 1


def test_six_steps_of_one_factorization_are_enough():
    for ridge in (0.1, 0.005):
        first, best = loss(np.zeros((60, 3)), ridge), loss(solved(ridge, (9, 9, 9)), ridge)
        assert loss(solved(ridge, (6,)), ridge) < best + 0.02 * (first - best)


def test_directions_that_are_conjugate_gain_more_than_others():
    alone = solved(0.005, (1,) * 6)  # six factorizations
    assert loss(solved(0.005, (6,)), 0.005) < loss(alone, 0.005)


def test_each_step_lowers_the_loss_from_anywhere():
    a = 30 * rng.normal(size=(60, 3))
    for n_steps in range(1, 6):
        there = solved(0.1, (1,), a)
        assert loss(there, 0.1) < loss(a, 0.1), n_steps
        a = there
