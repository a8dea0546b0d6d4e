"""The front door: solve an ordinary differential equation for a batch of cases."""

import math
from typing import NamedTuple

import torch

from skdyn.exceptions import DivergenceError, MaxStepsError
from skdyn.solvers._checks import check_choice, check_state, check_times, check_tolerances
from skdyn.solvers._tableaux import TABLEAUX

__all__ = ["ODESolution", "SolverStats", "is_adaptive", "solve_ode", "solver_names"]


class SolverStats(NamedTuple):
    """What a solve cost: evaluations of the field, accepted and rejected steps."""

    n_fev: int
    n_accepted: int
    n_rejected: int


class ODESolution(NamedTuple):
    """States ``ys`` (n, t, d), the differentiable ``regularization`` or None, and ``stats``."""

    ys: torch.Tensor
    regularization: torch.Tensor | None
    stats: SolverStats


def solver_names():
    """Names of all solvers."""
    return tuple(TABLEAUX)


def is_adaptive(solver):
    """Whether ``solver`` chooses its own steps."""
    check_choice("solver", solver, solver_names())
    return TABLEAUX[solver].adaptive


def solve_ode(
    field,
    y0,
    t,
    *,
    solver="tsit5",
    rtol=1e-5,
    atol=1e-6,
    step_control="joint",
    adjoint="discrete",
    max_steps=1000,
    first_step=None,
    step_size=None,
    regularization=None,
    regularization_mode="global",
    generator=None,
):
    """Solve dy/dt = field(t, y) (first version: plain autograd through the steps)."""
    check_choice("solver", solver, solver_names())
    check_choice("step_control", step_control, ("joint", "per_sample"))
    check_choice("adjoint", adjoint, ("discrete", "checkpoint", "continuous", None))
    check_choice("regularization", regularization, (None, "error", "stiffness"))
    check_choice("regularization_mode", regularization_mode, ("global", "local"))
    check_tolerances(rtol, atol, max_steps)
    check_state(y0)
    times = check_times(t, len(y0))
    tableau = TABLEAUX[solver]
    n, shared = len(y0), times.ndim == 1
    # One clock per group: every case in per-sample control, the unit clock of intervals otherwise.
    per_sample = step_control == "per_sample" and tableau.adaptive and step_size is None
    rows = times.expand(n, -1) if shared else times
    own = per_sample or not shared
    grid = rows.to(y0)
    T = rows.shape[1]
    adaptive = tableau.adaptive and step_size is None
    a, c = tableau.matrix.tolist(), tableau.nodes.tolist()
    b, dense = tableau.b, torch.as_tensor(tableau.dense).to(y0)
    powers = torch.arange(1, dense.shape[1] + 1).to(y0)
    stats = [0, 0, 0]
    terms = []

    def call(ti, yi):
        stats[0] += 1
        return field(ti, yi)

    def step(tn, h, y, k):
        ks = [k]
        inputs = [y]
        for i in range(1, tableau.n_stages):
            yi = y + h * sum(a[i][j] * ks[j] for j in range(i) if a[i][j])
            inputs.append(yi)
            ks.append(call(tn + c[i] * h, yi))
        y1 = inputs[-1]
        error = h * sum(e * k for e, k in zip(tableau.b_error, ks)) if tableau.adaptive else None
        return y1, torch.stack(ks), inputs, error

    def norms(error, y, y1):
        scaled = error / (atol + rtol * torch.maximum(y.abs(), y1.abs()))
        return scaled.square().mean(dim=1, keepdim=True).sqrt()

    def regularize(h, ks, inputs, error):
        if regularization == "error":
            terms.append((error.norm(dim=1, keepdim=True) * h.abs()).mean())
        elif regularization == "stiffness":
            top = (ks[-1] - ks[-2]).norm(dim=1)
            bottom = (inputs[-1] - inputs[-2]).norm(dim=1)
            terms.append((top / bottom.clamp_min(1e-12)).mean())

    sign = torch.sign(grid[:, -1:] - grid[:, :1])
    tn, y = grid[:, :1], y0
    first = tn if own else tn[0, 0]
    k = call(first, y)
    if not bool(torch.isfinite(k).all()):
        case = int((~torch.isfinite(k)).any(1).nonzero()[0])
        raise DivergenceError(f"the field is not finite at the first time in case {case}.", case=case)
    if adaptive:
        with torch.no_grad():
            scale = atol + rtol * y.abs()
            d0, d1 = (((x / scale) ** 2).mean(1, keepdim=True).sqrt() for x in (y, k))
            h = torch.where((d0 > 1e-5) & (d1 > 1e-5), 0.01 * d0 / d1, torch.tensor(1e-6).to(y0))
            h = torch.full_like(h, first_step) if first_step else h
            if not per_sample:
                h = h.min().expand(n, 1)
            h = h * sign
    out = [[y0[i]] for i in range(n)] if per_sample else [y0]
    if per_sample:
        index = torch.ones(n, dtype=torch.long)
        end = grid[:, -1:]
        while True:
            active = ((end - tn) * sign > 0)
            if not bool(active.any()):
                break
            if stats[1] + stats[2] >= max_steps:
                case = int(active.flatten().nonzero()[0])
                raise MaxStepsError(f"max_steps={max_steps} reached in case {case}.", case=case)
            last = (tn + h * 1.0001 - end) * sign >= 0
            h = torch.where(last, end - tn, h)
            h = torch.where(active, h, torch.zeros_like(h))
            y1, ks, inputs, error = step(tn, h, y, k)
            with torch.no_grad():
                e = norms(error, y, y1)
                ok = (e <= 1) & active
                factor = (0.9 * e.clamp_min(1e-10) ** -0.2).clamp(0.2, 10.0).nan_to_num(0.2, 0.2, 0.2)
                t1 = torch.where(last, end, tn + h)
                if bool((active & ~ok & (h.abs() < 1e-12 * (end - grid[:, :1]).abs())).any()):
                    case = int((active & ~ok).flatten().nonzero()[0])
                    raise DivergenceError(f"the step vanished in case {case}.", case=case)
            regularize(torch.where(ok, h, 0.0), ks, inputs, error)
            for i in ok.flatten().nonzero().flatten().tolist():
                while index[i] < T and (grid[i, index[i]] - t1[i, 0]) * sign[i, 0] <= 0:
                    theta = (grid[i, index[i]] - tn[i, 0]) / h[i, 0]
                    out[i].append(y[i] + h[i] * ((dense @ theta**powers) @ ks[:, i]))
                    index[i] += 1
            y, k = torch.where(ok, y1, y), torch.where(ok, ks[-1], k)
            tn, h = torch.where(ok, t1, tn), torch.where(active, h * factor, h)
            stats[1 if bool(ok.any()) else 2] += 1
        ys = torch.stack([torch.stack(states) for states in out])
        total = torch.stack(terms).sum() if terms else None
        return ODESolution(ys, total, SolverStats(*stats))
    # Joint: a float clock; per-case grids run on the unit clock of intervals, stopping at knots.
    clock = times[0:].tolist() if shared else [float(i) for i in range(T)]
    s, direction = clock[0], 1.0 if clock[-1] > clock[0] else -1.0
    if adaptive:
        hs = float((h.abs() if shared else (h / (grid[:, 1:2] - grid[:, :1])).abs()).min()) * direction
    upcoming = 1
    while upcoming < T:
        knot = clock[-1] if (shared and adaptive) else clock[upcoming]
        if adaptive:
            trial = hs
        elif step_size is None:
            trial = knot - s
        else:
            gap = abs(clock[upcoming] - clock[upcoming - 1])
            width = step_size if shared else step_size / float((grid[:, upcoming] - grid[:, upcoming - 1]).abs().max())
            trial = direction * gap / math.ceil(gap / width - 1e-9)
        last = (s + 1.0001 * trial - knot) * direction >= 0
        trial = knot - s if last else trial
        if stats[1] + stats[2] >= max_steps:
            raise MaxStepsError(f"max_steps={max_steps} reached at t={s:g}.", t=s, n_steps=max_steps)
        if shared:
            tn, h = torch.tensor(s).to(y0), trial
        else:
            j = upcoming - 1
            delta = grid[:, j + 1 : j + 2] - grid[:, j : j + 1]
            tn, h = grid[:, j : j + 1] + (s - j) * delta, trial * delta
        y1, ks, inputs, error = step(tn, h, y, k)
        e = 0.0
        if adaptive:
            with torch.no_grad():
                e = float(norms(error, y, y1).square().mean().sqrt())
            factor = min(10.0, max(0.2, 0.9 * max(e, 1e-10) ** (-1 / (tableau.error_order + 1))))
            if not math.isfinite(e):
                factor = 0.2
            hs = trial * factor
            if not e <= 1:
                stats[2] += 1
                if abs(trial) < 1e-13 * abs(clock[-1] - clock[0]) + 1e-14 * abs(s):
                    bad = int(y1.abs().nan_to_num(torch.inf).amax(1).argmax())
                    raise DivergenceError(f"the step vanished at t={s:g} in case {bad}.", case=bad, t=s)
                continue
        stats[1] += 1
        regularize(torch.as_tensor(h), ks, inputs, error)
        s1 = knot if last else s + trial
        while upcoming < T and (clock[upcoming] - s1) * direction <= 1e-12 * abs(trial):
            theta = (clock[upcoming] - s) / trial
            weights = dense @ theta**powers
            out.append(y + h * torch.tensordot(weights, ks, 1))
            upcoming += 1
        s, y, k = s1, y1, ks[-1]
    ys = torch.stack(out, dim=1)
    if not bool(torch.isfinite(ys).all()):
        case, j, _ = (~torch.isfinite(ys)).nonzero()[0].tolist()
        raise DivergenceError(f"the solution is not finite in case {case} at time index {j}.", case=case)
    total = torch.stack(terms).sum() if terms else None
    return ODESolution(ys, total, SolverStats(*stats))
