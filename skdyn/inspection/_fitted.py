"""The estimator that a display is about: the last step of a pipeline, the best one of a search."""

from typing import Any, NamedTuple, cast

from sklearn.base import MetaEstimatorMixin
from sklearn.pipeline import Pipeline

from skdyn._validation import check_is_fitted

__all__ = ["Fitted", "unwrapped"]


class Fitted(NamedTuple):
    """A fitted estimator and what stands before it.

    Attributes
    ----------
    estimator : estimator
        The one to look at.
    before : tuple of Pipeline
        Steps that its data go through first.
    """

    estimator: Any
    before: tuple

    def seen(self, X: Any) -> Any:
        """Return data as the estimator gets to see them.

        Parameters
        ----------
        X : array-like or None
            As they are passed to the whole.

        Returns
        -------
        array-like or None
        """
        for steps in self.before:
            X = None if X is None else steps.transform(X)
        return X

    def names(self) -> list[str] | None:
        """Return the names of the features that the estimator sees, where it knows them.

        Returns
        -------
        list of str or None
            Behind other steps each says so: its units are not those of the data.
        """
        names = getattr(self.estimator, "feature_names_in_", None)
        if not self.before:
            return None if names is None else [str(name) for name in names]
        first = self.before[0]
        if names is None and len(self.before) == 1 and hasattr(first, "feature_names_in_"):
            names = first.get_feature_names_out()
        return None if names is None else [f"{name} (transformed)" for name in names]


def unwrapped(estimator: Any) -> Fitted:
    """Find the estimator to draw in pipelines and searches.

    Parameters
    ----------
    estimator : estimator
        Fitted; or a fitted pipeline or search of such.

    Returns
    -------
    Fitted

    Raises
    ------
    NotFittedError
        If a search was not fitted.
    ValueError
        If a search did not refit.
    """
    before = []
    while True:
        if isinstance(estimator, Pipeline):
            if len(estimator) > 1:
                before.append(estimator[:-1])
            estimator = estimator[-1]
        elif isinstance(estimator, MetaEstimatorMixin) and hasattr(estimator, "refit"):
            check_is_fitted(estimator)
            if not hasattr(estimator, "best_estimator_"):
                raise ValueError(
                    f"{type(estimator).__name__} was fitted with refit=False, so it holds no "
                    "fitted estimator to draw. Set refit=True."
                )
            estimator = cast("Any", estimator).best_estimator_
        else:
            return Fitted(estimator, tuple(before))
