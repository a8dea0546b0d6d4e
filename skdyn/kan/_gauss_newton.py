"""The quadratic model of a network's objective, for Levenberg-Marquardt."""

from functools import partial
from typing import Any

import torch

from skdyn.kan._monotone import by_steps
from skdyn.kan._tangent import Tangent, first_features
from skdyn.kan._weight_vector import WeightVector, versions

_CHUNK = 2**22  # numbers of a Jacobian whose rows are evaluated at once
_NEAR, _LEAST_ROWS = 2**20, 128  # numbers of it written down at once
_KNOWN = 2**24  # of the functions of the network's inputs, held all along
_COLUMNS = 64  # of the Gauss-Newton matrix computed at once
_AHEAD = 0.1  # part of a move at whose ends outputs tell how they bend
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
        self._vector, self._kept = WeightVector(module.layers), {}
        self._expanded: Any = None  # where it was expanded last: weights and network
        self.layers, self.inputs = self._vector.layers, self._vector.inputs
        self.n_weights = self._vector.length
        self.n_groups = self.layers[0].n_in + 1
        self.group = self._vector.groups()
        self._grids = [
            list(layer.basis.state_dict(keep_vars=True).values()) for layer in self.layers
        ]
        levels = self.layers[0].levels
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
        known = self.objective, self.X, self.y, self.row_weight
        same = all(one is other for one, other in zip(known, (objective, *batch), strict=True))
        return same and self._vector.is_of(module.layers)

    def weights(self):
        """Return what is minimized over.

        Returns
        -------
        Tensor of shape (n_weights,)
        """
        return self._vector.now()

    def place(self, weights):
        """Take other weights.

        Parameters
        ----------
        weights : Tensor of shape (n_weights,)
            In the order of :meth:`weights`.
        """
        self._vector.write(weights)

    def lower(self):
        """Return what the weights must not go below, a vector; None where they are free."""
        return self._vector.lower()

    def edge_blocks(self, whole):
        """Return views of a matrix of the weights, of what concerns each edge: see WeightVector."""
        return self._vector.edge_blocks(whole)

    @torch.no_grad()
    def loss(self):
        """Return the loss at the present weights, a scalar tensor."""
        return self._penalized(torch.cat([tangent.outputs for tangent, _ in self._in_parts()]))

    def _penalized(self, outputs, data_loss=None):
        """Add the penalties, which are on the curves, to the loss of the rows."""
        if data_loss is None:
            data_loss = self.objective.data_loss(outputs, self.y, self.row_weight)
        weights, evidence = self._vector.carried(), self.objective.evidence
        loss = data_loss + 0.5 * evidence.ridge(self) @ weights.square()
        if evidence.smoothness:
            loss = loss + evidence.smoothness * (weights @ (self.roughness() @ weights))
        if self.objective.lamb:
            price = self.objective.sparsity(self.module, self.X, self.row_weight)
            loss = loss + self.objective.lamb * price
        return loss

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
        weights = self._vector.carried()
        roughness, evidence = self.roughness(), self.objective.evidence
        data_loss = self.objective.data_loss(outputs, self.y, self.row_weight)
        evidence.weigh(self, data_loss, weights, curvature, roughness)
        prior = 2 * evidence.smoothness * roughness
        prior.diagonal().add_(evidence.ridge(self))
        gradient += prior @ weights
        curvature += prior
        self._in_steps(gradient[:, None])
        self._in_steps(curvature)
        self._in_steps(curvature.T)
        return self._penalized(outputs, data_loss), gradient + sparsity, curvature

    def _in_steps(self, rows):
        """Turn derivatives by coefficients into those by what is learned of them, in place."""
        for layer, inputs, place in zip(self.layers, self.inputs, self._vector.edges, strict=True):
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
        return self._keep("spectrum", self._grids, self._roughness_spectrum)

    def _roughness_spectrum(self):
        parts = []
        for layer, inputs in zip(self.layers, self.inputs, strict=True):
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
        seen, self._expanded = [], None
        for tangent, rows in self._in_parts():
            seen.append(tangent.outputs)
            share = self.row_weight[rows] / len(self.X)
            slope, factor = self.objective.curvature(tangent.outputs, self.y[rows])
            gradient += tangent.gradient((slope * share[:, None]).T)
            root = (factor * share.sqrt()[:, None, None]).permute(2, 1, 0)
            written = self._add_square(tangent, root, curvature)
            if len(share) == len(self.X):
                self._expanded = self.weights(), tangent, root, written
        curvature = curvature.tril()
        return torch.cat(seen), gradient, curvature + curvature.tril(-1).T

    def _add_square(self, tangent, root, curvature):
        """Add the square of the derivatives of combinations of the outputs, in place.

        Only the lower triangle is meant: columns are taken some at a time, and what is below.
        Return the derivatives, if these are all.
        """
        n_rows = root.shape[2]
        each = min(n_rows, max(_LEAST_ROWS, _NEAR // self.n_weights))
        room = self._keep("room", [], partial(curvature.new_empty, self.n_weights * each))
        out = room
        for start in range(0, n_rows, each):
            rows = slice(start, min(start + each, n_rows))
            out = room[: self.n_weights * (rows.stop - start)].view(self.n_weights, -1)
            for by_output in root[..., rows]:
                tangent.rows_of(by_output, rows, out)
                for column in range(0, self.n_weights, _COLUMNS):
                    part = curvature[column:, column : column + _COLUMNS]
                    part.addmm_(out[column:], out[column : column + _COLUMNS].T)
        return out if len(root) == 1 and each == n_rows else None

    @torch.no_grad()
    def bend(self, move):
        """Return how the gradient bends along a move, by the outputs' second derivative.

        It leaves the weights elsewhere.

        Parameters
        ----------
        move : Tensor of shape (n_weights,)
            From the weights of the last expansion.

        Returns
        -------
        Tensor of shape (n_weights,) or None
            None where so many rows would fill the memory.
        """
        if self._expanded is None:
            return None
        start, here, root, written = self._expanded
        if written is None:
            moved = self._outputs_at(start + _AHEAD * move) - here.outputs
            moved += self._outputs_at(start - _AHEAD * move) - here.outputs
            second = torch.einsum("con,no->cn", root, moved / _AHEAD**2)
            return here.gradient(torch.einsum("con,cn->on", root, second))
        moved = root[0, 0] * (self._outputs_at(start + _AHEAD * move) - here.outputs)[:, 0]
        return written @ (2 / _AHEAD * (moved / _AHEAD - move @ written))

    def _outputs_at(self, weights):
        self.place(weights)
        return self._now().outputs

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
        rows = X.new_empty(tangent.outputs.shape[1], self.n_weights, len(X))
        ones = torch.eye(len(rows)).to(X)[..., None].expand(-1, -1, len(X))
        for by_output, out in zip(ones, rows, strict=True):
            tangent.rows_of(by_output, slice(None), out)
        return tangent.outputs, rows.permute(2, 0, 1)

    def _in_parts(self):
        """Yield the network at parts of the rows, whose functions are held at once, and which."""
        each, known = max(1, _CHUNK // self.n_weights), self._known()
        for start in range(0, len(self.X), each):
            rows = slice(start, start + each)
            if each >= len(self.X):
                yield self._now(), rows
            else:
                yield self._tangent(self.X[rows], known, rows), rows

    def _tangent(self, X, known=None, rows=slice(None)):
        known = known if known is None else known[..., rows]
        return Tangent(self.layers, self.inputs, X, known)

    def _now(self):
        """Return the network at all rows: where a step was tried it is known already."""
        make = partial(self._tangent, self.X, self._known())
        return self._keep("now", self._grids, make, self._vector.version())

    def _known(self):
        """Return the functions of the network's inputs, which change only as grids do.

        None where they would fill the memory.
        """
        layer, inputs = self.layers[0], self.inputs[0]
        if len(self.X) * len(inputs) * layer.weight.shape[1] > _KNOWN:
            return None
        return self._keep("known", self._grids[:1], partial(first_features, layer, self.X, inputs))

    def _keep(self, name, grids, make, more=()):
        """Keep what follows from grids, and what else is named, until one of them changes."""
        version = [*(number for grid in grids for number in versions(grid)), *more]
        known = self._kept.get(name)
        if known is None or known[0] != version:
            known = self._kept[name] = version, make()
        return known[1]

    def roughness(self):
        """Return the quadratic form of all edges' squared curvature.

        Returns
        -------
        Tensor of shape (n_weights, n_weights)
        """
        return self._keep("roughness", self._grids, self._roughness)

    def _roughness(self):
        whole = self.X.new_zeros(self.n_weights, self.n_weights)
        views = zip(self.layers, self.inputs, self.edge_blocks(whole), strict=True)
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
            learnt = [w for layer in self.layers for w in layer.linear_weights()]
            slopes = torch.autograd.grad(price, learnt, allow_unused=True)
        found = {id(w): slope for w, slope in zip(learnt, slopes, strict=True)}
        gradient = self._vector.read(lambda w: torch.zeros_like(w) if found[id(w)] is None
                                else found[id(w)])  # fmt: skip
        seen = self.module.inputs(self.X)
        views = zip(self.layers, self.inputs, seen, self.edge_blocks(curvature), strict=True)
        for layer, inputs, x, block in views:
            covariance, rate = self.objective.sparsity_model(layer, x, self.row_weight)
            # The entropy is concave in places: a majorant must not follow it there.
            rate = (rate * layer.mask).clamp(min=0)
            block += torch.einsum("ij,ikl->klij", rate[inputs], covariance[inputs])
        return gradient
