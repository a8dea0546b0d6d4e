"""A penalty that rows held out choose, from many small networks that are trained side by side.

A step of one such network is mostly overhead, so that all candidates on all folds, one batched
network, cost little more than one of them.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import nn

from skdyn.solvers import ACTIVATIONS
from skdyn.training import LeanNet, Stage, new_generator, resolve_device, resolve_dtype, to_tensor

__all__ = ["EPOCHS", "FLAT", "Choice", "SideBySide", "choose_penalty", "deal_rows"]

FLAT = 2.0  # the penalty where there are no rows to choose one by
_PENALTIES = (100.0, 25.0, 6.0, 1.6, 0.4, 0.1)  # of equals, the strongest is chosen
_FOR_NUMBERS = (*_PENALTIES, 0.025)  # exact numbers bear a weaker one, classes do not
_FEW, _MOST = 600, 1500  # rows up to which each is held out once, and that are looked at at most
_N_FOLDS = 3
# Of one cycle, of at least so many steps: a longer or slower one chose no better.
EPOCHS, _STEPS, _RATE, _CLIP = 60, 240, 0.05, 0.3
_TEMPERATURES = torch.logspace(-0.7, 1.3, 41, dtype=torch.float64)  # of scores


class Choice(NamedTuple):
    """What the rows held out say.

    Attributes
    ----------
    alpha : float
        Strength of the penalty.
    temperature : float
        What scores of classes are to be divided by, so that they are as sure as they are right.
    """

    alpha: float
    temperature: float


class SideBySide(nn.Module):
    """Copies of a depth network, each with weights of its own, that share one pass over the rows.

    The flow is one step of the midpoint rule: near enough to tell penalties apart.

    Parameters
    ----------
    module : DepthODE
        What is copied.
    n_copies : int
        How often.
    """

    def __init__(self, module: Any, n_copies: int) -> None:
        super().__init__()
        self.augment_dim = module.augment_dim
        self._act = ACTIVATIONS[module.field.activation]()
        layers = [*module.field.layers, module.readout]

        def copied(tensor):
            return nn.Parameter(tensor.detach()[None].repeat(n_copies, 1, 1))

        self.weights = nn.ParameterList([copied(layer.weight.t()) for layer in layers])
        self.biases = nn.ParameterList([copied(layer.bias[None]) for layer in layers])

    def _layers(self):
        return list(zip(self.weights, self.biases, strict=True))

    def _velocity(self, t, y):
        (first, bias), *others = self._layers()[:-1]
        y = torch.baddbmm(bias + t * first[:, -1:], y, first[:, :-1])  # time is the last input
        for weight, bias in others:
            y = torch.baddbmm(bias, self._act(y), weight)
        return y

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the outputs of each copy.

        Parameters
        ----------
        x : Tensor of shape (n, n_features)
            Inputs.

        Returns
        -------
        Tensor of shape (n_copies, n, n_outputs)
        """
        y = nn.functional.pad(x, (0, self.augment_dim)).expand(len(self.biases[0]), -1, -1)
        y = y + self._velocity(0.5, y + 0.5 * self._velocity(0.0, y))
        weight, bias = self._layers()[-1]
        return torch.baddbmm(bias, y, weight)


def choose_penalty(
    model: Any, training: tuple[np.ndarray, ...], total_weight: float, config: dict, seed: int
) -> Choice:
    """Return the penalty under which rows that were not learned from are answered best.

    Scores of classes are compared at the temperature that suits them best: a network that ranks
    classes well but is too sure is not worse than one that knows nothing.

    Parameters
    ----------
    model : DepthEstimator
        Parameters and the loss of a row.
    training : tuple of ndarray
        Scaled inputs, encoded targets and weights of mean one.
    total_weight : float
        Sum of the weights as they were given.
    config : dict
        Arguments of the module.
    seed : int
        Source of the folds and the order of the batches.

    Returns
    -------
    Choice
    """
    rows, folds = deal_rows(training[0], training[1], seed)
    n_asked = folds.max(initial=-1) + 1
    if not n_asked or (folds < 0).all():
        return Choice(FLAT, 1.0)
    arrays = tuple(array[rows] for array in training)
    learns = np.stack([folds != fold for fold in range(n_asked)], axis=1)
    shares = learns.T @ arrays[2] / arrays[2].sum()
    if not (shares > 0).all():
        return Choice(FLAT, 1.0)
    counted = total_weight * arrays[2].sum() / training[2].sum() * shares
    penalties = _PENALTIES if hasattr(model, "classes_") else _FOR_NUMBERS
    device, n = resolve_device(model.device), len(penalties)
    module = SideBySide(model._initial_module(config, seed, False), n * n_asked)
    module.to(device, resolve_dtype(model._precision(), device))
    like = next(module.parameters())
    strengths = to_tensor(np.tile(penalties, n_asked) / np.repeat(counted, n)).to(like)
    objective = _objective(model._row_loss, strengths, to_tensor(shares).to(like))
    settings = model._settings()._replace(
        optimizer="adam", alpha=0.0, learning_rate=_RATE, learning_rate_schedule="one_cycle",
        tol=0.0, n_iter_no_change=_STEPS, early_stopping=False, max_recoveries=0, verbose=0,
        clip_norm=_CLIP * len(strengths) ** 0.5,
    )  # fmt: skip
    n_batches = -(-len(rows) // settings.batch_size_for(len(rows)))
    n_epochs = max(EPOCHS, -(-_STEPS // n_batches))
    stage = Stage(objective, (*arrays, learns), n_epochs, name="penalty")
    LeanNet(module, settings, new_generator(seed)).run([stage])
    with torch.no_grad():
        answers = module(to_tensor(arrays[0]).to(like)).unflatten(0, (n_asked, n))
    asked = to_tensor(~learns).to(answers).t()
    held_out = (answers * asked[:, None, :, None]).sum(dim=0)  # each row by those that lack it
    is_asked = asked.any(dim=0)
    y, weight = (to_tensor(array).to(device)[is_asked] for array in arrays[1:])
    best, temperature = _best(
        model._row_loss, held_out[:, is_asked], y, weight, hasattr(model, "classes_")
    )
    return Choice(penalties[best], temperature)


def deal_rows(X: np.ndarray, y: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Choose the rows that are looked at, and the fold in which each is held out.

    Copies of a row share a fold: a weight of two is what two copies are.

    Parameters
    ----------
    X, y : ndarray
        Inputs, and targets, of which each fold gets its share where they are classes.
    seed : int
        Source of the choice.

    Returns
    -------
    rows : ndarray of int of shape (n_rows,)
        Which.
    folds : ndarray of int of shape (n_rows,)
        Of each, -1 where a row is always learned from.
    """
    _, first, which = np.unique(
        np.column_stack([X, y]), axis=0, return_index=True, return_inverse=True
    )
    n, rng = len(first), np.random.default_rng(seed)
    kept = rng.permutation(n)[:_MOST]
    n_folds = min(_N_FOLDS, n)
    fold = np.full(n, -2)
    strata = y[first[kept]] if y.ndim == 1 else np.zeros(len(kept))
    fold[kept[np.argsort(strata, kind="stable")]] = np.arange(len(kept)) % n_folds
    if n > _FEW:  # one part, larger than what several would be
        fold = np.where(fold > 0, -1, fold)
    fold = fold[which.ravel()]
    rows = np.flatnonzero(fold > -2)
    return rows, fold[rows]


def _objective(row_loss, strengths, shares):
    """Return the sum of all copies' penalized losses, each of the rows that it may learn from."""
    n = len(strengths) // len(shares)

    def objective(module, X, y, weight, learns):
        counts = (learns.t() * weight / shares[:, None]).repeat_interleave(n, dim=0)
        losses = (_losses(row_loss, module(X), y) * counts).mean(dim=1)
        penalty = sum(part.square().sum(dim=(1, 2)) for part in module.parameters())
        return (losses + 0.5 * strengths * penalty).sum()

    return objective


def _losses(row_loss: Callable, answers: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return the loss of each row under each copy."""
    n_copies = len(answers)
    return row_loss(answers.flatten(0, 1), y.repeat(n_copies, *[1] * (y.ndim - 1))).view(
        n_copies, -1
    )


def _best(row_loss, answers, y, weight, of_classes):
    """Return which penalty has the lowest loss of the rows held out, and its temperature."""
    answers = answers.double()
    y = y if of_classes else y.double()
    temperatures = _TEMPERATURES.to(answers) if of_classes else [1.0]
    share = weight / weight.sum()
    losses = torch.stack(
        [_losses(row_loss, answers / warmth, y) @ share.double() for warmth in temperatures]
    )
    loss, warmth = losses.min(dim=0)
    best = int(loss.argmin())
    return best, float(temperatures[int(warmth[best])])
