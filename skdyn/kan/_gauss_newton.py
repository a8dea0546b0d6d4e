"""The quadratic model of a network's objective, for Levenberg-Marquardt."""

import math

import torch

from skdyn.kan._monotone import by_steps

_CHUNK = 2**24  # numbers of a Jacobian held at once
_LARGEST = 5000  # weights: beyond that a matrix of them is no small fit any more


class GaussNewtonProblem:
    """Loss, gradient and Gauss-Newton matrix of an objective at a network's present weights.

    An output's derivative by the weights of a layer is the outer product of the layer's features
    and of the output's derivative by the layer's subnodes: one backward pass an output gives the
    whole Jacobian. Inputs of a layer all of whose edges are cut take no part.

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
        self.inputs = [layer.mask.any(dim=1).nonzero()[:, 0] for layer in module.layers]
        self.n_weights = len(self.weights())
        self.n_groups = module.layers[0].n_in + 1
        self.group = self._inputs_of_weights()
        if self.n_weights > _LARGEST:
            raise ValueError(
                f"optimizer='lm' handles up to {_LARGEST} weights; this network has "
                f"{self.n_weights}. Take fewer hidden nodes, smaller grid_sizes, or "
                "optimizer='adam' or 'lbfgs'."
            )

    def _vector(self, of_weight, of_edges=None):
        """Write something of the shape of every layer's weights as one vector."""
        parts = []
        for layer, inputs in zip(self.module.layers, self.inputs, strict=True):
            edges, *rest = map(of_weight, layer.linear_weights())
            edges = edges if of_edges is None else of_edges(layer)
            parts += [edges[inputs].flatten(), *(part.flatten() for part in rest)]
        return torch.cat(parts)

    def _inputs_of_weights(self):
        """Return which input of the network each weight is of; that of the others is the last."""
        first = self.module.layers[0]
        by_input = torch.arange(first.n_in, device=self.X.device)
        levels = None if first.levels is None else first.levels.value

        def of_edges(layer):
            of_input = by_input if layer is first else by_input.new_full((layer.n_in,), first.n_in)
            return of_input[:, None, None].expand_as(layer.weight)

        def of_weight(weight):
            if weight is levels:
                return first.levels.column[:, None].expand_as(weight)
            return by_input.new_full(weight.shape, first.n_in)

        return self._vector(of_weight, of_edges)

    @torch.no_grad()
    def _carried(self):
        """Return the coefficients that the weights stand for: penalties are on the curves."""
        return self._vector(torch.Tensor.detach, lambda layer: layer.carried())

    @torch.no_grad()
    def lower(self):
        """Return what the weights must not go below, a vector; None where they are free."""
        if all(layer.sign is None for layer in self.module.layers):
            return None

        def of_edges(layer):
            bound = torch.full_like(layer.weight, -math.inf)
            if layer.sign is not None:
                bound[:, 1:-1] = torch.where(layer.sign[:, None] == 0, -math.inf, 0.0)
            return bound

        return self._vector(lambda weight: torch.full_like(weight, -math.inf), of_edges)

    def weights(self):
        """Return what is minimized over.

        Returns
        -------
        Tensor of shape (n_weights,)
        """
        return self._vector(torch.Tensor.detach)

    @torch.no_grad()
    def place(self, weights):
        """Take other weights.

        Parameters
        ----------
        weights : Tensor of shape (n_weights,)
            In the order of :meth:`weights`.
        """
        start = 0
        for layer, inputs in zip(self.module.layers, self.inputs, strict=True):
            edges, *rest = layer.linear_weights()
            end = start + len(inputs) * edges[0].numel()
            edges[inputs] = weights[start:end].view(-1, *edges.shape[1:])
            for weight in rest:
                start, end = end, end + weight.numel()
                weight.copy_(weights[start:end].view_as(weight))
            start = end

    @torch.no_grad()
    def loss(self):
        """Return the loss at the present weights, a scalar tensor."""
        return self._penalized(self._outputs())

    def _penalized(self, outputs):
        loss = self.objective.data_loss(outputs, self.y, self.row_weight)
        loss = self.objective.penalized(loss, self.module, self.X, self.row_weight)
        return loss + 0.5 * self.objective.evidence.ridge(self) @ self._carried().square()

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
        outputs, gradient, curvature = self.data_part()
        sparsity = self._add_sparsity(curvature) if self.objective.lamb else 0.0
        weights = self._carried()
        roughness, evidence = self.roughness(), self.objective.evidence
        data_loss = self.objective.data_loss(outputs, self.y, self.row_weight)
        evidence.weigh(self, data_loss, weights, curvature, roughness)
        prior = 2 * evidence.smoothness * roughness
        prior.diagonal().add_(evidence.ridge(self))
        gradient, curvature = gradient + prior @ weights, curvature + prior
        self._in_steps(gradient[:, None])
        self._in_steps(curvature)
        self._in_steps(curvature.T)
        return self._penalized(outputs), gradient + sparsity, curvature

    def _in_steps(self, rows):
        """Turn derivatives by coefficients into those by what is learned of them, in place."""
        for layer, inputs, place in zip(
            self.module.layers, self.inputs, self._edge_slices(), strict=True
        ):
            if layer.sign is not None:
                part = rows[place].unflatten(0, (len(inputs), *layer.weight.shape[1:]))
                part.copy_(by_steps(part, layer.sign[inputs]))

    def by_group(self, values):
        """Add up numbers of the weights: of each input of the network, then of all others.

        Parameters
        ----------
        values : Tensor of shape (n_weights,)
            The numbers.

        Returns
        -------
        Tensor of shape (n_groups,)
        """
        return values.new_zeros(self.n_groups).index_add(0, self.group, values)

    def roughness_spectrum(self):
        """Return the eigenvalues of the form of the squared curvature, one a weight.

        Those of an edge stand where its weights do, in any order.
        """
        parts = []
        for layer, inputs in zip(self.module.layers, self.inputs, strict=True):
            values = torch.nn.functional.pad(layer.basis.roughness_spectrum()[inputs], (0, 1))
            parts.append((values[..., None] * layer.mask[inputs, None]).flatten())
            rest = sum(weight.numel() for weight in layer.linear_weights()[1:])
            parts.append(values.new_zeros(rest))
        return torch.cat(parts)

    def data_part(self):
        """Return the outputs, and gradient and Gauss-Newton matrix of the loss without penalties.

        Returns
        -------
        outputs : Tensor of shape (n, n_outputs)
        gradient : Tensor of shape (n_weights,)
        curvature : Tensor of shape (n_weights, n_weights)
        """
        gradient = self.X.new_zeros(self.n_weights)
        curvature = self.X.new_zeros(self.n_weights, self.n_weights)
        n_outputs = self.module.layers[-1].n_subnodes
        rows = max(1, _CHUNK // (self.n_weights * n_outputs))
        share = self.row_weight / len(self.X)
        seen = []
        whole = self.X, self.y, share
        parts = [[part] if rows >= len(share) else part.split(rows) for part in whole]
        for X, y, part in zip(*parts, strict=True):
            outputs, jacobian = self.jacobian(X)
            seen.append(outputs)
            slope, factor = self.objective.curvature(outputs, y)
            gradient += torch.einsum("no,nop->p", slope * part[:, None], jacobian)
            root = torch.einsum("noc,nop->ncp", factor * part.sqrt()[:, None, None], jacobian)
            root = root.flatten(0, 1)
            curvature.addmm_(root.T, root)
        return torch.cat(seen), gradient, curvature

    def jacobian(self, X):
        """Return the outputs at some rows, and their derivatives by the weights.

        Parameters
        ----------
        X : Tensor of shape (n, n_features)
            The rows.

        Returns
        -------
        outputs : Tensor of shape (n, n_outputs)
        jacobian : Tensor of shape (n, n_outputs, n_weights)
        """
        layers = self.module.layers
        with torch.enable_grad():
            x, features, subnodes = X, [], []
            for layer, inputs in zip(layers, self.inputs, strict=True):
                known = self._known(X) if x is X else None
                found = layer.linear_features(x.detach(), known)
                found[0] = found[0] if known is not None else found[0][:, inputs]
                features.append(found)
                sums = layer.subnodes(x, known, inputs)
                subnodes.append(sums.detach().requires_grad_() if x is X else sums)
                x = layer.outputs(subnodes[-1])
            slopes = [
                torch.autograd.grad(output.sum(), subnodes, retain_graph=True)
                for output in x.unbind(dim=1)
            ]
        rows = [
            torch.cat([
                layer.jacobian(*both, inputs)
                for layer, inputs, *both in zip(layers, self.inputs, features, by, strict=True)
            ], dim=1)
            for by in slopes
        ]  # fmt: skip
        return x.detach(), torch.stack(rows, dim=1)

    def _known(self, X):
        """Return the functions of the network's inputs at all rows, which change only as grids do.

        None where they would fill the memory, and of a part of the rows.
        """
        layer, inputs = self.module.layers[0], self.inputs[0]
        if X is not self.X or len(X) * len(inputs) * layer.weight.shape[1] > _CHUNK:
            return None
        now = [X, inputs, *layer.basis.state_dict().values()]
        memo = self.objective.memo
        if memo is None or memo[0][0] is not X or not all(map(_same, memo[0][1:], now[1:])):
            features = layer.features(X).detach()[:, inputs]
            self.objective.memo = [X, *(part.clone() for part in now[1:])], features
        return self.objective.memo[1]

    def _outputs(self):
        first, *others = self.module.layers
        x = first.outputs(first.subnodes(self.X, self._known(self.X), self.inputs[0]))
        for layer in others:
            x = layer(x)
        return x

    def roughness(self):
        """Return the quadratic form of all edges' squared curvature.

        Returns
        -------
        Tensor of shape (n_weights, n_weights)
        """
        whole = self.X.new_zeros(self.n_weights, self.n_weights)
        views = zip(self.module.layers, self.inputs, self.edge_blocks(whole), strict=True)
        for layer, inputs, diagonal in views:
            form = layer.mask[inputs, :, None, None] * layer.basis.roughness()[inputs, None]
            diagonal[:-1, :-1] += form.permute(2, 3, 0, 1)
        return whole

    def _add_sparsity(self, curvature):
        """Add the curvature of the penalty on edges, in place; return its gradient."""
        with torch.enable_grad():
            price = self.objective.lamb * self.objective.sparsity(
                self.module, self.X, self.row_weight
            )
            learnt = [w for layer in self.module.layers for w in layer.linear_weights()]
            slopes = torch.autograd.grad(price, learnt, allow_unused=True)
        found = {id(w): slope for w, slope in zip(learnt, slopes, strict=True)}
        gradient = self._vector(lambda w: torch.zeros_like(w) if found[id(w)] is None
                                else found[id(w)])  # fmt: skip
        seen = self.module.inputs(self.X)
        views = zip(self.module.layers, self.inputs, seen, self.edge_blocks(curvature), strict=True)
        for layer, inputs, x, block in views:
            covariance, rate = self.objective.sparsity_model(layer, x, self.row_weight)
            # The entropy is concave in places: a majorant must not follow it there.
            rate = (rate * layer.mask).clamp(min=0)
            block += torch.einsum("ij,ikl->klij", rate[inputs], covariance[inputs])
        return gradient

    def _edge_slices(self):
        """Yield where each layer's edge weights stand among all."""
        start = 0
        for layer, inputs in zip(self.module.layers, self.inputs, strict=True):
            end = start + len(inputs) * layer.weight[0].numel()
            yield slice(start, end)
            start = end + sum(weight.numel() for weight in layer.linear_weights()[1:])

    def edge_blocks(self, whole):
        """Yield views of a matrix, of shape (n_functions + 1, n_functions + 1, n_in, n_subnodes).

        Penalties couple only the weights of one edge; a layer's view holds those places.

        Parameters
        ----------
        whole : Tensor of shape (n_weights, n_weights)
            The matrix.

        Yields
        ------
        Tensor
        """
        views = zip(self.module.layers, self.inputs, self._edge_slices(), strict=True)
        for layer, inputs, place in views:
            shape = len(inputs), *layer.weight.shape[1:]
            square = whole[place, place].unflatten(1, shape).unflatten(0, shape)
            yield square.diagonal(dim1=0, dim2=3).diagonal(dim1=1, dim2=3)


def _same(one, other):
    return one.shape == other.shape and bool((one == other).all())
