"""Failed solves in the units of the data: the solver knows scaled states and times only."""

from contextlib import contextmanager

from skdyn.exceptions import DivergenceError, SolverError, StiffnessError

__all__ = ["retold", "told_by_case"]

_HINT = "shorten the horizon, or fit data from about there too"
_IN_TRAINING = "lower learning_rate, shorten window, or scale the data"


def retold(error, case, t, when=""):
    """Build an error that says the same in the units of the data.

    Parameters
    ----------
    error : SolverError
        In scaled units.
    case : int
        The case in the data.
    t : float
        The time in the data's unit.
    when : str, default=""
        What was being done, where that was training.

    Returns
    -------
    SolverError
        Of the same class.
    """
    details = {**error.details, "case": case, "t": t}
    n_steps = details.get("n_steps")
    if isinstance(error, DivergenceError):
        what = "The learned dynamics diverge"
        hint = _IN_TRAINING if when else _HINT
    elif isinstance(error, StiffnessError):
        what = "The learned dynamics are too stiff for the solver"
        hint = details.get("hint", _HINT)
    else:
        what = f"The learned dynamics took all of max_steps={n_steps}"
        hint = details.get("hint", _HINT)
    size = ""
    if "norm" in details:
        size = f", {details['norm']:.3g} deviations of the data away from their mean"
    message = f"{what}{when} at t={t:.6g} in case {case}{size}; {hint}."
    return type(error)(message, **details | {"hint": hint})


@contextmanager
def told_by_case(cases, starts, time_scale=1.0):
    """Retell an error of a solve over some cases by their numbers and in the unit of the data.

    Parameters
    ----------
    cases : array-like of int
        Number of each case that is solved.
    starts : array-like of float
        The time each starts at, in the unit of the data.
    time_scale : float, default=1.0
        That unit's size.

    Yields
    ------
    None
        Nothing.
    """
    try:
        yield
    except SolverError as error:
        start, case = float(starts[error.case]), int(cases[error.case])
        raise retold(error, case, start + error.t * time_scale) from error
