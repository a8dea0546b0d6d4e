"""What the parameters of the Kolmogorov-Arnold networks may be."""

from numbers import Integral, Real

from skdyn._validation import Interval, StrOptions
from skdyn.kan.bases import BASES
from skdyn.kan.bases._basis import EXTRAPOLATIONS
from skdyn.training import LEARNING_RATE_SCHEDULES

__all__ = ["CONSTRAINTS"]

CONSTRAINTS = {
    "hidden_layer_sizes": [StrOptions({"auto"}), "array-like"],
    "basis": [StrOptions(set(BASES))],
    "grid_sizes": [
        StrOptions({"auto"}),
        Interval(Integral, 1, None, closed="left"),
        "array-like",
    ],
    "spline_order": [Interval(Integral, 0, None, closed="left")],
    "grid_update": [Interval(Integral, 1, None, closed="left"), None],
    "extrapolation": [StrOptions(set(EXTRAPOLATIONS))],
    "monotonic_cst": ["array-like", dict, None],
    "interaction_cst": [StrOptions({"pairwise", "no_interactions"}), list, tuple, None],
    "categorical_features": [StrOptions({"from_dtype"}), "array-like", None],
    "smoothness": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
    "lamb": [Interval(Real, 0, None, closed="left")],
    "lamb_l1": [Interval(Real, 0, None, closed="left")],
    "lamb_entropy": [Interval(Real, 0, None, closed="left")],
    "learning_rate_schedule": [StrOptions({"auto", *LEARNING_RATE_SCHEDULES})],
    "optimizer": [StrOptions({"auto", "adam", "adamw", "sgd", "lbfgs", "lm"})],
    "alpha": [Interval(Real, 0, None, closed="left"), StrOptions({"auto"})],
    "n_init": [Interval(Integral, 1, None, closed="left")],
    "dtype": [StrOptions({"auto", "float32", "float64"})],
}
