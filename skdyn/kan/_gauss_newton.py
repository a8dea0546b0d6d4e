"""The quadratic model of a network's objective, for Levenberg-Marquardt."""

import torch

_CHUNK = 2**24  # numbers of a Jacobian held at once
_LARGEST = 5000  # weights: beyond that a matrix of them is no small fit any more


class GaussNewtonProblem:
    """Loss, gradient and Gauss-Newton matrix of an objective at a network's present weights.

    An output's derivative by the weights of a layer is the outer product of the layer's features
    and of the output's derivative by the layer's subnodes: one backward pass an output gives the
    whole Jacobian.

    Parameters
    ----------
    objective : KANObjective
        What is minimized.
    module : KAN
        The network; its bases' own parameters stay as they are.
    batch : tuple of Tensor
        Inputs, targets and weights of the rows.
    """

    def __init__(self, objective, module, batch):
        self.objective, self.module = objective, module
        self.X, self.y, self.row_weight = batch
        self.weights = [w for layer in module.layers for w in layer.linear_weights()]
        self.n_weights = sum(weight.numel() for weight in self.weights)
        if self.n_weights > _LARGEST:
            raise ValueError(
                f"optimizer='lm' handles up to {_LARGEST} weights; this network has "
                f"{self.n_weights}. Take fewer hidden nodes, smaller grid_sizes, or "
                "optimizer='adam' or 'lbfgs'."
            )

    @torch.no_grad()
    def loss(self):
        """Return the loss at the present weights, a scalar tensor."""
        return self._penalized(self.module(self.X))

    def _penalized(self, outputs):
        loss = self.objective.data_loss(outputs, self.y, self.row_weight)
        loss = self.objective.penalized(loss, self.module, self.X, self.row_weight)
        squares = sum(weight.square().sum() for weight in self.weights)
        return loss + 0.5 * self.objective.evidence.alpha * squares

    @torch.no_grad()
    def expand(self):
        """Return the loss, its gradient and its Gauss-Newton matrix.

        Returns
        -------
        loss : Tensor
            A scalar.
        gradient : Tensor of shape (n_weights,)
            In the order of ``weights``, each flattened.
        curvature : Tensor of shape (n_weights, n_weights)
        """
        outputs, gradient, curvature = self._data_part()
        if self.objective.lamb:
            self._add_sparsity(gradient, curvature)
        weights = torch.nn.utils.parameters_to_vector(self.weights)
        roughness, evidence = self._roughness(), self.objective.evidence
        data_loss = self.objective.data_loss(outputs, self.y, self.row_weight)
        evidence.weigh(self, data_loss, weights, curvature, roughness)
        prior = 2 * evidence.smoothness * roughness
        prior.diagonal().add_(evidence.alpha)
        return self._penalized(outputs), gradient + prior @ weights, curvature + prior

    def roughness_spectrum(self):
        """Return the eigenvalues of the form of the squared curvature, one a weight."""
        spectrum = [
            layer.basis.roughness_spectrum()[:, None, :] * layer.mask[..., None]
            for layer in self.module.layers
        ]
        spectrum = torch.cat([part.flatten() for part in spectrum])
        return torch.nn.functional.pad(spectrum, (0, self.n_weights - len(spectrum)))

    def _data_part(self):
        gradient = self.X.new_zeros(self.n_weights)
        curvature = self.X.new_zeros(self.n_weights, self.n_weights)
        n_outputs = self.module.layers[-1].n_subnodes
        rows = max(1, _CHUNK // (self.n_weights * n_outputs))
        share = self.row_weight / len(self.X)
        seen = []
        parts = (tensor.split(rows) for tensor in (self.X, self.y, share))
        for X, y, part in zip(*parts, strict=True):
            outputs, jacobian = self._jacobian(X)
            seen.append(outputs)
            slope, factor = self.objective.curvature(outputs, y)
            gradient += torch.einsum("no,nop->p", slope * part[:, None], jacobian)
            root = torch.einsum("noc,nop->ncp", factor * part.sqrt()[:, None, None], jacobian)
            root = root.flatten(0, 1)
            curvature.addmm_(root.T, root)
        return torch.cat(seen), gradient, curvature

    def _jacobian(self, X):
        layers = self.module.layers
        with torch.enable_grad():
            x, features, subnodes = X, [], []
            for layer in layers:
                features.append(layer.linear_features(x.detach()))
                subnodes.append(layer.subnodes(x))
                x = layer.outputs(subnodes[-1])
            slopes = [
                torch.autograd.grad(output.sum(), subnodes, retain_graph=True)
                for output in x.unbind(dim=1)
            ]
        rows = [
            torch.cat([layer.jacobian(*pair) for layer, *pair in zip(layers, features, by)], dim=1)
            for by in slopes
        ]
        return x.detach(), torch.stack(rows, dim=1)

    def _roughness(self):
        """Return the quadratic form of all edges' squared curvature."""
        whole = self.X.new_zeros(self.n_weights, self.n_weights)
        for layer, diagonal in zip(self.module.layers, self._edge_blocks(whole), strict=True):
            form = layer.mask[..., None, None] * layer.basis.roughness()[:, None]
            diagonal[:-1, :-1] += form.permute(2, 3, 0, 1)
        return whole

    def _add_sparsity(self, gradient, curvature):
        with torch.enable_grad():
            price = self.objective.lamb * self.objective.sparsity(
                self.module, self.X, self.row_weight
            )
            slopes = torch.autograd.grad(price, self.weights, allow_unused=True)
        gradient += torch.cat([
            torch.zeros_like(weight).flatten() if slope is None else slope.flatten()
            for weight, slope in zip(self.weights, slopes, strict=True)
        ])  # fmt: skip
        seen = self.module.inputs(self.X)
        for layer, x, block in zip(
            self.module.layers, seen, self._edge_blocks(curvature), strict=True
        ):
            covariance, rate = self.objective.sparsity_model(layer, x, self.row_weight)
            # The entropy is concave in places: a majorant must not follow it there.
            rate = (rate * layer.mask).clamp(min=0)
            block += torch.einsum("ij,ikl->klij", rate, covariance)

    def _edge_slices(self):
        """Yield where each layer's edge weights stand among all."""
        start = 0
        for layer in self.module.layers:
            yield slice(start, start + layer.weight.numel())
            start += sum(weight.numel() for weight in layer.linear_weights())

    def _edge_blocks(self, whole):
        """Yield views of a matrix, of shape (n_functions + 1, n_functions + 1, n_in, n_subnodes).

        Penalties couple only the weights of one edge; a layer's view holds those places.
        """
        for layer, place in zip(self.module.layers, self._edge_slices(), strict=True):
            shape = layer.weight.shape
            square = whole[place, place].unflatten(1, shape).unflatten(0, shape)
            yield square.diagonal(dim1=0, dim2=3).diagonal(dim1=1, dim2=3)
