"""Classification of series by neural controlled differential equations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
from numpy.typing import ArrayLike

from skdyn._series_estimator import SeriesClassifier
from skdyn._state import Shape, Since
from skdyn.sequence._cde import CDE_CONSTRAINTS, CDENetwork, check_path, path_config
from skdyn.sequence._control import controls_of, most_counts, reach_of

__all__ = ["NeuralCDEClassifier"]


class NeuralCDEClassifier(SeriesClassifier):
    """Classifier of series by a neural equation that each series drives.

    A series becomes a path X through its channels, the time and counts of what was seen. It moves
    a state from its first point to its last [1]_,

    .. math:: z(t_0) = \\zeta(X(t_0)), \\qquad dz = f_\\theta(z)\\, dX,

    where f is a network with one output for each pair of a state and a channel. Times may be
    irregular, values missing and series of any length; points that say nothing new change nothing.

    Parameters
    ----------
    hidden_channels : int, default=16
        Size of the state.
    hidden_layer_sizes : array-like of int, default=(64,)
        Widths of the hidden layers of the field.
    vector_field : {"mlp", "low_rank", "linear"}, default="mlp"
        The field: a network with outputs from -1 to 1; one for the factors of a matrix of low
        rank, for many channels; or, for each channel, a matrix and a shift.
    rank : int, default=4
        Rank of the field "low_rank".
    interpolation : {"linear", "hermite", "rectilinear", "natural_cubic"}, default="linear"
        The path [2]_: straight lines; cubic pieces with slopes that look one value back; pieces in
        which by turns only the time and only the values move, so that at no time anything of the
        future is seen; or the natural cubic spline, smooth but drawn through all of a series.
    augment : tuple of str, default=("time", "counts")
        What goes into the path beside the values. "time": without it only the order of the values
        counts. "counts": how many values were seen so far, channel by channel where training data
        lack some, in one channel where only their steps are uneven.
    solver : {"heun", "bosh3", "tsit5", "dopri5"}, default="heun"
        "heun" takes one step for each piece of the path; the others are adaptive.
    rtol : float, default=0.001
        Relative tolerance of adaptive solvers.
    atol : float, default=0.0001
        Absolute tolerance of adaptive solvers.
    max_steps : int, default=10000
        Bound on the steps of one adaptive solve.
    readout : {"last", "mean", "attention"}, default="last"
        What is answered from: the state at the end, the mean over all points, or a mean with
        weights that are learned.
    point_dropout : float or "auto", default="auto"
        Share of the points that is left out of each series by chance, anew at every step of the
        training but with "lbfgs"; straight lines then run on from point to point. "auto" is 0.3,
        and 0 for other paths, which are learned whole.
    time_channel : int or None, default=None
        Channel of ``X`` that holds the times, instead of ``t``.
    optimizer : {"adam", "adamw", "sgd", "lbfgs"}, default="adamw"
        Optimizer of the weights. "lbfgs" always uses the full batch.
    max_iter : int, default=120
        Number of epochs at most.
    max_time : float or None, default=None
        Seconds after which training stops with a warning, at the end of an epoch. None sets no
        limit.
    learning_rate : float, default=0.005
        Step size of the optimizer; "lbfgs" finds its own.
    learning_rate_schedule : {"constant", "cosine", "exponential", "one_cycle", "plateau"}, \
            default="cosine"
        How the step size changes over ``max_iter`` epochs. "plateau" divides it by five when the
        loss no longer falls, and stops only when that no longer helps.
    batch_size : int or "auto", default=32
        Cases per batch; "auto" is ``min(200, n_samples)``.
    alpha : float, default=1.0
        Strength of the L2 penalty on the weights; it is divided by the number of samples (the total
        of their weights) when added to the mean loss, as scikit-learn's networks do.
    clip_norm : float or None, default=1.0
        Largest norm of the gradient; larger gradients are scaled down to it.
    tol : float, default=0.0001
        Smallest decrease of the loss that counts as an improvement.
    early_stopping : bool, default=False
        Whether to stop when the loss on validation data no longer improves, and to keep the weights
        that were best there.
    validation_fraction : float, default=0.1
        Share of the training data set aside for early stopping when ``X_val`` is not given.
    n_iter_no_change : int, default=40
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
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    n_channels_ : int
        Number of channels of the series.
    n_features_in_ : int
        Number of columns of a table, else of channels.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, when all are strings.
    module_ : torch.nn.Module
        The trained network, on standardized series.
    n_iter_ : int
        Number of epochs run.
    loss_curve_ : list of float
        Training loss of each epoch.
    stages_ : list of tuple of (str, int)
        Name and number of epochs of each stage of the training.
    validation_scores_ : list of float or None
        Minus the validation loss of each epoch (higher is better).
    best_loss_ : float
        Lowest validation loss, or training loss where nothing was held out.
    device_ : str
        Device the network is on.

    See Also
    --------
    NeuralCDERegressor : The same network for numbers.
    SSMClassifier : Linear memories; quicker on long series.
    SignatureTransformer : Features without training, for small sets.
    skdyn.solvers.solve_cde : The equation for a field and a path of your own.

    Notes
    -----
    Missing values lie on a straight line between those that were seen, with "rectilinear" at the
    last one that was.

    The path is scaled such that a field of 1 moves the state by 0.3 with a step of median length,
    in time as in counts, by 1 at least and 50 at most with all of the longest series, and by
    ``2 / sqrt(n_channels)`` with a deviation of the values. Splines ("natural_cubic") and linear
    fields keep deviations, and shares of time and counts.

    References
    ----------
    .. [1] P. Kidger, J. Morrill, J. Foster, T. Lyons, "Neural Controlled Differential Equations for
       Irregular Time Series", NeurIPS 2020.
    .. [2] J. Morrill, P. Kidger, L. Yang, T. Lyons, "On the Choice of Interpolation Scheme for
       Neural CDEs", Transactions on Machine Learning Research, 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn import NeuralCDEClassifier
    >>> rng = np.random.default_rng(0)
    >>> t = np.sort(rng.uniform(0, 10, (80, 25)))  # each series has times of its own
    >>> y = np.arange(80) % 2
    >>> turn = np.where(y, 1, -1)[:, None] * t + rng.uniform(0, 6, (80, 1))
    >>> X = np.stack([np.cos(turn), np.sin(turn)], axis=1)  # one way round, or the other
    >>> model = NeuralCDEClassifier(hidden_channels=8, max_iter=40, random_state=0)
    >>> model.fit(X[:60], y[:60], t=t[:60]).score(X[60:], y[60:], t=t[60:]) > 0.9
    True
    """

    _most_counts: Annotated[np.ndarray, Shape("n_channels_")]
    _reach: Annotated[np.ndarray, Shape("2"), Since(lambda state: np.ones(2))]

    _parameter_constraints = CDE_CONSTRAINTS
    _quick_parameters = {
        "hidden_channels": 8, "hidden_layer_sizes": (16,), "point_dropout": 0.0, "batch_size": 32,
        "max_iter": 50, "learning_rate": 0.005,
    }  # fmt: skip

    def __init__(
        self,
        hidden_channels: int = 16,
        *,
        hidden_layer_sizes: ArrayLike = (64,),
        vector_field: str = "mlp",
        rank: int = 4,
        interpolation: str = "linear",
        augment: Sequence[str] = ("time", "counts"),
        solver: str = "heun",
        rtol: float = 1e-3,
        atol: float = 1e-4,
        max_steps: int = 10000,
        readout: str = "last",
        point_dropout: float | str = "auto",
        time_channel: int | None = None,
        optimizer: str = "adamw",
        max_iter: int = 120,
        max_time: float | None = None,
        learning_rate: float = 0.005,
        learning_rate_schedule: str = "cosine",
        batch_size: int | str = 32,
        alpha: float = 1.0,
        clip_norm: float | None = 1.0,
        tol: float = 1e-4,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 40,
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        device: str = "auto",
        dtype: str = "float32",
        verbose: int = 0,
    ) -> None:
        self.hidden_channels = hidden_channels
        self.hidden_layer_sizes = hidden_layer_sizes
        self.vector_field = vector_field
        self.rank = rank
        self.interpolation = interpolation
        self.augment = augment
        self.solver = solver
        self.rtol = rtol
        self.atol = atol
        self.max_steps = max_steps
        self.readout = readout
        self.point_dropout = point_dropout
        self.time_channel = time_channel
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

    def _learn_scales(self, X, y, weight, classes):
        super()._learn_scales(X, y, weight, classes)
        self._most_counts = most_counts(X.series)
        self._reach = reach_of(self, self.n_channels_)

    def _config(self, n_features, n_outputs):
        return path_config(self, n_features, n_outputs)

    @staticmethod
    def _build_module(**config: Any) -> CDENetwork:
        return CDENetwork(**config)

    @classmethod
    def _check_state(cls, state):
        check_path(cls.__name__, state)

    _network_inputs = controls_of
