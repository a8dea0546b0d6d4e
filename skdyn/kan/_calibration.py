"""Class probabilities that are as sure as they are right."""

from typing import Any

import torch
from scipy.optimize import brentq

from skdyn.kan._one_row_less import outputs_without
from skdyn.kan._posterior import posterior_of
from skdyn.training import in_precision

__all__ = ["cool_down", "temperature_of"]

_BOUNDS = 0.2, 20.0  # of a temperature
_MOST = 3000  # weights: their posterior is not kept
_ROWS = 8192  # at most, that say how warm


def cool_down(model, task, objective, left_out):
    """Divide a classifier's scores by the temperature [1]_ that rows left out ask for, in place.

    Scores that are too sure become what they should; those that are not sure enough go half the
    way, in orders of magnitude, for few rows that are all answered well ask for too much.

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
    """
    last = model.module_.layers[-1]
    if objective is None or task.incremental or len(last.symbolic):
        return
    found = _temperature(model, task, objective, left_out)
    found = found if found > 1 else found**0.5
    with torch.no_grad():
        for weight in last.linear_weights():
            weight /= found


def _temperature(model, task, objective, left_out):
    if left_out is not None:  # of first-order optimizers, which it flatters where rows are few
        return max(1.0, left_out.mixed(
            lambda outputs: temperature_of(outputs, left_out.y, left_out.weight)
        ))  # fmt: skip
    if task.validation is not None:
        module = in_precision(model.module_, torch.float64)
        like = next(module.parameters())
        X, y, weight = (torch.as_tensor(part[:_ROWS]).to(like.device) for part in task.validation)
        return temperature_of(module(X.to(like)).detach(), y, weight)
    if model._optimizer_now() != "lm":
        return 1.0
    found = posterior_of(model, task, objective, _MOST)
    if found is None or len(found.problem.module.layers) < len(model.module_.layers):
        return 1.0
    scores = outputs_without(found, 1 / float(task.total_weight))
    return temperature_of(scores, found.problem.y, found.problem.row_weight)


def temperature_of(scores, y, weight):
    """Return the temperature at which the classes of rows are most probable.

    Parameters
    ----------
    scores : Tensor of shape (n, n_classes)
        Their scores.
    y : Tensor of shape (n,)
        Their classes.
    weight : Tensor of shape (n,)
        Their weights.

    Returns
    -------
    float
    """
    scores, weight = scores.double(), weight.double()
    one_hot = torch.nn.functional.one_hot(y, scores.shape[1])

    def slope(temperature):
        """By the inverse of the temperature, of the mean loss, which is convex in it."""
        tilt = torch.softmax(scores / temperature, dim=1) - one_hot
        return ((tilt * scores).sum(dim=1) @ weight).item()

    low, high = _BOUNDS
    if slope(low) < 0 or slope(high) > 0:  # it grows with the inverse of the temperature
        return low if slope(low) < 0 else high
    found: Any = brentq(slope, low, high, xtol=1e-12)
    return found
