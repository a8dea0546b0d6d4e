"""The ODE as a network's depth: what the tabular regressor and classifier share."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Annotated, Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from skdyn._state import Since
from skdyn._tabular import TabularEstimator
from skdyn._validation import Interval, StrOptions, check_is_fitted, is_whole, validate_data
from skdyn.base import TorchEstimator
from skdyn.neural_ode._penalty import EPOCHS, FLAT, choose_penalty
from skdyn.solvers import ACTIVATIONS, MLPField, SolverStats, solve_ode, solver_names

ODE_CONSTRAINTS = {
    "hidden_layer_sizes": ["array-like"],
    "activation": [StrOptions(set(ACTIVATIONS))],
    "augment_dim": [Interval(Integral, 0, None, closed="left")],
    "solver": [StrOptions(set(solver_names()))],
    "rtol": [Interval(Real, 0, None, closed="neither")],
    "atol": [Interval(Real, 0, None, closed="neither")],
    "adjoint": [StrOptions({"discrete", "checkpoint", "continuous"})],
    "max_steps": [Interval(Integral, 1, None, closed="left")],
    "regularization": [StrOptions({"error", "stiffness"}), None],
    "regularization_mode": [StrOptions({"global", "local"})],
    "regularization_weight": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
}


_SETTLES = 0.5  # share of a schedule after which losses are compared


class DepthODE(torch.nn.Module):
    """A state that starts as the (augmented) input, flows for one unit of time and is read out.

    Parameters
    ----------
    n_features, n_outputs : int
        Width of inputs and outputs.
    augment_dim : int
        Zeros appended to the input.
    hidden_layer_sizes : tuple of int
        Hidden layers of the field.
    activation : str
        The field's activation.
    solver, adjoint : str
        Solver and how it is differentiated.
    rtol, atol : float
        Tolerances of adaptive solvers.
    max_steps : int
        Bound on the steps of a solve.
    """

    times: torch.Tensor

    def __init__(
        self,
        n_features: int,
        n_outputs: int,
        augment_dim: int,
        hidden_layer_sizes: tuple[int, ...],
        activation: str,
        solver: str,
        rtol: float,
        atol: float,
        adjoint: str,
        max_steps: int,
    ) -> None:
        super().__init__()
        width = n_features + augment_dim
        self.augment_dim = augment_dim
        self.options = {
            "solver": solver, "rtol": rtol, "atol": atol, "adjoint": adjoint,
            "max_steps": max_steps,
        }  # fmt: skip
        self.field: Any = MLPField(width, hidden_layer_sizes, activation, time_dependent=True)
        self.readout = torch.nn.Linear(width, n_outputs)
        with torch.no_grad():  # start near the identity flow, that is, from a linear model
            self.field.layers[-1].weight.mul_(0.1)
            self.field.layers[-1].bias.zero_()
        self.register_buffer("times", torch.tensor([0.0, 1.0]), persistent=False)

    def flow(
        self, x, weight=None, regularization=None, regularization_mode="global", generator=None
    ):
        """Solve from the augmented input at depth 0 to depth 1.

        The first step tried is the whole way, which is often short enough. While training, the
        batch shares its steps; afterwards each row has its own, so that its
        answer does not depend on the rows beside it.

        Parameters
        ----------
        x : Tensor of shape (n, n_features)
            Inputs.
        weight : Tensor of shape (n,), default=None
            Weights of the rows in the choice of the steps they share.
        regularization, regularization_mode, generator
            See :func:`skdyn.solvers.solve_ode`.

        Returns
        -------
        ODESolution
        """
        y0 = torch.nn.functional.pad(x, (0, self.augment_dim))
        return solve_ode(
            self.field, y0, self.times,
            step_control="joint" if self.training else "per_sample", case_weight=weight,
            regularization=regularization, regularization_mode=regularization_mode,
            generator=generator, first_step=1.0, **self.options,
        )  # fmt: skip

    def forward(self, x):
        """Return the outputs of shape (n, n_outputs)."""
        return self.readout(self.flow(x).ys[:, -1])


class DepthEstimator(TabularEstimator):
    """Parameters and hooks of the tabular neural ODEs."""

    alpha_: Annotated[float | int, Since(lambda state: state["alpha"])]
    _warmth: Annotated[float, Since(lambda state: 1.0)]  # of scores of classes

    _parameter_constraints = {
        **TorchEstimator._parameter_constraints,
        **ODE_CONSTRAINTS,
        "alpha": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
    }
    _max_recoveries, _takes_blocks = 3, True

    def __init__(
        self,
        hidden_layer_sizes: ArrayLike = (64,),
        *,
        activation: str = "silu",
        augment_dim: int = 4,
        regularization: str | None = None,
        regularization_mode: str = "global",
        regularization_weight: float | str = "auto",
        solver: str = "tsit5",
        rtol: float = 1e-3,
        atol: float = 1e-4,
        adjoint: str = "discrete",
        max_steps: int = 1000,
        optimizer: str = "adam",
        max_iter: int = 200,
        max_time: float | None = None,
        learning_rate: float = 0.03,
        learning_rate_schedule: str = "one_cycle",
        batch_size: int | str = "auto",
        alpha: float | str = "auto",
        clip_norm: float | None = 0.3,
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
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.augment_dim = augment_dim
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

    def _config(self, n_features, n_outputs):
        return {
            "n_features": n_features,
            "n_outputs": n_outputs,
            "augment_dim": self.augment_dim,
            "hidden_layer_sizes": check_layer_sizes(self.hidden_layer_sizes),
            "activation": self.activation,
            "solver": self.solver,
            "rtol": self.rtol,
            "atol": self.atol,
            "adjoint": self.adjoint,
            "max_steps": self.max_steps,
        }

    def _settings(self):
        return super()._settings()._replace(alpha=getattr(self, "alpha_", FLAT))

    def _stages(self, generator, task):
        self._set_penalty(task)
        (stage,) = super()._stages(generator, task)
        # What a schedule has in store for the end is worth more than the first losses tell.
        planned = self.learning_rate_schedule not in ("constant", "plateau")
        return [stage._replace(steady_from=_SETTLES if planned else 0.0)]

    def _set_penalty(self, task):
        """Choose the penalty, where that is asked for and there is no network that goes on."""
        if not isinstance(self.alpha, str):
            self.alpha_, self._warmth = self.alpha, 1.0
        elif task.goes_on:
            pass  # it stays what it was
        elif task.incremental or self.max_iter < EPOCHS:
            self.alpha_, self._warmth = FLAT, 1.0
        else:
            seed = check_random_state(self.random_state).randint(np.iinfo(np.int32).max)
            config = self._config(task.training[0].shape[1], self._n_outputs())
            chosen = choose_penalty(self, task.training, task.total_weight, config, seed)
            self.alpha_ = chosen.alpha
            self._warmth = max(1.0, chosen.temperature)  # few rows, all answered well, prove little

    @staticmethod
    def _build_module(**config: Any) -> DepthODE:
        return DepthODE(**config)

    def _objective(self, generator):
        share = penalty_weight(self)

        def objective(module, X, y, weight):
            flow = module.flow(X, weight, self.regularization, self.regularization_mode, generator)
            loss = (self._row_loss(module.readout(flow.ys[:, -1]), y) * weight).mean()
            if self.regularization is None:
                return loss
            return loss + share * flow.regularization

        return objective

    def solver_statistics(self, X: ArrayLike) -> SolverStats:
        """Solve for the rows of ``X`` and report what it cost.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.

        Returns
        -------
        SolverStats
            Field evaluations (``n_fev``), accepted and rejected steps; see
            :class:`skdyn.solvers.SolverStats`.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=[np.float64, np.float32])
        with torch.no_grad():
            module = self._module_for(X.dtype)
            return module.flow(torch.as_tensor(self._scaled(X)).to(next(module.parameters()))).stats


def penalty_weight(estimator, error_share=1.0):
    """Return the weight of the penalty on the solver's estimates.

    Parameters
    ----------
    estimator : estimator
        With ``regularization``, ``regularization_weight`` and ``rtol``.
    error_share : float, default=1.0
        What an error of the size of the relative tolerance adds to the loss.

    Returns
    -------
    float
    """
    if estimator.regularization_weight != "auto":
        return estimator.regularization_weight
    # An error is of the size of the tolerance, whatever that is; stiffness has a size of its own,
    # for which Pal et al. (2021) take 0.0285.
    return error_share / estimator.rtol if estimator.regularization == "error" else 0.03


def check_layer_sizes(hidden_layer_sizes):
    """Return the sizes as a tuple of positive ints.

    Parameters
    ----------
    hidden_layer_sizes : array-like of int
        The estimator's parameter.

    Returns
    -------
    tuple of int

    Raises
    ------
    ValueError
        If a size is not a positive whole number.
    """
    sizes = tuple(hidden_layer_sizes)
    if not all(is_whole(size, 1) for size in sizes):
        raise ValueError(
            f"hidden_layer_sizes must be positive whole numbers, e.g. (64,) or (64, 64); got "
            f"{hidden_layer_sizes!r}."
        )
    return tuple(int(size) for size in sizes)
