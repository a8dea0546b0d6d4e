"""Class probabilities that are as sure as they are right."""

import math
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import minimize

from skdyn.kan._left_out import leave_out
from skdyn.kan._one_row_less import outputs_without
from skdyn.kan._posterior import posterior_of
from skdyn.training import in_precision

__all__ = ["Certainty", "certainty_of", "cool_down", "warm_up", "with_slips"]

_BOUNDS = 0.2, 20.0  # of a temperature
_SLIPS = 1e-6, 0.9  # of the share of labels that are by chance
_PSEUDO = 0.5  # slips that are counted beside the rows': none among few does not mean never
_FIRST_SLIPS = 0.01
_MOST = 3000  # weights: their posterior is not kept
_ROWS = 8192  # at most, that say how warm


class Certainty(NamedTuple):
    """What makes of scores probabilities that are as sure as they are right.

    Attributes
    ----------
    temperature : float
        What the scores are divided by.
    slips : float
        Share of labels that are by chance.
    """

    temperature: float
    slips: float


def cool_down(model, task, objective, left_out):
    """Make a classifier's probabilities as sure as rows left out are right, in place.

    Scores are divided by a temperature [1]_, and a share of the labels is taken to be by chance
    [2]_: without that, few rows that are far off would ask for a temperature of all. Scores that
    are too sure become what they should; those that are not sure enough go half the way, in orders
    of magnitude, for few rows that are all answered well ask for too much.

    Parameters
    ----------
    model : KANClassifier
        Fitted.
    task : FitTask
        What it learned from.
    objective : KANObjective or None
        What it minimized.
    left_out : LeftOut or None
        What it would make of rows that it had not seen.

    References
    ----------
    .. [1] C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On Calibration of Modern Neural Networks",
       ICML 2017.
    .. [2] D. Hernandez-Lobato, J. M. Hernandez-Lobato, P. Dupont, "Robust Multi-Class Gaussian
       Process Classification", NeurIPS 2011.
    """
    last = model.module_.layers[-1]
    known = hasattr(model, "label_noise_")
    if objective is None or len(last.symbolic) or (task.incremental and not known):
        model.label_noise_, model._warmth = getattr(model, "label_noise_", 0.0), 1.0
        return
    if task.goes_on and known:  # the network has seen rows that are not here
        warm_up(model.module_, 1 / model._warmth)
        return
    warmth, model.label_noise_ = _certainty(model, task, objective, left_out)
    model._warmth = warmth if warmth > 1 else warmth**0.5
    warm_up(model.module_, 1 / model._warmth)


@torch.no_grad()
def warm_up(module, warmth):
    """Multiply the scores of a network, in place, as where training goes on from what it was.

    Parameters
    ----------
    module : KAN
        The network.
    warmth : float
        By what.

    Returns
    -------
    KAN
        The same.
    """
    for weight in module.layers[-1].linear_weights():
        weight *= warmth
    return module


def with_slips(probabilities, share):
    """Return probabilities of labels of which a share is by chance.

    Parameters
    ----------
    probabilities : ndarray of shape (n, n_classes)
        Without chance.
    share : float
        Of labels that are by chance, all classes alike.

    Returns
    -------
    ndarray of shape (n, n_classes)
    """
    return (1 - share) * probabilities + share / probabilities.shape[1]


def _certainty(model, task, objective, left_out):
    if left_out is None:
        left_out = leave_out(model, task, objective, some=True)
    if left_out is not None:  # of first-order optimizers
        count = float(task.total_weight) * len(left_out.y) / len(task.training[0])
        return _both(left_out, count)
    if task.validation is not None:
        module = in_precision(model.module_, torch.float64)
        like = next(module.parameters())
        X, y, weight = (torch.as_tensor(part[:_ROWS]).to(like.device) for part in task.validation)
        return certainty_of(module(X.to(like)).detach(), y, weight, len(y))
    found = posterior_of(model, task, objective, _MOST) if model._optimizer_now() == "lm" else None
    if found is None or len(found.problem.module.layers) < len(model.module_.layers):
        return Certainty(1.0, 0.0)
    scores = outputs_without(found, 1 / float(task.total_weight))
    return certainty_of(scores, found.problem.y, found.problem.row_weight, task.total_weight)


def _both(left_out, count):
    """Return what two estimates of rows left out say; of sharper scores the more careful one."""
    told = [certainty_of(scores, left_out.y, left_out.weight, count) for scores in left_out.outputs]
    warmth, slips = (left_out.weighed(part) for part in zip(*told, strict=True))
    return Certainty(warmth if warmth > 1 else max(told).temperature, slips)


def certainty_of(scores, y, weight, count):
    """Return the temperature and the share of slips at which the classes of rows are most probable.

    Parameters
    ----------
    scores : Tensor of shape (n, n_classes)
        Their scores.
    y : Tensor of shape (n,)
        Their classes.
    weight : Tensor of shape (n,)
        Their weights.
    count : float
        How many they are, copies counted.

    Returns
    -------
    Certainty
    """
    weight = (weight / weight.sum()).double().cpu().numpy()
    scores, y, chance = scores.double().cpu().numpy(), y.cpu().numpy(), -math.log(scores.shape[1])
    below = scores - scores.max(axis=1, keepdims=True)
    own = below[np.arange(len(y)), y]

    def loss(logs):
        """By the logarithms of both, and its slopes, by hand: it is asked a hundred times."""
        sharpness, slips = np.exp(-logs[0]), np.exp(logs[1])
        shares = np.exp(sharpness * below)
        total = shares.sum(axis=1)
        by_score = sharpness * own - np.log(total) + np.log1p(-slips)
        odds = np.logaddexp(by_score, logs[1] + chance)
        told = weight * np.exp(by_score - odds)  # of each row, that it is no slip
        rise = own - (shares * below).sum(axis=1) / total
        pseudo, sure = _PSEUDO / float(count), told.sum()
        slopes = sharpness * (told @ rise), sure / (1 - slips) - 1 - pseudo
        return -(odds @ weight) - pseudo * logs[1], np.array(slopes)

    bounds = np.log([_BOUNDS, _SLIPS])
    starts = (np.log([warmth, _FIRST_SLIPS]) for warmth in (1.0, *_BOUNDS))
    found = min(
        (minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds) for start in starts),
        key=lambda result: result.fun,
    )
    return Certainty(*np.exp(found.x).tolist())
