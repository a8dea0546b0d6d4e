"""What a network would make of rows that it had not seen, told without another fit."""

from typing import NamedTuple

import torch

from skdyn._blocks import in_blocks
from skdyn.exceptions import warn_user
from skdyn.kan._objective import penalty_form
from skdyn.kan._plan import has_squares

__all__ = [
    "LeftOut",
    "leave_out",
    "left_out_outputs",
    "penalty_of_edges",
    "warn_of_new_rows",
    "warn_of_own_rows",
]

_MOST = 2000  # outputs of all rows whose products with each other cost little beside the fit
_LEAST = 1e-6  # share of a row's curvature below which there is none: scores all higher by one
_AS_IT_IS = 0.3  # share of what the weights say as they are, in orders of magnitude (decision 0052)
_CLEAR = 1.1  # times the loss of one answer: the estimate is not exact
_BLOCK = 64  # inputs at a time: their features of all rows are a large array


class LeftOut(NamedTuple):
    """What the network would make of rows that it had not seen, by two estimates.

    Attributes
    ----------
    outputs : list of Tensor of shape (n, n_outputs)
        From :func:`left_out_outputs`: both, or the first where the rows are only some of all.
    y, weight : Tensor of shape (n, ...)
        Targets and weights of the rows.
    """

    outputs: list
    y: torch.Tensor
    weight: torch.Tensor

    def mixed(self, of_outputs):
        """Return a positive number that both estimates give, as decision 0052 weighs them.

        Parameters
        ----------
        of_outputs : callable
            From outputs to the number.

        Returns
        -------
        float
        """
        return self.weighed(map(of_outputs, self.outputs))

    @staticmethod
    def weighed(numbers):
        """Return the number between those that both estimates give.

        Parameters
        ----------
        numbers : iterable of float
            Positive; one, or one of each estimate.

        Returns
        -------
        float
        """
        as_it_is, *settled = numbers
        return as_it_is**_AS_IT_IS * settled[0] ** (1 - _AS_IT_IS) if settled else as_it_is

    def loss(self, objective):
        """Return what the mean loss of new rows is likely to be.

        Parameters
        ----------
        objective : KANObjective
            Whose loss.

        Returns
        -------
        float
        """
        return self.mixed(
            lambda outputs: objective.data_loss(outputs, self.y, self.weight.double()).item()
        )


def leave_out(model, task, objective, *, some=False):
    """Return what a network would make of its rows if it had not seen them; None if not known.

    Where rows are held out they tell, and penalties that are not the usual ones, or not all that
    there is, say little of how far a row pulls the network to itself.

    Parameters
    ----------
    model : KANEstimator
        Fitted.
    task : FitTask
        What it learned from.
    objective : KANObjective
        What it minimized.
    some : bool, default=False
        Whether rows that are too many to be left out one by one may be told by every so-manyth,
        which then stands for those between.

    Returns
    -------
    LeftOut or None
    """
    step = -(-len(task.training[0]) * model._n_outputs() // _MOST)
    unknown = task.validation is not None or task.incremental or (step > 1 and not some)
    usual = model._optimizer_now() == "adam" and model.alpha == "auto" and not model.lamb
    usual = usual and has_squares(model)
    whole = all(
        layer.mask.all() and layer.sign is None and layer.levels is None and not len(layer.symbolic)
        for layer in model.module_.layers
    )
    if unknown or objective is None or not usual or not whole:
        return None
    X, y, weight = (torch.as_tensor(part[::step]) for part in task.training)
    like = next(model.module_.parameters())
    y = y.to(like.device) if y.dtype == torch.int64 else y.to(like)
    batch = X.to(like), y, (weight / weight.mean()).to(like)
    alpha = model._settings().alpha / task.total_weight
    # One copy is left out, of as many as the weight and the rows that it stands for say.
    copies = batch[2].double() * (float(task.total_weight) / len(X))
    of_row = (1 / copies.clamp(min=1.0))[:, None, None]
    outputs = left_out_outputs(model.module_, objective, batch, alpha, of_row)
    return LeftOut(outputs if step == 1 else outputs[:1], *batch[1:])


def warn_of_new_rows(model, task, loss):
    """Warn where new rows are likely to be answered worse than by one answer for all.

    Parameters
    ----------
    model : KANEstimator
        Fitted.
    task : FitTask
        What it learned from.
    loss : float
        What that of new rows is likely to be.
    """
    X, trivial = task.training[0], model._trivial_loss(task.training, None)
    if trivial and loss > _CLEAR * trivial:  # of constant targets it is zero
        rows, columns = X.shape
        warn_user(
            f"{type(model).__name__} is likely to answer new rows worse than one answer for all "
            f"would: with each of the {rows} rows left out in turn, its loss is about {loss:.2g}, "
            f"that of one answer {trivial:.2g}, however well it fits the rows that it has seen. "
            f"There are too few of them for {columns} columns, or the columns say nothing. Drop "
            "columns, pass more rows, raise alpha, or take a linear model."
        )


@torch.no_grad()
def warn_of_own_rows(model, task, objective):
    """Warn where the rows that were watched are answered worse than by one answer for all.

    Penalties, which the loss of a training holds too, are left out: strong ones make it larger
    than the loss of one answer where the rows are answered well.

    Parameters
    ----------
    model : KANEstimator
        Fitted.
    task : FitTask
        What it learned from.
    objective : KANObjective or None
        What it minimized; None where it was changed otherwise.
    """
    if objective is None or task.incremental:
        return
    X, y, weight = task.training if task.validation is None else task.validation
    like = next(model.module_.parameters())

    def outputs_of(rows):
        return model.module_(torch.as_tensor(rows).to(like)).cpu().numpy()

    outputs, y, weight = map(torch.as_tensor, (in_blocks(outputs_of, X), y, weight))
    y = y if y.dtype == torch.int64 else y.to(outputs)
    loss = objective.data_loss(outputs, y, weight).item()
    model._doubt_loss(loss, model._trivial_loss(task.training, task.validation))


@torch.no_grad()
def left_out_outputs(module, objective, batch, alpha, of_row: float | torch.Tensor = 1.0):
    """Return what the network would answer to each row if that had not been among the data.

    The network is taken as linear in its weights about those that it has, and the loss as
    quadratic: then the answers without one row follow from how far they are free to move. An
    output's derivative by a layer's weights is the outer product of features and of its
    derivative by the subnodes, so that products of two rows are products of both; weights, of
    which there are many more than rows, never meet.

    Parameters
    ----------
    module : KAN
        The network.
    objective : KANObjective
        What it minimizes.
    batch : tuple of Tensor
        Inputs, targets and weights of the rows.
    alpha : float
        Weight of half the squared weights in the mean loss.
    of_row : float or Tensor of shape (n, 1, 1), default=1
        What part of a row is left out, where it stands for several.

    Returns
    -------
    as_it_is, settled : Tensor of shape (n, n_outputs), float64
        By residuals as they are, and as they are at the minimum. Where training ended before it,
        the first say too much of how far a row pulls, and the second too little, as they take for
        given what the network has made of all rows.
    """
    X, y, weight = batch
    x, features, subnodes = X.detach().requires_grad_(), [], []  # weights of fitted networks rest
    with torch.enable_grad():
        for layer in module.layers:
            features.append(_products(layer, x.detach(), objective, alpha))
            subnodes.append(layer.subnodes(x))
            x = layer.outputs(subnodes[-1])
        slopes = [
            torch.stack(by, dim=1).double()
            for by in zip(*(
                torch.autograd.grad(output.sum(), subnodes, retain_graph=True)
                for output in x.unbind(dim=1)
            ), strict=True)
        ]  # fmt: skip
    outputs = x.detach().double()
    linear, kernel = 0.0, 0.0
    for part, by, sums in zip(features, slopes, subnodes, strict=True):
        linear = linear + torch.einsum("nos,ns->no", by, sums.detach().double())
        kernel = kernel + part[:, None, :, None] * torch.einsum("nos,mps->nomp", by, by)
    slope, root = (part.double() for part in objective.curvature(x.detach(), y))
    share = weight.double()[:, None] / len(X)
    root = root * share[:, None].sqrt()
    unroot = torch.linalg.pinv(root, rtol=_LEAST)
    pull = torch.einsum("nio,no->ni", unroot, share * slope)
    kernel = torch.einsum("noi,nomp,mpj->nimj", root, kernel, root).flatten(2).flatten(0, 1)
    kernel.diagonal().add_(1.0)
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(kernel))
    settled = pull - torch.einsum("noi,no->ni", root, linear)
    settled = (inverse @ settled.flatten()).view_as(pull)
    blocks = inverse.unflatten(1, pull.shape).unflatten(0, pull.shape)
    blocks = blocks.diagonal(dim1=0, dim2=2).permute(2, 0, 1)
    blocks = (1 - of_row) * torch.eye(pull.shape[1]).to(blocks) + of_row * blocks
    left_out = [torch.linalg.solve(blocks, force[..., None])[..., 0] for force in (pull, settled)]
    return [outputs - torch.einsum("nio,ni->no", unroot, pull - force) for force in left_out]


def _products(layer, x, objective, alpha):
    """Return products of rows' features, weights that pay little counting for much."""
    precision = penalty_of_edges(layer, objective, alpha)
    factor = torch.linalg.cholesky(precision)
    total = torch.full((len(x), len(x)), 1 / alpha, dtype=torch.float64, device=x.device)  # biases
    features = layer.basis.features(x).permute(1, 2, 0)
    for part, root in zip(features.split(_BLOCK), factor.split(_BLOCK), strict=True):
        rows = torch.linalg.solve_triangular(root, part.double(), upper=False).flatten(0, 1)
        total.addmm_(rows.T, rows)
    return total


def penalty_of_edges(layer, objective, alpha):
    """Return the Hessian of all penalties on the weights of an edge, one an input.

    Parameters
    ----------
    layer : KANLayer
        Whose edges.
    objective : KANObjective
        What is minimized.
    alpha : float
        Weight of half the squared weights in the mean loss.

    Returns
    -------
    Tensor of shape (n_in, n_functions + 1, n_functions + 1), float64
    """
    price = 2 * penalty_form(layer, objective.evidence.smoothness, objective.alpha)
    price.diagonal(dim1=1, dim2=2).add_(alpha)
    return price
