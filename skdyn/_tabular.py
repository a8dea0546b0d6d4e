"""Regressors and classifiers on tables, over the torch base: a family adds only its network.

A subclass writes ``__init__``, the static ``_build_module`` and ``_config(n_features, n_outputs)``,
the arguments of the former.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin, MultiOutputMixin, RegressorMixin
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets

from skdyn._blocks import in_blocks
from skdyn._holdout import hold_out_rows
from skdyn._outliers import held_in
from skdyn._row_blocks import gathered
from skdyn._scales import learn_column_scales, standardized
from skdyn._scoring import r2
from skdyn._scratch import taken
from skdyn._state import Shape
from skdyn._validation import (
    check_is_fitted,
    check_validation_pair,
    check_weights,
    fit_context,
    validate_data,
)
from skdyn.base import TorchEstimator
from skdyn.training import Stage

__all__ = ["TabularClassifier", "TabularEstimator", "TabularRegressor"]

# Where values far from all others are learned, in distances of the farthest other: inputs still as
# something of their own, targets, whose errors count by their squares, as the farthest other.
_X_EDGE, _Y_EDGE = 2.0, 1.0


class FitTask(NamedTuple):
    """What one fit has to learn from.

    Attributes
    ----------
    training : tuple of ndarray
        Scaled inputs, encoded targets and weights of mean one.
    validation : tuple of ndarray or None
        The same of the validation data.
    total_weight : float
        Sum of the weights as given.
    incremental : bool
        Whether this is ``partial_fit``.
    goes_on : bool
        Whether training goes on from the present weights.
    """

    training: tuple[np.ndarray, ...]
    validation: tuple[np.ndarray, ...] | None
    total_weight: float
    incremental: bool
    goes_on: bool


class TabularEstimator(TorchEstimator):
    """Rows in, one target or several out: what regressors and classifiers share.

    Inputs are standardized inside, so that the network sees the same numbers whatever the units.
    """

    _exponents = None, 250  # any small unit: scales are learned without squaring it
    _finite: ClassVar[bool | str] = True  # "allow-nan" where values of X may be missing
    _takes_blocks: ClassVar[bool] = False  # whether X may be a stream of (X, y), or in chunks
    _x_offset: Annotated[np.ndarray, Shape("n_features_in_")]
    _x_scale: Annotated[np.ndarray, Shape("n_features_in_")]
    if TYPE_CHECKING:  # of the families, and of the two classes below
        module_: Any
        early_stopping: Any
        validation_fraction: Any
        _config: Any
        _constant_answer: Any
        _encode_targets: Any
        _learn_targets: Any
        _n_outputs: Any
        _row_loss: Any
        _strata: Any
        _validate: Any

    @property
    def _expected_failed_checks(self):
        if self._precision_of_checks() == "float64":
            return {}
        return {
            "check_sample_weight_equivalence_on_dense_data": (
                "float32 sums of weighted and of repeated rows differ by rounding, which training "
                "amplifies beyond the check's 1e-7; it passes with dtype='float64'"
            )
        }

    def _precision_of_checks(self):
        return self._precision()

    def _fit(self, X, y, sample_weight, X_val=None, y_val=None, incremental=False, classes=None):
        given = self._told(X, y, sample_weight)
        check_validation_pair(X_val, y_val, self.early_stopping)
        goes_on = hasattr(self, "module_") and (incremental or self.warm_start)
        if goes_on:
            self._refuse_other_start()
        if self._takes_blocks:
            X, y = gathered(X, y)
        X, y = self._validate(X, y, reset=not goes_on)
        weight = check_weights(sample_weight, X)
        X, y = self._held(X, y, weight)
        if weight is not None and not weight.all():  # a weight of zero means "not there"
            rows = np.flatnonzero(weight)
            X, y, weight = taken(X, rows), y[rows], weight[rows]
        if not goes_on:  # the weights go on in the units that they were learned in
            self._learn_scales(X, y, weight, classes)
        training, validation = self._split(X, y, weight, X_val, y_val, incremental)
        total = len(X) if weight is None else weight.sum()
        task = FitTask(training, validation, total, incremental, goes_on)
        stages: list[Stage] = []

        def plan(generator):
            stages.extend(self._stages(generator, task))
            return stages

        config = self._config(X.shape[1], self._n_outputs())
        self._train(config, plan, incremental=incremental, total_weight=total, **given)
        self._look_back(task, stages[-1].objective if stages else None)
        return self

    @staticmethod
    def _told(X, y, sample_weight):
        """Return what callbacks are told of the data."""
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        return {"X": X, "y": y, "metadata": metadata}

    def _stages(self, generator, task):
        """Return the stages of the training."""
        n_iter = 1 if task.incremental else self.max_iter
        objective = self._objective(generator)
        return [
            Stage(
                objective, task.training, n_iter, validation=task.validation,
                trivial_loss=self._trivial_loss(task.training, task.validation),
            )
        ]  # fmt: skip

    def _trivial_loss(self, training, validation):
        """Return the loss of the best answer that is one for all rows, on what is watched."""
        *_, y, weight = training
        answer = self._constant_answer(*map(torch.as_tensor, (y, weight)))[None]
        *_, y, weight = training if validation is None else validation

        def losses(y):
            y = torch.as_tensor(y)
            return self._row_loss(answer.expand(len(y), *answer.shape[1:]), y).numpy()

        return float(np.mean(in_blocks(losses, y) * weight))

    def _look_back(self, task, objective=None):
        """Learn from the trained network and its training arrays what cannot be asked later.

        The objective is what was minimized last; without one the network was changed otherwise.
        """

    def _learn_scales(self, X, y, weight, classes):
        self._x_offset, self._x_scale, _ = learn_column_scales(X, weight)
        self._learn_targets(y, weight, classes)

    def _split(self, X, y, weight, X_val, y_val, incremental) -> Any:
        """Return the training arrays and, where stopping watches any, the validation arrays."""
        weight = np.ones(len(X)) if weight is None else weight
        if X_val is not None:
            X_val, y_val = self._validate(X_val, y_val, reset=False)
            X_val, y_val = self._held(X_val, y_val, None, "_val")
            return self._encode(X, y, weight), self._encode(X_val, y_val, np.ones(len(X_val)))
        if not self.early_stopping or incremental:
            return self._encode(X, y, weight), None
        seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
        parts = hold_out_rows(len(X), self.validation_fraction, seed, self._strata(y))
        learnt, watched = (
            self._encode(taken(X, rows), y[rows], weight[rows]) if len(rows) else None
            for rows in parts
        )
        return learnt, watched

    def _held(self, X, y, weight, which="") -> Any:
        """Hold in what is far from all else: one such value would set the scale of a column."""
        return held_in(X, weight, f"X{which}", edge=_X_EDGE) if X.ndim == 2 else X, y

    def _encode(self, X, y, weight) -> Any:
        dtype = self._precision()  # in blocks, no second copy of the data is ever in memory
        X, y = in_blocks(self._scaled, X, dtype), in_blocks(self._encode_targets, y, dtype)
        return X, y, weight / weight.mean()

    def _scaled(self, X):
        return standardized(X, self._x_offset, self._x_scale)

    def _outputs(self, X):
        check_is_fitted(self)
        return self._forward(self._scaled(self._read(X)))

    def _read(self, X):
        """Return checked inputs, in the units of fit."""
        return validate_data(
            self, X, reset=False, dtype=[np.float64, np.float32], ensure_all_finite=self._finite
        )

    def _objective(self, generator) -> Any:
        """Return the objective of a batch: the weighted mean of each row's loss."""

        def objective(module, *arrays):
            *inputs, y, weight = arrays
            return (self._row_loss(module(*inputs), y) * weight).mean()

        return objective


class TabularRegressor(MultiOutputMixin, RegressorMixin, TabularEstimator):
    """Base of regressors on tables: squared error on standardized targets."""

    _y_offset: Annotated[np.ndarray, Shape("n_outputs")]
    _y_scale: Annotated[np.ndarray, Shape("n_outputs")]
    _y_is_1d: bool

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
    ) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training inputs; KANs, neural ODEs, AdaFNNs take blocks ``(X, y)``, with ``y=None``.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row in the loss.
        X_val : array-like of shape (n_val, n_features), default=None
            Inputs to watch for early stopping, instead of a fraction of the training set.
        y_val : array-like of shape (n_val,) or (n_val, n_outputs), default=None
            Targets of ``X_val``.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        return self._fit(X, y, sample_weight, X_val, y_val)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Learn from one more batch of data: one epoch, with the optimizer's state kept.

        It keeps to ``learning_rate``: a schedule would need to know the last epoch.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training inputs; the first call's also set the scales of inputs and targets.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row in the loss.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        return self._fit(X, y, sample_weight, incremental=True)

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Predict targets.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions, float64.
        """
        y = self._outputs(X).astype(np.float64) * self._y_scale + self._y_offset
        return y.ravel() if self._y_is_1d else y

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the coefficient of determination of the predictions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            True targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample.

        Returns
        -------
        float
            :math:`R^2`, the mean over the outputs.
        """
        return r2(y, self.predict(X), sample_weight)

    def _validate(self, X, y, reset):
        return validate_data(
            self, X, y, reset=reset, dtype=[np.float64, np.float32], multi_output=True,
            y_numeric=True, ensure_all_finite=self._finite,
        )  # fmt: skip

    def _held(self, X, y, weight, which=""):
        X, y = super()._held(X, y, weight, which)
        if y.ndim > 2:
            return X, y
        held = held_in(self._columns(y), weight, f"y{which}", edge=_Y_EDGE)
        return X, held.reshape(y.shape)

    def _learn_targets(self, y, weight, classes):
        self._y_offset, self._y_scale, _ = learn_column_scales(self._columns(y), weight)
        self._y_is_1d = y.ndim == 1

    def _encode_targets(self, y):
        y = self._columns(y)
        if y.shape[1] != len(self._y_scale):
            raise ValueError(
                f"y has {y.shape[1]} outputs, but the model was started with {len(self._y_scale)}."
            )
        return (y - self._y_offset) / self._y_scale

    @staticmethod
    def _columns(y):
        return np.asarray(y, dtype=np.float64).reshape(len(y), -1)

    def _n_outputs(self):
        return len(self._y_scale)

    def _strata(self, y):
        return None

    @staticmethod
    def _row_loss(prediction, y):
        return (prediction - y).square().mean(dim=1)

    @staticmethod
    def _constant_answer(y, weight):
        return torch.tensordot(weight.to(y), y, dims=1) / weight.sum().to(y)


class TabularClassifier(ClassifierMixin, TabularEstimator):
    """Base of classifiers on tables: cross-entropy of one score a class."""

    classes_: Annotated[np.ndarray, Shape("n_outputs", "biufOU")]

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: ArrayLike | None = None,
        *,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
    ) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training inputs; KANs, neural ODEs, AdaFNNs take blocks ``(X, y)``, with ``y=None``.
        y : array-like of shape (n_samples,)
            Class labels, of any type.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row in the loss.
        X_val : array-like of shape (n_val, n_features), default=None
            Inputs to watch for early stopping, instead of a fraction of the training set.
        y_val : array-like of shape (n_val,), default=None
            Labels of ``X_val``.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        return self._fit(X, y, sample_weight, X_val, y_val)

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Learn from one more batch of data: one epoch, with the optimizer's state kept.

        It keeps to ``learning_rate``: a schedule would need to know the last epoch.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training inputs; the first call's also set their scales.
        y : array-like of shape (n_samples,)
            Class labels.
        classes : array-like of shape (n_classes,), default=None
            Every label that will ever come; needed in the first call if its ``y`` lacks some.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row in the loss.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        return self._fit(X, y, sample_weight, incremental=True, classes=classes)

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Predict class probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities, in the order of ``classes_``.
        """
        scores = torch.from_numpy(self._outputs(X).astype(np.float64))
        return torch.softmax(scores, dim=1).numpy()

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Predict class labels.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels.
        """
        scores = self._outputs(X)  # first of all: it tells whether the model is fitted
        return self.classes_[scores.argmax(axis=1)]

    def _validate(self, X, y, reset):
        X, y = validate_data(
            self, X, y, reset=reset, dtype=[np.float64, np.float32],
            ensure_all_finite=self._finite,
        )  # fmt: skip
        check_classification_targets(y)
        return X, y

    def _learn_targets(self, y, weight, classes):
        self.classes_ = np.unique(y if classes is None else np.asarray(classes))

    def _encode_targets(self, y):
        unknown = sorted(set(np.unique(y).tolist()) - set(self.classes_.tolist()), key=str)
        if unknown:
            raise ValueError(
                f"y holds labels {unknown} that are none of the classes {self.classes_.tolist()}. "
                "Pass every label as classes= in the first partial_fit; or fit a clone, or set "
                "warm_start=False."
            )
        encoder = LabelEncoder()
        encoder.classes_ = self.classes_
        return encoder.transform(y)

    def _n_outputs(self):
        return len(self.classes_)

    def _strata(self, y):
        return y

    @staticmethod
    def _row_loss(scores, y):
        return torch.nn.functional.cross_entropy(scores, y, reduction="none")

    def _constant_answer(self, y, weight):
        return torch.bincount(y, weight.double(), minlength=len(self.classes_)).log()
