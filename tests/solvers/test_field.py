"""The field made of a multilayer perceptron."""

import copy
import pickle

import pytest
import torch

from skdyn.solvers import MLPField, solve_ode


def test_it_is_the_network_it_says():
    field = MLPField(2, (5, 4), "tanh")
    y = torch.linspace(-1, 1, 6).view(3, 2)
    first, second, last = field.layers
    expected = last(torch.tanh(second(torch.tanh(first(y)))))
    assert torch.equal(field(torch.tensor(0.0), y), expected)


@pytest.mark.parametrize("t", [torch.tensor(0.3), torch.full((3, 1), 0.3)])
def test_time_is_the_last_input(t):
    field = MLPField(2, (4,), time_dependent=True)
    y = torch.linspace(-1, 1, 6).view(3, 2)
    expected = field.layers[1](
        torch.nn.functional.silu(field.layers[0](torch.cat([y, torch.full((3, 1), 0.3)], dim=1)))
    )
    assert torch.allclose(field(t, y), expected)


@pytest.mark.parametrize("copier", [copy.deepcopy, lambda f: pickle.loads(pickle.dumps(f))])
def test_a_copy_solves_to_the_same_states(copier):
    field = MLPField(2)
    y0 = torch.ones(1, 2)
    twin = copier(field)
    assert torch.equal(solve_ode(twin, y0, [0.0, 1.0]).ys, solve_ode(field, y0, [0.0, 1.0]).ys)


def test_weights_have_the_names_of_linear_layers():
    assert list(MLPField(2, (3,)).state_dict()) == [
        "layers.0.weight",
        "layers.0.bias",
        "layers.1.weight",
        "layers.1.bias",
    ]


def test_an_unknown_activation_is_refused_with_a_guess():
    with pytest.raises(ValueError, match="Did you mean 'softplus'"):
        MLPField(2, activation="soft_plus")


@pytest.mark.parametrize("y", [torch.zeros(1, 3), torch.zeros(1, 2).double()])
def test_states_that_do_not_fit_are_refused(y):
    with pytest.raises(ValueError, match="takes states of dimension 2"):
        solve_ode(MLPField(2), y, [0.0, 1.0])
