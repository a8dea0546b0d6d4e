"""Regression of functions by deep operator networks."""

from __future__ import annotations

import copy
from math import prod
from numbers import Integral
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from skdyn._state import OPTIONAL, Shape
from skdyn._validation import Interval, StrOptions, check_is_fitted
from skdyn.operators._branch_trunk import BranchTrunkNetwork, check_layer_sizes
from skdyn.operators._estimator import OperatorRegressor
from skdyn.operators._grids import read_queries
from skdyn.operators._named_fields import is_named

__all__ = ["DeepONetRegressor"]


class DeepONetRegressor(OperatorRegressor):
    """Regressor of functions on functions, by coefficients from one network, a basis from another.

    A branch reads the input at fixed sensors, the points of its grid, and a trunk the coordinates
    of a point of the answer [1]_:

    .. math:: \\hat u(a)(x) = b_0 + \\sum_k b_k\\bigl(a(x_1), \\dots, a(x_m)\\bigr)\\, t_k(x).

    The functions t may also be principal components of the targets, from proper orthogonal
    decomposition [2]_. The answer lies in the span of the functions, whatever the input: shocks
    that travel need many of them.

    Parameters
    ----------
    basis : {"trunk", "pod"}, default="trunk"
        Functions :math:`t_k`: a network of the coordinates, or the principal components of the
        targets, around their mean.
    n_basis : int, default=64
        Number of functions; of principal components there may be fewer.
    branch : {"nonlinear", "linear"}, default="nonlinear"
        Map from the sensors to the coefficients; "linear" for operators that are.
    merge : {"concatenate", "product"}, default="concatenate"
        What to do with several input functions, the channels of X: one branch sees all, or the
        coefficients are products of one branch for each [3]_.
    hidden_layer_sizes : array-like of int, default=(128, 128)
        Widths of the hidden layers of branch and trunk.
    loss : {"relative_l2", "h1", "mse"}, default="relative_l2"
        Norm of the error relative to that of the truth, of values or of values and slopes; or the
        mean squared error. Numbers instead of functions are always learned by the last.
    grid_shape : int, tuple of int or None, default=None
        Grid that the rows of a flat `X` were flattened from; None is one axis, or those of X.
    targets : {"auto", "functions", "numbers"}, default="auto"
        What each row of a `y` of two axes holds: functions, or numbers without an order. "auto"
        takes up to four columns for numbers unless X has as many; it warns of what it guesses.
    periodic : bool, default=False
        Whether the last point of each axis is followed by the first; the trunk then sees circles.
    resolution : {"resample", "native"}, default="resample"
        How to predict on another grid: interpolate to the training grid and back, by cubic splines
        or, if periodic, by waves; or evaluate the trunk there. The sensors stay where they are:
        with "native" inputs on another grid are refused.
    optimizer : {"adam", "adamw", "sgd", "lbfgs"}, default="adamw"
        Optimizer of the weights. "lbfgs" always uses the full batch.
    max_iter : int, default=200
        Number of epochs at most.
    max_time : float or None, default=None
        Seconds after which training stops with a warning, at the end of an epoch. None sets no
        limit.
    learning_rate : float, default=0.003
        Step size of the optimizer; "lbfgs" finds its own.
    learning_rate_schedule : {"constant", "cosine", "exponential", "one_cycle", "plateau"}, \
            default="cosine"
        How the step size changes over ``max_iter`` epochs. "plateau" divides it by five when the
        loss no longer falls, and stops only when that no longer helps.
    batch_size : int or "auto", default=20
        Cases per batch; "auto" is ``min(200, n_samples)``.
    alpha : float, default=0.1
        Strength of the L2 penalty on the weights; it is divided by the number of samples (the total
        of their weights) when added to the mean loss, as scikit-learn's networks do.
    clip_norm : float or None, default=None
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
        Number of columns of a flat `X`, else of channels.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, when all are strings.
    module_ : torch.nn.Module
        The trained network, on standardized channels.
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
    FNORegressor : Layers that act on frequencies.
    KernelOperatorRegressor : Coefficients in closed form.

    References
    ----------
    .. [1] Lu Lu et al., "Learning nonlinear operators via DeepONet based on the universal
       approximation theorem of operators", Nature Machine Intelligence 3, 2021.
    .. [2] Lu Lu et al., "A comprehensive and fair comparison of two neural operators (with
       practical extensions) based on FAIR data", Computer Methods in Applied Mechanics and
       Engineering 393, 2022.
    .. [3] Pengzhan Jin, Shuai Meng, Lu Lu, "MIONet: Learning multiple-input operators via tensor
       product", SIAM Journal on Scientific Computing 44, 2022.

    Examples
    --------
    >>> from skdyn import DeepONetRegressor
    >>> from skdyn.datasets import make_antiderivative
    >>> X, y = make_antiderivative(120, 32, random_state=0)
    >>> model = DeepONetRegressor("pod", branch="linear", n_basis=16, max_iter=60, random_state=0)
    >>> model.fit(X[:100], y[:100]).score(X[100:], y[100:]) > 0.95
    True
    """

    _pod: Annotated[
        tuple[
            Annotated[np.ndarray, Shape("points")], Annotated[np.ndarray, Shape("n_basis points")]
        ],
        OPTIONAL,
    ]  # fmt: skip

    _fixed_at_start = frozenset({"basis"})
    _parameter_constraints = {
        **OperatorRegressor._parameter_constraints,
        "basis": [StrOptions({"trunk", "pod"})],
        "n_basis": [Interval(Integral, 1, None, closed="left")],
        "branch": [StrOptions({"nonlinear", "linear"})],
        "merge": [StrOptions({"concatenate", "product"})],
        "hidden_layer_sizes": ["array-like"],
    }
    _quick_parameters = {
        "n_basis": 8, "hidden_layer_sizes": (16,), "batch_size": "auto", "learning_rate": 0.02,
        "learning_rate_schedule": "constant", "max_iter": 12,
    }  # fmt: skip

    def __init__(
        self,
        basis: str = "trunk",
        *,
        n_basis: int = 64,
        branch: str = "nonlinear",
        merge: str = "concatenate",
        hidden_layer_sizes: ArrayLike = (128, 128),
        loss: str = "relative_l2",
        grid_shape: ArrayLike | int | None = None,
        targets: str = "auto",
        periodic: bool = False,
        resolution: str = "resample",
        optimizer: str = "adamw",
        max_iter: int = 200,
        max_time: float | None = None,
        learning_rate: float = 0.003,
        learning_rate_schedule: str = "cosine",
        batch_size: int | str = 20,
        alpha: float = 0.1,
        clip_norm: float | None = None,
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
        self.basis = basis
        self.n_basis = n_basis
        self.branch = branch
        self.merge = merge
        self.hidden_layer_sizes = hidden_layer_sizes
        self.loss = loss
        self.grid_shape = grid_shape
        self.targets = targets
        self.periodic = periodic
        self.resolution = resolution
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

    def predict(self, X: Any, grid: Any = None) -> Any:
        """Predict functions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_channels, \\*grid), or \
                DataArray or Dataset
            Inputs. With their axes written out, and ``resolution="resample"``, they may be on
            another grid than in ``fit``.
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
        if self.resolution == "resample" or is_named(X):
            return super().predict(X, grid)
        fields, grid = read_queries(self, X, grid)
        if fields.shape[2:] != self._x_layout.grid:
            raise ValueError(
                f"X is on a grid {fields.shape[2:]}, but the sensors of the branch are the points "
                f"of the grid {self._x_layout.grid} of the fit. Pass X on that grid and the other "
                "one as predict(X, grid=...), or set resolution='resample' to interpolate."
            )
        if self.basis == "pod" or grid == self._y_layout.grid:
            return super().predict(X, grid)  # functions of "pod" are known at their points only
        elsewhere = copy.copy(self)
        elsewhere.module_ = copy.deepcopy(self.module_)
        elsewhere.module_.output_grid = grid
        return OperatorRegressor.predict(elsewhere, X, grid)

    def _learn_targets(self, y, weight, classes):
        super()._learn_targets(y, weight, classes)
        if self.basis == "pod":
            weight = np.ones(len(y)) if weight is None else weight
            rows = self._encode_targets(y).reshape(len(y), -1)
            mean = np.average(rows, axis=0, weights=weight)
            root = np.sqrt(weight / weight.sum())[:, None]
            _, s, modes = np.linalg.svd(root * (rows - mean), full_matrices=False)
            self._pod = mean, (s[:, None] * modes)[: self.n_basis]

    def _config(self, n_channels, n_outputs):
        return {
            "n_inputs": n_channels,
            "n_outputs": n_outputs,
            "n_sensors": prod(self._x_layout.grid),
            "output_grid": self._y_layout.grid,
            "n_basis": len(self._pod[1]) if self.basis == "pod" else self.n_basis,
            "basis": self.basis,
            "branch": self.branch,
            "merge": self.merge,
            "hidden_layer_sizes": check_layer_sizes(self),
            "periodic": self.periodic,
        }

    def _initial_module(self, config, seed, keep):
        module: Any = super()._initial_module(config, seed, keep)
        if self.basis == "pod":
            mean, modes = map(torch.from_numpy, self._pod)
            module.mean.copy_(mean)
            module.modes.copy_(modes)
        return module

    @staticmethod
    def _build_module(**config: Any) -> BranchTrunkNetwork:
        return BranchTrunkNetwork(**config)
