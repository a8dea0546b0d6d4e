"""Displays: what a fitted estimator looks like, one class a question.

Each has ``from_estimator(...)``, which computes and draws, and ``plot(ax=None)``, which draws again;
matplotlib (extra ``plot``) is imported only there.
"""

from skdyn.inspection._loss_curve import LossCurveDisplay

__all__ = ["LossCurveDisplay"]
