"""Pooling as a torch module: states are looked up in a bag of instances."""

import math
from collections.abc import Sequence
from typing import Any

import torch

from skdyn.hopfield._bag_batches import BagBatch
from skdyn.hopfield._pooling_blocks import pooled_in_blocks
from skdyn.hopfield._separations import Separation, as_separation
from skdyn.training._devices import sent

__all__ = ["HopfieldPooling"]


class HopfieldPooling(torch.nn.Module):
    """Retrieve from each bag what is like the learned states; a linear head reads it out.

    Parameters
    ----------
    n_inputs : int
        Numbers that describe an instance.
    n_statistics : int
        Numbers that describe a bag and go straight to the head.
    n_outputs : int
        Outputs of the head.
    n_states : int
        Number of states.
    n_components : int
        Length of keys, states and values.
    separation : str or Separation
        From scores to weights.
    hidden_layer_sizes : tuple of int, default=()
        Layers that embed an instance.
    dropout : float, default=0.0
        Share of each layer's units that are left out for a bag in training.
    n_models : int, default=1
        Number of such networks, side by side.
    """

    def __init__(
        self, n_inputs: int, n_statistics: int, n_outputs: int, n_states: int, n_components: int,
        separation: str | Separation, hidden_layer_sizes: tuple[int, ...] = (),
        dropout: float = 0.0, n_models: int = 1,
    ) -> None:  # fmt: skip
        super().__init__()
        self.separation = as_separation(separation)
        self.dropout = dropout
        self._widths = tuple(hidden_layer_sizes)
        widths = [n_inputs, *hidden_layer_sizes]
        self.layers = torch.nn.ModuleList(map(torch.nn.Linear, widths, widths[1:]))
        self.norm = torch.nn.LayerNorm(widths[-1]) if hidden_layer_sizes else torch.nn.Identity()
        self.key = torch.nn.Linear(widths[-1], n_components, bias=False)
        self.value = torch.nn.Linear(widths[-1], n_components)
        self.states = torch.nn.Parameter(torch.randn(n_states, n_components))
        self.log_beta = torch.nn.Parameter(torch.zeros(n_states))
        self.head = torch.nn.Linear(n_states * n_components + n_statistics, n_outputs)
        self.others = torch.nn.ModuleList(  # beside the first, whose names are those of one alone
            HopfieldPooling(
                n_inputs, n_statistics, n_outputs, n_states, n_components, separation,
                hidden_layer_sizes, dropout,
            )
            for _ in range(n_models - 1)
        )  # fmt: skip

    def forward(self, batch: BagBatch) -> torch.Tensor:
        """Return the outputs, the mean over the networks.

        Parameters
        ----------
        batch : BagBatch
            Bags.

        Returns
        -------
        Tensor of shape (n_bags, n_outputs)
        """
        return self.each(batch).mean(dim=0)

    def each(self, batch: BagBatch) -> torch.Tensor:
        """Return the outputs of each network.

        Parameters
        ----------
        batch : BagBatch
            Bags.

        Returns
        -------
        Tensor of shape (n_models, n_bags, n_outputs)
        """
        networks, blocks = self._networks(), batch.blocks(self._width)
        masks = [network._masks(batch) for network in networks]
        if len(blocks) == 1:
            described = batch.described(blocks[0])
            pooled: Any = [
                network._pooled(batch, described, mask)
                for network, mask in zip(networks, masks, strict=True)
            ]
        else:
            pooled = pooled_in_blocks(networks, batch, blocks, masks)
        outputs = [network._output(batch, one) for network, one in zip(networks, pooled)]
        return torch.stack(outputs)

    def weights(self, batch: BagBatch) -> torch.Tensor:
        """Return the weights of the instances, of each network's states.

        Parameters
        ----------
        batch : BagBatch
            Bags.

        Returns
        -------
        Tensor of shape (n_instances, n_models * n_states)
        """
        return torch.cat([network._weights(batch) for network in self._networks()], dim=1)

    def multiply_adds(self, shape: tuple[int, ...]) -> int:
        """Count the multiply-adds of a pass over a batch.

        Parameters
        ----------
        shape : tuple of int
            ``(n_bags, n_instances, ...)``, with the instances of one bag.

        Returns
        -------
        int
        """
        n_bags, n_instances = shape[0], shape[0] * shape[1]
        embedding = sum(weight.numel() for weight in self.layers.parameters())
        pooling = self.key.weight.numel() + self.value.weight.numel() + 2 * self.states.numel()
        once = n_instances * (embedding + pooling) + n_bags * self.head.weight.numel()
        return once * (1 + len(self.others))

    def _networks(self):
        return [self, *self.others]

    def _output(self, batch, pooled):
        pooled = pooled.flatten(1)
        if self.head.in_features > pooled.shape[1]:
            pooled = torch.cat([pooled, batch.statistics], dim=1)
        return self.head(pooled)

    def _weights(self, batch):
        found = []
        for block in batch.blocks(self._width):
            embedded = self.embedded(batch.described(block), batch.bag[block], ())
            found.append(self.scores(embedded))
        return batch.weights(self.separation, torch.cat(found))

    def _pooled(self, batch, described, mask):
        """Return what each state retrieves from each bag, (n_bags, n_states, n_components)."""
        embedded = self.embedded(described, batch.bag, mask)
        weights = batch.weights(self.separation, self.scores(embedded))
        parts = weights[:, :, None] * self.value(embedded)[:, None]
        return parts.new_zeros((len(batch), *parts.shape[1:])).index_add(0, batch.bag, parts)

    @property
    def _width(self):
        """Most numbers that are made of an instance."""
        return max(self.states.numel(), self.key.out_features, *self._widths)

    def _masks(self, batch) -> Any:
        """Return which units are left out: for all instances of a bag alike."""
        if not (self.training and self.dropout):
            return ()
        stay = 1.0 - self.dropout
        masks = (
            torch.rand(len(batch), width, generator=batch.generator) < stay
            for width in self._widths
        )
        like = self.log_beta
        return [sent(mask.to(like.dtype), like.device) / stay for mask in masks]

    # -- of some instances -------------------------------------------------------------------------

    def pooling_parameters(self) -> list[torch.nn.Parameter]:
        """Return the parameters of all but the head, in a fixed order.

        Returns
        -------
        list of Parameter
        """
        parts = self.layers, self.norm, self.key, self.value
        return [p for part in parts for p in part.parameters()] + [self.states, self.log_beta]

    def embedded(
        self, described: torch.Tensor, bag: torch.Tensor, masks: Sequence[torch.Tensor]
    ) -> torch.Tensor:
        """Embed instances.

        Parameters
        ----------
        described : Tensor of shape (n, n_inputs)
            What they are described by.
        bag : Tensor of int of shape (n,)
            The bag of each.
        masks : sequence of Tensor of shape (n_bags, width)
            Which units of each layer are left out, for all instances of a bag alike; none leaves
            out nothing.

        Returns
        -------
        Tensor of shape (n, width)
        """
        for number, layer in enumerate(self.layers):
            described = torch.relu(layer(described))
            if masks:
                described = described * masks[number][bag]
        return self.norm(described)

    def scores(self, embedded: torch.Tensor) -> torch.Tensor:
        """Compare instances with the states.

        Parameters
        ----------
        embedded : Tensor of shape (n, width)
            Instances.

        Returns
        -------
        Tensor of shape (n, n_states)
        """
        products = self.key(embedded) @ self.states.T / math.sqrt(self.states.shape[1])
        return products * self.log_beta.exp()
