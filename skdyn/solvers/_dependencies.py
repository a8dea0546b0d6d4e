"""What a field depends on besides the state: where gradients of a solve must end.

Those are leaves, a module's parameters and tensors that a function closes over, and tensors that
were computed before the solve. The latter take the gradient of all evaluations at once, and torch
goes on from there a single time; to go through their own history at each evaluation would cost as
many times more.

A field may join its parts by branches, on time or on the state: every evaluation is looked at.
"""

from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

__all__ = ["Dependencies", "LateDependence", "refuse_late_dependence"]


class LateDependence(Exception):
    """A field that depended on nothing that needs a gradient does so now."""


def refuse_late_dependence():
    """Raise the error of an adjoint that must know a field's tensors from the first time on."""
    raise ValueError(
        "adjoint='continuous' was told by the field at the first time which tensors it depends on, "
        "but later it depends on another one, as fields with branches do. Use adjoint='discrete', "
        "'checkpoint' or None, or make the field an nn.Module that owns these tensors."
    )


class _Watch(TorchFunctionMode):
    """Collects tensors with a history that torch functions are called with, but did not make."""

    def __init__(self):
        super().__init__()
        self.made, self.found = {}, {}

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        for value in tree_leaves((args, kwargs)):
            if isinstance(value, torch.Tensor) and id(value) not in self.made:
                self.found.setdefault(id(value), value)
        result = function(*args, **kwargs)
        made = (value for value in tree_leaves(result) if isinstance(value, torch.Tensor))
        self.made.update((id(value), value) for value in made)
        return result


class Dependencies:
    """Tensors besides the state that a field's answers depend on, and that need gradients.

    Parameters
    ----------
    field : callable
        The field.
    """

    def __init__(self, field):
        self.field = field
        self._parameters = []
        if isinstance(field, nn.Module):
            self._parameters = [p for p in field.parameters() if p.requires_grad]
        self._before: Any = None  # (node, number of its output) -> tensor computed before the solve
        self._reached = {}

    def evaluate(self, t, y):
        """Evaluate the field with its graph; the first time, see what it is computed from."""
        if self._before is not None:
            return self.field(t, y)
        if hasattr(self.field, "_torchdynamo_orig_callable"):  # compiled: nothing can watch it
            watch, dy = _Watch(), self.field(t, y)
        else:
            with _Watch() as watch:
                dy = self.field(t, y)
        seen = [*watch.found.values(), *self._parameters]
        self._before = {
            (tensor.grad_fn, tensor.output_nr): tensor
            for tensor in seen
            if tensor.requires_grad and tensor.grad_fn is not None
        }
        return dy

    def look(self, y, dy):
        """Note what one evaluation, ``dy`` at the leaf ``y``, depends on."""
        self._reached |= self._ends_of(y, dy)

    def hold_to(self, ends, y, dy):
        """Refuse an evaluation that depends on a tensor which is none of ``ends``."""
        unknown = self._ends_of(y, dy).keys() - {id(tensor) for tensor in ends}
        if unknown:
            refuse_late_dependence()

    def _ends_of(self, y, dy) -> dict[int, Any]:
        if not dy.is_leaf:
            return self._behind((dy.grad_fn, dy.output_nr), y)
        return {id(dy): dy} if dy.requires_grad and dy is not y else {}

    def __bool__(self):
        """Whether anything but the state could ask for a gradient, as far as is known."""
        return bool(self._parameters or self._reached)

    def tensors(self):
        """Where gradients end, each once.

        A tensor computed before the solve is none of them if a gradient must end behind it too,
        since torch would go on to there by itself, evaluation by evaluation.

        Returns
        -------
        list of tensor
        """
        ends: dict[int, Any] = dict(self._reached)
        behind = {}
        undecided = [tensor for tensor in ends.values() if tensor.grad_fn is not None]
        while undecided:
            tensor = undecided.pop()
            further = {}
            node: Any = tensor.grad_fn
            for edge in node.next_functions:
                further |= self._behind(edge, None)
            if further.keys() & ends.keys():
                del ends[id(tensor)], self._before[node, tensor.output_nr]
                ends |= further
                undecided = [other for other in ends.values() if other.grad_fn is not None]
                behind = {}
            else:
                behind |= further
        for parameter in self._parameters:
            if id(parameter) not in behind:
                ends.setdefault(id(parameter), parameter)  # zero, where it was left out
        return list(ends.values())

    def _behind(self, edge, y):
        """Return the ends that an edge of the graph leads to, by their ids."""
        found, visited, stack = {}, set(), [edge]
        while stack:
            edge = stack.pop()
            node = edge[0]
            if node is None or node in visited:
                continue
            tensor = self._before.get(edge) if self._before else None
            if tensor is not None:
                found[id(tensor)] = tensor
                continue
            visited.add(node)
            leaf = getattr(node, "variable", None)
            if leaf is None:
                stack.extend(node.next_functions)
            elif leaf is not y:
                found[id(leaf)] = leaf
        return found
