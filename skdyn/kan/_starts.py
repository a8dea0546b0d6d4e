"""Several first weights, of which the best go on."""

import copy
from typing import Any

import torch

from skdyn.training import LeanNet


def best_start(module, stage, settings, generator, n_init):
    """Train from several first weights and keep the best, in place.

    Second-order methods end in the nearest minimum: where they begin decides how good it is. On
    the coarsest grid a start costs little.

    Parameters
    ----------
    module : KAN
        The network, with the first of the starts.
    stage : Stage
        What to minimize.
    settings : TrainingSettings
        How.
    generator : torch.Generator
        Source of the other starts.
    n_init : int
        Number of starts.
    """
    best: Any = None
    best_loss = float("inf")
    for _ in range(n_init):
        candidate = copy.deepcopy(module)
        loss = LeanNet(candidate, settings, generator).run([stage]).best_loss
        if loss < best_loss:
            best_loss, best = loss, candidate
        with torch.no_grad():
            module.redraw(generator)
    module.load_state_dict(best.state_dict())
