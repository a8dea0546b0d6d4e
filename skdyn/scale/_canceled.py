"""Fits that end when nobody waits for them any more."""

import sys
from concurrent.futures import CancelledError
from typing import Any

__all__ = ["StopIfCancelled"]


class StopIfCancelled:
    """Callback that ends a fit whose Dask task was canceled, at the end of an epoch.

    Dask cannot stop a task that runs: after Ctrl-C in a search, or ``future.cancel()``, fits on
    the workers would go on to their end and keep the cores busy. With this callback a fit asks
    its worker after each epoch, and stops by an exception, so that nothing half fitted is left.
    Outside of a Dask task it does nothing.

    See Also
    --------
    skdyn.scale.map_rows : Answers for partitions, on Dask and elsewhere.

    Examples
    --------
    >>> from skdyn import KANRegressor
    >>> from skdyn.scale import StopIfCancelled
    >>> model = KANRegressor().set_callbacks(StopIfCancelled())
    """

    def setup(self, estimator: Any, context: Any) -> None:
        """Do nothing before a fit.

        Parameters
        ----------
        estimator : estimator
            What is fitted.
        context : CallbackContext
            Of the fit.
        """

    def on_fit_task_begin(self, estimator: Any, context: Any, **data: Any) -> None:
        """Do nothing before a part of a fit.

        Parameters
        ----------
        estimator : estimator
            What is fitted.
        context : CallbackContext
            Of the part.
        **data : dict
            What scikit-learn tells callbacks.
        """

    def on_fit_task_end(self, estimator: Any, context: Any, **data: Any) -> bool:
        """Stop if the task was canceled.

        Parameters
        ----------
        estimator : estimator
            What is fitted.
        context : CallbackContext
            Of the part.
        **data : dict
            What scikit-learn tells callbacks.

        Returns
        -------
        bool
            False: the fit goes on.

        Raises
        ------
        concurrent.futures.CancelledError
            If Dask canceled the task that this fit runs in.
        """
        if _canceled():
            raise CancelledError(f"Dask canceled the task that fits {type(estimator).__name__}")
        return False

    def teardown(self, estimator: Any, context: Any) -> None:
        """Do nothing after a fit.

        Parameters
        ----------
        estimator : estimator
            What was fitted.
        context : CallbackContext
            Of the fit.
        """


def _canceled():
    """Whether the worker has let go of the task that runs in this thread."""
    if "distributed" not in sys.modules:
        return False
    from distributed import get_worker

    try:
        worker = get_worker()
        task = worker.get_current_task()
    except (ValueError, AttributeError):  # this process or thread runs no task
        return False
    known = worker.state.tasks.get(task)
    return known is None or known.state == "cancelled"
