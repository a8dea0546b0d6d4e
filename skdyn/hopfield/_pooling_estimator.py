"""What the classifier and the regressor of bags share."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn import get_config
from sklearn.base import is_classifier, is_regressor
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets

from skdyn._scales import learn_column_scales
from skdyn._state import Shape
from skdyn._tabular import TabularEstimator
from skdyn._validation import Interval, StrOptions, check_is_fitted, check_X_y
from skdyn.base import TorchEstimator
from skdyn.hopfield._bags import check_bags, pad, present, statistics
from skdyn.hopfield._pooling import HopfieldPooling
from skdyn.hopfield._separations import SEPARATIONS, Separation

__all__ = ["PoolingEstimator"]

_LOUDNESS = 4.0  # of all statistics together beside the retrieved values, in standard deviations


class PoolingEstimator(TabularEstimator):
    """Parameters and hooks of the estimators of bags.

    Instances are described once, before training, by their likeness to stored ones; the network
    sees these descriptions and the statistics of each bag, all standardized.
    """

    _references: Annotated[np.ndarray, Shape("references n_features_in_")]
    _gamma: float
    _likeness_offset: Annotated[np.ndarray, Shape("n_inputs")]
    _likeness_scale: Annotated[np.ndarray, Shape("n_inputs")]
    _bag_offset: Annotated[np.ndarray, Shape("statistics")]
    _bag_scale: Annotated[np.ndarray, Shape("statistics")]

    _parameter_constraints = {
        **TorchEstimator._parameter_constraints,
        "n_states": [Interval(Integral, 1, None, closed="left")],
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "n_references": [Interval(Integral, 0, None, closed="left")],
        "reference_beta": [Interval(Real, 0, None, closed="neither")],
        "separation": [StrOptions(set(SEPARATIONS)), Separation],
        "skip": ["boolean"],
    }

    def __init__(
        self,
        n_states: int = 4,
        *,
        n_components: int = 16,
        n_references: int = 1000,
        reference_beta: float = 5.0,
        separation: str | Separation = "softmax",
        skip: bool = True,
        optimizer: str = "adam",
        max_iter: int = 200,
        max_time: float | None = None,
        learning_rate: float = 0.01,
        learning_rate_schedule: str = "constant",
        batch_size: int | str = "auto",
        alpha: float = 2.0,
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
        self.n_components = n_components
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

    def instance_weights(self, X: ArrayLike, *, per_state: bool = False) -> list[np.ndarray]:
        """Tell which instances of each bag the answer rests on.

        Parameters
        ----------
        X : list of array-like of shape (n_instances_i, n_features), or array-like
            Bags, in any layout that ``fit`` takes.
        per_state : bool, default=False
            Whether to keep the weights of each state apart, instead of their mean.

        Returns
        -------
        list of ndarray of shape (n_instances_i,) or (n_states, n_instances_i)
            Weights of each bag's instances, at least zero and of sum one.
        """
        check_is_fitted(self)
        X = check_bags(self, X, reset=False)
        sizes = present(X).sum(axis=1)
        weights = self._ask(X, lambda module, bags, _: list(module.weights(bags).numpy(force=True)))
        own = [of_bag[:, :size] for of_bag, size in zip(weights, sizes, strict=True)]
        return own if per_state else [of_bag.mean(axis=0) for of_bag in own]

    # -- hooks of the base -------------------------------------------------------------------

    def _config(self, n_features, n_outputs):
        n_inputs = len(self._likeness_offset)
        return {
            "n_inputs": n_inputs,
            "n_statistics": 3 * n_inputs if self.skip else 0,
            "n_outputs": n_outputs,
            "n_states": self.n_states,
            "n_components": self.n_components,
            "separation": self.separation,
        }

    @staticmethod
    def _build_module(**config: Any) -> HopfieldPooling:
        return HopfieldPooling(**config)

    def _validate(self, X, y, reset):
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None. Pass "
                "one target a bag."
            )
        X = check_bags(self, X, reset=reset)
        several = {"multi_output": True, "y_numeric": True} if is_regressor(self) else {}
        _, y = check_X_y(np.zeros((len(X), 1)), y, estimator=self, **several)
        if is_classifier(self):
            check_classification_targets(y)
        return X, y

    def _learn_scales(self, X, y, weight, classes):
        self._learn_descriptions(X, weight)
        self._learn_targets(y, weight, classes)

    def _learn_descriptions(self, X, weight):
        here = present(X)
        sizes, instances = here.sum(axis=1), X[here]
        of_instances = None if weight is None else np.repeat(weight, sizes)
        self._x_offset, self._x_scale, varies = learn_column_scales(instances, of_instances)
        # Different rows in an order of their own: neither copies nor the order of bags count.
        different = np.unique(self._scaled(instances), axis=0)
        chosen = check_random_state(self.random_state).permutation(len(different))
        self._references = different[chosen[: self.n_references]]
        self._gamma = self.reference_beta / (2 * max(1, np.count_nonzero(varies)))
        likeness = self._likeness(instances)
        scaler: Any = StandardScaler().fit(likeness, sample_weight=of_instances)
        self._likeness_offset, self._likeness_scale = scaler.mean_, scaler.scale_
        likeness = (likeness - scaler.mean_) / scaler.scale_
        scaler = StandardScaler().fit(statistics(likeness, sizes), sample_weight=weight)
        self._bag_offset = scaler.mean_
        self._bag_scale = scaler.scale_ * np.sqrt(len(scaler.scale_)) / _LOUDNESS

    def _likeness(self, instances):
        rows = self._scaled(instances)
        return rbf_kernel(rows, self._references, self._gamma) if len(self._references) else rows

    def _describe(self, X, skip):
        """Return descriptions of the instances, padded, and statistics of the bags."""
        here = present(X)
        sizes = here.sum(axis=1)
        likeness = (self._likeness(X[here]) - self._likeness_offset) / self._likeness_scale
        of_bags = (statistics(likeness, sizes) - self._bag_offset) / self._bag_scale
        of_bags = of_bags[:, : None if skip else 0]
        return pad(likeness.astype(X.dtype), sizes), of_bags.astype(X.dtype)

    def _encode(self, X, y, weight) -> Any:
        # float32 would lose small units, and digits beside large means: first described, then cast.
        described = (
            part.astype(self._precision(), copy=False) for part in self._describe(X, self.skip)
        )
        return *described, self._encode_targets(y), weight / weight.mean()

    def _outputs(self, X):
        check_is_fitted(self)
        X = check_bags(self, X, reset=False)
        answers = self._ask(X, lambda module, *bags: list(module(*bags).numpy(force=True)))
        return np.stack(answers)

    @torch.inference_mode()
    def _ask(self, X, question):
        """Put a question to the module about chunks of bags; join the lists it answers with."""
        module = self._module_for(X.dtype)
        like = next(module.parameters())
        answers = []
        for chunk in self._chunks(X):
            parts = self._describe(X[chunk], self._module_config["n_statistics"] > 0)
            answers += question(module, *(torch.from_numpy(part).to(like) for part in parts))
        return answers

    def _chunks(self, X):
        """Yield slices of bags whose descriptions fit scikit-learn's ``working_memory``."""
        row = X.shape[1] * len(self._likeness_offset) * 8
        n_bags = max(1, int(get_config()["working_memory"] * 2**20 / (8 * row)))
        for start in range(0, len(X), n_bags):
            yield slice(start, start + n_bags)
