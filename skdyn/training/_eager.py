"""Optimisers that run as they are written, without the machinery of ``torch.compile``."""

import inspect
from collections.abc import Callable
from typing import Any

import torch
from torch.autograd.graph import increment_version

__all__ = ["eager"]


def eager(optimizer: type[Any]) -> Callable[..., Any]:
    """Return an optimizer that does not import torch's compiler.

    Torch wraps these methods so that its compiler leaves them alone, and the wrappers import that
    compiler when they are first called: some 800 modules, sympy and torch.distributed among them,
    a second or two in every process that fits. Our loop is never compiled, so the methods inside
    the wrappers will do; where a version of torch wraps nothing, nothing changes.

    A step also counts as a change of the weights, which fused ones hide from autograd.

    Parameters
    ----------
    optimizer : type
        A class of ``torch.optim``.

    Returns
    -------
    type
        A class derived from it that takes the same steps.
    """
    plain_step = inspect.unwrap(optimizer.step)

    @torch.no_grad()  # which the wrapper did too
    def step(self, *args):
        result = plain_step(self, *args)
        for group in self.param_groups:
            increment_version(group["params"])
        return result

    plain_zero_grad = inspect.unwrap(optimizer.zero_grad)

    def zero_grad(self, set_to_none=True):
        if not set_to_none:
            plain_zero_grad(self, set_to_none=False)
            return
        for group in self.param_groups:
            for weight in group["params"]:
                weight.grad = None

    inside = {
        "add_param_group": inspect.unwrap(optimizer.add_param_group),
        "zero_grad": zero_grad,
        "step": step,
    }
    return type(optimizer.__name__, (optimizer,), inside)
