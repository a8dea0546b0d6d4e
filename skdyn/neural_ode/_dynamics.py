"""The network of trajectories, and the two objectives it is trained on."""

import torch

from skdyn.exceptions import SolverError
from skdyn.neural_ode._drive import Drive
from skdyn.neural_ode._hidden import StartEncoder
from skdyn.neural_ode._known import GrayField, KnownPart, gray
from skdyn.neural_ode._line import LinedField
from skdyn.neural_ode._region import PulledField
from skdyn.neural_ode._unsolved import retold
from skdyn.solvers import PATH_KINDS, MLPField, Path, solve_ode
from skdyn.solvers._field import DrivenField

__all__ = ["CollocationObjective", "HiddenCollocation", "TrajectoryODE", "WindowObjective"]


_SHARE = 1e-3  # of the network's squared velocities that a loss is raised by beside formulas


class TrajectoryODE(torch.nn.Module):
    """An autonomous field and how to solve it, on standardized states and times.

    Channels that stood still in all data stand still: nothing tells how they would move, and a
    field that is free there runs away from where the data are.

    Parameters
    ----------
    n_states : int
        Dimension of the observed state.
    augment_dim : int
        Further dimensions, 0 at the first time.
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
    moving : tuple of int or None, default=None
        Channels that move; the others keep their values and are no input of the field. None takes
        all.
    n_controls, n_covariates : int, default=0
        Inputs of the field beside the state.
    input_interpolation : str, default="linear"
        Kind of path between the controls.
    omega, rate : float, default=0.0
        Change of phase and of standardized time by time; zero where the field is not told.
    n_read : int, default=0
        Numbers that tell where the further dimensions begin; they begin at 0 without any.
    known : tuple of str, default=()
        Formulas of what is known of the velocities.
    known_names, known_parameters, known_offset, known_scale : tuple, default=()
        See :class:`~skdyn.neural_ode._known.KnownPart`.
    time_scale : float, default=1.0
        Unit of time, which formulas want to know.
    lined : bool, default=False
        Whether the network corrects a line, see :class:`~skdyn.neural_ode._line.LinedField`.
    """

    slope: torch.Tensor
    middle: torch.Tensor

    def __init__(
        self,
        n_states: int,
        augment_dim: int,
        hidden_layer_sizes: tuple[int, ...],
        activation: str,
        solver: str,
        rtol: float,
        atol: float,
        adjoint: str,
        max_steps: int,
        moving: tuple[int, ...] | None = None,
        n_controls: int = 0,
        n_covariates: int = 0,
        input_interpolation: str = "linear",
        omega: float = 0.0,
        rate: float = 0.0,
        n_read: int = 0,
        known: tuple[str, ...] = (),
        known_names: tuple[str, ...] = (),
        known_parameters: tuple[tuple[str, float], ...] = (),
        known_offset: tuple[float, ...] = (),
        known_scale: tuple[float, ...] = (),
        time_scale: float = 1.0,
        lined: bool = False,
    ) -> None:
        super().__init__()
        self.n_states = n_states
        self.augment_dim = augment_dim
        self.options = {
            "solver": solver, "rtol": rtol, "atol": atol, "adjoint": adjoint,
            "max_steps": max_steps,
        }  # fmt: skip
        self.moving = list(range(n_states) if moving is None else moving)
        if not all(0 <= channel < n_states for channel in self.moving):
            raise ValueError(f"moving must hold some of {n_states} channels; got {self.moving}.")
        self.n_controls, self.n_covariates = n_controls, n_covariates
        self.input_interpolation = input_interpolation
        self.omega, self.rate = omega, rate
        dim = len(self.moving) + augment_dim
        self.n_inputs = n_controls + n_covariates + 2 * bool(omega) + bool(rate)
        sizes = hidden_layer_sizes, activation
        self.field = MLPField(dim, *sizes, n_inputs=self.n_inputs)
        self.encoder = StartEncoder(n_read, augment_dim) if n_read else None
        self.known = None
        if known:
            units = known_offset, known_scale, time_scale
            self.known = KnownPart(known, known_names, known_parameters, *units)
        self.lined = lined
        if lined:
            self.register_buffer("slope", torch.zeros(dim, dim))
            self.register_buffer("middle", torch.zeros(dim))
        if known or lined:
            with torch.no_grad():  # what is known comes first
                for parameter in self.field.layers[-1].parameters():
                    parameter.zero_()

    def take_line(self, line):
        """Take a line's numbers."""
        with torch.no_grad():
            self.slope.copy_(torch.as_tensor(line.slope))
            self.middle.copy_(torch.as_tensor(line.middle))
        return self

    def parameter_groups(self):
        """Constants of formulas are no weights, and not penalized."""
        return [] if self.known is None else [{"params": [self.known.change], "decay": False}]

    def forward(self, x):
        """Return velocities (n, n_states), further dimensions at 0.

        Parameters
        ----------
        x : Tensor of shape (n, n_states + n_inputs)
            Observed states, with inputs to their right.

        Returns
        -------
        Tensor of shape (n, n_states)
        """
        moves = self.moves(x[:, : self.n_states], x[:, self.n_states :])[:, : len(self.moving)]
        x = x[:, : self.n_states]
        return self._among_the_still(moves, torch.zeros_like(x))

    def moves(self, x, inputs, hidden=None):
        """Return the velocities of what moves, hidden dimensions last."""
        at, y = (inputs,) if self.n_inputs else (), self._augmented(x, hidden)
        if self.known is not None:
            return gray(self.known, self.field, x.new_zeros(()), y, inputs)
        if self.lined:
            return self._along(None)(x.new_zeros(()), y)
        return self.field(x.new_zeros(()), y, *at)

    def taken_over(self, x, inputs):
        """What the network's share of the velocities costs where part of them is known.

        Else what a formula says and the network repeats could be told apart by nothing.
        """
        if self.known is None:
            return 0.0
        at, y = (inputs,) if self.n_inputs else (), self._augmented(x)
        return _SHARE * self.field(x.new_zeros(()), y, *at).square().mean()

    def flow(
        self, x0, times, drive=None, read=None, pull=None,
        regularization=None, regularization_mode="global", generator=None,
    ):  # fmt: skip
        """Solve from ``x0`` at the first time to all times.

        While training, the batch shares its steps; afterwards each case has its own, so that its
        answer does not depend on the cases beside it.

        Parameters
        ----------
        x0 : Tensor of shape (n, n_states)
            States.
        times : Tensor of shape (t,) or (n, t)
            Times, the first that of ``x0``.
        drive : Drive or None, default=None
            Inputs, where there are any. Where they jump, the times hold all jumps.
        read : Tensor of shape (n, n_read) or None, default=None
            What tells where the further dimensions begin.
        pull : tuple or None, default=None
            What a :class:`~skdyn.neural_ode._region.PulledField` takes; None for none.
        regularization, regularization_mode, generator
            See :func:`skdyn.solvers.solve_ode`.

        Returns
        -------
        ODESolution
            With ``ys`` of shape (n, t, n_states).
        """
        hidden = None if read is None or self.encoder is None else self.encoder(read)
        field = self._along(drive)
        if pull is not None:
            field = PulledField(field, pull, bool(times.flatten()[0] > times.flatten()[-1]))
        solution = solve_ode(
            field,
            self._augmented(x0, hidden), times, **({} if drive is None else drive.stops(times)),
            step_control="joint" if self.training else "per_sample",
            regularization=regularization, regularization_mode=regularization_mode,
            generator=generator, **self.options,
        )  # fmt: skip
        ys = solution.ys[..., : len(self.moving)]
        still = x0[:, None].expand(-1, ys.shape[1], -1)
        return solution._replace(ys=self._among_the_still(ys, still))

    def _along(self, drive):
        """The field along inputs."""
        if self.known is not None:
            return GrayField(self.known, self.field, drive)
        if self.lined:
            return LinedField(self.field, self.slope, self.middle)
        return self.field if drive is None else DrivenField(self.field, drive)

    def _among_the_still(self, moving, still):
        """Put what moves in its place among what does not."""
        if len(self.moving) == self.n_states:
            return moving
        return still.index_copy(-1, torch.tensor(self.moving, device=still.device), moving)

    def _augmented(self, x, hidden=None):
        x = x if len(self.moving) == self.n_states else x[:, self.moving]
        if hidden is not None:
            return torch.cat([x, hidden], dim=1)
        return torch.nn.functional.pad(x, (0, self.augment_dim)) if self.augment_dim else x


class CollocationObjective:
    """Mean squared error of the field against velocities: no equation is solved."""

    def __call__(self, module, states, velocities):
        """Return the loss of a batch of states and velocities (n, n_states)."""
        x, inputs = states[:, : module.n_states], states[:, module.n_states :]
        return (module(states) - velocities).square().mean() + module.taken_over(x, inputs)


class HiddenCollocation:
    """As ``CollocationObjective``, for states with hidden dimensions, and for their encoder."""

    def __call__(self, module, states, inputs, hidden, velocities, read, whole):
        """Return the loss of a batch; ``whole`` marks starts from which all points were read."""
        error = (module.moves(states, inputs, hidden) - velocities).square().mean()
        start = (module.encoder(read) - hidden).square() * whole
        return error + start.mean()


class WindowObjective:
    """Mean squared error of solutions over windows.

    Parameters
    ----------
    starts : Tensor of shape (n_windows, n_states) or None
        Start states that are learned, the windows' own order; None takes them from the data.
    windows : Windows
        The windows to train on; when all share their times, one solve serves all.
    penalty : dict
        ``regularization``, ``regularization_mode`` and ``generator`` of the solve.
    penalty_weight : float
        Weight of that regularization.
    time_scale : float, default=1.0
        Unit of the windows' times: errors are told in that of the data.
    """

    def __init__(self, starts, windows, penalty, penalty_weight, time_scale=1.0):
        self.starts = starts
        self.windows = windows
        times = windows.times
        self.shared = abs(times - times[:1]).max() <= 1e-9 * times.max()
        self.penalty = penalty
        self.penalty_weight = penalty_weight
        self.time_scale = time_scale

    def __call__(self, module, index, starts, times, targets, weights, *further):
        """Return the loss of a batch of windows."""
        if module.training and self.starts is not None:
            starts = self.starts[index]
        times = times[0] if self.shared else times
        drive, read = None, further[-1] if self.windows.read else None
        if self.windows.driven:
            pieces, fixed = further[:2]
            kind = PATH_KINDS[module.input_interpolation]
            drive = Drive(module, Path(times, pieces, kind) if pieces.shape[3] else None, fixed)
        try:
            penalty = self.penalty if module.training else {}
            flow = module.flow(starts, times, drive, read, **penalty)
        except SolverError as error:
            window = int(index[error.case])
            begin, case = self.windows.begins[window], int(self.windows.case[window])
            raise retold(
                error, case, (begin + error.t) * self.time_scale, " in training"
            ) from error
        loss = ((flow.ys - targets).square() * weights).mean()
        inputs = starts[:, :0] if drive is None else drive(starts.new_zeros(()))
        loss = loss + module.taken_over(starts, inputs)
        if flow.regularization is not None:
            loss = loss + self.penalty_weight * flow.regularization
        return loss
