"""What a method answers for rows: its shape, precision and column names, asked once."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["Answers", "Ask"]

Ask = tuple[Any, str, dict[str, Any]]  # the model, the method and its other arguments


class Answers:
    """A method of a model that answers each row, and what its answers look like.

    Parameters
    ----------
    model : estimator
        Fitted.
    method : str
        Name of the method.
    params : dict
        Its other arguments.
    example : array-like or DataFrame of shape (1, ...)
        A row to ask for.
    """

    def __init__(self, model: Any, method: str, params: dict[str, Any], example: Any) -> None:
        self.method = method
        self.params = params
        answer = self._ask(model, example)
        array = np.asarray(answer)
        if isinstance(answer, list) or array.dtype == object or len(array) != len(example):
            raise ValueError(
                f"method={method!r} of {type(model).__name__} answers one row by "
                f"{type(answer).__name__} of shape {array.shape} and dtype {array.dtype}; map_rows "
                "needs one array whose first axis is the rows. Call the method on blocks yourself"
            )
        self.dtype = array.dtype
        self.shape = array.shape[1:]
        self.names = _names(model, method, answer, self.shape)

    @classmethod
    def of(
        cls, model: Any, method: str, params: dict[str, Any], example: Callable[[], Any], kind: str
    ) -> "Answers":
        """Ask for a row, and tell what to do where a made-up row is refused.

        Parameters
        ----------
        model : estimator
            Fitted.
        method : str
            Name of the method.
        params : dict
            Its other arguments.
        example : callable
            Makes the row.
        kind : {"given", "made"}
            Whether the user gave the row.

        Returns
        -------
        Answers
        """
        try:
            return cls(model, method, params, example())
        except Exception as error:
            if kind == "given":
                raise
            raise ValueError(
                f"map_rows asked {type(model).__name__}.{method} for one made-up row, to learn "
                f"what its answers look like, and it refused: {error} Pass example=, one row of "
                "your data"
            ) from error

    def array(self, model: Any, rows: Any) -> np.ndarray:
        """Answer rows by an array; none of them by an empty one.

        Parameters
        ----------
        model : estimator
            Fitted.
        rows : array-like or DataFrame
            The rows.

        Returns
        -------
        ndarray of shape (n, ...)
        """
        if not len(rows):
            return np.empty((0, *self.shape), self.dtype)
        answer = np.asarray(self._ask(model, rows))
        if answer.shape != (len(rows), *self.shape):
            raise ValueError(
                f"method={self.method!r} answered {len(rows)} rows by shape {answer.shape}; one "
                f"row had {(1, *self.shape)}. map_rows is for methods that answer row by row"
            )
        return answer.astype(self.dtype, copy=False)

    def frame(self, model: Any, rows: Any) -> Any:
        """Answer rows by a frame or series, with their index if they have one.

        Parameters
        ----------
        model : estimator
            Fitted.
        rows : DataFrame or array-like
            The rows.

        Returns
        -------
        DataFrame or Series
        """
        if len(self.shape) > 1:
            raise ValueError(
                f"method={self.method!r} answers a row by shape {self.shape}, which no DataFrame "
                "holds; pass rows as an array, of Dask X.to_dask_array(lengths=True)"
            )
        answer = self.array(model, rows)
        index = rows.index if hasattr(rows, "iloc") else pd.RangeIndex(len(rows))
        if answer.ndim == 1:
            return pd.Series(answer, index=index, name=self.names[0])
        return pd.DataFrame(answer, index=index, columns=pd.Index(self.names))

    def _ask(self, model, rows):
        return getattr(model, self.method)(rows, **self.params)


def _names(model, method, answer, shape):
    """The columns' names; answers of more axes have none, and no frame holds them."""
    if len(shape) > 1:
        return []
    if not shape:
        return [getattr(answer, "name", None) or method]
    if isinstance(answer, pd.DataFrame):
        return list(answer.columns)
    if method == "transform" and hasattr(model, "get_feature_names_out"):
        names = list(model.get_feature_names_out())
    else:
        names = list(getattr(model, "classes_", ()))
    return names if len(names) == shape[0] else [f"{method}{index}" for index in range(shape[0])]
