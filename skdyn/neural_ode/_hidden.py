"""Hidden states at the start of a solution, read off the first points that were observed.

What the observed channels do not determine shows in how they move. A network reads the points from
the start on, with their gaps and times, and says where the hidden dimensions begin. Windows may
then begin anywhere, and so may forecasts that know the beginning.
"""

import numpy as np
import torch
from torch import nn

__all__ = ["StartEncoder", "hidden_velocities", "prefixes"]


def prefixes(trajectories, n_points):
    """What an encoder reads at every time point.

    Parameters
    ----------
    trajectories : Trajectories
        Dimensionless.
    n_points : int
        Time points that it reads, from its own on.

    Returns
    -------
    ndarray of shape (n_cases, n_timepoints, n_points * (2 * n_states + 1))
        Of each time point the values where observed, else 0; whether they were observed; and the
        time since the first. Nothing after a case's end.
    """
    n_cases, length, _ = trajectories.values.shape
    point = np.arange(length)[:, None] + np.arange(n_points)
    inside = point < trajectories.n_points[:, None, None]
    point = np.minimum(point, length - 1)
    values = trajectories.values[:, point]
    seen = ~np.isnan(values) & inside[..., None]
    since = trajectories.times[:, point] - trajectories.times[:, :, None]
    parts = [np.where(seen, values, 0.0), seen, np.where(inside, since, 0.0)[..., None]]
    return np.concatenate(parts, axis=3).reshape(n_cases, length, -1)


def hidden_velocities(smooth, times, augment_dim):
    """States and velocities with velocities for hidden dimensions, to begin the training with.

    Parameters
    ----------
    smooth : SmoothTrajectories
        Dimensionless curves.
    times : ndarray of shape (n_cases, n_timepoints)
        Their times, NaN after a case's end.
    augment_dim : int
        Number of hidden dimensions; those beyond the states' number stay at 0.

    Returns
    -------
    states, velocities : ndarray of shape (n_cases, n_timepoints, n_states + augment_dim)
        Hidden dimension k is the velocity of state k.
    """
    n_cases, length, n_states = smooth.states.shape
    hidden = np.zeros((2, n_cases, length, augment_dim))
    own = min(n_states, augment_dim)
    hidden[0, :, :, :own] = smooth.velocities[:, :, :own]
    for case, row in enumerate(times):
        n = int((~np.isnan(row)).sum())
        if n > 1:
            moved = np.gradient(smooth.velocities[case, :n, :own], row[:n], axis=0)
            hidden[1, case, :n, :own] = moved
    states = np.concatenate([smooth.states, hidden[0]], axis=2)
    return states, np.concatenate([smooth.velocities, hidden[1]], axis=2)


class StartEncoder(nn.Module):
    """From the first points to the hidden state.

    Parameters
    ----------
    n_features : int
        Numbers that it reads, see ``prefixes``.
    augment_dim : int
        Hidden dimensions.
    width : int, default=32
        Units of its hidden layer, beside a linear way through.
    """

    def __init__(self, n_features: int, augment_dim: int, width: int = 32) -> None:
        super().__init__()
        self.line = nn.Linear(n_features, augment_dim)
        self.first = nn.Linear(n_features, width)
        self.second = nn.Linear(width, augment_dim)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the hidden state (n, augment_dim) of prefixes (n, n_features)."""
        return self.line(features) + self.second(torch.tanh(self.first(features)))
