"""How large the error of a case will be."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from skdyn import KernelOperatorRegressor
from skdyn.datasets import make_darcy
from skdyn.operators._case_errors import case_numbers, learn_case_errors


def planted(n, rng):
    """Errors that grow as the square of the answer."""
    fields = np.exp(rng.normal(size=n))[:, None] * rng.normal(size=(n, 50))
    size = np.sqrt(np.square(fields).mean(axis=1))
    errors = size[:, None] ** 2 * rng.normal(size=(n, 50))
    numbers = case_numbers(np.ones((n, 2)), np.ones(n), fields)
    return numbers, errors, size**2


def test_what_errors_grow_with_is_found():
    rng = np.random.default_rng(0)
    numbers, errors, _ = planted(60, rng)
    told = learn_case_errors(
        np.zeros((60, 60)), numbers, np.arange(60), errors, np.ones(60), np.ones(60)
    )
    numbers, errors, size = planted(30, rng)
    factors = told.factors(numbers, np.zeros((30, 60)))
    assert spearmanr(factors, size).statistic > 0.95
    assert np.isfinite(told.factors(1e9 * numbers, np.zeros((30, 60)))).all()


def test_nothing_is_told_of_few_cases_of_no_errors_and_of_chance():
    rng = np.random.default_rng(0)

    def learned(n, errors):
        numbers = rng.normal(size=(n, 3))
        return learn_case_errors(np.eye(n), numbers, np.arange(n), errors, np.ones(n), np.ones(n))

    assert learned(10, rng.normal(size=(10, 5))) is None
    assert learned(40, np.zeros((40, 5))) is None
    assert learned(40, np.ones((40, 5))) is None


def test_deviations_of_the_kernel_operator_know_the_case():
    X, y = make_darcy(260, 9, random_state=0)
    model = KernelOperatorRegressor(n_corrections=0, random_state=0).fit(X[:120], y[:120])
    mean, std = model.predict(X[120:], return_std=True)
    error, told = (np.sqrt(np.square(z).mean(axis=(1, 2, 3))) for z in (mean - y[120:], std))
    assert spearmanr(error, told).statistic > 0.5
    assert np.square(error / told).mean() == pytest.approx(1, abs=0.5)
