"""Transformers of instances, where samples are bags of them."""

from __future__ import annotations

from typing import Annotated, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn import config_context, get_config
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import StandardScaler

from skdyn._state import OPTIONAL, PlainState, Shape
from skdyn._validation import check_is_fitted, clone, fit_context, from_torch
from skdyn.hopfield._bags import check_bags
from skdyn.hopfield._memory import HopfieldMemory

__all__ = ["BagTransformer"]


class BagTransformer(PlainState, TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):
    """Transform the instances of bags, as a step before an estimator of bags.

    scikit-learn's transformers take tables. This one joins the instances of all bags to one table,
    and cuts what becomes of it into bags again: to scale, embed or reduce instances in a pipeline.

    Parameters
    ----------
    transformer : transformer or None, default=None
        What is fitted to the instances, with ``fit`` and ``transform``. None standardizes features.

    Attributes
    ----------
    transformer_ : transformer
        The fitted one.
    n_features_in_ : int
        Number of features seen during fit.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the features, when all are strings.

    See Also
    --------
    HopfieldPoolingClassifier : An estimator of bags.
    skdyn.hopfield.bags_from_table : Makes bags of a long table.

    Examples
    --------
    >>> from sklearn.decomposition import PCA
    >>> from sklearn.pipeline import make_pipeline
    >>> from skdyn import BagTransformer, HopfieldPoolingClassifier
    >>> from skdyn.datasets import make_bags
    >>> X, y, _ = make_bags(100, random_state=0)
    >>> reduce = BagTransformer(PCA(n_components=3))
    >>> [bag.shape for bag in reduce.fit_transform(X)[:2]]
    [(10, 3), (9, 3)]
    >>> model = make_pipeline(reduce, HopfieldPoolingClassifier(embedding="features"))
    >>> len(model.fit(X, y).predict(X))
    100
    """

    n_features_in_: int
    feature_names_in_: Annotated[np.ndarray, Shape("n_features_in_", "OU"), OPTIONAL]
    transformer_: Any

    _parameter_constraints = {"transformer": [BaseEstimator, None]}
    _quick_parameters = {"transformer": HopfieldMemory()}

    def __init__(self, transformer: BaseEstimator | None = None) -> None:
        self.transformer = transformer

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> Self:
        """Fit the transformer to the instances of all bags.

        Parameters
        ----------
        X : list of array-like of shape (n_instances_i, n_features), or array-like
            Bags: a list of arrays, an array of three axes padded with NaN, or a table of bags of
            one instance each.
        y : array-like of shape (n_bags,), default=None
            Targets of the bags; the transformer is given that of its bag for each instance.

        Returns
        -------
        self : object
            The fitted transformer.
        """
        bags = check_bags(self, X, reset=True)
        wanted: Any = StandardScaler() if self.transformer is None else clone(self.transformer)
        if y is None:
            self.transformer_ = wanted.fit(self._named(bags.instances))
            return self
        y = np.asarray(from_torch(y))
        if len(y) != len(bags):
            raise ValueError(f"y must have one target per bag; got {len(y)} for {len(bags)} bags.")
        self.transformer_ = wanted.fit(
            self._named(bags.instances), np.repeat(y, bags.sizes, axis=0)
        )
        return self

    def transform(self, X: ArrayLike) -> Any:
        """Transform the instances.

        Parameters
        ----------
        X : list of array-like of shape (n_instances_i, n_features), or array-like
            Bags, in any layout that ``fit`` takes.

        Returns
        -------
        list of ndarray of shape (n_instances_i, n_features_out), or ndarray
            The bags; a table where a table came.
        """
        check_is_fitted(self)
        bags = check_bags(self, X, reset=False)
        own = getattr(self, "_sklearn_output_config", {}).get("transform")
        with config_context(transform_output=own or get_config()["transform_output"]):
            instances: Any = self.transformer_.transform(self._named(bags.instances))
        listed = isinstance(X, list | tuple)
        is_table = np.ndim(X[0]) == 1 if listed else getattr(X, "ndim", 2) == 2
        if not is_table:
            return bags.split(instances)
        if isinstance(instances, pd.DataFrame) and isinstance(X, pd.DataFrame):
            instances.index = X.index
        return instances

    def set_output(  # pyright: ignore[reportIncompatibleVariableOverride]: instances, not bags
        self, *, transform: str | None = None
    ) -> Self:
        """Choose what the instances become.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None, default=None
            Arrays or data frames, where the transformer makes them; None changes nothing.

        Returns
        -------
        self : object
            The transformer.
        """
        if transform is not None:
            self._sklearn_output_config = {"transform": transform}
        return self

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> np.ndarray:
        """Return the names of what comes out.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of what goes in; None takes those seen in ``fit``.

        Returns
        -------
        ndarray of str
            Those of the fitted transformer.
        """
        check_is_fitted(self)
        return self.transformer_.get_feature_names_out(input_features)

    def _named(self, instances):
        """Return instances as a table with the names of the features, where they have any."""
        names = getattr(self, "feature_names_in_", None)
        return instances if names is None else pd.DataFrame(instances, columns=names)
