"""Auxiliary losses: latents that are used too little learn to explain what is left over."""

import torch

from skdyn.autoencoder._kernels import Codes, Support, decode
from skdyn.autoencoder._network import SparseCoder
from skdyn.autoencoder.allocations._zipf import zipf_shares
from skdyn.training._devices import sent

__all__ = ["AUXILIARIES", "revival_loss", "underused"]

AUXILIARIES = ("auxk", "zipf")
_FEW = 0.5  # of the share that a latent's rank has by Zipf's law


def underused(coder: SparseCoder, aux: str, dead_after: int) -> torch.Tensor:
    """Return the latents that an auxiliary loss is to revive.

    Parameters
    ----------
    coder : SparseCoder
        The network.
    aux : {"auxk", "zipf"}
        Those that were not active in the last ``dead_after`` rows [1]_, or those whose density is
        below half of what Zipf's law has for their rank [2]_.
    dead_after : int
        Number of rows.

    Returns
    -------
    Tensor of shape (n_underused,)
        Their numbers.

    References
    ----------
    .. [1] Leo Gao et al., "Scaling and evaluating sparse autoencoders", arXiv:2406.04093, 2024.
    .. [2] Kola Ayonrinde, "Adaptive Sparse Allocation with Mutual Choice & Feature Choice Sparse
       Autoencoders", arXiv:2411.02124, 2024.
    """
    if aux == "auxk":
        return (coder.idle >= dead_after).nonzero().squeeze(1)
    density, latents = coder.density.sort(descending=True, stable=True)
    shares = zipf_shares(coder.n_components, coder.k).to(density.dtype)
    shares = sent(shares, density.device)
    return latents[density < _FEW * shares]


def revival_loss(
    coder: SparseCoder,
    x: torch.Tensor,
    dense: torch.Tensor,
    error: torch.Tensor,
    latents: torch.Tensor,
) -> torch.Tensor | float:
    """Return how badly some latents, alone, reconstruct what is missing.

    Each row uses the largest of them, half as many as there are outputs.

    Parameters
    ----------
    coder : SparseCoder
        The network.
    x : Tensor of shape (n_rows, n_features)
        Scaled inputs.
    dense : Tensor of shape (n_rows, n_components)
        All pre-activations.
    error : Tensor of shape (n_rows, n_outputs)
        Reconstruction less target; it is not moved.
    latents : Tensor of shape (n_latents,)
        Which latents.

    Returns
    -------
    Tensor or float
        Mean squared error; zero without latents.
    """
    if len(latents) == 0:
        return 0.0
    n_used = min(len(latents), max(1, error.shape[1] // 2))
    best = dense[:, latents].topk(n_used, dim=1, sorted=False)
    support = Support.of_columns(latents[best.indices], coder.n_components)
    values = coder.encode_at(x, support, best.values.reshape(-1))
    rebuilt = decode(Codes(support, torch.relu(values)), coder.decoder_weight, tangent=True)
    return (rebuilt + error.detach()).square().mean()
