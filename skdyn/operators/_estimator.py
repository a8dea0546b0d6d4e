"""What regressors of functions share when they train a module.

A new architecture is a module ``(n, channels, *grid) -> (n, channels, *grid)`` and a class that
writes ``__init__``, the static ``_build_module`` and ``_config``, the arguments of the former.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike

from skdyn._blocks import in_blocks
from skdyn._checkpoint import Checkpoint, journal_of
from skdyn._scales import units
from skdyn._state import OPTIONAL, Shape, Since
from skdyn._tabular import TabularRegressor
from skdyn._validation import StrOptions, as_floats, check_is_fitted, fit_context
from skdyn.base import TorchEstimator
from skdyn.metrics import field_r2_score
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
from skdyn.operators._named_answers import answered, plain_targets
from skdyn.operators._named_fields import Names, is_named
from skdyn.operators._symmetries import mean_over, motions_of, moved_at_random

__all__ = ["OperatorRegressor", "channel_scales"]

_SMALLEST_NORM = 0.01  # of the root mean square of all: what divides errors is never less


class OperatorRegressor(TabularRegressor):
    """Base of regressors from functions to functions, or to a number each.

    Inputs are standardized channel by channel, on the grid of the training. With a ``symmetry``
    training moves each batch at random, and predictions are means over all motions.
    """

    _takes_blocks = True
    symmetry = None  # of siblings without the parameter
    _x_layout: Layout
    _y_layout: Layout
    _names: Annotated[Names, Since(lambda state: Names())]
    _x_offset: Annotated[np.ndarray, Shape("n_inputs")]
    _x_scale: Annotated[np.ndarray, Shape("n_inputs")]
    targets: Annotated[str, Since(lambda state: "auto")]
    _y_size: float
    _y_is_1d: Annotated[bool, OPTIONAL]  # the layout says it
    if TYPE_CHECKING:  # of the estimators
        loss: Any
        optimizer: Any
        periodic: Any
        resolution: Any

    _parameter_constraints = {
        **TorchEstimator._parameter_constraints,
        **GRID_CONSTRAINTS,
        **TARGET_CONSTRAINTS,
        "loss": [StrOptions({"relative_l2", "h1", "mse"})],
    }

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
        checkpoint: Checkpoint | str | os.PathLike[str] | None = None,
    ) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_channels, \\*grid), \
                DataArray, Dataset, or iterable of blocks
            Inputs: in memory, a memmap, an array of Zarr, HDF5 or Dask; or blocks ``(X, y)``, with
            ``y=None``. What is large stays on disk.
        y : array-like of shape (n_samples,), (n_samples, width) or (n_samples, n_channels, \
                \\*grid), DataArray, Dataset or None
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample in the loss.
        X_val : array-like of the layout of X, default=None
            Inputs to watch for early stopping, instead of a fraction of the training set.
        y_val : array-like of the layout of y, default=None
            Targets of ``X_val``.
        checkpoint : Checkpoint, path-like or None, default=None
            File from which an interrupted training goes on, and which it writes as it goes.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        self._checkpoint = checkpoint  # until the training is planned
        return self._fit(X, y, sample_weight, X_val, y_val)

    def predict(self, X: Any, grid: Any = None) -> Any:
        """Predict functions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_channels, \\*grid), or \
                DataArray or Dataset
            Inputs. With their axes written out they may be on another grid than in ``fit``.
        grid : int, tuple of int, mapping of str to array-like or None, default=None
            Grid of the answer, and of a flat `X` of another width than in ``fit``. None keeps to
            the grid of `X`, or of the targets in ``fit`` where that was another. Grids are taken
            for the whole domain of ``fit``. Where `X` has names, ``{"x": places}`` or a DataArray
            asks for coordinates, which may lie in a part of it.

        Returns
        -------
        ndarray of shape (n_samples,), (n_samples, width) or (n_samples, n_channels, \\*grid), or \
                DataArray
            Predictions in the layout of the targets in ``fit``, float64; with names if X has any.
        """
        check_is_fitted(self)
        if is_named(X):
            return answered(self, X, grid, self.predict)
        X, grid = read_queries(self, X, grid)
        if self.resolution == "resample":
            X = resample(X, self._x_layout.grid, periodic=self.periodic)
        y = self._forward(self._scaled(X)).astype(np.float64)
        column = (-1, *[1] * (y.ndim - 2))
        y *= self._y_scale.reshape(column)
        y += self._y_offset.reshape(column)
        return self._y_layout.array(resample(y, grid, periodic=self.periodic))

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the share of the variance that is predicted, the mean over channels or numbers.

        scikit-learn's scorers by name, as ``scoring="r2"``, refuse arrays of more than two axes:
        searches then report NaN. Leave ``scoring=None``, which is this score, or pass
        :func:`~skdyn.metrics.neg_relative_l2`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_channels, \\*grid)
            Inputs.
        y : array-like of shape (n_samples,), (n_samples, width) or (n_samples, n_channels, \\*grid)
            True functions.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample.

        Returns
        -------
        float
            :math:`R^2`, weighted by the variance at each point of a channel, as
            :func:`~skdyn.metrics.field_r2_score` tells of each.
        """
        check_is_fitted(self)
        predicted = self.predict(X, y) if is_named(X) and is_named(y) else self.predict(X)
        predicted, truth = (as_floats(plain_targets(self, fields)) for fields in (predicted, y))
        if truth.size != predicted.size or len(truth) != len(predicted):
            raise ValueError(
                f"y of shape {truth.shape} is no truth of predictions of shape {predicted.shape}. "
                "Score on the grid of the targets in fit, or on that of X if they are the same."
            )
        shape = (len(predicted), self._y_layout.n_channels, -1)
        return field_r2_score(
            truth.reshape(shape), predicted.reshape(shape), sample_weight=sample_weight
        )

    # -- hooks of the base -------------------------------------------------------------------

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    @classmethod
    def _check_state(cls, state):
        check_layouts(state)

    def _validate(self, X, y, reset):
        X = read_inputs(self, X, reset=reset)
        return X, read_targets(self, X, y, reset=reset)

    def _learn_scales(self, X, y, weight, classes):
        motions_of(self)  # refuses a symmetry that the grids do not have
        self._x_offset, self._x_scale = channel_scales(X, weight)
        self._learn_targets(y, weight, classes)
        if self.symmetry in ("odd", "even"):  # zero must stay zero
            self._x_offset = np.zeros_like(self._x_offset)
        if self.symmetry == "odd":
            self._y_offset = np.zeros_like(self._y_offset)

    def _stages(self, generator, task):
        (stage,) = super()._stages(generator, task)
        checkpoint, arrays = vars(self).pop("_checkpoint", None), task.training
        return [stage._replace(journal=journal_of(checkpoint, self, arrays, len(arrays[0])))]

    def _objective(self, generator):
        plain = super()._objective(generator)
        return moved_at_random(plain, motions_of(self), self.optimizer, generator)

    def _forward(self, X):
        return mean_over(motions_of(self), super()._forward, X)

    def _learn_targets(self, y, weight, classes):
        self._y_offset, self._y_scale = channel_scales(y, weight, "float64")
        self._y_size = float(np.sqrt(np.average(self._sizes(y) ** 2, weights=weight))) or 1.0

    def _sizes(self, y):
        """Return the norms of the scaled targets, offset included: errors are relative to them."""
        scale, loss = self._y_scale.reshape(-1, *[1] * (y.ndim - 2)), self._loss()
        return in_blocks(lambda part: norms(part / scale, loss), y)

    def _loss(self):
        return self.loss if self._y_layout.grid else "mse"  # a number may well be zero

    def _encode(self, X, y, weight):
        X, targets, weight = super()._encode(X, y, weight)
        if self._loss() != "mse":
            size = self._sizes(y) / self._y_size
            weight = weight / (self._y_size * np.maximum(size, _SMALLEST_NORM))
        return X, targets, weight

    def _encode_targets(self, y):
        column = (-1, *[1] * (y.ndim - 2))
        return (y - self._y_offset.reshape(column)) / self._y_scale.reshape(column)

    def _row_loss(  # pyright: ignore[reportIncompatibleMethodOverride]: it knows the size of y
        self, prediction, y
    ):
        error = prediction - y
        loss = self._loss()
        return error.square().flatten(1).mean(1) if loss == "mse" else norms(error, loss)


def channel_scales(fields, weight, precision=None):
    """Return mean and standard deviation of each channel over samples and grid.

    What varies no more than rounding does in `precision`, that of the fields by default, is
    constant.
    """
    weight = np.ones(len(fields)) if weight is None else weight
    points = fields.reshape(*fields.shape[:2], -1)
    unit = units(points)

    def in_units(part):
        return part.astype(np.float64) / unit[:, None]

    means = in_blocks(lambda part: in_units(part).mean(axis=2), points)
    mean = np.average(means, axis=0, weights=weight)
    squares = in_blocks(lambda part: np.square(in_units(part) - mean[:, None]).mean(axis=2), points)
    scale = np.sqrt(np.average(squares, axis=0, weights=weight))
    constant = scale <= 10 * np.finfo(precision or fields.dtype).eps * np.abs(mean)
    return mean * unit, np.where(constant, 1.0, scale * unit)


def norms(fields, loss):
    """Return the root mean square of each function; of its slopes too for "h1".

    Parameters
    ----------
    fields : ndarray or Tensor of shape (n, channels, \\*grid)
        Functions on a domain of length one along each axis.
    loss : {"relative_l2", "h1", "mse"}
        Which norm.

    Returns
    -------
    ndarray or Tensor of shape (n,)
    """
    fields = torch.tensor(fields) if (as_numpy := isinstance(fields, np.ndarray)) else fields
    parts = [fields.flatten(1)]
    if loss == "h1":
        for axis in range(2, fields.ndim):
            slopes = fields.diff(dim=axis) * fields.shape[axis]
            parts.append(slopes.flatten(1) * (parts[0].shape[1] / max(slopes[0].numel(), 1)) ** 0.5)
    size = torch.linalg.vector_norm(torch.cat(parts, dim=1), dim=1) / parts[0].shape[1] ** 0.5
    return size.numpy() if as_numpy else size
