"""Time stepping: a learned step, applied to its own answers."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral, Real
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_random_state, get_tags

from skdyn._progress import Progress
from skdyn._seeds import seed_within
from skdyn._state import OPTIONAL, OneOf, PlainState, Shape, Since
from skdyn._validation import (
    Interval,
    StrOptions,
    check_is_fitted,
    check_weights,
    clone,
    fit_context,
    is_whole,
    validate_data,
)
from skdyn.exceptions import warn_user
from skdyn.metrics import field_r2_score
from skdyn.operators._doubts import are_neighbors
from skdyn.operators._fno import FNORegressor
from skdyn.operators._known_step import is_left, known_lengths, known_states
from skdyn.operators._named_fields import check_order
from skdyn.operators._step_context import read_context
from skdyn.operators._step_layout import (
    Pairs,
    as_read,
    chosen_layout,
    cut_pairs,
    cut_rows,
    joined,
    read_past,
    time_second,
)
from skdyn.operators._step_methods import check_method, runge_kutta_change
from skdyn.operators._step_noise import deviations, noised
from skdyn.operators._step_range import ANYWHERE, seen_range, warn_if_left
from skdyn.operators._step_times import (
    StepLengths,
    learn_steps,
    plan_steps,
    told_steps,
    velocities,
)

__all__ = ["AutoregressiveOperator"]

_DTYPES = [np.float64, np.float32]


class AutoregressiveOperator(PlainState, CallbackSupportMixin, MetaEstimatorMixin, BaseEstimator):
    """Solution operator of an evolution, by a regressor that takes one step of time.

    The regressor learns :math:`u_{t+1}` from :math:`u_t`, or how much it changes; ``rollout``
    applies it again and again. States are functions on a grid or plain vectors.

    Parameters
    ----------
    estimator : estimator or None, default=None
        Regressor of states on states; None is :class:`FNORegressor`. Estimators of functions are
        given ``(n, n_history * n_channels, *grid)``, others flat rows.
    target : {"state", "change"}, default="state"
        What is learned: the next state, or the change that leads to it. Where steps are short the
        change is what there is to learn.
    integrator : {"euler", "midpoint", "rk4"}, default="euler"
        How a change becomes a step. "euler" adds the difference between successive states. The
        Runge-Kutta methods learn the velocity instead, from splines through the trajectories,
        and ask for it at points between [1]_. They need ``target="change"``, `n_history` 1 and
        `n_ahead` 1.
    n_history : int, default=1
        Number of states that a step looks back on.
    history : {"auto", "channels", "axis"}, default="auto"
        How estimators of functions read several states, the oldest first. For "channels" each adds
        its channels, ``(n, n_history * n_channels, *grid)``, and a flat state is one function,
        ``(n, n_history, width)``. For "axis" the columns of flat states are variables, each a
        function of time, ``(n, width, n_history)``, and numbers follow. "auto" is "channels", but
        refuses flat states of four columns or fewer, and warns of those that are no function.
    n_ahead : int, default=1
        Number of states that the regressor predicts at once (temporal bundling [2]_), the first
        first: as channels ``(n, n_ahead * n_channels, *grid)`` of functions. A rollout asks it
        once for as many, so that fewer of its own errors add up.
    known_step : callable or None, default=None
        What is known of a step: a function of states ``(n, n_channels, *grid)`` or ``(n, width)``
        that returns those one step later. The regressor then learns what it leaves: the change
        counts from its answer, which needs ``target="change"``; a channel that it leaves nothing
        of but rounding is not learned. Where ``fit`` gets a context it is
        called as ``known_step(states, context=context)``, and where it gets times with ``step=``,
        how long the step of each state is, ``(n,)``. Models with a function of a module can
        be pickled; :func:`skdyn.io.save` refuses functions.
    pushforward : int, default=0
        Number of times that the regressor is fitted anew on what it made of the training states
        itself, beside the true ones, so that it learns to mend its own errors [2]_ [3]_.
    noise : float, default=0.0
        Standard deviation of noise on the states that the regressor is shown, as a share of the
        channel's own. Targets are made after it, so that the regressor learns to come back to the
        true state [4]_.
    random_state : int, RandomState instance or None, default=None
        Source of noise, and of the seeds of `estimator`, one for each of its fits. None leaves
        these as they are set there; pass an int for the same model every time.

    Attributes
    ----------
    estimator_ : estimator
        The fitted regressor.
    n_features_in_ : int
        Number of columns of flat states, else of channels.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, when all are strings.
    time_unit_ : str or None
        Unit of times that were dates or durations; None of numbers.

    See Also
    --------
    skdyn.inspection.RolloutDisplay : Draws the error against time.

    Notes
    -----
    Trajectories are ``(n_cases, n_channels, n_timepoints, *grid)``; flat states make them
    ``(n_cases, width, n_timepoints)``, or ``(n_timepoints, width)`` for one alone. Times are
    equally spaced, unless ``t`` says when they are.

    References
    ----------
    .. [1] Ernst Hairer, Syvert Nørsett, Gerhard Wanner, "Solving Ordinary Differential
       Equations I", Springer, 1993.
    .. [2] Johannes Brandstetter, Daniel Worrall, Max Welling, "Message Passing Neural PDE
       Solvers", ICLR 2022.
    .. [3] Arun Venkatraman, Martial Hebert, Andrew Bagnell, "Improving Multi-Step Prediction of
       Learned Time Series Models", AAAI 2015.
    .. [4] Alvaro Sanchez-Gonzalez et al., "Learning to Simulate Complex Physics with Graph
       Networks", ICML 2020.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from skdyn import AutoregressiveOperator
    >>> from skdyn.datasets import make_kuramoto_sivashinsky
    >>> first, later = make_kuramoto_sivashinsky(
    ...     20, 32, length=12, times=np.arange(1, 21) / 2, random_state=0
    ... )
    >>> X = np.concatenate([first[:, None], later], axis=1)[:, None]  # (cases, 1, times, points)
    >>> model = AutoregressiveOperator(Ridge(1e-3), target="change").fit(X)
    >>> model.rollout(X[:, :, 0], n_steps=20).shape
    (20, 1, 20, 32)
    >>> model.score(X) > 0.9
    True
    """

    n_features_in_: int
    feature_names_in_: Annotated[np.ndarray, Shape("n_features_in_", "OU"), OPTIONAL]
    estimator_: BaseEstimator
    _middle: Annotated[np.ndarray, Shape("ranges"), Since(lambda state: np.zeros(1))]
    _reach: Annotated[np.ndarray, Shape("ranges"), Since(lambda state: np.full(1, ANYWHERE))]
    time_unit_: Annotated[str | None, Since(lambda state: None)]
    _step_lengths: Annotated[StepLengths, Since(lambda state: StepLengths(1.0, 1.0, 1.0, True))]
    _state_shape: tuple[int, ...]
    _context_shape: Annotated[tuple[int, ...] | None, Since(lambda state: None)]
    _learned: Annotated[np.ndarray, Shape("_", "b"), Since(lambda state: np.ones(1, dtype=bool))]
    _reads_fields: bool
    _layout: Annotated[
        str,
        OneOf(("rows", "channels", "axis")),
        Since(lambda state: "channels" if state["_reads_fields"] else "rows"),
    ]
    history: Annotated[str, Since(lambda state: "auto")]
    n_ahead: Annotated[int, Since(lambda state: 1)]
    known_step: Annotated[Any, Since(lambda state: None)]
    noise: Annotated[float | int, Since(lambda state: 0.0)]

    _parameter_constraints = {
        "estimator": [BaseEstimator, None],
        "target": [StrOptions({"state", "change"})],
        "integrator": [StrOptions({"euler", "midpoint", "rk4"})],
        "n_history": [Interval(Integral, 1, None, closed="left")],
        "history": [StrOptions({"auto", "channels", "axis"})],
        "n_ahead": [Interval(Integral, 1, None, closed="left")],
        "known_step": [callable, None],
        "pushforward": [Interval(Integral, 0, None, closed="left")],
        "noise": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
    }
    _exponents = None, 250  # what the regressor can compute with it says itself
    _quick_parameters = {
        "estimator": FNORegressor(
            hidden_channels=4, n_layers=1, batch_size="auto", learning_rate=0.02, max_iter=3
        )
    }  # fmt: skip

    def __init__(
        self,
        estimator: BaseEstimator | None = None,
        *,
        target: str = "state",
        integrator: str = "euler",
        n_history: int = 1,
        history: str = "auto",
        n_ahead: int = 1,
        known_step: Callable[..., Any] | None = None,
        pushforward: int = 0,
        noise: float = 0.0,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.estimator = estimator
        self.target = target
        self.integrator = integrator
        self.n_history = n_history
        self.history = history
        self.n_ahead = n_ahead
        self.known_step = known_step
        self.pushforward = pushforward
        self.noise = noise
        self.random_state = random_state

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    @fit_context(prefer_skip_nested_validation=False)
    def fit(
        self, X: ArrayLike, y: Any = None, context: ArrayLike | None = None, *, t: Any = None
    ) -> Self:
        """Learn the step from trajectories.

        Parameters
        ----------
        X : array-like of shape (n_cases, n_channels, n_timepoints, \\*grid), (n_cases, width, \
                n_timepoints) or (n_timepoints, width)
            Trajectories, or one of them.
        y : Ignored
            Not used, present for API consistency by convention.
        context : array-like of shape (n_cases, n_numbers) or (n_cases, n_channels, \\*grid), \
                default=None
            What else each step is told of its case, the same at all times: coefficients, forcing,
            numbers such as a viscosity.
        t : array-like of shape (n_timepoints,) or (n_cases, n_timepoints), default=None
            Times: numbers, dates or durations; None counts steps. Where steps differ, each is told
            the lengths of those that it looks back on and leads to, in units of their mean, and
            a change is learned per unit of time; Runge-Kutta methods need no telling.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        progress = Progress(self, 1 + self.pushforward, X=X)
        check_order(X, "X")
        X = validate_data(self, X, dtype=_DTYPES, allow_nd=True)
        check_method(self)
        if X.ndim > 3 and are_neighbors(X):
            warn_user(
                f"X of shape {X.shape} is read as {X.shape[1]} channels at {X.shape[2]} times, but "
                "they go together as neighbors in space or time do: axes are (n_cases, "
                "n_channels, n_timepoints, *grid). Use X[:, None] if the channel was left out."
            )
        series = time_second(X)
        steps = learn_steps(self, t, *series.shape[:2])
        self._state_shape = series.shape[2:]
        step = FNORegressor() if self.estimator is None else self.estimator
        self._reads_fields = get_tags(step).input_tags.three_d_array
        self._layout = chosen_layout(self.history, series, self.n_history, self._reads_fields)
        how: Any = {"fit": True, "numbers": self._layout == "axis"}
        context = read_context(context, len(series), self._state_shape, None, **how)
        self._context_shape = None if context is None else context.shape[1:]
        rng = None if self.random_state is None else check_random_state(self.random_state)
        true = shown = cut_pairs(series, self.n_history, self.n_ahead, steps, context)
        if self.noise > 0:
            deviation = deviations(series, one_function=self._reads_fields)
            source = check_random_state(None) if rng is None else rng
            shown = true._replace(past=noised(true.past, self.noise, deviation, source))
        self._learned = np.ones(1, dtype=bool)
        fitted = self._fit_step(series, steps, shown, rng, progress)
        for _ in range(self.pushforward):
            self.estimator_ = fitted
            both = joined(shown, self._pushed(true, len(series)))
            fitted = self._fit_step(series, steps, both, rng, progress)
        self.estimator_ = fitted
        self._middle, self._reach = seen_range(series, self._reads_fields)
        progress.end()
        return self

    def predict(
        self, X: ArrayLike, context: ArrayLike | None = None, *, t: Any = None
    ) -> np.ndarray:
        """Predict the state that follows.

        Parameters
        ----------
        X : array-like of shape (n, width), (n, n_channels, \\*grid), or as in ``fit``
            States; or trajectories of at least `n_history` times, whose last ones count.
        context : array-like of shape (n, n_numbers) or (n, n_channels, \\*grid), default=None
            As in ``fit``.
        t : array-like of shape (n_timepoints + 1,) or (n, n_timepoints + 1), default=None
            Times of the states in `X`, then that asked for, as in ``rollout``.

        Returns
        -------
        ndarray of shape (n, width) or (n, n_channels, \\*grid)
            The next states.
        """
        ahead = self.rollout(X, 1 if t is None else None, context, t=t)
        if ahead.shape[2] > 1:
            raise ValueError(
                f"t has {ahead.shape[2]} times after those of the states in X; predict answers at "
                "one. Ask rollout for more."
            )
        return ahead[:, :, 0]

    def rollout(
        self,
        X: ArrayLike,
        n_steps: int | None = None,
        context: ArrayLike | None = None,
        *,
        t: Any = None,
    ) -> np.ndarray:
        """Step from states on, each step from the answers of those before.

        Parameters
        ----------
        X : array-like of shape (n, width), (n, n_channels, \\*grid), or as in ``fit``
            First states; or trajectories of at least `n_history` times, whose last ones count.
        n_steps : int, default=None
            Number of steps, all of one length; or pass `t`.
        context : array-like of shape (n, n_numbers) or (n, n_channels, \\*grid), default=None
            As in ``fit``.
        t : array-like of shape (n_timepoints + n_steps,) or (n, n_timepoints + n_steps), \
                default=None
            Times of the states in `X` (one, of plain states), then those asked for. Gaps longer
            than the longest step in ``fit`` are gone through in several; after a fit on steps of
            one length times must be whole multiples of it apart, unless `integrator` is another
            than "euler".

        Returns
        -------
        ndarray of shape (n, width, n_steps) or (n, n_channels, n_steps, \\*grid)
            The states that follow. A warning names the step that leaves ten times the range of
            the trajectories in ``fit``.
        """
        check_is_fitted(self)
        if (n_steps is None) == (t is None):
            raise ValueError("Pass either n_steps, or t with the times of the states in X first.")
        if t is None and not is_whole(n_steps, 1):
            raise ValueError(f"n_steps must be a positive integer; got {n_steps!r}.")
        past = read_past(self, X)
        told = read_context(context, len(past), self._state_shape, self._context_shape, fit=False)
        plan = plan_steps(self, t, n_steps, *past.shape[:2])
        past, states, left = past[:, -self.n_history :], [], False
        while len(states) <= plan.at[-1]:
            steps = plan.window(len(states), self.n_history, self.n_ahead)
            ahead = self._step(Pairs(past, past, steps, told))
            past = np.concatenate([past, ahead], axis=1)[:, -self.n_history :]
            for state in ahead.swapaxes(0, 1)[: plan.at[-1] + 1 - len(states)]:
                asked = int(np.searchsorted(plan.at, len(states))) + 1
                states.append(state)
                left |= warn_if_left(state, asked, self._middle, self._reach, told=left)
        return np.stack([states[step] for step in plan.at], axis=2)

    def score(
        self,
        X: ArrayLike,
        y: Any = None,
        sample_weight: ArrayLike | None = None,
        context: ArrayLike | None = None,
        *,
        t: Any = None,
    ) -> float:
        """Return the share of the variance of the next states that single steps predict.

        With `n_ahead` these are all the states of a step.

        Parameters
        ----------
        X : array-like
            Trajectories as in ``fit``.
        y : Ignored
            Not used, present for API consistency by convention.
        sample_weight : array-like of shape (n_cases,), default=None
            Weight of each trajectory.
        context : array-like of shape (n_cases, n_numbers) or (n_cases, n_channels, \\*grid), \
                default=None
            As in ``fit``.
        t : array-like of shape (n_timepoints,) or (n_cases, n_timepoints), default=None
            As in ``fit``.

        Returns
        -------
        float
            :math:`R^2`, weighted by the variance of each value; of fields the mean over channels.
        """
        check_is_fitted(self)
        check_order(X, "X")
        X = validate_data(self, X, reset=False, dtype=_DTYPES, allow_nd=True)
        series = time_second(X)
        n_cases = len(series)
        told = read_context(context, n_cases, self._state_shape, self._context_shape, fit=False)
        steps = told_steps(self, t, *series.shape[:2])
        pairs = cut_pairs(series, self.n_history, self.n_ahead, steps, told)
        truth, predicted = (
            states.reshape(-1, *self._state_shape) for states in (pairs.future, self._step(pairs))
        )
        weight = check_weights(sample_weight, np.empty(n_cases))
        if weight is not None:
            weight = np.tile(weight, len(pairs.past) // n_cases).repeat(self.n_ahead)
        return field_r2_score(truth, predicted, sample_weight=weight)

    def _fit_step(self, series, steps, pairs, rng, progress):
        step = self._new_step()
        seed_within(step, rng)
        with progress.part("step", inside=step):
            return step.fit(*self._as_read(pairs, self._targets(series, steps, pairs)))

    def _new_step(self) -> Any:
        step: Any = FNORegressor() if self.estimator is None else clone(self.estimator)
        if self._layout == "axis":  # then what follows is no function
            choices = [name for name in step.get_params() if name.split("__")[-1] == "targets"]
            step.set_params(**dict.fromkeys(choices, "numbers"))
        return step

    def _targets(self, series, steps, pairs):
        if self.target == "state":
            return pairs.future
        if self.integrator != "euler":
            return velocities(series, steps)[:, None]
        change = pairs.future - self._base(pairs)
        if self.known_step is not None:
            self._learned = is_left(change, pairs.future, one_function=self._reads_fields)
        return self._where_learned(change if steps is None else change / self._since_now(pairs))

    def _where_learned(self, change):
        column = self._learned.reshape(-1, *[1] * (change.ndim - 3))
        return change if self._learned.all() else np.where(column, change, 0.0)

    def _base(self, pairs):
        """Return what a change counts from: the last state, or what is known to follow it."""
        if self.known_step is None:
            return pairs.past[:, -1:]
        ahead = known_lengths(self._step_lengths, pairs.steps, len(pairs.past), self.n_ahead)
        return known_states(
            self.known_step, pairs.past[:, -1], self.n_ahead, context=pairs.context, step=ahead
        )

    def _since_now(self, pairs):
        """Return how long after the last state each of those that follow is."""
        since = pairs.steps[:, self.n_history - 1 :].cumsum(axis=1)
        column = (*since.shape, *[1] * (pairs.past.ndim - 2))
        return since.reshape(column).astype(pairs.past.dtype)

    def _as_read(self, pairs, targets=None):
        steps = pairs.steps if self.integrator == "euler" else None
        told = pairs.context, steps
        return as_read(pairs.past, targets, *told, layout=self._layout, n_ahead=self.n_ahead)

    def _step(self, pairs):
        """Return the states that follow histories, ``(n, n_ahead, *state)``."""
        if self.target == "state":
            return self._regress(pairs)
        length = 1.0 if pairs.steps is None else self._since_now(pairs)
        if self.integrator == "euler":
            return self._base(pairs) + length * self._where_learned(self._regress(pairs))
        now = pairs.past[:, -1:]
        return now + runge_kutta_change(
            self.integrator, lambda state: self._regress(pairs._replace(past=state)), now, length
        )

    def _regress(self, pairs):
        step: Any = self.estimator_
        answer = np.asarray(step.predict(self._as_read(pairs)[0]))
        return answer.reshape(len(pairs.past), self.n_ahead, *self._state_shape)

    def _pushed(self, pairs, n_cases):
        """Pair histories whose last states are the model's own with what truly follows."""
        n = len(pairs.past) - n_cases * self.n_ahead  # each is followed by one that begins later
        if n < 1:
            needed = self.n_history + 2 * self.n_ahead
            raise ValueError(
                f"pushforward={self.pushforward} needs trajectories of {needed} times or more; X "
                f"has {len(pairs.past) // n_cases + needed - self.n_ahead - 1}."
            )
        times = [slice(begin, begin + n_cases) for begin in range(0, n, n_cases)]
        own = np.concatenate([self._step(cut_rows(pairs, time)) for time in times])
        past = np.concatenate([pairs.past[:n], own], axis=1)[:, -self.n_history :]
        return cut_rows(pairs, slice(-n, None))._replace(past=past)
