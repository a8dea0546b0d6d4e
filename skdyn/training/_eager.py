"""Optimisers that run as they are written, without the machinery of ``torch.compile``."""

import inspect

import torch

__all__ = ["eager"]


def eager(optimizer: type[torch.optim.Optimizer]) -> type[torch.optim.Optimizer]:
    """Return an optimiser that does not import torch's compiler.

    Torch wraps these methods so that its compiler leaves them alone, and the wrappers import that
    compiler when they are first called: some 800 modules, sympy and torch.distributed among them,
    a second or two in every process that fits. Our loop is never compiled, so the methods inside
    the wrappers will do; where a version of torch wraps nothing, nothing changes.

    Parameters
    ----------
    optimizer : type
        A class of ``torch.optim``.

    Returns
    -------
    type
        A class derived from it that takes the same steps.
    """
    inside = {
        name: inspect.unwrap(getattr(optimizer, name)) for name in ("add_param_group", "zero_grad")
    }
    # Without its wrapper a step would be recorded for differentiation.
    inside["step"] = torch.no_grad()(inspect.unwrap(optimizer.step))
    return type(optimizer.__name__, (optimizer,), inside)
