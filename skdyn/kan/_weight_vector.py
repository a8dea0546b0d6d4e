"""The weights of a network as one vector, which knows when they have changed."""

import math

import torch

__all__ = ["WeightVector", "versions"]


class WeightVector:
    """All that a network's subnodes are linear in, layer by layer.

    Parameters
    ----------
    layers : sequence of KANLayer
        The network's.

    Attributes
    ----------
    inputs : list of Tensor
        Of each layer, the numbers of the inputs whose weights take part: any edge of them stands.
    edges : list of slice
        Where the edges' weights of each layer are in the vector.
    length : int
        Number of weights.
    """

    def __init__(self, layers):
        self.layers = list(layers)
        self.inputs = [layer.mask.any(dim=1).nonzero()[:, 0] for layer in self.layers]
        self._parts = [layer.linear_weights() for layer in self.layers]
        self._whole = [
            len(inputs) == layer.n_in
            for layer, inputs in zip(self.layers, self.inputs, strict=True)
        ]
        self.edges, self.length = [], 0
        for inputs, (edges, *rest) in zip(self.inputs, self._parts, strict=True):
            end = self.length + len(inputs) * edges[0].numel()
            self.edges.append(slice(self.length, end))
            self.length = end + sum(weight.numel() for weight in rest)
        self._known, self._structure = None, self._structure_of(self.layers)

    @staticmethod
    def _structure_of(layers):
        return [
            part
            for layer in layers
            for part in (layer.basis, layer.mask, *versions([layer.mask]), *layer.linear_weights())
        ]

    def is_of(self, layers):
        """Tell whether these are the weights of layers still.

        Parameters
        ----------
        layers : sequence of KANLayer
            A network's.

        Returns
        -------
        bool
        """
        now = self._structure_of(layers)
        return len(now) == len(self._structure) and all(map(_is_same, self._structure, now))

    def read(self, of_weight, of_edges=None):
        """Write something of the shape of every layer's weights as one vector.

        Parameters
        ----------
        of_weight : callable
            Returns it for a tensor of weights.
        of_edges : callable or None, default=None
            Returns it for the edges of a layer.

        Returns
        -------
        Tensor of shape (length,)
        """
        found = []
        parts = zip(self.layers, self.inputs, self._whole, self._parts, strict=True)
        for layer, inputs, whole, (edges, *rest) in parts:
            edges = of_weight(edges) if of_edges is None else of_edges(layer)
            found.append((edges if whole else edges[inputs]).flatten())
            found += [of_weight(weight).flatten() for weight in rest]
        return torch.cat(found)

    def now(self):
        """Return the weights.

        Returns
        -------
        Tensor of shape (length,)
        """
        version = self.version()
        if self._known is None or self._known[0] != version:
            self._known = version, self.read(torch.Tensor.detach)
        return self._known[1]

    def version(self):
        """Return what changes whenever a weight does."""
        return [number for parts in self._parts for number in versions(parts)]

    @torch.no_grad()
    def carried(self):
        """Return the coefficients that the weights stand for.

        Returns
        -------
        Tensor of shape (length,)
        """
        if all(layer.sign is None for layer in self.layers):
            return self.now()
        return self.read(torch.Tensor.detach, lambda layer: layer.carried())

    @torch.no_grad()
    def write(self, weights):
        """Take other weights.

        Parameters
        ----------
        weights : Tensor of shape (length,)
            The weights.
        """
        parts = zip(self.inputs, self._whole, self.edges, self._parts, strict=True)
        for inputs, whole, place, (edges, *rest) in parts:
            found = weights[place].view(-1, *edges.shape[1:])
            if whole:
                edges.copy_(found)
            else:
                edges[inputs] = found
            start = place.stop
            for weight in rest:
                weight.copy_(weights[start : start + weight.numel()].view_as(weight))
                start += weight.numel()
        self._known = self.version(), weights

    @torch.no_grad()
    def lower(self):
        """Return what the weights must not go below; None where they are free.

        Returns
        -------
        Tensor of shape (length,) or None
        """
        if all(layer.sign is None for layer in self.layers):
            return None

        def of_edges(layer):
            bound = torch.full_like(layer.weight, -math.inf)
            if layer.sign is not None:
                bound[:, 1:-1] = torch.where(layer.sign[:, None] == 0, -math.inf, 0.0)
            return bound

        return self.read(lambda weight: torch.full_like(weight, -math.inf), of_edges)

    def groups(self):
        """Return which input of the network each weight is of; that of the others is the last.

        Returns
        -------
        Tensor of shape (length,)
        """
        first = self.layers[0]
        by_input = torch.arange(first.n_in, device=first.mask.device)
        levels = None if first.levels is None else first.levels.value

        def of_edges(layer):
            of_input = by_input if layer is first else by_input.new_full((layer.n_in,), first.n_in)
            return of_input[:, None, None].expand_as(layer.weight)

        def of_weight(weight):
            if weight is levels:
                return first.levels.column[:, None].expand_as(weight)
            return by_input.new_full(weight.shape, first.n_in)

        return self.read(of_weight, of_edges)

    def edge_blocks(self, whole):
        """Yield views of a matrix, of shape (n_functions + 1, n_functions + 1, n_in, n_subnodes).

        Penalties couple only the weights of one edge; a layer's view holds those places.

        Parameters
        ----------
        whole : Tensor of shape (length, length)
            The matrix.

        Yields
        ------
        Tensor
        """
        for layer, inputs, place in zip(self.layers, self.inputs, self.edges, strict=True):
            shape = len(inputs), *layer.weight.shape[1:]
            square = whole[place, place].unflatten(1, shape).unflatten(0, shape)
            yield square.diagonal(dim1=0, dim2=3).diagonal(dim1=1, dim2=3)


def versions(tensors):
    """Return how often each tensor was changed in place.

    Parameters
    ----------
    tensors : list of Tensor
        The tensors.

    Returns
    -------
    list of int
    """
    return [0 if tensor.is_inference() else tensor._version for tensor in tensors]


def _is_same(one, other):
    return one is other or (isinstance(one, int) and one == other)
