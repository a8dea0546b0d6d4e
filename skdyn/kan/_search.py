"""How many nodes and how fine a grid: what the evidence says."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import torch

from skdyn._time_limit import time_is_over
from skdyn.kan._few_columns import inputs_read, read_only
from skdyn.kan._network import KAN
from skdyn.kan._one_row_less import outputs_without, quadratic_of
from skdyn.training import LeanNet, seeded_rng

__all__ = ["COARSEST", "Trial", "Trials", "affordable", "search", "step_cost"]

_WIDTHS = (1, 2, 4, 8)  # nodes of one hidden layer, after none
_UNPROMISING = 2  # widths in a row without a gain that end the search, at first
_SURE = 4  # width from which one is enough, and from which networks only grow
_STEPS = 20  # of Levenberg-Marquardt, for each network and each grid
_TOL, _PATIENCE = 1e-3, 4  # of them
_STRENGTH = 1.2  # of the logarithm of the evidence, for each strength that was chosen
_DEEP = (4, 4)  # nodes of two hidden layers, tried where one has that many
_DOUBTED = 0.2  # of the logarithm of a row's probability: gains beyond it need nobody to agree
_LEAP = 1.0  # of the logarithm of a row's probability: what gains as much may go on at once,
_LEAST = 8  # after so many steps
_WORTH = 0.02  # of the logarithm of a row's probability that a finer grid must bring
COARSEST = 1  # grid, of networks that are wide for their rows
_FAINT = 0.1  # size of what new nodes first say, as part of what nodes are drawn with
_BUDGET = 3e10  # multiply-adds of the steps that a network is tried with: seconds
_LAST, _LAST_STEPS = 4e9, 10  # and of those that follow for the one that is chosen, and the fewest
LARGEST = 5000  # weights


class Trial(NamedTuple):
    """A network, trained for a while, and how probable it makes the data.

    Attributes
    ----------
    module : KAN
        The network.
    evidence : Evidence
        Strengths of its penalties, and the logarithm of the evidence.
    left_out_loss : callable
        Returns the mean loss that rows would have if they had been left out, about.
    """

    module: KAN
    evidence: Any
    left_out_loss: Callable[[], float]

    def improves_on(self, other, price=0.0):
        """Tell whether a network is the better one by its evidence and by rows left out.

        The evidence believes in noise as it is in books: where a few errors are larger, it has
        nodes follow them. Rows left out are then told worse. Where it gains much a row there is no
        doubt, and steps that have not come to an end flatter what was there before.

        Parameters
        ----------
        other : Trial
            Another network.
        price : float, default=0.0
            By how much the evidence must be higher.

        Returns
        -------
        bool
        """
        gain = self.evidence.log - other.evidence.log
        if gain <= price or gain > _DOUBTED * self.evidence.n_rows:
            return gain > price
        return self.left_out_loss() <= other.left_out_loss()


class Trials:
    """Train networks of several shapes and compare them by their evidence [1]_.

    Parameters
    ----------
    stage : Stage
        What is minimized; its objective holds the evidence as it is at first.
    settings : TrainingSettings
        How.
    generator : torch.Generator
        Source of first weights.
    follow : callable
        ``follow(grid_size)`` returns the ``before_epoch`` of a trial.
    largest_cost : float
        Multiply-adds of a step beyond which nothing is tried.

    References
    ----------
    .. [1] D. J. C. MacKay, "Bayesian Interpolation", Neural Computation 4, 1992.
    """

    def __init__(self, stage, settings, generator, follow: Callable):
        self.stage, self.generator, self.follow = stage, generator, follow
        self.settings = settings._replace(n_iter_no_change=_PATIENCE, verbose=0)

    def fit(self, module, evidence=None, grid_size=0, beside=None):
        """Train a network for some steps.

        Parameters
        ----------
        module : KAN
            The network, in place.
        evidence : Evidence or None, default=None
            Strengths to go on from.
        grid_size : int, default=0
            Of the finer grid to take first.
        beside : Trial or None, default=None
            What it is compared with, if others follow it: a leap beyond that ends its steps.

        Returns
        -------
        Trial
        """
        objective = copy.copy(self.stage.objective)
        objective.evidence = copy.copy(evidence or objective.evidence)
        evidence, bar = objective.evidence, math.inf
        if beside is not None:
            bar = beside.evidence.log + _LEAP * evidence.n_rows
        trial = self.stage._replace(
            objective=objective, max_iter=min(_STEPS, self.stage.max_iter), tol=_TOL,
            before_epoch=self.follow(grid_size), must_improve=False,
            is_enough=lambda n_iter: n_iter >= _LEAST and evidence.log > bar,
        )  # fmt: skip
        LeanNet(module, self.settings, self.generator).run([trial])
        return Trial(module, evidence, cache(lambda: self._left_out(module, objective)))

    @torch.no_grad()
    def _left_out(self, module, objective):
        """Return the mean loss of rows, each as if it had been left out."""
        like = next(module.parameters())
        X, y, weight = map(torch.as_tensor, self.stage.arrays)
        y = y.to(like.device) if y.dtype == torch.int64 else y.to(like)
        problem = objective.problem(module, (X.to(like), y, weight.to(like)))
        prior = 2 * objective.evidence.smoothness * problem.roughness()
        prior.diagonal().add_(objective.evidence.ridge(problem))
        found = quadratic_of(problem, prior)
        if found is None:
            return math.inf
        outputs = outputs_without(found, 1 / objective.evidence.n_rows)
        loss = objective.data_loss(outputs, problem.y, problem.row_weight).item()
        return loss if math.isfinite(loss) else math.inf

    def first(self, module):
        """Train a network with one penalty for all inputs, and with one for each; keep the better.

        Strengths that were chosen make data look more probable than they are: each must pay.

        Parameters
        ----------
        module : KAN
            The network.

        Returns
        -------
        Trial
        """
        given = self.stage.objective.evidence
        own = copy.copy(given)
        own.by_input = True
        shared, apart = (self.fit(copy.deepcopy(module), prior) for prior in (given, own))
        price = _STRENGTH * int(inputs_read(module).sum())
        found = apart if apart.improves_on(shared, price) else shared
        given.by_input = found.evidence.by_input  # of all networks that follow
        return found

    def draw(self, like, *widths, **other):
        """Return a new network with hidden layers of some widths, or none, in the same place."""
        sizes = like.plan["layer_sizes"]
        hidden = tuple((width * n_groups(like), 0) for width in widths)
        layer_sizes = (sizes[0], *hidden, sizes[-1])
        plan = like.config() | {"layer_sizes": layer_sizes, "symbolic": ()} | other
        seed = int(torch.randint(2**31 - 1, (1,), generator=self.generator))
        with seeded_rng(seed):
            module = KAN(**plan)
        weight = next(like.parameters())
        module = module.to(weight.device, weight.dtype)
        read_only(module, inputs_read(like))
        if module.layers[0].levels is not None:
            module.layers[0].levels.take_over(like.layers[0].levels)
        return module

    def grown(self, trial, width):
        """Return a network with more hidden nodes that computes nearly what another does.

        A network without a hidden layer becomes nodes that are handed on as they are.

        Parameters
        ----------
        trial : Trial
            The other network, with one hidden layer or none.
        width : int
            Number of hidden nodes.

        Returns
        -------
        KAN
        """
        module, old = self.draw(trial.module, width), trial.module.layers
        first, last = module.layers
        with torch.no_grad():
            n_old = old[0].n_subnodes
            _copy(first.basis, old[0].basis, slice(None))
            first.weight[..., :n_old] = old[0].weight  # of nodes held to rise as these are
            first.bias[:n_old] = old[0].bias
            if first.levels is not None:
                first.levels.take_over(old[0].levels, n_old)
            first.bias[n_old:] = 0
            last.weight *= _FAINT
            like = first.weight
            X = torch.as_tensor(self.stage.arrays[0]).to(like)
            last.adapt(first(X), torch.as_tensor(self.stage.arrays[2]).to(like))
            if len(old) > 1:
                _copy(last.basis, old[1].basis, slice(n_old))
                last.weight[:n_old], last.bias[:] = old[1].weight, old[1].bias
            else:
                mesh = last.basis.mesh()
                lines = last.basis.fit(mesh, torch.diag_embed(mesh))[:n_old].to(like)
                whole = last.carried().clone()
                whole[:n_old], last.bias[:] = 0, 0
                whole[:n_old, :-1] = lines[..., : last.n_subnodes]
                last.carry(whole)
        return module

    def can_grow(self, trial):
        """Tell whether wider networks can begin as what one computes.

        Without a hidden layer all columns enter every node, which groups forbid; and the first of
        two scores falls where nodes rise.
        """
        layers = trial.module.layers
        free = not trial.module.plan.keys() & {"groups", "opposed"}
        return len(layers) > 1 or free

    def is_affordable(self, module):
        """Tell whether a network may be tried."""
        return affordable(*self._size(module))

    def is_wide(self, module):
        """Tell whether a network has more weights than there are numbers to learn from."""
        n_residuals, n_weights = self._size(module)
        return n_weights > n_residuals

    def n_steps(self, module):
        """Return how many more steps the budget allows a network that was found."""
        return max(_LAST_STEPS, int(_LAST / step_cost(*self._size(module))))

    def _size(self, module):
        n_weights = sum(w.numel() for layer in module.layers for w in layer.linear_weights())
        first = module.layers[0]
        n_weights -= int((~inputs_read(module)).sum()) * first.weight[0].numel()
        return len(self.stage.arrays[0]) * module.layers[-1].n_subnodes, n_weights


def n_groups(module):
    """Return the number of groups of inputs over which hidden nodes are shared out."""
    return max(1, len(module.plan.get("groups", ())))


def _is_additive(module):
    """Tell whether no two inputs may interact: then a hidden layer adds nothing."""
    groups = module.plan.get("groups", ())
    return bool(groups) and max(map(len, groups)) == 1


def _copy(basis, other, rows):
    for new, old in zip(basis.buffers(), other.buffers(), strict=True):
        new[rows] = old
    basis._memo = {}


def affordable(n_residuals: int, n_weights: int) -> bool:
    """Tell whether the steps of a trial keep to the budget.

    Parameters
    ----------
    n_residuals : int
        Rows times outputs.
    n_weights : int
        Weights of the network.

    Returns
    -------
    bool
    """
    return n_weights <= LARGEST and _STEPS * step_cost(n_residuals, n_weights) <= _BUDGET


def step_cost(n_residuals: int, n_weights: int) -> float:
    """Return the multiply-adds of a step: the matrix, its factors and its inverse."""
    return n_residuals * n_weights**2 + 1.5 * n_weights**3


def search(module, trials, *, grid_sizes, n_init=1):
    """Find the shape under which the data are most probable.

    Parameters
    ----------
    module : KAN
        A network on the inputs and outputs without hidden nodes, on the coarsest grid.
    trials : Trials
        How networks are tried.
    grid_sizes : tuple of int
        Finer grids to try.
    n_init : int, default=1
        Number of first weights to try for each shape.

    Returns
    -------
    Trial
    """
    if not trials.is_affordable(module):
        module = trials.draw(module, grid_size=COARSEST)
    best = trials.first(module)
    failed = 0
    for width in () if _is_additive(module) else _WIDTHS:
        drawn = trials.draw(module, width)
        if time_is_over() or not trials.is_affordable(drawn):
            break
        n_nodes = drawn.layers[0].n_subnodes
        room = best.module.layers[0].n_subnodes <= n_nodes and trials.can_grow(best)
        fresh = n_init if width < _SURE or not room else n_init - 1
        found = [trials.fit(trials.draw(module, width), beside=best) for _ in range(fresh)]
        if room and width > 1:
            found.append(trials.fit(trials.grown(best, width), best.evidence, beside=best))
        better = [trial for trial in found if trial.improves_on(best)]
        best = max(better, key=_evidence_of, default=best)
        failed = 0 if better else failed + 1
        if failed >= (1 if width >= _SURE or trials.is_wide(drawn) else _UNPROMISING):
            break
    best = _deeper(best, trials)
    for grid_size in grid_sizes:
        candidate = copy.deepcopy(best.module)
        candidate.refine(grid_size)
        if time_is_over() or not trials.is_affordable(candidate):
            break
        last = grid_size == grid_sizes[-1]
        now = trials.fit(candidate, best.evidence, beside=None if last else best)
        if not now.improves_on(best, _WORTH * len(trials.stage.arrays[0])):
            break
        best = now
    return best


def _deeper(best, trials):
    """Return a network of two hidden layers, where one asks for many nodes and two do better."""
    first = best.module.layers[0]
    if len(best.module.layers) == 1 or first.n_subnodes < _DEEP[0] or time_is_over():
        return best
    drawn = trials.draw(best.module, *_DEEP)
    if not trials.is_affordable(drawn):
        return best
    deep = trials.fit(drawn)
    return deep if deep.improves_on(best) else best


def _evidence_of(trial):
    return trial.evidence.log
