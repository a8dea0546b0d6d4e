"""Errors and warnings of skdyn.

They derive from the built-in class a caller would guess, so that ``except RuntimeError`` around a
fit keeps working. This module imports nothing of ours: the solvers, which know neither
scikit-learn nor the estimators, raise these too.
"""

import sys
import warnings
from typing import TYPE_CHECKING, Any

__all__ = [
    "DivergenceError",
    "MaxStepsError",
    "MissingExtraError",
    "SolverError",
    "SolverWarning",
    "StiffnessError",
    "TrainingDivergedError",
    "WorkerLostError",
]

_OUR_OWN = ("skdyn", "sklearn", "skorch", "torch", "joblib", "contextlib", "functools")


class SolverError(RuntimeError):
    """A differential equation could not be solved.

    Parameters
    ----------
    message : str
        What happened, where, and what to try.
    **details
        Facts about the failure (``t``, ``case``, ``norm``, ``n_steps``, ``dt`` ...), kept as
        attributes.
    """

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.details = details
        for name, value in details.items():
            setattr(self, name, value)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def __reduce__(self):
        return _rebuild_solver_error, (type(self), str(self), self.details)


def _rebuild_solver_error(cls, message, details):
    """Rebuild an error that carries details, so that a joblib worker can send it home."""
    return cls(message, **details)


class DivergenceError(SolverError):
    """The state left the finite numbers: the field blows up at ``t`` in ``case``."""


class StiffnessError(SolverError):
    """An explicit method had to take steps far below the time scale asked for."""


class MaxStepsError(SolverError):
    """The solve took ``max_steps`` steps and had not reached the last time."""


class SolverWarning(RuntimeWarning):
    """A solve went on, but its result deserves a look."""


class TrainingDivergedError(RuntimeError):
    """The loss became NaN or infinite; the estimator is left as it was before ``fit``."""


class WorkerLostError(RuntimeError):
    """Another process of a shared training is gone or silent; ``fit`` left nothing half fitted."""


class MissingExtraError(ImportError):
    """An optional dependency is missing; the message names the extra that brings it."""


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn, and name the line of the user's code that led here.

    Parameters
    ----------
    message : str
        What happened, and what to do.
    category : type, default=UserWarning
        Kind of warning.
    """
    frame, depth = sys._getframe(1), 2
    while frame is not None and _is_our_own(frame.f_globals.get("__name__", "")):
        frame, depth = frame.f_back, depth + 1
    warnings.warn(message, category, stacklevel=depth)


def _is_our_own(name):
    return name.partition(".")[0] in _OUR_OWN and not name.startswith("skdyn.tests")
