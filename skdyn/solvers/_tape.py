"""Evaluating a field, and remembering enough to pull adjoints back through it.

A tape has ``evaluate(time, i, y, out)``, ``value(t, y)``, ``rewind(n)``, and, where it records,
``restart()``, ``pull(e, kappa)``, ``flush()`` and ``gradients()``.

A tape numbers its evaluations. ``pull(e, kappa)`` gives the product of ``kappa`` with the Jacobian
of evaluation ``e`` and adds up the gradients of the parameters on the way.
"""

import torch

from skdyn.solvers._dependencies import Dependencies, LateDependence

__all__ = ["GraphTape", "SilentTape", "WatchTape", "case_jacobians", "check_output"]


def check_output(dy, y):
    """Raise unless a field's output looks like the state."""
    if not isinstance(dy, torch.Tensor):
        raise ValueError(f"field(t, y) must return a tensor; got {type(dy).__name__}.")
    if dy.shape != y.shape or dy.dtype != y.dtype:
        raise ValueError(
            f"field(t, y) must return a tensor like y, shape {tuple(y.shape)} and {y.dtype}; "
            f"got shape {tuple(dy.shape)} and {dy.dtype}. Convert the field or the states, for "
            "example field.to(y0.dtype)."
        )


def case_jacobians(dy, y):
    """Jacobian of each case by itself.

    Parameters
    ----------
    dy : tensor of shape (n, d)
        Field at ``y``, with its graph.
    y : tensor of shape (n, d)
        Leaf.

    Returns
    -------
    jacobians : tensor of shape (n, d, d)
        Entry (i, j, k) is the derivative of ``dy[i, j]`` by ``y[i, k]``.
    """
    rows = []
    for j in range(y.shape[1]):
        row = None
        if dy.requires_grad:
            seed = torch.zeros_like(dy)
            seed[:, j] = 1
            (row,) = torch.autograd.grad(dy, y, seed, retain_graph=True, allow_unused=True)
        rows.append(torch.zeros_like(y) if row is None else row)
    return torch.stack(rows, dim=1)


class SilentTape:
    """Evaluates and forgets.

    Parameters
    ----------
    field : callable
        The vector field.
    """

    records = False

    def __init__(self, field):
        self.field = field
        self.n_fev = 0
        self.n = 0
        self._checked = False

    def evaluate(self, time, i, y, out):
        """Write the derivative at stage i, state ``y``, into ``out``."""
        self.n_fev += 1
        dy = self.field(time(i), y)
        if not self._checked:
            check_output(dy, y)
            self._checked = True
        out.copy_(dy)

    def value(self, t, y):
        """The derivative at ``y``, not remembered."""
        self.n_fev += 1
        return self.field(t, y)

    def rewind(self, n):
        """Forget the evaluations from number ``n`` on."""


class WatchTape(SilentTape):
    """Evaluates and forgets, and raises where an evaluation needs a gradient after all.

    Parameters
    ----------
    field : callable
        The vector field, which needed none at first.
    """

    def evaluate(self, time, i, y, out):
        """Write the derivative at stage i, state ``y``, into ``out``."""
        self.n_fev += 1
        with torch.enable_grad():
            dy = self.field(time(i), y)
        if dy.requires_grad:
            raise LateDependence
        out.copy_(dy)


class GraphTape:
    """Keeps torch's own graph of each evaluation: works for every field.

    Parameters
    ----------
    field : callable
        The vector field.
    state : bool, default=True
        Whether gradients are wanted even if the field depends on nothing that needs one.
    ends : list of tensor or None, default=None
        Where gradients end besides the state. None finds out: ``leaves`` tells once all
        evaluations were made; else another one is refused.
    dependencies : Dependencies or None, default=None
        Of the field, where known already.
    """

    def __init__(self, field, state=True, ends=None, dependencies=None):
        self.field = field
        self.dependencies = Dependencies(field) if dependencies is None else dependencies
        self._state = state
        self._ends = ends
        self._leaves = ends
        self.n_fev = 0
        self._inputs = []
        self._outputs = []
        self._totals: list[torch.Tensor] = []

    @property
    def n(self):
        """Number of evaluations remembered."""
        return len(self._outputs)

    @property
    def leaves(self):
        """Where gradients end besides the state; to be asked for after the last evaluation."""
        if self._leaves is None:
            self._leaves = self.dependencies.tensors()
        return self._leaves

    @property
    def records(self):
        """Whether anything can ask for a gradient."""
        return self._state or bool(self.dependencies)

    def evaluate(self, time, i, y, out):
        """Write the derivative at stage i, state ``y``, into ``out`` and keep its graph."""
        self.n_fev += 1
        t = time(i)
        y = y.detach().requires_grad_()
        with torch.enable_grad():
            dy = self.dependencies.evaluate(t, y)
        if self._ends is not None:
            self.dependencies.hold_to(self._ends, y, dy)
        elif self._leaves is None:
            check_output(dy, y)
            self.dependencies.look(y, dy)
        self._inputs.append(y)
        self._outputs.append(dy)
        out.copy_(dy.detach())

    def value(self, t, y):
        """The derivative at ``y``, not remembered."""
        self.n_fev += 1
        return self.field(t, y)

    def rewind(self, n):
        """Forget the evaluations from number ``n`` on."""
        del self._inputs[n:], self._outputs[n:]

    def restart(self):
        """Zero the gradients added up so far."""
        self._totals = [torch.zeros_like(leaf) for leaf in self.leaves]

    def pull(self, e, kappa):
        """Product of ``kappa`` (n, d) with the Jacobian of evaluation ``e``, shape (n, d)."""
        y, dy = self._inputs[e], self._outputs[e]
        if not dy.requires_grad:
            return torch.zeros_like(kappa)
        # retain_graph lets a caller run backward twice, and several evaluations share leaves.
        w, *grads = torch.autograd.grad(
            dy, (y, *self.leaves), kappa, retain_graph=True, allow_unused=True
        )
        self._add(grads)
        return torch.zeros_like(kappa) if w is None else w

    def _add(self, grads):
        if any(grad is None for grad in grads):
            for total, grad in zip(self._totals, grads):
                if grad is not None:
                    total.add_(grad)
        elif grads:
            torch._foreach_add_(self._totals, grads)  # pyright: ignore[reportPrivateImportUsage]

    def jacobian(self, e):
        """Jacobian of evaluation ``e`` for each case by itself, shape (n, d, d)."""
        return case_jacobians(self._outputs[e], self._inputs[e])

    def slope(self, e, kappa):
        """As ``pull``, leaving the parameters out."""
        y, dy = self._inputs[e], self._outputs[e]
        w = None
        if dy.requires_grad:
            (w,) = torch.autograd.grad(dy, y, kappa, retain_graph=True, allow_unused=True)
        return torch.zeros_like(kappa) if w is None else w

    def drop_before(self, n):
        """Forget the evaluations before number ``n``, which becomes number zero."""
        del self._inputs[:n], self._outputs[:n]

    def flush(self):
        """Nothing is pending: gradients are added as they come."""

    def gradients(self):
        """Gradients added up, one for each of ``leaves``."""
        return self._totals
