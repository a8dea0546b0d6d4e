"""Answers of a kernel regression: block by block, and the spread of a Gaussian process."""

import numpy as np
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern
from threadpoolctl import threadpool_limits

from skdyn.datasets import make_darcy
from skdyn.operators import KernelOperatorRegressor, _kernel_answers
from skdyn.operators._case_errors import CaseErrors
from skdyn.operators._input_kernels import Factor
from skdyn.operators._kernel_answers import Known

rng = np.random.default_rng(0)


def test_the_spread_is_that_of_a_gaussian_process_with_noise_of_each_row():
    rows, new = rng.standard_normal((20, 3)), rng.standard_normal((6, 3))
    noise = 0.01 / rng.uniform(0.5, 2, 20)
    known = Known([Factor("matern52", 1.5, 3)], rows, noise, 0.01, None)
    oracle = GaussianProcessRegressor(Matern(1.5, nu=2.5), alpha=noise, optimizer=None)
    _, std = oracle.fit(rows, np.zeros(20)).predict(new, return_std=True)
    found = known.spread(known.factor(), new, known.gram(new), np.zeros((6, 1)))
    np.testing.assert_allclose(found, np.sqrt(std**2 + 0.01), rtol=1e-7)
    told = CaseErrors(np.zeros(3), np.ones(3), np.zeros((1, 3)), np.zeros(1, int), np.zeros(1), 3.0)
    again = known._replace(case_errors=told)
    tripled = again.spread(known.factor(), new, known.gram(new), np.zeros((6, 1)))
    np.testing.assert_allclose(tripled, 3 * found, rtol=1e-7)


def test_blocks_say_the_same_with_the_kernel_factored_once(monkeypatch):
    X, y = make_darcy(40, 9, random_state=0)
    model = KernelOperatorRegressor(n_corrections=1, n_waves=50, random_state=0)
    model.fit(X[:25], y[:25])
    whole = model.predict(X, return_std=True)
    factored = []
    monkeypatch.setattr(_kernel_answers, "_QUERIES", 7)
    plain = _kernel_answers.cho_factor
    monkeypatch.setattr(
        _kernel_answers,
        "cho_factor",
        lambda *args, **how: factored.append(1) or plain(*args, **how),
    )
    for one, other in zip(whole, model.predict(X, return_std=True), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-9)
    assert len(factored) == 1


def test_a_small_fit_has_the_same_bits_however_many_threads_there_are():
    X, y = make_darcy(60, 9, random_state=0)

    def answers(threads):
        with threadpool_limits(threads, user_api="blas"):
            model = KernelOperatorRegressor(n_corrections=1, n_waves=100, random_state=0)
            model.fit(X, y)
        return model.predict(X)

    np.testing.assert_array_equal(answers(1), answers(2))
