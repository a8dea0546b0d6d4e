"""What a Kolmogorov-Arnold network minimizes: a loss, smooth edges, and few of them."""

from typing import Any

import torch
from torch.autograd.function import once_differentiable

from skdyn.kan._gauss_newton import GaussNewtonProblem
from skdyn.kan._weight_vector import versions
from skdyn.kan.bases._basis import Basis

# Powers of a wide layer's width by which weights pay more, the fewer columns are likely to need
# them: for straight lines, for what bends, and for the residual, whose bend is always the same.
CROWDING = 1.0, 1.5, 2.0


class KANObjective:
    """Mean loss of the rows, plus penalties on the edges' curvature and on their number.

    Parameters
    ----------
    row_loss : callable
        ``row_loss(outputs, y)`` gives each row's loss.
    curvature : callable
        ``curvature(outputs, y)`` gives the gradient of each row's loss by the outputs, of shape
        (n, n_outputs), and a factor L, of shape (n, n_outputs, n_outputs), of its Hessian L L'.
    evidence : Evidence
        Weight of the squared curvature of the edges; and, for Levenberg-Marquardt, of the squared
        weights.
    lamb, lamb_l1, lamb_entropy : float
        Weight of the sparsity penalty, and in it of the edges' sizes and of their entropy.
    alpha : float, default=0
        Weight of half the squares that edges of wide layers pay beside the optimizer's penalty.
    """

    def __init__(self, row_loss, curvature, evidence, lamb, lamb_l1, lamb_entropy, alpha=0.0):
        self.row_loss, self.curvature = row_loss, curvature
        self.evidence = evidence
        self.lamb, self.lamb_l1, self.lamb_entropy = lamb, lamb_l1, lamb_entropy
        self.alpha = alpha
        self._forms: dict = {}  # of the penalties on the weights of each layer
        self._problem: Any = None  # the last one, which knows what stays from step to step

    def __call__(self, module, X, y, weight):
        """Return the objective of a batch, a scalar."""
        return self.penalized(self.data_loss(module(X), y, weight), module, X, weight)

    def data_loss(self, outputs, y, weight):
        """Return the mean loss of the rows alone.

        Parameters
        ----------
        outputs : Tensor of shape (n, n_outputs)
            What the network makes of them.
        y : Tensor
            Targets.
        weight : Tensor of shape (n,)
            Weights of the rows.

        Returns
        -------
        Tensor
            A scalar.
        """
        return (self.row_loss(outputs, y) * weight).mean()

    def penalized(self, loss, module, X, weight):
        """Add the penalties to a loss.

        Parameters
        ----------
        loss : Tensor
            A scalar.
        module : KAN
            The network.
        X : Tensor of shape (n, n_features)
            Inputs.
        weight : Tensor of shape (n,)
            Weights of the rows.

        Returns
        -------
        Tensor
            A scalar.
        """
        # validation does without alpha, as without the optimizer's
        strengths = self.evidence.smoothness, self.alpha if module.training else 0.0
        if any(strengths):
            loss = loss + sum(self._on_curves(layer, *strengths) for layer in module.layers)
        if self.lamb:
            loss = loss + self.lamb * self.sparsity(module, X, weight)
        return loss

    def _on_curves(self, layer, smoothness, alpha):
        """Return the penalty on a layer's weights: one form, as long as nothing but they move."""
        basis = layer.basis
        if type(basis).effective is not Basis.effective or any(True for _ in basis.parameters()):
            bends = smoothness * bending(layer) if smoothness else 0.0
            return bends + (0.5 * alpha * crowding(layer) if alpha else 0.0)
        version = basis, smoothness, alpha, versions([*basis.buffers()])
        known = self._forms.get(layer)
        if known is None or known[0] != version:
            with torch.no_grad():
                form = penalty_form(layer, smoothness, alpha).to(layer.weight)
            known = self._forms[layer] = version, form
        return _Quadratic.apply(layer.numeric_weight(), known[1])

    def problem(self, module, batch):
        """Return the quadratic model of the objective, for Levenberg-Marquardt.

        Parameters
        ----------
        module : KAN
            The network.
        batch : tuple of Tensor
            Inputs, targets and weights of the rows.

        Returns
        -------
        GaussNewtonProblem
        """
        if self._problem is None or not self._problem.is_of(self, module, batch):
            self._problem = GaussNewtonProblem(self, module, batch)
        return self._problem

    def sparsity(self, module, X, weight):
        """Return the edges' sizes, added up, and the entropy of their shares, layer by layer.

        Parameters
        ----------
        module : KAN
            The network.
        X : Tensor of shape (n, n_features)
            Inputs.
        weight : Tensor of shape (n,)
            Weights of the rows.

        Returns
        -------
        Tensor
            A scalar.
        """
        inputs = module.inputs(X)
        sizes = [edge_sizes(*pair, weight) for pair in zip(module.layers, inputs, strict=True)]
        return sum(map(self._price, sizes))

    def sparsity_model(self, layer, x, weight):
        """Return a quadratic that touches a layer's sparsity penalty at its present weights.

        Parameters
        ----------
        layer : KANLayer
            The layer.
        x : Tensor of shape (n, n_in)
            Its inputs.
        weight : Tensor of shape (n,)
            Weights of the rows.

        Returns
        -------
        covariance : Tensor of shape (n_in, n_functions + 1, n_functions + 1)
            Of the features of each input: ``c @ covariance @ c`` is the variance of an edge.
        rate : Tensor of shape (n_in, n_subnodes)
            Factor of that form for each edge, twice the penalty's derivative by the variance.
        """
        share = weight / weight.sum()
        features = layer.features(x)
        centered = features - torch.einsum("n,nik->ik", share, features)
        covariance = torch.einsum("n,nik,nil->ikl", share, centered, centered)
        with torch.enable_grad():
            size = edge_sizes(layer, x, weight).detach().requires_grad_()
            (slope,) = torch.autograd.grad(self.lamb * self._price(size), size)
        return covariance, slope / size.detach()

    def _price(self, size):
        share = size / size.sum()
        entropy = -torch.special.xlogy(share, share).sum()
        return self.lamb_l1 * size.sum() + self.lamb_entropy * entropy


def bending(layer):
    """Return the mean squared curvature of a layer's edges, a scalar.

    Parameters
    ----------
    layer : KANLayer
        The layer.

    Returns
    -------
    Tensor
    """
    weight = layer.basis.effective(layer.numeric_weight())[:, :-1]
    return _Quadratic.apply(weight, layer.basis.roughness())


class _Quadratic(torch.autograd.Function):
    """A quadratic form of columns, whose gradient is half computed with it already."""

    @staticmethod
    def forward(ctx, weight, form):
        half = form @ weight
        ctx.save_for_backward(half)
        return torch.dot(weight.flatten(), half.flatten())

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad_outputs: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        return 2 * grad_outputs[0] * ctx.saved_tensors[0], None


def crowding(layer):
    """Return what the squared weights of a wide layer count for beyond their sum.

    Parameters
    ----------
    layer : KANLayer
        The layer.

    Returns
    -------
    Tensor or float
        A scalar; zero of a narrow layer.
    """
    if layer.width == 1:
        return 0.0
    weight = layer.numeric_weight()
    functions, residual = weight[:, :-1], weight[:, -1]
    line = layer.basis.straight().to(weight)[..., None]
    straight = (functions * line).sum(dim=1).square().sum()
    squares = straight, functions.square().sum() - straight, residual.square().sum()
    return sum((layer.width**p - 1) * square for p, square in zip(CROWDING, squares, strict=True))


def penalty_form(layer, smoothness, alpha):
    """Return the quadratic form of an edge's weights that adds up both, weighed.

    Parameters
    ----------
    layer : KANLayer
        The layer, whose basis has no choice of spaces.
    smoothness : float
        Factor on :func:`bending`.
    alpha : float
        Factor on half of :func:`crowding`.

    Returns
    -------
    Tensor of shape (n_in, n_functions + 1, n_functions + 1), float64
    """
    rough = smoothness * layer.basis.roughness().double()
    form = torch.nn.functional.pad(rough, (0, 1, 0, 1))
    if layer.width > 1:
        straight, bent, residual = (0.5 * alpha * (layer.width**p - 1) for p in CROWDING)
        line = layer.basis.straight().double()
        functions = form[:, :-1, :-1]
        functions += (straight - bent) * line[:, :, None] * line[:, None]
        functions.diagonal(dim1=1, dim2=2).add_(bent)
        form[:, -1, -1] = residual
    return form


def row_shares(x, weight=None):
    """Return what part of all data each row is.

    Parameters
    ----------
    x : Tensor of shape (n, m)
        Data.
    weight : Tensor of shape (n,), default=None
        Weights of the rows; None takes all alike.

    Returns
    -------
    Tensor of shape (n,)
    """
    return torch.full_like(x[:, 0], 1 / len(x)) if weight is None else weight / weight.sum()


def edge_sizes(layer, x, weight=None):
    """Return the standard deviation of every edge function over the data.

    A constant does not count: it is the node's bias in another place.

    Parameters
    ----------
    layer : KANLayer
        The layer.
    x : Tensor of shape (n, n_in)
        Its inputs.
    weight : Tensor of shape (n,), default=None
        Weights of the rows.

    Returns
    -------
    Tensor of shape (n_in, n_subnodes)
    """
    share = row_shares(x, weight)
    values = layer.edges(x)
    centered = values - torch.einsum("n,nij->ij", share, values)
    variance = torch.einsum("n,nij->ij", share, centered.square())
    # The root's slope at zero is infinite; an edge that is zero should stay at rest.
    return (variance + 1e-12).sqrt()
