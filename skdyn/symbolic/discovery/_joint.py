"""All equations together: refinement, pruning and exchange of right-hand sides by shooting."""

import numpy as np

from skdyn._time_limit import time_is_over
from skdyn.symbolic.discovery import _prices as prices
from skdyn.symbolic.discovery._fitted import Fitted, Parts, forms_of
from skdyn.symbolic.discovery._integration import field, integrate
from skdyn.symbolic.discovery._neighbors import neighbors
from skdyn.symbolic.discovery._search import misfit_cost, structure_cost
from skdyn.symbolic.discovery._shooting import System, shoot, solution
from skdyn.symbolic.discovery._smoothing import interpolant, noise_model
from skdyn.symbolic.discovery._terms import evaluate
from skdyn.symbolic.discovery._windows import Windows

_SMALL = 1e-5  # a small change of a start, in the data's range
_QUICK, _THOROUGH = (6, 3, 3), (8, 4, 5)  # Gauss-Newton steps at each tightness of the ties
_CROSSES = 4.0  # standard deviations beyond zero that are not noise
_WEAK = 0.1  # tie, in measurements' precisions, that lets every window stand alone
_FOLLOWS = 3.0  # misfit of a solution that is good enough to judge the noise by
_SAME = 0.05  # share of a term by which a simpler one may differ to be tried in its place
_AT_ONCE = 3  # terms that are tried for removal each time


class Joint:
    """Fits systems to one record and remembers those it has seen.

    Parameters
    ----------
    record : Record
        The measurements.
    n_windows : int, default=16
        Windows of the shooting.
    n_sub : int, default=1
        Integration steps between measurements.
    priors : PriorKnowledge, default=None
        What is known beforehand.
    weak : bool, default=False
        Whether windows stand alone, which any system can follow for a while.
    max_terms : int, default=6
        Most terms of an equation that further ones are added to.
    """

    def __init__(self, record, n_windows=16, n_sub=1, priors=None, weak=False, max_terms=6):
        self.record, self.priors, self.weak = record, priors, weak
        self.max_terms = max_terms
        self.ties = (_WEAK,) if weak else (_WEAK, 3.0, 100.0)
        self.windows = Windows(record, n_windows, n_sub=n_sub)
        self.n = self.windows.seen.sum(axis=(0, 2))
        self.seen, self.best = {}, np.inf
        self.disturbed = _Disturbed(record, 2 * n_sub)
        self.nodes = record.nodes()

    def score(self, equations, rss):
        """Return the description length of the data and a system."""
        return sum(self.parts(equations, rss))

    def parts(self, equations, rss):
        """Return what residuals and terms cost."""
        structure = sum(structure_cost(terms, n) for terms, n in zip(equations, self.n))
        return Parts(float(misfit_cost(rss, self.n).sum()), float(structure))

    def residuals(self, equations):
        """Return the rows of prior knowledge, a function of the constants, or None."""
        return None if self.priors is None else self.priors.residuals(equations)

    def fit(self, equations, coefficients, x0=None, quick=False, whatever=False):
        """Fit a system; None where it cannot follow the data, or, unless whatever, not well."""
        key = forms_of(equations)
        if key in self.seen and not (whatever and self.seen[key] is None):
            return self.seen[key]
        if self.best < np.inf and time_is_over():
            return None  # what there is must do
        system = System(equations)
        steps = (8,) if self.weak else _QUICK if quick else _THOROUGH
        shot = shoot(
            system, system.constants(coefficients), self.windows, x0=x0, ties=self.ties,
            n_steps=steps, rows=self.residuals(equations),
            hopeless=None if whatever else self._hopeless(equations),
        )  # fmt: skip
        fitted = None
        if shot is not None and np.isfinite(shot.rss).all():
            equations, coefficients = system.split(shot.p)
            parts = self.parts(equations, shot.rss)
            if self.priors is not None:
                parts = parts._replace(priors=self.priors.price(equations, coefficients))
            if sum(parts) < self.best + prices.ESCAPE and not self.weak:
                solved = self.disturbed.solve(system, shot.p)
                parts = parts._replace(
                    escapes=prices.ESCAPE * self.disturbed.escapes(solved),
                    sensitivity=self.disturbed.sensitivity(solved),
                )
            score = sum(parts)
            self.best = min(self.best, score)
            fitted = Fitted(equations, coefficients, shot.rss, score, shot, parts)
        self.seen[key] = fitted
        return fitted

    def _hopeless(self, equations):
        return lambda rss: self.score(equations, rss) > self.best + prices.HOPELESS

    def simpler(self, fitted):
        """Fit ever simpler systems, down to one term an equation; ``seen`` remembers them."""
        while fitted is not None and (places := self._weakest(fitted)):
            trials = [self._without(fitted, i, j, whatever=True) for i, j in places]
            trials = [trial for trial in trials if trial is not None]
            fitted = min(trials, key=lambda trial: trial.score, default=None)

    def prune(self, fitted):
        """Take terms out for as long as the description gets shorter."""
        while True:
            for i, j in self._weakest(fitted):
                trial = self._without(fitted, i, j)
                if trial is not None and trial.score < fitted.score:
                    fitted = trial
                    break
            else:
                return fitted

    def simplified(self, fitted, pools):
        """Write terms as others without inner constants that are the same along the data.

        Such as ``x/(x + 1e-7)``, which is 1.
        """
        for i, j, term in [
            (i, j, term)
            for i, terms in enumerate(fitted.equations)
            for j, term in enumerate(terms)
            if term.inner
        ]:
            terms, coef = fitted.equations[i], fitted.coefficients[i]
            for plain, share in self._equals(term, pools[i]):
                trial = self._with(
                    fitted, i, (*terms[:j], plain, *terms[j + 1 :]),
                    (*coef[:j], coef[j] * share, *coef[j + 1 :]),
                )  # fmt: skip
                if plain not in terms and trial is not None and trial.score < fitted.score:
                    return self.simplified(trial, pools)
        return fitted

    def _equals(self, term, pool):
        """Yield terms without inner constants that are multiples of one, and the multiple."""
        values = evaluate(term, self.nodes)
        for plain in pool:
            if not plain.inner and np.isfinite(other := evaluate(plain, self.nodes)).all():
                share = float(values @ other / max(other @ other, 1e-300))
                if np.abs(values - share * other).max() < _SAME * np.abs(values).max():
                    yield plain, share

    def exchange(self, fitted, lists):
        """Try other right-hand sides in each equation in turn."""
        for i, alternatives in enumerate(lists):
            for other in alternatives:
                trial = self._with(fitted, i, other.terms, other.coef)
                if trial is not None and trial.score < fitted.score:
                    fitted = trial
        return fitted

    def improve(self, fitted, pools, n_rounds=4):
        """Exchange terms for those of the pools that the solution itself asks for."""
        for _ in range(n_rounds):
            trials = [
                self.fit(equations, coefficients, fitted.shot.x0, quick=True)
                for equations, coefficients in neighbors(self, fitted, pools)
            ]
            best = min((f for f in trials if f is not None), key=lambda f: f.score, default=fitted)
            if not best.score < fitted.score:
                break
            fitted = best
        return fitted

    def _without(self, fitted, i, j, whatever=False):
        terms, coef = fitted.equations[i], fitted.coefficients[i]
        return self._with(fitted, i, terms[:j] + terms[j + 1 :], coef[:j] + coef[j + 1 :], whatever)

    def _with(self, fitted, i, terms, coef, whatever=False):
        return self.fit(
            (*fitted.equations[:i], terms, *fitted.equations[i + 1 :]),
            (*fitted.coefficients[:i], coef, *fitted.coefficients[i + 1 :]),
            fitted.shot.x0, quick=True, whatever=whatever,
        )  # fmt: skip

    def _weakest(self, fitted):
        """Return the places of terms that add the least to what their equation explains."""
        sizes = []
        for i, (terms, coef) in enumerate(zip(fitted.equations, fitted.coefficients)):
            required = () if self.priors is None else forms_of([self.priors.required(i)])[0]
            if len(terms) < 2:
                continue
            sums = [c * evaluate(term, self.nodes) for term, c in zip(terms, coef)]
            size = [max(s.std(), 0.01 * np.abs(s).mean()) for s in sums]
            sizes += [
                (s / max(max(size), 1e-300), i, j)
                for j, s in enumerate(size)
                if terms[j].form.text not in required
            ]
        return [(i, j) for _, i, j in sorted(sizes)[:_AT_ONCE]]


class _Disturbed:
    """Starts around the data's, and the course of time, at half the data's resolution.

    Where the data follow a curve, many equations fit that explode off it.
    """

    def __init__(self, record, n_sub=2, n=8):
        thin = {name: [part[::2] for part in getattr(record, name)] for name in ("t", "X", "sd")}
        self.windows = Windows(record._replace(**thin, ignored=None), 1, n_sub=n_sub)
        X = np.concatenate(record.X)
        self.middle, self.reach = (X.max(axis=0) + X.min(axis=0)) / 2, np.ptp(X, axis=0)
        moves = np.random.default_rng(0).uniform(-0.3, 0.3, (self.windows.d, n))
        moves[:, 0] = 0.0
        w, d = self.windows, self.windows.d
        far = _on_one_side(w.x0[:, :1] + moves * self.reach[:, None], X, np.concatenate(record.sd))
        moves = np.concatenate([np.zeros((d, 1)), _SMALL * np.diag(self.reach)], axis=1)
        near = w.x0[:, :, None] + moves[:, None, :]  # (d, segments, 1 + d)
        self.starts = np.concatenate([far, near.reshape(d, -1)], axis=1)
        self.lanes = np.concatenate([np.zeros(n, int), np.repeat(np.arange(w.n), d + 1)])
        self.far, self.near = slice(0, n), slice(n, None)

    def solve(self, system, p):
        """Return the solutions from all starts, (n_timepoints, n_states, n_starts)."""
        f = field(system.equations, self.windows.order)
        parts = self.far, self.near
        with np.errstate(all="ignore"):
            return integrate(f, self.starts, p[:, None], self.windows, self.lanes, parts)

    def escapes(self, solved):
        """Return the share of starts from which the states leave three times the data's range."""
        Y = solved[:, :, self.far]
        inside = np.abs(Y - self.middle[:, None]) < 3 * self.reach[:, None]
        return 1 - (inside & np.isfinite(Y)).all(axis=(0, 1)).mean()

    def sensitivity(self, solved):
        """Return the nats that it takes to state where an unstable solution starts.

        A start is to be told as closely as its effects are seen: the mean over time of what small
        changes of it grow to, along each of their principal directions.
        """
        d = self.windows.d
        Y = solved[:, :, self.near].reshape(len(solved), d, -1, d + 1)
        with np.errstate(all="ignore"):
            D = (Y[..., 1:] - Y[..., :1]) / (_SMALL * self.reach[:, None, None])
            D = np.clip(np.nan_to_num(D, nan=1 / _SMALL), -1 / _SMALL, 1 / _SMALL)
        growth = np.einsum("taki,takj->kij", D, D) / len(D)
        return 0.5 * np.log(np.maximum(np.linalg.eigvalsh(growth), 1.0)).sum()


def _on_one_side(starts, X, sd):
    """Mirror starts at zero where a state, but for its noise, never crossed it.

    What follows a population need not make sense below zero, where the true laws explode.
    """
    positive = (-_CROSSES * sd < X).all(axis=0)[:, None]
    negative = (_CROSSES * sd > X).all(axis=0)[:, None]
    return np.where(positive, np.abs(starts), np.where(negative, -np.abs(starts), starts))


def followed(record, windows, fitted):
    """Replace the record's curves by the fitted solution, and judge its noise anew.

    Parameters
    ----------
    record : Record
        The measurements.
    windows : Windows
        Of the fit.
    fitted : Fitted
        The fit.

    Returns
    -------
    Record
    """
    system = System(fitted.equations)
    Y = solution(system, fitted.shot, windows)
    pieces = [([], []) for _ in record.t]
    for m, k in enumerate(windows.segments.tolist()):
        last = windows.ends[m] + (m not in windows.tied)
        pieces[k][0].append(windows.times[:last, m])
        pieces[k][1].append(Y[:last, :, m])
    paths = [(np.concatenate(t), np.concatenate(x)) for t, x in pieces]
    d = record.n_states
    curves = [
        [interpolant(t, x[:, i]) for i in range(d)] + row[d:]
        for (t, x), row in zip(paths, record.curves)
    ]
    sd = [s.copy() for s in record.sd]
    misfit = fitted.rss / windows.seen.sum(axis=(0, 2))
    for i in np.flatnonzero(~record.clean & (misfit < _FOLLOWS)):
        fits = [row[i](t) for row, t in zip(curves, record.t)]
        scales, _ = noise_model(fits, [x[:, i] for x in record.X])
        for k, scale in enumerate(scales):
            sd[k][:, i] = scale
    return record._replace(curves=curves, sd=sd)
