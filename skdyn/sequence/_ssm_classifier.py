"""Classification of series by state-space models."""

from __future__ import annotations

from typing import Any

import numpy as np

from skdyn._series_estimator import SeriesClassifier
from skdyn.sequence._ssm import (
    SSM_CONSTRAINTS,
    SSMNetwork,
    check_inputs,
    inputs_of,
    module_config,
)

__all__ = ["SSMClassifier"]


class SSMClassifier(SeriesClassifier):
    """Classifier of series by a state-space model: linear memories between layers that are not.

    Each layer is a linear equation through time that all channels drive and read [1]_ [2]_,

    .. math:: \\dot x = \\Delta (A x + B u), \\qquad y = 2 \\operatorname{Re}(C x) + D u,

    with A diagonal, solved exactly from point to point: steps may be as uneven as they are. What
    it makes of its inputs goes through GELU and a gated mix of the channels, and on to the next
    layer. Long series cost in proportion to their length.

    Parameters
    ----------
    n_layers : int, default=2
        Number of layers.
    hidden_channels : int, default=64
        Number of channels between them.
    state_size : int, default=32
        Size of the state of a layer; half as many conjugate pairs.
    kernel : {"s4d_lin", "s4d_legs"}, default="s4d_lin"
        The frequencies that the states start with: at equal distances, or those of HiPPO-LegS [1]_.
        Selective states have none.
    selective : bool, default=False
        Whether what is kept of a state depends on the input, by real factors from -1 to 1 [3]_:
        for what inputs switch, turn over or count, which no linear equation can follow. Their rates
        come with the factors, from one step to a hundred; ``dt_min`` and ``dt_max`` set none.
    dt_min, dt_max : float or "auto", default="auto"
        Range of the first :math:`\\Delta`, for steps of the median length. "auto" lets memories be
        from some steps to twice the longest series of training.
    readout : {"last", "mean", "attention"}, default="mean"
        What is answered from: the state at the last point, the mean over all points, or a mean
        with weights that are learned.
    dropout : float, default=0.1
        Share of channels that is left out of each layer by chance, while training; not with
        "lbfgs", which needs one fixed function.
    point_dropout : float or "auto", default="auto"
        Share of the points that is left out of each series by chance, anew at every step of the
        training but with "lbfgs"; the first and the last stay, and steps become those between.
        "auto" is 0.3, and 0 for a selective model, which is for what hangs on each single point.
    time_channel : int or None, default=None
        Channel of ``X`` that holds the times, instead of ``t``.
    optimizer : {"adam", "adamw", "sgd", "lbfgs"}, default="adamw"
        Optimizer of the weights. "lbfgs" always uses the full batch.
    max_iter : int, default=60
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
    n_iter_no_change : int, default=20
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
    SSMRegressor : The same network for numbers.
    NeuralCDEClassifier : A nonlinear equation that the series drives.
    SignatureTransformer : Features without training, for small sets.

    Notes
    -----
    Missing values lie on a straight line between those that were seen; where training data have
    any, the network is told which were seen, and where its steps are uneven how long they are.

    References
    ----------
    .. [1] A. Gu, A. Gupta, K. Goel, C. Ré, "On the Parameterization and Initialization of Diagonal
       State Space Models", NeurIPS 2022.
    .. [2] J. T. H. Smith, A. Warrington, S. W. Linderman, "Simplified State Space Layers for
       Sequence Modeling", ICLR 2023.
    .. [3] R. Grazzi, J. Siems, J. K. H. Franke, A. Zela, F. Hutter, M. Pontil, "Unlocking
       State-Tracking in Linear RNNs Through Negative Eigenvalues", ICLR 2025.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn import SSMClassifier
    >>> rng = np.random.default_rng(0)
    >>> t = np.sort(rng.uniform(0, 10, (80, 25)))  # each series has times of its own
    >>> y = np.arange(80) % 2
    >>> X = np.sin((2 + y[:, None]) * t + rng.uniform(0, 6, (80, 1)))[:, None]
    >>> model = SSMClassifier(n_layers=1, hidden_channels=32, random_state=0)
    >>> model.fit(X[:60], y[:60], t=t[:60]).score(X[60:], y[60:], t=t[60:]) > 0.9
    True
    """

    _parameter_constraints = SSM_CONSTRAINTS
    _quick_parameters = {
        "n_layers": 1, "hidden_channels": 16, "state_size": 16, "readout": "last", "dropout": 0.0,
        "point_dropout": 0.0, "batch_size": 64, "max_iter": 20, "learning_rate": 0.03,
    }  # fmt: skip

    def __init__(
        self,
        n_layers: int = 2,
        *,
        hidden_channels: int = 64,
        state_size: int = 32,
        kernel: str = "s4d_lin",
        selective: bool = False,
        dt_min: float | str = "auto",
        dt_max: float | str = "auto",
        readout: str = "mean",
        dropout: float = 0.1,
        point_dropout: float | str = "auto",
        time_channel: int | None = None,
        optimizer: str = "adamw",
        max_iter: int = 60,
        max_time: float | None = None,
        learning_rate: float = 0.005,
        learning_rate_schedule: str = "cosine",
        batch_size: int | str = 32,
        alpha: float = 1.0,
        clip_norm: float | None = 1.0,
        tol: float = 1e-4,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 20,
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        device: str = "auto",
        dtype: str = "float32",
        verbose: int = 0,
    ) -> None:
        self.n_layers = n_layers
        self.hidden_channels = hidden_channels
        self.state_size = state_size
        self.kernel = kernel
        self.selective = selective
        self.dt_min = dt_min
        self.dt_max = dt_max
        self.readout = readout
        self.dropout = dropout
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

    def _config(self, n_features, n_outputs):
        return module_config(self, n_features, n_outputs)

    @staticmethod
    def _build_module(**config: Any) -> SSMNetwork:
        return SSMNetwork(**config)

    @classmethod
    def _check_state(cls, state):
        check_inputs(cls.__name__, state)

    _network_inputs = inputs_of
