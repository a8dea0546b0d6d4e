"""Energies of a continuous memory as densities: what is far from all patterns is unlikely.

Up to a constant, the density of a kernel estimate with Gaussian kernels of variance 1 / beta at
:math:`\\xi` is :math:`\\exp(-\\beta E(\\xi))`, with the energy E of a memory of these patterns.
"""

from dataclasses import replace

import torch

from skdyn.exceptions import warn_user
from skdyn.hopfield._frozen_memory import FrozenMemory, Retrieved

__all__ = ["heaviest_kernels", "likelihoods", "log_densities", "most_likely_beta"]

_N_WEIGHTS = 1_000_000  # from which beta is chosen, all of 1000 rows;
_FEW = 200  # or those of this many rows, if that is more: 2000 differ by a fourth root of two
_OCTAVES = range(-12, 11)  # powers of two, of columns of variance one
_ABOVE = range(11, 41)  # where the best of these is the last
_FINE = [power / 4 for power in (-3, -2, -1, 1, 2, 3)]  # around the best of them


def log_densities(
    queries: torch.Tensor, memory: FrozenMemory, places: torch.Tensor | None = None
) -> torch.Tensor:
    """Return the mean over all copies of ``exp(-beta |query - key|^2 / 2)``, its log over beta.

    Parameters
    ----------
    queries : Tensor of shape (n_queries, n_features)
        Points.
    memory : FrozenMemory
        Distinct patterns, with masses; its sharpness is beta.
    places : Tensor of int64 of shape (n_queries,) or None, default=None
        Which pattern each query is, -1 for none. One copy of it is then left out, so that a stored
        row is judged as a new one would be; the last copy of the only pattern is not.

    Returns
    -------
    Tensor of shape (n_queries,)
    """
    mass, beta = memory.mass, memory.sharpness
    assert mass is not None
    if places is None or len(memory) == 1:
        return -memory.energies(queries) - mass.sum().log() / beta
    result = queries.new_empty(len(queries))
    new = places < 0
    result[new] = log_densities(queries[new], memory)
    itself = places[~new]
    others = -memory.energies(queries[~new], exclude=itself)
    own = mass[itself]
    copies = (own - 1).clamp_(min=0).log_() / beta  # minus infinity where there are no more
    rest = mass.sum() - own.clamp(max=1)
    result[~new] = torch.logaddexp(beta * others, beta * copies) / beta - rest.log() / beta
    return result


def heaviest_kernels(
    queries: torch.Tensor, memory: FrozenMemory, n_kernels: int, places: torch.Tensor
) -> Retrieved:
    """Return which patterns have the largest shares of the densities at queries.

    Parameters
    ----------
    queries, memory, places : object
        See :func:`log_densities`.
    n_kernels : int
        How many a query.

    Returns
    -------
    Retrieved
        Where there are fewer, or an index finds fewer, the rest are -1, without weight.
    """
    n_kernels = min(n_kernels, len(memory))
    mass = memory.mass
    assert mass is not None
    indices = torch.full((len(queries), n_kernels), -1)
    weights = queries.new_zeros(len(queries), n_kernels)
    alone = len(memory) == 1
    for new in (True, False):
        asked = torch.nonzero((places < 0) | alone if new else (places >= 0) & (not alone))[:, 0]
        itself = None if new else places[asked]
        for rows, found, z in memory.score_chunks(queries[asked], exclude=itself):
            z = z + (mass.log() if found is None else mass[found].log())
            if itself is not None:  # its other copies, at no distance
                own = itself[rows]
                best = z.argmax(dim=1, keepdim=True)
                best = best if found is None else found.gather(1, best)
                away = (queries[asked[rows]] - memory.keys[best[:, 0]]).square().sum(dim=1) / 2
                copies = (mass[own] - 1).clamp(min=0).log() + memory.sharpness * away
                z = torch.cat([z, copies[:, None]], dim=1)
            else:
                own = torch.full((len(z),), -1)
            found = torch.arange(len(memory)).expand(len(z), -1) if found is None else found
            found = found if itself is None else torch.cat([found, own[:, None]], dim=1)
            share, order = z.softmax(dim=1).topk(n_kernels, dim=1)
            weights[asked[rows]] = share
            indices[asked[rows]] = found.gather(1, order).where(share > 0, -1)
    return Retrieved(indices, weights)


@torch.no_grad()
def likelihoods(
    queries: torch.Tensor,
    memory: FrozenMemory,
    betas: list[float],
    exclude: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return log densities of rows for several beta, but for what all have: powers of two pi.

    Parameters
    ----------
    queries : Tensor of shape (n_queries, n_features)
        Points.
    memory : FrozenMemory
        The patterns, of sharpness one, with masses.
    betas : list of float
        Inverse temperatures, each more than the one before.
    exclude : Tensor of int64 of shape (n_queries,) or None, default=None
        The pattern that each query is not judged by, with all its copies.

    Returns
    -------
    Tensor of shape (n_betas, n_queries)
    """
    mass = memory.mass
    assert mass is not None
    rest = (mass.sum() - (0 if exclude is None else mass[exclude])).log()
    only = replace(memory, values=memory.keys[:, :0])  # nothing to read out
    sums, best = only.sums_by_beta(queries, betas, exclude)
    distance = (queries - memory.keys[best]).square().sum(dim=1) / 2
    steps = torch.tensor(betas).to(sums)[:, None]
    return sums[..., -1].log() - steps * distance - rest + queries.shape[1] / 2 * steps.log()


def most_likely_beta(patterns: torch.Tensor, mass: torch.Tensor) -> float:
    """Choose the inverse temperature under which rows are most likely given the others.

    All equal rows are left out together: given its copy, a row is the likelier the larger beta is,
    without end. Of many patterns the first ones are judged, as a sample.

    Parameters
    ----------
    patterns : Tensor of shape (n_patterns, n_features)
        Distinct patterns, float64, of which the first are as good a sample as any.
    mass : Tensor of shape (n_patterns,)
        How often each counts.

    Returns
    -------
    float
        The best of fourth roots of powers of two; one where there is nothing to choose by.
    """
    low, high = patterns.aminmax(dim=0)
    varies = low < high
    if not varies.any():
        return 1.0
    keys = patterns if varies.all() else patterns[:, varies]
    memory = FrozenMemory(keys, mass=mass)
    n_rows = min(len(keys), max(_FEW, _N_WEIGHTS // len(keys)))
    share = mass[:n_rows] / mass[:n_rows].sum()

    def best_of(powers):
        betas = [2.0**power for power in powers]
        found = likelihoods(keys[:n_rows], memory, betas, torch.arange(n_rows)) @ share
        return max(zip(found.tolist(), powers))

    best = best_of(_OCTAVES)
    if best[1] == _OCTAVES[-1]:
        best = max(best, best_of(_ABOVE))
    if best[1] == _ABOVE[-1]:
        warn_user(
            f"beta='auto' ended at {2.0 ** best[1]:.3g}, the largest that is tried: nearly all "
            "rows of X have others that differ from them by next to nothing. Round X, so that they "
            "become copies, or pass beta=."
        )
    return 2.0 ** max(best, best_of([best[1] + step for step in _FINE]))[1]
