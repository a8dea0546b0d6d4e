"""What the classifier and the regressor of bags share."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn import get_config
from sklearn.base import is_classifier, is_regressor
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets

from skdyn._blocks import in_blocks
from skdyn._scales import standardized
from skdyn._state import OneOf, Shape, Since
from skdyn._tabular import TabularEstimator
from skdyn._validation import Interval, StrOptions, check_is_fitted, check_X_y, fit_context
from skdyn.base import TorchEstimator
from skdyn.hopfield._bag_batches import BagStore, Description
from skdyn.hopfield._bags import Bags, check_bags
from skdyn.hopfield._descriptions import describe, learn_instance_scales, spread_references
from skdyn.hopfield._embedding_choice import EMBEDDINGS, best_embedding
from skdyn.hopfield._feature_ranks import learn_ranks, ranked
from skdyn.hopfield._long_tables import bags_and_targets, bags_of
from skdyn.hopfield._pooling import HopfieldPooling
from skdyn.hopfield._pooling_objective import PoolingObjective
from skdyn.hopfield._separations import SEPARATIONS, Separation
from skdyn.training import Stage, resolve_device, resolve_dtype

__all__ = ["PoolingEstimator"]

_LOUDNESS = 4.0  # of all statistics together beside the retrieved values, in standard deviations
_DROPOUT = 0.5  # of classes; the noise it makes, no answer in numbers gets over
_NUMBERS = 2**18  # in a block that is scaled in place
_ALPHA = {"likeness": 2.0, "features": 10.0, "trained": 2.0}


def _embedding_before(state):
    """Return what a state embeds with that is older than the parameter."""
    return "likeness" if state["n_references"] else "features"


class PoolingEstimator(TabularEstimator):
    """Parameters and hooks of the estimators of bags.

    Instances are brought to one scale and described: by their likeness to stored ones, or by
    their features. The network sees these descriptions and the statistics of each bag, all
    standardized.
    """

    embedding_: Annotated[str, OneOf(EMBEDDINGS), Since(_embedding_before)]
    _references: Annotated[np.ndarray, Shape("references n_features_in_")]
    _gamma: float
    ranks_: Annotated[bool, Since(lambda state: False)]
    _knots: Annotated[
        np.ndarray, Shape("2 _ n_features_in_"),
        Since(lambda state: np.empty((2, 0, state["n_features_in_"]))),
    ]  # fmt: skip
    _limits: Annotated[
        np.ndarray, Shape("2 n_features_in_", finite=False),
        Since(lambda state: np.array([[-np.inf], [np.inf]]) * np.ones(state["n_features_in_"])),
    ]  # fmt: skip
    _likeness_offset: Annotated[np.ndarray, Shape("n_inputs")]
    _likeness_scale: Annotated[np.ndarray, Shape("n_inputs")]
    _bag_offset: Annotated[np.ndarray, Shape("statistics")]
    _bag_scale: Annotated[np.ndarray, Shape("statistics")]
    # Parameters that older states lack, as they were then.
    embedding: Annotated[str, Since(_embedding_before)]
    hidden_layer_sizes: Annotated[Any, Since(lambda state: (64,))]
    dropout: Annotated[float | int | str, Since(lambda state: 0.5)]
    clip: Annotated[float | int | None, Since(lambda state: None)]
    n_models: Annotated[int, Since(lambda state: 1)]
    max_instances: Annotated[int | None, Since(lambda state: None)]
    ranks: Annotated[bool | str, Since(lambda state: False)]
    if TYPE_CHECKING:  # of the estimators
        n_states: Any
        n_components: Any
        alpha: Any
        _as_scores: Any

    _places_data = True
    _quick_parameters = {"embedding": "features", "n_models": 1, "max_iter": 30}

    _fixed_at_start = frozenset({"clip", "embedding", "n_references", "ranks", "reference_beta"})
    _parameter_constraints = {
        **TorchEstimator._parameter_constraints,
        "alpha": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
        "n_states": [Interval(Integral, 1, None, closed="left")],
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "n_references": [Interval(Integral, 0, None, closed="left")],
        "reference_beta": [Interval(Real, 0, None, closed="neither")],
        "separation": [StrOptions(set(SEPARATIONS)), Separation],
        "skip": ["boolean", StrOptions({"auto"})],
        "embedding": [StrOptions({"auto", *EMBEDDINGS})],
        "ranks": ["boolean", StrOptions({"auto"})],
        "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
        "dropout": [Interval(Real, 0, 1, closed="left"), StrOptions({"auto"})],
        "clip": [Interval(Real, 0, None, closed="neither"), None],
        "n_models": [Interval(Integral, 1, None, closed="left")],
        "max_instances": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        n_states: int = 4,
        *,
        embedding: str = "auto",
        ranks: bool | str = "auto",
        n_components: int = 16,
        hidden_layer_sizes: ArrayLike | int = (64,),
        dropout: float | str = "auto",
        clip: float | None = 5.0,
        n_models: int = 5,
        max_instances: int | None = None,
        n_references: int = 1000,
        reference_beta: float = 5.0,
        separation: str | Separation = "softmax",
        skip: bool | str = "auto",
        optimizer: str = "adam",
        max_iter: int = 200,
        max_time: float | None = None,
        learning_rate: float = 0.01,
        learning_rate_schedule: str = "constant",
        batch_size: int | str = "auto",
        alpha: float | str = "auto",
        clip_norm: float | None = None,
        tol: float = 1e-4,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        device: str = "auto",
        dtype: str = "float32",
        verbose: int = 0,
    ) -> None:
        self.n_states = n_states
        self.embedding = embedding
        self.ranks = ranks
        self.n_components = n_components
        self.hidden_layer_sizes = hidden_layer_sizes
        self.dropout = dropout
        self.clip = clip
        self.n_models = n_models
        self.max_instances = max_instances
        self.n_references = n_references
        self.reference_beta = reference_beta
        self.separation = separation
        self.skip = skip
        self.optimizer = optimizer
        self.max_iter = max_iter
        self.max_time = max_time
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.batch_size = batch_size
        self.alpha = alpha
        self.clip_norm = clip_norm
        self.tol = tol
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.random_state = random_state
        self.device = device
        self.dtype = dtype
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        groups: ArrayLike | str | None = None,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
    ) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : list of array-like of shape (n_instances_i, n_features), or array-like
            Bags: a list of arrays, an array of three axes padded with NaN, or, with ``groups``, a
            long table with one row an instance.
        y : array-like of shape (n_bags,) or (n_bags, n_outputs)
            One target per bag. With ``groups``, in the order of their sorted names, or per row of
            the table, the same throughout a bag.
        sample_weight : array-like of shape (n_bags,), default=None
            Weight of each bag in the loss.
        groups : array-like of shape (n_instances,) or str, default=None
            The bag of each row of a long table, or the name of the column that tells it.
        X_val : list of array-like, or array-like, default=None
            Bags to watch for early stopping, instead of a fraction of the training set.
        y_val : array-like of shape (n_val,) or (n_val, n_outputs), default=None
            Targets of ``X_val``.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        X, y = bags_and_targets(X, y, groups)
        return self._fit(X, y, sample_weight, X_val, y_val)

    def predict(self, X: ArrayLike, *, groups: ArrayLike | str | None = None) -> np.ndarray:
        """Predict the targets of bags.

        Parameters
        ----------
        X : list of array-like of shape (n_instances_i, n_features), or array-like
            Bags, in any layout that ``fit`` takes.
        groups : array-like of shape (n_instances,) or str, default=None
            The bag of each row of a long table, or the name of the column that tells it. Answers
            are in the order of the sorted names.

        Returns
        -------
        ndarray of shape (n_bags,) or (n_bags, n_outputs)
            Labels, or numbers in float64.
        """
        return super().predict(bags_of(X, groups))  # pyright: ignore[reportAttributeAccessIssue]

    def score(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        groups: ArrayLike | str | None = None,
    ) -> float:
        """Score predictions: accuracy of classes, or the coefficient of determination.

        Parameters
        ----------
        X : list of array-like of shape (n_instances_i, n_features), or array-like
            Bags, in any layout that ``fit`` takes.
        y : array-like of shape (n_bags,) or (n_bags, n_outputs)
            True targets, as ``fit`` takes them.
        sample_weight : array-like of shape (n_bags,), default=None
            Weight of each bag.
        groups : array-like of shape (n_instances,) or str, default=None
            The bag of each row of a long table, or the name of the column that tells it.

        Returns
        -------
        float
        """
        X, y = bags_and_targets(X, y, groups)
        return super().score(X, y, sample_weight)  # pyright: ignore[reportAttributeAccessIssue]

    def instance_weights(
        self, X: ArrayLike, *, per_state: bool = False, groups: ArrayLike | str | None = None
    ) -> list[np.ndarray]:
        """Tell which instances of each bag the answer rests on.

        Parameters
        ----------
        X : list of array-like of shape (n_instances_i, n_features), or array-like
            Bags, in any layout that ``fit`` takes.
        per_state : bool, default=False
            Whether to keep the weights of each state apart, instead of their mean.
        groups : array-like of shape (n_instances,) or str, default=None
            The bag of each row of a long table, or the name of the column that tells it.

        Returns
        -------
        list of ndarray of shape (n_instances_i,) or (n_models * n_states, n_instances_i)
            Weights of each bag's instances, at least zero and of sum one.
        """
        check_is_fitted(self)
        bags = check_bags(self, bags_of(X, groups), reset=False)
        weights = bags.split(self._ask(bags, lambda module, batch: module.weights(batch)))
        return [of_bag.T if per_state else of_bag.mean(axis=1) for of_bag in weights]

    def instance_scores(
        self, X: ArrayLike, *, groups: ArrayLike | str | None = None
    ) -> list[np.ndarray]:
        """Tell what would be answered of each instance if it were a bag of its own.

        Where weights tell what an answer looks at, scores tell what it sees there: those of a bag
        without anything of interest are all low.

        Parameters
        ----------
        X : list of array-like of shape (n_instances_i, n_features), or array-like
            Bags, in any layout that ``fit`` takes.
        groups : array-like of shape (n_instances,) or str, default=None
            The bag of each row of a long table, or the name of the column that tells it.

        Returns
        -------
        list of ndarray of shape (n_instances_i,) or (n_instances_i, n_outputs)
            Of two classes the log-odds of the second one, of more their log-probabilities; of
            numbers the predictions.
        """
        check_is_fitted(self)
        bags = check_bags(self, bags_of(X, groups), reset=False)
        alone = Bags(bags.instances, np.ones(len(bags.instances)))
        return bags.split(self._as_scores(self._ask(alone, lambda module, batch: module(batch))))

    # -- hooks of the base -------------------------------------------------------------------

    def _settings(self):
        settings = super()._settings()  # the loss is the mean over the networks, each as if alone
        alpha: Any = _ALPHA[self.embedding_] if self.alpha == "auto" else self.alpha
        return settings._replace(alpha=alpha / self.n_models)

    def _config(self, n_features, n_outputs):
        n_inputs = len(self._likeness_offset)
        trained = self.embedding_ == "trained"
        skip = not trained if self.skip == "auto" else self.skip
        dropout: Any = _DROPOUT * is_classifier(self) if self.dropout == "auto" else self.dropout
        return {
            "n_inputs": n_inputs,
            "n_statistics": 3 * n_inputs if skip else 0,
            "n_outputs": n_outputs,
            "n_states": self.n_states,
            "n_components": self.n_components,
            "separation": self.separation,
            "hidden_layer_sizes": self._hidden() if trained else (),
            "dropout": float(dropout) if trained else 0.0,
            "n_models": self.n_models,
        }

    def _hidden(self):
        sizes = tuple(int(size) for size in np.atleast_1d(self.hidden_layer_sizes))
        if not sizes or min(sizes) < 1:
            raise ValueError(
                f"hidden_layer_sizes must hold at least one size, each at least 1; got "
                f"{self.hidden_layer_sizes!r}. Without layers, choose embedding='features'."
            )
        return sizes

    @staticmethod
    def _build_module(**config: Any) -> HopfieldPooling:
        return HopfieldPooling(**config)

    def _validate(self, X, y, reset) -> Any:
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None. Pass "
                "one target per bag."
            )
        X = check_bags(self, X, reset=reset)
        several = {"multi_output": True, "y_numeric": True} if is_regressor(self) else {}
        _, y = check_X_y(np.zeros((len(X), 1)), y, estimator=self, **several)
        if is_classifier(self):
            check_classification_targets(y)
        return X, y

    def _learn_scales(self, X, y, weight, classes):
        self._learn_targets(y, weight, classes)
        self._hidden()  # whatever embedding there will be
        self.embedding_, self.ranks_ = best_embedding(self, X, y, weight)
        self._learn_descriptions(X, weight)

    def _learn_descriptions(self, X, weight):
        of_instances = None if weight is None else np.repeat(weight, X.sizes)
        rows, self._knots = X.instances, np.empty((2, 0, X.shape[2]))
        if self.ranks_:
            self._knots = learn_ranks(rows, of_instances)
            rows = in_blocks(lambda rows: ranked(rows, self._knots), rows)
        scales = learn_instance_scales(rows, of_instances, self.clip)
        self._x_offset, self._x_scale, self._limits, n_varying = scales
        # In their own place, where nobody else sees them: there is no second copy of the data.
        own = X.own or self.ranks_
        rows = self._in_place(rows, self._standardized) if own else self._scaled(rows)
        X.instances, X.own, X.scaled = rows, True, True
        rng, likeness = check_random_state(self.random_state), self.embedding_ == "likeness"
        self._references = spread_references(rows, self.n_references if likeness else 0, rng)
        self._references = self._references.astype(np.float64, copy=False)
        self._gamma = self.reference_beta / (2 * max(1, n_varying))
        learned = describe(Bags(rows, X.sizes), weight, self._references.astype(rows.dtype),
                           self._gamma)  # fmt: skip
        self._likeness_offset, self._likeness_scale, self._bag_offset, scale = learned
        self._bag_scale = scale * np.sqrt(len(scale)) / _LOUDNESS

    def _scaled(self, X):
        return in_blocks(lambda rows: self._standardized(ranked(rows, self._knots)), X)

    def _standardized(self, rows):
        low, high = self._limits.astype(rows.dtype)
        return standardized(rows, self._x_offset, self._x_scale).clip(low, high)

    def _description(self, like):
        arrays = (self._references, self._likeness_offset, self._likeness_scale,
                  self._bag_offset, self._bag_scale)  # fmt: skip
        references, *scales = (torch.as_tensor(array).to(like) for array in arrays)
        return Description(references, self._gamma, *scales)

    @staticmethod
    def _in_place(rows, function):
        n = max(1, _NUMBERS // rows.shape[1])
        for start in range(0, len(rows), n):
            rows[start : start + n] = function(rows[start : start + n])
        return rows

    def _scaled_once(self, X):
        """Return scaled instances: in their own place, where nobody asks for them again."""
        if not (X.own or X.scaled):
            return self._scaled(X.instances)
        rows = X.instances if X.scaled else self._in_place(X.instances, self._scaled)
        X.instances = rows[:0].copy()  # the network sees another copy, and this one goes
        return rows

    def _store(self, X, like, rows=None):
        """Return scaled bags where a network can take batches of them."""
        rows_given = rows is not None
        rows = self._scaled(X.instances) if rows is None else rows
        rows = torch.as_tensor(rows).to(like)
        sizes = torch.as_tensor(X.sizes, device=like.device)
        return BagStore(rows, sizes, self._description(like), for_training=rows_given)

    def _encode(self, X, y, weight) -> Any:
        return X, self._encode_targets(y), weight / weight.mean()

    def _stages(self, generator, task):
        device = resolve_device(self.device)
        like = torch.empty(0, dtype=resolve_dtype(self._precision(), device), device=device)
        objective = PoolingObjective(self._row_loss, generator, self.max_instances)
        arrays: Any = [
            None
            if part is None
            else (
                objective.add(self._store(part[0], like, self._scaled_once(part[0]))),
                *part[1:],
            )
            for part in (task.training, task.validation)
        ]
        return [
            Stage(
                objective, arrays[0], 1 if task.incremental else self.max_iter,
                validation=arrays[1],
                trivial_loss=self._trivial_loss(task.training, task.validation),
            )
        ]  # fmt: skip

    def _outputs(self, X):
        check_is_fitted(self)
        X = check_bags(self, X, reset=False)
        return self._ask(X, lambda module, batch: module(batch))

    @torch.inference_mode()
    def _ask(self, X, question):
        """Put a question to the module about chunks of bags; join what it answers."""
        module = self._module_for(X.dtype)
        like = next(module.parameters())
        row = 8 * len(self._likeness_offset)
        n_instances = max(1, int(get_config()["working_memory"] * 2**20 / (8 * row)))
        chunks = X.chunks(n_instances)
        answers = [question(module, self._store(X[chunk], like).batch()) for chunk in chunks]
        return torch.cat(answers).numpy(force=True)
