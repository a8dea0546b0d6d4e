"""Regression of functions by multigrid neural operators."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skdyn._validation import Interval, StrOptions
from skdyn.operators._estimator import OperatorRegressor
from skdyn.operators._multigrid import BOUNDARIES, MultigridNetwork, level_grids
from skdyn.operators._symmetries import SYMMETRY_CONSTRAINTS

__all__ = ["MgNORegressor"]


class MgNORegressor(OperatorRegressor):
    """Regressor of functions on functions, by layers that are multigrid cycles.

    A layer adds a linear operator that is one V-cycle of multigrid, with learned stencils, to a map
    of each point [1]_:

    .. math:: v \\leftarrow \\sigma\\bigl(\\mathcal W_{\\text{Mg}}\\, v + W v + b\\bigr).

    With the stencils of Poisson's equation such a cycle solves it [2]_: it sees the whole domain at
    a cost in proportion to the number of points, and knows what is beyond the boundary.

    Parameters
    ----------
    boundary : {"dirichlet", "neumann", "periodic"}, default="dirichlet"
        How fields go on beyond the ends of the grid, in every convolution: by zeros, mirrored at
        the last point, or from the other end.
    hidden_channels : int, default=20
        Channels between the layers.
    n_layers : int, default=4
        Multigrid layers.
    n_levels : int or None, default=None
        Grids of a cycle, each of half the points of the one before; None takes as many as there
        are. A periodic grid of odd size is not halved.
    n_smoothing : int, default=1
        Smoothing steps on each grid, on the way to the coarsest and back.
    symmetry : {"exchange", "reflect", "both", "odd", "even"} or None, default=None
        Under which motions of a square domain the operator is known to keep its form: exchanges of
        its axes, reflections along each, or all of them; or a reflection of all axes that changes
        the sign of inputs and answers, as in Burgers' equation, or of inputs alone, as in the
        energy of a wave. Training shows the data moved at random, predictions are means over all
        motions. But for "odd" and "even", channels must not be components of vectors.
    loss : {"relative_l2", "h1", "mse"}, default="relative_l2"
        Norm of the error relative to that of the truth, of values or of values and slopes; or the
        mean squared error. Numbers instead of functions are always learned by the last.
    grid_shape : int, tuple of int or None, default=None
        Grid that the rows of a flat `X` were flattened from; None is one axis, or those of X.
    targets : {"auto", "functions", "numbers"}, default="auto"
        What each row of a `y` of two axes holds: functions, or numbers without an order. "auto"
        takes up to four columns for numbers unless X has as many; it warns of what it guesses.
    resolution : {"resample", "native"}, default="resample"
        How to predict on another grid: interpolate to the training grid and back, by cubic splines
        or, if periodic, by waves; or let the network act on the other grid itself.
    optimizer : {"adam", "adamw", "sgd", "lbfgs"}, default="adamw"
        Optimizer of the weights. "lbfgs" always uses the full batch.
    max_iter : int, default=30
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

    References
    ----------
    .. [1] Juncai He, Xinliang Liu, Jinchao Xu, "MgNO: Efficient Parameterization of Linear
       Operators via Multigrid", ICLR 2024.
    .. [2] William Briggs, Van Emden Henson, Steve McCormick, "A Multigrid Tutorial", SIAM, 2000.

    Examples
    --------
    >>> from skdyn import MgNORegressor
    >>> from skdyn.datasets import make_darcy
    >>> X, y = make_darcy(80, 7, random_state=0)
    >>> model = MgNORegressor(
    ...     hidden_channels=8, n_layers=2, max_iter=12, learning_rate=0.02, random_state=0
    ... )
    >>> model.fit(X[:60], y[:60]).score(X[60:], y[60:]) > 0.8
    True
    """

    _fixed_at_start = frozenset({"symmetry"})
    _parameter_constraints = {
        **OperatorRegressor._parameter_constraints,
        **SYMMETRY_CONSTRAINTS,
        "boundary": [StrOptions(set(BOUNDARIES))],
        "hidden_channels": [Interval(Integral, 1, None, closed="left")],
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "n_levels": [Interval(Integral, 1, None, closed="left"), None],
        "n_smoothing": [Interval(Integral, 1, None, closed="left")],
    }
    del _parameter_constraints["periodic"]  # one of the boundaries
    _quick_parameters = {
        "hidden_channels": 6, "n_layers": 1, "batch_size": "auto", "learning_rate": 0.03,
        "learning_rate_schedule": "constant", "max_iter": 12,
    }  # fmt: skip

    def __init__(
        self,
        boundary: str = "dirichlet",
        *,
        hidden_channels: int = 20,
        n_layers: int = 4,
        n_levels: int | None = None,
        n_smoothing: int = 1,
        symmetry: str | None = None,
        loss: str = "relative_l2",
        grid_shape: ArrayLike | int | None = None,
        targets: str = "auto",
        resolution: str = "resample",
        optimizer: str = "adamw",
        max_iter: int = 30,
        max_time: float | None = None,
        learning_rate: float = 0.003,
        learning_rate_schedule: str = "cosine",
        batch_size: int | str = 20,
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
        self.boundary = boundary
        self.hidden_channels = hidden_channels
        self.n_layers = n_layers
        self.n_levels = n_levels
        self.n_smoothing = n_smoothing
        self.symmetry = symmetry
        self.loss = loss
        self.grid_shape = grid_shape
        self.targets = targets
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

    @property
    def periodic(self) -> bool:
        """Whether the last point of each axis is followed by the first."""
        return self.boundary == "periodic"

    def _config(self, n_channels, n_outputs):
        grid, output_grid = self._x_layout.grid, self._y_layout.grid
        if output_grid and len(output_grid) != len(grid):
            raise ValueError(
                f"X is on a grid {grid} and y on {output_grid}; multigrid layers need as many axes "
                "in both."
            )
        if self.boundary == "neumann" and min(grid) < 2:
            raise ValueError(
                f"boundary='neumann' mirrors a field at its last point, but the grid {grid} of X "
                "has an axis of one point. Choose boundary='dirichlet'."
            )
        n_levels = len(level_grids(grid, self.boundary))
        if self.n_levels is not None and self.n_levels > n_levels:
            raise ValueError(
                f"n_levels={self.n_levels}, but the grid {grid} can be halved only "
                f"{n_levels - 1} times with boundary={self.boundary!r}. Set n_levels to {n_levels} "
                "at most, or None."
            )
        return {
            "n_inputs": n_channels,
            "n_outputs": n_outputs,
            "grid": grid,
            "output_grid": output_grid,
            "boundary": self.boundary,
            "hidden_channels": self.hidden_channels,
            "n_layers": self.n_layers,
            "n_levels": self.n_levels or n_levels,
            "n_smoothing": self.n_smoothing,
        }

    @staticmethod
    def _build_module(**config: Any) -> MultigridNetwork:
        return MultigridNetwork(**config)
