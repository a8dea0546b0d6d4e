"""The search for equations: smoothing, candidate terms, selection, refinement by shooting."""

from skdyn.symbolic.discovery._discover import Discovery, discover, regress

__all__ = ["Discovery", "discover", "regress"]
