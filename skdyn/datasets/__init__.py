"""Data to learn from: trajectories of known systems, a real record, functions, activations.

Every generator of trajectories returns ``(X, t)``: trajectories of shape ``(n_cases, n_channels,
n_timepoints)`` and their times, shared ``(n_timepoints,)`` or one row for each case. All share one
engine, which integrates the equations to a relative tolerance of 1e-10 and then, on request,
samples irregularly, adds noise and loses values. :func:`make_superposition` returns activations,
``(n_samples, n_features)``, with the sparse codes and the dictionary they were made from.
Generators of functions return pairs ``(X, y)`` of functions on grids: one-dimensional ones as
rows ``(n_samples, n_points)``, others as ``(n_samples, n_channels, *grid_shape)``; on clouds of
points they are :class:`FieldData`.
"""

from skdyn.datasets._bags import make_bags
from skdyn.datasets._chaotic import make_lorenz63, make_lorenz96
from skdyn.datasets._circle import make_burgers, make_kuramoto_sivashinsky
from skdyn.datasets._darcy import make_darcy
from skdyn.datasets._field_data import FieldData
from skdyn.datasets._linear_operators import make_advection, make_antiderivative
from skdyn.datasets._lynx_hare import load_lynx_hare
from skdyn.datasets._navier_stokes import make_navier_stokes_2d
from skdyn.datasets._oscillators import (
    make_damped_oscillator,
    make_lotka_volterra,
    make_pendulum,
    make_van_der_pol,
)
from skdyn.datasets._poisson_shapes import make_poisson_shapes
from skdyn.datasets._random_fields import make_gaussian_random_field
from skdyn.datasets._spirals import LabeledTrajectories, make_spirals
from skdyn.datasets._superposition import Superposition, make_superposition
from skdyn.datasets._trajectories import make_trajectories

__all__ = [
    "FieldData",
    "LabeledTrajectories",
    "Superposition",
    "load_lynx_hare",
    "make_advection",
    "make_antiderivative",
    "make_bags",
    "make_burgers",
    "make_damped_oscillator",
    "make_darcy",
    "make_gaussian_random_field",
    "make_kuramoto_sivashinsky",
    "make_lorenz63",
    "make_lorenz96",
    "make_lotka_volterra",
    "make_navier_stokes_2d",
    "make_pendulum",
    "make_poisson_shapes",
    "make_spirals",
    "make_superposition",
    "make_trajectories",
    "make_van_der_pol",
]


def __getattr__(name: str) -> type:
    if name != "LabelledTrajectories":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from skdyn.exceptions import warn_user

    warn_user(
        "skdyn.datasets.LabelledTrajectories is called LabeledTrajectories now; the old name goes "
        "two minor releases after the one that brought the new.",
        FutureWarning,
    )
    return LabeledTrajectories
