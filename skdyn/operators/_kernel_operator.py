"""Regression of functions by kernels, in closed form."""

from __future__ import annotations

from functools import partial
from numbers import Integral, Real
from typing import Annotated, Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin
from sklearn.callback import CallbackSupportMixin
from sklearn.utils import check_random_state

from skdyn._progress import Progress
from skdyn._scales import standardized
from skdyn._state import OPTIONAL, OneOf, PlainState, Shape, Since
from skdyn._time_limit import time_is_over
from skdyn._validation import (
    Interval,
    StrOptions,
    check_is_fitted,
    check_sizes,
    check_weights,
    fit_context,
)
from skdyn.exceptions import warn_user
from skdyn.operators._case_errors import CaseErrors, case_numbers, learn_case_errors
from skdyn.operators._corrections import learn_judged_corrections
from skdyn.operators._doubts import doubt_worth
from skdyn.operators._estimator import OperatorRegressor, channel_scales
from skdyn.operators._grids import (
    GRID_CONSTRAINTS,
    TARGET_CONSTRAINTS,
    Layout,
    check_layouts,
    read_inputs,
    read_queries,
    read_targets,
    resample,
)
from skdyn.operators._input_kernels import (
    Factor,
    check_kernel_state,
    choose_way,
    factors_of,
    gram,
    groups_of,
    learn_components,
    linear_channels,
    stretches,
    the_only_factor,
)
from skdyn.operators._kernel_answers import Known
from skdyn.operators._kernel_ridge import (
    KERNELS,
    errors_without,
    fit_kernel,
    merge_copies,
    summary,
)
from skdyn.operators._local_correction import Learning, LocalCorrection
from skdyn.operators._named_answers import Names, answered, is_named
from skdyn.operators._symmetries import SYMMETRY_CONSTRAINTS, motions_of
from skdyn.training._threads import threads_for

__all__ = ["KernelOperatorRegressor"]

_KERNELS = ("linear", "matern52", "rbf")  # the choice of "auto"
_LENGTH_SCALES = (0.5, 1.0, 2.0, 4.0)
_EMPHASES = (0.0, 0.5, 1.0, 1.5)
_SEARCH_ROWS = 600  # that settings are chosen on
_FEWEST_ROWS = 8  # two samples a fold: with fewer, nothing is said of a correction's worth


class KernelOperatorRegressor(
    PlainState, CallbackSupportMixin, MultiOutputMixin, RegressorMixin, BaseEstimator
):
    """Regressor of functions on functions, by kernels, without gradient descent.

    Kernel regression between principal components of the inputs [1]_,

    .. math:: \\hat u(a) = \\bar u + \\sum_i k(z(a), z(a_i))\\, c_i, \\qquad
        z_j(a) = s_j^{e} \\, \\langle a - \\bar a, v_j \\rangle,

    then corrections at each point from its neighborhood, by ridge regression on random Fourier
    features [2]_ of inputs and prediction there: what solves an equation depends on its data
    everywhere, but whether it does so shows locally. Everything is in closed form, also what
    settings are chosen by: the error on samples left out. This is a strong and cheap baseline: try
    it first.

    Parameters
    ----------
    kernel : {"matern12", "matern32", "matern52", "rbf", "rational_quadratic", "linear", "auto"}, \
            default="matern52"
        Kernel k; Matérn's kernels are named by twice their smoothness. "auto" chooses "linear",
        "matern52" or "rbf" by the error on samples left out.
    length_scale : float or "auto", default="auto"
        Unit of distances, times the root mean square distance of two samples. "auto" chooses from
        0.5 to 4 by the error on samples left out.
    emphasis : float or "auto", default="auto"
        Exponent e of the standard deviation :math:`s_j` of a principal component. 0 leaves inputs
        as they are, more looks at what varies most, usually what is large. "auto" chooses from
        0 to 1.5 by the error on samples left out.
    alpha : float or "auto", default="auto"
        Variance of noise added to the kernel's diagonal. "auto" chooses it by the error on samples
        left out.
    combine : {"joint", "product", "auto"}, default="joint"
        How several channels make one kernel: of all of them together, or a product of one kernel
        of each, with a length and an emphasis of its own, which suits functions of different roles.
        "auto" chooses by the error on samples left out.
    linear_in : int, array-like of int or None, default=None
        Channels, counted from 0, that the answer is linear in, all together: sources, or initial
        states of a linear equation. Answers then are, exactly, for any values of the others; there
        are no corrections.
    n_corrections : int, default=3
        Number of corrections at most, each on the result of the one before; the first that does
        not lower the error on samples left out ends them. There are none where the predictions are
        numbers, or have other axes than the inputs.
    radius : int, default=2
        Neighbors on each side, along each axis, that a correction sees.
    n_waves : int, default=800
        Random Fourier features of a correction.
    max_time : float or None, default=None
        Seconds after which no more settings are compared and no more corrections learned, with a
        warning. None sets no limit.
    symmetry : {"exchange", "reflect", "both", "odd", "even"} or None, default=None
        Under which motions of a square domain the operator is known to keep its form: exchanges of
        its axes, reflections along each, or all of them; or a reflection of all axes that changes
        the sign of inputs and answers, as in Burgers' equation, or of inputs alone, as in the
        energy of a wave. Samples are learned from in all motions, at the cost of as many times more
        samples. But for "odd" and "even", channels must not be components of vectors.
    grid_shape : int, tuple of int or None, default=None
        Grid that the rows of a flat `X` were flattened from; None is one axis, or those of X.
    targets : {"auto", "functions", "numbers"}, default="auto"
        What each row of a `y` of two axes holds: functions, or numbers without an order. "auto"
        takes up to four columns for numbers unless X has as many; it warns of what it guesses.
    periodic : bool, default=False
        Whether the last point of each axis is followed by the first. Then corrections commute with
        shifts; otherwise they know the coordinates of each point.
    random_state : int, RandomState instance or None, default=None
        Source of the random features, and of the rows of large data that settings are chosen on.
        Pass an int for the same model every time.

    Attributes
    ----------
    kernel_ : str
        Kernel in use.
    combine_ : {"joint", "product"}
        How channels make one kernel.
    length_scale_, emphasis_ : float or list of float
        Settings in use; of a product, one for each channel, and one for all linear ones at last.
    alpha_ : float
        Noise in use.
    left_out_error_ : float
        Root mean square error on samples left out, corrections included, which up to 40 samples
        that no step has seen make sure of: corrections shift it by 3 % or less on average. That of
        one training set is 5 to 20 % off, as 60 or 200 samples happen to be easy or hard.
    n_corrections_ : int
        Number of corrections in use.
    n_features_in_ : int
        Number of columns of a flat `X`, else of channels.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, when all are strings.

    See Also
    --------
    FNORegressor : A network, which learns more from more samples.

    Notes
    -----
    Time grows as the cube of the number of samples, memory as its square. Equal samples count as
    one of greater weight, so that a copy never answers for itself.

    References
    ----------
    .. [1] Pau Batlle, Matthieu Darcy, Bamdad Hosseini, Houman Owhadi, "Kernel methods are
       competitive for operator learning", Journal of Computational Physics 496, 2024.
    .. [2] Ali Rahimi, Benjamin Recht, "Random Features for Large-Scale Kernel Machines", NIPS 2007.

    Examples
    --------
    >>> from skdyn import KernelOperatorRegressor
    >>> from skdyn.datasets import make_darcy
    >>> X, y = make_darcy(120, 9, random_state=0)
    >>> model = KernelOperatorRegressor(n_waves=200, random_state=0).fit(X[:100], y[:100])
    >>> model.score(X[100:], y[100:]) > 0.95
    True
    >>> mean, std = model.predict(X[100:], return_std=True)
    >>> mean.shape == std.shape
    True
    """

    targets: Annotated[str, Since(lambda state: "auto")]
    max_time: Annotated[float | int | None, Since(lambda state: None)]
    n_features_in_: int
    feature_names_in_: Annotated[np.ndarray, Shape("n_features_in_", "OU"), OPTIONAL]
    kernel_: Annotated[str, OneOf(KERNELS)]
    combine: Annotated[str, Since(lambda state: "joint")]
    linear_in: Annotated[Any, Since(lambda state: None)]
    combine_: Annotated[str, OneOf(("joint", "product")), Since(lambda state: "joint")]
    length_scale_: float | list[float]
    emphasis_: float | list[float]
    alpha_: float
    left_out_error_: float
    n_corrections_: int
    _x_layout: Layout
    _y_layout: Layout
    _names: Annotated[Names, Since(lambda state: Names())]
    _x_offset: Annotated[np.ndarray, Shape("channels")]
    _x_scale: Annotated[np.ndarray, Shape("channels")]
    _mean: Annotated[np.ndarray, Shape("inputs")]
    _components: Annotated[np.ndarray, Shape("inputs components")]
    _component_scale: Annotated[np.ndarray, Shape("components")]
    _stretch: Annotated[np.ndarray, Shape("components")]
    _rows: Annotated[np.ndarray, Shape("rows components")]
    _factors: Annotated[list[Factor], Since(lambda state: the_only_factor(state))]
    _weight: Annotated[np.ndarray, Shape("rows")]
    _coefficients: Annotated[np.ndarray, Shape("rows outputs")]
    _y_mean: Annotated[np.ndarray, Shape("outputs")]
    _deviation: Annotated[np.ndarray, Shape("outputs")]
    _corrections: list[LocalCorrection]
    _case_errors: Annotated[CaseErrors | None, Since(lambda state: None)]

    _exponents = None, 250  # values at one point may be as small as they like
    _sketch_parameters = {"length_scale": 1.0, "emphasis": 0.0, "n_corrections": 1}

    _parameter_constraints = {
        "kernel": [StrOptions({*KERNELS, "auto"})],
        "length_scale": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "emphasis": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
        "alpha": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "combine": [StrOptions({"joint", "product", "auto"})],
        "linear_in": ["array-like", Integral, None],
        "n_corrections": [Interval(Integral, 0, None, closed="left")],
        "radius": [Interval(Integral, 0, None, closed="left")],
        "n_waves": [Interval(Integral, 1, None, closed="left")],
        "max_time": [Interval(Real, 0, None, closed="neither"), None],
        **SYMMETRY_CONSTRAINTS,
        "grid_shape": GRID_CONSTRAINTS["grid_shape"],
        **TARGET_CONSTRAINTS,
        "periodic": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        kernel: str = "matern52",
        *,
        length_scale: float | str = "auto",
        emphasis: float | str = "auto",
        alpha: float | str = "auto",
        combine: str = "joint",
        linear_in: int | ArrayLike | None = None,
        n_corrections: int = 3,
        radius: int = 2,
        n_waves: int = 800,
        max_time: float | None = None,
        symmetry: str | None = None,
        grid_shape: ArrayLike | int | None = None,
        targets: str = "auto",
        periodic: bool = False,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.kernel = kernel
        self.length_scale = length_scale
        self.emphasis = emphasis
        self.alpha = alpha
        self.combine = combine
        self.linear_in = linear_in
        self.n_corrections = n_corrections
        self.radius = radius
        self.n_waves = n_waves
        self.max_time = max_time
        self.symmetry = symmetry
        self.grid_shape = grid_shape
        self.targets = targets
        self.periodic = periodic
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_channels, \\*grid)
            Inputs.
        y : array-like of shape (n_samples,), (n_samples, width) or (n_samples, n_channels, \\*grid)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        progress = Progress(self, 2, X=X, y=y)
        X = read_inputs(self, X, reset=True).astype(np.float64)
        y = read_targets(self, X, y, reset=True).astype(np.float64, copy=False)
        check_sizes(y, "y")  # errors are squared in its units
        weight = check_weights(sample_weight, X)
        X, y, weight = merge_copies(X, y, np.ones(len(X)) if weight is None else weight)
        n_copies = len(motions_of(self))
        with threads_for((n_copies * len(X)) ** 3):
            y, weight = self._learn(X, y, weight, n_copies, progress)
        progress.end()
        if time_is_over():
            warn_user(
                f"{type(self).__name__} stopped when max_time was over, with "
                f"{self.n_corrections_} corrections. Allow more time for more."
            )
        doubt_worth(self, y, weight)
        return self

    def predict(self, X: Any, grid: Any = None, return_std: bool = False) -> Any:
        """Predict functions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_channels, \\*grid)
            Inputs. With their axes written out they may be on another grid than in ``fit``.
        grid : int, tuple of int, mapping of str to array-like or None, default=None
            Grid of the answer, and of a flat `X` of another width than in ``fit``. None keeps to
            the grid of `X`, or of the targets in ``fit`` where that was another. Grids are taken
            for the whole domain of ``fit``. Where `X` has names, ``{"x": places}`` or a DataArray
            asks for coordinates, which may lie in a part of it.
        return_std : bool, default=False
            Whether to return standard deviations as well: those of a Gaussian process with this
            kernel, scaled to the errors on samples left out at each point, and from twenty samples
            on by how large they are in cases like it.

        Returns
        -------
        y : ndarray of shape (n_samples,), (n_samples, width) or (n_samples, n_channels, \\*grid)
            Predictions in the layout of the targets in ``fit``, float64.
        std : ndarray of the shape of y
            Standard deviations, if asked for.
        """
        check_is_fitted(self)
        if is_named(X):
            return answered(self, X, grid, partial(self.predict, return_std=return_std))
        X, grid = read_queries(self, X, grid)
        X = resample(X.astype(np.float64), self._x_layout.grid, periodic=self.periodic)
        X = self._scaled(X)
        rows = (X.reshape(len(X), -1) - self._mean) @ self._components * self._stretch
        known = self._known()
        factor = known.factor() if return_std else None
        answers = []
        for block, across in known.blocks(rows):
            fields = self._corrected(X[block], self._fields(across @ self._coefficients))
            found = [fields]
            if factor is not None:
                around = fields - self._fields(self._y_mean[None])
                spread = known.spread(factor, rows[block], across, around)
                found.append(self._fields(spread[:, None] * self._deviation))
            answers.append([self._answer(each, grid) for each in found])
        y, *std = (np.concatenate(parts) for parts in zip(*answers, strict=True))
        return (y, np.maximum(std[0], 0.0)) if return_std else y

    score = OperatorRegressor.score

    # -- inputs ------------------------------------------------------------------------------

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    @classmethod
    def _check_state(cls, state):
        check_layouts(state)
        check_kernel_state(state)

    def _moved(self, fields, answers=False):
        """Return each field in all motions, one after the other."""
        if self.symmetry is None:  # fields may have other axes than those of X
            return fields
        fields = torch.from_numpy(fields)
        ways = [move.of_answers if answers else move.of for move in motions_of(self)]
        return torch.stack([way(fields) for way in ways], dim=1).flatten(0, 1).numpy()

    def _scaled(self, X):
        return standardized(X, self._x_offset, self._x_scale)

    # -- regression --------------------------------------------------------------------------

    def _learn(self, X, y, weight, n_copies, progress):
        """Learn everything; return targets and weights as they came."""
        X, y, weight = self._moved(X), self._moved(y, answers=True), weight.repeat(n_copies)
        rng = check_random_state(self.random_state)
        self._x_offset, self._x_scale = channel_scales(X, weight)
        linear = linear_channels(self.linear_in, X.shape[1])
        self._x_offset[linear] = 0.0
        X = self._scaled(X)
        targets = y.reshape(len(y), -1)
        self._y_mean = np.average(targets, axis=0, weights=weight)
        if linear:  # zero must stay zero
            self._y_mean = np.zeros_like(self._y_mean)
        targets = targets - self._y_mean
        with progress.part("settings"):
            rows = self._choose(X, targets, weight, linear, n_copies, rng)
            self._rows, self._weight = rows * self._stretch, weight
            K = gram(self._factors, self._rows, self._rows)
            fit = fit_kernel(K, targets, weight, self.alpha_, n_copies)
        self._coefficients, self._deviation = fit.coefficients, np.sqrt(fit.variance)
        left_out = (fit.left_out + self._y_mean).reshape(y.shape)
        # Corrections see each sample in one motion: points, of which there are many, are moved too.
        motion = rng.randint(n_copies, size=len(X) // n_copies)
        one = np.arange(0, len(X), n_copies) + motion
        without = partial(errors_without, fit, motion=motion)
        with progress.part("corrections"):
            corrected = self._learn_corrections(
                X[one], y[one], left_out[one], weight[one], without, rng
            )
        self._learn_case_errors(one, y[one], corrected, np.sqrt(fit.expected[one]), rng)
        return y[::n_copies], weight[::n_copies]

    def _choose(self, X, targets, weight, linear, n_copies, rng):
        """Choose the settings by the error on samples left out; return the scores of all."""
        rows = n_copies * np.sort(rng.permutation(len(X) // n_copies)[:_SEARCH_ROWS])
        kernels: Any = _KERNELS if self.kernel == "auto" else (self.kernel,)
        lengths: Any = _LENGTH_SCALES if self.length_scale == "auto" else (self.length_scale,)
        emphases = _EMPHASES if self.emphasis == "auto" else (self.emphasis,)
        ways = groups_of(X.shape[1], linear, self.combine)
        found = [(way, learn_components(X, weight, groups, linear)) for way, groups in ways.items()]
        few = X[rows].reshape(len(rows), -1)
        self.combine_, parts, settings = choose_way(
            few, summary(targets[rows]), weight[rows], found, bool(linear),
            kernels, lengths, emphases,
        )  # fmt: skip
        self._take_settings(settings, parts)
        return (X.reshape(len(X), -1) - parts.mean) @ parts.vectors

    def _take_settings(self, settings, parts):
        one = len(settings.kernels) == 1
        self.kernel_ = settings.kernels[0]
        self.length_scale_ = settings.length_scales[0] if one else list(settings.length_scales)
        self.emphasis_ = settings.emphases[0] if one else list(settings.emphases)
        self.alpha_ = settings.noise if isinstance(self.alpha, str) else self.alpha
        self._mean, self._component_scale = parts.mean, parts.scale
        self._components = np.ascontiguousarray(parts.vectors)
        self._stretch = stretches(parts, settings.emphases)
        self._factors = factors_of(settings, parts)

    def _known(self):
        noise = self.alpha_ / self._weight
        return Known(self._factors, self._rows, noise, self.alpha_, self._case_errors)

    # -- answers -----------------------------------------------------------------------------

    def _learn_corrections(self, X, y, left_out, weight, without, rng):
        axes = self._y_layout.grid
        local = axes and len(axes) == len(self._x_layout.grid) and len(X) >= _FEWEST_ROWS
        X = resample(X, axes, periodic=self.periodic) if local else X
        how = Learning(self.radius, self.n_waves, self.periodic)
        n_most = self.n_corrections if local and self.linear_in is None else 0
        self._corrections, corrected, before, error = learn_judged_corrections(
            X, y, left_out, weight, without, how, n_most, rng
        )
        self.n_corrections_ = len(self._corrections)
        self.left_out_error_ = float(np.sqrt(error.mean()))
        share = np.divide(error, before, out=np.ones_like(error), where=before > 0)
        self._deviation = self._deviation * np.sqrt(share)
        return corrected

    def _learn_case_errors(self, rows, y, fields, spread, rng):
        """Learn how large the error of a case is, from those on samples left out."""
        some = np.sort(rng.permutation(len(rows))[:_SEARCH_ROWS])
        rows, spread = rows[some], spread[some]
        Z, around = self._rows[rows], fields[some] - self._fields(self._y_mean[None])
        self._case_errors = learn_case_errors(
            gram(self._factors, Z, Z), case_numbers(Z, spread, around), rows,
            y[some] - fields[some], spread, self._weight[rows],
        )  # fmt: skip

    def _corrected(self, X, values):
        """Return fields from values around the mean, corrected."""
        fields = values + self._fields(self._y_mean[None])
        if not self._corrections:
            return fields
        near = resample(X, fields.shape[2:], periodic=self.periodic)
        for correction in self._corrections:
            fields = correction(near, fields)
        return fields

    def _fields(self, rows):
        return rows.reshape(len(rows), self._y_layout.n_channels, *self._y_layout.grid)

    def _answer(self, fields, grid):
        return self._y_layout.array(resample(fields, grid, periodic=self.periodic))
