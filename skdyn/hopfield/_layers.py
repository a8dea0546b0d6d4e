"""Association and pooling as plain torch modules: attention with the separations of a memory."""

import math

import torch

from skdyn.hopfield._separations import Separation, as_separation

__all__ = ["HopfieldAssociation", "HopfieldPooling"]


class HopfieldAssociation(torch.nn.Module):
    """Look states up in stored patterns, which come with each call: one update of a network.

    Each head compares linear images of both and reads out the mean of images of the patterns by
    the weights of their scores [1]_; with softmax this is attention, and another separation makes
    most weights zero.

    Parameters
    ----------
    n_features : int
        Width of the states.
    n_stored : int or None, default=None
        Width of the patterns; None is that of the states.
    n_outputs : int or None, default=None
        Width of what comes back; None is that of the states.
    n_heads : int, default=1
        Number of comparisons side by side.
    n_components : int or None, default=None
        Width in which each head compares; None is that of the states over the number of heads.
    separation : {"softmax", "sparsemax", "entmax", "topk"} or Separation, default="softmax"
        From scores to weights.

    References
    ----------
    .. [1] Hubert Ramsauer et al., "Hopfield Networks is All You Need", ICLR 2021.

    Examples
    --------
    >>> import torch
    >>> from skdyn.hopfield.layers import HopfieldAssociation
    >>> layer = HopfieldAssociation(8, n_stored=5, n_outputs=3, separation="entmax")
    >>> layer(torch.randn(2, 4, 8), torch.randn(2, 30, 5)).shape
    torch.Size([2, 4, 3])
    """

    def __init__(
        self,
        n_features: int,
        n_stored: int | None = None,
        n_outputs: int | None = None,
        *,
        n_heads: int = 1,
        n_components: int | None = None,
        separation: str | Separation = "softmax",
    ) -> None:
        super().__init__()
        width = n_components or max(1, n_features // n_heads)
        n_stored = n_stored or n_features
        self.n_heads = n_heads
        self.separation = as_separation(separation)
        self.query = torch.nn.Linear(n_features, n_heads * width)
        self.key = torch.nn.Linear(n_stored, n_heads * width, bias=False)
        self.value = torch.nn.Linear(n_stored, n_heads * width)
        self.out = torch.nn.Linear(n_heads * width, n_outputs or n_features)
        self.log_beta = torch.nn.Parameter(torch.full((n_heads,), -math.log(width) / 2))

    def forward(
        self,
        states: torch.Tensor,
        stored: torch.Tensor | None = None,
        mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return what the states retrieve.

        Parameters
        ----------
        states : Tensor of shape (..., n_states, n_features)
            States.
        stored : Tensor of shape (..., n_patterns, n_stored) or None, default=None
            Patterns; None is the states themselves.
        mask : Tensor of bool, (..., n_patterns) or (..., n_states, n_patterns), default=None
            Which patterns are there, such as no padding; None is all. A state that has none gets
            the output of zero.

        Returns
        -------
        Tensor of shape (..., n_states, n_outputs)
        """
        stored = states if stored is None else stored
        read = self.weights(states, stored, mask) @ self._heads(self.value(stored))
        return self.out(read.transpose(-3, -2).flatten(-2))

    def weights(
        self, states: torch.Tensor, stored: torch.Tensor, mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return the weights of the patterns.

        Parameters
        ----------
        states, stored : Tensor
            See :meth:`forward`.
        mask : Tensor of bool or None, default=None
            Which patterns are there.

        Returns
        -------
        Tensor of shape (..., n_heads, n_states, n_patterns)
            Of sum one, or zero where no pattern is there.
        """
        queries, keys = self._heads(self.query(states)), self._heads(self.key(stored))
        scores = queries @ keys.transpose(-2, -1) * self.log_beta.exp()[:, None, None]
        if mask is None:
            return self.separation.weights(scores)
        mask = mask[..., None, :] if mask.dim() < states.dim() else mask
        there = mask[..., None, :, :].expand(scores.shape)
        nothing = ~there.any(dim=-1, keepdim=True)
        weights = self.separation.weights(scores.masked_fill(~there & ~nothing, -math.inf))
        return weights.masked_fill(nothing, 0.0)

    def _heads(self, rows):
        return rows.unflatten(-1, (self.n_heads, -1)).transpose(-3, -2)


class HopfieldPooling(torch.nn.Module):
    """Look learned states up in bags of instances: a bag of any size becomes one row.

    Parameters
    ----------
    n_features : int
        Width of the instances.
    n_outputs : int
        Width of what comes back.
    n_states : int, default=1
        Number of learned states, each of which asks a question of its own.
    n_components : int or None, default=None
        Width in which instances are compared and read out; None is that of the instances.
    separation : {"softmax", "sparsemax", "entmax", "topk"} or Separation, default="softmax"
        From scores to weights.

    Examples
    --------
    >>> import torch
    >>> from skdyn.hopfield.layers import HopfieldPooling
    >>> bags, sizes = torch.randn(2, 30, 8), torch.tensor([30, 12])
    >>> HopfieldPooling(8, 3)(bags, torch.arange(30) < sizes[:, None]).shape
    torch.Size([2, 3])
    """

    def __init__(
        self,
        n_features: int,
        n_outputs: int,
        *,
        n_states: int = 1,
        n_components: int | None = None,
        separation: str | Separation = "softmax",
    ) -> None:
        super().__init__()
        width = n_components or n_features
        self.states = torch.nn.Parameter(torch.randn(n_states, width))
        self.association = HopfieldAssociation(
            width, n_features, width, n_components=width, separation=separation
        )
        self.out = torch.nn.Linear(n_states * width, n_outputs)

    def forward(self, bags: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Return a row for each bag.

        Parameters
        ----------
        bags : Tensor of shape (n_bags, n_instances, n_features)
            Bags.
        mask : Tensor of bool of shape (n_bags, n_instances) or None, default=None
            Which instances are there; None is all.

        Returns
        -------
        Tensor of shape (n_bags, n_outputs)
        """
        return self.out(self.association(self._states_of(bags), bags, mask).flatten(-2))

    def weights(self, bags: torch.Tensor, mask: torch.Tensor | None = None) -> torch.Tensor:
        """Return the weights of the instances.

        Parameters
        ----------
        bags : Tensor of shape (n_bags, n_instances, n_features)
            Bags.
        mask : Tensor of bool of shape (n_bags, n_instances) or None, default=None
            Which instances are there; None is all.

        Returns
        -------
        Tensor of shape (n_bags, n_states, n_instances)
        """
        return self.association.weights(self._states_of(bags), bags, mask).squeeze(-3)

    def _states_of(self, bags):
        return self.states.expand(*bags.shape[:-2], -1, -1)
