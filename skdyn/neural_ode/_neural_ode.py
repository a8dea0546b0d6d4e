"""Dynamics learned from trajectories."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.exceptions import ConvergenceWarning

from skdyn._dynamics import refuse_unread
from skdyn._spikes import without_spikes
from skdyn._time_units import read_times
from skdyn._times import are_counted, refuse_lost_times, refuse_times_as_y
from skdyn._trajectories import Cases, check_trajectories, split_trajectories
from skdyn._validation import Interval, StrOptions, fit_context
from skdyn.base import TorchEstimator
from skdyn.exceptions import warn_user
from skdyn.neural_ode._collocation import smooth_trajectories
from skdyn.neural_ode._depth import ODE_CONSTRAINTS, check_layer_sizes
from skdyn.neural_ode._dynamics import TrajectoryODE
from skdyn.neural_ode._inputs import learn_input_scales, read_inputs
from skdyn.neural_ode._noisy_records import doubt_forecasts, plan_of_a_record, stage_of_a_record
from skdyn.neural_ode._plan import (
    Scales,
    certainty,
    doubt_few_points,
    fitted_starts,
    learn_scales,
    moving_channels,
    plan_stages,
    prepare,
    what_faded,
)
from skdyn.neural_ode._region import learn_region
from skdyn.neural_ode._running_away import warn_if_solutions_run_away
from skdyn.neural_ode._simulation import LearntDynamics
from skdyn.neural_ode._standard_errors import standard_errors

__all__ = ["NeuralODE"]


class NeuralODE(LearntDynamics, TorchEstimator):
    """Dynamical system whose velocity is a neural network, learned from trajectories.

    The model is [1]_

    .. math:: \\frac{dx}{dt} = f_\\theta(x), \\qquad x(t_0) = x_0.

    Training goes from easy to hard: first the network is fitted to the velocities of smoothed
    data, which takes no solver (collocation [2]_), then to solutions over windows that grow to the
    whole trajectory, each with a start state of its own (multiple shooting [3]_). Only time
    differences matter, so trajectories may start at different times.

    Parameters
    ----------
    hidden_layer_sizes : array-like of int, default=(64,)
        Widths of the hidden layers of the network that is the field.
    activation : {"gelu", "relu", "sigmoid", "silu", "softplus", "tanh"}, default="silu"
        Activation of the field's hidden layers.
    augment_dim : int, default=0
        Number of hidden dimensions beside the state [4]_: memory for dynamics that the observed
        channels do not determine.
    hidden_start : {"zeros", "encoder"}, default="zeros"
        Where hidden dimensions begin. At "zeros", every window begins with its trajectory, and
        there is no collocation. An "encoder" is a network that reads the first time points of a
        trajectory, with their gaps; forecasts are then made by ``predict`` of trajectories that
        end in NaN.
    hidden_points : int, default=10
        Number of time points that the encoder reads.
    time_channel : int or None, default=None
        Channel of ``X`` that holds the times, instead of ``t``.
    input_interpolation : {"linear", "hold", "hermite"}, default="linear"
        How controls ``u`` go from one time point to the next: in straight lines, not at all until
        the next (the solver then stops at the jumps), or by smooth cubic pieces.
    time_dependent : bool, default=False
        Whether the field is told the time: dynamics that drift. Forecasts beyond the times of
        training are extrapolation then.
    period : float or None, default=None
        Period in the unit of ``t`` with which the field may depend on time, such as a year.
    known : list of str or None, default=None
        What is known of the velocities: a formula for each channel, "0" where nothing is, in the
        names of the channels (x0, x1, ... without names), of the controls (u0, u1, ...) and of
        ``parameters``, and in the units of the data. The network learns what they leave.
    parameters : dict of str to float or None, default=None
        Constants of the formulas that are fitted, and their start values.
    pretrain : {"collocation"} or None, default="collocation"
        Whether to start with a fit to the velocities of smoothed data.
    window : "auto", int or None, default="auto"
        Time intervals a window. "auto" grows from about two characteristic times of the data to
        the whole trajectory (512 intervals at most); None takes whole trajectories from the start.
        Solutions that leave the data within ten windows are trained over these for half of
        ``max_iter`` again.
    learn_x0 : bool or "auto", default="auto"
        Whether the windows' start states are learned, from smoothed data; otherwise they stay
        there. "auto" learns them where data are noisy or missing.
    regularization : {"error", "stiffness"} or None, default=None
        Penalty on the solver's embedded error estimate or on its stiffness estimate, which makes
        the learned field cheaper to solve [5]_.
    regularization_mode : {"global", "local"}, default="global"
        Sum the penalty over all steps, or take it at one random step per solve [6]_.
    regularization_weight : float or "auto", default="auto"
        Weight of the penalty beside the loss; "auto" is ``0.001 / rtol`` for "error", 0.03 else.
    solver : str, default="tsit5"
        Method of solution; :mod:`skdyn.solvers` lists them.
    rtol : float, default=0.0001
        Relative tolerance of adaptive solvers.
    atol : float, default=1e-05
        Absolute tolerance of adaptive solvers.
    adjoint : {"discrete", "checkpoint", "continuous"}, default="discrete"
        How the solution is differentiated; see :func:`skdyn.solvers.solve_ode`.
    max_steps : int, default=1000
        Bound on the steps of one solve.
    optimizer : {"adam", "adamw", "sgd", "lbfgs"}, default="lbfgs"
        Optimizer of the weights. "lbfgs" always uses the full batch.
    max_iter : int, default=50
        Number of epochs at most.
    max_time : float or None, default=None
        Seconds after which training stops with a warning, at the end of an epoch. None sets no
        limit.
    learning_rate : float, default=0.003
        Step size of the optimizer; "lbfgs" finds its own.
    learning_rate_schedule : {"constant", "cosine", "exponential", "one_cycle", "plateau"}, \
            default="constant"
        How the step size changes over ``max_iter`` epochs. "plateau" divides it by five when the
        loss no longer falls, and stops only when that no longer helps.
    batch_size : int or "auto", default="auto"
        Cases per batch; "auto" is ``min(200, n_samples)``.
    alpha : float, default=10.0
        Strength of the L2 penalty on the weights; it is divided by the number of samples (the total
        of their weights) when added to the mean loss, as scikit-learn's networks do.
    clip_norm : float or None, default=None
        Largest norm of the gradient; larger gradients are scaled down to it.
    tol : float, default=1e-06
        Smallest decrease of the loss that counts as an improvement.
    early_stopping : bool, default=False
        Whether to stop when the loss on validation data no longer improves, and to keep the weights
        that were best there.
    validation_fraction : float, default=0.1
        Share of the training data set aside for early stopping when ``X_val`` is not given.
    n_iter_no_change : int or "auto", default="auto"
        Epochs without improvement after which training stops; "auto" is sixty passes over the data:
        3 epochs of "lbfgs", 60 of the other optimizers.
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
        Number of channels seen during fit, that of the times included.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, when all are strings.
    interval_ : float
        Median time between successive training points.
    time_unit_ : str or None
        Unit of ``interval_``, ``period`` and of what ``vector_field`` returns: "days since
        2020-01-01" where times came as dates (UTC), "days" where they came as durations; None
        where they were numbers.
    noise_ : ndarray of shape (n_states,)
        Deviation of the noise in each channel, as the smoothing estimates it.
    alpha_ : float
        Penalty that was used: ``alpha``, or a multiple where noise moves the states.
    x0_ : ndarray of shape (n_cases, n_states)
        First states of the training trajectories as fitted, learned or smoothed (see
        ``learn_x0``): ``simulate(x0_, t)`` is the fit to noisy data.
    parameters_ : dict of str to float
        Fitted constants, where ``known`` gave formulas. What the network may take over is not
        determined: compare fits with more and less ``alpha``.
    parameters_std_ : dict of str to float
        Their standard errors, with the network as it is; infinite for what data do not determine.
    module_ : torch.nn.Module
        The trained network, on standardized states.
    n_iter_ : int
        Number of epochs run, in all stages.
    loss_curve_ : list of float
        Training loss of each epoch. Stages minimize different losses: it jumps between them.
    stages_ : list of tuple of (str, int)
        Name and number of epochs of each stage of the training.
    validation_scores_ : list of float or None
        Minus the validation loss of each epoch of the last stage (higher is better).
    best_loss_ : float
        Lowest validation loss of the last stage, or lowest training loss.
    device_ : str
        Device the network is on.

    See Also
    --------
    NeuralODERegressor : A neural ODE for tables.

    Notes
    -----
    ``alpha`` is the precision of a Gaussian prior on the weights: the penalty is scaled by the
    estimated noise variance over the number of observations. Exact data are hardly penalized. In
    the same units, epochs that gain less than 5 of log-likelihood count as standing still.

    One epoch of "lbfgs" is up to 20 iterations on all windows, or on so many of them, chosen by
    chance, as hold 6000 time points; of the other optimizers it is one
    pass over them in batches: they need a ``max_iter`` of a thousand or more.

    References
    ----------
    .. [1] R. T. Q. Chen, Y. Rubanova, J. Bettencourt, D. Duvenaud, "Neural Ordinary Differential
       Equations", NeurIPS 2018.
    .. [2] E. Roesch, C. Rackauckas, M. P. H. Stumpf, "Collocation based training of neural
       ordinary differential equations", Statistical Applications in Genetics and Molecular
       Biology 20(2), 2021.
    .. [3] E. M. Turan, J. Jaeschke, "Multiple shooting for training neural differential equations
       on time series", IEEE Control Systems Letters 6, 2022.
    .. [4] E. Dupont, A. Doucet, Y. W. Teh, "Augmented Neural ODEs", NeurIPS 2019.
    .. [5] A. Pal, Y. Ma, V. Shah, C. Rackauckas, "Opening the Blackbox: Accelerating Neural
       Differential Equations by Regularizing Internal Solver Heuristics", ICML 2021.
    .. [6] A. Pal, A. Edelman, C. Rackauckas, "Locally Regularized Neural Differential Equations:
       Some Black Boxes Were Meant to Remain Closed!", ICML 2023.

    Examples
    --------
    >>> from skdyn import NeuralODE
    >>> from skdyn.datasets import make_lotka_volterra
    >>> X, t = make_lotka_volterra(n_cases=5, n_timepoints=50, t_span=(0, 5), random_state=0)
    >>> model = NeuralODE(max_iter=10, tol=0, random_state=0).fit(X, t=t)
    >>> model.predict(X[:, :, 0], t).shape
    (5, 2, 50)
    >>> model.score(X, t=t) > 0.9
    True
    """

    _parameter_constraints = {
        **TorchEstimator._parameter_constraints,
        **ODE_CONSTRAINTS,
        "hidden_start": [StrOptions({"zeros", "encoder"})],
        "hidden_points": [Interval(Integral, 1, None, closed="left")],
        "time_channel": [Integral, None],
        "input_interpolation": [StrOptions({"linear", "hold", "hermite"})],
        "time_dependent": ["boolean"],
        "known": [list, None],
        "parameters": [dict, None],
        "period": [Interval(Real, 0, None, closed="neither"), None],
        "pretrain": [StrOptions({"collocation"}), None],
        "window": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"}), None],
        "learn_x0": ["boolean", StrOptions({"auto"})],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
    }
    _exponents = None, 250
    _quick_parameters = {"window": 10, "max_iter": 30}
    _max_recoveries = 3
    _expected_failed_checks = {
        "check_estimators_pickle": (
            "It asks for predictions from incomplete initial states, since fit accepts NaN; "
            "such a state cannot be continued, and predict says so."
        )
    }

    def __init__(
        self,
        hidden_layer_sizes: ArrayLike = (64,),
        *,
        activation: str = "silu",
        augment_dim: int = 0,
        hidden_start: str = "zeros",
        hidden_points: int = 10,
        time_channel: int | None = None,
        input_interpolation: str = "linear",
        time_dependent: bool = False,
        period: float | None = None,
        known: Sequence[str] | None = None,
        parameters: dict[str, float] | None = None,
        pretrain: str | None = "collocation",
        window: int | str | None = "auto",
        learn_x0: bool | str = "auto",
        regularization: str | None = None,
        regularization_mode: str = "global",
        regularization_weight: float | str = "auto",
        solver: str = "tsit5",
        rtol: float = 1e-4,
        atol: float = 1e-5,
        adjoint: str = "discrete",
        max_steps: int = 1000,
        optimizer: str = "lbfgs",
        max_iter: int = 50,
        max_time: float | None = None,
        learning_rate: float = 3e-3,
        learning_rate_schedule: str = "constant",
        batch_size: int | str = "auto",
        alpha: float = 10.0,
        clip_norm: float | None = None,
        tol: float = 1e-6,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int | str = "auto",
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        device: str = "auto",
        dtype: str = "float32",
        verbose: int = 0,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.augment_dim = augment_dim
        self.hidden_start = hidden_start
        self.hidden_points = hidden_points
        self.time_channel = time_channel
        self.input_interpolation = input_interpolation
        self.time_dependent = time_dependent
        self.period = period
        self.known = known
        self.parameters = parameters
        self.pretrain = pretrain
        self.window = window
        self.learn_x0 = learn_x0
        self.regularization = regularization
        self.regularization_mode = regularization_mode
        self.regularization_weight = regularization_weight
        self.solver = solver
        self.rtol = rtol
        self.atol = atol
        self.adjoint = adjoint
        self.max_steps = max_steps
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

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.three_d_array = True
        return tags

    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: Cases,
        y: Any = None,
        *,
        t: Cases | None = None,
        u: Cases | None = None,
        covariates: ArrayLike | None = None,
        groups: None = None,
        X_val: Cases | None = None,
        t_val: Cases | None = None,
        u_val: Cases | None = None,
        covariates_val: ArrayLike | None = None,
    ) -> Self:
        """Learn the dynamics of trajectories.

        Parameters
        ----------
        X : array-like of shape (n_cases, n_channels, n_timepoints) or (n_timepoints, n_features)
            Trajectories, or one trajectory; or a list of ``(n_channels, n_timepoints_i)`` for
            unequal lengths. NaN marks missing values; a moment far from all else counts as
            missing too, with a warning.
        y : Ignored
            Not used, present for API consistency by convention.
        t : array-like of shape (n_timepoints,) or (n_cases, n_timepoints), default=None
            Times, strictly increasing: one row for all cases or one row per case, or a list for
            unequal lengths. None counts 0, 1, 2, ... Dates and durations are read as numbers in
            ``time_unit_``.
        u : array-like, default=None
            Controls in the layout of ``X``: what drives the states from outside. NaN marks missing
            values, which are interpolated.
        covariates : array-like of shape (n_cases, n_covariates), default=None
            What stays the same in a case, and makes its dynamics differ from those of others.
        groups : None, default=None
            Not read, and refused: trajectories come as cases.
        X_val : array-like, default=None
            Trajectories to watch for early stopping, instead of a fraction of the training set.
        t_val : array-like, default=None
            Times of ``X_val``.
        u_val, covariates_val : array-like, default=None
            Controls and covariates of ``X_val``.

        Returns
        -------
        self : object
            The fitted estimator.
        """
        refuse_unread(self, groups=groups)
        given = {"X": X, "metadata": {"t": t}}
        t = read_times(self, t, reset=True)
        t_val = read_times(self, t_val, reset=False, name="t_val")
        data = check_trajectories(self, X, t, time_channel=self.time_channel, reset=True)
        data = read_inputs(self, X, data, u, covariates, reset=True)
        refuse_times_as_y(y, t, data)
        data = without_spikes(data, "X", self.time_channel)
        self._counts_times = are_counted(data)
        if X_val is not None:
            refuse_lost_times(self, t_val, "t_val")
        training, validation = split_trajectories(self, data, X_val, t_val)
        if X_val is not None:
            validation = without_spikes(validation, "X_val", self.time_channel)
            validation = read_inputs(self, X_val, validation, u_val, covariates_val, reset=False)
        smooth = smooth_trajectories(training)
        goes_on = self.warm_start and hasattr(self, "module_")
        if not goes_on:
            self._offset, self._scale, self._time_scale = learn_scales(training, smooth)
            inputs = learn_input_scales(training)
            self._control_scales, self._covariate_scales, self._clock_scales = inputs
        scales = Scales(self._offset, self._scale, self._time_scale)
        self.interval_, self.noise_ = float(np.median(training.intervals)), smooth.noise
        drive = self._drives() if self._n_inputs() else None
        further = drive, self._n_read()
        training = prepare(training, scales, smooth, *further)
        validation = None if validation is None else prepare(validation, scales, None, *further)
        stages: list = []
        config = self._config(data)
        doubt_few_points(data, config["moving"])
        self.x0_ = fitted_starts(stages, training, scales)
        plan = plan_of_a_record(self, config, training, goes_on)
        self.alpha_ = self.alpha * (1.0 if plan is None else plan.factor)

        def make_stages(generator):
            nonlocal stages
            if plan is None:
                stages = plan_stages(self, training, validation, generator, scales.time)
            else:
                stages = [stage_of_a_record(plan, training, self.max_iter, scales.time)]
            return stages

        config |= {} if plan is None else {"lined": True}
        weight = certainty(training) if plan is None else plan.certainty / plan.factor
        self._train(config, make_stages, total_weight=weight, **given)
        self.x0_ = fitted_starts(stages, training, scales)
        self._read_constants(training)
        doubt_forecasts(plan, self.module_, training)
        scaled = data._replace(values=(data.values - self._offset) / self._scale)
        self._whitening, self._radii, self._farthest = learn_region(scaled, self.module_.moving)
        warn_if_solutions_run_away(partial(self._follow, guarded=False), data, stages)
        return self

    def _read_constants(self, training):
        """Set what was found of formulas' constants."""
        for name in ("parameters_", "parameters_std_"):
            vars(self).pop(name, None)
        if self.module_.known is None:
            return
        found = self.module_.known.values.double().tolist()
        self.parameters_ = dict(zip(self.module_.known.constants, found, strict=True))
        starts, module = (self.x0_ - self._offset) / self._scale, self._module_for(np.dtype(float))
        self.parameters_std_ = standard_errors(module, training, starts)

    @staticmethod
    def _build_module(**config: Any) -> TrajectoryODE:
        return TrajectoryODE(**config)

    def _config(self, data):
        goes_on = self.warm_start and hasattr(self, "module_")
        inputs = {}
        if self._n_inputs():
            inputs = {
                "n_controls": len(self.control_names_),
                "n_covariates": self.n_covariates_,
                "input_interpolation": self.input_interpolation,
                **self._clock().rates,
            }
        if self._n_read():
            inputs["n_read"] = self.hidden_points * (2 * len(self._offset) + 1)
        return {
            "n_states": self.n_features_in_ - (self.time_channel is not None),
            "moving": tuple(self.module_.moving) if goes_on else moving_channels(data),
            "augment_dim": self.augment_dim,
            "hidden_layer_sizes": check_layer_sizes(self.hidden_layer_sizes),
            "activation": self.activation,
            "solver": self.solver,
            "rtol": self.rtol,
            "atol": self.atol,
            "adjoint": self.adjoint,
            "max_steps": self.max_steps,
            **inputs,
            **self._known_config(),
        }

    def _tell_how_it_ended(self, record):
        super()._tell_how_it_ended(record)
        if told := what_faded(record):
            warn_user(f"NeuralODE {told}", ConvergenceWarning)
