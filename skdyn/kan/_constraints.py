"""Which edges a network has, and which of them may only rise or fall: what users know beforehand.

A group of columns that may interact has hidden nodes of its own, up to the output's sum. Where some
columns of a group are constrained, its first node, and every other one, reads all of them, and all
that follows may only rise; the nodes between read the other columns alone, and bend as they like.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from skdyn._categories import column_number

__all__ = ["EdgeRules", "constraints_of", "edge_rules", "refuse_names_for"]


class EdgeRules(NamedTuple):
    """What holds for the edges of one layer.

    Attributes
    ----------
    allowed : ndarray of shape (n_in, n_subnodes), bool
        Which edges there are.
    sign : ndarray of shape (n_in, n_subnodes)
        1 for edges that may only rise, -1 for those that may only fall, else 0.
    """

    allowed: np.ndarray
    sign: np.ndarray


class _Nodes(NamedTuple):
    """Nodes in a row: the groups that each belongs to, whether a constrained column comes in."""

    groups: np.ndarray  # (n_nodes, n_groups), bool
    held: np.ndarray  # (n_nodes,), bool


def edge_rules(layer_sizes, monotone=(), groups=(), opposed=False):
    """Return what holds for the edges of each layer.

    Parameters
    ----------
    layer_sizes : sequence of (int, int)
        Sums and products of each layer; the columns first, the outputs last.
    monotone : tuple of int, default=()
        1, -1 or 0 for each column; empty without constraints.
    groups : tuple of tuple of int, default=()
        Columns that may interact; empty where all may.
    opposed : bool, default=False
        Whether of two outputs the first falls where the second rises: scores of two classes.

    Returns
    -------
    list of EdgeRules

    Raises
    ------
    ValueError
        If a product could read constrained columns only.
    """
    n_features, n_outputs = layer_sizes[0][0], layer_sizes[-1][0]
    signs = np.array(monotone or (0,) * n_features)
    member = np.zeros((n_features, max(1, len(groups))), dtype=bool)
    for place, group in enumerate(groups or (range(n_features),)):
        member[list(group), place] = True
    source, rises, rules = _Nodes(member, signs != 0), signs, []
    for n_sum, n_mult in layer_sizes[1:-1]:
        nodes = _hidden(n_sum, n_mult, source)
        each = np.r_[np.arange(n_sum), np.arange(n_sum, n_sum + n_mult).repeat(2)]
        shared = source.groups.astype(int) @ nodes.groups[each].T.astype(int) > 0
        allowed = shared & (nodes.held[each] | ~source.held[:, None])
        rules.append(EdgeRules(allowed, rises[:, None] * allowed))
        source, rises = nodes, nodes.held.astype(int)
    ends = np.array([-1, 1]) if opposed else np.ones(n_outputs, dtype=int)
    everything = np.ones((len(rises), n_outputs), dtype=bool)
    return [*rules, EdgeRules(everything, rises[:, None] * ends)]


def _hidden(n_sum, n_mult, source):
    """Share out hidden nodes over groups, and over what may bend and what may only rise."""
    n_groups = source.groups.shape[1]
    rank, group = np.divmod(np.r_[np.arange(n_sum), np.arange(n_mult)], n_groups)
    groups = np.eye(n_groups, dtype=bool)[group]
    some_held, some_free = (
        (source.groups & which[:, None]).any(axis=0)[group] for which in (source.held, ~source.held)
    )
    is_sum = np.arange(len(group)) < n_sum
    if not some_free[~is_sum].all():
        raise ValueError(
            "hidden_layer_sizes has products that could read columns of monotonic_cst only, and a "
            "product of rising factors need not rise. Leave the products out, or such constraints."
        )
    return _Nodes(groups, is_sum & some_held & ((rank % 2 == 0) | ~some_free))


def constraints_of(model):
    """Return the arguments of a network that an estimator's constraints are.

    Parameters
    ----------
    model : KANEstimator
        Its columns and targets are known.

    Returns
    -------
    dict of str to object
        ``monotone`` and ``opposed``, ``groups``; only those that constrain anything.

    Raises
    ------
    ValueError
        If a constraint is of a column that is not there, or of a kind that nothing can keep.
    """
    found: dict[str, Any] = {}
    monotone = _monotone(model)
    if any(monotone):
        _check_monotone(model, monotone)
        opposed = hasattr(model, "classes_")
        found |= {"monotone": monotone} | ({"opposed": True} if opposed else {})
    groups = _groups(model.interaction_cst, model)
    if groups:
        found["groups"] = groups
    return found


def _monotone(model):
    """Return 1, -1 or 0 for each column."""
    given, n_features = model.monotonic_cst, model.n_features_in_
    if given is None:
        return ()
    if isinstance(given, Mapping):
        signs = [0] * n_features
        for name, sign in given.items():
            signs[_number_of(name, model, "monotonic_cst")] = sign
    else:
        signs = list(given)
    if len(signs) != n_features:
        raise ValueError(
            f"monotonic_cst must hold -1, 0 or 1 for each of the {n_features} columns of X; got "
            f"{len(signs)} entries."
        )
    wrong = [sign for sign in signs if isinstance(sign, str) or sign not in (-1, 0, 1)]
    if wrong:
        raise ValueError(f"monotonic_cst must hold -1, 0 and 1 only; got {wrong[0]!r}.")
    return tuple(map(int, signs))


def _check_monotone(model, monotone):
    n_classes = len(getattr(model, "classes_", (0, 1)))
    if n_classes > 2:
        raise ValueError(
            f"monotonic_cst needs two classes, of which the second one's probability rises or "
            f"falls; got {n_classes}. Leave it out, or ask for one class against all others."
        )
    for sign, levels in zip(monotone, model.categories_, strict=False):
        if sign and levels is not None:
            raise ValueError(
                "monotonic_cst holds a column of categories, which have no order, to rise or fall. "
                "Leave it out there, or pass numbers that categorical_features does not name."
            )
    if model.basis != "bspline":
        raise ValueError(
            f"monotonic_cst needs basis='bspline', whose coefficients tell where a function "
            f"rises; got basis={model.basis!r}."
        )


def _groups(given, model):
    """Return the columns of each group, none where all columns may interact."""
    n_features = model.n_features_in_
    if given is None:
        return ()
    if isinstance(given, str):  # a shorthand, as its constraint has checked
        sets = combinations(range(n_features), 2 if given == "pairwise" else 1)
        groups = [tuple(group) for group in sets] or [tuple(range(n_features))]
    else:
        groups = [_group(group, model) for group in given]
        rest = set(range(n_features)) - {column for group in groups for column in group}
        groups += [tuple(sorted(rest))] if rest else []
    return () if any(len(group) == n_features for group in groups) else tuple(groups)


def _group(group, model):
    if isinstance(group, str) or not hasattr(group, "__iter__"):
        raise ValueError(
            "interaction_cst must be 'pairwise', 'no_interactions' or a list of groups of columns, "
            f"e.g. [(0, 1), (2,)]; got the group {group!r}."
        )
    columns = {_number_of(name, model, "interaction_cst") for name in group}
    if not columns:
        raise ValueError("interaction_cst holds a group without a column. Leave it out.")
    return tuple(sorted(columns))


def _number_of(name, model, parameter):
    names = list(getattr(model, "feature_names_in_", ()))
    return column_number(name, names, model.n_features_in_, parameter)


def refuse_names_for(model, layer=None, i=None, j=None):
    """Refuse to give edges closed forms that would not keep what was asked for.

    Parameters
    ----------
    model : KANEstimator
        Fitted.
    layer, i, j : int or None, default=None
        The edge; None means all of them.

    Raises
    ------
    ValueError
        If an edge is monotone, or of categories or missing numbers.
    """
    if i is None and getattr(model, "loss", "squared") != "squared":
        raise ValueError(
            f"loss={model.loss!r} has no formula: closed forms are fitted by squared errors. Fit "
            "with loss='squared'."
        )
    levels = model.module_.layers[0].levels
    if levels is not None and layer in (None, 0):
        columns = levels.column.tolist()
        if i is None or i in columns:
            raise ValueError(
                "categorical_features and missing values have no closed form, and X has them in "
                f"column {columns[0] if i is None else i}. Fit without such columns, or name other "
                "edges."
            )
    for depth, part in enumerate(model.module_.layers):
        if part.sign is None or layer not in (None, depth):
            continue
        signs = part.sign * part.mask
        if signs.any() if i is None else signs[i, j]:
            raise ValueError(
                f"monotonic_cst holds edges of layer {depth} to rise or fall, which functions of a "
                "library need not do. Fit without it, or name edges that it leaves free."
            )
