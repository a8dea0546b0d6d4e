"""Parts that are None until they are needed, within reach of a search all the same."""

from typing import TYPE_CHECKING, Any, Self

from sklearn.base import BaseEstimator

__all__ = ["DefaultParts"]


class DefaultParts(BaseEstimator):
    """Mixin of estimators whose parts may be None: ``_default_parts`` makes what it stands for."""

    if TYPE_CHECKING:
        _default_parts: Any

    def set_params(self, **params: Any) -> Self:
        """Set parameters, those of parts too: a part that is None becomes its default first.

        Parameters
        ----------
        **params
            Values by name; ``part__name`` for those of parts.

        Returns
        -------
        self : object
            The estimator.
        """
        for part, default in self._default_parts.items():
            nested = any(name.startswith(f"{part}__") for name in params)
            if nested and params.get(part, getattr(self, part)) is None:
                params[part] = default()
        return super().set_params(**params)
