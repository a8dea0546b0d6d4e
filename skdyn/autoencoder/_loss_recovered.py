"""How much of a network's work survives where a dictionary stands in for a layer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike

from skdyn.autoencoder._estimator import SparseCoding
from skdyn.autoencoder._running import batches_of, evaluating, ready, replaced, run_on
from skdyn.autoencoder._splicing import spliced
from skdyn.exceptions import warn_user

__all__ = ["RecoveredLoss", "loss_recovered"]

ABLATIONS = ("mean", "zero")
_MISSING = object()


class RecoveredLoss(NamedTuple):
    """A network's loss with a layer as it is, restored by a dictionary, and ablated.

    Attributes
    ----------
    share : float
        (ablated - spliced) / (ablated - loss): one where nothing is lost, zero where the dictionary
        is worth no more than the ablation. NaN where the layer does not matter.
    loss : float
        Of the network as it is.
    spliced : float
        With the layer restored from its codes.
    ablated : float
        With the layer ablated.

    See Also
    --------
    loss_recovered : Returns it.
    """

    share: float
    loss: float
    spliced: float
    ablated: float


def loss_recovered(
    module: torch.nn.Module,
    inputs: np.ndarray | torch.Tensor | Iterable[Any],
    layer: str,
    coder: SparseCoding,
    loss: Callable[..., torch.Tensor],
    *,
    targets: ArrayLike | torch.Tensor | Iterable[Any] | None = None,
    ablation: str = "mean",
    batch_size: int = 256,
) -> RecoveredLoss:
    """Measure how much of a network's loss a dictionary of one of its layers recovers.

    .. math:: \\frac{L_{\\text{ablated}} - L_{\\text{spliced}}}{L_{\\text{ablated}} - L}

    The module is run in evaluation mode and without gradients, and is afterwards as it was.

    Parameters
    ----------
    module : torch.nn.Module
        The network.
    inputs : ndarray, Tensor or iterable of batches
        As in :func:`collect_activations`; data that the dictionary was not trained on.
    layer : str
        Name of the submodule, as in :func:`spliced`.
    coder : SparseAutoencoder, Transcoder, Crosscoder or CodebookTransformer
        Fitted on the layer's outputs.
    loss : callable
        ``loss(output, target)`` returns the mean loss of a batch; without ``targets``
        ``loss(output)``.
    targets : ndarray, Tensor, iterable of batches or None, default=None
        What the network is to say, cut into batches as ``inputs`` are.
    ablation : {"mean", "zero"}, default="mean"
        What stands in for the layer where nothing is kept of it: its mean output over ``inputs``,
        or zeros. Zeros are far from what the network knows, so that shares come out higher.
    batch_size : int, default=256
        Cases per batch where ``inputs`` is an array.

    Returns
    -------
    RecoveredLoss
        Means over all cases.

    Raises
    ------
    ValueError
        If there are no inputs, more or fewer targets, ``ablation`` is unknown, ``inputs`` can be
        read once only although the mean needs a pass of its own, or the layer does not run in it.

    Warns
    -----
    UserWarning
        If the ablated layer loses nothing, so that nothing can be recovered.

    See Also
    --------
    spliced : The network with a dictionary in it.
    evaluate_dictionary : All measures in one table.

    Examples
    --------
    What a network says of digits itself is to be recovered:

    >>> import torch
    >>> from sklearn.datasets import load_digits
    >>> from skdyn.autoencoder import SparseAutoencoder, collect_activations, loss_recovered
    >>> X = torch.tensor(load_digits().data).float() / 16
    >>> network = torch.nn.Sequential(
    ...     torch.nn.Linear(64, 16), torch.nn.ReLU(), torch.nn.Linear(16, 10)
    ... )
    >>> hidden = collect_activations(network, X, "1")
    >>> coder = SparseAutoencoder(32, k=8, max_iter=10, random_state=0).fit(hidden)
    >>> error = torch.nn.functional.mse_loss
    >>> found = loss_recovered(network, X, "1", coder, error, targets=network(X).detach())
    >>> bool(0.5 < found.share < 1)
    True
    """
    if ablation not in ABLATIONS:
        raise ValueError(f"ablation must be one of {ABLATIONS}; got {ablation!r}.")
    with evaluating(module), torch.no_grad():
        if ablation == "zero":
            ablated = torch.zeros_like
        else:
            mean = _mean_output(module, inputs, layer, batch_size)
            ablated = mean.expand_as
        ways: list[Callable[[], Any]] = [
            nullcontext,
            lambda: spliced(module, layer, coder),
            lambda: replaced(module, layer, lambda x, y: ablated(y).to(y)),
        ]
        totals, n_cases = np.zeros(len(ways)), 0
        for batch, target in _pairs(inputs, targets, batch_size):
            n_batch = _n_cases(batch)
            for number, way in enumerate(ways):
                with way():
                    output = run_on(module, batch)
                value = loss(output, *_on_device(target, module))
                totals[number] += n_batch * _as_number(value)
            n_cases += n_batch
    if not n_cases:
        raise ValueError("There are no inputs; loss_recovered needs one batch at least.")
    plain, with_coder, without = (totals / n_cases).tolist()
    return RecoveredLoss(_share(plain, with_coder, without, layer), plain, with_coder, without)


def _as_number(value):
    if np.size(value) == 1 if not isinstance(value, torch.Tensor) else value.numel() == 1:
        return float(value)
    raise ValueError(
        "loss must return one number, the mean over a batch, as reduction='mean' of torch does; "
        f"got {tuple(np.shape(value))} of them."
    )


def _share(plain, with_coder, without, layer):
    if without > plain:
        return (without - with_coder) / (without - plain)
    warn_user(
        f"The loss is {plain:.4g} as it is and {without:.4g} with layer {layer!r} ablated: it "
        "loses nothing, so that nothing can be recovered. Take a trained network, a layer that "
        "matters, or ablation='zero'.",
        UserWarning,
    )
    return np.nan


def _mean_output(module, inputs, layer, batch_size):
    """Return the mean of a layer's outputs over all axes but the last, float64."""
    if isinstance(inputs, Iterator):
        raise ValueError(
            "inputs is an iterator, which can be read only once, but ablation='mean' needs a pass "
            "of its own. Pass a list of the batches, or ablation='zero'."
        )
    sums: Any = 0.0
    n_rows = 0

    def listen(x, y):
        nonlocal sums, n_rows
        rows = y.reshape(-1, y.shape[-1])
        sums, n_rows = sums + rows.double().sum(dim=0), n_rows + len(rows)
        return y

    with replaced(module, layer, listen):
        for batch in batches_of(inputs, batch_size):
            run_on(module, batch)
    if not n_rows:
        raise ValueError(
            f"Layer {layer!r} gave nothing: there were no inputs, or the module does not run it."
        )
    return sums / n_rows


def _pairs(inputs, targets, batch_size):
    """Yield batches of inputs and the targets that belong to them."""
    batches = batches_of(inputs, batch_size)
    if targets is None:
        yield from zip(batches, repeat(None))
        return
    others = batches_of(targets, batch_size)
    for batch in batches:
        target = next(others, _MISSING)
        if target is _MISSING or _n_cases(target) != _n_cases(batch):
            found = "none" if target is _MISSING else _n_cases(target)
            raise ValueError(
                f"A batch of inputs has {_n_cases(batch)} cases, its targets {found}. Pass as many "
                "targets as inputs, in batches of the same sizes."
            )
        yield batch, target
    if next(others, _MISSING) is not _MISSING:
        raise ValueError("There are more targets than inputs; each input has one.")


def _n_cases(batch):
    first = next(iter(batch.values())) if isinstance(batch, dict) else batch
    return len(first[0] if isinstance(first, tuple) else first)


def _on_device(target, module):
    return () if target is None else (ready(target, next(module.parameters(), torch.empty(0))),)
