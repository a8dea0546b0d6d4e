"""Equations that are known in part."""

import numpy as np
import pandas as pd
import pytest
import torch

from skdyn import NeuralODE, io
from skdyn.neural_ode._known import KnownPart, check_known

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
T = np.linspace(0, 3, 31)


@pytest.fixture(scope="module")
def falls():
    """Exponential decays to a level, x' = -k (x - 2) with k = 0.7, in large units."""
    start = np.array([-100.0, 0.0, 50.0, 300.0])[:, None]
    return (200 + (start - 200) * np.exp(-0.7 * T))[:, None]


@pytest.fixture(scope="module")
def model(falls):
    law = {"known": ["k (level - x0)"], "parameters": {"k": 0.2, "level": 100.0}}
    return NeuralODE((4,), random_state=0, max_iter=5, **law).fit(falls, t=T)


def test_constants_of_a_law_that_is_whole_are_found_and_the_network_stays_out(model, falls):
    assert abs(model.parameters_["k"] - 0.7) < 1e-3
    assert abs(model.parameters_["level"] - 200.0) < 0.5
    np.testing.assert_allclose(model.predict(falls, T), falls, atol=0.1)
    # Far from the data the law holds: the network has learned nothing.
    np.testing.assert_allclose(model.vector_field([[900.0]]), [[-490.0]], rtol=0.02)


def test_the_network_learns_what_a_formula_leaves(falls):
    model = NeuralODE((), random_state=0, max_iter=4, known=["-0.7 x0"]).fit(falls, t=T)
    assert model.score(falls, t=T) > 0.9999
    assert not hasattr(model, "parameters_") or model.parameters_ == {}


def test_names_of_channels_and_controls_are_those_of_the_data():
    t = T[::2]
    u = np.sin(3 * t)
    x = [0.0]
    for h, a, b in zip(np.diff(t), u, u[1:], strict=False):
        x.append(x[-1] + h * (a + b))
    frame, push = pd.DataFrame({"speed": x}), pd.DataFrame({"push": u})
    law = {"known": ["gain push"], "parameters": {"gain": 1.0}}
    model = NeuralODE((), random_state=0, max_iter=4, **law).fit(frame, t=t, u=push)
    assert abs(model.parameters_["gain"] - 2.0) < 0.05


def test_formulas_are_in_units_of_the_data():
    part = KnownPart(("u x0^2", "g"), ("x0", "x1", "u"), (("g", 3.0),), (1, 2, 3), (2, 4, 5), 10.0)
    x, u = torch.tensor([[0.5, 1.0]]), torch.tensor([[-1.0]])
    expected = torch.tensor([[(-2.0) * 2.0**2 * 10 / 2, 3.0 * 10 / 4]])
    assert torch.allclose(part(x, u), expected)


def test_what_is_known_is_saved_with_the_model(model, falls, tmp_path):
    io.save(model, tmp_path / "m.skdyn")
    again = io.load(tmp_path / "m.skdyn")
    assert again.parameters_ == model.parameters_
    assert np.array_equal(
        again.predict(falls[:, :, 0], T[:5]), model.predict(falls[:, :, 0], T[:5])
    )


@pytest.mark.parametrize(
    ("known", "parameters", "message"),
    [
        (["x0"], None, "each of the 2 states"),
        (["x0", 1.0], None, "each of the 2 states"),
        (["x0", "y"], None, "y"),
        (["x0", "a x1"], {"a": 1.0, "b": 1.0}, r"does not read the parameters \['b'\]"),
        (["x0", "x1"], {"x1": 1.0}, "must not be called like"),
        (None, {"a": 1.0}, "pass these as known"),
    ],
)
def test_laws_that_cannot_be_are_refused(known, parameters, message):
    with pytest.raises(ValueError, match=message):
        check_known(known, parameters, ["x0", "x1"], 2)
