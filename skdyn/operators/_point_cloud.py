"""Regression of functions on clouds of points."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike

from skdyn._blocks import in_blocks
from skdyn._scales import learn_column_scales, standardized
from skdyn._state import Shape
from skdyn._tabular import TabularRegressor
from skdyn._validation import Interval, StrOptions, check_is_fitted, check_weights
from skdyn.base import TorchEstimator
from skdyn.datasets import FieldData
from skdyn.operators._cloud_batches import CloudArrays, CloudObjective, CloudStore
from skdyn.operators._cloud_features import (
    CloudScales,
    cloud_features,
    learn_cloud_scales,
    nearest_points,
)
from skdyn.operators._cloud_network import PointCloudNetwork
from skdyn.operators._clouds import (
    cloud_r2_score,
    read_cloud_targets,
    read_clouds,
    read_places,
    shares_of,
)
from skdyn.training import Stage, resolve_device, resolve_dtype

__all__ = ["PointCloudOperatorRegressor"]

_SMALLEST_NORM = 0.01  # of the root mean square of all: what divides errors is never less
_POINTS = 2**16  # points at a time at prediction: bounds memory


class PointCloudOperatorRegressor(TabularRegressor):
    """Regressor of functions on functions, on clouds of points that differ from case to case.

    Layers of attention over the points of a case, weighed by the part of the domain that each
    stands for, and over those of its edge [1]_ [2]_:

    .. math:: z_i = \\frac{\\sum_j w_j\\, (q_i \\cdot k_j)\\, v_j}{\\sum_j w_j\\, (q_i \\cdot k_j)},
        \\qquad q_i = \\mathrm{softmax}(W_q h_i), \\quad k_j = \\mathrm{softmax}(W_k h_j),

    at a cost that is linear in the points. States begin with what a place sees of the cloud: means
    and sums of the values under fixed kernels of the distance, of all points and of the edge. A
    network for each part of the domain, mixed by the place, ends a layer. Answers may be asked for
    anywhere. They do not depend on the order of the points, nor on where else they are asked for;
    and but for messages, a cloud of doubled points with half the weights is the same cloud.

    Parameters
    ----------
    hidden_channels : int, default=32
        Width of the states.
    n_layers : int, default=2
        Layers.
    n_heads : int, default=4
        Parts of the states that attend each for itself; they divide ``hidden_channels``.
    n_experts : int, default=3
        Networks of a layer, mixed by where a place is and what it sees.
    neighbors : int, default=0
        Nearest points of a case that tell each place their states [3]_. They help where answers
        change from point to point, and belong to one spacing of points. Zero leaves them out.
    loss : {"relative_l2", "mse"}, default="relative_l2"
        Error of a case relative to the size of its truth, or the mean squared error; integrals
        over the points by their weights. Numbers instead of functions are always learned by the
        last.
    optimizer : {"adam", "adamw", "sgd", "lbfgs"}, default="adamw"
        Optimizer of the weights. "lbfgs" always uses the full batch.
    max_iter : int, default=40
        Number of epochs at most.
    max_time : float or None, default=None
        Seconds after which training stops with a warning, at the end of an epoch. None sets no
        limit.
    learning_rate : float, default=0.005
        Step size of the optimizer; "lbfgs" finds its own.
    learning_rate_schedule : {"constant", "cosine", "exponential", "one_cycle", "plateau"}, \
            default="one_cycle"
        How the step size changes over ``max_iter`` epochs. "plateau" divides it by five when the
        loss no longer falls, and stops only when that no longer helps.
    batch_size : int or "auto", default=8
        Cases per batch; "auto" is ``min(200, n_samples)``.
    alpha : float, default=0.1
        Strength of the L2 penalty on the weights; it is divided by the number of samples (the total
        of their weights) when added to the mean loss, as scikit-learn's networks do.
    clip_norm : float or None, default=1.0
        Largest norm of the gradient; larger gradients are scaled down to it.
    tol : float, default=1e-05
        Smallest decrease of the loss that counts as an improvement.
    early_stopping : bool, default=False
        Whether to stop when the loss on validation data no longer improves, and to keep the weights
        that were best there.
    validation_fraction : float, default=0.1
        Share of the training data set aside for early stopping when ``X_val`` is not given.
    n_iter_no_change : int, default=30
        Epochs without improvement after which training stops.
    warm_start : bool, default=False
        Whether ``fit`` continues from the present weights.
    random_state : int, RandomState instance or None, default=None
        Source of the initial weights, the validation split and the order of the cases. Pass an int
        for the same model every time.
    device : str, default="auto"
        Where to train: "auto" is CUDA where it pays, else the CPU; or a torch device such as "cpu".
    dtype : {"float32", "float64"}, default="float32"
        Precision of the training. Predictions are computed in the precision of their input.
    verbose : int, default=0
        1 prints a tenth of the epochs, 2 every epoch.

    Attributes
    ----------
    n_features_in_ : int
        Number of columns of a table, else of channels and parameters.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, when all are strings.
    module_ : torch.nn.Module
        The trained network, on standardized features of places.
    n_iter_ : int
        Number of epochs run.
    loss_curve_ : list of float
        Training loss of each epoch.
    validation_scores_ : list of float or None
        Minus the validation loss of each epoch (higher is better).
    best_loss_ : float
        Lowest validation loss, or training loss where nothing was held out.
    device_ : str
        Device the network is on.

    See Also
    --------
    skdyn.datasets.FieldData : The data it learns from.
    FNORegressor : For functions on grids.

    Notes
    -----
    What places see of the points is computed once, at a cost that grows with the square of the
    points of a case; with thousands of points it is most of the work.

    References
    ----------
    .. [1] Zhongkai Hao et al., "GNOT: A General Neural Operator Transformer for Operator Learning",
       ICML 2023.
    .. [2] Haixin Wang et al., "BENO: Boundary-Embedded Neural Operators for Elliptic PDEs",
       ICLR 2024.
    .. [3] Johannes Brandstetter, Daniel Worrall, Max Welling, "Message Passing Neural PDE
       Solvers", ICLR 2022.

    Examples
    --------
    >>> from skdyn import PointCloudOperatorRegressor
    >>> from skdyn.datasets import make_poisson_shapes
    >>> X, y = make_poisson_shapes(60, 40, random_state=0)
    >>> model = PointCloudOperatorRegressor(max_iter=20, random_state=0)
    >>> model.fit(X[:50], y[:50]).score(X[50:], y[50:]) > 0.8
    True
    >>> model.predict(X[50:])
    FieldData(10 cases, 415 points of 2 axes, 1 channel)
    >>> model.predict(X[50:], at=[[0.0, 0.0]]).values.shape
    (10, 1)
    """

    _cloud_scales: CloudScales
    _x_offset: Annotated[np.ndarray, Shape("n_features")]
    _x_scale: Annotated[np.ndarray, Shape("n_features")]
    _x_sizes: tuple[int, int, int]
    _y_is_numbers: bool
    _y_size: float

    if TYPE_CHECKING:  # clouds are no arrays

        def fit(
            self, X: Any, y: Any, sample_weight: ArrayLike | None = None, *,
            X_val: Any = None, y_val: Any = None,
        ) -> Self: ...  # fmt: skip

    _places_data = True
    _parameter_constraints = {
        **TorchEstimator._parameter_constraints,
        "hidden_channels": [Interval(Integral, 1, None, closed="left")],
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "n_heads": [Interval(Integral, 1, None, closed="left")],
        "n_experts": [Interval(Integral, 1, None, closed="left")],
        "neighbors": [Interval(Integral, 0, None, closed="left")],
        "loss": [StrOptions({"relative_l2", "mse"})],
    }
    _quick_parameters = {
        "hidden_channels": 8, "n_layers": 1, "n_heads": 2, "n_experts": 1, "batch_size": "auto",
        "learning_rate": 0.03, "learning_rate_schedule": "constant", "max_iter": 25,
    }  # fmt: skip

    def __init__(
        self,
        hidden_channels: int = 32,
        *,
        n_layers: int = 2,
        n_heads: int = 4,
        n_experts: int = 3,
        neighbors: int = 0,
        loss: str = "relative_l2",
        optimizer: str = "adamw",
        max_iter: int = 40,
        max_time: float | None = None,
        learning_rate: float = 0.005,
        learning_rate_schedule: str = "one_cycle",
        batch_size: int | str = 8,
        alpha: float = 0.1,
        clip_norm: float | None = 1.0,
        tol: float = 1e-05,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 30,
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        device: str = "auto",
        dtype: str = "float32",
        verbose: int = 0,
    ) -> None:
        self.hidden_channels = hidden_channels
        self.n_layers = n_layers
        self.n_heads = n_heads
        self.n_experts = n_experts
        self.neighbors = neighbors
        self.loss = loss
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

    def predict(self, X: Any, at: Any = None) -> Any:
        """Predict functions, or numbers.

        Parameters
        ----------
        X : FieldData, or array-like of shape (n_samples, n_features)
            Cases, as in ``fit``.
        at : FieldData or array-like of shape (n_places, n_axes), default=None
            Where to answer: places for each case, or the same ones for all. None answers at the
            points of X.

        Returns
        -------
        FieldData, or ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions at those places; numbers where the targets in ``fit`` were.
        """
        check_is_fitted(self)
        clouds = read_clouds(self, X, reset=False)
        if at is not None and self._y_is_numbers:
            raise ValueError("at has no meaning: the model predicts numbers, not functions.")
        at = None if at is None else read_places(clouds.cases, at)
        y = self._answers(clouds, at).astype(np.float64) * self._y_scale + self._y_offset
        if self._y_is_numbers:
            return y.ravel() if self._y_is_1d else y
        return (clouds.cases if at is None else at).with_values(y)

    def score(self, X: Any, y: Any, sample_weight: ArrayLike | None = None) -> float:
        """Return the share of the variance that is predicted, the mean over channels or numbers.

        Parameters
        ----------
        X : FieldData, or array-like of shape (n_samples, n_features)
            Cases.
        y : FieldData, or array-like of shape (n_samples,) or (n_samples, n_outputs)
            True functions, at any places; or numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each case.

        Returns
        -------
        float
            :math:`R^2`; of functions each point counts by its weight, each case alike.
        """
        if not isinstance(y, FieldData):
            return super().score(X, y, sample_weight)
        if len(y) != len(X):
            raise ValueError(f"X has {len(X)} cases, y has {len(y)}: inconsistent numbers.")
        predicted = self.predict(X, at=y).values
        return cloud_r2_score(y, predicted, check_weights(sample_weight, np.empty(len(y))))

    # -- hooks of the base -------------------------------------------------------------------

    def _validate(self, X, y, reset) -> Any:
        clouds = read_clouds(self, X, reset=reset)
        return clouds, read_cloud_targets(self, clouds, y, reset=reset)

    def _held(self, X, y, weight, which="") -> Any:
        return X, y

    def _learn_scales(self, X, y, weight, classes):
        weight = np.ones(len(X)) if weight is None else weight
        self._cloud_scales = learn_cloud_scales(X.cases, weight)
        X.features = cloud_features(X.cases, self._cloud_scales)
        of_points = shares_of(X.cases) * np.repeat(weight, X.cases.sizes)
        self._x_offset, self._x_scale, _ = learn_column_scales(X.features, of_points)
        if self._y_is_numbers:
            self._learn_targets(y, weight, classes)
            self._y_size = 1.0
            return
        of_places = shares_of(y) * np.repeat(weight, y.sizes)
        self._y_offset, self._y_scale, _ = learn_column_scales(y.values, of_places)
        self._y_is_1d = False
        self._y_size = float(np.sqrt(np.average(self._sizes(y) ** 2, weights=weight))) or 1.0

    def _sizes(self, y):
        """Return the norms of the scaled targets, offset included: errors are relative to them."""
        squares = np.square(y.values / self._y_scale).mean(axis=1) * shares_of(y)
        return np.sqrt(np.add.reduceat(squares, y.offsets[:-1]))

    def _encode(self, X, y, weight) -> Any:
        weight = weight / weight.mean()
        if self._y_is_numbers:
            return X, (None, self._encode_targets(y), np.ones(len(X))), weight
        if self.loss == "relative_l2":
            size = self._sizes(y) / self._y_size
            weight = weight / (self._y_size * np.maximum(size, _SMALLEST_NORM))
        targets = (y.values - self._y_offset) / self._y_scale
        return X, (y, targets, shares_of(y)), weight

    def _config(self, n_features, n_outputs):
        return {
            "n_features": len(self._x_offset),
            "n_outputs": n_outputs,
            "hidden_channels": self.hidden_channels,
            "n_layers": self.n_layers,
            "n_heads": self.n_heads,
            "n_experts": self.n_experts,
            "neighbors": self.neighbors,
            "edge": self._cloud_scales.edge,
            "pooled": self._y_is_numbers,
        }

    @staticmethod
    def _build_module(**config: Any) -> PointCloudNetwork:
        return PointCloudNetwork(**config)

    def _stages(self, generator, task):
        device = resolve_device(self.device)
        like = torch.empty(0, dtype=resolve_dtype(self._precision(), device), device=device)
        objective = CloudObjective(self._case_loss)
        parts: Any = []
        for part in (task.training, task.validation):
            if part is None:
                parts.append(None)
                continue
            clouds, (at, y, shares), weight = part
            store = CloudStore(self._arrays(clouds, at, self.neighbors), like)
            y, shares = (torch.as_tensor(array).to(like) for array in (y, shares))
            parts.append((objective.add(store, y, shares), torch.as_tensor(weight).to(like)))
        return [
            Stage(
                objective, parts[0], 1 if task.incremental else self.max_iter,
                validation=parts[1], trivial_loss=objective.loss_of_zero(parts[1] or parts[0]),
            )
        ]  # fmt: skip

    def _case_loss(self, errors, shares):
        loss = (errors.square().mean(dim=2) * shares).sum(dim=1)
        relative = self.loss == "relative_l2" and not self._y_is_numbers
        return torch.sqrt(loss + torch.finfo(loss.dtype).tiny) if relative else loss

    def _arrays(self, clouds, at, k):
        """Return what the network sees of cases, k neighbors too, and of the places asked for."""
        cases, scales = clouds.cases, self._cloud_scales
        features = clouds.features
        features = cloud_features(cases, scales) if features is None else features
        if (
            at is not None
            and np.array_equal(at.offsets, cases.offsets)
            and np.array_equal(at.coords, cases.coords)
        ):
            at = None
        places = None if at is None else self._described(cloud_features(cases, scales, at))
        nearest = nearest_points(cases, scales, k)
        return CloudArrays(
            features=self._described(features),
            weights=shares_of(cases),
            edge=cases.edge,
            sizes=cases.sizes,
            nearest=nearest,
            places=places,
            place_sizes=np.ones(len(cases), dtype=int) if self._y_is_numbers
            else (cases if at is None else at).sizes,
            place_nearest=nearest[:0] if at is None
            else nearest_points(cases, scales, k, at),
        )  # fmt: skip

    def _described(self, features):
        return in_blocks(lambda rows: standardized(rows, self._x_offset, self._x_scale), features)

    @torch.no_grad()
    def _answers(self, clouds, at):
        """Run the network over cases; return answers place after place, or one per case."""
        module = self._module_for(np.dtype("float64"))
        like = next(module.parameters())
        k = self._module_config["neighbors"]
        store = CloudStore(self._arrays(clouds, at, k), like)
        return store.ask(module, _POINTS).numpy(force=True)
