"""A choice of bases: each edge finds out which of them suits it."""

import copy
from typing import Any

import numpy as np
import torch

from skdyn.kan.bases._basis import Basis
from skdyn.kan.bases._scale import unit_scale


class Selectable(Basis):
    """Several bases at once, of which every edge chooses one (S-KAN [1]_).

    While training, an edge is the sum of what it makes of each space, times a gate: the softmax of
    its logits. The functions of a space are scaled so that equal weights give equal variance, lest
    the space with the largest functions win. :meth:`select` then leaves each edge the one space
    that comes closest to that sum; a large gate alone says little beside small weights.

    Parameters
    ----------
    n_in : int
        Number of inputs.
    n_out : int
        Number of outputs; input and output are an edge.
    spaces : list of Basis
        Bases to choose from, each for ``n_in`` inputs.
    extrapolation : {"linear", "constant"}, default="linear"
        How a function goes on outside the range.

    References
    ----------
    .. [1] Z. Yang, J. Zhang, X. Luo, Z. Lu and L. Shen, "Activation Space Selectable
       Kolmogorov-Arnold Networks", arXiv:2408.08338, 2024.
    """

    chosen: torch.Tensor
    scales: torch.Tensor
    spaces: Any  # a list of Basis

    def __init__(self, n_in, n_out, spaces, extrapolation="linear"):
        self._sizes = [space.n_functions for space in spaces]
        super().__init__(n_in, sum(self._sizes), extrapolation)
        self.spaces = torch.nn.ModuleList(spaces)
        self.logits = torch.nn.Parameter(torch.zeros(n_in, len(spaces), n_out))
        self.register_buffer("chosen", torch.full((n_in, n_out), -1))
        self.register_buffer("scales", torch.tensor([unit_scale(space) for space in spaces]))
        self.initial_scale = len(spaces) ** 0.5

    def values_and_slopes(self, x):
        """Evaluate the functions of all spaces and their derivatives inside the range.

        Parameters
        ----------
        x : Tensor of shape (n, n_in)
            Points between ``low`` and ``high``.

        Returns
        -------
        values, slopes : Tensor of shape (n, n_in, n_functions)
        """
        parts = zip(*(space.values_and_slopes(x) for space in self.spaces), strict=True)
        return tuple(torch.cat(part, dim=-1) for part in parts)

    def use_chords(self):
        """Let the functions of all spaces go on along chords, not along tangents."""
        super().use_chords()
        for space in self.spaces:
            space.use_chords()

    def outer_slopes(self):
        """Return the slopes of those chords.

        Returns
        -------
        below, above : Tensor of shape (n_in, n_functions)
        """
        parts = zip(*(space.outer_slopes() for space in self.spaces), strict=True)
        return tuple(torch.cat(part, dim=-1) for part in parts)

    def gates(self):
        """Return the share of each space in each edge.

        Returns
        -------
        Tensor of shape (n_in, n_spaces, n_out)
            Shares that add up to one; one and zeros where an edge has chosen.
        """
        chosen = self.chosen[:, None, :]
        hard = chosen == torch.arange(len(self.spaces), device=chosen.device)[:, None]
        return torch.where(chosen < 0, self.logits.softmax(dim=1), hard.to(self.logits))

    def _factors(self):
        """Return what weights are multiplied by, of shape (n_in, n_functions, n_out)."""
        sizes = torch.tensor(self._sizes, device=self.scales.device)
        return (self.scales[:, None] * self.gates()).repeat_interleave(sizes, dim=1)

    def effective(self, weight):
        """Return the weights times the gates of their spaces, the residual's as they are.

        Parameters
        ----------
        weight : Tensor of shape (n_in, n_functions + 1, n_out)
            The layer's weights.

        Returns
        -------
        Tensor of shape (n_in, n_functions + 1, n_out)
        """
        return torch.cat([weight[:, :-1] * self._factors(), weight[:, -1:]], dim=1)

    @torch.no_grad()
    def adapt(self, x, weight=None):
        """Move the range of each input, and the grids of all spaces, to where the data are.

        Parameters
        ----------
        x : Tensor of shape (n, n_in)
            Data.
        weight : Tensor of shape (n,), default=None
            Weights of the rows; a row of weight two counts as two rows.
        """
        super().adapt(x, weight)
        for space in self.spaces:
            space.adapt(x, weight)

    def mesh(self):
        """Return points that tell any two functions of a space apart.

        Returns
        -------
        Tensor of shape (n_points, n_in)
        """
        return torch.cat([space.mesh() for space in self.spaces]).unique(dim=0)

    @torch.no_grad()
    def fit(self, x, values):
        """Find the weights with which each space by itself comes closest to given values.

        Since gates add up to one, so does the edge.

        Parameters
        ----------
        x : Tensor of shape (n, n_in)
            Points of each input.
        values : Tensor of shape (n, n_in, n_out)
            What the edges should be there, residual left out.

        Returns
        -------
        Tensor of shape (n_in, n_functions, n_out)
        """
        return self._fit_parts(x, [values] * len(self.spaces))

    @torch.no_grad()
    def hand_over(self, old, weight):
        """Find the weights with which each space comes closest to what it was in another basis.

        Parameters
        ----------
        old : Selectable
            A basis of the same spaces on other ranges or grids.
        weight : Tensor of shape (n_in, old.n_functions + 1, n_out)
            Weights there; the residual's stays.

        Returns
        -------
        Tensor of shape (n_in, n_functions, n_out)
        """
        mesh, weight = self.mesh(), weight.double()
        shift = self._shift(old, mesh, weight)
        return self._fit_parts(mesh, [part + shift for part in old._parts(mesh, weight[:, :-1])])

    def _fit_parts(self, x, parts):
        """Find the weights with which each space comes closest to its own values, before gating."""
        spaces = zip(self.spaces, self.scales, parts, strict=True)
        found = [space.fit(x, part).to(x.device) / scale for space, scale, part in spaces]
        return torch.cat(found, dim=1)

    def _parts(self, x, weight):
        """Return what each space makes of each edge before gating, in float64."""
        spaces = zip(self.spaces, self.scales, weight.split(self._sizes, dim=1), strict=True)
        return [
            scale * torch.einsum("nik,ikj->nij", copy.deepcopy(space).double()(x), part)
            for space, scale, part in spaces
        ]

    @torch.no_grad()
    def select(self, weight):
        """Leave each edge the space that comes closest to what the edge has become.

        Parameters
        ----------
        weight : Tensor of shape (n_in, n_functions + 1, n_out)
            The layer's weights.

        Returns
        -------
        Tensor of shape (n_in, n_functions + 1, n_out)
            Weights with which the chosen spaces do so; those of the others are zero.
        """
        mesh = self.mesh()
        parts = torch.stack(self._parts(mesh, weight[:, :-1].double()), dim=2)
        edges = (parts * self.gates()).sum(dim=2)
        found = self.fit(mesh, edges)
        distance = torch.stack(self._parts(mesh, found), dim=2) - edges[:, :, None]
        self.chosen.copy_(distance.square().sum(dim=0).argmin(dim=1))
        return torch.cat([(found * (self._factors() > 0)).to(weight), weight[:, -1:]], dim=1)

    def choices(self):
        """Return the name of each edge's space, the one with the largest gate before the choice.

        Returns
        -------
        ndarray of shape (n_in, n_out)
        """
        names = np.array([type(space).__name__.lower() for space in self.spaces])
        return names[self.gates().argmax(dim=1).cpu().numpy()]

    @torch.no_grad()
    def refined(self, grid_size):
        """Return a basis with finer spaces, gates and choices kept.

        Parameters
        ----------
        grid_size : int
            Number of grid intervals of each space.

        Returns
        -------
        Selectable
        """
        spaces = [space.refined(grid_size) for space in self.spaces]
        new = Selectable(self.n_in, self.logits.shape[-1], spaces, self.extrapolation)
        new = new.to(self.low)
        for name in ("low", "high", "logits", "chosen"):
            new.state_dict()[name].copy_(self.state_dict()[name])
        return new
