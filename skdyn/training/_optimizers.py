"""Optimisers, fused where torch can, and learning-rate schedules as plain functions."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch

from skdyn.training._eager import eager
from skdyn.training._levenberg_marquardt import LevenbergMarquardt

_torch: Any = torch  # whose calls on lists are exported to its own optimizers only

# Kingma & Ba 2015 (adam); Loshchilov & Hutter 2019 (adamw); Liu & Nocedal 1989 (lbfgs). The
# strong-Wolfe search is what makes torch's L-BFGS safe without tuning its learning rate.
OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": partial(eager(torch.optim.Adam), fused=True),
    "adamw": partial(eager(torch.optim.AdamW), fused=True),
    "sgd": partial(eager(torch.optim.SGD), momentum=0.9, nesterov=True, fused=True),
    "lbfgs": partial(eager(torch.optim.LBFGS), line_search_fn="strong_wolfe", tolerance_grad=1e-10),
}
# Those that ask for more than gradients: an objective must offer ``problem(module, batch)``.
CURVATURE_METHODS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "lm": eager(LevenbergMarquardt)
}
# They need one fixed function, and write the penalty on the weights into it.
FULL_BATCH = frozenset({"lbfgs", "lm"})


def _constant(progress):
    return 1.0


def _cosine(progress):
    return 0.5 * (1.0 + math.cos(math.pi * progress))


def _exponential(progress):
    return 0.01**progress


def _one_cycle(progress):
    if progress < 0.3:
        return 0.04 + 0.96 * progress / 0.3
    return 1e-3 + (1.0 - 1e-3) * _cosine((progress - 0.3) / 0.7)


# Factor on the learning rate at progress = epoch / max_iter in [0, 1). Cosine: Loshchilov &
# Hutter 2017; one cycle: Smith & Topin 2018. "plateau" reacts to the loss and lives in the loop.
LEARNING_RATE_SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": _constant,
    "cosine": _cosine,
    "exponential": _exponential,
    "one_cycle": _one_cycle,
    "plateau": _constant,
}


def set_learning_rate(optimizer: torch.optim.Optimizer, learning_rate: float) -> None:
    """Give every parameter group of an optimizer this learning rate, times the group's own factor.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        The optimizer.
    learning_rate : float
        The rate.
    """
    for group in optimizer.param_groups:
        group["lr"] = learning_rate * group.get("rate", 1.0)


def clip_gradients(weights: Sequence[torch.Tensor], most: float) -> None:
    """Shorten all gradients alike, so that together they are no longer than ``most``.

    This is :func:`torch.nn.utils.clip_grad_norm_` to the bit, with half of its calls where all are
    of one type.

    Parameters
    ----------
    weights : sequence of Tensor
        On one device.
    most : float
        The norm allowed.
    """
    slopes = [weight.grad for weight in weights if weight.grad is not None]
    if len({slope.dtype for slope in slopes}) != 1:
        torch.nn.utils.clip_grad_norm_(weights, most)
        return
    norm = torch.linalg.vector_norm(torch.stack(_torch._foreach_norm(slopes)))
    _torch._foreach_mul_(slopes, (most / (norm + 1e-6)).clamp(max=1.0))


def decaying(groups: list[dict]) -> list[torch.Tensor]:
    """List the weights in those groups that the L2 penalty counts.

    Parameters
    ----------
    groups : list of dict
        As :func:`parameter_groups` gives them.

    Returns
    -------
    list of Tensor
    """
    return [weight for group in groups if group["decay"] for weight in group["params"]]


@torch.no_grad()
def sum_of_squares(weights: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return the sum of the squares of all weights, without gradients and with few calls.

    Parameters
    ----------
    weights : sequence of Tensor
        May be empty.

    Returns
    -------
    Tensor of shape ()
    """
    if not weights:
        return torch.zeros(())
    return torch.stack(_torch._foreach_norm([*weights])).square().sum()


def parameter_groups(module: torch.nn.Module) -> list[dict]:
    """Return a module's parameters in the groups it asks for, the rest in one of their own.

    A module may have a method ``parameter_groups()`` that returns a list of dicts: ``params``, a
    list of its parameters; ``rate``, a factor on the learning rate, 1 if absent; ``decay``, whether
    the L2 penalty counts them, true if absent.

    Parameters
    ----------
    module : torch.nn.Module
        The module.

    Returns
    -------
    list of dict
        With ``params``, ``rate`` and ``decay`` each; the first group holds what no other does.

    Raises
    ------
    ValueError
        If a group holds what is no parameter of the module, or a parameter is in two.
    """
    asked = getattr(module, "parameter_groups", list)()
    groups = [{"rate": 1.0, "decay": True} | group for group in asked]
    named = [id(parameter) for group in groups for parameter in group["params"]]
    own = {id(parameter) for parameter in module.parameters()}
    if len(set(named)) < len(named) or not own.issuperset(named):
        raise ValueError(
            f"{type(module).__name__}.parameter_groups() must hold parameters of the module, each "
            "in one group."
        )
    rest = [parameter for parameter in module.parameters() if id(parameter) not in named]
    return [{"params": rest, "rate": 1.0, "decay": True}, *groups]
