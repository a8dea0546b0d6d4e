"""Columns of categories, and numbers that are missing: what edges of the first layer say of them.

An edge from a column of categories is a table: one free value per level. An edge from a column of
numbers is what it is, and where the number is missing the mean of the edge over the training data,
plus a value of its own where training data lacked some. All these values are drawn to zero as
weights are, so that a level seen in few rows says little; an unknown one says what the levels say
on average.
"""

from typing import Any

import torch

from skdyn.kan.bases._range import weighted_quantiles

__all__ = ["Levels"]

_POINTS = 33  # of each column, over which means of edges are taken


class Levels(torch.nn.Module):
    """What a layer adds to its splines for levels of categories and for missing numbers.

    Categories come as numbers from 0; NaN is an unknown one, or a missing number.

    Parameters
    ----------
    n_subnodes : int
        Subnodes of the layer.
    categories : tuple of int
        Number of levels of each input; 0 for numbers.
    missing : tuple of int
        Inputs of numbers some of which were missing in training.

    Attributes
    ----------
    value : Parameter of shape (n_rows, n_subnodes)
        Of each level of each input, then of each missing number.
    mask : Tensor of shape (n_in, n_subnodes)
        Which edges there are.
    at_nan : Tensor of shape (n_rows,)
        Shares of the levels in the training data: they stand for an unknown one. 1 for missing
        numbers.
    typical : Tensor of shape (n_points, n_in)
        Quantiles of the numbers in the training data.
    """

    mask: torch.Tensor
    at_nan: torch.Tensor
    typical: torch.Tensor
    column: torch.Tensor
    code: torch.Tensor
    is_category: torch.Tensor

    def __init__(
        self, n_subnodes: int, categories: tuple[int, ...], missing: tuple[int, ...] = ()
    ) -> None:
        super().__init__()
        n_in = len(categories)
        column = [i for i, count in enumerate(categories) for _ in range(count)] + list(missing)
        code = [float(k) for count in categories for k in range(count)] + [torch.nan] * len(missing)
        self.value = torch.nn.Parameter(torch.zeros(len(column), n_subnodes))
        self.register_buffer("mask", torch.ones(n_in, n_subnodes))
        self.register_buffer("at_nan", torch.tensor([float(k != k) for k in code]))
        self.register_buffer("typical", torch.zeros(_POINTS, n_in))
        # What the sizes say is no state.
        self.register_buffer("column", torch.tensor(column, dtype=torch.int64), persistent=False)
        self.register_buffer("code", torch.tensor(code), persistent=False)
        is_category = torch.tensor([count > 0 for count in categories])
        self.register_buffer("is_category", is_category, persistent=False)

    def indicators(self, x: torch.Tensor) -> torch.Tensor:
        """Return which of the values each row takes.

        Parameters
        ----------
        x : Tensor of shape (n, n_in)
            Inputs.

        Returns
        -------
        Tensor of shape (n, n_rows)
        """
        codes = x[:, self.column]
        return torch.where(codes.isnan(), self.at_nan, (codes == self.code).to(self.at_nan))

    def standing(self) -> torch.Tensor:
        """Return the values of edges that are there.

        Returns
        -------
        Tensor of shape (n_rows, n_subnodes)
        """
        return self.value * self.mask[self.column]

    def numbers(self, x: torch.Tensor) -> torch.Tensor:
        """Return inputs without gaps, for splines: zero where a number is missing, or none at all.

        Parameters
        ----------
        x : Tensor of shape (n, n_in)
            Inputs.

        Returns
        -------
        Tensor of shape (n, n_in)
        """
        return torch.where(x.isnan() | self.is_category, 0.0, x)

    def observed(self, x: torch.Tensor) -> torch.Tensor:
        """Return inputs without gaps, spread as those that are known: for grids and quantiles.

        Parameters
        ----------
        x : Tensor of shape (n, n_in)
            Inputs.

        Returns
        -------
        Tensor of shape (n, n_in)
        """
        turns = self.typical[torch.arange(len(x), device=x.device) % len(self.typical)]
        return torch.where(x.isnan(), turns, self.numbers(x))

    def gaps(self, x: torch.Tensor) -> torch.Tensor:
        """Tell where a number is missing.

        Parameters
        ----------
        x : Tensor of shape (n, n_in)
            Inputs.

        Returns
        -------
        Tensor of shape (n, n_in), bool
        """
        return x.isnan() & ~self.is_category

    @torch.no_grad()
    def look_at(self, x: torch.Tensor, weight: torch.Tensor) -> None:
        """Learn what is typical of training data.

        Parameters
        ----------
        x : Tensor of shape (n, n_in)
            Inputs.
        weight : Tensor of shape (n,)
            Weights of the rows.
        """
        levels = (torch.arange(_POINTS, dtype=torch.float64) + 0.5) / _POINTS
        for i in (~self.is_category).nonzero()[:, 0].tolist():
            known = ~x[:, i].isnan()
            if known.any():
                found = weighted_quantiles(x[known, i][:, None], levels, weight[known])
                self.typical[:, i] = found[:, 0]
        shares = (weight @ self.indicators(x).to(weight)) / weight.sum()
        of_missing = self.code.isnan()
        self.at_nan.copy_(torch.where(of_missing, 1.0, shares))

    @torch.no_grad()
    def take_over(self, other: Any, n_old: int = 0) -> None:
        """Know what another one knows, and take the values of its first subnodes.

        Parameters
        ----------
        other : Levels
            Of the same columns.
        n_old : int, default=0
            How many subnodes.
        """
        self.at_nan.copy_(other.at_nan)
        self.typical.copy_(other.typical)
        self.value[:, :n_old] = other.value[:, :n_old]
