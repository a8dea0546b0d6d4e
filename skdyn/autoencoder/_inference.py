"""Codes of rows by other means than the encoder: it is the weak link of a trained coder."""

import torch

from skdyn.autoencoder._kernels import Codes, Support
from skdyn.autoencoder._network import SparseCoder

__all__ = ["INFERENCES", "infer"]

INFERENCES = ("encoder", "refit", "omp")
_ROUNDS = 4  # of dropping latents whose least-squares code is negative
_NOTHING = 1e-5  # of a row: so little left over is rounding
_RIDGE = 1e-6  # of the diagonal: two latents may be one


def infer(coder: SparseCoder, x: torch.Tensor, inference: str) -> Codes:
    """Return the codes of inputs.

    Parameters
    ----------
    coder : SparseCoder
        A trained network whose outputs are its inputs, unless ``inference`` is "encoder".
    x : Tensor of shape (n_rows, n_features)
        Inputs.
    inference : {"encoder", "refit", "omp"}
        "encoder" is the network's own answer; "refit" takes its latents and gives them the
        non-negative codes that reconstruct best; "omp" chooses latents, too, one by one: the one
        that explains most of what is left, k times (orthogonal matching pursuit [1]_).

    Returns
    -------
    Codes

    References
    ----------
    .. [1] Yagyensh Pati, Ramin Rezaiifar, Perinkulam Krishnaprasad, "Orthogonal Matching Pursuit",
       Asilomar Conference on Signals, Systems and Computers, 1993.
    """
    if inference == "encoder":
        return coder.encode(x)
    target = x * coder.output_scale - coder.decoder_bias
    if inference == "refit":
        latents, taken = _padded(coder.encode(x).support)
    elif inference == "omp":
        latents, taken = _pursue(coder, target)
    else:
        raise ValueError(f"inference must be one of {INFERENCES}; got {inference!r}.")
    values = _least_squares(coder.decoder_weight[latents], target, taken)
    for _ in range(_ROUNDS):
        taken = taken & (values > 0)
        values = _least_squares(coder.decoder_weight[latents], target, taken)
    support = Support.of_columns(latents, coder.n_components)
    codes = Codes(support, values.reshape(-1) * coder.unit)
    return codes.where(taken.reshape(-1) & (codes.values > 0))


def _padded(support):
    """Return the latents of each row side by side, and which of them are not padding."""
    counts = support.offsets.diff()
    place = torch.arange(len(support.index), device=counts.device) - support.offsets[support.rows]
    latents = support.index.new_zeros(support.n_rows, max(1, int(counts.max())), dtype=torch.long)
    taken = torch.zeros_like(latents, dtype=torch.bool)
    latents[support.rows, place] = support.index.long()
    taken[support.rows, place] = True
    return latents, taken


def _pursue(coder, target):
    weight = coder.decoder_weight
    latents = torch.zeros(len(target), coder.k, dtype=torch.long, device=target.device)
    taken = torch.zeros_like(latents, dtype=torch.bool)
    residual, smallest = target, _NOTHING * torch.linalg.vector_norm(target, dim=1)
    for step in range(coder.k):
        gains = (residual @ weight.T).scatter(1, latents[:, :step], 0.0)  # none twice
        gain, best = gains.max(dim=1)
        latents[:, step] = best
        taken[:, step] = gain > smallest
        chosen, so_far = weight[latents[:, : step + 1]], taken[:, : step + 1]
        values = _least_squares(chosen, target, so_far)
        residual = target - torch.einsum("bk,bkf->bf", values, chosen)
    return latents, taken


def _least_squares(chosen, target, taken):
    """Return the codes that reconstruct best with the chosen rows of the decoder, zero elsewhere.

    Shapes: (n_rows, k, n_outputs), (n_rows, n_outputs), (n_rows, k) to (n_rows, k).
    """
    chosen = chosen * taken[:, :, None]
    gram = chosen @ chosen.mT
    gram.diagonal(dim1=1, dim2=2).add_(torch.where(taken, _RIDGE, 1.0))
    wanted = torch.einsum("bkf,bf->bk", chosen, target)
    return torch.cholesky_solve(wanted[:, :, None], torch.linalg.cholesky(gram)).squeeze(2)
