"""The search for equations: smoothing, candidate terms, selection, refinement by shooting."""

from skdyn.symbolic.discovery._discover import discover
from skdyn.symbolic.discovery._fitted import Found
from skdyn.symbolic.discovery._regress import regress

__all__ = ["Found", "discover", "regress"]
