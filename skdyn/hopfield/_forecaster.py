"""Forecasts by recall: what followed when it was like now."""

from __future__ import annotations

from functools import cached_property
from numbers import Integral, Real
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from skdyn._scales import learn_column_scales, standardized
from skdyn._scoring import r2
from skdyn._series_layout import LAYOUTS, as_table, laid_out, layout_of
from skdyn._state import OPTIONAL, OneOf, PlainState, Shape
from skdyn._trajectories import is_list_of_cases
from skdyn._validation import (
    Interval,
    StrOptions,
    check_is_fitted,
    check_weights,
    fit_context,
    is_whole,
    validate_data,
)
from skdyn.exceptions import warn_user
from skdyn.hopfield._analogues import LEVELS, Recipe, taught
from skdyn.hopfield._explanations import check_n_cases, window_table
from skdyn.hopfield._forecaster_choice import candidates, choose
from skdyn.hopfield._kept import Kept
from skdyn.hopfield._origins import History
from skdyn.hopfield._separations import SEPARATIONS, Separation, as_separation
from skdyn.hopfield._sequences import complete_sequences, ends_of, windows_at

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HopfieldForecaster"]

_BEYOND = 0.1  # of the range of a column: further out nothing was seen
_TINY = 1e-9  # deviations, of a column that never moves


class HopfieldForecaster(PlainState, BaseEstimator):
    """Forecaster that recalls what followed windows like the present one.

    The last states are the query, past windows :math:`x_k` the keys, and what followed each of
    them, :math:`f_k`, its value,

    .. math:: \\hat f = \\ell(\\xi) + \\sum_k p_k \\bigl(f_k - \\ell(x_k)\\bigr), \\qquad
        p = \\operatorname{softmax}_k\\bigl(-\\tfrac{\\beta}{2} \\lVert \\xi - x_k
        \\rVert^2\\bigr),

    which for large beta is the future of the nearest window [1]_. In :math:`\\ell` are the level
    of a window, which is also taken off the windows that are compared, and a linear forecast, whose
    errors are recalled. Which of these, and how long a window, is chosen by forecasts from origins
    in the later half of the data, learned from what was before them. Where these are not surely
    better than the last state, or than what was there a season before, ``fit`` warns; where they
    are hardly better, forecasts say the last state, or the mean, and what usually follows it.

    Parameters
    ----------
    window : int or "auto", default="auto"
        How many states in a row are compared. "auto" chooses of 1, 2, 4, ..., 32, up to a third of
        the longest sequence.
    horizon : int, default=1
        How many steps ahead are learned, each for itself. Forecasts of more steps go on from
        forecasts.
    level : {"auto", "none", "last", "mean", "trend"}, default="auto"
        What is taken off each window before it is compared, and added to the forecast: nothing, its
        last state, its mean, or its straight line.
    linear : bool or "auto", default="auto"
        Whether ridge regression on the window comes first, so that recall only tells what it
        misses. Its answers are held within what was seen to follow.
    beta : float or "auto", default="auto"
        Inverse temperature: small answers with the mean of all that followed, large with what
        followed the most similar window. It multiplies similarities divided by the variance of the
        windows. "auto" chooses it for each step, of powers of two, by windows recalled from those
        that share no state with their future.
    separation : {"softmax", "sparsemax", "entmax", "topk"} or Separation, default="softmax"
        From scores to weights: all windows take part, or only some do.

    Attributes
    ----------
    window_ : int
        States of a window.
    level_ : {"none", "last", "mean", "trend"}
        What is taken off it.
    linear_ : bool
        Whether ridge regression comes first.
    beta_ : ndarray of shape (horizon,)
        Inverse temperature of each step.
    errors_ : ndarray of shape (horizon, n_features_in_)
        Root mean squared errors of forecasts from held-out origins, step by step, in the units of
        the data; of windows recalled from others where the data are too short to hold any out.
    states_ : ndarray of shape (n_states, n_features_in_)
        Stored states, one sequence after the other.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, when all are strings.

    See Also
    --------
    SequenceMemory : Replays sequences, of bits too.
    HopfieldRegressor : The same recall for tables.

    References
    ----------
    .. [1] Edward Lorenz, "Atmospheric Predictability as Revealed by Naturally Occurring Analogues",
       Journal of the Atmospheric Sciences 26, 1969.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn import HopfieldForecaster
    >>> tides = np.sin(np.arange(100) / 3)[:, None]
    >>> model = HopfieldForecaster(horizon=5).fit(tides)
    >>> bool(np.allclose(model.predict(), np.sin(np.arange(100, 105) / 3)[:, None], atol=0.05))
    True
    """

    n_features_in_: int
    feature_names_in_: Annotated[np.ndarray, Shape("n_features_in_", "OU"), OPTIONAL]
    window_: int
    level_: Annotated[str, OneOf(LEVELS)]
    linear_: bool
    beta_: Annotated[np.ndarray, Shape("horizon_")]
    errors_: Annotated[np.ndarray, Shape("horizon_ n_features_in_")]
    states_: Annotated[np.ndarray, Shape("_ n_features_in_")]
    _spreads: Annotated[np.ndarray, Shape("horizon_ n_features_in_")]  # of what is recalled
    _lengths: Annotated[np.ndarray, Shape("_", "i")]
    _offset: Annotated[np.ndarray, Shape("n_features_in_")]
    _scale: Annotated[np.ndarray, Shape("n_features_in_")]
    _layout: Annotated[str, OneOf(LAYOUTS)]
    _index: list[str]  # how the labels of a frame go on

    _parameter_constraints = {
        "window": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "horizon": [Interval(Integral, 1, None, closed="left")],
        "level": [StrOptions({"auto", *LEVELS})],
        "linear": ["boolean", StrOptions({"auto"})],
        "beta": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "separation": [StrOptions({*SEPARATIONS}), Separation],
    }
    _expected_failed_checks = {
        name: (
            "It takes rows for samples; here they are moments of one history, whose order matters."
        )
        for name in ("check_methods_subset_invariance", "check_methods_sample_order_invariance")
    }

    _quick_parameters = {"window": 4}

    def __init__(
        self,
        window: int | str = "auto",
        horizon: int = 1,
        *,
        level: str = "auto",
        linear: bool | str = "auto",
        beta: float | str = "auto",
        separation: str | Separation = "softmax",
    ) -> None:
        self.window = window
        self.horizon = horizon
        self.level = level
        self.linear = linear
        self.beta = beta
        self.separation = separation

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Store windows and what followed them, and choose how they are compared.

        Parameters
        ----------
        X : array-like
            One series ``(n_timepoints, n_features)``, several ``(n_cases, n_features,
            n_timepoints)``, or a list of ``(n_features, n_timepoints_i)``. A frame or series of
            pandas may have dates as its index, at even steps; forecasts then go on with them.
        y : Ignored
            Not used, present for consistency.

        Returns
        -------
        self : HopfieldForecaster
            The fitted forecaster.

        Raises
        ------
        ValueError
            If no series is as long as a window and the horizon together, or a state is not
            complete.
        """
        layout, index = layout_of(X)
        sequences = complete_sequences(self, as_table(X), reset=True)
        states = np.concatenate(sequences)
        scales = learn_column_scales(states, None)
        lengths = np.array([len(sequence) for sequence in sequences])
        moved = standardized(states, scales.mean, scales.scale)
        history = History(moved, lengths, int(self.horizon))
        beta = None if self.beta == "auto" else float(self.beta)
        recipes = candidates(history, self.window, self.level, self.linear)
        chosen = choose(history, recipes, beta, as_separation(self.separation))
        self.window_, self.level_, self.linear_ = chosen.recipe
        self.beta_ = chosen.betas
        self.errors_ = np.sqrt(chosen.errors) * scales.scale
        self._spreads = chosen.spreads
        self.states_, self._lengths = states, lengths
        self._offset, self._scale = scales.mean, scales.scale
        self._layout, self._index = layout, index
        self._kept  # noqa: B018 - there before a method asks
        return self

    def predict(
        self, X: ArrayLike | None = None, n_steps: int | None = None, *, return_std: bool = False
    ) -> Any:
        """Forecast what follows.

        Parameters
        ----------
        X : array-like or None, default=None
            Recent history, in a layout of ``fit``, at least ``window_`` states of each series.
            None goes on from the end of what ``fit`` was given.
        n_steps : int or None, default=None
            How many steps; None is ``horizon``.
        return_std : bool, default=False
            Whether to return standard deviations of the errors to expect, too: those from held-out
            origins, wider where what was recalled differs more than it usually does.

        Returns
        -------
        forecast : ndarray, DataFrame or Series
            ``(n_steps, n_features)`` for one series, a frame with the next labels where a frame
            came; ``(n_cases, n_features, n_steps)`` for several.
        std : ndarray, DataFrame or Series
            Of the same shape, with ``return_std=True``.

        Raises
        ------
        ValueError
            If X has other features, NaN, or too few states, or if standard deviations are asked
            beyond ``horizon``.

        Warns
        -----
        UserWarning
            If X goes beyond what was stored, and ``level_`` is "none".
        """
        check_is_fitted(self)
        horizon = len(self.beta_)
        if not (n_steps is None or is_whole(n_steps, 1)):
            raise ValueError(f"n_steps must be an integer of at least 1; got {n_steps!r}.")
        n_steps = horizon if n_steps is None else n_steps
        if return_std and n_steps > horizon:
            raise ValueError(
                f"return_std=True knows the errors of {horizon} steps, which fit learned; got "
                f"n_steps={n_steps}. Fit with horizon={n_steps}."
            )
        windows, layout, index, names = self._present(X)
        self._doubt_range(windows)
        model, found, std = self._model(), [], None
        for _ in range(-(-n_steps // horizon)):
            answer, spread = model.answers(windows, self.beta_, with_spread=return_std)
            found.append(answer)
            windows = np.concatenate([windows, answer], axis=1)[:, -self.window_ :]
            std = None if spread is None else self._std(spread)[:, :n_steps]
        answer = np.concatenate(found, axis=1)[:, :n_steps] * self._scale + self._offset
        answer = laid_out(answer, layout, index, names)
        return answer if std is None else (answer, laid_out(std, layout, index, names))

    def score(
        self, X: ArrayLike, y: object = None, sample_weight: ArrayLike | None = None
    ) -> float:
        """Score forecasts of ``horizon`` steps from every origin in X that has a window before it.

        Parameters
        ----------
        X : array-like
            Series, as in ``fit``.
        y : Ignored
            Not used, present for consistency.
        sample_weight : array-like of shape (n_states,), default=None
            Weights of the states that are forecast, one series after the other.

        Returns
        -------
        float
            Coefficient of determination of all steps together, mean over the features.
        """
        check_is_fitted(self)
        sequences = complete_sequences(self, as_table(X), reset=False)
        horizon = len(self.beta_)
        states = standardized(np.concatenate(sequences), self._offset, self._scale)
        ends = ends_of([*map(len, sequences)], self.window_, horizon)
        if not len(ends):
            raise ValueError(
                f"A forecast is scored from a window of {self.window_} states and the {horizon} "
                f"after it; the longest series of X has {max(map(len, sequences))}."
            )
        found, _ = self._model().answers(windows_at(states, ends, self.window_), self.beta_)
        after = (ends[:, None] + np.arange(1, horizon + 1)).ravel()
        weight = check_weights(sample_weight, states)
        weight = None if weight is None else weight[after]
        return r2(states[after], found.reshape(len(after), -1), weight)

    def explain(
        self, X: ArrayLike | None = None, n_cases: int = 5, *, step: int = 1, cases: Any = None
    ) -> pd.DataFrame:
        """Tell which past windows decided a forecast, and by how much.

        Parameters
        ----------
        X : array-like or None, default=None
            Recent history, as in ``predict``.
        n_cases : int, default=5
            How many windows at most; the others count together.
        step : int, default=1
            Which step of the forecast, up to ``horizon``.
        cases : DataFrame or Series or None, default=None
            The series as it was passed to ``fit``, to name windows by its index. None names them by
            numbers of states.

        Returns
        -------
        DataFrame
            Lines of each series ("query") and by falling weight ("rank"): the "case", the state at
            which a window ends; its "kind"; its "weight", which add up to one; its "target", what
            followed it at the level of now; and its "contribution", weight times target, which add
            up to the forecast. With several features, the last two are numbered.

        Raises
        ------
        ValueError
            If ``n_cases`` or ``step`` is out of range, or X cannot be used.
        """
        check_is_fitted(self)
        check_n_cases(n_cases)
        if not is_whole(step, 1) or step > len(self.beta_):
            raise ValueError(
                f"step must be an integer from 1 to horizon={len(self.beta_)}; got {step!r}."
            )
        windows, model = self._present(X)[0], self._model()
        shape = len(windows), len(self.beta_), self.n_features_in_
        queries, known = model.before_recall(windows)
        memory = model.at(self.beta_[step - 1])
        found = memory.nearest(queries, n_cases)
        rows, weights = found.indices.numpy(), found.weights.numpy()
        known, values = known.reshape(shape), model.values.numpy()
        level = known[:, step - 1] * self._scale + self._offset
        values = values.reshape(-1, *shape[1:])[:, step - 1] * self._scale
        answer = level + memory.means(queries).numpy().reshape(shape)[:, step - 1] * self._scale
        ends = ends_of(self._lengths, self.window_, len(self.beta_))
        return window_table(weights, ends[rows], level[:, None] + values[rows], answer, cases)

    @classmethod
    def _check_state(cls, state):
        if "states_" not in state:
            return
        if state["_lengths"].sum() != len(state["states_"]) or state["_lengths"].min() < 1:
            raise ValueError("The sequences of HopfieldForecaster are not as long as its states.")

    # -- how -------------------------------------------------------------------------------------

    def _present(self, X):
        """Return standardized windows to go on from, and how the answer is laid out."""
        names = getattr(self, "feature_names_in_", None)
        if X is None:
            ends = np.cumsum(self._lengths)
            short = np.flatnonzero(self._lengths < self.window_)
            windows = [self.states_[end - self.window_ : end] for end in ends]
            layout, index = self._layout, self._index
        else:
            layout, index = layout_of(X, self._index)
            windows = [case[-self.window_ :] for case in self._histories(as_table(X))]
            short = [case for case, rows in enumerate(windows) if len(rows) < self.window_]
        if len(short):
            raise ValueError(
                f"A forecast needs the last {self.window_} states (window_), but series {short[0]} "
                "has fewer. Pass longer histories, or fit with a smaller window."
            )
        scaled = [standardized(rows, self._offset, self._scale) for rows in windows]
        return np.stack(scaled), layout, index, names

    def _histories(self, X):
        """Return the histories, each of shape (n_timepoints_i, n_features)."""
        if is_list_of_cases(X):
            return complete_sequences(self, X, reset=False)
        X = validate_data(self, X, reset=False, dtype=np.float64, allow_nd=True)
        if X.ndim not in (2, 3):
            raise ValueError(
                "X must be one history (n_timepoints, n_features) or several (n_cases, "
                f"n_features, n_timepoints); got {X.ndim} axes."
            )
        return [X] if X.ndim == 2 else list(X.transpose(0, 2, 1))

    def _doubt_range(self, windows):
        """Warn of states beyond all that are stored, where forecasts are of those alone."""
        if self.level_ != "none":
            return
        low, high = (
            standardized(end(self.states_, axis=0), self._offset, self._scale)
            for end in (np.min, np.max)
        )
        beyond = np.maximum(low - windows, windows - high).max(axis=(0, 1)) / (high - low + _TINY)
        if (beyond > _BEYOND).any():
            column = int(beyond.argmax())
            name = self.feature_names_in_[column] if hasattr(self, "feature_names_in_") else column
            warn_user(
                f"X lies outside what fit has seen of column {name}, by {beyond[column]:.2g} of "
                "its range, and forecasts (level_='none') stay within it. Fit with the newer data, "
                "too, or with level='last'."
            )

    def _std(self, spread):
        """Return deviations: half of the variance is as usual, half as what was recalled."""
        usual = np.where(self._spreads > 0, self._spreads, 1.0)
        ratio = np.where(self._spreads > 0, spread / usual, 1.0)
        return self.errors_ * np.sqrt((1 + ratio) / 2)

    @cached_property
    def _kept(self):
        return Kept()

    def _model(self):
        recipe = Recipe(self.window_, self.level_, self.linear_)
        how = self._offset, self._scale, *recipe, len(self.beta_), as_separation(self.separation)
        return self._kept.get(_remembered, self.states_, self._lengths, *how)


def _remembered(states, lengths, offset, scale, window, level, linear, horizon, separation):
    history = History(standardized(states, offset, scale), lengths, horizon)
    recipe = Recipe(window, level, linear)
    return taught(
        history.states, history.ends(window), recipe, np.arange(1, horizon + 1), separation
    )
