"""What learned dynamics answer, in the data's units."""

import numpy as np
import pytest

from skdyn import NeuralODE

T = np.linspace(0, 3, 13)


@pytest.fixture(scope="module")
def decay():
    X = np.exp(-0.5 * T)[None, None] * np.linspace(100, 300, 4)[:, None, None]
    return NeuralODE((), random_state=0).fit(X, t=T), X


def test_all_doors_lead_to_one_solution(decay):
    model, X = decay
    along = model.predict(X, T)
    np.testing.assert_allclose(along, X, rtol=1e-3)
    np.testing.assert_allclose(model.simulate(X[:, :, 0], T), along, rtol=1e-6)
    np.testing.assert_allclose(model.predict(X[:, :, 0]), along[:, :, 1], rtol=1e-4)


def test_velocities_are_in_units_of_the_data(decay):
    model, _ = decay
    np.testing.assert_allclose(model.vector_field([[200.0]]), [[-100.0]], rtol=1e-2)


def test_the_score_of_derivatives_is_that_of_rises(decay):
    model, X = decay
    assert model.score(X, t=T, of="derivative") > 0.999


def test_a_state_from_before_inputs_answers_as_it_did(decay):
    model, X = decay
    state = model.__getstate__()
    for name in (
        "input_interpolation", "time_dependent", "period", "hidden_start", "hidden_points",
        "known", "parameters", "control_names_", "n_covariates_", "_covariate_names",
        "_control_scales", "_covariate_scales", "_clock_scales",
    ):  # fmt: skip
        del state[name]
    again = NeuralODE.__new__(NeuralODE)
    again.__setstate__(state)
    assert np.array_equal(again.predict(X, T), model.predict(X, T))
