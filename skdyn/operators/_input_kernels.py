"""Kernels between inputs: one of all channels, or products of one for each, some of them linear.

A product knows that two inputs are alike only where all of their functions are. One that is linear
in a channel makes answers that are, exactly.
"""

from __future__ import annotations

from itertools import product
from typing import Annotated, Any, NamedTuple

import numpy as np

from skdyn._state import OneOf
from skdyn._time_limit import time_is_over
from skdyn._validation import is_whole
from skdyn.operators._kernel_ridge import KERNELS, evaluate, leave_one_out

__all__ = [
    "Components",
    "Factor",
    "Settings",
    "check_kernel_state",
    "choose_settings",
    "choose_way",
    "factors_of",
    "gram",
    "groups_of",
    "learn_components",
    "linear_channels",
    "prior_variance",
    "stretches",
    "the_only_factor",
]

_PRODUCT_ROWS = 300  # that the settings of a product are chosen on
_SWEEPS = 2  # over the factors of a product, each chosen beside the others


class Factor(NamedTuple):
    """One factor of a kernel, of some columns of the rows.

    Attributes
    ----------
    kernel : str
        A key of ``KERNELS``.
    length_scale : float
        Unit of distances.
    n_columns : int
        Its columns, which follow those of the factor before.
    """

    kernel: Annotated[str, OneOf(KERNELS)]
    length_scale: float
    n_columns: int


class Components(NamedTuple):
    """Principal components of groups of channels, group after group.

    Attributes
    ----------
    mean : ndarray of shape (n_inputs,)
        What they are around; zero in channels that answers are linear in.
    vectors : ndarray of shape (n_inputs, n_components)
        The components, zero outside of their group.
    scale : ndarray of shape (n_components,)
        Standard deviations.
    sizes : tuple of int
        Components of each group.
    """

    mean: np.ndarray
    vectors: np.ndarray
    scale: np.ndarray
    sizes: tuple[int, ...]


class Settings(NamedTuple):
    """A choice, and what it is worth.

    Attributes
    ----------
    error : float
        Squared error on samples left out.
    noise : float
        Added to the diagonal.
    kernels : tuple of str
        Of each factor.
    length_scales, emphases : tuple of float
        Of each factor.
    """

    error: float
    noise: float
    kernels: tuple[str, ...]
    length_scales: tuple[float, ...]
    emphases: tuple[float, ...]


def linear_channels(linear_in: Any, n_channels: int) -> list[int]:
    """Return the channels that answers are linear in.

    Parameters
    ----------
    linear_in : array-like of int or None
        What the user named.
    n_channels : int
        Channels of the inputs.

    Returns
    -------
    list of int

    Raises
    ------
    ValueError
        If one is no number of a channel.
    """
    if linear_in is None:
        return []
    given = np.atleast_1d(np.asarray(linear_in, dtype=object)).tolist()
    named = [c for c in given if is_whole(c, -n_channels) and c < n_channels]
    if len(named) < len(given) or not given:
        raise ValueError(
            f"linear_in must name some of the {n_channels} channels of X by whole numbers from 0; "
            f"got {linear_in!r}."
        )
    return sorted({int(c) % n_channels for c in named})


def learn_components(
    X: np.ndarray, weight: np.ndarray, groups: list[list[int]], linear: list[int]
) -> Components:
    """Learn principal components of groups of channels.

    Parameters
    ----------
    X : ndarray of shape (n, channels, \\*grid)
        Inputs, scaled.
    weight : ndarray of shape (n,)
        Weight of each.
    groups : list of list of int
        Channels of each group.
    linear : list of int
        Channels that answers are linear in: zero stays zero.

    Returns
    -------
    Components
    """
    rows = X.reshape(len(X), -1)
    mean = np.average(rows, axis=0, weights=weight)
    of_channel = np.arange(X.shape[1]).repeat(rows.shape[1] // X.shape[1])
    mean[np.isin(of_channel, linear)] = 0.0
    parts, scales = [], []
    for group in groups:
        columns = np.isin(of_channel, group)
        weighed = np.sqrt(weight)[:, None] * (rows - mean)[:, columns]
        _, s, right = np.linalg.svd(weighed, full_matrices=False)
        kept = s > 1e-10 * max(s[0], 1e-300)
        part = np.zeros((rows.shape[1], kept.sum()))
        part[columns] = right[kept].T
        parts.append(part)
        scales.append(s[kept] / np.sqrt(weight.sum()))
    sizes = tuple(len(scale) for scale in scales)
    return Components(mean, np.concatenate(parts, axis=1), np.concatenate(scales), sizes)


def stretches(components: Components, emphases: Any) -> np.ndarray:
    """Return factors of the components that make the mean square distance of two samples one.

    Parameters
    ----------
    components : Components
        Of the inputs.
    emphases : sequence of float
        Exponent of the standard deviations in each group.

    Returns
    -------
    ndarray of shape (n_components,)
    """
    found = []
    for part, emphasis in zip(_parts(components.scale, components.sizes), emphases, strict=True):
        stretch = part**emphasis
        total = 2 * np.square(stretch * part).sum()
        found.append(stretch / np.sqrt(total) if total else stretch)
    return np.concatenate(found)


def gram(factors: list[Factor], A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """Evaluate a product of kernels on all pairs of rows.

    Parameters
    ----------
    factors : list of Factor
        The factors.
    A, B : ndarray of shape (n, n_columns), (m, n_columns)
        Rows.

    Returns
    -------
    ndarray of shape (n, m)
    """
    sizes = [factor.n_columns for factor in factors]
    pairs = zip(factors, _parts(A, sizes), _parts(B, sizes), strict=True)
    return _product([evaluate(f.kernel, a, b, f.length_scale) for f, a, b in pairs])


def prior_variance(factors: list[Factor], rows: np.ndarray) -> np.ndarray:
    """Return the kernel of each row with itself.

    Parameters
    ----------
    factors : list of Factor
        The factors.
    rows : ndarray of shape (n, n_columns)
        Rows.

    Returns
    -------
    ndarray of shape (n,)
    """
    sizes = [factor.n_columns for factor in factors]
    variance = np.ones(len(rows))
    for factor, part in zip(factors, _parts(rows, sizes), strict=True):
        if KERNELS[factor.kernel] is None:
            variance *= np.square(part).sum(axis=1) / factor.length_scale**2
    return variance


def choose_settings(
    scores: np.ndarray,
    goal: np.ndarray,
    weight: np.ndarray,
    components: Components,
    kernels: list[str],
    lengths: Any,
    emphases: Any,
) -> Settings:
    """Choose length and emphasis of each factor, beside the others, by samples left out.

    Parameters
    ----------
    scores : ndarray of shape (n, n_components)
        Components of the samples.
    goal : ndarray of shape (n, m)
        Targets.
    weight : ndarray of shape (n,)
        Weight of each sample.
    components : Components
        Their scales and groups.
    kernels : list of str
        Of each factor.
    lengths, emphases : sequence of float
        What to choose from. The scale of a linear factor is that of the noise and not chosen.

    Returns
    -------
    Settings
    """
    parts = _parts(scores, components.sizes)
    chosen = [(lengths[len(lengths) // 2], emphases[len(emphases) // 2])] * len(parts)

    def of(number, length, emphasis):
        group = components._replace(
            scale=_parts(components.scale, components.sizes)[number],
            sizes=(components.sizes[number],),
        )
        Z = parts[number] * stretches(group, [emphasis])
        return evaluate(kernels[number], Z, Z, length)

    grams, best = [], None
    if len(parts) > 1:
        grams = [of(number, *setting) for number, setting in enumerate(chosen)]
    for sweep, number in product(range(_SWEEPS if len(parts) > 1 else 1), range(len(parts))):
        others = _product([one for place, one in enumerate(grams) if place != number])
        found: list[Any] = []
        linear = KERNELS[kernels[number]] is None
        for length, emphasis in product(lengths[:1] if linear else lengths, emphases):
            if (found or best) and time_is_over():
                break
            own = of(number, length, emphasis)
            error, noise = leave_one_out(own * others, goal, weight)
            found.append((error, noise, length, emphasis))
        if not found:
            break
        error, noise, *setting = min(found)
        before, chosen = list(chosen), [*chosen[:number], tuple(setting), *chosen[number + 1 :]]
        best = error, noise
        if grams:
            grams[number] = of(number, *setting)
        if sweep and number == len(parts) - 1 and before == chosen:
            break
    error, noise = best or (np.inf, 1.0)
    told = tuple(zip(*chosen, strict=True))
    return Settings(float(error), float(noise), tuple(kernels), told[0], told[1])


def groups_of(n_channels: int, linear: list[int], combine: str) -> dict[str, list[list[int]]]:
    """Return the groups of channels of each way to combine them, the linear ones at last.

    Parameters
    ----------
    n_channels : int
        Channels of the inputs.
    linear : list of int
        Those that answers are linear in.
    combine : {"joint", "product", "auto"}
        Which ways there are; with fewer than two others they are one, "joint".

    Returns
    -------
    dict of str to list of list of int
    """
    others = [channel for channel in range(n_channels) if channel not in linear]
    ways = {"joint": [others] if others else []}
    if len(others) > 1:
        ways["product"] = [[channel] for channel in others]
        ways = ways if combine == "auto" else {combine: ways[combine]}
    return {way: [*groups, linear] if linear else groups for way, groups in ways.items()}


def choose_way(
    few: np.ndarray,
    goal: np.ndarray,
    weight: np.ndarray,
    ways: list[tuple[str, Components]],
    linear: bool,
    kernels: Any,
    lengths: Any,
    emphases: Any,
) -> tuple[str, Components, Settings]:
    """Choose how channels are combined, and the settings, by samples left out.

    Parameters
    ----------
    few : ndarray of shape (n, n_inputs)
        Inputs, scaled.
    goal : ndarray of shape (n, m)
        Targets.
    weight : ndarray of shape (n,)
        Weight of each sample.
    ways : list of (str, Components)
        What to choose from.
    linear : bool
        Whether the last group is one that answers are linear in.
    kernels, lengths, emphases : sequence
        What to choose from for each factor; the kernel is one for all but a linear one.

    Returns
    -------
    tuple of (str, Components, Settings)
    """
    found = []
    for way, parts in ways:
        Z = (few - parts.mean) @ parts.vectors
        some = slice(None) if len(parts.sizes) == 1 else slice(_PRODUCT_ROWS)
        for kernel in kernels:
            if found and time_is_over():
                break
            of_groups = [kernel] * len(parts.sizes)
            of_groups[-1] = "linear" if linear else kernel
            settings = choose_settings(
                Z[some], goal[some], weight[some], parts, of_groups, lengths, emphases
            )
            if len(Z[some]) < len(Z):  # compared on the rows that others saw
                rows = Z * stretches(parts, settings.emphases)
                K = gram(factors_of(settings, parts), rows, rows)
                error, noise = leave_one_out(K, goal, weight)
                settings = settings._replace(error=float(error), noise=float(noise))
            found.append((way, parts, settings))
    return min(found, key=lambda one: one[2].error)


def factors_of(settings: Settings, components: Components) -> list[Factor]:
    """Return the factors that settings stand for.

    Parameters
    ----------
    settings : Settings
        The choice.
    components : Components
        Of the inputs.

    Returns
    -------
    list of Factor
    """
    told = zip(settings.kernels, settings.length_scales, components.sizes, strict=True)
    return [Factor(kernel, float(length), size) for kernel, length, size in told]


def check_kernel_state(state: dict[str, Any]) -> None:
    """Refuse factors of other columns than the rows have, and cases that are none of the rows.

    Parameters
    ----------
    state : dict of str to object
        Of a :class:`KernelOperatorRegressor`.
    """
    if "_rows" not in state:
        return
    sizes = [factor.n_columns for factor in state["_factors"]]
    n_rows, n_columns = state["_rows"].shape
    if min(sizes, default=0) < 0 or sum(sizes) != n_columns:
        raise ValueError(f"The factors of the kernel have {sizes} of {n_columns} columns.")
    told = state["_case_errors"]
    if told is not None and (told.rows.min() < 0 or told.rows.max() >= n_rows):
        raise ValueError(f"Errors of cases name rows beyond the {n_rows} of the kernel.")


def the_only_factor(state: dict[str, Any]) -> list[Factor]:
    """Return the factors of a model that was saved when there was one.

    Parameters
    ----------
    state : dict of str to object
        Its state.

    Returns
    -------
    list of Factor
    """
    if "_stretch" not in state:
        return []
    return [Factor(state["kernel_"], state["length_scale_"], len(state["_stretch"]))]


def _product(grams):
    """Return the product of matrices, element by element; one if there are none."""
    whole: Any = 1.0
    for one in grams:
        whole = one if isinstance(whole, float) else whole * one
    return whole


def _parts(array, sizes):
    """Cut the columns of an array into groups."""
    return np.split(array, np.cumsum(sizes)[:-1], axis=-1)
