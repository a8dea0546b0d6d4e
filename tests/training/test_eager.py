import pytest
import torch

from skdyn.training._eager import eager

OPTIMISERS = {
    "Adam": {"fused": True},
    "AdamW": {"fused": True, "weight_decay": 0.1},
    "SGD": {"momentum": 0.9, "nesterov": True},
    "LBFGS": {"line_search_fn": "strong_wolfe"},
}


def _path_of(cls, settings):
    """Return where five steps on a curved function lead."""
    weight = torch.nn.Parameter(torch.tensor([3.0, -2.0]))
    optimizer = cls([weight], lr=0.1, **settings)
    places = []

    def closure():
        optimizer.zero_grad()
        loss = weight.cos().sum() + 0.1 * weight.prod()
        loss.backward()
        return loss

    for _ in range(5):
        optimizer.step(closure)
        places.append(weight.detach().clone())
    return torch.stack(places), weight


@pytest.mark.parametrize("name", OPTIMISERS)
def test_the_steps_are_those_of_torch_to_the_bit(name):
    cls, settings = getattr(torch.optim, name), OPTIMISERS[name]
    expected, _ = _path_of(cls, settings)
    found, weight = _path_of(eager(cls), settings)
    assert torch.equal(found, expected)
    assert weight.is_leaf
    assert torch.is_grad_enabled()


def test_gradients_are_forgotten_or_set_to_zero():
    weight = torch.nn.Parameter(torch.ones(2))
    optimizer = eager(torch.optim.Adam)([weight])
    weight.grad = torch.ones(2)
    optimizer.zero_grad(set_to_none=False)
    assert weight.grad is not None
    assert weight.grad.tolist() == [0.0, 0.0]
    optimizer.zero_grad()
    assert weight.grad is None
