"""One scorer for all models of dynamics."""

from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import MetadataRequest

from skdyn._dynamics import check_of

__all__ = ["DynamicsScorer"]

_DATA = ("t", "u", "groups", "sample_weight")


class DynamicsScorer:
    """Scorer of dynamics that means the same for every model of them, for searches.

    The three that learn equations of motion, :class:`~skdyn.neural_ode.NeuralODE`,
    :class:`~skdyn.symbolic.SINDyRegressor` and :class:`~skdyn.symbolic.SymbolicODERegressor`, have
    scores of their own, by what they are fitted to. This one asks all of them the same.

    Parameters
    ----------
    of : {"solution", "derivative"}, default="solution"
        "solution": R2 of the trajectories that are solved from their first states. "derivative":
        R2 of velocities along the measured states, over short windows.

    Notes
    -----
    With metadata routing it asks for ``t``, ``u``, ``groups`` and ``sample_weight``, as far as they
    are passed; it keeps ``groups`` of cases, which only a splitter reads, to itself. The last step
    of a pipeline is scored on what the steps before it make of ``X``.

    Examples
    --------
    >>> import numpy as np
    >>> from skdyn.metrics import DynamicsScorer
    >>> from skdyn.symbolic import SINDyRegressor
    >>> t = np.linspace(0, 5, 100)
    >>> X = np.column_stack([np.cos(t), -np.sin(t)])
    >>> model = SINDyRegressor().fit(X, t=t)
    >>> [round(DynamicsScorer(of)(model, X, t=t), 2) for of in ("solution", "derivative")]
    [1.0, 1.0]
    """

    def __init__(self, of: str = "solution") -> None:
        check_of(of)
        self.of = of

    def __call__(self, estimator: Any, X: Any, y: Any = None, **data: Any) -> float:
        """Score a fitted model.

        Parameters
        ----------
        estimator : estimator
            Fitted model of dynamics, or a pipeline that ends in one.
        X : array-like
            Trajectories, as the model takes them.
        y : array-like, default=None
            Derivatives where they are known, for models that take them.
        **data : dict
            ``t``, ``u``, ``groups`` and ``sample_weight``, as ``score`` of the model takes them.

        Returns
        -------
        float
            The score.
        """
        if isinstance(estimator, Pipeline):
            X, estimator = estimator[:-1].transform(X), estimator[-1]
        groups = data.get("groups")
        if groups is not None and len(groups) == len(X) and np.ndim(next(iter(X))) == 2:
            del data["groups"]  # of cases that a splitter keeps together: no model reads them
        return estimator.score(X, y, of=self.of, **data)

    def __repr__(self) -> str:
        return f"DynamicsScorer(of={self.of!r})"

    def get_metadata_routing(self) -> MetadataRequest:
        """Return what the scorer asks for.

        Returns
        -------
        MetadataRequest
            All that scores of dynamics take.
        """
        request = MetadataRequest(owner=self)
        for name in _DATA:
            request.score.add_request(param=name, alias=True)
        return request
