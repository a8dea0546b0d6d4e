"""What was made of arrays and settings, kept for as long as these stay the same."""

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["Kept"]


class Kept:
    """Makes a thing when it is first asked for, and again when what it is made of has changed.

    So it does not matter which method asks first, nor whether ``fit`` or ``set_params`` came in
    between. Held in a ``cached_property``, it is no part of a state.
    """

    def __init__(self) -> None:
        self._last: tuple[tuple, Any] | None = None

    def get(self, make: Callable[..., Any], *parts: Any) -> Any:
        """Return ``make(*parts)``.

        Parameters
        ----------
        make : callable
            Makes the thing.
        *parts : object
            Arrays, which are the same only where they are the same object, and plain settings.

        Returns
        -------
        object
        """
        last = self._last
        if last is None or not all(map(_same, last[0], parts)):
            last = self._last = parts, make(*parts)
        return last[1]


def _same(a, b):
    return a is b or (not (isinstance(a, np.ndarray) or isinstance(b, np.ndarray)) and a == b)
