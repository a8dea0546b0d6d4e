"""Pooling of more instances than are worked on at once: nothing but scores is kept of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from skdyn.hopfield._bag_batches import BagBatch

if TYPE_CHECKING:
    from skdyn.hopfield._pooling import HopfieldPooling

__all__ = ["pooled_in_blocks"]


def pooled_in_blocks(
    networks: Sequence[HopfieldPooling],
    batch: BagBatch,
    blocks: Sequence[slice],
    masks: Sequence[Any],
) -> torch.Tensor:
    """Return what the states of each network retrieve from each bag.

    Instances are described once for all networks, and embedded again where the gradient needs it.
    No tensor outlives its block, between which those of others would lie: memory that is freed
    piece by piece is not given back.

    Parameters
    ----------
    networks : sequence of HopfieldPooling
        Alike but for their weights.
    batch : BagBatch
        Bags.
    blocks : sequence of slice
        Of the instances.
    masks : sequence of list of Tensor
        Which units each network leaves out.

    Returns
    -------
    Tensor of shape (n_networks, n_bags, n_states, n_components)
    """
    parameters = [p for network in networks for p in network.pooling_parameters()]
    found: Any = _Pooled.apply(networks, batch, blocks, masks, *parameters)
    return found


class _Pooled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, networks, batch, blocks, masks, *parameters):
        one, n_instances = networks[0], len(batch.bag)
        scores = parameters[0].new_empty(len(networks), n_instances, len(one.states))
        for block in blocks:
            described, bag = batch.described(block), batch.bag[block]
            for network, mask, own in zip(networks, masks, scores, strict=True):
                own[block] = network.scores(network.embedded(described, bag, mask))
        ctx.how = scores, networks, batch, blocks, masks
        pooled = parameters[0].new_zeros(len(networks), len(batch), *one.states.shape)
        weights = [batch.weights(one.separation, own) for own in scores]
        for block in blocks:
            described, bag = batch.described(block), batch.bag[block]
            for network, mask, own, total in zip(networks, masks, weights, pooled, strict=True):
                values = network.value(network.embedded(described, bag, mask))
                total.index_add_(0, bag, own[block][:, :, None] * values[:, None])
        return pooled

    @staticmethod
    def backward(ctx, *grads):
        if ctx.how is None:
            raise RuntimeError("Scores were overwritten by the first pass back; pool once more.")
        scores, networks, batch, blocks, masks = ctx.how
        ctx.how, (grad,), n_other = None, grads, 4
        pull = torch.empty_like(scores)  # of the weights, then of the scores
        for block in blocks:
            described, bag = batch.described(block), batch.bag[block]
            for network, mask, own, to in zip(networks, masks, pull, grad, strict=True):
                values = network.value(network.embedded(described, bag, mask))
                own[block] = torch.einsum("nc,nsc->ns", values, to[bag])
        for given, own in zip(scores, pull, strict=True):
            with torch.enable_grad():
                leaf = given.detach().clone().requires_grad_()
                found = batch.weights(networks[0].separation, leaf)
            own.copy_(torch.autograd.grad(found, leaf, own)[0])
            given.copy_(found.detach())  # from here on, weights
        total = [[torch.zeros_like(p) for p in n.pooling_parameters()] for n in networks]
        for block in blocks:
            described, bag = batch.described(block), batch.bag[block]
            for network, mask, own, weight, to, sums in zip(
                networks, masks, pull, scores, grad, total, strict=True
            ):
                with torch.enable_grad():
                    embedded = network.embedded(described, bag, mask)
                    found = network.scores(embedded), network.value(embedded)
                wanted = own[block], torch.einsum("ns,nsc->nc", weight[block], to[bag])
                parts = torch.autograd.grad(found, network.pooling_parameters(), wanted)
                for one, part in zip(sums, parts, strict=True):
                    one += part
        return *[None] * n_other, *(part for sums in total for part in sums)
