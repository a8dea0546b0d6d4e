"""Attention over clouds of points, weighed by the part of the domain that each stands for."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional

from skdyn.operators._cloud_batches import CloudBatch

__all__ = ["PointCloudNetwork", "WeightedLinearAttention", "linear_attention"]


def linear_attention(
    queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """Average values by the likeness of positive features, at a cost linear in the points.

    .. math:: z_i = \\frac{\\sum_j w_j\\, (q_i \\cdot k_j)\\, v_j}{\\sum_j w_j\\, (q_i \\cdot k_j)}

    Parameters
    ----------
    queries : Tensor of shape (n_cases, n_places, n_heads, width)
        Positive features of the places.
    keys, values : Tensor of shape (n_cases, n_points, n_heads, width)
        Of the points.
    weights : Tensor of shape (n_cases, n_points)
        Quadrature weights, zero where there is no point.

    Returns
    -------
    Tensor of the shape of queries
    """
    keys = keys * weights[..., None, None]
    queries, keys, values = (z.transpose(1, 2) for z in (queries, keys, values))
    together = keys.transpose(2, 3) @ values
    mass = queries @ keys.sum(dim=2)[..., None]
    return (queries @ together / mass.clamp_min(torch.finfo(mass.dtype).tiny)).transpose(1, 2)


class WeightedLinearAttention(nn.Module):
    """Linear attention of places to points.

    Parameters
    ----------
    hidden_channels : int
        Width.
    n_heads : int
        Parts of the width that attend each for itself.
    """

    def __init__(self, hidden_channels: int, n_heads: int) -> None:
        super().__init__()
        if hidden_channels % n_heads:
            raise ValueError(
                f"n_heads={n_heads} does not divide hidden_channels={hidden_channels}. Choose a "
                "divisor."
            )
        self.n_heads = n_heads
        self.query = nn.Linear(hidden_channels, hidden_channels)
        self.source = nn.Linear(hidden_channels, 2 * hidden_channels)

    def forward(
        self, places: torch.Tensor, points: torch.Tensor, weights: torch.Tensor
    ) -> torch.Tensor:
        """Average what points hold.

        Parameters
        ----------
        places : Tensor of shape (n_cases, n_places, hidden_channels)
            States that ask.
        points : Tensor of shape (n_cases, n_points, hidden_channels)
            States that are asked.
        weights : Tensor of shape (n_cases, n_points)
            Quadrature weights.

        Returns
        -------
        Tensor of the shape of places
        """
        keys, values = self.source(points).chunk(2, dim=-1)
        queries, keys, values = (
            z.unflatten(-1, (self.n_heads, -1)) for z in (self.query(places), keys, values)
        )
        queries, keys = queries.softmax(dim=-1), keys.softmax(dim=-1)
        return linear_attention(queries, keys, values, weights).flatten(2)


class _Messages(nn.Module):
    """What the nearest points tell, by their states and the way to them."""

    def __init__(self, n_features, hidden_channels):
        super().__init__()
        self.own = nn.Linear(hidden_channels, hidden_channels)
        self.other = nn.Linear(hidden_channels, hidden_channels, bias=False)
        self.apart = nn.Linear(n_features, hidden_channels, bias=False)
        self.told = nn.Linear(hidden_channels, hidden_channels)

    def forward(self, states, features, points, point_features, nearest):
        of_points = self.other(points) + self.apart(point_features)
        own = self.own(states) - self.apart(features)
        index = nearest.flatten(1)[..., None].expand(-1, -1, of_points.shape[-1])
        others = of_points.gather(1, index).unflatten(1, nearest.shape[1:])
        return self.told(functional.gelu(own[:, :, None] + others).mean(dim=2))


class _Experts(nn.Module):
    """A network for each part of the domain, mixed by where a place is."""

    def __init__(self, n_features, hidden_channels, n_experts):
        super().__init__()
        self.n_experts = n_experts
        self.gate = nn.Linear(n_features, n_experts)
        self.rise = nn.Linear(hidden_channels, n_experts * hidden_channels)
        self.fall = nn.Linear(n_experts * hidden_channels, hidden_channels)

    def forward(self, states, features):
        inner = functional.gelu(self.rise(states))
        if self.n_experts > 1:
            share = self.gate(features).softmax(dim=-1)[..., None]
            inner = (inner.unflatten(-1, (self.n_experts, -1)) * share).flatten(-2)
        return self.fall(inner)


class _Block(nn.Module):
    def __init__(self, n_features, hidden_channels, n_heads, n_experts, neighbors, edge):
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(hidden_channels) for _ in range(2))
        self.attentions = nn.ModuleList(
            WeightedLinearAttention(hidden_channels, n_heads) for _ in range(1 + edge)
        )
        self.mix = nn.Linear((1 + edge) * hidden_channels, hidden_channels)
        self.messages = _Messages(n_features, hidden_channels) if neighbors else None
        self.experts = _Experts(n_features, hidden_channels, n_experts)

    def forward(self, batch, points, places):
        """Return new states of the points, and of the places where they are others."""
        asked = [(points, batch.features, batch.nearest)]
        if places is not None:
            asked.append((places, batch.places, batch.place_nearest))
        known = self.norms[0](points)
        sources = [(known, batch.weights)]
        if len(self.attentions) > 1:
            index = batch.edge[..., None].expand(-1, -1, known.shape[-1])
            sources.append((known.gather(1, index), batch.edge_weights))
        new: list[Any] = []
        for states, features, nearest in asked:
            asks = known if states is points else self.norms[0](states)
            heard = [
                attend(asks, *source)
                for attend, source in zip(self.attentions, sources, strict=True)
            ]
            states = states + self.mix(torch.cat(heard, dim=-1))
            if self.messages is not None:
                states = states + self.messages(asks, features, known, batch.features, nearest)
            new.append(states + self.experts(self.norms[1](states), features))
        return new[0], new[1] if places is not None else None


class PointCloudNetwork(nn.Module):
    """States of points that attend to all points and to the edge, layer after layer.

    States at other places than the points attend to those of the points in the same way, so that
    an answer does not depend on where else answers are asked for.

    Parameters
    ----------
    n_features : int
        Numbers that describe a place.
    n_outputs : int
        Channels of the answer.
    hidden_channels, n_layers, n_heads, n_experts, neighbors : int
        Sizes.
    edge : bool
        Whether the points of an edge are asked apart.
    pooled : bool
        Whether the answer is one for the case, the mean over its points.
    """

    def __init__(
        self,
        *,
        n_features: int,
        n_outputs: int,
        hidden_channels: int,
        n_layers: int,
        n_heads: int,
        n_experts: int,
        neighbors: int,
        edge: bool,
        pooled: bool,
    ) -> None:
        super().__init__()
        self.pooled = pooled
        self.lift = nn.Sequential(
            nn.Linear(n_features, hidden_channels),
            nn.GELU(),
            nn.Linear(hidden_channels, hidden_channels),
        )
        self.blocks = nn.ModuleList(
            _Block(n_features, hidden_channels, n_heads, n_experts, neighbors, edge)
            for _ in range(n_layers)
        )
        self.norm = nn.LayerNorm(hidden_channels)
        self.inner = nn.Linear(hidden_channels, hidden_channels)
        self.answer = nn.Linear(hidden_channels, n_outputs)
        self.slopes = nn.Linear(hidden_channels, n_outputs * n_features)
        nn.init.zeros_(self.slopes.weight)

    def forward(self, batch: CloudBatch) -> torch.Tensor:
        """Answer.

        Parameters
        ----------
        batch : CloudBatch
            Cases.

        Returns
        -------
        Tensor of shape (n_cases, n_places, n_outputs), of one place where pooled
        """
        points = self.lift(batch.features)
        places = None if batch.places is None else self.lift(batch.places)
        for block in self.blocks:
            points, places = block(batch, points, places)
        asked = (points, batch.features) if places is None else (places, batch.places)
        answers = self._read(*asked)
        if not self.pooled:
            return answers
        return (answers * batch.weights[..., None]).sum(dim=1, keepdim=True)

    def _read(self, states, features):
        """Answer by a network, and by the features times what the states make of them."""
        inner = functional.gelu(self.inner(self.norm(states)))
        slopes = self.slopes(inner).unflatten(-1, (-1, features.shape[-1]))
        return self.answer(inner) + (slopes @ features[..., None]).squeeze(-1)
