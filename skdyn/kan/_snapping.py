"""Edges become formulas one by one, and the rest of the network makes up for it."""

import copy
import math

import torch

from skdyn._time_limit import time_is_over
from skdyn.kan._edge_fit import cost, fit_edge
from skdyn.kan._objective import edge_sizes
from skdyn.kan._pruning import cut_edges
from skdyn.kan._scores import edge_means
from skdyn.kan._symbolic_edge import SymbolicEdge
from skdyn.training._levenberg_marquardt import LevenbergMarquardt

_N_POINTS = 300  # of an edge, to fit functions to
_N_STEPS = 25  # of Levenberg-Marquardt, to refit the network
_DUST = 1e-5  # size of an edge that may be nothing, in units of the layer's largest
_NOTHING = 1e-10  # loss that no edge is worth
_NEARER = 0.7  # unexplained share of an edge, for another function to be worth a try
_N_TRIES = 4  # functions tried on an edge
_STANDS_STILL = 1e-3  # gain in loss of a step, relative
_PRECISE = 1e-6  # a loss below it is not held against a function: the grid's error, not noise


def set_edge(layer, i, j, candidate):
    """Give an edge its closed form, in place.

    Parameters
    ----------
    layer : KANLayer
        The layer.
    i, j : int
        Input and subnode.
    candidate : Candidate
        The function. The constant leaves no edge behind, but a part of the bias.
    """
    place = f"{i}_{j}"
    with torch.no_grad():
        layer.mask[i, j] = 0.0
        layer.weight[i, :, j] = 0.0
        if place in layer.symbolic:
            del layer.symbolic[place]
        if candidate.name == "0" or candidate.c == 0.0:
            layer.bias[j] += candidate.d
            return
        edge = SymbolicEdge(candidate.name).to(layer.weight.device, layer.weight.dtype)
        edge.affine.copy_(torch.tensor(candidate[1:5], dtype=torch.float64))
    layer.symbolic[place] = edge


def squared_error(unit):
    """Return the squared error of a row, and its curvature: see :class:`KANObjective`.

    Parameters
    ----------
    unit : float
        Variance of the targets.

    Returns
    -------
    row_loss, curvature : callable
    """

    def row_loss(outputs, y):
        return (outputs - y).square().mean(dim=1) / unit

    def curvature(outputs, y):
        share = 2.0 / (y.shape[1] * unit)
        return (outputs - y) * share, torch.eye(y.shape[1]).to(outputs).expand(
            len(y), -1, -1
        ) * share**0.5

    return row_loss, curvature


def snap_edges(module, make_objective, batch, library, accepts, minor, floor):
    """Give edges closed forms, the surest first, and refit all the others after each.

    Of an edge's likeliest functions that one stays with which the refitted network does best;
    where each would cost too much, the edge stays as it is, and is tried again after the others.

    Parameters
    ----------
    module : KAN
        The network, in float64.
    make_objective : callable
        ``make_objective()`` gives what the network is refitted to.
    batch : tuple of Tensor
        Inputs, targets and weights of the rows.
    library : list of SymbolicFunction
        The functions.
    accepts : callable
        ``accepts(module, loss)`` tells whether a network with that loss of the rows will do.
    minor : list of ndarray of shape (n_in, n_subnodes), bool
        Edges that may well be nothing but a constant, layer by layer.
    floor : float
        Share of an edge's variance that is not known.

    Returns
    -------
    KAN
    """
    constant = [function for function in library if function.name == "0"]

    def rank(edge):
        best = candidates(module, batch, edge, library, floor)[0]
        return not minor[edge[0]][edge[1:]], cost(1 - best.r2, best.complexity, floor)

    before = math.inf
    # What cost too much beside splines may cost nothing once these have got their closed forms.
    while 0 < len(edges := _numeric(module)) < before:
        before = len(edges)
        for edge in sorted(edges, key=rank):
            if time_is_over():
                return module
            found = _ever_nearer(candidates(module, batch, edge, library, floor))[:_N_TRIES]
            if minor[edge[0]][edge[1:]]:
                found = candidates(module, batch, edge, constant, floor) + found
            module = _snap(module, make_objective, batch, edge, found, accepts)
    return _swept(module, make_objective(), batch)


def _numeric(module):
    """Return layer, input and subnode of the edges without a closed form."""
    return [
        (depth, i, j)
        for depth, layer in enumerate(module.layers)
        for i, j in layer.mask.nonzero().tolist()
    ]


@torch.no_grad()
def candidates(module, batch, edge, library, floor):
    """Return what an edge may be, judged where its data are.

    Parameters
    ----------
    module : KAN
        The network.
    batch : tuple of Tensor
        Inputs, targets and weights of the rows.
    edge : tuple of (int, int, int)
        Layer, input and subnode.
    library : list of SymbolicFunction
        The functions.
    floor : float
        Share of an edge's variance that is not known.

    Returns
    -------
    list of Candidate
        The best first.
    """
    depth, i, j = edge
    rows = slice(None, None, max(1, len(batch[0]) // _N_POINTS))
    x = module.inputs(batch[0][rows])[depth]
    values = module.layers[depth].edges(x)[:, i, j]
    return fit_edge(x[:, i], values, library, batch[2][rows], floor) if library else []


def _ever_nearer(found):
    """Leave out what is neither simpler nor clearly nearer than what stands before it."""
    kept = found[:1]
    for candidate in found[1:]:
        if 1 - candidate.r2 < _NEARER * (1 - kept[-1].r2):
            kept.append(candidate)
    return kept


def _snap(module, make_objective, batch, edge, found, accepts):
    """Return the network with the best of the functions on an edge, or as it was."""
    depth, i, j = edge
    now = _loss(make_objective(), module, batch)
    best, least = module, math.inf
    for candidate in found:
        if time_is_over():
            break
        trial = copy.deepcopy(module)
        set_edge(trial.layers[depth], i, j, candidate)
        loss = _refit(trial, make_objective(), batch)
        price = cost(loss, candidate.complexity)
        if not (price < least and _holds(trial, batch[0]) and accepts(trial, loss)):
            continue  # not a number where a function is not real at some row
        best, least = trial, price
        if loss <= max(now, _PRECISE):
            break  # as good as before: no other function is needed
    return best


@torch.no_grad()
def _holds(module, X):
    """Tell whether every edge in closed form keeps off its function's poles at the data."""
    return all(
        edge.keeps_off_poles(x[:, int(place.split("_")[0])])
        for layer, x in zip(module.layers, module.inputs(X), strict=True)
        for place, edge in layer.symbolic.items()
    )


@torch.no_grad()
def _swept(module, objective, batch):
    """Return the network without the edges that refitting has left as dust: the loss says which."""
    X, _, weight = batch
    pairs = zip(module.layers, module.inputs(X), strict=True)
    sizes = [edge_sizes(layer, x, weight) * layer.standing() for layer, x in pairs]
    dust = sorted(
        (size[i, j].item(), depth, i, j)
        for depth, size in enumerate(sizes)
        for i, j in ((size > 0) & (size < _DUST * size.max())).nonzero().tolist()
    )
    now = _loss(objective, module, batch)
    for _, *edge in dust:
        trial = copy.deepcopy(module)
        keep = [layer.standing() for layer in trial.layers]
        keep[edge[0]][edge[1], edge[2]] = False
        cut_edges(trial, keep, edge_means(trial, X, weight))
        if _loss(objective, trial, batch) <= now * (1 + _STANDS_STILL) + _NOTHING:
            module = trial
    return module


def _refit(module, objective, batch):
    """Minimize the objective in place; return the loss of the rows."""
    module.requires_grad_(True).train()
    optimizer, n_idle = LevenbergMarquardt(module.parameters()), 0
    for _ in range(_N_STEPS):
        problem = objective.problem(module, batch)
        before = optimizer.step(problem)
        idle = before - problem.loss() < _STANDS_STILL * before
        n_idle = n_idle + 1 if idle else 0
        if n_idle == 2:
            break
    module.eval()  # where the closed forms are what their formulas are
    return _loss(objective, module, batch)


@torch.no_grad()
def _loss(objective, module, batch):
    X, y, weight = batch
    return objective.data_loss(module(X), y, weight).item()
