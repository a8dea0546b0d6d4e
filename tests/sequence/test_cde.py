"""Laws of the equation that a series drives."""

import itertools
import math

import numpy as np
import pytest
import torch

from skdyn import NeuralCDEClassifier
from skdyn.sequence._cde import CDENetwork

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(6, 2, 7)).cumsum(axis=2), np.arange(6) % 2
T = np.cumsum(RNG.uniform(0.5, 2.0, 7))
SMALL = {
    "hidden_channels": 4, "hidden_layer_sizes": (5,), "max_iter": 2, "random_state": 0,
    "learning_rate": 0.1,
}  # fmt: skip


def network(**changed):
    options = {
        "n_path": 2, "n_outputs": 2, "hidden_channels": 4, "hidden_layer_sizes": (5,),
        "vector_field": "mlp", "rank": 2, "solver": "heun", "rtol": 1e-3, "atol": 1e-4,
        "max_steps": 1000, "readout": "last", "point_dropout": 0.0,
    }  # fmt: skip
    return CDENetwork(**options | changed).double()


def lines(x):
    """Straight lines through x (n, k, c)."""
    return x[:, 0], x.diff(dim=1)[:, :, None], torch.full((len(x),), x.shape[1] - 1)


def test_the_speed_of_time_does_not_matter_where_time_is_no_channel():
    model = NeuralCDEClassifier(augment=(), **SMALL).fit(X, Y, t=T)
    again = NeuralCDEClassifier(augment=(), **SMALL).fit(X, Y, t=T**2)
    np.testing.assert_allclose(again.predict_proba(X, t=T**2), model.predict_proba(X, t=T))
    timed = NeuralCDEClassifier(augment=("time",), **SMALL).fit(X, Y, t=T)
    assert not np.allclose(timed.predict_proba(X, t=T**2 / 5), timed.predict_proba(X, t=T))


def test_a_point_on_the_line_changes_nothing():
    model = NeuralCDEClassifier(augment=("time",), solver="dopri5", rtol=1e-8, atol=1e-8, **SMALL)
    model.fit(X, Y, t=T)
    middle = (X[:, :, 2:3] + X[:, :, 3:4]) / 2
    more = np.concatenate([X[:, :, :3], middle, X[:, :, 3:]], axis=2)
    times = np.insert(T, 3, (T[2] + T[3]) / 2)
    np.testing.assert_allclose(
        model.predict_proba(more, t=times), model.predict_proba(X, t=T), atol=1e-6
    )


def test_gradients_are_those_of_finite_differences():
    module = network()
    start, pieces, n_pieces = lines(torch.randn(2, 4, 2, dtype=torch.float64))

    def answer(start, pieces):
        return module(start, pieces, n_pieces)

    assert torch.autograd.gradcheck(answer, (start.requires_grad_(), pieces.requires_grad_()))


def test_heun_comes_nearer_with_the_square_of_the_mesh_and_agrees_with_adaptive_steps():
    module = network(vector_field="linear")
    s = torch.linspace(0, 1, 65, dtype=torch.float64)
    x = torch.stack([torch.sin(3 * s), s**2], dim=1)[None]
    exact = network(vector_field="linear", solver="dopri5", rtol=1e-9, atol=1e-9)
    exact.load_state_dict(module.state_dict())
    exact.eval()
    with torch.no_grad():
        wanted = exact.states(*lines(x))[:, -1]
        errors = [
            (module.states(*lines(x[:, ::every]))[:, -1] - wanted).norm().item()
            for every in (16, 8, 4)
        ]
    orders = [math.log2(a / b) for a, b in itertools.pairwise(errors)]
    assert min(orders) > 1.7


def test_states_stand_still_after_the_end():
    module = network()
    start, pieces, n_pieces = lines(torch.randn(2, 6, 2, dtype=torch.float64))
    pieces[1, 3:] = 0.0
    n_pieces[1] = 3
    short = module(start[1:], pieces[1:, :3], n_pieces[1:])
    torch.testing.assert_close(module(start, pieces, n_pieces)[1:], short)


def test_knots_left_out_leave_where_the_path_goes():
    from skdyn.sequence._cde import _thinned

    x = torch.randn(20, 9, 2, dtype=torch.float64)
    _, pieces, n_pieces = lines(x)
    left, n_left = _thinned(pieces, n_pieces, 0.5, torch.Generator().manual_seed(0))
    assert (n_left < n_pieces).any()
    torch.testing.assert_close(left.sum(dim=(1, 2)), x[:, -1] - x[:, 0])


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"augment": ("tempo",)}, "augment must hold some of"),
        ({"augment": ("time", "time")}, "each once"),
        ({"hidden_layer_sizes": (0,)}, "positive whole numbers"),
        ({"interpolation": "hermite", "point_dropout": 0.1}, "needs interpolation='linear'"),
    ],
)
def test_what_cannot_be_is_refused(bad, words):
    with pytest.raises(ValueError, match=words):
        NeuralCDEClassifier(**SMALL | bad).fit(X, Y)


def test_a_model_of_an_earlier_version_answers_as_it_did():
    """Its paths reached as far as its values and shares of time went."""
    model = NeuralCDEClassifier(**SMALL).fit(X, Y, t=T)
    state = model.__getstate__()
    older, as_then = NeuralCDEClassifier(), NeuralCDEClassifier()
    older.__setstate__({name: value for name, value in state.items() if name != "_reach"})
    as_then.__setstate__(state | {"_reach": np.ones(2)})
    answers = older.predict_proba(X, t=T)
    np.testing.assert_array_equal(answers, as_then.predict_proba(X, t=T))
    assert not np.allclose(answers, model.predict_proba(X, t=T))


def test_a_state_that_reaches_nowhere_is_refused():
    state = NeuralCDEClassifier(**SMALL).fit(X, Y, t=T).__getstate__()
    with pytest.raises(ValueError, match="paths that no fit would have laid"):
        NeuralCDEClassifier().__setstate__(state | {"_reach": np.array([1.0, -1.0])})
