"""A record cut into windows, the lanes of one vectorized integration."""

from itertools import pairwise

import numpy as np

# When in a step its stages are: Dormand, Prince 1980.
STAGES = (0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1)
_LONG = 1.5  # times the median interval: what the integrator does not step over at once
_SHORTEST = 5  # intervals of a window, at least


class Windows:
    """The measurements cut into windows of about equally many intervals.

    Parameters
    ----------
    record : Record
        The measurements.
    n_windows : int
        About how many windows.
    states : sequence of int, default=None
        The states to integrate, all by default; the other variables follow the record's curves.
    n_sub : int, default=1
        Integration steps between measurements.
    """

    def __init__(self, record, n_windows, states=None, n_sub=1):
        self.rows = list(range(record.n_states)) if states is None else list(states)
        self.inputs = [j for j in range(record.n_variables) if j not in self.rows]
        self.order, self.n_sub, self.d = (*self.rows, *self.inputs), n_sub, len(self.rows)
        grids = [_with_stops(t, X) for t, X in zip(record.t, record.X)]
        total = sum(len(t) - 1 for t, _ in grids)
        # Start states are constants too: each window must tell of more than its own.
        length = max(_SHORTEST, total / n_windows)
        starts, tied = [], []  # (segment, first time, intervals); is it tied to the next one?
        for k, (t, _) in enumerate(grids):
            pieces = max(1, round((len(t) - 1) / length))
            edges = np.linspace(0, len(t) - 1, pieces + 1).round().astype(int)
            for a, b in pairwise(edges):
                starts.append((k, a, b - a))
                tied.append(b < len(t) - 1)
        self.n, self.tied = len(starts), np.flatnonzero(tied)
        self.segments = np.array([k for k, _, _ in starts])
        self.ends = np.array([b for _, _, b in starts])
        width = self.ends.max()
        self.times = np.empty((width + 1, self.n))
        self.X = np.full((width + 1, self.d, self.n), np.nan)
        self.sd = np.ones((width + 1, self.d, self.n))
        self.x0 = np.empty((self.d, self.n))
        self.seam = np.empty((self.d, self.n))  # noise at the start, in which jumps are measured
        for m, (k, a, b) in enumerate(starts):
            t, measured = grids[k]
            self.times[: b + 1, m] = t[a : a + b + 1]
            self.times[b + 1 :, m] = t[a + b]  # steps of no length
            # A window's last point is the next one's first: it counts once, there.
            here = measured[a : a + b + (not tied[m])]
            rows = np.flatnonzero(here >= 0)
            self.X[rows, :, m] = record.X[k][here[rows]][:, self.rows]
            if record.ignored is not None:
                out = record.ignored[k][here[rows]][:, self.rows]
                self.X[rows, :, m] = np.where(out, np.nan, self.X[rows, :, m])
            self.sd[rows, :, m] = record.sd[k][here[rows]][:, self.rows]
            self.x0[:, m] = record.at(k, t[a : a + 1])[self.rows, 0]
            nearest = max(measured[: a + 1])
            self.seam[:, m] = record.sd[k][nearest, self.rows]
        self.h = np.diff(self.times, axis=0) / n_sub
        self.seen, self.spread = np.isfinite(self.X), np.nanstd(self.X, axis=(0, 2))
        self.table = self._table(record) if self.inputs else None

    def _table(self, record):
        """Inputs at the times of every stage: (width, n_sub, 6, n_inputs, n_windows)."""
        offsets = np.arange(self.n_sub)[:, None] + np.array(STAGES)
        at = self.times[:-1, None, None] + offsets[:, :, None] * self.h[:, None, None]
        table = np.empty((*at.shape[:3], len(self.inputs), self.n))
        for m, k in enumerate(self.segments):
            values = record.at(k, at[..., m].ravel())[self.inputs]
            table[..., m] = np.moveaxis(values.reshape(-1, *at.shape[:3]), 0, -1)
        return table


def _with_stops(t, X):
    """Times with stops in long gaps, and which measurement each is, -1 for a stop."""
    h = np.diff(t)
    n = np.maximum(1, np.ceil(h / (_LONG * np.median(h))).astype(int))
    stops = np.concatenate([a + d * np.arange(k) / k for a, d, k in zip(t, h, n)] + [t[-1:]])
    measured = np.full(len(stops), -1)
    measured[np.concatenate([[0], np.cumsum(n)])] = np.arange(len(t))
    return stops, measured
