"""Trajectories of a caller's own system."""

import numpy as np
import pytest

from skdyn.datasets import make_trajectories
from skdyn.exceptions import DivergenceError


def test_exponential_decay_equals_its_closed_form():
    X, t = make_trajectories(lambda t, y: -0.5 * y, [[1.0, 2.0], [3.0, 4.0]], t_span=(1.0, 6.0))
    assert X.shape == (2, 2, 100)
    np.testing.assert_allclose(X[1, 0], 3.0 * np.exp(-0.5 * (t - 1.0)), rtol=1e-8)


def test_time_reaches_a_field_that_depends_on_it():
    X, t = make_trajectories(lambda t, y: np.full_like(y, np.cos(t)), [0.0])
    np.testing.assert_allclose(X[0, 0], np.sin(t), atol=1e-8)


@pytest.mark.parametrize("method", ["LSODA", "Radau"])
def test_a_stiff_system_is_integrated_by_an_implicit_method(method):
    X, t = make_trajectories(
        lambda t, y: -1e4 * (y - np.cos(t)), [1.0], t_span=(0.0, 1.0), n_timepoints=5, method=method
    )
    np.testing.assert_allclose(X[0, 0], np.cos(t), atol=1e-3)


def test_a_blow_up_names_its_case():
    with pytest.raises(DivergenceError, match="in case 1"):
        make_trajectories(lambda t, y: y**2, [[-1.0], [1.0]], t_span=(0.0, 3.0))


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match=r"rhs must be callable as rhs\(t, y\); got 3"):
        make_trajectories(3, [1.0])
    with pytest.raises(ValueError, match="method must be 'DOP853', 'LSODA' or 'Radau'; got 'RK4'"):
        make_trajectories(lambda t, y: y, [1.0], method="RK4")
    with pytest.raises(ValueError, match="x0 must have shape"):
        make_trajectories(lambda t, y: y, np.zeros((2, 2, 2)))
