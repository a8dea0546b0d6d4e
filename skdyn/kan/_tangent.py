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
        self.layers, self.inputs = layers, inputs
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

    @torch.no_grad()
    def pulls(self):
        """Return the derivatives of the outputs by the subnodes of each layer.

        Returns
        -------
        list of Tensor of shape (n_outputs, n_subnodes, n)
        """
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
    def rows_of(self, pulls, rows, out):
        """Write the derivative by all weights of what has given derivatives by the subnodes.

        Parameters
        ----------
        pulls : list of Tensor of shape (n_subnodes, n)
            The latter, of each layer.
        rows : slice
            Which rows they are of.
        out : Tensor of shape (n_weights, n)
            Where to write.
        """
        start = 0
        for depth, pull in enumerate(pulls):
            features = self._features[depth][..., rows]
            end = start + features.shape[0] * features.shape[1] * len(pull)
            self._write_edges(depth, features, pull, out[start:end])
            start = end
            for part in self._others(depth, pull, rows):
                out[start : start + len(part)] = part
                start += len(part)

    def _write_edges(self, depth, features, pull, out):
        layer, inputs = self.layers[depth], self.inputs[depth]
        by_subnode = layer.mask[inputs, :, None] * pull
        out = out.view(*features.shape[:2], *pull.shape)
        torch.mul(features[:, :, None], by_subnode[:, None], out=out)
        ones = torch.ones_like(layer.weight)
        gates = layer.basis.effective(ones)
        if gates is not ones:
            out *= gates[inputs, ..., None]
        if layer.sign is not None:  # silu has no part in edges that rise or fall
            out[:, -1] *= (layer.sign[inputs] == 0)[..., None]

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
