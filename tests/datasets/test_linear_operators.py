"""The antiderivative and advection: exact answers."""

import numpy as np
import pytest
from scipy.integrate import cumulative_simpson

from skdyn.datasets import make_advection, make_antiderivative


def test_antiderivatives_are_those_of_simpsons_rule_to_its_order():
    errors = []
    for n in (51, 101):
        X, y = make_antiderivative(4, n, n_modes=5, random_state=0)
        errors.append(np.abs(cumulative_simpson(X, dx=1 / (n - 1), initial=0) - y).max())
    assert np.log2(errors[0] / errors[1]) > 3.5
    assert errors[1] < 1e-5


def test_antiderivatives_begin_at_zero():
    assert np.abs(make_antiderivative(4, 11, random_state=0)[1][:, 0]).max() < 1e-15


def test_functions_are_carried_at_the_speed():
    X, y = make_advection(3, 40, speed=-0.5, times=[0.1, 2.0], random_state=0)
    assert y.shape == (3, 2, 40)
    np.testing.assert_allclose(y[:, 0], np.roll(X, -2, axis=1), atol=1e-12)
    np.testing.assert_allclose(y[:, 1], X, atol=1e-12)


@pytest.mark.parametrize("make", [make_advection, make_antiderivative])
def test_one_seed_gives_the_same_functions(make):
    first, again, other = (make(3, random_state=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first[1], again[1])
    assert not np.allclose(first[0], other[0])


def test_bad_parameters_are_named():
    with pytest.raises(ValueError, match="speed must be a finite number"):
        make_advection(speed=np.inf)
    with pytest.raises(ValueError, match="n_points must be an integer"):
        make_antiderivative(n_points=1)
    with pytest.raises(ValueError, match="times must be a positive number"):
        make_advection(times=0)
