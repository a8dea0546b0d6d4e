import pytest
import torch

from skdyn.training import LEARNING_RATE_SCHEDULES, OPTIMIZERS
from skdyn.training._optimizers import parameter_groups, set_learning_rate


@pytest.mark.parametrize("name", ["adam", "adamw", "sgd"])
def test_first_order_optimisers_are_fused(name):
    weight = torch.nn.Parameter(torch.ones(2))
    optimizer = OPTIMIZERS[name]([weight], lr=0.1)
    assert optimizer.param_groups[0]["fused"] is True


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimiser_finds_the_minimum_of_a_parabola(name):
    weight = torch.nn.Parameter(torch.tensor([3.0, -2.0], dtype=torch.float64))
    optimizer = OPTIMIZERS[name]([weight], lr=1.0 if name == "lbfgs" else 0.05)

    def closure():
        optimizer.zero_grad()
        loss = ((weight - 1) ** 2).sum() + (0.1 * weight.detach() ** 2).sum()
        loss.backward()
        return loss

    for _ in range(400):
        optimizer.step(closure)
    torch.testing.assert_close(weight.data, torch.ones(2, dtype=torch.float64), atol=2e-2, rtol=0)


@pytest.mark.parametrize("name", LEARNING_RATE_SCHEDULES)
def test_schedules_stay_between_zero_and_one(name):
    values = [LEARNING_RATE_SCHEDULES[name](i / 100) for i in range(100)]
    assert all(0 < value <= 1 for value in values)


def test_known_values_of_the_schedules():
    assert LEARNING_RATE_SCHEDULES["constant"](0.7) == 1
    assert LEARNING_RATE_SCHEDULES["cosine"](0.5) == pytest.approx(0.5)
    assert LEARNING_RATE_SCHEDULES["exponential"](0.5) == pytest.approx(0.1)
    warm_up_and_down = [(0.0, 0.04), (0.15, 0.52), (0.3, 1.0), (0.65, 0.5005), (1.0, 0.001)]
    for progress, factor in warm_up_and_down:
        assert LEARNING_RATE_SCHEDULES["one_cycle"](progress) == pytest.approx(factor)


def test_the_rate_reaches_every_group():
    optimizer = torch.optim.SGD([{"params": [torch.nn.Parameter(torch.ones(1))]}] * 1, lr=1.0)
    optimizer.add_param_group({"params": [torch.nn.Parameter(torch.ones(1))]})
    set_learning_rate(optimizer, 0.25)
    assert [group["lr"] for group in optimizer.param_groups] == [0.25, 0.25]


class Asking(torch.nn.Linear):
    """Asks for the groups that it is told to ask for."""

    def __init__(self, ask):
        super().__init__(2, 1)
        self.parameter_groups = lambda: ask(self)


def test_what_a_module_does_not_say_of_a_group_is_as_for_the_rest():
    module = Asking(lambda own: [{"params": [own.bias]}])
    rest, group = parameter_groups(module)
    assert rest == {"params": [module.weight], "rate": 1.0, "decay": True}
    assert group == {"params": [module.bias], "rate": 1.0, "decay": True}


@pytest.mark.parametrize(
    "ask",
    [
        lambda own: [{"params": [own.bias]}, {"params": [own.bias]}],
        lambda own: [{"params": [torch.nn.Parameter(torch.ones(1))]}],
    ],
    ids=["twice", "not its own"],
)
def test_groups_that_share_or_invent_a_parameter_are_refused(ask):
    with pytest.raises(ValueError, match=r"Asking\.parameter_groups.*each in one group"):
        parameter_groups(Asking(ask))
