"""Scores that scikit-learn does not have: how well functions, trajectories and attractors agree.

All take ``(y_true, y_pred)`` and become scorers by :func:`sklearn.metrics.make_scorer`.
Trajectories are arrays ``(n_cases, n_channels, n_timepoints)``, or one trajectory ``(n_timepoints,
n_channels)``; NaN in `y_true` marks what was not observed.
"""

from skdyn.metrics._attractor import attractor_distance
from skdyn.metrics._horizon import valid_prediction_time
from skdyn.metrics._relative_l2 import relative_l2_error
from skdyn.metrics._trajectory_r2 import trajectory_r2_score

__all__ = [
    "attractor_distance",
    "relative_l2_error",
    "trajectory_r2_score",
    "valid_prediction_time",
]
