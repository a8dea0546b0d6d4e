r"""The region of the data, and a pull back to it for solutions that leave.

Far from all data a network means nothing, and its solutions may run off to anywhere. A solution is
free as long as it stays in the region. One that leaves, or begins outside, is solved in the field

.. math:: (1 - w)\, f_\theta(x) - w\, x / \tau,

where w rises smoothly from 0 where 95 % of the data lie to 1 at the edge of the region: a start
at any distance comes back.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from skdyn.exceptions import SolverWarning, warn_user

__all__ = ["Guard", "PulledField", "Region", "learn_region"]

# Share of the directions' variance that each gets at least: data on a plane forbid no step aside.
_SHRINKAGE = 0.1
_TYPICAL, _EDGE = 95, 3.0  # percentile of the distances, and how many times it the region ends
_MARGIN = 1.25  # the region reaches this far beyond the farthest of the data
_FARTHEST = 5.0  # deviations that a channel may be from its mean, where the data go no farther


class Region(NamedTuple):
    """Where the data were, standardized.

    Attributes
    ----------
    whitening : ndarray of shape (n_states, n_states)
        The distance of a state is the norm of its product with it.
    radii : ndarray of shape (2,)
        Distance within which most data lie, and that at which the region ends.
    farthest : ndarray of shape (n_states,)
        Largest size of each channel in the region.
    """

    whitening: np.ndarray
    radii: np.ndarray
    farthest: np.ndarray

    def left(self, states):
        """Tell which states, along the last axis, lie outside.

        Parameters
        ----------
        states : ndarray of shape (..., n_states)
            Standardized; what is not finite lies outside.

        Returns
        -------
        ndarray of bool of shape (...)
        """
        # Beyond any region anyway; squares of more would overflow.
        states = np.nan_to_num(np.clip(states, -1e100, 1e100), nan=1e100)
        away = np.linalg.norm(states @ self.whitening, axis=-1) > self.radii[1]
        return away | (np.abs(states) > self.farthest).any(axis=-1)


def learn_region(trajectories, moving):
    """Learn the region from all that was observed.

    Parameters
    ----------
    trajectories : Trajectories
        Standardized.
    moving : tuple of int
        Channels that move; others may have any value.

    Returns
    -------
    Region
    """
    values = trajectories.values
    seen = np.isfinite(values).any(axis=2)
    rows = np.nan_to_num(values[seen])  # what is missing counts as the mean
    channels, n_states = list(moving), values.shape[2]
    covariance = np.atleast_2d(np.cov(rows[:, channels].T, bias=True))
    covariance *= 1.0 - _SHRINKAGE
    covariance += _SHRINKAGE * np.eye(len(channels))
    variances, axes = np.linalg.eigh(covariance)
    whitening = np.zeros((n_states, n_states))
    whitening[np.ix_(channels, channels)] = (axes / np.sqrt(variances)) @ axes.T
    distances = np.linalg.norm(rows @ whitening, axis=1)
    typical = np.percentile(distances, _TYPICAL)
    edge = max(_EDGE * typical, _MARGIN * distances.max())
    farthest = np.full(n_states, np.finfo(float).max)
    farthest[channels] = np.maximum(_FARTHEST, _MARGIN * np.abs(rows[:, channels]).max(axis=0))
    return Region(whitening, np.array([typical, edge]), farthest)


class PulledField(nn.Module):
    """A field with a pull back to the region of the data.

    Parameters
    ----------
    field : callable
        ``field(t, y)``, of states that begin with the observed ones that move.
    pull : tuple
        Whitening (m, m) of these, a tensor; the distance at which the pull begins, and that at
        which nothing else is left.
    backward : bool
        Whether time runs backward, so that what pulls must push.
    """

    def __init__(self, field, pull, backward):
        super().__init__()
        self.field, (self.whitening, self.begins, self.ends) = field, pull
        self.rate = 1.0 if backward else -1.0  # in the time in which a state moves by its deviation

    def forward(self, t, y):
        """Return the derivatives (n, d) of states at a time."""
        distance = (y[:, : len(self.whitening)] @ self.whitening).norm(dim=1, keepdim=True)
        share = ((distance - self.begins) / (self.ends - self.begins)).clamp(0.0, 1.0)
        w = share.square() * (3.0 - 2.0 * share)
        free = torch.where(w < 1.0, (1.0 - w) * self.field(t, y), 0.0)
        return free + w * self.rate * y


class Guard:
    """Solves freely, then again with a pull what leaves the region; and says so.

    Parameters
    ----------
    region : Region
        Of the data.
    pulls : bool
        Whether solutions are pulled back; otherwise they are only told.
    """

    def __init__(self, region: Region, pulls: bool) -> None:
        self.region, self.pulls = region, pulls
        self.lost: dict[int, float] = {}  # cases, and the times at which they were outside first

    def over(self, module, numbers, times):
        """Return ``guarded(solve, cases, starts)`` of some solutions.

        Parameters
        ----------
        module : TrajectoryODE
            What is solved.
        numbers : ndarray of shape (n,)
            What the cases are called.
        times : ndarray of shape (n, n_timepoints)
            When their states are, in the unit of the data.

        Returns
        -------
        callable
        """
        like = next(module.parameters())
        begins, ends = self.region.radii.tolist()
        whitening = self.region.whitening[np.ix_(module.moving, module.moving)]
        whitening = torch.as_tensor(whitening).to(like)

        def guarded(solve, cases, starts):
            far = self.region.left(starts) & self.pulls
            states = np.empty((len(cases), times.shape[1], starts.shape[1]))
            if not far.all():  # what explodes from within is an error that says where
                states[~far] = solve(cases[~far])
            if far.any():  # a pull that begins at the edge shows whether it comes back
                states[far] = solve(cases[far], (whitening, ends, _MARGIN * ends))
            outside = self.region.left(states)
            lost = np.flatnonzero(outside.any(axis=1))
            if len(lost) and self.pulls:
                states[lost] = solve(cases[lost], (whitening, begins, ends))
            for row in lost:
                case = cases[row]
                self.lost[int(numbers[case])] = float(times[case, outside[row].argmax()])
            return states

        return guarded

    def tell(self):
        """Warn of those that left."""
        if not self.lost:
            return
        case = min(self.lost)
        done = ""
        if self.pulls:
            done = " They are solved again with a pull back to the data: bounded, but no forecast."
        warn_user(
            f"The solutions of {len(self.lost)} cases leave the region of the training data, where "
            f"nothing is known of the dynamics; that of case {case} is outside at "
            f"t={self.lost[case]:.6g}.{done} Predict less far, start within the data, or fit data "
            "from there too.",
            SolverWarning,
        )
