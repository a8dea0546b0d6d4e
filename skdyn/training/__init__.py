"""The shared torch backend: one lean training loop for every estimator.

The backend is plain torch and skorch and knows nothing of scikit-learn's estimators. It turns
arrays into tensors once, slices batches from them without a ``DataLoader``, steps a fused
optimizer, and reads one number from the device an epoch.

An estimator describes its problem as one or more :class:`Stage` objects: an objective
``(module, *batch) -> scalar``, the arrays it runs over, and for how long. :class:`LeanNet` runs
them in turn and returns a :class:`TrainingRecord`.
"""

from skdyn.training._batches import TensorBatches, to_tensor
from skdyn.training._devices import resolve_device, resolve_dtype
from skdyn.training._group import Alone, Processes, training_in
from skdyn.training._journal import Journal
from skdyn.training._keeper import Keeper, keeping_in
from skdyn.training._net import LeanNet
from skdyn.training._optimizers import LEARNING_RATE_SCHEDULES, OPTIMIZERS
from skdyn.training._random import new_generator, seeded_rng
from skdyn.training._records import Stage, TrainingRecord
from skdyn.training._ridge import ridge
from skdyn.training._settings import TrainingSettings
from skdyn.training._stopping import Patience
from skdyn.training._streams import ShuffledStream
from skdyn.training._twins import in_precision
from skdyn.training._weights import arrays_to_state, state_to_arrays

__all__ = [
    "LEARNING_RATE_SCHEDULES",
    "OPTIMIZERS",
    "Alone",
    "Journal",
    "Keeper",
    "LeanNet",
    "Patience",
    "Processes",
    "ShuffledStream",
    "Stage",
    "TensorBatches",
    "TrainingRecord",
    "TrainingSettings",
    "arrays_to_state",
    "in_precision",
    "keeping_in",
    "new_generator",
    "resolve_device",
    "resolve_dtype",
    "ridge",
    "seeded_rng",
    "state_to_arrays",
    "to_tensor",
    "training_in",
]
