r"""Controlled differential equations.

.. math:: dz = f(t, z)\, dX

is the ordinary equation with right-hand side :math:`f(t, z)\, \dot X(t)` along a path X.
"""

from collections.abc import Callable, Sequence

import torch

from skdyn.solvers._paths import Path
from skdyn.solvers._solve import ODESolution, solve_ode

__all__ = ["solve_cde"]


def solve_cde(
    field: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    z0: torch.Tensor,
    path: Path,
    t: torch.Tensor | Sequence[float] | None = None,
    *,
    solver: str = "tsit5",
    rtol: float = 1e-5,
    atol: float = 1e-6,
    step_control: str = "joint",
    adjoint: str | None = "discrete",
    max_steps: int = 1000,
    step_size: float | None = None,
) -> ODESolution:
    r"""Solve :math:`dz = f(t, z)\, dX` along a path.

    Parameters
    ----------
    field : callable
        ``field(t, z)`` returns (n, d, c) for states ``z`` (n, d): what each of the path's c
        channels does to each of the state's d dimensions. A module's output of d times c numbers
        wants ``.view(-1, d, c)``.
    z0 : tensor of shape (n, d)
        Initial states.
    path : Path
        See :func:`interpolate_path`. Gradients reach the values that it was laid through.
    t : tensor of shape (t,), default=None
        Times at which states are wanted, the first that of ``z0``, from the path's first knot to
        its last; None means the knots, which is a must where each case has its own.
    solver : str, default="tsit5"
        One of ``solver_names()``.
    rtol, atol : float, default=1e-5, 1e-6
        Tolerances of adaptive solvers.
    step_control : {"joint", "per_sample"}, default="joint"
        One step size for all, or one for each case.
    adjoint : {"discrete", "checkpoint", "continuous", None}, default="discrete"
        How gradients are computed; see :func:`solve_ode`.
    max_steps : int, default=1000
        Steps tried before the solve gives up.
    step_size : float, default=None
        Size of fixed steps.

    Returns
    -------
    solution : ODESolution
        With ``ys`` of shape (n, t, d).

    Raises
    ------
    ValueError
        If an argument is not what it should be.
    SolverError
        If the equation cannot be solved that far.

    Examples
    --------
    >>> import torch
    >>> from skdyn.solvers import interpolate_path, solve_cde
    >>> path = interpolate_path(torch.tensor([[[0.0], [1.0], [3.0]]]), [0.0, 1.0, 2.0])
    >>> z = solve_cde(lambda t, z: z[:, :, None], torch.ones(1, 1), path).ys
    >>> bool((z.flatten().log() - torch.tensor([0.0, 1.0, 3.0])).abs().max() < 1e-4)
    True
    """
    if not isinstance(path, Path):
        raise ValueError(
            f"path must be a Path; got {type(path).__name__}. Make one by "
            "skdyn.solvers.interpolate_path."
        )
    if path.smoothness < 0:
        raise ValueError(
            "a path of kind='hold' jumps, and has no derivative to drive an equation by. Use "
            "kind='rectilinear', which is blind to the future too."
        )
    if t is not None and path.knots.ndim == 2:
        raise ValueError("t must be None where each case has knots of its own.")
    _check_fit(z0, path, t)
    own = path.knots.ndim == 2
    kinked = path.smoothness < 2

    def driven(s, z):
        effect, speed = field(s, z), path.derivative(s)
        wanted = (len(z), z.shape[1], path.n_channels)
        if not isinstance(effect, torch.Tensor) or effect.shape != wanted:
            came = (
                tuple(effect.shape) if isinstance(effect, torch.Tensor) else type(effect).__name__
            )
            raise ValueError(f"field(t, z) must return shape {wanted}; got {came}.")
        return (effect @ speed.reshape(len(speed), -1, 1))[:, :, 0]

    return solve_ode(
        driven, z0, path.knots.detach() if t is None else t, solver=solver, rtol=rtol, atol=atol,
        step_control=step_control, adjoint=adjoint, max_steps=max_steps, step_size=step_size,
        stops=("times" if own else path.knots.detach()) if kinked else None,
        jumps=path.smoothness == 0,
    )  # fmt: skip


def _check_fit(z0, path, t):
    """Refuse states and times that are not those of the path."""
    n_paths, dtype = len(path.coefficients), path.coefficients.dtype
    if isinstance(z0, torch.Tensor) and (z0.dtype != dtype or len(z0) != n_paths != 1):
        raise ValueError(
            f"z0 must hold {dtype} states, as the path does, of its {n_paths} cases; got "
            f"{tuple(z0.shape)} of {z0.dtype}."
        )
    if t is None:
        return
    first, last = path.knots[0].item(), path.knots[-1].item()
    times = torch.as_tensor(t, dtype=torch.float64)
    slack = 1e-6 * (last - first)  # times that were computed in another precision
    if bool(((times < first - slack) | (times > last + slack)).any()):
        raise ValueError(
            f"t must lie within the path, from {first:g} to {last:g}: nothing is known of it "
            f"beyond; got {times.min():g} to {times.max():g}."
        )
