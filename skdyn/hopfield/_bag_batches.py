"""What a network sees of bags: instances joined, the bag of each, block by block."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import torch

from skdyn.hopfield._separations import EntmaxSeparation, Separation
from skdyn.training._devices import sent

__all__ = ["BagBatch", "BagStore", "Description"]

# Numbers of what instances are described by, and of what a network makes of them, in one block.
_DESCRIBED, _EMBEDDED = 2**19, 2**18
_KEPT = 2**23  # numbers of the descriptions of all instances that are computed once and kept


class Description(NamedTuple):
    """How instances and bags are described to a network.

    Attributes
    ----------
    references : Tensor of shape (n_references, n_features)
        Instances that others are compared with; none where the features themselves are seen.
    gamma : float
        Sharpness of the likeness.
    offset, scale : Tensor of shape (n_inputs,)
        Of the description of an instance.
    bag_offset, bag_scale : Tensor of shape (3 * n_inputs,)
        Of the statistics of a bag.
    """

    references: torch.Tensor
    gamma: float
    offset: torch.Tensor
    scale: torch.Tensor
    bag_offset: torch.Tensor
    bag_scale: torch.Tensor

    def unscaled(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the likenesses of rows to the references, or the rows where there are none.

        Parameters
        ----------
        rows : Tensor of shape (n, n_features)
            Scaled instances.

        Returns
        -------
        Tensor of shape (n, n_inputs)
        """
        if not len(self.references):
            return rows
        squares = rows.square().sum(dim=1, keepdim=True) + self.references.square().sum(dim=1)
        distances = squares.addmm_(rows, self.references.T, alpha=-2.0)  # in place, as all else
        return distances.clamp_(min=0.0).mul_(-self.gamma).exp_()

    def of_instances(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the standardized descriptions of rows.

        Parameters
        ----------
        rows : Tensor of shape (n, n_features)
            Scaled instances.

        Returns
        -------
        Tensor of shape (n, n_inputs)
        """
        described = self.unscaled(rows)
        described = described - self.offset if described is rows else described.sub_(self.offset)
        return described.div_(self.scale)

    def of_bags(self, statistics: torch.Tensor) -> torch.Tensor:
        """Return standardized statistics.

        Parameters
        ----------
        statistics : Tensor of shape (n_bags, 3 * n_inputs)
            Minimum, mean and maximum.

        Returns
        -------
        Tensor of the same shape
        """
        return (statistics - self.bag_offset) / self.bag_scale


class BagBatch:
    """Some bags, whose instances are described when they are asked for.

    Parameters
    ----------
    read : callable
        ``read(rows)`` returns the descriptions of a slice of the instances, ``(n, n_inputs)``.
    sizes : Tensor of int of shape (n_bags,)
        Instances of each bag.
    n_inputs : int
        Numbers that describe an instance.
    standardize : callable or None, default=None
        What is done to the statistics of the bags, ``(n_bags, 3 * n_inputs)``.
    generator : torch.Generator or None, default=None
        Source of what is dropped out.
    kept : bool, default=False
        Whether descriptions are there, and reading them takes no memory.
    known_statistics : callable, default=lambda: None
        ``known_statistics()`` returns those of the bags, standardized, ``(n_bags, 3 * n_inputs)``,
        or None where they are to be computed.
    n_instances : int or None, default=None
        Instances of all bags, where the host knows it.
    """

    def __init__(
        self,
        read: Callable[[slice], torch.Tensor],
        sizes: torch.Tensor,
        n_inputs: int,
        standardize: Callable[[torch.Tensor], torch.Tensor] | None = None,
        generator: torch.Generator | None = None,
        kept: bool = False,
        known_statistics: Callable[[], torch.Tensor | None] = lambda: None,
        n_instances: int | None = None,
    ) -> None:
        self.sizes = sizes
        self._known_statistics = known_statistics
        self.generator = generator
        self._read, self._standardize = read, standardize
        numbers = torch.arange(len(sizes), device=sizes.device)
        self.bag = torch.repeat_interleave(numbers, sizes, output_size=n_instances)
        self._most_described = len(self.bag) if kept else max(1, _DESCRIBED // n_inputs)

    def __len__(self) -> int:
        return len(self.sizes)

    def blocks(self, width: int) -> list[slice]:
        """Return slices of the instances that are worked on at once.

        Parameters
        ----------
        width : int
            Numbers that a network makes of an instance.

        Returns
        -------
        list of slice
        """
        n = min(self._most_described, max(1, _EMBEDDED // max(1, width)))
        stop = len(self.bag)
        return [slice(start, min(start + n, stop)) for start in range(0, stop, n)]

    def described(self, block: slice) -> torch.Tensor:
        """Return the descriptions of a block.

        Parameters
        ----------
        block : slice
            Of the instances.

        Returns
        -------
        Tensor of shape (n, n_inputs)
        """
        return self._whole if block.stop - block.start >= len(self.bag) else self._read(block)

    @cached_property
    def _whole(self):
        return self._read(slice(0, len(self.bag)))

    @cached_property
    def statistics(self) -> torch.Tensor:
        """Minimum, mean and maximum of each input over each bag, standardized."""
        if (known := self._known_statistics()) is not None:
            return known
        with torch.no_grad():
            found = self.raw_statistics()
        return found if self._standardize is None else self._standardize(found)

    def raw_statistics(self) -> torch.Tensor:
        """Return minimum, mean and maximum of each input over each bag.

        Returns
        -------
        Tensor of shape (n_bags, 3 * n_inputs)
        """
        blocks = self.blocks(0)
        first = self.described(blocks[0])
        low, total, high = (
            first.new_full((len(self), first.shape[1]), value)
            for value in (torch.inf, 0.0, -torch.inf)
        )
        for block in blocks:
            rows, bag = self.described(block), self.bag[block]
            index = bag[:, None].expand_as(rows)
            low.scatter_reduce_(0, index, rows, "amin")
            total.index_add_(0, bag, rows)
            high.scatter_reduce_(0, index, rows, "amax")
        return torch.cat([low, total / self.sizes[:, None].to(total), high], dim=1)

    def weights(self, separation: Separation, scores: torch.Tensor) -> torch.Tensor:
        """Separate the scores within each bag.

        Parameters
        ----------
        separation : Separation
            From scores to weights.
        scores : Tensor of shape (n_instances, n_states)
            Scores.

        Returns
        -------
        Tensor of shape (n_instances, n_states)
            Weights that sum to one in each bag.
        """
        if separation == EntmaxSeparation(1.0):
            return _Softmax.apply(scores, self.bag, len(self))
        longest = int(self.sizes.max())
        starts = self.sizes.cumsum(0) - self.sizes
        place = torch.arange(len(self.bag), device=self.bag.device) - starts[self.bag]
        padded = scores.new_full((len(self), longest, scores.shape[1]), -torch.inf)
        padded[self.bag, place] = scores
        return separation.weights(padded.transpose(1, 2)).transpose(1, 2)[self.bag, place]


class _Softmax(torch.autograd.Function):
    """Softmax within each bag, which keeps nothing but the weights for its gradient."""

    @staticmethod
    def forward(ctx, scores, bag, n_bags):
        index = bag[:, None].expand_as(scores)
        high = scores.new_full((n_bags, scores.shape[1]), -torch.inf)
        high.scatter_reduce_(0, index, scores, "amax")
        shares = scores.sub(high[bag]).exp_()
        total = torch.zeros_like(high).index_add_(0, bag, shares)
        weights = shares.div_(total[bag])
        ctx.save_for_backward(weights, bag)
        ctx.n_bags = n_bags
        return weights

    @staticmethod
    def backward(ctx, *grads):
        (grad,), (weights, bag) = grads, ctx.saved_tensors
        moved = grad * weights
        total = moved.new_zeros(ctx.n_bags, moved.shape[1]).index_add_(0, bag, moved)
        return moved.sub_(total[bag].mul_(weights)), None, None


class BagStore:
    """Bags that batches are taken from.

    Parameters
    ----------
    instances : Tensor of shape (n_instances, n_features)
        Scaled instances of all bags, one bag after the other.
    sizes : Tensor of int of shape (n_bags,)
        Instances of each bag.
    description : Description
        How they are described.
    for_training : bool, default=False
        Whether their statistics are asked for again and again, and are worth being kept.
    """

    def __init__(
        self,
        instances: torch.Tensor,
        sizes: torch.Tensor,
        description: Description,
        for_training: bool = False,
    ) -> None:
        self.sizes, self._description = sizes, description
        self.for_training = for_training
        self._starts = sizes.cumsum(0) - sizes
        self._kept = len(instances) * len(description.offset) <= _KEPT
        self._instances = description.of_instances(instances) if self._kept else instances

    def __len__(self) -> int:
        return len(self.sizes)

    def batch(
        self,
        numbers: torch.Tensor | None = None,
        generator: torch.Generator | None = None,
        max_instances: int | None = None,
    ) -> BagBatch:
        """Return some of the bags.

        Parameters
        ----------
        numbers : Tensor of int of shape (n_bags,) or None, default=None
            Which, in their order; None takes all.
        generator : torch.Generator or None, default=None
            Source of what is dropped out.
        max_instances : int or None, default=None
            How many of a bag at most, drawn anew; None takes all. Statistics are those of whole
            bags, where they are few enough to be kept.

        Returns
        -------
        BagBatch
        """
        if numbers is not None and len(numbers) == len(self) and torch.equal(numbers, self._all):
            numbers = None
        sizes, rows = self.sizes, None
        drawn = max_instances is not None and bool((sizes > max_instances).any())
        if numbers is not None or drawn:
            numbers = self._all if numbers is None else numbers
            sizes = sizes[numbers]
            shift = self._starts[numbers] - (sizes.cumsum(0) - sizes)
            rows = torch.repeat_interleave(shift, sizes)
            rows += torch.arange(len(rows), device=rows.device)
            if drawn:
                rows = rows[_some_of_each(sizes, max_instances, generator)]
                sizes = sizes.clamp(max=max_instances)
        description = self._description

        def read(block):
            some = self._instances[block if rows is None else rows[block]]
            return some if self._kept else description.of_instances(some)

        def known_statistics():
            found = self._statistics
            return found if found is None or numbers is None else found[numbers]

        return BagBatch(
            read, sizes, len(description.offset), description.of_bags, generator,
            kept=self._kept and rows is None, known_statistics=known_statistics,
            n_instances=len(self._instances if rows is None else rows),
        )  # fmt: skip

    @cached_property
    def _statistics(self):
        """Statistics of all bags, where they are few; asked for in training, epoch after epoch."""
        if not self.for_training or 3 * len(self) * len(self._description.offset) > _KEPT:
            return None
        with torch.no_grad():
            return self._description.of_bags(self.batch().raw_statistics())

    @cached_property
    def _all(self):
        return torch.arange(len(self), device=self.sizes.device)


def _some_of_each(sizes, most, generator):
    """Return places of at most so many instances of each bag, drawn without replacement."""
    bag = torch.repeat_interleave(torch.arange(len(sizes), device=sizes.device), sizes)
    heights = torch.rand(len(bag), generator=generator, dtype=torch.float64)
    heights = sent(heights, bag.device)
    order = (bag + heights).argsort()
    place = torch.arange(len(bag), device=bag.device) - (sizes.cumsum(0) - sizes)[bag]
    return order[place < most].sort().values
