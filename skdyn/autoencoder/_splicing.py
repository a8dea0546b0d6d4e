"""A network that goes on from what a dictionary makes of one of its layers."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from numbers import Real
from typing import Any

import numpy as np
import torch

from skdyn._validation import check_is_fitted, is_whole
from skdyn.autoencoder._estimator import SparseCoding
from skdyn.autoencoder._kernels import Codes
from skdyn.autoencoder._running import replaced
from skdyn.exceptions import warn_user
from skdyn.training import in_precision

__all__ = ["LatentEdit", "spliced"]


class LatentEdit:
    """A change of some latents' codes, wherever they are: set, scaled or added to.

    Parameters
    ----------
    set_to : mapping of int to float or None, default=None
        Latents and the codes they get, in every row.
    add : mapping of int to float or None, default=None
        Latents and what is added to their codes, in every row.
    scale : mapping of int to float or None, default=None
        Latents and the factors on their codes; 0 takes them out.

    Raises
    ------
    ValueError
        If a latent occurs twice or is no whole number, or an amount is no finite number.

    See Also
    --------
    spliced : Takes it as ``edit``.

    Examples
    --------
    >>> from skdyn.autoencoder import LatentEdit
    >>> LatentEdit(set_to={3: 5.0}, scale={7: 0.0})
    LatentEdit(set_to={3: 5.0}, scale={7: 0.0})
    """

    def __init__(
        self,
        *,
        set_to: Mapping[int, float] | None = None,
        add: Mapping[int, float] | None = None,
        scale: Mapping[int, float] | None = None,
    ) -> None:
        self.set_to, self.add, self.scale = (dict(part or {}) for part in (set_to, add, scale))
        self.latents = [*self.set_to, *self.add, *self.scale]
        for latent in self.latents:
            if not is_whole(latent, 0) or self.latents.count(latent) > 1:
                raise ValueError(
                    f"A latent is a whole number from 0 on, and is edited once; got {latent!r} in "
                    f"{self!r}."
                )
        for amount in [*self.set_to.values(), *self.add.values(), *self.scale.values()]:
            if not isinstance(amount, Real) or not np.isfinite(amount):
                raise ValueError(f"Amounts of an edit are finite numbers; got {amount!r}.")

    def __repr__(self) -> str:
        parts = {"set_to": self.set_to, "add": self.add, "scale": self.scale}
        given = ", ".join(f"{name}={part}" for name, part in parts.items() if part)
        return f"LatentEdit({given})"

    def change(self, values: torch.Tensor) -> torch.Tensor:
        """Return by how much codes change.

        Parameters
        ----------
        values : Tensor of shape (n_rows, n_edited)
            Codes of the edited latents, in the order of ``latents``.

        Returns
        -------
        Tensor of shape (n_rows, n_edited)
        """
        set_to, added, factors = (
            values.new_tensor(list(part.values())) for part in (self.set_to, self.add, self.scale)
        )
        n_set, n_added = len(set_to), len(added)
        first, between, last = values.tensor_split([n_set, n_set + n_added], dim=1)
        return torch.cat([set_to - first, added.expand_as(between), (factors - 1.0) * last], dim=1)


Edit = LatentEdit | Callable[[torch.Tensor], torch.Tensor]


@contextmanager
def spliced(
    module: torch.nn.Module,
    layer: str,
    coder: SparseCoding,
    edit: Edit | None = None,
    keep_error: bool = False,
) -> Iterator[None]:
    """Let a network go on from what a dictionary makes of a layer, its latents edited or not.

    Within the block the layer's output :math:`x`, of codes :math:`z`, is replaced by

    .. math:: \\hat x(z') \\; + \\; [\\text{keep\\_error}] \\, (x - \\hat x(z)),

    where :math:`z'` are the codes after the edit. With ``keep_error`` nothing changes but what the
    edit does: adding a to latent j moves the layer by a times row j of ``components_``. A
    :class:`Transcoder` reads the layer's input and replaces the layer.

    The module keeps its mode; gradients pass through, but the dictionary is not trained.

    Parameters
    ----------
    module : torch.nn.Module
        The network; for an estimator of this package, its ``module_``.
    layer : str
        Name of the submodule, as ``module.named_modules()`` tells it. It gives a tensor of shape
        (..., n_features), or a tuple that begins with one, as recurrent layers do.
    coder : SparseAutoencoder, Transcoder, Crosscoder or CodebookTransformer
        Fitted on such outputs; codes are those of its ``transform``.
    edit : LatentEdit, callable or None, default=None
        What happens to the codes: a :class:`LatentEdit` does the same to every row. A callable gets
        them dense, of shape (..., n_components), with the layer's leading axes, and returns what
        they become: for one token only, say.
    keep_error : bool, default=False
        Whether what the dictionary leaves over is added again.

    Yields
    ------
    None

    Raises
    ------
    ValueError
        If there is no such layer, its width is not the coder's, or an edited latent does not exist.
    TypeError
        If ``coder`` is no sparse coder, or the layer gives no tensor of floats.

    Warns
    -----
    UserWarning
        If the layer did not run within the block.

    See Also
    --------
    LatentEdit : What to change on the way.
    loss_recovered : What is lost by the dictionary.

    Examples
    --------
    >>> import torch
    >>> from sklearn.datasets import load_digits
    >>> from skdyn.autoencoder import LatentEdit, SparseAutoencoder, collect_activations, spliced
    >>> network = torch.nn.Sequential(
    ...     torch.nn.Linear(64, 16), torch.nn.ReLU(), torch.nn.Linear(16, 10)
    ... )
    >>> X = load_digits().data.astype("float32") / 16
    >>> hidden = collect_activations(network, X, "1")
    >>> coder = SparseAutoencoder(32, k=4, max_iter=2, random_state=0).fit(hidden)
    >>> with spliced(network, "1", coder, LatentEdit(scale={5: 0.0}), keep_error=True):
    ...     without = network(torch.tensor(X))
    >>> without.shape
    torch.Size([1797, 10])
    """
    if not isinstance(coder, SparseCoding):
        raise TypeError(
            "coder must be a SparseAutoencoder, a Transcoder, a Crosscoder or a "
            f"CodebookTransformer; got {type(coder).__name__}."
        )
    check_is_fitted(coder)
    with replaced(module, layer, _Splice(layer, coder, edit, keep_error)) as n_runs:
        yield
    if not n_runs[0]:
        warn_user(
            f"Layer {layer!r} did not run while a dictionary was spliced into it: nothing was "
            "changed. Run the module within the block.",
            UserWarning,
        )


class _Splice:
    """What replaces a layer's output."""

    def __init__(self, layer, coder, edit, keep_error):
        self.layer, self.coder, self.edit, self.keep_error = layer, coder, edit, keep_error
        n_components = len(coder.components_)
        if isinstance(edit, LatentEdit):
            if unknown := [latent for latent in edit.latents if latent >= n_components]:
                raise ValueError(
                    f"edit changes latent {unknown[0]}, but there are {n_components} components."
                )
        elif edit is not None and not callable(edit):
            raise TypeError(f"edit must be a LatentEdit, a callable or None; got {edit!r}.")
        self._at = None, None

    def __call__(self, x, y):
        x = y if self.coder._autoencoding else x
        self._check_width(x, self.coder.n_features_in_, "takes")
        self._check_width(y, self.coder.components_.shape[1], "restores")
        if self.edit is None and self.keep_error:
            return y
        coder = self._coder_at(y)
        rows = x.reshape(-1, x.shape[-1]).to(coder.decoder_weight)
        codes = self.coder._infer(coder, rows)
        shape = y.shape[:-1]
        rebuilt = y
        if not self.keep_error:
            rebuilt = self.coder._restored(coder, codes, rows).view(y.shape)
        if self.edit is not None:
            rebuilt = rebuilt + self._moved(coder, codes, shape).view(y.shape)
        return rebuilt.to(y.dtype)

    def _check_width(self, tensor, width, does):
        if tensor.shape[-1] != width:
            raise ValueError(
                f"Layer {self.layer!r} has a tensor of shape {tuple(tensor.shape)}, but the coder "
                f"{does} {width} features, which must be the last axis."
            )

    def _coder_at(self, y) -> Any:
        """Return the coder's module on the layer's device, in float64 where the layer is."""
        dtype = torch.float64 if y.dtype == torch.float64 else torch.float32
        module = in_precision(self.coder.module_, dtype)
        if module.decoder_weight.device == y.device:
            return module
        if self._at[0] is not module:
            self._at = module, copy.deepcopy(module).to(y.device)
        return self._at[1]

    def _moved(self, coder, codes, shape):
        """Return what an edit adds to the layer, row by row."""
        components = coder.decoder_weight / coder.output_scale / coder.unit
        if isinstance(self.edit, LatentEdit):
            latents = torch.tensor(self.edit.latents, dtype=torch.long, device=components.device)
            return self.edit.change(_columns(codes, latents)) @ components[latents]
        dense = codes.dense()
        edited = self.edit(dense.clone().view(*shape, -1))
        if not isinstance(edited, torch.Tensor) or edited.shape != (*shape, dense.shape[1]):
            raise ValueError(
                f"edit must return codes of shape {(*shape, dense.shape[1])}; got "
                f"{tuple(edited.shape) if isinstance(edited, torch.Tensor) else edited!r}."
            )
        return (edited.to(dense).reshape(dense.shape) - dense) @ components


def _columns(codes: Codes, latents: Any) -> torch.Tensor:
    """Return the codes of a few latents, dense, without the others' zeros."""
    support, values = codes
    place = latents.new_full((support.n_components,), -1)
    place[latents] = torch.arange(len(latents), device=latents.device)
    column = place[support.index.long()]
    wanted = column >= 0
    dense = values.new_zeros(support.n_rows, len(latents))
    return dense.index_put((support.rows[wanted].long(), column[wanted]), values[wanted])
