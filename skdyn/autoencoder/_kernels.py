"""Sparse codes, and products that touch their non-zeros alone, forwards and backwards.

Of n rows and m latents, k a row are active. The one dense product left is the encoder's, n x m; all
others cost k / m of theirs. They are sums of rows that ``embedding_bag`` gathers: by row for the
decoder, by latent, after a sort of the latents' numbers, for the gradients of the weights.
"""

from functools import cached_property
from typing import Any, NamedTuple, Self

import torch
from torch.nn.functional import embedding_bag

from skdyn.training._devices import counted, is_near

__all__ = ["Codes", "Support", "decode", "encode_at", "marked"]

_SHORT = 2**15  # below it numbers fit 16 bits, which sort by radix in half the passes
_TINY = 1e-30  # squared norm of a row of zeros, which has no tangent
_CROWDED = 0.1  # share of non-zeros above which dense products are the faster ones


class Support:
    """Which latents are active in which row, in row-compressed form.

    Parameters
    ----------
    index : Tensor of shape (n_active,)
        Numbers of the active latents, row after row.
    offsets : Tensor of shape (n_rows + 1,)
        Where each row begins in ``index``, and its end.
    n_components : int
        Number of latents.
    """

    def __init__(self, index: torch.Tensor, offsets: torch.Tensor, n_components: int) -> None:
        self.index = index.to(torch.int32)
        self.offsets = offsets.to(torch.int32)
        self.n_components = n_components

    @classmethod
    def of_columns(cls, columns: torch.Tensor, n_components: int) -> Self:
        """Return the support with the same number of latents in each row.

        Parameters
        ----------
        columns : Tensor of shape (n_rows, k)
            Active latents of each row.
        n_components : int
            Number of latents.

        Returns
        -------
        Support
        """
        n, k = columns.shape
        offsets = torch.arange(0, n * k + 1, max(k, 1), device=columns.device)
        return cls(columns.reshape(-1), offsets if k else offsets.new_zeros(n + 1), n_components)

    @classmethod
    def of_mask(cls, mask: torch.Tensor) -> Self:
        """Return the support that a mask marks.

        Parameters
        ----------
        mask : Tensor of bool, shape (n_rows, n_components)
            Whether a latent is active.

        Returns
        -------
        Support
        """
        rows, index = mask.nonzero(as_tuple=True)
        return cls(index, _starts(rows, len(mask)), mask.shape[1])

    @classmethod
    def of_sorted_entries(cls, flat: torch.Tensor, n_rows: int, n_components: int) -> Self:
        """Return the support of entries of the dense matrix, numbered row after row.

        Parameters
        ----------
        flat : Tensor of shape (n_active,)
            Entries, in order.
        n_rows, n_components : int
            Shape of the matrix.

        Returns
        -------
        Support
        """
        rows = torch.div(flat, n_components, rounding_mode="floor")
        return cls(flat - rows * n_components, _starts(rows, n_rows), n_components)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.offsets) - 1

    @cached_property
    def rows(self) -> torch.Tensor:
        """Row of each active latent, shape (n_active,)."""
        numbers = torch.arange(self.n_rows, dtype=torch.int32, device=self.index.device)
        return numbers.repeat_interleave(self.offsets.diff(), output_size=len(self.index))

    @cached_property
    def _entries(self):
        return self.rows.long() * self.n_components + self.index

    @cached_property
    def counts(self) -> torch.Tensor:
        """Number of rows in which each latent is active, shape (n_components,)."""
        return counted(self.index, self.n_components)

    @cached_property
    def by_latent(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Order that sorts the entries by latent, and where each latent begins in it."""
        starts = torch.nn.functional.pad(self.counts.cumsum(0), (1, 0))
        key = _short(self.index, self.n_components)
        return torch.sort(key, stable=True).indices, starts.int()

    @property
    def crowded(self) -> bool:
        """Whether so many entries are active that dense products are faster."""
        return len(self.index) > _CROWDED * self.n_rows * self.n_components

    def gather(self, dense: torch.Tensor) -> torch.Tensor:
        """Return the entries of a dense matrix at the support.

        Parameters
        ----------
        dense : Tensor of shape (n_rows, n_components)
            The matrix.

        Returns
        -------
        Tensor of shape (n_active,)
        """
        return dense.flatten().index_select(0, self._entries)

    def scatter(self, values: torch.Tensor) -> torch.Tensor:
        """Return the dense matrix with values at the support and zeros elsewhere.

        Parameters
        ----------
        values : Tensor of shape (n_active,)
            The values.

        Returns
        -------
        Tensor of shape (n_rows, n_components)
        """
        dense = values.new_zeros(self.n_rows * self.n_components)
        return dense.index_put((self._entries,), values).view(self.n_rows, self.n_components)

    def sum_by_row(self, values: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
        """Return for each row the sum of its latents' rows of a matrix, weighted by values.

        Parameters
        ----------
        values : Tensor of shape (n_active,)
            Weights.
        matrix : Tensor of shape (n_components, n_columns)
            Summands.

        Returns
        -------
        Tensor of shape (n_rows, n_columns)
        """
        if self.crowded:
            return self.scatter(values) @ matrix
        return _bag(self.index, self.offsets, values, matrix)

    def sum_by_latent(self, values: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
        """Return for each latent the sum of the rows of a matrix where it is active, weighted.

        Parameters
        ----------
        values : Tensor of shape (n_active,)
            Weights.
        matrix : Tensor of shape (n_rows, n_columns)
            Summands.

        Returns
        -------
        Tensor of shape (n_components, n_columns)
        """
        if self.crowded:
            return self.scatter(values).T @ matrix
        order, starts = self.by_latent
        rows, values = self.rows.index_select(0, order), values.index_select(0, order)
        return _bag(rows, starts, values, matrix)

    def products(self, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        """Return the scalar products of rows and latents at the support.

        Parameters
        ----------
        left : Tensor of shape (n_rows, n_columns)
            Vectors of the rows.
        right : Tensor of shape (n_components, n_columns)
            Vectors of the latents.

        Returns
        -------
        Tensor of shape (n_active,)
        """
        if self.crowded:
            return self.gather(left @ right.T)
        # The gradient of embedding_bag by its weights is this very product.
        return torch.ops.aten._embedding_bag_per_sample_weights_backward(
            left, right, self.index, self.offsets, self.rows, 0, -1
        )


class Codes(NamedTuple):
    """Sparse codes: a support and the values there.

    Attributes
    ----------
    support : Support
        Which latents are active in which row.
    values : Tensor of shape (n_active,)
        How much.
    """

    support: Support
    values: torch.Tensor

    @classmethod
    def of_mask(cls, mask: torch.Tensor, dense: torch.Tensor) -> Self:
        """Return the entries of a dense matrix that a mask marks.

        Parameters
        ----------
        mask : Tensor of bool, shape (n_rows, n_components)
            Whether a latent is active.
        dense : Tensor of shape (n_rows, n_components)
            Values.

        Returns
        -------
        Codes
        """
        return cls(Support.of_mask(mask), dense[mask])

    @classmethod
    def of_pairs(
        cls,
        rows: torch.Tensor,
        index: torch.Tensor,
        values: torch.Tensor,
        n_rows: int,
        n_components: int,
    ) -> Self:
        """Return the codes of pairs of a row and a latent.

        Parameters
        ----------
        rows, index : Tensor of shape (n_active,)
            The pairs, in any order.
        values : Tensor of shape (n_active,)
            Their values.
        n_rows, n_components : int
            How many rows and latents there are.

        Returns
        -------
        Codes
        """
        order = torch.sort(_short(rows, n_rows), stable=True).indices
        index, values = index.index_select(0, order), values.index_select(0, order)
        return cls(Support(index, _starts(rows, n_rows), n_components), values)

    def dense(self) -> torch.Tensor:
        """Return the codes with their zeros.

        Returns
        -------
        Tensor of shape (n_rows, n_components)
        """
        return self.support.scatter(self.values)

    def between(self, first: int, end: int) -> "Codes":
        """Return the codes of a range of latents; the others count as inactive.

        Parameters
        ----------
        first, end : int
            The first latent that stays, and the first one after them.

        Returns
        -------
        Codes
        """
        return self.where((self.support.index >= first) & (self.support.index < end))

    def where(self, keep: torch.Tensor) -> "Codes":
        """Return the codes without some entries.

        Parameters
        ----------
        keep : Tensor of bool, shape (n_active,)
            Whether an entry stays.

        Returns
        -------
        Codes
        """
        old = self.support
        offsets = torch.nn.functional.pad(keep.cumsum(0), (1, 0))[old.offsets]
        return Codes(Support(old.index[keep], offsets, old.n_components), self.values[keep])


def encode_at(
    x: torch.Tensor,
    weight: torch.Tensor,
    bias: torch.Tensor,
    support: Support,
    *,
    shift: torch.Tensor | None = None,
    values: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return the pre-activations at a support, ``(x - shift) @ weight.T + bias``.

    Parameters
    ----------
    x : Tensor of shape (n_rows, n_features)
        Inputs.
    weight : Tensor of shape (n_components, n_features)
        Encoder.
    bias : Tensor of shape (n_components,)
        Its bias.
    support : Support
        Where to compute them.
    shift : Tensor of shape (n_features,) or None, default=None
        Taken from every row first.
    values : Tensor of shape (n_active,) or None, default=None
        The answer, where it is known already and only gradients are wanted.

    Returns
    -------
    Tensor of shape (n_active,)
    """
    return _EncodeAt.apply(x, shift, weight, bias, support, values)


def decode(codes: Codes, weight: torch.Tensor, *, tangent: bool = False) -> torch.Tensor:
    """Return the product of sparse codes and a dense matrix.

    Parameters
    ----------
    codes : Codes
        Codes of n_rows rows.
    weight : Tensor of shape (n_components, n_outputs)
        Decoder.
    tangent : bool, default=False
        Whether the gradient of the decoder is to leave out what would only change the norms of its
        rows. What that is the gradient of the codes has told already.

    Returns
    -------
    Tensor of shape (n_rows, n_outputs)
    """
    return _Decode.apply(codes.values, weight, codes.support, tangent)


class _EncodeAt(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, shift, weight, bias, support, values):
        x = x if shift is None else x - shift
        ctx.save_for_backward(x, weight)
        ctx.support = support
        if values is None:
            return support.products(x, weight) + bias[support.index]
        return values.clone()

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        (gradient,) = grad_outputs
        x, weight = ctx.saved_tensors
        support, gradient = ctx.support, gradient.contiguous()
        to_bias = torch.zeros_like(weight[:, 0]).index_add_(0, support.index, gradient)
        return (
            support.sum_by_row(gradient, weight) if ctx.needs_input_grad[0] else None,
            -(to_bias @ weight) if ctx.needs_input_grad[1] else None,
            support.sum_by_latent(gradient, x),
            to_bias,
            None,
            None,
        )


class _Decode(torch.autograd.Function):
    @staticmethod
    def forward(ctx, values, weight, support, tangent):
        ctx.save_for_backward(values, weight)
        ctx.support, ctx.tangent = support, tangent
        return support.sum_by_row(values, weight)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        (gradient,) = grad_outputs
        values, weight = ctx.saved_tensors
        support, gradient = ctx.support, gradient.contiguous()
        to_values = to_weight = None
        if ctx.needs_input_grad[0] or ctx.tangent:
            to_values = support.products(gradient, weight)
        if ctx.needs_input_grad[1]:
            to_weight = support.sum_by_latent(values, gradient)
            if ctx.tangent:
                along = torch.zeros_like(weight[:, 0])
                along.index_add_(0, support.index, values * to_values)
                along /= torch.linalg.vector_norm(weight, dim=1).square_().clamp_min_(_TINY)
                to_weight.addcmul_(along[:, None], weight, value=-1.0)
        return to_values, to_weight, None, None


def _bag(index, offsets, values, matrix):
    return embedding_bag(
        index, matrix, offsets, mode="sum", per_sample_weights=values, include_last_offset=True
    )


def _short(numbers, bound):
    return numbers.short() if bound <= _SHORT else numbers.int()


def _starts(rows, n_rows):
    return torch.nn.functional.pad(counted(rows, n_rows).cumsum(0), (1, 0))


def marked(mask: torch.Tensor, n: int) -> torch.Tensor:
    """Return the places that a mask marks, of which the number is known.

    Parameters
    ----------
    mask : Tensor of bool, shape (n_places,)
        The mask.
    n : int
        How many places it marks.

    Returns
    -------
    Tensor of shape (n,)
        In order.
    """
    if is_near(mask):
        return mask.nonzero().squeeze(1)
    return mask.logical_not().byte().sort(stable=True).indices[:n]
