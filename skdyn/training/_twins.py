"""Copies of modules in another precision, made once for many predictions."""

import copy
from itertools import chain
from operator import is_
from weakref import WeakKeyDictionary

import torch

__all__ = ["in_precision"]


def in_precision(module: torch.nn.Module, dtype: torch.dtype) -> torch.nn.Module:
    """Return a module in a precision: itself, or a copy that is kept for the next time.

    A copy takes longer than many a prediction. It is made anew as soon as anything of the module
    was changed or replaced, which autograd's version counters tell (see
    ``eager`` for our own steps). What goes around them is not seen: a
    write through ``.data`` or through numpy's view of a weight.

    Parameters
    ----------
    module : torch.nn.Module
        The module.
    dtype : torch.dtype
        The precision.

    Returns
    -------
    torch.nn.Module
        To be used, not changed.
    """
    if next(module.parameters()).dtype == dtype:
        return module
    twin = _TWINS.get(module)
    if twin is None or twin.dtype != dtype or not twin.is_current():
        twin = _TWINS[module] = _Twin(module, dtype)
    return twin.module


# Of a module: what it is made of, and what else is called when it is.
_PARTS = ("_parameters", "_buffers", "_modules", "_forward_hooks", "_forward_pre_hooks")


class _Twin:
    """A copy of a module, and what tells whether the module still is what was copied."""

    def __init__(self, module, dtype):
        self.dtype = dtype
        self._dicts = [getattr(part, name) for part in module.modules() for name in _PARTS]
        self._things = self._now()  # kept alive, so that no later thing is taken for one of them
        self._tensors = [thing for thing in self._things if isinstance(thing, torch.Tensor)]
        self._memory = [tensor.detach() for tensor in self._tensors]  # nor later memory for theirs
        self._is_watched = not any(tensor.is_inference() for tensor in self._tensors)
        self._marks = self._read_marks()
        with torch.inference_mode(False):  # elsewhere the copy may be asked for gradients
            self.module = copy.deepcopy(module).to(dtype)

    def is_current(self):
        """Whether it is made of the same things, and they have the same numbers."""
        now = self._now()
        same = len(now) == len(self._things) and all(map(is_, now, self._things))
        return self._is_watched and same and self._read_marks() == self._marks

    def _now(self):
        return list(chain.from_iterable(own.values() for own in self._dicts))

    def _read_marks(self):
        if not self._is_watched:  # tensors of inference mode have no versions
            return None
        versions = [tensor._version for tensor in self._tensors]
        return versions, [tensor.data_ptr() for tensor in self._tensors]


_TWINS: WeakKeyDictionary[torch.nn.Module, _Twin] = WeakKeyDictionary()
