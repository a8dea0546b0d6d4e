"""Regression of functions by kernels, in closed form."""

from __future__ import annotations

from functools import partial
from itertools import product
from numbers import Integral, Real
from typing import Annotated, Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy.linalg import cho_factor, cho_solve
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
from skdyn.operators._corrections import apparent_share, learn_corrections, mean_square
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
from skdyn.operators._kernel_ridge import (
    KERNELS,
    errors_without,
    evaluate,
    fit_kernel,
    leave_one_out,
    merge_copies,
    summary,
)
from skdyn.operators._local_correction import Learning, LocalCorrection
from skdyn.operators._symmetries import SYMMETRY_CONSTRAINTS, motions_of

__all__ = ["KernelOperatorRegressor"]

_KERNELS = ("linear", "matern52", "rbf")  # the choice of "auto"
_LENGTH_SCALES = (0.5, 1.0, 2.0, 4.0)
_EMPHASES = (0.0, 0.5, 1.0, 1.5)
_SEARCH_ROWS = 600  # that settings are chosen on
_FEWEST_ROWS = 8  # two samples a fold: with fewer, nothing is said of a correction's worth
_HARDLY_WORSE = 1.02  # than the mean of the targets: pure noise is answered so
_QUERIES = 2048  # rows a block at prediction: bounds memory


class KernelOperatorRegressor(
    PlainState, CallbackSupportMixin, MultiOutputMixin, RegressorMixin, BaseEstimator
):
    """Regressor of functions on functions, by kernels, without gradient descent.

    Kernel regression between principal components of the inputs [1]_,

    .. math:: \\hat u(a) = \\bar u + \\sum_i k(z(a), z(a_i))\\, c_i, \\qquad
        z_j(a) = s_j^{e} \\, \\langle a - \\bar a, v_j \\rangle,

    then corrections at each point from its neighbourhood, by ridge regression on random Fourier
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
    length_scale_, emphasis_, alpha_ : float
        Settings in use.
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
    Time grows as the cube of the number of samples, memory as its square. Samples whose input and
    target are equal count as one of greater weight, so that a copy never answers for itself.

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
    length_scale_: float
    emphasis_: float
    alpha_: float
    left_out_error_: float
    n_corrections_: int
    _x_layout: Layout
    _y_layout: Layout
    _x_offset: Annotated[np.ndarray, Shape("channels")]
    _x_scale: Annotated[np.ndarray, Shape("channels")]
    _mean: Annotated[np.ndarray, Shape("inputs")]
    _components: Annotated[np.ndarray, Shape("inputs components")]
    _component_scale: Annotated[np.ndarray, Shape("components")]
    _stretch: Annotated[np.ndarray, Shape("components")]
    _rows: Annotated[np.ndarray, Shape("rows components")]
    _weight: Annotated[np.ndarray, Shape("rows")]
    _coefficients: Annotated[np.ndarray, Shape("rows outputs")]
    _y_mean: Annotated[np.ndarray, Shape("outputs")]
    _deviation: Annotated[np.ndarray, Shape("outputs")]
    _corrections: list[LocalCorrection]

    _exponents = None, 250  # values at one point may be as small as they like
    _sketch_parameters = {"length_scale": 1.0, "emphasis": 0.0, "n_corrections": 1}

    _parameter_constraints = {
        "kernel": [StrOptions({*KERNELS, "auto"})],
        "length_scale": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
        "emphasis": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
        "alpha": [Interval(Real, 0, None, closed="neither"), StrOptions({"auto"})],
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
    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
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
        X, y, weight = self._moved(X), self._moved(y, answers=True), weight.repeat(n_copies)
        rng = check_random_state(self.random_state)
        self._x_offset, self._x_scale = channel_scales(X, weight)
        X = self._scaled(X)
        scores = self._learn_components(X, weight)
        targets = y.reshape(len(y), -1)
        self._y_mean = np.average(targets, axis=0, weights=weight)
        targets = targets - self._y_mean
        unmoved = np.s_[::n_copies]
        with progress.part("settings"):
            self._choose(scores[unmoved], targets[unmoved], weight[unmoved], rng)
        self._rows, self._weight = scores * self._stretch, weight
        fit = fit_kernel(self._gram(self._rows), targets, weight, self.alpha_, n_copies)
        self._coefficients, self._deviation = fit.coefficients, np.sqrt(fit.variance)
        left_out = (fit.left_out + self._y_mean).reshape(y.shape)
        # Corrections see each sample in one motion: points, of which there are many, are moved too.
        motion = rng.randint(n_copies, size=len(X) // n_copies)
        one = np.arange(0, len(X), n_copies) + motion
        without = partial(errors_without, fit, motion=motion)
        with progress.part("corrections"):
            self._learn_corrections(X[one], y[one], left_out[one], weight[one], without, rng)
        progress.end()
        if time_is_over():
            warn_user(
                f"{type(self).__name__} stopped when max_time was over, with "
                f"{self.n_corrections_} corrections. Allow more time for more."
            )
        self._tell_if_useless(y[unmoved], weight[unmoved])
        return self

    def predict(
        self,
        X: ArrayLike,
        grid: int | tuple[int, ...] | None = None,
        return_std: bool = False,
    ) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Predict functions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_channels, \\*grid)
            Inputs. With their axes written out they may be on another grid than in ``fit``.
        grid : int, tuple of int or None, default=None
            Grid of the answer, and of a flat `X` of another width than in ``fit``. None keeps to
            the grid of `X`, or of the targets in ``fit`` where that was another. Every
            grid is taken for the whole domain of ``fit``: extents are not read.
        return_std : bool, default=False
            Whether to return standard deviations as well: those of a Gaussian process with this
            kernel, at each point scaled to the errors on samples left out.

        Returns
        -------
        y : ndarray of shape (n_samples,), (n_samples, width) or (n_samples, n_channels, \\*grid)
            Predictions in the layout of the targets in ``fit``, float64.
        std : ndarray of the shape of y
            Standard deviations, if asked for.
        """
        check_is_fitted(self)
        X, grid = read_queries(self, X, grid)
        X = resample(X.astype(np.float64), self._x_layout.grid, periodic=self.periodic)
        X = self._scaled(X)
        rows = (X.reshape(len(X), -1) - self._mean) @ self._components * self._stretch
        blocks = [rows[i : i + _QUERIES] for i in range(0, len(rows), _QUERIES)]
        values = [self._gram(block) @ self._coefficients for block in blocks]
        fields = self._fields(np.concatenate(values) + self._y_mean)
        near: Any = None
        if self._corrections:
            near = resample(X, fields.shape[2:], periodic=self.periodic)
        for correction in self._corrections:
            fields = correction(near, fields)
        y = self._answer(fields, grid)
        if not return_std:
            return y
        std = np.concatenate([self._spread(block) for block in blocks])[:, None] * self._deviation
        return y, np.maximum(self._answer(self._fields(std), grid), 0.0)

    score = OperatorRegressor.score

    # -- inputs ------------------------------------------------------------------------------

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    @classmethod
    def _check_state(cls, state):
        check_layouts(state)

    def _moved(self, fields, answers=False):
        """Return each field in all motions, one after the other."""
        if self.symmetry is None:  # fields may have other axes than those of X
            return fields
        fields = torch.from_numpy(fields)
        ways = [move.of_answers if answers else move.of for move in motions_of(self)]
        return torch.stack([way(fields) for way in ways], dim=1).flatten(0, 1).numpy()

    def _scaled(self, X):
        return standardized(X, self._x_offset, self._x_scale)

    def _learn_components(self, X, weight):
        """Learn principal components of the inputs; return the scores of the samples."""
        rows = X.reshape(len(X), -1)
        self._mean = np.average(rows, axis=0, weights=weight)
        rows = rows - self._mean
        _, s, right = np.linalg.svd(np.sqrt(weight)[:, None] * rows, full_matrices=False)
        kept = s > 1e-10 * max(s[0], 1e-300)
        self._components = np.ascontiguousarray(right[kept].T)
        self._component_scale = s[kept] / np.sqrt(weight.sum())
        return rows @ self._components

    def _stretched(self, emphasis):
        """Factors of the components that make the mean square distance of two samples one."""
        stretch = self._component_scale**emphasis
        total = 2 * np.square(stretch * self._component_scale).sum()
        return stretch / np.sqrt(total) if total else stretch

    # -- regression --------------------------------------------------------------------------

    def _choose(self, scores, targets, weight, rng):
        """Choose the settings by the error on samples left out."""
        rows = np.sort(rng.permutation(len(scores))[:_SEARCH_ROWS])
        few, goal = scores[rows], summary(targets[rows])
        kernels: Any = _KERNELS if self.kernel == "auto" else (self.kernel,)
        lengths: Any = _LENGTH_SCALES if self.length_scale == "auto" else (self.length_scale,)
        emphases = _EMPHASES if self.emphasis == "auto" else (self.emphasis,)
        found = []
        for kernel, length, emphasis in product(kernels, lengths, emphases):
            if found and time_is_over():
                break
            if KERNELS[kernel] is None and length != lengths[0] and self.alpha == "auto":
                continue  # the scale of a linear kernel is that of the noise
            Z = few * self._stretched(emphasis)
            error, noise = leave_one_out(evaluate(kernel, Z, Z, length), goal, weight[rows])
            found.append((error, noise, kernel, length, emphasis))
        _, noise, self.kernel_, self.length_scale_, self.emphasis_ = min(found)
        self._stretch = self._stretched(self.emphasis_)
        given: Any = self.alpha
        self.alpha_ = noise if given == "auto" else given

    def _gram(self, rows):
        return evaluate(self.kernel_, rows, self._rows, self.length_scale_)

    def _spread(self, rows):
        """Standard deviations of a Gaussian process of unit scale, noise included."""
        factor = cho_factor(
            self._gram(self._rows) + np.diag(self.alpha_ / self._weight), lower=True
        )
        across = self._gram(rows)
        explained = np.sum(across * cho_solve(factor, across.T).T, axis=1)
        if KERNELS[self.kernel_] is None:
            prior = np.square(rows).sum(axis=1) / self.length_scale_**2
        else:
            prior = 1.0
        return np.sqrt(np.maximum(prior - explained, 0) + self.alpha_)

    # -- answers -----------------------------------------------------------------------------

    def _learn_corrections(self, X, y, left_out, weight, errors_without, rng):
        axes = self._y_layout.grid
        local = axes and len(axes) == len(self._x_layout.grid) and len(X) >= _FEWEST_ROWS
        X = resample(X, axes, periodic=self.periodic) if local else X
        how = Learning(self.radius, self.n_waves, self.periodic)
        n_most = self.n_corrections if local else 0
        self._corrections, corrected = learn_corrections(X, y, left_out, weight, how, n_most, rng)
        self.n_corrections_ = len(self._corrections)
        before, error = mean_square(y - left_out, weight), mean_square(y - corrected, weight)
        if self._corrections:

            def fields_without(held):
                return y[~held] - errors_without(held).reshape(y[~held].shape)

            error *= apparent_share(
                X, y, left_out, corrected, weight, fields_without, how, n_most, rng
            )
        self.left_out_error_ = float(np.sqrt(error.mean()))
        share = np.divide(error, before, out=np.ones_like(error), where=before > 0)
        self._deviation = self._deviation * np.sqrt(share)

    def _tell_if_useless(self, y, weight):
        """Warn where samples left out are answered worse than by the mean of the others."""
        n, rounding = len(y), 1e-9 * abs(y).max()
        spread = mean_square(y - np.average(y, axis=0, weights=weight), weight).mean()
        trivial = np.sqrt(spread) * n / max(n - 1, 1)  # without the sample
        if n < 2 or self.left_out_error_ <= _HARDLY_WORSE * trivial + rounding:
            return
        known = f" Does symmetry={self.symmetry!r} hold?" if self.symmetry else ""
        warn_user(
            f"{type(self).__name__} is no better than the mean of the targets: its error on "
            f"samples left out is {self.left_out_error_:.3g}, that of the mean {trivial:.3g}."
            f"{known} Pass more samples, or look for what X cannot tell."
        )

    def _fields(self, rows):
        return rows.reshape(len(rows), self._y_layout.n_channels, *self._y_layout.grid)

    def _answer(self, fields, grid):
        return self._y_layout.array(resample(fields, grid, periodic=self.periodic))
