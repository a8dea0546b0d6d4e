"""Refinement of every constant against trajectories: multiple shooting by Gauss-Newton.

The record is cut into windows, each with a start state of its own. Windows first stand alone, then
their ends are tied to the next one's start more and more tightly, until the whole is one solution
of the equations. Windows and perturbed parameters are lanes of one vectorized integration.
"""

from typing import Any, NamedTuple

import numpy as np

from skdyn.symbolic.discovery._integration import field, integrate
from skdyn.symbolic.discovery._windows import Windows

_NEAR = 0.03  # noise levels that an error of integration may come to
_FAR_OFF = 1e8  # noise levels beyond which an error of integration is one of the system
_NOTHING = 1e-9  # share of the loss: a step that gains no more is not worth a try
_AT_ONCE = 8  # further terms whose effects are followed together
_STEP = 1e-6  # of finite differences, relative
_LEAST = 1e-3  # of a constant's usual size, or of a start's in its spread: what counts as zero


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
    at = problem.start(np.asarray(p, float), windows.x0 if x0 is None else x0)
    last = len(ties) - 1
    for k, (tie, steps) in enumerate(zip(ties, n_steps)):
        at = problem.descend(at, tie, steps, k < last or covariance)
        if at is None:
            return None
        if hopeless is not None and hopeless(problem.result(at, 0.0, False).rss):
            return None
    return problem.result(at, ties[-1], covariance)


def solution(system, shot, windows):
    """Return the states of a fit at the windows' times, (width + 1, n_states, n_windows)."""
    problem = _Problem(system, windows, None, None)
    return problem.solve(shot.p, shot.x0)


def jacobian(system, p, windows, x0, tie, further=()):
    """Return how the residuals answer to the constants, further terms and start states.

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
    further : sequence of (int, Term), default=()
        Terms that are not there, and the equations that could take them, in order of these.

    Returns
    -------
    residuals : ndarray of shape (n_rows,)
        Of the measurements, then of the ties.
    J : ndarray of shape (n_rows, n_constants + n_further)
        Their derivatives by the constants, and by coefficients of the further terms.
    starts : ndarray of shape (n_rows, n_starts)
        Their derivatives by the start states.
    state : ndarray of int
        The state each residual belongs to.

    None where the equations cannot be integrated.
    """
    problem = _Problem(system, windows, None, None)
    found = problem.linearise(problem.start(np.asarray(p, float), x0), tie)
    if found is None:
        return None
    r, J = found
    columns = [J[:, : problem.np]]
    # All at once, each would be evaluated along the solutions that any of the others changes.
    for begin in range(0, len(further), _AT_ONCE):
        part = _answers(system, p, windows, x0, tie, further[begin : begin + _AT_ONCE])
        if part is None:
            return None
        columns.append(part)
    states = np.arange(problem.d)
    state = np.concatenate(
        [
            np.broadcast_to(states[:, None], problem.seen.shape)[problem.seen],
            np.broadcast_to(states[:, None], problem.seam.shape).ravel(),
        ]
    )
    return r, np.hstack(columns), J[:, problem.np :], state


def _answers(system, p, windows, x0, tie, further):
    """Return how the residuals answer to coefficients of further terms, or None."""
    equations, coefficients, free = [], [], []
    for i, (terms, coef) in enumerate(zip(*system.split(p))):
        more = [term for k, term in further if k == i]
        equations.append((*terms, *more))
        coefficients.append((*coef, *(0.0 for _ in more)))
        free += [False] * sum(1 + len(term.inner) for term in terms)
        free += [n == 0 for term in more for n in range(1 + len(term.inner))]
    longer = System(tuple(equations))
    problem = _Problem(longer, windows, None, np.array(free))
    found = problem.linearise(problem.start(longer.constants(coefficients), x0), tie)
    return None if found is None else found[1][:, : len(further)]


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
        return (problem.solve(p, windows.x0) / windows.sd)[problem.seen]

    n_sub, coarse, before = 1, solved(1), np.inf
    while n_sub < most:
        fine = solved(2 * n_sub)
        off = np.nan_to_num(np.abs(fine - coarse), nan=_FAR_OFF, posinf=_FAR_OFF)
        error = np.sqrt((np.minimum(off, _FAR_OFF) ** 2).mean())
        if error < _NEAR or error > 0.3 * before:
            break
        n_sub, coarse, before = 2 * n_sub, fine, error
    return n_sub


class _Path(NamedTuple):
    """Constants, start states, the solution, and those of all perturbed constants and starts."""

    p: np.ndarray
    x0: np.ndarray
    base: np.ndarray | None = None
    perturbed: np.ndarray | None = None


class _Problem:
    def __init__(self, system, windows, rows, free):
        self.w, self.rows = windows, rows
        self.d, self.m = windows.d, windows.n
        self.f = field(system.equations, windows.order)
        self.np = sum(1 + len(t.inner) for terms in system.equations for t in terms)
        self.free = np.arange(self.np) if free is None else np.flatnonzero(free)
        self.seen, self.tied = windows.seen, windows.tied
        self.scale = 1 / windows.sd[self.seen]
        self.seam = windows.seam[:, self.tied + 1]
        # Where derivatives by the start states stand: by measurement or tie, and window.
        self.measured = np.arange(len(self.scale))[:, None]
        self.seams = len(self.scale) + np.arange(self.seam.size).reshape(self.seam.shape).T
        self.starts = len(self.free) + np.arange(self.d * self.m).reshape(self.m, self.d)
        self.window = np.nonzero(self.seen)[2]

    def start(self, p, x0):
        """Return where to begin a descent."""
        self.usual = self.usual_sizes(p, x0)
        return self.beside(_Path(p, x0))

    def usual_sizes(self, p, x0):
        """Return sizes that constants have in the units of the data, 1 where nothing tells.

        A coefficient's makes its state change by its spread over the record, an inner constant's
        its term by as much as there is of it.
        """
        values = np.empty((self.f.n_rows, self.m))
        values[: self.d] = x0
        if self.w.table is not None:
            values[self.d : len(self.w.order)] = self.w.table[0, 0, 0]

        def terms(p):
            self.f.fill(list(values), list(p[:, None]))
            return values[self.f.index]

        with np.errstate(all="ignore"):
            now, usual = terms(p), np.ones(self.np)
            rms = np.sqrt((now**2).mean(axis=1))
            change = self.f.sums.T @ self.w.spread / np.ptp(self.w.times)
            usual[self.f.weights] = change / rms
            for k in np.setdiff1d(np.arange(self.np), self.f.weights):
                moved, step = p.copy(), _STEP * (np.abs(p[k]) or 1.0)
                moved[k] += step
                own = np.searchsorted(self.f.weights, k) - 1
                slope = (terms(moved)[own] - now[own]) / step
                usual[k] = rms[own] / np.sqrt((slope**2).mean())
        return np.where(np.isfinite(usual) & (usual > 0.0), usual, 1.0)

    def solve(self, p, x0):
        """Return the solution, (width + 1, n_states, n_windows)."""
        with np.errstate(all="ignore"):
            return integrate(self.f, x0, p[:, None], self.w, slice(None))

    def steps(self, p, x0):
        """Return by how much free constants and start states are moved for their slopes."""
        floor = 0.1 * self.w.spread[:, None]
        return (
            _STEP * np.maximum(np.abs(p[self.free]), _LEAST * self.usual[self.free]),
            _STEP
            * np.where(x0 == 0.0, np.where(floor > 0.0, floor, 1.0), np.maximum(np.abs(x0), floor)),
        )

    def beside(self, path):
        """Return a path with its solution, and solutions beside it: of moved constants and starts.

        All are lanes of one integration, which takes hardly longer than that of the path alone.
        """
        if path.perturbed is not None:
            return path
        (p, x0), m, d, n_p = path[:2], self.m, self.d, len(self.free)
        n = 1 + n_p + d
        P = np.repeat(p[:, None], n, axis=1)
        X = np.repeat(x0[:, None, :], n, axis=1)  # (d, n, m)
        step_p, step_x = self.steps(p, x0)
        P[self.free, 1 + np.arange(n_p)] += step_p
        X[np.arange(d), 1 + n_p + np.arange(d)] += step_x
        lanes = np.tile(np.arange(m), n)
        with np.errstate(all="ignore"):
            Y = integrate(self.f, X.reshape(d, n * m), np.repeat(P, m, axis=1), self.w, lanes)
        Y = Y.reshape(-1, d, n, m)
        return _Path(p, x0, Y[:, :, 0], Y[:, :, 1:])

    def moved(self, path, move, wide):
        """Return the path after a step; wide, with solutions beside it."""
        p, starts = path.p.copy(), move[len(self.free) :]
        p[self.free] -= move[: len(self.free)]
        x0 = path.x0 - starts.reshape(self.m, self.d).T
        if wide:
            new: Any = self.beside(_Path(p, x0))
            if np.isfinite(new.base).all():
                return new
            # What is not finite beside a solution may have spoilt it.
        return _Path(p, x0, self.solve(p, x0))

    def residuals(self, path, tie):
        r = (path.base - self.w.X)[self.seen] * self.scale
        if not np.isfinite(r).all():
            return None
        gaps = self.gaps(path) * tie
        if not np.isfinite(gaps).all():
            return None
        parts = [r, gaps.ravel()]
        if self.rows is not None:
            parts.append(self.rows(path.p))
        return np.concatenate(parts)

    def gaps(self, path):
        """Return the jumps between windows, (d, n_tied), in noise standard deviations."""
        ends = path.base[self.w.ends[self.tied], :, self.tied].T
        return (ends - path.x0[:, self.tied + 1]) / self.seam

    def linearise(self, path, tie):
        r = self.residuals(path, tie)
        if r is None or not np.isfinite(path.perturbed[-1]).all():
            return None
        n_p, d, m, tied = len(self.free), self.d, self.m, self.tied
        step_p, step_x = self.steps(path.p, path.x0)
        slopes = path.perturbed - path.base[:, :, None]  # (width + 1, d, n, m)
        slopes[:, :, :n_p] /= step_p[:, None]
        slopes[:, :, n_p:] /= step_x
        J = np.zeros((len(r), n_p + d * m))
        measured = np.moveaxis(slopes, 2, 3)[self.seen] * self.scale[:, None]
        J[: len(measured), :n_p] = measured[:, :n_p]
        J[self.measured, self.starts[self.window]] = measured[:, n_p:]
        ends = slopes[self.w.ends[tied], :, :, tied] * (tie / self.seam.T)[:, :, None]
        J[self.seams, :n_p] = ends[:, :, :n_p]
        J[self.seams[:, :, None], self.starts[tied][:, None, :]] = ends[:, :, n_p:]
        J[self.seams, self.starts[tied + 1]] -= tie / self.seam.T
        if self.rows is not None:
            at = len(measured) + self.seam.size
            for j, column in enumerate(self.free):
                moved = path.p.copy()
                moved[column] += step_p[j]
                J[at:, j] = (self.rows(moved) - r[at:]) / step_p[j]
        return r, J

    def descend(self, path, tie, n_steps, goes_on):
        """Follow Levenberg and Marquardt; None where there is no way.

        Parameters
        ----------
        path : _Path
            Where to start.
        tie : float
            How tightly windows are tied.
        n_steps : int
            Most steps.
        goes_on : bool
            Whether another descent, which needs the slopes, follows.

        Returns
        -------
        _Path or None
        """
        path = self.beside(path)
        now = self.linearise(path, tie)
        if now is None:
            return None
        loss, damping = now[0] @ now[0], 1e-6
        for left in reversed(range(n_steps)):
            trial, rest, damping = self.better(path, now, tie, loss, damping, goes_on or left)
            if trial is None:
                break
            gain, loss, path = loss - rest, rest, trial
            damping /= 30
            if gain < 1e-3 * loss or not left:
                break
            path = self.beside(path)
            now = self.linearise(path, tie)
            if now is None:
                break
        return path

    def better(self, path, now, tie, loss, damping, wide):
        """Return a path of smaller loss, or None; its loss; the damping of the step."""
        r, J = now
        size = np.linalg.norm(J, axis=0)
        size[size == 0] = 1.0
        J = J / size
        H, g, diagonal = J.T @ J, J.T @ r, np.arange(J.shape[1])
        for attempt in range(4):
            damped = H.copy()
            damped[diagonal, diagonal] += damping
            try:
                move = np.linalg.solve(damped, g)
            except np.linalg.LinAlgError:
                damping = max(10 * damping, 1e-10)
                continue
            if 2 * g @ move - move @ H @ move < _NOTHING * loss:
                break
            trial = self.moved(path, move / size, wide and not attempt)
            r = self.residuals(trial, tie)
            if r is not None and r @ r < loss:
                return trial, r @ r, damping
            damping = max(30 * damping, 1e-8)
        return None, loss, damping

    def result(self, path, tie, covariance):
        r = np.where(self.seen, (path.base - self.w.X) / self.w.sd, 0.0)
        gaps = self.gaps(path)
        rss = (r**2).sum(axis=(0, 2))
        rss += ((tie * gaps) ** 2).sum(axis=1)  # what does not hang together does not explain
        gap = np.abs(gaps).max(initial=0.0)
        spread = self.covariance(self.beside(path), tie) if covariance else None
        return Shot(path.p, rss, spread, path.x0, float(gap), np.where(self.seen, r, np.nan))

    def covariance(self, path, tie):
        """Return the covariance of the constants, 0 of those that are not free, or None."""
        now = self.linearise(path, tie)
        if now is None:
            return None
        size = np.linalg.norm(now[1], axis=0)
        size[size == 0] = 1.0
        inverse = np.linalg.pinv(now[1] / size, rcond=1e-12)
        n = len(self.free)
        spread = np.zeros((self.np, self.np))
        spread[np.ix_(self.free, self.free)] = (inverse[:n] @ inverse[:n].T) / np.outer(
            size[:n], size[:n]
        )
        return spread
