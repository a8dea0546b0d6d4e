import numpy as np
import torch

from skdyn.hopfield._frozen_memory import FrozenMemory
from skdyn.hopfield._matching import Matching
from skdyn.hopfield._recall import Recall
from skdyn.hopfield._separations import SEPARATIONS

rng = np.random.default_rng(0)
X, Y, MASS = rng.normal(size=(20, 3)), rng.normal(size=(20, 2)), rng.uniform(0.5, 2, size=20)
TRAINING = X, Y, MASS, np.arange(20)
HOW = {"similarity": "euclidean", "separation": SEPARATIONS["softmax"]}


def squared(means, values):
    return (means - values).square().mean(dim=-1)


def recall(dropout):
    return Recall(TRAINING, squared, dropout, torch.Generator().manual_seed(0), 2, **HOW)


def batch(rows):
    return [torch.from_numpy(array[rows]) for array in TRAINING]


def projected():
    module = Matching(3, 3, 0, 2, True).double()
    module.begin(beta=0.7)
    return module


def test_the_loss_without_dropout_is_that_of_leave_one_out():
    x, y, weight, own = batch(np.arange(8))
    whole = [torch.from_numpy(array) for array in (X, Y, MASS)]
    means = FrozenMemory(*whole, 0.7).means(x, exclude=own)
    wanted = (squared(means, y) * weight).mean()
    for module in (projected().train(), projected().eval()):
        torch.testing.assert_close(recall(0.0)(module, x, y, weight, own), wanted)


def test_dropout_deals_different_groups_each_time_but_not_when_evaluated():
    objective, module, rows = recall(0.7), projected(), batch(np.arange(8))
    losses = {objective(module.train(), *rows).item() for _ in range(3)}
    assert len(losses) == 3
    losses = [objective(module.eval(), *rows).item() for _ in range(3)]
    np.testing.assert_allclose(losses, losses[0])


def test_groups_of_rows_are_disjoint_and_neither_too_small_nor_too_large():
    groups = recall(0.7)._deal_rows(projected().train())
    assert groups.shape == (64 // 6, 6)
    assert len(groups[:3].unique()) == 18
    assert recall(0.99)._deal_rows(projected().train()).shape == (64 // 4, 4)
    for n, shape in ((1, (1, 1)), (1000, (1, 500)), (10_000, (1, 1024))):
        objective = recall(0.5)
        objective.training = [torch.zeros(n, 2)] * 4
        assert objective._deal_rows(projected().train()).shape == shape


def test_groups_of_prototypes_hold_as_many_of_each_kind():
    module = Matching(3, 3, 10, 2, True).train()
    groups = recall(0.4)._deal_prototypes(module)
    assert groups.shape == (512 // 6, 6)
    assert ((groups < 5).sum(dim=1) == 3).all()
    assert all(len(group.unique()) == 6 for group in groups)
    assert recall(0.99)._deal_prototypes(module).shape[1] == 2
    assert recall(0.99)._deal_prototypes(module.eval()).tolist() == [list(range(10))]


def test_rows_from_elsewhere_are_recalled_from_all_patterns():
    x, y, weight, _ = batch(np.arange(3))
    whole = [torch.from_numpy(array) for array in (X, Y, MASS)]
    wanted = FrozenMemory(*whole, 0.7).means(x)
    wanted = (squared(wanted, y) * weight).mean()
    found = recall(0.0)(projected(), x, y, weight, torch.full((3,), -1))
    torch.testing.assert_close(found, wanted)


def test_prototypes_are_recalled_by_their_values():
    module = Matching(3, 3, 4, 2, True).double().eval()
    module.begin(prototypes=X[:4], values=Y[:4], beta=0.7)
    x, y, weight, own = batch(np.arange(4, 9))
    keys, values = torch.from_numpy(X[:4]), torch.from_numpy(Y[:4])
    wanted = (squared(FrozenMemory(keys, values, sharpness=0.7).means(x), y) * weight).mean()
    torch.testing.assert_close(recall(0.5)(module, x, y, weight, own), wanted)


def test_gradients_are_right():
    objective, module = recall(0.0), projected()
    rows = batch(np.arange(8))

    def loss(turn, log_beta):
        new = {"turn": turn, "log_beta": log_beta}
        return torch.func.functional_call(_Wrapped(module, objective), _named(new), tuple(rows))

    turn = torch.randn(3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) / 5
    assert torch.autograd.gradcheck(
        loss, (turn.requires_grad_(), torch.zeros((), dtype=torch.float64, requires_grad=True))
    )


class _Wrapped(torch.nn.Module):
    def __init__(self, module, objective):
        super().__init__()
        self.module, self.objective = module, objective

    def forward(self, *rows):
        return self.objective(self.module, *rows)


def _named(values):
    return {f"module.{name}": value for name, value in values.items()}
