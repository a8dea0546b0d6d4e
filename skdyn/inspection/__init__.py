"""Displays: what a fitted estimator looks like, one class a question.

Each has ``from_estimator(...)``, which computes and draws, and ``plot(ax=None)``, which redraws;
matplotlib (extra ``plot``) is imported only there. :func:`dictionary_report` writes a page instead.
"""

from skdyn.inspection._cases import CasesDisplay
from skdyn.inspection._decisive_times import DecisiveTimesDisplay
from skdyn.inspection._dictionary import DictionaryDisplay
from skdyn.inspection._dictionary_report import dictionary_report
from skdyn.inspection._edge import EdgeDisplay
from skdyn.inspection._energy_landscape import EnergyLandscapeDisplay
from skdyn.inspection._feature_density import FeatureDensityDisplay
from skdyn.inspection._field import FieldDisplay
from skdyn.inspection._frontier import FrontierDisplay
from skdyn.inspection._instance_weights import InstanceWeightsDisplay
from skdyn.inspection._kan import KANDisplay
from skdyn.inspection._loss_curve import LossCurveDisplay
from skdyn.inspection._pareto import ParetoDisplay
from skdyn.inspection._phase_portrait import PhasePortraitDisplay
from skdyn.inspection._retrieval import RetrievalDisplay
from skdyn.inspection._rollout import RolloutDisplay
from skdyn.inspection._trajectory import TrajectoryDisplay
from skdyn.inspection._vector_field import VectorFieldDisplay

__all__ = [
    "CasesDisplay",
    "DecisiveTimesDisplay",
    "DictionaryDisplay",
    "EdgeDisplay",
    "EnergyLandscapeDisplay",
    "FeatureDensityDisplay",
    "FieldDisplay",
    "FrontierDisplay",
    "InstanceWeightsDisplay",
    "KANDisplay",
    "LossCurveDisplay",
    "ParetoDisplay",
    "PhasePortraitDisplay",
    "RetrievalDisplay",
    "RolloutDisplay",
    "TrajectoryDisplay",
    "VectorFieldDisplay",
    "dictionary_report",
]
