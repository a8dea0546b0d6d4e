"""From states at all points of a series to one answer."""

from __future__ import annotations

import torch

__all__ = ["READOUTS", "Readout"]

READOUTS = ("last", "mean", "attention")


class Readout(torch.nn.Module):
    """A linear answer from the last state, from the mean of all, or from one weighted by attention.

    Parameters
    ----------
    n_channels, n_outputs : int
        Width of the states and of the answers.
    kind : str
        One of ``READOUTS``.
    """

    def __init__(self, n_channels: int, n_outputs: int, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.answer = torch.nn.Linear(n_channels, n_outputs)
        if kind == "attention":
            self.attention = torch.nn.Linear(n_channels, 1)

    def weights(self, states: torch.Tensor, n_points: torch.Tensor) -> torch.Tensor:
        """Return how much each point counts.

        Parameters
        ----------
        states : tensor of shape (n, k, n_channels)
            States.
        n_points : tensor of int of shape (n,)
            Points of each series; what comes after them counts nothing.

        Returns
        -------
        tensor of shape (n, k)
            At least zero, of sum one.
        """
        number = torch.arange(states.shape[1], device=states.device)
        if self.kind == "last":
            return (number == n_points[:, None] - 1).to(states)
        inside = number < n_points[:, None]
        if self.kind == "mean":
            return inside / n_points[:, None].to(states)
        scores = self.attention(states)[:, :, 0].masked_fill(~inside, -torch.inf)
        return scores.softmax(dim=1)

    def forward(self, states, n_points):
        """Return the answers of shape (n, n_outputs)."""
        weights = self.weights(states, n_points)
        return self.answer(torch.einsum("nk,nkh->nh", weights, states))
