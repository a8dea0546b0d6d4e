"""What scikit-learn's callbacks see of a fit that goes in parts, other than epochs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sklearn.callback import CallbackSupportMixin

__all__ = ["Progress"]


class Progress:
    """The parts of one fit, told to the callbacks of an estimator as they begin and end.

    Parameters
    ----------
    estimator : CallbackSupportMixin
        What is fitted; its ``fit`` is decorated by ``fit_context``.
    n_parts : int
        Parts at most.
    X, y : object
        The data as the user gave them.
    """

    def __init__(
        self, estimator: CallbackSupportMixin, n_parts: int, *, X: Any, y: Any = None
    ) -> None:
        self._estimator = estimator
        self._told = {"estimator": estimator, "X": X, "y": y, "metadata": None}
        self._whole: Any = estimator._init_callback_context(max_subtasks=n_parts)
        self._whole.call_on_fit_task_begin(**self._told)

    @contextmanager
    def part(self, name: str, inside: Any = None) -> Iterator[None]:
        """Run one part.

        Parameters
        ----------
        name : str
            What it does.
        inside : estimator or None, default=None
            Estimator that the part fits: callbacks that are passed on see its fit.

        Yields
        ------
        None
            Nothing.
        """
        part = self._whole.subcontext(task_name=name)
        if inside is not None:
            with part.propagate_callback_context(inside):
                yield
            return
        part.call_on_fit_task_begin(**self._told)
        yield
        self._over(part)

    def step(self, name: str) -> bool:
        """Tell of a part that is over; return whether a callback asks to stop.

        Parameters
        ----------
        name : str
            What it did.

        Returns
        -------
        bool
        """
        part = self._whole.subcontext(task_name=name)
        part.call_on_fit_task_begin(**self._told)
        return self._over(part)

    def end(self) -> None:
        """Say that the fit is over."""
        self._over(self._whole)

    def _over(self, task):
        attributes = {"reconstruction_attributes": lambda: dict(vars(self._estimator))}
        return bool(task.call_on_fit_task_end(**self._told, **attributes))
