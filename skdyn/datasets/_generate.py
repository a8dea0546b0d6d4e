"""The one engine of the generators: draw, integrate, sample, add noise, lose values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from numbers import Integral, Real
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import solve_ivp
from sklearn.utils import check_random_state

from skdyn._typing import Series
from skdyn.datasets._fields import Field
from skdyn.exceptions import DivergenceError, MaxStepsError

# Below the noise of any use of the data, and still well above rounding.
_RTOL, _ATOL = 1e-10, 1e-12
# DOP853 takes some 10^4 evaluations for the longest default horizon; a hundred times that is stuck.
_MAX_EVALUATIONS = 1_000_000
_DEFAULT_N_CASES = 10


def generate(
    field: Field,
    params: Mapping[str, float] | Sequence[Mapping[str, float]],
    *,
    n_cases: int | None,
    n_timepoints: int,
    t_span: tuple[float, float] | None,
    x0: ArrayLike | None,
    irregular: bool | Literal["shared", "per_case"],
    noise: float,
    missing: float,
    random_state: int | np.random.RandomState | None,
    n_channels: int | None = None,
    method: str = "DOP853",
) -> tuple[Series, np.ndarray]:
    """Sample trajectories of ``field``; ``params`` is one mapping, or one for each case.

    Random numbers are drawn in the order initial states, times, noise, missing values, so that a
    seed gives the same trajectories with and without the last two.
    """
    n_cases = count_cases(n_cases, x0)
    check_integer("n_timepoints", n_timepoints, low=2)
    t_span = check_t_span(field.t_span if t_span is None else t_span)
    _check_damage(irregular, noise, missing, n_timepoints)
    n_channels = len(field.channels) if n_channels is None else n_channels
    rng = check_random_state(random_state)

    start = _initial_states(field, x0, n_cases, n_channels, rng)
    transient = field.transient if x0 is None else 0.0
    t = _times(t_span, len(start), n_timepoints, irregular, rng)
    case_params = [params] * len(start) if isinstance(params, Mapping) else params
    X = np.empty((len(start), n_channels, n_timepoints))
    for case, (state, values) in enumerate(zip(start, case_params)):
        rhs = partial(field.rhs, **values)
        if transient:
            burn_in = np.array([t_span[0] - transient, t_span[0]])
            state = integrate(rhs, state, burn_in, case=case, method=method)[:, -1]
        X[case] = integrate(rhs, state, t if t.ndim == 1 else t[case], case=case, method=method)
    return _lose(_disturb(X, noise, rng), missing, rng), t


def integrate(
    rhs: Callable[[float, np.ndarray], ArrayLike],
    x0: np.ndarray,
    t: np.ndarray,
    *,
    case: int = 0,
    method: str = "DOP853",
) -> np.ndarray:
    """Integrate one trajectory to near machine precision; returns shape ``(d, n_timepoints)``."""
    n_evaluations = 0

    def counted(time, y):
        nonlocal n_evaluations
        n_evaluations += 1
        if n_evaluations > _MAX_EVALUATIONS:
            raise MaxStepsError(
                f"Case {case} took {_MAX_EVALUATIONS} evaluations of the field and only reached "
                f"t={time:.6g} of {t[-1]:.6g}: the field is probably stiff. Shorten t_span or pass "
                "method='Radau' where the generator has it.",
                t=time,
                case=case,
            )
        slope = np.asarray(rhs(time, y), dtype=float)
        if slope.shape != y.shape:
            raise ValueError(
                f"rhs must return the derivative of each of the {y.size} channels, shape "
                f"{y.shape}; got shape {slope.shape}."
            )
        if not np.isfinite(slope).all():
            raise _divergence(case, time, y)
        return slope

    solution = solve_ivp(
        counted, (t[0], t[-1]), x0, method=method, t_eval=t, rtol=_RTOL, atol=_ATOL
    )
    if not solution.success:
        raise _divergence(case, solution.t[-1] if len(solution.t) else t[0], x0)
    return solution.y


def _divergence(case, time, y):
    return DivergenceError(
        f"The field left the finite numbers at t={time:.6g} in case {case} (|y|="
        f"{np.linalg.norm(y):.3g}). Shorten t_span, or choose an x0 from which it stays bounded.",
        t=time,
        case=case,
        norm=float(np.linalg.norm(y)),
    )


def check_t_span(t_span: tuple[float, float]) -> tuple[float, float]:
    """Return the first and the last time as two increasing, finite floats."""
    try:
        first, last = (float(value) for value in t_span)
    except (TypeError, ValueError):
        first = last = np.nan
    if not (np.isfinite([first, last]).all() and first < last):
        raise ValueError(
            f"t_span must be two finite times (first, last) with first < last; got {t_span!r}."
        )
    return first, last


def check_number(
    name: str,
    value: float,
    *,
    low: float = -np.inf,
    high: float = np.inf,
    open_low: bool = False,
) -> None:
    """Raise unless ``value`` is a finite number, at least (or above) ``low`` and below ``high``."""
    open_low = open_low or low == -np.inf
    number = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
    if not number or not low <= value < high or (open_low and value == low):
        interval = f"{'(' if open_low else '['}{low}, {high})"
        raise ValueError(f"{name} must be a finite number in {interval}; got {value!r}.")


def check_integer(name: str, value: int, *, low: int) -> None:
    """Raise unless ``value`` is an integer of at least ``low``; names the parameter."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < low:
        raise ValueError(f"{name} must be an integer of at least {low}; got {value!r}.")


def _check_damage(irregular, noise, missing, n_timepoints):
    if not isinstance(irregular, bool) and irregular not in ("shared", "per_case"):
        raise ValueError(
            f"irregular must be True, False, 'shared' or 'per_case'; got {irregular!r}."
        )
    check_number("noise", noise, low=0)
    check_number("missing", missing, low=0, high=1)
    if missing > 0 and n_timepoints - round(missing * n_timepoints) < 2:
        raise ValueError(
            f"missing={missing!r} of n_timepoints={n_timepoints} would leave a series with fewer "
            "than 2 observed points. Lower missing or raise n_timepoints."
        )


def count_cases(n_cases: int | None, x0: ArrayLike | None) -> int:
    """Return how many trajectories ``generate`` will draw."""
    if n_cases is not None:
        check_integer("n_cases", n_cases, low=1)
        return n_cases
    return _DEFAULT_N_CASES if x0 is None else len(np.atleast_2d(x0))


def _initial_states(field, x0, n_cases, n_channels, rng):
    """Initial states of shape ``(n_cases, d)``: drawn, or the ones given."""
    if x0 is None:
        return field.draw_x0(rng, n_cases, n_channels)
    states = np.atleast_2d(np.asarray(x0, dtype=float))
    if states.ndim != 2 or states.shape[1] != n_channels:
        raise ValueError(
            f"x0 must have shape ({n_channels},) or (n_cases, {n_channels}), one column for each "
            f"of {', '.join(field.channels)}; got shape {np.shape(x0)}."
        )
    if not np.isfinite(states).all():
        raise ValueError("x0 must be finite; got NaN or infinity.")
    if len(states) == 1:
        return np.repeat(states, n_cases, axis=0)
    if n_cases != len(states):
        raise ValueError(
            f"n_cases={n_cases} but x0 has {len(states)} rows. Leave n_cases out to take one case "
            "for each row."
        )
    return states


def _times(t_span, n_cases, n_timepoints, irregular, rng):
    """Observation times: ``(n_timepoints,)`` shared, or ``(n_cases, n_timepoints)``."""
    first, last = t_span
    if irregular is False:
        return np.linspace(first, last, n_timepoints)
    shape = (n_timepoints - 1,) if irregular == "shared" else (n_cases, n_timepoints - 1)
    # Exponential gaps, rescaled, are the gaps of uniformly drawn times; the floor of a thousandth
    # of their mean keeps the times apart in floating point.
    gaps = rng.exponential(size=shape) + 1e-3
    share = np.cumsum(gaps, axis=-1) / gaps.sum(axis=-1, keepdims=True)
    t = np.concatenate([np.zeros((*shape[:-1], 1)), share], axis=-1) * (last - first) + first
    t[..., -1] = last
    return t


def _disturb(X, noise, rng):
    """Add Gaussian noise whose deviation is ``noise`` times that of each channel."""
    if noise == 0:
        return X
    scale = noise * X.std(axis=(0, 2), keepdims=True)
    return X + scale * rng.standard_normal(X.shape)


def _lose(X, missing, rng):
    """Set the same number of randomly chosen time points of each series to NaN."""
    n_lost = round(missing * X.shape[-1])
    if n_lost:
        order = np.argsort(rng.uniform(size=X.shape), axis=-1)
        np.put_along_axis(X, order[..., :n_lost], np.nan, axis=-1)
    return X
