"""A network at some rows: its outputs, and their derivatives by the weights."""

import torch

__all__ = ["Tangent", "first_features"]


class Tangent:
    """Outputs of a network, and what moves them, forwards and backwards by hand.

    An output's derivative by the weights of a layer is the outer product of the layer's features
    and of the output's derivative by the layer's subnodes. Rows come last everywhere.

    Parameters
    ----------
    layers : sequence of KANLayer
        The network's.
    inputs : list of Tensor
        Of each layer, the numbers of the inputs whose weights count: all whose edges stand.
    X : Tensor of shape (n, n_features)
        Inputs of the network.
    known : Tensor, default=None
        What :func:`first_features` returns for these rows, if it is known.

    Attributes
    ----------
    outputs : Tensor of shape (n, n_outputs)
        Of the network.
    """

    @torch.no_grad()
    def __init__(self, layers, inputs, X, known=None):
        self.layers, self.inputs, self._pulls = layers, inputs, None
        self._features, self._slopes, self._seen, self._factors = [], [], [], []
        x = X.T
        for depth, (layer, wanted) in enumerate(zip(layers, inputs, strict=True)):
            if depth:
                features, slopes_of = layer.basis.by_columns(x)
                features = features if len(wanted) == layer.n_in else features[wanted]
            else:
                features, slopes_of = known, None
                if known is None:
                    features = first_features(layer, X, wanted)
            self._features.append(features)
            self._slopes.append(slopes_of)
            self._seen.append(x)
            sums = self._sums(layer, wanted, features, x)
            sums, factors = sums.split([layer.n_sum, 2 * layer.n_mult])
            self._factors.append(factors)
            x = torch.cat([sums, factors[::2] * factors[1::2]]) if layer.n_mult else sums
        self.outputs = x.T

    @staticmethod
    def _sums(layer, wanted, features, x):
        weight = layer.basis.effective(layer.numeric_weight())
        weight = weight if len(wanted) == layer.n_in else weight[wanted]
        sums = torch.addmm(layer.bias[:, None], weight.flatten(0, 1).T, features.flatten(0, 1))
        if layer.levels is not None:
            sums += (layer.levels.indicators(x.T) @ layer.levels.standing()).T
        for i, j, edge in _symbolic_edges(layer):
            sums[j] += edge(x[i])
        return sums

    def pulls(self):
        """Return the derivatives of the outputs by the subnodes of each layer.

        Returns
        -------
        list of Tensor of shape (n_outputs, n_subnodes, n)
        """
        if self._pulls is None:
            self._pulls = self._pulled()
        return self._pulls

    @torch.no_grad()
    def _pulled(self):
        n, n_outputs = self.outputs.shape
        pull = torch.eye(n_outputs).to(self.outputs)[..., None].expand(-1, -1, n)
        found = []
        for depth in reversed(range(len(self.layers))):
            layer, factors = self.layers[depth], self._factors[depth]
            if layer.n_mult:
                of_sums, of_products = pull.split([layer.n_sum, layer.n_mult], dim=1)
                others = factors.unflatten(0, (-1, 2)).flip(1)  # of each factor, the other one
                pull = torch.cat([of_sums, (of_products[:, :, None] * others).flatten(1, 2)], dim=1)
            found.append(pull)
            if depth:
                pull = self._through_edges(depth, pull)
        return found[::-1]

    def _through_edges(self, depth, pull):
        """Return the outputs' derivatives by what a layer sees."""
        layer, x = self.layers[depth], self._seen[depth]
        slopes = self._slopes[depth](layer.numeric_weight())
        total = pull[:, :1] * slopes[0]
        for j in range(1, layer.n_subnodes):
            total = torch.addcmul(total, pull[:, j : j + 1], slopes[j])
        for i, j, edge in _symbolic_edges(layer):
            with torch.enable_grad():
                at = x[i].detach().requires_grad_()
                (slope,) = torch.autograd.grad(edge(at).sum(), at)
            total[:, i] += pull[:, j] * slope
        return total

    @torch.no_grad()
    def gradient(self, by_output):
        """Return the derivative by all weights of what has given derivatives by the outputs.

        Parameters
        ----------
        by_output : Tensor of shape (n_outputs, n)
            The latter, row by row.

        Returns
        -------
        Tensor of shape (n_weights,)
        """
        parts = []
        for depth, pulls in enumerate(self.pulls()):
            pull, features = _mixed(pulls, by_output), self._features[depth]
            edges = features.flatten(0, 1) @ pull.T
            edges = edges.view(*features.shape[:2], len(pull)) * self._gates(depth)
            others = [part.sum(dim=1) for part in self._others(depth, pull, slice(None))]
            parts += [edges.flatten(), *others]
        return torch.cat(parts)

    @torch.no_grad()
    def rows_of(self, by_output, rows, out):
        """Write the same row by row, not added up.

        Parameters
        ----------
        by_output : Tensor of shape (n_outputs, n)
            Derivatives by the outputs.
        rows : slice
            The n rows that they are of.
        out : Tensor of shape (n_weights, n)
            Where to write.
        """
        start = 0
        for depth, pulls in enumerate(self.pulls()):
            pull, features = _mixed(pulls[..., rows], by_output), self._features[depth][..., rows]
            end = start + features.shape[0] * features.shape[1] * len(pull)
            edges = out[start:end].view(*features.shape[:2], *pull.shape)
            torch.mul(features[:, :, None], pull, out=edges)
            gates = self._gates(depth)
            if not (gates == 1).all():
                edges *= gates[..., None]
            start = end
            for part in self._others(depth, pull, rows):
                out[start : start + len(part)] = part
                start += len(part)

    def _gates(self, depth):
        """Return how much of each function each edge has."""
        layer, inputs = self.layers[depth], self.inputs[depth]
        gates = layer.basis.effective(torch.ones_like(layer.weight)) * layer.mask[:, None]
        if layer.sign is not None:  # silu has no part in edges that rise or fall
            gates[:, -1] *= layer.sign == 0
        return gates[inputs]

    def _others(self, depth, pull, rows):
        """Return the derivatives by a layer's biases, levels and symbolic edges."""
        layer, x = self.layers[depth], self._seen[depth][:, rows]
        parts = [pull]
        if layer.levels is not None:
            there = layer.levels.mask[layer.levels.column]
            taken = layer.levels.indicators(x.T).T
            parts.append((taken[:, None] * (there[..., None] * pull)).flatten(0, 1))
        parts += [edge.slopes(x[i]).T * pull[j] for i, j, edge in _symbolic_edges(layer)]
        return parts


def _mixed(pulls, by_output):
    """Return the derivative of a combination of the outputs, row by row, by a layer's subnodes.

    Parameters
    ----------
    pulls : Tensor of shape (n_outputs, n_subnodes, n)
        Those of the outputs.
    by_output : Tensor of shape (n_outputs, n)
        Part that each output has in it.

    Returns
    -------
    Tensor of shape (n_subnodes, n)
    """
    if len(pulls) == 1:
        return pulls[0] * by_output
    return torch.einsum("osn,on->sn", pulls, by_output)


def first_features(layer, X, inputs):
    """Return the functions of the first layer's inputs, those of gaps too.

    Parameters
    ----------
    layer : KANLayer
        The layer.
    X : Tensor of shape (n, n_in)
        Its inputs.
    inputs : Tensor of shape (n_wanted,)
        Numbers of those that are wanted.

    Returns
    -------
    Tensor of shape (n_wanted, n_functions + 1, n)
    """
    return layer.features(X).detach()[:, inputs].permute(1, 2, 0).contiguous()


def _symbolic_edges(layer):
    return [(*map(int, place.split("_")), edge) for place, edge in layer.symbolic.items()]
