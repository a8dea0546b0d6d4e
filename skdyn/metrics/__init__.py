"""Scores that scikit-learn does not have: of functions, trajectories, attractors and dictionaries.

Those of trajectories take ``(y_true, y_pred)`` and become scorers by
:func:`sklearn.metrics.make_scorer`. Trajectories are arrays ``(n_cases, n_channels,
n_timepoints)``, or one trajectory ``(n_timepoints, n_channels)``; NaN in `y_true` marks what was
not observed. Those of sparse autoencoders take codes ``(n_samples, n_components)``, dense or
sparse, and dictionaries ``(n_components, n_features)``.
"""

from skdyn.metrics._attractor import attractor_distance
from skdyn.metrics._complexity import feature_complexity
from skdyn.metrics._dictionaries import (
    dictionary_recall,
    feature_absorption,
    matched_cosine,
    mean_max_cosine,
)
from skdyn.metrics._dynamics_scorer import DynamicsScorer
from skdyn.metrics._field_r2 import field_r2_score
from skdyn.metrics._horizon import valid_prediction_time
from skdyn.metrics._relative_l2 import neg_relative_l2, relative_l2_error
from skdyn.metrics._saved_bits import saved_bits
from skdyn.metrics._sparse_codes import (
    dead_fraction,
    fraction_variance_unexplained,
    l0,
    sparse_probing_score,
)
from skdyn.metrics._trajectory_r2 import trajectory_r2_score

__all__ = [
    "DynamicsScorer",
    "attractor_distance",
    "dead_fraction",
    "dictionary_recall",
    "feature_absorption",
    "feature_complexity",
    "field_r2_score",
    "fraction_variance_unexplained",
    "l0",
    "matched_cosine",
    "mean_max_cosine",
    "neg_relative_l2",
    "relative_l2_error",
    "saved_bits",
    "sparse_probing_score",
    "trajectory_r2_score",
    "valid_prediction_time",
]
