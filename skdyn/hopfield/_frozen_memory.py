"""One frozen memory: compare queries with stored patterns, average values by the weights.

The matrix of weights, one row a query, is never whole in memory: it is walked over in chunks.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple, Self

import torch

from skdyn.hopfield._retrieval import row_chunks
from skdyn.hopfield._separations import SEPARATIONS, Separation

__all__ = ["FrozenMemory", "Retrieved", "Scored"]

_BLOCK = 8192  # patterns
_BLOCK_OF_SCORES = 2**20  # numbers
_OF_DISTANCES = ("euclidean", "distance")


class Retrieved(NamedTuple):
    """The patterns of the largest weights of each query.

    Attributes
    ----------
    indices : Tensor of shape (n_queries, n_top)
        Which patterns, by falling weight.
    weights : Tensor of shape (n_queries, n_top)
        Their weights.
    """

    indices: torch.Tensor
    weights: torch.Tensor


class Scored(NamedTuple):
    """Scores of some queries.

    Attributes
    ----------
    rows : slice
        Which queries.
    found : Tensor of int64 of shape (n_rows, n_candidates) or None
        Which patterns an index found, -1 where there were no more; None is all of them.
    scores : Tensor of shape (n_rows, n_candidates or n_patterns)
        Scores, sharpness and all; each query's best is zero. The next chunk overwrites them.
    """

    rows: slice
    found: torch.Tensor | None
    scores: torch.Tensor


@dataclass(frozen=True, eq=False)
class FrozenMemory:
    """Stored patterns and how they are looked up, made once and never changed.

    Any positive sharpness gives finite answers, from the mean of all patterns to the best alone.

    Parameters
    ----------
    keys : Tensor of shape (n_patterns, n_features)
        What queries are compared with.
    values : Tensor of shape (n_patterns, n_values) or None, default=None
        What is read out; None is the keys themselves.
    mass : Tensor of shape (n_patterns,) or None, default=None
        How many times each pattern is there, positive; None is once.
    sharpness : float, default=1.0
        Inverse temperature, by which similarities are multiplied.
    similarity : {"euclidean", "distance", "dot", "cosine"}, default="euclidean"
        See :func:`skdyn.hopfield._retrieval.scores`; "distance" is minus the distance itself.
    separation : Separation, default=EntmaxSeparation(alpha=1.0)
        From scores to weights.
    index : FaissIndex or None, default=None
        Compare queries with the candidates that it finds, not with all patterns. The others have
        no weight.
    """

    keys: torch.Tensor
    values: torch.Tensor | None = None
    mass: torch.Tensor | None = None
    sharpness: float = 1.0
    similarity: str = "euclidean"
    separation: Separation = SEPARATIONS["softmax"]
    index: Any = None

    def __len__(self) -> int:
        return len(self.keys)

    def to(self, like: torch.Tensor) -> Self:
        """Return this memory in the precision and on the device of a tensor.

        Parameters
        ----------
        like : Tensor
            The tensor.

        Returns
        -------
        FrozenMemory
            With the same index.
        """
        arrays = (self.keys, self.values, self.mass)
        moved = [None if array is None else array.to(like) for array in arrays]
        if all(new is old for new, old in zip(moved, arrays)):
            return self
        keys, values, mass = moved
        other = replace(self, keys=keys, values=values, mass=mass)
        if self.index is not None:
            vars(other)["built"] = self.built
        return other

    # -- made when first asked for -----------------------------------------------------------------

    @cached_property
    def built(self) -> Any:
        """What the index made of the keys."""
        similarity = "euclidean" if self.similarity in _OF_DISTANCES else self.similarity
        return self.index.build(self.keys, similarity)

    @cached_property
    def directions(self) -> torch.Tensor:
        """The keys as they are multiplied with queries."""
        if self.similarity != "cosine":
            return self.keys
        return torch.nn.functional.normalize(self.keys, dim=1)

    @cached_property
    def halves(self) -> torch.Tensor:
        """Halves of the squared lengths of the keys."""
        parts = row_chunks(len(self), self.keys.shape[1], self.keys.element_size())
        return torch.cat([self.keys[part].square().sum(dim=1) / 2 for part in parts])

    @cached_property
    def squares(self) -> torch.Tensor:
        """Halves of the squares of the keys."""
        return self.keys.square() / 2

    @cached_property
    def _masses(self):
        """What is summed by exponentials: values and ones, times mass."""
        assert self.values is not None
        mass = self.values.new_ones(len(self.values)) if self.mass is None else self.mass
        return torch.column_stack([self.values * mass[:, None], mass])

    # -- answers -----------------------------------------------------------------------------------

    @torch.no_grad()
    def score_chunks(
        self,
        queries: torch.Tensor,
        *,
        known: torch.Tensor | None = None,
        exclude: torch.Tensor | None = None,
    ) -> Iterator[Scored]:
        """Yield scores, a chunk of queries at a time.

        Parameters
        ----------
        queries : Tensor of shape (n_queries, n_features)
            States; zero where they are not known.
        known : Tensor of shape (n_queries, n_features) or None, default=None
            Ones where queries are known, else zeros; None is all. An index does not serve those
            with gaps.
        exclude : Tensor of int64 of shape (n_queries,) or (n_queries, n_excluded), default=None
            A pattern that each query must not see, such as itself, or several. At least one must
            remain. Several, an index does not leave out.

        Yields
        ------
        Scored
        """
        if self.similarity == "cosine":
            queries = torch.nn.functional.normalize(queries, dim=1)
        sharpness = min(self.sharpness, torch.finfo(self.keys.dtype).max)
        few = self.index is not None and known is None
        for scored in (self._few if few else self._all)(queries, known, exclude):
            z = scored.scores
            if self.similarity == "distance":
                halves = queries[scored.rows].square().sum(dim=1, keepdim=True) / 2
                z.sub_(halves).clamp_(max=0).mul_(-2).sqrt_().neg_()
            z.sub_(z.amax(dim=1, keepdim=True))  # before beta: zero stays zero, the rest may
            z.mul_(sharpness)  # overflow
            yield scored

    def _all(self, queries, known, exclude):
        keys, buffer = self.directions, None
        for rows in row_chunks(len(queries), len(keys), keys.element_size()):
            if buffer is None:
                buffer = keys.new_empty(rows.stop, len(keys))
            z = torch.mm(queries[rows], keys.T, out=buffer[: rows.stop - rows.start])
            if self.similarity in _OF_DISTANCES:
                z.sub_(self.halves if known is None else known[rows] @ self.squares.T)
            if exclude is not None:
                z.scatter_(1, _as_columns(exclude[rows]), -torch.inf)
            yield Scored(rows, None, z)

    def _few(self, queries, known, exclude):
        n_candidates = min(self.index.n_candidates + (exclude is not None), len(self))
        numbers = n_candidates * (self.keys.shape[1] + 1)
        for rows in row_chunks(len(queries), numbers, self.keys.element_size()):
            but = None if exclude is None else exclude[rows]
            found = self.index.search(self.built, queries[rows], n_candidates, but)
            near = self.directions[found]
            z = torch.einsum("bf,bkf->bk", queries[rows], near)
            if self.similarity in _OF_DISTANCES:
                z -= near.square().sum(dim=2) / 2
            yield Scored(rows, found, z.masked_fill_(found < 0, -torch.inf))

    @torch.no_grad()
    def weight_chunks(self, queries: torch.Tensor, **how: Any) -> Iterator[Scored]:
        """Yield weights of sum one in the place of scores.

        Parameters
        ----------
        queries : Tensor of shape (n_queries, n_features)
            States.
        **how
            ``known``, ``exclude`` of :meth:`score_chunks`.

        Yields
        ------
        Scored
        """
        for rows, found, z in self.score_chunks(queries, **how):
            yield Scored(rows, found, self.separation.weights(z, self._mass_of(found)))

    def _mass_of(self, found):
        return self.mass if self.mass is None or found is None else self.mass[found]

    def means(self, queries: torch.Tensor, **how: Any) -> torch.Tensor:
        """Return the mean of the values by the weights of each query.

        Parameters
        ----------
        queries : Tensor of shape (n_queries, n_features)
            States.
        **how
            ``known``, ``exclude`` of :meth:`score_chunks`.

        Returns
        -------
        Tensor of shape (n_queries, n_values)
        """
        values = self.keys if self.values is None else self.values
        means = values.new_empty(len(queries), values.shape[1])
        soft = self.values is not None and self.separation == SEPARATIONS["softmax"]
        for rows, found, z in self.score_chunks(queries, **how):
            if soft and found is None:  # divide what is read out, not the weights
                sums = _exponentials(z) @ self._masses
                torch.div(sums[:, :-1], sums[:, -1:], out=means[rows])
                continue
            weights = self.separation.weights(z, self._mass_of(found))
            if found is None:
                torch.mm(weights, values, out=means[rows])
            else:
                means[rows] = (weights[:, None] @ values[found])[:, 0]
        return means

    def sums(self, queries: torch.Tensor) -> torch.Tensor:
        """Return sums of the values, and of ones, by exponentials that are not divided by theirs.

        Each is the exponential of a score of its own, not of a difference from the best.

        Parameters
        ----------
        queries : Tensor of shape (n_queries, n_features)
            States.

        Returns
        -------
        Tensor of shape (n_queries, n_values + 1)
        """
        sums = self._masses.new_empty(len(queries), self._masses.shape[1])
        for rows, found, z in self.score_chunks(queries):
            best = z.argmax(dim=1)
            best = best if found is None else found.gather(1, best[:, None])[:, 0]
            away = (queries[rows] - self.keys[best]).square().sum(dim=1, keepdim=True)
            away = away.sqrt() if self.similarity == "distance" else away / 2
            powers = _exponentials(z)
            if found is None:
                torch.mm(powers, self._masses, out=sums[rows])
            else:
                sums[rows] = (powers[:, None] @ self._masses[found])[:, 0]
            sums[rows] *= (-self.sharpness * away).exp()
        return sums

    def means_by_beta(
        self, queries: torch.Tensor, betas: list[float], exclude: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return the means at several inverse temperatures from scores that are computed once.

        Parameters
        ----------
        queries : Tensor of shape (n_queries, n_features)
            States.
        betas : list of float
            By what the sharpness is multiplied, each more than the one before.
        exclude : Tensor of int64 of shape (n_queries,) or (n_queries, n_excluded), default=None
            The pattern that each query must not see, or several.

        Returns
        -------
        Tensor of shape (n_betas, n_queries, n_values)
        """
        sums, _ = self.sums_by_beta(queries, betas, exclude)
        return sums[..., :-1] / sums[..., -1:]

    @torch.no_grad()
    def sums_by_beta(
        self, queries: torch.Tensor, betas: list[float], exclude: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what :meth:`means_by_beta` divides, and which pattern is most like each query.

        Parameters
        ----------
        queries, betas, exclude : object
            See :meth:`means_by_beta`.

        Returns
        -------
        sums : Tensor of shape (n_betas, n_queries, n_values + 1)
            Sums of the values, and of ones, by weights up to a factor of the query: under softmax
            the best pattern's is one.
        best : Tensor of int64 of shape (n_queries,)
        """
        sums = self.keys.new_zeros(len(betas), len(queries), self._masses.shape[1])
        best = torch.empty(len(queries), dtype=torch.int64, device=queries.device)
        if self.separation == SEPARATIONS["softmax"] and len(self) > _BLOCK:
            self._add_in_blocks(sums, best, queries, betas, exclude)
        else:
            for rows, _, z in replace(self, index=None).score_chunks(queries, exclude=exclude):
                best[rows] = z.argmax(dim=1)
                for i, share in enumerate(self.separation.shares_by_beta(z, self.mass, betas)):
                    torch.mm(share, self._masses, out=sums[i, rows])
        return sums, best

    def _add_in_blocks(self, sums, best, queries, betas, exclude):
        """Sum exponentials over blocks of patterns that the processor's cache holds.

        Two products cost less than rows of weights that go to memory and back at every beta.
        """
        for part in _few_rows(len(queries)):
            asked = queries[part], None if exclude is None else exclude[part]
            top = queries.new_full((len(queries[part]),), -torch.inf)
            for block, z in self._blocks(*asked):
                top = _raised(top, best[part], block, z)
            for block, z in self._blocks(*asked):
                z.sub_(top[:, None]).mul_(self.sharpness)
                for i, share in enumerate(self.separation.shares_by_beta(z, None, betas)):
                    added = share @ self._masses[block]
                    if not added.any():  # nor at any larger beta
                        break
                    sums[i, part] += added

    def _blocks(self, queries, exclude):
        """Yield scores without sharpness, a block of patterns at a time, the next in its place."""
        if self.similarity == "cosine":
            queries = torch.nn.functional.normalize(queries, dim=1)
        buffer = queries.new_empty(len(queries) * _BLOCK)
        for start in range(0, len(self), _BLOCK):
            block = slice(start, min(start + _BLOCK, len(self)))
            z = buffer[: len(queries) * (block.stop - start)].view(len(queries), -1)
            torch.mm(queries, self.directions[block].T, out=z)
            if self.similarity == "euclidean":
                z.sub_(self.halves[block])
            if exclude is not None:
                columns = _as_columns(exclude)
                here = (columns >= block.start) & (columns < block.stop)
                z[here.nonzero()[:, 0], columns[here] - block.start] = -torch.inf
            yield block, z

    @torch.no_grad()
    def energies(self, queries: torch.Tensor, **how: Any) -> torch.Tensor:
        """Return the energies of queries, half their squared distance from a single pattern.

        Scores are differences from each query's best, whose distance nothing cancels in.

        Parameters
        ----------
        queries : Tensor of shape (n_queries, n_features)
            States.
        **how
            ``known``, ``exclude`` of :meth:`score_chunks`.

        Returns
        -------
        Tensor of shape (n_queries,)
        """
        energies = queries.new_empty(len(queries))
        known, soft = how.get("known"), self.separation == SEPARATIONS["softmax"]
        whole = self.index is None and known is None and self.similarity != "distance"
        in_blocks = soft and whole and len(self) > _BLOCK
        parts = self._potentials_in_blocks if in_blocks else self._potentials
        for rows, best, potential in parts(queries, **how):
            q = queries[rows]
            if self.similarity == "euclidean":
                away = (q - self.keys[best]).square()
                away = away if known is None else away.mul_(known[rows])
                rest = away.sum(dim=1) / 2
            else:
                rest = q.square().sum(dim=1) / 2 - (q * self.directions[best]).sum(dim=1)
            energies[rows] = rest - potential / self.sharpness
        return energies

    def _potentials(self, queries, **how):
        """Yield the best pattern of some queries and the potential of differences from it."""
        for rows, found, z in self.score_chunks(queries, **how):
            best = z.argmax(dim=1)
            best = best if found is None else found.gather(1, best[:, None])[:, 0]
            mass = self._mass_of(found)
            if self.separation != SEPARATIONS["softmax"]:
                yield rows, best, self.separation.potential(z, mass)
                continue
            z = _exponentials(z)
            if mass is None:
                sums = z.sum(dim=1)
            else:
                sums = z @ mass if found is None else (z * mass).sum(dim=1)
            yield rows, best, sums.log()

    def _potentials_in_blocks(self, queries, known=None, exclude=None):
        """Yield the same of softmax, from blocks of patterns that the processor's cache holds."""
        sharpness = min(self.sharpness, torch.finfo(self.keys.dtype).max)
        for part in _few_rows(len(queries)):
            q = queries[part]
            top, sums = q.new_full((len(q),), -torch.inf), q.new_zeros(len(q))
            best = torch.zeros(len(q), dtype=torch.int64, device=q.device)
            for block, z in self._blocks(q, None if exclude is None else exclude[part]):
                higher = _raised(top, best, block, z)
                sums *= _exponentials((top - higher).mul_(sharpness))
                z = _exponentials(z.sub_(higher[:, None]).mul_(sharpness))
                sums += z.sum(dim=1) if self.mass is None else z @ self.mass[block]
                top = higher
            yield part, best, sums.log()

    def nearest(self, queries: torch.Tensor, n_nearest: int) -> Retrieved:
        """Return the patterns of the largest weights.

        Parameters
        ----------
        queries : Tensor of shape (n_queries, n_features)
            States.
        n_nearest : int
            How many a query; at most all, or all candidates.

        Returns
        -------
        Retrieved
            Where an index finds fewer, the rest are -1, without weight.
        """
        n_nearest = min(n_nearest, len(self))
        if self.index is not None:
            n_nearest = min(n_nearest, self.index.n_candidates)
        weights = self.keys.new_empty(len(queries), n_nearest)
        indices = torch.empty(weights.shape, dtype=torch.int64, device=weights.device)
        for rows, found, chunk in self.weight_chunks(queries):
            if found is None:
                weights[rows], indices[rows] = chunk.topk(n_nearest, dim=1)
                continue
            order = chunk.masked_fill(found < 0, -1.0).topk(n_nearest, dim=1).indices
            indices[rows], weights[rows] = found.gather(1, order), chunk.gather(1, order)
        return Retrieved(indices, weights)


def _few_rows(n_queries):
    """Yield slices of queries whose scores with a block of patterns the cache holds."""
    n_rows = max(1, _BLOCK_OF_SCORES // _BLOCK)
    for start in range(0, n_queries, n_rows):
        yield slice(start, start + n_rows)


def _raised(top, best, block, z):
    """Return the highest scores, those of a block seen; note in ``best`` whose they are."""
    higher, place = z.max(dim=1)
    torch.where(higher > top, place.add_(block.start), best, out=best)
    return torch.maximum(higher, top)


def _as_columns(exclude):
    return exclude if exclude.ndim == 2 else exclude[:, None]


def _exponentials(z):
    """Return exponentials in place of scores; none is so small that it takes much longer."""
    return z.clamp_(min=0.9 * math.log(torch.finfo(z.dtype).tiny)).exp_()
