"""The dictionary of named array shapes.

One letter, one meaning, in every signature and comment of the package::

    n   cases (samples, trajectories, rows of a batch)
    d   state dimension (features, channels)
    t   time points
    s   stages of a Runge-Kutta step
    k   classes or outputs

Tensors are written batch first: states are ``(n, d)``, trajectories inside torch ``(n, t, d)``.
Estimators speak the package's public layout instead, ``(n_cases, n_channels, n_timepoints)``.

The names cost nothing to import: torch is quoted, and a module that uses a tensor's name has
``torch`` among its own names anyway, which is where :func:`typing.get_type_hints` looks.
"""

from typing import TYPE_CHECKING, Annotated

import numpy as np

if TYPE_CHECKING:
    import torch

States = Annotated["torch.Tensor", "n d"]
Trajectories = Annotated["torch.Tensor", "n t d"]
SharedTimes = Annotated["torch.Tensor", "t"]
CaseTimes = Annotated["torch.Tensor", "n t"]
Stages = Annotated["torch.Tensor", "s n d"]
Table = Annotated[np.ndarray, "n d"]
Series = Annotated[np.ndarray, "n d t"]
