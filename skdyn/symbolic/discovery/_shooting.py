"""Refinement of every constant against trajectories: multiple shooting by Gauss-Newton.

The record is cut into windows, each with a start state of its own. Windows first stand alone, then
their ends are tied to the next one's start more and more tightly, until the whole is one solution
of the equations. Windows and perturbed parameters are lanes of one vectorised integration.
"""

from typing import NamedTuple

import numpy as np

from skdyn.symbolic.discovery._terms import FUNCTIONS, substituted
from skdyn.symbolic.discovery._windows import Windows

# Dormand, Prince 1980: the fifth-order solution.
_A = (
    (), (1 / 5,), (3 / 40, 9 / 40), (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
)  # fmt: skip
_A = [np.array(row) for row in _A]
_B = np.array([35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84])
_NEAR = 0.03  # noise levels that an error of integration may come to
_FAR_OFF = 1e8  # noise levels beyond which an error of integration is one of the system
_STEP = 1e-6  # of finite differences, relative


class System(NamedTuple):
    """Right-hand sides of all states.

    Attributes
    ----------
    equations : tuple of tuple of Term
        Terms of each equation.
    """

    equations: tuple

    def constants(self, coefficients):
        """Return one row: of each term in turn its coefficient and inner constants."""
        values = []
        for terms, coef in zip(self.equations, coefficients):
            for term, c in zip(terms, coef):
                values += [c, *term.inner]
        return np.array(values, dtype=float)

    def split(self, p):
        """Return (equations with these inner constants, coefficients)."""
        equations, coefficients, at = [], [], 0
        for terms in self.equations:
            row, coef = [], []
            for term in terms:
                n = len(term.inner)
                coef.append(float(p[at]))
                row.append(term._replace(inner=tuple(map(float, p[at + 1 : at + 1 + n]))))
                at += 1 + n
            equations.append(tuple(row))
            coefficients.append(tuple(coef))
        return tuple(equations), tuple(coefficients)

    def compiled(self, n_variables):
        """Return ``f(x, p, out)`` for x (n_variables, lanes), p (n_constants, lanes)."""
        lines, at = [], 0
        for i, terms in enumerate(self.equations):
            parts = []
            for term in terms:
                n = len(term.inner)
                text = substituted(
                    term.form, [f"p[{at + 1 + b}]" for b in range(n)],
                    [f"x[{j}]" for j in range(n_variables)],
                )  # fmt: skip
                parts.append(f"p[{at}]" if text == "1" else f"p[{at}]*({text})")
                at += 1 + n
            lines.append(f"    out[{i}] = {' + '.join(parts) or '0.0'}")
        scope = {"__builtins__": {}, **FUNCTIONS}  # the terms are checked, see substituted
        exec("def f(x, p, out):\n" + "\n".join(lines), scope)
        return scope["f"]


def integrate(f, x0, p, windows, lanes):
    """Integrate all lanes over their windows.

    Parameters
    ----------
    f : callable
        From :meth:`System.compiled`.
    x0 : ndarray of shape (n_states, n_lanes)
        Start states.
    p : ndarray of shape (n_constants, n_lanes)
        Constants.
    windows : Windows
        Times and inputs.
    lanes : ndarray of shape (n_lanes,)
        The window of each lane.

    Returns
    -------
    ndarray of shape (width + 1, n_states, n_lanes)
        States at the windows' times; not finite where they were left.
    """
    h_all = np.diff(windows.times[:, lanes], axis=0) / windows.n_sub
    out = np.empty((len(windows.times), *x0.shape))
    out[0] = x = x0
    k = np.empty((6, *x0.shape))
    flat = k.reshape(6, -1)
    y = np.empty((windows.n_variables, x0.shape[1]))
    whole = windows.table is None
    for step, h in enumerate(h_all):
        for sub in range(windows.n_sub):
            for s in range(6):
                now = x if s == 0 else x + h * (_A[s] @ flat[:s]).reshape(x.shape)
                if whole:
                    f(now, p, k[s])
                    continue
                y[windows.rows] = now
                y[windows.inputs] = windows.table[step, sub, s][:, lanes]
                f(y, p, k[s])
            x = x + h * (_B @ flat).reshape(x.shape)
        out[step + 1] = x
        if step % 8 == 7 and not np.isfinite(x).all():
            out[step + 1 :] = np.nan
            break
    return out


class Shot(NamedTuple):
    """What shooting found.

    Attributes
    ----------
    p : ndarray of shape (n_constants,)
        Constants.
    rss : ndarray of shape (n_states,)
        Sum of squared residuals over the noise variance, a state.
    covariance : ndarray of shape (n_constants, n_constants) or None
        Of the constants, for unit noise.
    x0 : ndarray of shape (n_states, n_windows)
        Start states of the windows.
    gap : float
        Largest jump between windows, in noise standard deviations.
    residuals : ndarray of shape (width + 1, n_states, n_windows)
        In noise standard deviations; NaN where nothing was measured.
    """

    p: np.ndarray
    rss: np.ndarray
    covariance: np.ndarray | None
    x0: np.ndarray
    gap: float
    residuals: np.ndarray


def shoot(system, p, windows, *, x0=None, ties=(0.1, 3.0, 100.0), n_steps=(4, 3, 4),
          covariance=False, free=None, rows=None, hopeless=None):  # fmt: skip
    """Fit all constants and the windows' start states.

    Parameters
    ----------
    system : System
        The equations.
    p : ndarray of shape (n_constants,)
        Where to start.
    windows : Windows
        The data.
    x0 : ndarray of shape (n_states, n_windows), default=None
        Start states; None takes the smoothed ones.
    ties : sequence of float
        How tightly windows are tied, in units of a measurement's precision, in turn.
    n_steps : sequence of int
        Gauss-Newton steps for each of them.
    covariance : bool, default=False
        Whether to return it.
    free : ndarray of bool, default=None
        The constants that may change; None frees all.
    rows : callable, default=None
        ``rows(p)`` returns further residuals that must vanish (prior knowledge).

    hopeless : callable, default=None
        ``hopeless(rss)`` tells, once windows that stand alone are fitted, whether to give up: ties
        only make the residuals larger.

    Returns
    -------
    Shot or None
        None where the equations cannot be integrated, or it was given up.
    """
    problem = _Problem(system, windows, rows, free)
    z = problem.pack(np.asarray(p, float), windows.x0 if x0 is None else x0)
    state = None
    for tie, steps in zip(ties, n_steps):
        state = problem.descend(z, tie, steps)
        if state is None:
            return None
        z = state[0]
        if hopeless is not None and hopeless(problem.result(z, 0.0, False).rss):
            return None
    return problem.result(z, ties[-1], covariance)


def solution(system, shot, windows):
    """Return the states of a fit at the windows' times, (width + 1, n_states, n_windows)."""
    problem = _Problem(system, windows, None, None)
    return problem.simulate(shot.p, shot.x0)[0][:, :, 0]


def jacobian(system, p, windows, x0, tie):
    """Return how the residuals answer to the constants and start states.

    Parameters
    ----------
    system : System
        The equations.
    p : ndarray of shape (n_constants,)
        Constants.
    windows : Windows
        The data.
    x0 : ndarray of shape (n_states, n_windows)
        Start states.
    tie : float
        How tightly windows are tied.

    Returns
    -------
    residuals : ndarray of shape (n_rows,)
        Of the measurements, then of the ties.
    J : ndarray of shape (n_rows, n_constants + n_starts)
        Their derivatives.
    free : ndarray of bool
        The columns of constants.
    state : ndarray of int
        The state each residual belongs to.

    None where the equations cannot be integrated.
    """
    problem = _Problem(system, windows, None, None)
    found = problem.linearise(problem.pack(np.asarray(p, float), x0), tie)
    if found is None:
        return None
    r, J = found
    states = np.arange(problem.d)
    state = np.concatenate(
        [
            np.broadcast_to(states[:, None], problem.seen.shape)[problem.seen],
            np.broadcast_to(states[:, None], problem.seam.shape).ravel(),
        ]
    )
    return r, J, np.arange(J.shape[1]) < problem.np, state


def steps_needed(system, p, record, n_windows, states=None, most=8):
    """Return integration steps between measurements, so that errors stay below the noise.

    Parameters
    ----------
    system : System
        A system that is near the data.
    p : ndarray of shape (n_constants,)
        Its constants.
    record : Record
        The measurements.
    n_windows : int
        Windows.
    states : sequence of int, default=None
        The states to integrate, all by default.
    most : int, default=8
        Most steps.

    Returns
    -------
    int
        One, too, where more steps do not help: where the system explodes.
    """
    p = np.asarray(p, float)

    def solved(n_sub):
        windows = Windows(record, n_windows, states, n_sub)
        problem = _Problem(system, windows, None, None)
        return (problem.simulate(p, windows.x0)[0][:, :, 0] / windows.sd)[problem.seen]

    n_sub, coarse, before = 1, solved(1), np.inf
    while n_sub < most:
        fine = solved(2 * n_sub)
        off = np.nan_to_num(np.abs(fine - coarse), nan=_FAR_OFF, posinf=_FAR_OFF)
        error = np.sqrt((np.minimum(off, _FAR_OFF) ** 2).mean())
        if error < _NEAR or error > 0.3 * before:
            break
        n_sub, coarse, before = 2 * n_sub, fine, error
    return n_sub


class _Problem:
    def __init__(self, system, windows, rows, free):
        self.w, self.rows = windows, rows
        self.d, self.m = windows.d, windows.n
        self.f = system.compiled(windows.n_variables)
        self.np = sum(1 + len(t.inner) for terms in system.equations for t in terms)
        self.free = np.arange(self.np) if free is None else np.flatnonzero(free)
        self.places = np.concatenate([self.free, self.np + np.arange(self.d * self.m)])
        self.seen = np.isfinite(windows.data)
        self.tied = tied = windows.tied
        self.seam = windows.seam[:, tied + 1]
        self.spread = np.nanstd(windows.data, axis=(0, 2))

    def pack(self, p, x0):
        return np.concatenate([p, x0.T.ravel()])

    def unpack(self, z):
        return z[: self.np], z[self.np :].reshape(self.m, self.d).T

    def simulate(self, p, x0, perturbed=False):
        """Integrate; with perturbed lanes: base, then each free constant, then each start state."""
        m, d, n_p = self.m, self.d, len(self.free)
        n = 1 + (n_p + d if perturbed else 0)
        P = np.repeat(p[:, None], n, axis=1)
        X = np.repeat(x0[:, None, :], n, axis=1)  # (d, n, m)
        step_p = _STEP * np.maximum(np.abs(p[self.free]), 1e-3)
        step_x = _STEP * np.maximum(np.abs(x0), 0.1 * self.spread[:, None] + 1e-12)
        if perturbed:
            P[self.free, 1 + np.arange(n_p)] += step_p
            for i in range(d):
                X[i, 1 + n_p + i] += step_x[i]
        lanes = np.tile(np.arange(m), n)
        with np.errstate(all="ignore"):
            Y = integrate(self.f, X.reshape(d, n * m), np.repeat(P, m, axis=1), self.w, lanes)
        return Y.reshape(-1, d, n, m), step_p, step_x

    def residuals(self, base, x0, tie, p):
        r = ((base - self.w.data) / self.w.sd)[self.seen]
        if not np.isfinite(r).all():
            return None
        ends = base[self.w.ends[self.tied], :, self.tied].T  # (d, n_tied)
        gaps = (ends - x0[:, self.tied + 1]) / self.seam * tie
        if not np.isfinite(gaps).all():
            return None
        parts = [r, gaps.ravel()]
        if self.rows is not None:
            parts.append(self.rows(p))
        return np.concatenate(parts)

    def linearise(self, z, tie):
        p, x0 = self.unpack(z)
        Y, step_p, step_x = self.simulate(p, x0, perturbed=True)
        base = Y[:, :, 0]
        r = self.residuals(base, x0, tie, p)
        if r is None or not np.isfinite(Y[-1]).all():
            return None
        n_p, d, m = len(self.free), self.d, self.m
        n_rows = int(self.seen.sum())
        J = np.zeros((len(r), n_p + d * m))
        where = np.broadcast_to(np.arange(m), self.seen.shape)[self.seen]
        scale = 1 / self.w.sd[self.seen]
        ends = self.w.ends[self.tied]
        for j in range(n_p):
            slope = (Y[:, :, 1 + j] - base) / step_p[j]
            J[:n_rows, j] = slope[self.seen] * scale
            J[n_rows : n_rows + self.seam.size, j] = (
                slope[ends, :, self.tied].T / self.seam * tie
            ).ravel()
        index = np.arange(n_rows)
        seams = n_rows + np.arange(self.seam.size).reshape(self.seam.shape)  # (d, n_tied)
        for i in range(d):
            slope = (Y[:, :, 1 + n_p + i] - base) / step_x[i]
            J[index, n_p + where * d + i] = slope[self.seen] * scale
            block = slope[ends, :, self.tied].T / self.seam * tie
            for k in range(d):
                J[seams[k], n_p + self.tied * d + i] = block[k]
            J[seams[i], n_p + (self.tied + 1) * d + i] -= tie / self.seam[i]
        if self.rows is not None:
            at = n_rows + self.seam.size
            for j, column in enumerate(self.free):
                moved = p.copy()
                moved[column] += step_p[j]
                J[at:, j] = (self.rows(moved) - r[at:]) / step_p[j]
        return r, J

    def descend(self, z, tie, n_steps):
        """Levenberg-Marquardt; (z, loss) or None."""
        damping = 1e-6
        now = self.linearise(z, tie)
        if now is None:
            return None
        loss = now[0] @ now[0]
        for _ in range(n_steps):
            r, J = now
            size = np.linalg.norm(J, axis=0)
            size[size == 0] = 1.0
            H = (J / size).T @ (J / size)
            g = (J / size).T @ r
            accepted = False
            for _ in range(4):
                try:
                    move = np.linalg.solve(H + damping * np.eye(len(H)), g) / size
                except np.linalg.LinAlgError:
                    damping = max(10 * damping, 1e-10)
                    continue
                trial = z.copy()
                trial[self.places] -= move
                p, x0 = self.unpack(trial)
                base = self.simulate(p, x0)[0][:, :, 0]
                rt = self.residuals(base, x0, tie, p)
                if rt is not None and rt @ rt < loss:
                    accepted = True
                    break
                damping = max(30 * damping, 1e-8)
            if not accepted:
                break
            gain, loss, z = loss - rt @ rt, rt @ rt, trial
            damping /= 30
            if gain < 1e-3 * loss:
                break
            now = self.linearise(z, tie)
            if now is None:
                break
        return z, loss

    def result(self, z, tie, covariance):
        p, x0 = self.unpack(z)
        base = self.simulate(p, x0)[0][:, :, 0]
        r = np.where(self.seen, (base - self.w.data) / self.w.sd, 0.0)
        rss = (r**2).sum(axis=(0, 2))
        ends = base[self.w.ends[self.tied], :, self.tied].T
        gaps = (ends - x0[:, self.tied + 1]) / self.seam
        rss += ((tie * gaps) ** 2).sum(axis=1)  # what does not hang together does not explain
        gap = np.abs(gaps).max(initial=0.0)
        spread = None
        if covariance:
            now = self.linearise(z, tie)
            if now is not None:
                size = np.linalg.norm(now[1], axis=0)
                size[size == 0] = 1.0
                inverse = np.linalg.pinv(now[1] / size, rcond=1e-12)
                n = len(self.free)
                spread = np.zeros((self.np, self.np))
                spread[np.ix_(self.free, self.free)] = (inverse[:n] @ inverse[:n].T) / np.outer(
                    size[:n], size[:n]
                )
        return Shot(p, rss, spread, x0, float(gap), np.where(self.seen, r, np.nan))
