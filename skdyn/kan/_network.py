"""The network: layers in a row, and what is asked of them together."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import torch

from skdyn.kan._constraints import edge_rules
from skdyn.kan._layer import KANLayer, through
from skdyn.kan._levels import Levels
from skdyn.kan._symbolic_edge import SymbolicEdge


class KAN(torch.nn.Module):
    """Layers of edge functions in a row.

    Parameters
    ----------
    layer_sizes : tuple of int or (int, int)
        Nodes of each layer, inputs first: a number of sums, or numbers of sums and products.
    basis : str, default="bspline"
        Functions of an edge, see :mod:`skdyn.kan.bases`.
    grid_size : int, default=5
        Intervals of the grid.
    spline_order : int, default=3
        Degree of the splines; every basis has ``grid_size + spline_order`` functions.
    extrapolation : {"linear", "constant"}, default="linear"
        How the functions go on outside the range of their input.
    symbolic : tuple of (int, int, int, str), default=()
        Edges given in closed form: layer, input, node, name of the function.
    monotone : tuple of int, default=()
        1 for inputs in which the outputs may only rise, -1 where they may only fall, else 0.
    opposed : bool, default=False
        Whether of two outputs the first falls where the second rises.
    groups : tuple of tuple of int, default=()
        Inputs that may interact: hidden nodes are shared out over the groups.
    categories : tuple of int, default=()
        Number of levels of each input, 0 for numbers; empty where all are numbers.
    missing : tuple of int, default=()
        Numbers of inputs that have a value of their own where they are NaN.

    Examples
    --------
    >>> import torch
    >>> from skdyn.kan.layers import KAN
    >>> net = KAN((2, (3, 1), 1))
    >>> net(torch.zeros(7, 2)).shape
    torch.Size([7, 1])
    """

    layers: Any  # a list of KANLayer

    def __init__(
        self,
        layer_sizes: tuple[int | tuple[int, int], ...],
        basis: str = "bspline",
        grid_size: int = 5,
        spline_order: int = 3,
        extrapolation: str = "linear",
        symbolic: tuple[tuple[int, int, int, str], ...] = (),
        monotone: tuple[int, ...] = (),
        opposed: bool = False,
        groups: tuple[tuple[int, ...], ...] = (),
        categories: tuple[int, ...] = (),
        missing: tuple[int, ...] = (),
    ) -> None:
        super().__init__()
        if len(layer_sizes) < 2:
            raise ValueError(
                f"layer_sizes must name inputs and outputs at least; got {layer_sizes!r}."
            )
        sizes = [_as_pair(size) for size in layer_sizes]
        self.plan: dict[str, Any] = {
            "layer_sizes": (*sizes,),
            "basis": basis,
            "grid_size": grid_size,
            "spline_order": spline_order,
            "extrapolation": extrapolation,
        }
        rules = {
            "monotone": monotone, "opposed": opposed, "groups": groups,
            "categories": categories, "missing": missing,
        }  # fmt: skip
        self.plan |= {name: value for name, value in rules.items() if value}
        widths = [n_sum + n_mult for n_sum, n_mult in sizes]
        self.layers = torch.nn.ModuleList(
            KANLayer(n_in, n_sum, n_mult, basis, grid_size, spline_order, extrapolation)
            for n_in, (n_sum, n_mult) in zip(widths[:-1], sizes[1:], strict=True)
        )
        # Inputs of the others leave their grids while they are learned, and smoothness counts.
        self.layers[0].basis.use_chords()
        if categories or missing:
            counts = categories or (0,) * widths[0]
            self.layers[0].take_levels(Levels(self.layers[0].n_subnodes, counts, missing))
        if monotone or groups:
            for layer, rule in zip(
                self.layers, edge_rules(sizes, monotone, groups, opposed), strict=True
            ):
                layer.constrain(rule.allowed, rule.sign if monotone else None)
        for depth, i, j, name in symbolic:
            self.layers[depth].symbolic[f"{i}_{j}"] = SymbolicEdge(name)

    def check_edge(self, layer: int, i: int, j: int) -> None:
        """Refuse an edge that is not there.

        Parameters
        ----------
        layer, i, j : int
            Its layer, input and node.

        Raises
        ------
        ValueError
            If there is none.
        """
        layers = self.layers
        if not 0 <= layer < len(layers):
            raise ValueError(f"layer={layer} does not exist; the network has {len(layers)} layers.")
        n_in, n_subnodes = layers[layer].n_in, layers[layer].n_subnodes
        if not (0 <= i < n_in and 0 <= j < n_subnodes):
            raise ValueError(
                f"Layer {layer} has {n_in} inputs (i) and {n_subnodes} subnodes (j); got i={i}, "
                f"j={j}."
            )

    def config(self) -> dict[str, Any]:
        """Return the arguments that build a network of this shape.

        Returns
        -------
        dict of str to object
        """
        symbolic = tuple(
            (depth, *map(int, place.split("_")), edge.name)
            for depth, layer in enumerate(self.layers)
            for place, edge in layer.symbolic.items()
        )
        return self.plan | {"symbolic": symbolic}

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return parameters and rates: the more edges enter a node, the less each of them moves.

        Returns
        -------
        list of dict
        """
        return [
            {"params": list(layer.parameters()), "rate": 1 / layer.width} for layer in self.layers
        ]

    def redraw(self, generator: torch.Generator) -> None:
        """Begin again with other weights.

        Parameters
        ----------
        generator : torch.Generator
            Their source.
        """
        for layer in self.layers:
            layer.redraw(generator)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Apply the layers.

        Parameters
        ----------
        x : Tensor of shape (..., n_inputs)
            Inputs.

        Returns
        -------
        Tensor of shape (..., n_outputs)
        """
        for layer in self.layers:
            x = layer(x)
        return x

    def multiply_adds(self, shape: tuple[int, ...]) -> int:
        """Count the multiply-adds of a pass over a batch of this shape.

        Parameters
        ----------
        shape : tuple of int
            ``(n, n_features)``.

        Returns
        -------
        int
        """
        return shape[0] * sum(
            layer.n_in * layer.n_subnodes * (layer.basis.n_at_a_point + 1) for layer in self.layers
        )

    def inputs(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Return what each layer gets to see.

        Parameters
        ----------
        x : Tensor of shape (n, n_features)
            Inputs of the network.

        Returns
        -------
        list of Tensor of shape (n, n_in)
        """
        seen = [x]
        for layer in self.layers[:-1]:
            seen.append(layer(seen[-1]))
        return seen

    def tidy(self) -> None:
        """Bring steps of edges that rise or fall back to zero, where learning went below."""
        for layer in self.layers:
            layer.tidy()

    @torch.no_grad()
    def adapt(
        self,
        x: torch.Tensor,
        weight: torch.Tensor | None = None,
        only_strayed: bool = False,
        known: bool = False,
    ) -> bool:
        """Move every layer's grids to where its inputs are.

        Parameters
        ----------
        x : Tensor of shape (..., n_inputs)
            Inputs of the network.
        weight : Tensor of shape (n,), default=None
            Weights of the rows.
        only_strayed : bool, default=False
            Whether layers stay as they are whose inputs still lie on their grids and fill them:
            what was learned on one grid is not quite what another can say.
        known : bool, default=False
            Whether these are the rows that the grids of the first layer follow already.

        Returns
        -------
        bool
            Whether any of them moved.
        """
        moved = False
        for layer in self.layers:
            rests = known and layer is self.layers[0]
            if not rests and (not only_strayed or layer.has_strayed(x, weight)):
                moved = layer.adapt(x, weight) or moved
            if layer is not self.layers[-1]:
                x = through(layer, x)
        return moved

    def adopt(self, other: KAN) -> None:
        """Become another network on the same inputs and outputs, in place.

        Parameters
        ----------
        other : KAN
            The network; it is to be forgotten.
        """
        self.layers, self.plan = other.layers, other.plan

    @torch.no_grad()
    def refine(self, grid_size: int) -> None:
        """Take finer grids, the function staying what it is.

        Parameters
        ----------
        grid_size : int
            The new size.
        """
        for layer in self.layers:
            layer.refine(grid_size)
        self.plan["grid_size"] = grid_size


def _as_pair(size: Any) -> tuple[int, int]:
    """Return numbers of sums and products; a number alone is one of sums."""
    return (int(size), 0) if isinstance(size, Integral) else (size[0], size[1])
