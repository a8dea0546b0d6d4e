"""The quadratic model of a network's objective, for Levenberg-Marquardt."""

import math

import torch

from skdyn.kan._monotone import by_steps
from skdyn.kan._tangent import Tangent, first_features

_CHUNK = 2**22  # numbers of a Jacobian held at once
_KNOWN = 2**24  # of the functions of the network's inputs, held all along
_COLUMNS = 64  # of the Gauss-Newton matrix computed at once
_LARGEST = 5000  # weights: beyond that a matrix of them is no small fit any more


class GaussNewtonProblem:
    """Loss, gradient and Gauss-Newton matrix of an objective at a network's present weights.

    Inputs of a layer all of whose edges are cut take no part.

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
        self._structure, self._kept = self._parts_of(module), {}
        self.inputs = [layer.mask.any(dim=1).nonzero()[:, 0] for layer in module.layers]
        self.n_weights = len(self.weights())
        self.n_groups = module.layers[0].n_in + 1
        self.group = self._inputs_of_weights()
        levels = module.layers[0].levels
        self.own = torch.zeros(self.n_groups, dtype=torch.bool, device=self.X.device)
        if levels is not None:  # under one strength for all, levels of few rows fit their noise
            self.own[:-1] = levels.is_category
        if self.n_weights > _LARGEST:
            raise ValueError(
                f"optimizer='lm' handles up to {_LARGEST} weights; this network has "
                f"{self.n_weights}. Take fewer hidden nodes, smaller grid_sizes, or "
                "optimizer='adam' or 'lbfgs'."
            )

    def is_of(self, objective, module, batch):
        """Tell whether this is the problem of an objective, a network and rows as they are now.

        Parameters
        ----------
        objective : KANObjective
            What is minimized.
        module : KAN
            The network.
        batch : tuple of Tensor
            Inputs, targets and weights of the rows.

        Returns
        -------
        bool
        """
        known = [self.objective, *self._structure, self.X, self.y, self.row_weight]
        now = [objective, *self._parts_of(module), *batch]
        return len(known) == len(now) and all(map(_is_or_equals, known, now))

    @staticmethod
    def _parts_of(module):
        """Return what tells whether a network has the same edges still, and the same weights."""
        return [
            part for layer in module.layers
            for part in (*layer.linear_weights(), layer.mask, layer.mask._version)
        ]  # fmt: skip

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
        parts = self._rows()
        if len(parts) == 1:
            return self._penalized(self._now().outputs)
        known = self._known()
        outputs = [self._tangent(self.X[rows], known, rows).outputs for rows in parts]
        return self._penalized(torch.cat(outputs))

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
        return self._keep("spectrum", self._grids(self.module.layers), self._roughness_spectrum)

    def _roughness_spectrum(self):
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
        seen, known, parts = [], self._known(), self._rows()
        for rows in parts:
            whole = len(parts) == 1
            tangent = self._now() if whole else self._tangent(self.X[rows], known, rows)
            seen.append(tangent.outputs)
            share = self.row_weight[rows] / len(self.X)
            slope, factor = self.objective.curvature(tangent.outputs, self.y[rows])
            pulls = tangent.pulls()
            toward = (slope * share[:, None]).T
            root = (factor * share.sqrt()[:, None, None]).permute(2, 1, 0)
            found = tangent.rows_of([_mixed(pull, toward) for pull in pulls])
            gradient += found.sum(dim=1)
            for column in root:
                tangent.rows_of([_mixed(pull, column) for pull in pulls], out=found)
                _add_square(curvature, found)
        curvature = curvature.tril()
        return torch.cat(seen), gradient, curvature + curvature.tril(-1).T

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
        tangent = self._tangent(X)
        by_output = zip(*tangent.pulls(), strict=True)
        rows = torch.stack([tangent.rows_of(pulls) for pulls in by_output])
        return tangent.outputs, rows.permute(2, 0, 1)

    def _rows(self):
        """Return parts of the rows, of which a Jacobian is held at once."""
        each = max(1, _CHUNK // self.n_weights)
        return [slice(start, start + each) for start in range(0, len(self.X), each)]

    def _tangent(self, X, known=None, rows=slice(None)):
        known = known if known is None else known[..., rows]
        return Tangent(self.module.layers, self.inputs, X, known)

    def _now(self):
        """Return the network at all rows: where a step was tried it is known already."""
        like = [self.weights(), *self._grids(self.module.layers)]
        return self._keep("now", like, lambda: self._tangent(self.X, self._known()))

    def _known(self):
        """Return the functions of the network's inputs, which change only as grids do.

        None where they would fill the memory.
        """
        layer, inputs = self.module.layers[0], self.inputs[0]
        if len(self.X) * len(inputs) * layer.weight.shape[1] > _KNOWN:
            return None
        like = self._grids([layer])
        return self._keep("known", like, lambda: first_features(layer, self.X, inputs))

    @staticmethod
    def _grids(layers):
        return [part for layer in layers for part in layer.basis.state_dict().values()]

    def _keep(self, name, like, make):
        """Keep what follows from some tensors until one of them changes."""
        known = self._kept.get(name)
        if known is None or not all(map(torch.equal, known[0], like)):
            known = self._kept[name] = [part.clone() for part in like], make()
        return known[1]

    def roughness(self):
        """Return the quadratic form of all edges' squared curvature.

        Returns
        -------
        Tensor of shape (n_weights, n_weights)
        """
        return self._keep("roughness", self._grids(self.module.layers), self._roughness)

    def _roughness(self):
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


def _is_or_equals(one, other):
    return one is other or (isinstance(one, int) and one == other)


def _mixed(pull, by_output):
    """Return the derivative of a combination of the outputs, row by row, by a layer's subnodes."""
    if len(pull) == 1:
        return pull[0] * by_output
    return torch.einsum("osn,on->sn", pull, by_output)


def _add_square(matrix, root):
    """Add ``root @ root.T`` in place, of which only the lower triangle is meant.

    Columns are taken some at a time, and only what is not above them.
    """
    for start in range(0, len(matrix), _COLUMNS):
        part = matrix[start:, start : start + _COLUMNS]
        part.addmm_(root[start:], root[start : start + _COLUMNS].T)
