"""Codebooks behind layers of a network that is trained on with them."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch

from skdyn._validation import check_is_fitted
from skdyn.autoencoder._codebook import CodebookTransformer
from skdyn.autoencoder._kernels import decode
from skdyn.autoencoder._running import LayerOutput, layer_named

__all__ = ["CodebookBottleneck", "with_codebooks"]


class CodebookBottleneck(torch.nn.Module):
    """A layer whose outputs are replaced by sums of k codes, and which learns on with them.

    What follows sees the codes alone. Gradients pass straight through to the layer, as if nothing
    had been replaced, and to the codes that were chosen [1]_.

    Parameters
    ----------
    layer : torch.nn.Module
        Gives a tensor of shape (..., n_features), or a tuple that begins with one.
    coder : CodebookTransformer
        Fitted on such outputs; it stays as it is.

    Attributes
    ----------
    error : Tensor
        Mean squared distance of the last outputs from their codes, in units of the variance that
        ``coder`` saw. As a part of the loss it draws the codes to the outputs; the outputs are not
        drawn to the codes.

    See Also
    --------
    with_codebooks : Puts it into a network.
    CodebookTransformer : Where its entries come from.

    References
    ----------
    .. [1] Alex Tamkin, Mohammad Taufeeque, Noah Goodman, "Codebook Features: Sparse and Discrete
       Interpretability for Neural Networks", ICML 2024, arXiv:2310.17230.

    Examples
    --------
    >>> import torch
    >>> from skdyn.autoencoder import CodebookBottleneck, CodebookTransformer
    >>> layer, X = torch.nn.Linear(4, 8), torch.randn(200, 4)
    >>> book = CodebookTransformer(16, k=2, max_iter=5, random_state=0)
    >>> bottleneck = CodebookBottleneck(layer, book.fit(layer(X).detach().numpy()))
    >>> bottleneck(X).shape
    torch.Size([200, 8])
    """

    error: torch.Tensor

    def __init__(self, layer: torch.nn.Module, coder: CodebookTransformer) -> None:
        super().__init__()
        self.layer = layer
        self.codebook = copy.deepcopy(coder.module_)
        self.codebook.requires_grad_(True)
        like = next(layer.parameters(), None)
        if like is not None:
            self.codebook.to(like)
        self._coder = coder
        self.error = torch.zeros(())

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        return state | {"error": self.error.detach()}  # a graph can be neither copied nor saved

    def forward(self, *args: Any, **named: Any) -> Any:
        """Run the layer and replace what it gives.

        Parameters
        ----------
        *args, **named : object
            What the layer takes.

        Returns
        -------
        Tensor or tuple
            Of the kind that the layer returns.
        """
        output = LayerOutput.of(self.layer(*args, **named), "behind a codebook")
        rows = output.tensor.reshape(-1, output.tensor.shape[-1])
        codebook = self.codebook
        if rows.shape[1] != codebook.decoder_weight.shape[1]:
            raise ValueError(
                f"The layer gives {rows.shape[1]} features, but the codebook was fitted on "
                f"{codebook.decoder_weight.shape[1]}, which must be the last axis."
            )
        scaled = codebook.scaled(rows.detach().to(codebook.decoder_weight))
        support = codebook.choose(scaled)
        if self.training:
            codebook.track_use(support)
        summed = decode(codebook.ones(support), codebook.decoder_weight)
        self.error = (summed - scaled).square().mean()
        restored = ((summed + codebook.decoder_bias) / codebook.output_scale).to(rows)
        passed = restored + (rows - rows.detach())  # nothing is added but the gradient
        return output.with_tensor(passed.view(output.tensor.shape))

    def coder(self) -> CodebookTransformer:
        """Return the codes as they are now, as an estimator to read them by.

        Returns
        -------
        CodebookTransformer
            Its densities are running averages over the last batches of the training.
        """
        made = copy.copy(self._coder)
        made.module_ = copy.deepcopy(self.codebook).requires_grad_(False)
        return made


def with_codebooks(
    module: torch.nn.Module, coders: Mapping[str, CodebookTransformer]
) -> torch.nn.Module:
    """Return a copy of a network with codebooks behind some of its layers, to be trained on.

    Untrained it answers as the network does with the codebooks :func:`spliced` into it.

    Parameters
    ----------
    module : torch.nn.Module
        The network; it stays as it is.
    coders : mapping of str to CodebookTransformer
        Names of layers, as ``module.named_modules()`` tells them, and what was fitted on the
        outputs of each.

    Returns
    -------
    torch.nn.Module
        In it each of the layers is a :class:`CodebookBottleneck`. All its weights and codes are
        trained, but those of the network that were frozen.

    Raises
    ------
    ValueError
        If there is no such layer, or it is the module itself.
    TypeError
        If what is to stand behind it is no CodebookTransformer.

    See Also
    --------
    spliced : The same for a block of code, without training.

    Examples
    --------
    >>> import torch
    >>> from skdyn.autoencoder import CodebookTransformer, collect_activations, with_codebooks
    >>> network = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2))
    >>> X = torch.randn(200, 4)
    >>> hidden = collect_activations(network, X, "1")
    >>> book = CodebookTransformer(16, k=2, max_iter=5, random_state=0).fit(hidden)
    >>> coded = with_codebooks(network, {"1": book})
    >>> loss = coded(X).square().mean() + coded.get_submodule("1").error
    >>> loss.backward()  # and a step of an optimizer of coded.parameters()
    """
    made = copy.deepcopy(module)
    # Inner layers first: an outer one is still found by its name afterwards.
    for name in sorted(coders, key=lambda name: -name.count(".")):
        coder = coders[name]
        if not isinstance(coder, CodebookTransformer):
            raise TypeError(f"coders[{name!r}] must be a CodebookTransformer; got {coder!r}.")
        check_is_fitted(coder)
        layer = layer_named(made, name)
        if not name:
            raise ValueError("A layer is a part of the module; got '', which is the module.")
        parent, _, last = name.rpartition(".")
        setattr(made.get_submodule(parent), last, CodebookBottleneck(layer, coder))
    return made
