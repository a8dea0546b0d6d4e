"""Regression of functions by a Fourier neural operator."""

from __future__ import annotations

from math import prod
from numbers import Integral, Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from skdyn._state import check_size
from skdyn._validation import Interval, StrOptions
from skdyn.operators._estimator import OperatorRegressor
from skdyn.operators._factorization import FACTORIZATIONS
from skdyn.operators._fourier import FourierNetwork
from skdyn.operators._grids import check_grid
from skdyn.operators._symmetries import SYMMETRY_CONSTRAINTS

__all__ = ["FNORegressor"]

_MODES = {1: 16, 2: 8, 3: 4}  # kept along each axis by "auto", by the number of axes


class FNORegressor(OperatorRegressor):
    """Regressor of functions on functions, by a Fourier neural operator.

    Layers that act on the lowest frequencies of their input, and on each point [1]_:

    .. math:: v \\leftarrow \\sigma\\Bigl(W v + b + \\sum_{\\lvert k \\rvert < K} W_k \\hat v_k
        e^{2 \\pi i k \\cdot x}\\Bigr).

    Functions come flat or with their axes written out, on grids of one to three axes; predictions
    go in the layout of the targets. See the user guide for the convention and its pictures.

    Parameters
    ----------
    n_modes : "auto", int or tuple of int, default="auto"
        Frequencies kept along each axis, the mean included: at most half the points and one more.
        "auto" is 16, 8 or 4 for grids of one, two or three axes, or what the grid has.
    hidden_channels : int, default=32
        Channels between the layers.
    n_layers : int, default=4
        Fourier layers.
    channel_mlp : float, default=1.0
        Width of a network that follows each convolution at each point, and past which the input of
        the layer is led [3]_, as a share of ``hidden_channels``. Zero leaves it out.
    domain_padding : float, default=0.0
        Zeros after the fields, as a fraction of the grid, that keep one end of a domain from
        acting on the other where the functions are not periodic. They cost no time.
    local_size : int, default=1
        Points along each axis, an odd number, that :math:`W` takes in. With 3, layers can act like
        derivatives [2]_, which suits coefficients that jump, but belongs to one spacing of points.
    symmetry : {"exchange", "reflect", "both", "odd", "even"} or None, default=None
        Under which motions of a square domain the operator is known to keep its form: exchanges of
        its axes, reflections along each, or all of them; or a reflection of all axes that changes
        the sign of inputs and answers, as in Burgers' equation, or of inputs alone, as in the
        energy of a wave. Training shows the data moved at random, predictions are means over all
        motions. But for "odd" and "even", channels must not be components of vectors.
    factorization : {"tucker", "cp", "tt"} or None, default=None
        Form of the spectral weights [3]_; None keeps every number.
    rank : int or float, default=0.1
        Rank of the factorisation; as a float, the share of the full number of weights to spend.
    incremental_modes : bool, default=False
        Whether training starts with a quarter of the frequencies and takes up the others in the
        first half of the epochs [4]_.
    loss : {"relative_l2", "h1", "mse"}, default="relative_l2"
        Norm of the error relative to that of the truth, of values or of values and slopes; or the
        mean squared error. Numbers instead of functions are always learned by the last.
    grid_shape : int, tuple of int or None, default=None
        Grid that the rows of a flat `X` were flattened from; None is one axis, or those of X.
    targets : {"auto", "functions", "numbers"}, default="auto"
        What each row of a `y` of two axes holds: functions, or numbers without an order. "auto"
        takes up to four columns for numbers unless X has as many; it warns of what it guesses.
    periodic : bool, default=False
        Whether the last point of each axis is followed by the first. Then the operator commutes
        with shifts; otherwise it knows the coordinates of each point.
    resolution : {"resample", "native"}, default="resample"
        How to predict on another grid: interpolate to the training grid and back, by cubic splines
        or, if periodic, by waves; or let the network act on the other grid itself.
    optimizer : {"adam", "adamw", "sgd", "lbfgs"}, default="adamw"
        Optimizer of the weights. "lbfgs" always uses the full batch.
    max_iter : int, default=100
        Number of epochs at most.
    max_time : float or None, default=None
        Seconds after which training stops with a warning, at the end of an epoch. None sets no
        limit.
    learning_rate : float, default=0.006
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
    skdyn.metrics.relative_l2_error : The usual score of fields.

    References
    ----------
    .. [1] Zongyi Li et al., "Fourier Neural Operator for Parametric Partial Differential
       Equations", ICLR 2021.
    .. [2] Miguel Liu-Schiaffini et al., "Neural Operators with Localized Integral and Differential
       Kernels", ICML 2024.
    .. [3] Jean Kossaifi, Nikola Kovachki, Kamyar Azizzadenesheli, Anima Anandkumar, "Multi-Grid
       Tensorized Fourier Neural Operator for High-Resolution PDEs", arXiv:2310.00120, 2023.
    .. [4] Robert Joseph George et al., "Incremental Spatial and Spectral Learning of Neural
       Operators for Solving Large-Scale PDEs", Transactions on Machine Learning Research, 2024.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn import FNORegressor
    >>> rng = np.random.default_rng(0)
    >>> x = np.arange(32) / 32
    >>> waves = np.stack([np.sin(2 * np.pi * (k * x + s)) for k in (1, 2, 3) for s in (0, 0.25)])
    >>> X = rng.normal(size=(100, 6)) @ waves
    >>> y = X**2
    >>> model = FNORegressor(
    ...     n_modes=8, hidden_channels=8, n_layers=2, periodic=True, max_iter=20,
    ...     learning_rate=0.02, random_state=0,
    ... )
    >>> model.fit(X[:80], y[:80]).score(X[80:], y[80:]) > 0.9
    True
    """

    _fixed_at_start = frozenset({"symmetry"})
    _parameter_constraints = {
        **OperatorRegressor._parameter_constraints,
        **SYMMETRY_CONSTRAINTS,
        "n_modes": [Interval(Integral, 1, None, closed="left"), "array-like", StrOptions({"auto"})],
        "hidden_channels": [Interval(Integral, 1, None, closed="left")],
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "channel_mlp": [Interval(Real, 0, None, closed="left")],
        "domain_padding": [Interval(Real, 0, None, closed="left")],
        "local_size": [Interval(Integral, 1, None, closed="left")],
        "factorization": [StrOptions(set(FACTORIZATIONS)), None],
        "rank": [Interval(Real, 0, None, closed="neither")],
        "incremental_modes": ["boolean"],
    }
    _quick_parameters = {
        "hidden_channels": 12, "n_layers": 1, "batch_size": "auto", "learning_rate": 0.03,
        "learning_rate_schedule": "constant", "max_iter": 20,
    }  # fmt: skip

    def __init__(
        self,
        n_modes: int | ArrayLike | str = "auto",
        *,
        hidden_channels: int = 32,
        n_layers: int = 4,
        channel_mlp: float = 1.0,
        domain_padding: float = 0.0,
        local_size: int = 1,
        symmetry: str | None = None,
        factorization: str | None = None,
        rank: float = 0.1,
        incremental_modes: bool = False,
        loss: str = "relative_l2",
        grid_shape: ArrayLike | int | None = None,
        targets: str = "auto",
        periodic: bool = False,
        resolution: str = "resample",
        optimizer: str = "adamw",
        max_iter: int = 100,
        max_time: float | None = None,
        learning_rate: float = 0.006,
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
        self.n_modes = n_modes
        self.hidden_channels = hidden_channels
        self.n_layers = n_layers
        self.channel_mlp = channel_mlp
        self.domain_padding = domain_padding
        self.local_size = local_size
        self.symmetry = symmetry
        self.factorization = factorization
        self.rank = rank
        self.incremental_modes = incremental_modes
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

    def _config(self, n_channels, n_outputs):
        grid, output_grid = self._x_layout.grid, self._y_layout.grid
        if output_grid and len(output_grid) != len(grid):
            raise ValueError(
                f"X is on a grid {grid} and y on {output_grid}; a Fourier neural operator needs as "
                "many axes in both."
            )
        return {
            "n_inputs": n_channels,
            "n_outputs": n_outputs,
            "grid": grid,
            "output_grid": output_grid,
            "n_modes": self._check_modes(grid),
            "hidden_channels": self.hidden_channels,
            "n_layers": self.n_layers,
            "channel_mlp": self.channel_mlp,
            "local_size": self._check_local_size(grid),
            "padding": self.domain_padding,
            "periodic": self.periodic,
            "factorization": self.factorization,
            "rank": self.rank,
            "incremental": self.incremental_modes,
        }

    def _stages(self, generator, task):
        (stage,) = super()._stages(generator, task)
        grows = self.incremental_modes and not task.goes_on
        return [stage._replace(before_epoch=self._take_up_modes if grows else None)]

    def _take_up_modes(self, module, epoch):
        """Let in a quarter of the frequencies at first, all of them from half of the epochs on."""
        most = max(self._check_modes(self._x_layout.grid))
        before, now = (
            max(1, round(most * min(1.0, 0.25 + 1.5 * at / self.max_iter)))
            for at in (epoch - 1, epoch)
        )
        module.limit_modes(now)
        return now != before

    @staticmethod
    def _build_module(**config: Any) -> FourierNetwork:
        return FourierNetwork(**config)

    @classmethod
    def _check_state(cls, state):
        super()._check_state(state)
        config = state.get("_module_config", {"grid": (), "padding": 0.0})
        longer = [n * (1.0 + config["padding"]) for n in config["grid"]]
        check_size(prod(longer), 0, "The number of points of the padded grid")

    def _check_local_size(self, grid):
        if self.local_size % 2 == 0 or self.local_size > min(grid):
            raise ValueError(
                f"local_size={self.local_size} must be odd and at most {min(grid)}, the shortest "
                f"axis of the grid {grid}."
            )
        return self.local_size

    def _check_modes(self, grid) -> tuple[int, ...]:
        """Return the frequencies kept along each axis; refuse what the grid does not have."""
        most = tuple(n // 2 + 1 for n in grid)
        if isinstance(self.n_modes, str):
            return tuple(min(_MODES[len(grid)], n) for n in most)
        modes: Any = check_grid(self.n_modes, "n_modes")
        modes = modes * len(grid) if isinstance(self.n_modes, Integral) else modes
        if len(modes) != len(grid):
            raise ValueError(
                f"n_modes={self.n_modes} has {len(modes)} entries, but X is on a grid {grid} of "
                f"{len(grid)} axes. Give one number an axis, or one for all."
            )
        if any(k > n for k, n in zip(modes, most, strict=True)):
            raise ValueError(
                f"n_modes={self.n_modes} is above what a grid {grid} holds: at most {most}, half "
                "its points and one more. Lower n_modes or take a finer grid."
            )
        return modes
