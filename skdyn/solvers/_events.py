r"""Events: where a function of time and state crosses zero along a solution.

Every accepted step is looked at in a few places; between two with opposite signs the zero is
found on the dense output. With the steps' sizes constant, the implicit function theorem gives the
derivative of its time,

.. math:: dt_e = -\frac{g_y\, dy + dg}{g_t + g_y \dot y},

where y and its velocity are those of the dense output, so that gradients are exact for what was
computed.
"""

import torch

from skdyn.solvers._dense import dense_rows

__all__ = ["EventWatch", "locate"]

_LOOKS = (0.25, 0.5, 0.75, 1.0)  # fractions of a step
_MAX_ITER = 60  # of the search for a zero; eight are usual


class EventWatch:
    """Finds the events of a march.

    Parameters
    ----------
    event : callable
        ``event(t, y)``, with ``t`` (n, 1) and ``y`` (n, d), returns (n,).
    tableau : Tableau
        The method, for its dense output.
    y0 : tensor of shape (n, d)
        Initial states.
    times : tensor of shape (t,) or (n, t)
        Times of the solve.
    terminal : bool
        Whether a case is over with its first event.
    """

    def __init__(self, event, tableau, y0, times, terminal):
        self.event = event
        self.terminal = terminal
        self.ended = torch.zeros(len(y0), 1, dtype=torch.bool, device=y0.device)
        self.over = False
        self.cases, self.times, self.velocities = [], [], []
        self._states = [y0[:0]]
        self._dense = torch.as_tensor(dense_rows(tableau), device=y0.device)
        self._end = tableau.n_stages
        self._shape = y0.shape
        self._y0 = y0
        self._t0 = self._column(times[..., :1])

    def _column(self, t):
        """Times as one float64 column."""
        column = torch.as_tensor(t, dtype=torch.float64, device=self._y0.device)
        return column.reshape(-1, 1).expand(len(self._y0), 1)

    def start(self):
        """Ask for the event's value where the solution begins."""
        self._last = self._ask(self._t0, self._y0)

    def _ask(self, t, y):
        value = self.event(t.to(y), y)
        n = len(y)
        if not isinstance(value, torch.Tensor) or value.shape != (n,):
            came = tuple(value.shape) if isinstance(value, torch.Tensor) else type(value).__name__
            raise ValueError(
                f"events(t, y) must return one number per case, of shape ({n},); got {came}."
            )
        lost = value.isnan() & y.isfinite().all(dim=1)
        if bool(lost.any()):
            case = int(lost.nonzero()[0])
            raise ValueError(
                f"events(t, y) is NaN in case {case} at t = {t[case].item():.6g}, where no zero "
                "can be seen. Return a number for every state that a solution may reach."
            )
        return value[:, None]

    def look(self, chunk, t, h):
        """Look at the step that fills the next block of a chunk, from ``t`` on, of size ``h``."""
        number = len(chunk.spans)
        block = chunk.block(number).view(-1, *self._shape)
        t, h = self._column(t), self._column(h)
        at = [torch.full_like(t, theta) for theta in _LOOKS]
        values = [self._last, *(self._value(block, t, h, theta) for theta in at)]
        self._last = values[-1]
        signs = torch.cat(values, dim=1).sign()
        changes = (signs[:, 1:] != signs[:, :-1]) & (signs[:, :-1] != 0)
        if not bool(changes.any()):
            return
        at = [torch.zeros_like(t), *at]
        for k in range(len(_LOOKS)):
            crossing = changes[:, k : k + 1] & ~self.ended
            if bool(crossing.any()):
                theta = self._search(block, t, h, at[k : k + 2], values[k : k + 2])
                self._note(chunk, number, block, t, h, theta, crossing[:, 0].nonzero()[:, 0])
                if self.terminal:
                    self.ended = self.ended | crossing
        self.over = self.terminal and bool(self.ended.all())

    def _value(self, block, t, h, theta):
        weights = self._weights(theta, h).to(block)
        return self._ask(t + theta * h, torch.einsum("ns,sni->ni", weights, block))

    def _weights(self, theta, h):
        exponents = torch.arange(1, len(self._dense) + 1, device=theta.device)
        weights = (theta**exponents) @ self._dense * h
        weights[:, 0] = 1
        unit = torch.eye(weights.shape[1], dtype=weights.dtype, device=theta.device)[self._end]
        return torch.where(theta == 1, unit, weights)

    def _search(self, block, t, h, ends, values):
        """Zeros between two fractions, by false position with halving (Illinois)."""
        (lo, hi), (low, high) = ends, (value.double() for value in values)
        theta = hi
        for _ in range(_MAX_ITER):
            before = theta
            theta = torch.where(high == 0, hi, (lo * high - hi * low) / (high - low))
            theta = torch.where(torch.isfinite(theta), theta, (lo + hi) / 2)
            value = self._value(block, t, h, theta).double()
            same = value.sign() == high.sign()
            # The end that stays put twice counts half, so that the other one moves too.
            lo, low = torch.where(same, lo, hi), torch.where(same, low / 2, high)
            hi, high = theta, value
            if bool(((theta - before).abs() <= 1e-14).all()):
                break
        return theta

    def _note(self, chunk, number, block, t, h, theta, cases):
        theta, h = theta[cases], h[cases]
        weights = self._weights(theta, h).to(block)
        exponents = torch.arange(1, len(self._dense) + 1, device=theta.device)
        slopes = ((exponents * theta ** (exponents - 1)) @ self._dense).to(block)
        rows = block[:, cases]
        chunk.events.append((number, cases, weights, sum(map(len, self._states))))
        self._states.append(torch.einsum("ms,smd->md", weights, rows))
        self.velocities.append(torch.einsum("ms,smd->md", slopes, rows))
        self.times.append((t[cases] + theta * h)[:, 0])
        self.cases.append(cases)

    def states(self):
        """States at the events, shape (m, d), in the order they were found."""
        return torch.cat(self._states)

    def send_back(self, chunk, adjoint, grad):
        """Add the gradients at the events to a chunk's adjoint rows."""
        for number, cases, weights, first in chunk.events:
            block = adjoint.block(number).view(-1, *self._shape)
            own = grad[first : first + len(cases)]
            block.index_add_(1, cases, weights.t()[:, :, None] * own)

    def replay(self, chunk, number, rows):
        """States at the events of one block, from differentiable ``rows``."""
        return [
            torch.einsum("ms,smd->md", weights, torch.stack(rows)[:, cases])
            for own, cases, weights, _ in chunk.events
            if own == number
        ]


def locate(watch, found):
    """Times and states of events, case by case, with their derivatives.

    Parameters
    ----------
    watch : EventWatch
        After the march.
    found : tensor of shape (m, d)
        Its states, differentiable where gradients are wanted.

    Returns
    -------
    times : tensor of shape (n, k)
        Times of each case's events in order, NaN after the last.
    states : tensor of shape (n, k, d)
        States there.
    """
    y0, times, states = watch._y0, [], []
    lost = y0.new_full(y0.shape[:1], torch.nan)
    for own in _by_rank(watch.cases):
        case = torch.cat(watch.cases)[own]
        here = torch.zeros_like(lost, dtype=torch.bool).index_fill(0, case, True)
        t = watch._t0[:, 0].index_copy(0, case, torch.cat(watch.times)[own]).to(y0)
        y = y0.index_copy(0, case, found[own])
        speed = torch.zeros_like(y0).index_copy(0, case, torch.cat(watch.velocities)[own])
        moved = _shift(watch, t[:, None], y, speed, here)
        times.append(torch.where(here, t + moved, lost))
        states.append(torch.where(here[:, None], y + speed * moved[:, None], torch.nan))
    if not times:
        return y0.new_empty(len(y0), 0), y0.new_empty(len(y0), 0, y0.shape[1])
    return torch.stack(times, dim=1), torch.stack(states, dim=1)


def _by_rank(cases):
    """Numbers of the first events of all cases, of the second ones, and so on."""
    counts, ranks = {}, []
    for number, case in enumerate(torch.cat(cases).tolist() if cases else []):
        rank = counts[case] = counts.get(case, -1) + 1
        if rank == len(ranks):
            ranks.append([])
        ranks[rank].append(number)
    return ranks


def _shift(watch, t, y, speed, here):
    """Zero, with the derivative of the events' times."""
    if not torch.is_grad_enabled():
        return torch.zeros_like(t[:, 0])
    value = watch._ask(t, y)[:, 0]
    if not value.requires_grad:
        return torch.zeros_like(t[:, 0])
    t, leaf = t.clone().requires_grad_(), y.detach().requires_grad_()
    by_t, by_y = torch.autograd.grad(watch._ask(t, leaf).sum(), (t, leaf), allow_unused=True)
    slope = torch.zeros_like(value) if by_t is None else by_t[:, 0]
    if by_y is not None:
        slope = slope + (by_y * speed).sum(dim=1)
    slope = torch.where(here, slope, 1.0).detach()
    return -(value - value.detach()) / slope
