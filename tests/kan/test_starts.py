"""Several starts: the best goes on."""

import torch

from skdyn.kan._network import KAN
from skdyn.kan._starts import best_start
from skdyn.training import Stage, TrainingSettings


def test_the_start_with_the_lowest_loss_goes_on():
    x = torch.linspace(-1, 1, 40, dtype=torch.float64)[:, None]
    losses = []

    def objective(module, x, y):
        loss = (module(x) - y).square().mean()
        losses.append(loss.item())
        return loss

    stage = Stage(objective, (x, torch.sin(4 * x)), max_iter=1)
    settings = TrainingSettings(optimizer="sgd", learning_rate=1e-12, tol=0.0)
    module = KAN(((1, 0), (2, 0), (1, 0)), "bspline", 3, 3, "linear").double()
    best_start(module, stage, settings, torch.Generator().manual_seed(0), n_init=5)
    assert len(losses) == 5
    assert len(set(losses)) == 5
    best = (module(x) - torch.sin(4 * x)).square().mean().item()
    assert abs(best - min(losses)) < 1e-8
