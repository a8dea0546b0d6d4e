"""What a search tells while it runs: equations and seconds."""

import time
from typing import Any

import numpy as np

from skdyn._progress import Progress
from skdyn.symbolic._found import plain_equations, system_of

__all__ = ["Rounds"]


class Rounds:
    """Tells of the rounds of a search, to people and to scikit-learn's callbacks.

    Parameters
    ----------
    state_names, control_names : list of str
        Names of the variables.
    progress : Progress
        Where callbacks listen; in other processes none do.
    verbose : int
        Whether to print.
    """

    def __init__(
        self, state_names: list[str], control_names: list[str], progress: Progress, verbose: int
    ) -> None:
        self._names = state_names, control_names
        self._progress: Progress | None = progress
        self._verbose = verbose
        self._start = time.monotonic()

    def __call__(self, number: int, fitted: Any, misfit: np.ndarray) -> bool:
        """Tell of a round; return whether a callback asks to stop.

        Parameters
        ----------
        number : int
            Its number, from 1.
        fitted : Fitted
            The best system so far.
        misfit : ndarray of shape (n_states,)
            Mean squares of its residuals, in variances of the noise.

        Returns
        -------
        bool
        """
        if self._verbose:
            seconds, times = time.monotonic() - self._start, np.sqrt(np.max(misfit))
            print(f"round {number}, {seconds:.0f} s: residuals {times:.3g} times the noise")
            system = system_of(plain_equations(fitted.equations, fitted.coefficients), *self._names)
            print("\n".join(f"    {equation}" for equation in system.equations()), flush=True)
        return self._progress is not None and self._progress.step("round")

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_progress": None}
