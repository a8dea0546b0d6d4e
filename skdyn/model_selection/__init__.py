"""Splits that respect time, and how far forecasts may be off.

Shuffled rows of a trajectory are neighbors of the rows they are tested on. :class:`TrajectorySplit`
keeps trajectories whole or cuts one into blocks; :class:`RollingOriginSplit` tests forecasts from
one origin after another. :func:`calibrate_intervals` measures a fitted model's forecasts on data
that were held out, and answers with intervals.
"""

from skdyn.model_selection._intervals import ForecastIntervals, calibrate_intervals
from skdyn.model_selection._rolling_origin import RollingOriginSplit
from skdyn.model_selection._trajectory_split import TrajectorySplit

__all__ = ["ForecastIntervals", "RollingOriginSplit", "TrajectorySplit", "calibrate_intervals"]
