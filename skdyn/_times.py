"""Times that came as something else, or not at all: nothing is counted 0, 1, 2, ... by mistake."""

import warnings
from typing import Any

import numpy as np

from skdyn.exceptions import warn_user

__all__ = [
    "are_counted",
    "are_even",
    "inferred_step",
    "refuse_lost_times",
    "refuse_times_as_y",
    "refuse_uneven_index",
]


def refuse_times_as_y(y, t, trajectories):
    """Notice times that were passed where scikit-learn passes targets.

    ``fit(X, t)`` puts the times into ``y``, which has no meaning here and is ignored for the sake
    of pipelines. Times of several cases have a length that no target could have: an error. With
    one trajectory they cannot be told from a sorted target: a warning.

    Parameters
    ----------
    y, t : array-like or None
        What came to ``fit``.
    trajectories : Trajectories
        The data.

    Raises
    ------
    ValueError
        If ``y`` has one increasing value a time point, and there are several cases.
    """
    if y is None or t is not None:
        return
    y = np.asarray(y)
    n_cases, n_points = trajectories.values.shape[:2]
    if y.ndim != 1 or len(y) != n_points or y.dtype.kind not in "iuf" or not (np.diff(y) > 0).all():
        return
    advice = "y is ignored, but its values increase like times. Pass times by name: fit(X, t=...)."
    if n_cases > 1 and n_cases != n_points:
        raise ValueError(advice)
    warn_user(advice, UserWarning)


def are_counted(trajectories):
    """Tell whether times are those that are counted where none are given, up to their first.

    Parameters
    ----------
    trajectories : Trajectories
        The data.

    Returns
    -------
    bool
    """
    return bool(np.all(trajectories.intervals == 1.0))


def refuse_lost_times(estimator, t, name="t"):
    """Refuse to follow trajectories at 0, 1, 2, ... where the model was fitted at other times.

    Parameters
    ----------
    estimator : estimator
        Fitted; it knows ``_counts_times`` and ``time_channel``.
    t : array-like or None
        What came.
    name : str, default="t"
        Its name.

    Raises
    ------
    ValueError
        If no times came, and the model's times are not those that are counted.
    """
    if t is not None or getattr(estimator, "time_channel", None) is not None:
        return
    if estimator._counts_times:
        return
    has_channel = hasattr(estimator, "time_channel")
    raise ValueError(
        f"{name} is missing. The model was fitted with times; without them, trajectories would be "
        f"followed at 0, 1, 2, ... Pass {name}=... In a search or in cross-validation, request it: "
        "sklearn.set_config(enable_metadata_routing=True) and set_fit_request(t=True)."
        "set_score_request(t=True) of the model"
        + ("; or let a channel of X hold the times, and set time_channel." * has_channel or ".")
    )


def refuse_uneven_index(X, name, t):
    """Refuse to count 0, 1, 2, ... where the index of a frame holds times that are not even.

    Whole numbers may be times or numbers of rows: those at uneven steps bring a warning.

    Parameters
    ----------
    X : object
        What came; frames of pandas have an index.
    name : str
        Its name.
    t : str or None
        The name of the times that were not given; None where none are read.

    Raises
    ------
    ValueError
        If the index holds dates, durations or floating numbers that run backwards or are at uneven
        steps.
    """
    index: Any = getattr(X, "index", None)
    kind = getattr(getattr(index, "dtype", None), "kind", None)
    if kind == "i" and len(index) > 2:
        _doubt_skipped_rows(index, name, t)
    if kind not in ("M", "m", "f") or len(index) < 2:
        return
    if index.is_monotonic_decreasing and index[0] != index[-1]:
        raise ValueError(
            f"The index of {name} runs backwards in time, and rows would be counted 0, 1, 2, ... "
            f"Sort it: {name}.sort_index(), and what comes with it; or pass {name}.to_numpy() to "
            "count."
        )
    if len(index) < 3 or are_even(index):
        return
    if t is None:
        raise ValueError(
            f"The index of {name} holds times at uneven steps, but rows are counted 0, 1, 2, ... "
            f"Bring them to even steps first, as {name}.resample(...).mean().interpolate() does "
            f"for dates; or pass {name}.to_numpy() to count."
        )
    raise ValueError(
        f"The index of {name} holds times at uneven steps, but {t} was not given, and rows would "
        f"be counted 0, 1, 2, ... Pass {t}={name}.index; or {name}.to_numpy() to count."
    )


def _doubt_skipped_rows(index, name, t):
    """Warn of whole numbers that rise at uneven steps: rows were dropped, or they are times."""
    steps = np.diff(index.to_numpy())
    if steps.min() <= 0 or steps.min() == steps.max():
        return
    row = int(np.argmax(steps > steps.min()))
    use = f"pass {t}={name}.index if it holds times, " if t else ""
    warn_user(
        f"The index of {name} goes on from {index[row]} to {index[row + 1]} where other steps are "
        f"{steps.min()}, but rows are counted 0, 1, 2, ... Were rows dropped? Put NaN in their "
        f"place; {use}or {name}.to_numpy() to count."
    )


def inferred_step(index: Any) -> str:
    """Return the step of dates or durations, as of a calendar.

    Parameters
    ----------
    index : Index
        Of a frame or series of pandas.

    Returns
    -------
    str
        An alias of pandas, such as "MS"; empty where there is none.
    """
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        step = getattr(index, "inferred_freq", None)  # pandas 4 will return an offset
    return getattr(step, "freqstr", step) or ""


def are_even(index):
    """Tell an index that goes on at even steps, or at those of a calendar.

    Parameters
    ----------
    index : pandas.Index
        Of dates, durations or numbers.

    Returns
    -------
    bool
    """
    if inferred_step(index):
        return bool(index[0] < index[-1])
    steps = np.diff(index.to_numpy())
    shortest, longest = steps.min(), steps.max()
    return bool(shortest > 0 * shortest and longest - shortest <= 1e-6 * longest)
