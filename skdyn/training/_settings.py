"""How to train, in the words of the estimators' parameters."""

from typing import Literal, NamedTuple

from skdyn.training._optimizers import FULL_BATCH

__all__ = ["TrainingSettings"]

_PASSES = 60  # over the data without improvement: what "auto" waits
_PASSES_AN_EPOCH = {"lbfgs": 20}  # its iterations, each of which looks at all data at least once


class TrainingSettings(NamedTuple):
    """How to train; the fields are the estimators' parameters of the same names.

    ``max_recoveries`` is how many diverged epochs may be taken back, each halving the learning
    rate, before the run gives up. ``n_iter_no_change`` may be "auto", sixty passes over the data.
    ``most_batches`` lets batches of size "auto" grow with the data beyond that number of them.
    """

    optimizer: str = "adam"
    learning_rate: float = 1e-3
    learning_rate_schedule: str = "constant"
    batch_size: int | Literal["auto"] = "auto"
    alpha: float = 0.0
    clip_norm: float | None = None
    tol: float = 1e-4
    n_iter_no_change: int | Literal["auto"] = 10
    early_stopping: bool = False
    max_recoveries: int = 0
    most_batches: int | None = None
    verbose: int = 0

    @property
    def patience(self) -> int:
        """Epochs without improvement after which training stops."""
        if self.n_iter_no_change != "auto":
            return self.n_iter_no_change
        return _PASSES // _PASSES_AN_EPOCH.get(self.optimizer, 1)

    def batch_size_for(self, n_cases: int) -> int:
        """Resolve ``batch_size`` for a training set of ``n_cases``.

        Parameters
        ----------
        n_cases : int
            Number of cases.

        Returns
        -------
        int

        Raises
        ------
        ValueError
            If a method that needs one fixed function is asked to use batches.
        """
        if self.optimizer in FULL_BATCH:
            if self.batch_size != "auto" and self.batch_size < n_cases:
                raise ValueError(
                    f"{self.optimizer!r} needs the full batch, but batch_size={self.batch_size} "
                    f"is below the {n_cases} cases. Use batch_size='auto' or 'adam'."
                )
            return n_cases
        if self.batch_size != "auto":
            return min(self.batch_size, n_cases)
        least = 0 if self.most_batches is None else -(-n_cases // self.most_batches)
        return min(max(200, least), n_cases)
