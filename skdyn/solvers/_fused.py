"""A tape for ``MLPField``: hand-written forward and backward on buffers.

Activations of many evaluations lie in one buffer a layer, so that the weights' gradients of many
evaluations are one product a layer.
"""

from typing import Any

import torch
from torch import nn

from skdyn.solvers._field import DrivenField, MLPField

__all__ = ["MLPTape", "can_fuse"]

_aten = torch.ops.aten


def _tanh(x, out):
    # Two sigmoids' worth of arithmetic: torch's float32 tanh costs five on a CPU.
    torch.mul(x, 2.0, out=out)
    torch.sigmoid(out, out=out)
    out.mul_(2.0).sub_(1.0)


# Name -> (write the activation of x into out, write g times its derivative into out); the
# derivative comes from the input x or the output y, whichever is cheaper.
_ACTIVATIONS = {
    "silu": (
        lambda x, out: _aten.silu.out(x, out=out),
        lambda g, x, y, out: _aten.silu_backward.grad_input(g, x, grad_input=out),
    ),
    "tanh": (_tanh, lambda g, x, y, out: _aten.tanh_backward.grad_input(g, y, grad_input=out)),
    "softplus": (
        lambda x, out: _aten.softplus.out(x, 1.0, 20.0, out=out),
        lambda g, x, y, out: _aten.softplus_backward.grad_input(g, x, 1.0, 20.0, grad_input=out),
    ),
    "relu": (
        lambda x, out: torch.clamp_min(x, 0.0, out=out),
        lambda g, x, y, out: _aten.threshold_backward.grad_input(g, y, 0.0, grad_input=out),
    ),
    "gelu": (
        lambda x, out: _aten.gelu.out(x, out=out),
        lambda g, x, y, out: _aten.gelu_backward.grad_input(g, x, grad_input=out),
    ),
    "sigmoid": (
        lambda x, out: torch.sigmoid(x, out=out),
        lambda g, x, y, out: _aten.sigmoid_backward.grad_input(g, y, grad_input=out),
    ),
}

# Evaluations a segment holds: enough for one large product, few enough to stay near the cache.
_SEGMENT_BYTES = 2**20
_SEGMENT_SLOTS = (7, 28)


def can_fuse(field, y0):
    """Whether a field is exactly an ``MLPField``: no subclass, hook, reparametrisation or cast.

    Inputs may drive it, as functions of time without gradients.

    Parameters
    ----------
    field : callable
        The field.
    y0 : tensor of shape (n, d)
        Initial states.

    Returns
    -------
    fusible : bool
        Whether ``MLPTape`` computes the same thing.
    """
    modules = [field]
    if type(field) is DrivenField:
        field = field.network
        modules.append(field)
    elif getattr(field, "n_inputs", 0):
        return False  # they are missing: the field says so
    if type(field) is not MLPField or field.dim != y0.shape[1]:
        return False
    modules += field.layers
    if any(m._forward_hooks or m._forward_pre_hooks or m._backward_hooks for m in modules):
        return False
    return all(
        type(layer) is nn.Linear
        and layer.weight.dtype == y0.dtype
        and layer.weight.device == y0.device
        for layer in field.layers
    )


class _Segment:
    """Buffers for the hidden layers of ``n_slots`` evaluations."""

    def __init__(self, n_slots, widths, like):
        self.n_slots = n_slots
        n = len(like)
        make = like.new_empty
        self.inputs = [make(n_slots * n, w) for w in widths]
        self.outputs = [make(n_slots * n, w) for w in widths]
        self.x = [buffer.view(n_slots, n, -1).unbind(0) for buffer in self.inputs]
        self.y = [buffer.view(n_slots, n, -1).unbind(0) for buffer in self.outputs]
        self.states = [None] * n_slots


class MLPTape:
    """Records evaluations of an ``MLPField``.

    Parameters
    ----------
    field : MLPField or DrivenField
        The field.
    y0 : tensor of shape (n, d)
        Initial states.
    records : bool
        Whether ``pull`` will be called; without, one slot is used over and over.
    """

    def __init__(self, field, y0, records):
        self.field, self.records = field, records
        self._drive = None
        network: Any = field
        if isinstance(field, DrivenField):
            self._drive, network = field.drive, field.network
        self.n_fev = self.n = 0
        self._like = y0 = y0.detach()
        self._dim = network.dim
        self._time_dependent = network.time_dependent
        self._weights = [layer.weight.detach() for layer in network.layers]
        self._transposed = [weight.t() for weight in self._weights]
        # Row-major for the product that ends in the narrow state: half the time of the other.
        self._narrow = self._weights[0].t().contiguous()
        self._biases = [layer.bias.detach() for layer in network.layers]
        self._activate, self._activate_back = _ACTIVATIONS[network.activation]
        self._widths = [len(bias) for bias in self._biases[:-1]]
        self._hidden = range(len(self._widths))
        slot_bytes = 2 * len(y0) * y0.element_size() * max(1, sum(self._widths))
        lo, hi = _SEGMENT_SLOTS
        self._n_slots = min(max(_SEGMENT_BYTES // slot_bytes, lo), hi) if records else 1
        self._segments = []
        parameters = [p for layer in network.layers for p in (layer.weight, layer.bias)]
        self.leaves = parameters if records and any(p.requires_grad for p in parameters) else []

    def evaluate(self, time, i, y, out):
        """Write the derivative at stage i, state ``y``, into ``out``."""
        self.n_fev += 1
        number, slot = divmod(self.n, self._n_slots)
        if number == len(self._segments):
            self._segments.append(_Segment(self._n_slots, self._widths, self._like))
        segment = self._segments[number]
        if self._drive is not None:
            y = torch.cat([y, self._drive(time(i))], dim=1)
        if self._time_dependent:
            y = torch.cat([y, time(i).to(y.dtype).expand(len(y), 1)], dim=1)
        if self.records:
            segment.states[slot] = y
            self.n += 1
        for layer in self._hidden:
            x, h = segment.x[layer][slot], segment.y[layer][slot]
            torch.addmm(self._biases[layer], y, self._transposed[layer], out=x)
            self._activate(x, h)
            y = h
        torch.addmm(self._biases[-1], y, self._transposed[-1], out=out)

    def value(self, t, y):
        """The derivative at ``y``, not remembered."""
        self.n_fev += 1
        return self.field(t, y)

    def rewind(self, n):
        """Forget the evaluations from number ``n`` on."""
        self.n = n

    def restart(self):
        """Zero the gradients added up so far."""
        # Weights' gradients are added up with their short side first: on a CPU the product of a
        # narrow with a wide matrix is up to eight times faster that way round.
        self._flipped = [w.shape[1] < w.shape[0] for w in self._weights]
        shapes = [w.t() if flip else w for w, flip in zip(self._weights, self._flipped)]
        self._weight_totals = [w.new_zeros(w.shape) for w in shapes]
        self._bias_totals = [torch.zeros_like(b) for b in self._biases]
        self._back = _Segment(self._n_slots, self._widths, self._like)
        self._pending = None

    def pull(self, e, kappa):
        """Product of ``kappa`` (n, d) with the Jacobian of evaluation ``e``, shape (n, d)."""
        number, slot = divmod(e, self._n_slots)
        if self._pending is not None and self._pending[0] != number:
            self.flush()
        if self._pending is None:
            self._pending = (number, slot, {})
        self._pending[2][slot] = kappa
        segment, back = self._segments[number], self._back
        g = kappa
        for layer in reversed(self._hidden):
            gh = torch.mm(g, self._weights[layer + 1])
            g = back.x[layer][slot]
            self._activate_back(gh, segment.x[layer][slot], segment.y[layer][slot], g)
        w = nn.functional.linear(g, self._narrow)
        return w if w.shape[1] == self._dim else w[:, : self._dim]

    def flush(self):
        """Turn the pending evaluations into gradients of the weights."""
        if self._pending is None or not self.leaves:
            self._pending = None
            return
        number, last, kappas = self._pending
        first = last - len(kappas) + 1
        segment, n = self._segments[number], len(self._like)
        part = slice(first * n, (last + 1) * n)
        slots = range(first, last + 1)
        x = torch.cat([segment.states[slot] for slot in slots])
        for layer in range(len(self._weights)):
            if layer < len(self._widths):
                g = self._back.inputs[layer][part]
            else:
                g = torch.cat([kappas[slot] for slot in slots])
            left, right = (x, g) if self._flipped[layer] else (g, x)
            self._weight_totals[layer].addmm_(left.t(), right)
            self._bias_totals[layer].add_(g.sum(dim=0))
            if layer < len(self._widths):
                x = segment.outputs[layer][part]
        self._pending = None

    def gradients(self):
        """Gradients added up, one for each of ``leaves``."""
        if not self.leaves:
            return []
        weights = zip(self._weight_totals, self._flipped)
        weights = [total.t() if flip else total for total, flip in weights]
        return [grad for pair in zip(weights, self._bias_totals) for grad in pair]
