"""Files of :mod:`skdyn.io` that somebody changed: refused, or as good as they were."""

import copy
import json
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

import skdyn
from skdyn.testing._probe import answer, can_fit, fit_to_read, meant_for, sample_data

__all__ = ["check_a_forged_file_is_refused", "forgeries"]

_N_ROWS = 12  # of the question
_HUGE = 10**9
_TIMES_THE_FILE, _MOST_BYTES = 10, 50_000_000


class _Canary:
    """Sings when code from a file has made one."""

    sang = False

    def __init__(self):
        type(self).sang = True


# Reaches a class from nothing but an empty tuple: no names are needed, so none can be withheld.
_HOSTILE = (
    "[c for c in ().__class__.__base__.__subclasses__() if c.__name__ == '_Canary'][0]() and 1.0"
)
# Each stands once where a node of another kind was.
_OTHERS = (
    _HOSTILE, 3, 0.5, None, True, [], {}, {"list": [1.5]}, {"tuple": ["a"]}, {"dict": {"a": 1}},
    {"scalar": 1.5, "dtype": "<f8"}, {"labels": ["a"], "dtype": "<U9"},
    {"class": "STLSQ", "state": {"dict": {}}},
)  # fmt: skip


def _saved(thing, arrays):
    header, found = skdyn.io._packed(thing)
    arrays |= found
    return json.loads(json.dumps(header))


def _loaded(header, arrays):
    """Read what a file would hold, with the bytes of its arrays copied as a file's are."""
    copies = {name: array.copy() for name, array in arrays.items()}
    return skdyn.io._restored(json.dumps(header), copies)


def forgeries(header: Any, arrays: dict[str, np.ndarray]) -> Iterator[tuple[str, str, Any, dict]]:
    """Change a file's content in one place after another.

    Of the entries of a list only the first and the last are changed, and those of another make.
    Changes of one effect take turns: a name is missing whether it was removed or renamed.

    Parameters
    ----------
    header : dict
        What its JSON says.
    arrays : dict of str to ndarray
        Its arrays.

    Yields
    ------
    kind : {"add", "remove", "rename", "retype", "enlarge", "value"}
        What was done. All but the last change the structure.
    where : str
        To what.
    header : dict
        The changed header.
    arrays : dict of str to ndarray
        The changed arrays.
    """
    for n_seen, (path, node) in enumerate(_places(header)):
        where = ".".join(map(str, path))
        for kind, changed in _changes(path[-1], node, n_seen):
            yield kind, where, _with(header, path, changed), arrays
        if isinstance(node, dict):
            added = {"_expressions": {"list": [_HOSTILE]}} if n_seen % 2 else {_HOSTILE: 1}
            yield "add", where, _with(header, path, node | added), arrays
        if isinstance(_at(header, path[:-1]), dict):
            parent = dict(_at(header, path[:-1]))
            value = parent.pop(path[-1])
            if n_seen % 2:  # a name is missing either way
                yield "remove", where, _with(header, path[:-1], parent), arrays
            else:
                renamed = {**parent, f"{path[-1]}x": value}
                yield "rename", where, _with(header, path[:-1], renamed), arrays
    for n_seen, (name, array) in enumerate(arrays.items()):
        for kind, changed in _array_changes(array):
            yield kind, f"array {name}", header, arrays | {name: changed}
        rest = {other: value for other, value in arrays.items() if other != name}
        if n_seen % 2:
            yield "remove", f"array {name}", header, rest
        else:
            yield "rename", f"array {name}", header, rest | {f"{name}x": array}
    yield "add", "arrays", header, arrays | {"added": np.zeros(3)}


def _places(node, path=()):
    """Yield the path of each node below the root, and the node."""
    items = node.items() if isinstance(node, dict) else enumerate(node)
    made = set()
    for key, value in items:
        if isinstance(node, list):
            make = _make(value)
            if make in made and key != len(node) - 1:
                continue
            made.add(make)
        yield (*path, key), value
        if isinstance(value, dict | list):
            yield from _places(value, (*path, key))


def _make(node):
    if isinstance(node, dict):
        return tuple((key, _make(value)) for key, value in node.items())
    return type(node).__name__, len(node) if isinstance(node, list) else 0


def _changes(key, node, n_seen):
    """Yield a node's replacements; the kinds take turns, or there would be too many."""
    others = [other for other in _OTHERS if _is_of_another_type(other, node)]
    # What may be None may also be something: then that is another value.
    yield "value" if node is None else "retype", others[n_seen % len(others)]
    if isinstance(node, bool):
        yield "value", not node
    elif isinstance(node, int):
        yield "value", _HUGE if n_seen % 2 else node + 1
        yield "value", -1 if n_seen % 2 else _HUGE
    elif isinstance(node, float):
        yield "value", 1e300 if n_seen % 2 else node * 1.5 + 0.25
        yield "value", float("nan")
    elif isinstance(node, str):
        structure = key in ("array", "class", "dtype")
        yield "rename" if structure else "value", _HOSTILE if n_seen % 2 else "9**9**9**9"
        yield "enlarge", "<U300000000" if key == "dtype" else node + "x" * 200_000
    elif isinstance(node, list):  # of any length, where none is declared: that is a value, too
        yield "value", (node * 2 or [1]) if n_seen % 2 else node[1:]
        yield "value", node[:-1]


def _is_of_another_type(other, node):
    return _type_name(other) != _type_name(node)


def _type_name(node):
    if isinstance(node, dict):
        return "number" if "scalar" in node else tuple(node)
    return "number" if type(node) in (int, float) else type(node).__name__


def _array_changes(array):
    yield "retype", array.astype(np.int8 if array.dtype.kind == "f" else np.float64)
    yield "enlarge", array[None]
    if array.ndim:
        yield "enlarge", np.concatenate([array, array[-1:]])
        yield "remove", array[1:]
    if array.dtype.kind == "f" and array.size:
        changed = array.copy()
        changed.flat[0] = np.nan
        yield "value", changed
        yield "value", array * 1.5 + 0.25


def _at(node, path):
    for key in path:
        node = node[key]
    return node


def _with(node, path, changed):
    """Return a copy of a tree with one node changed; what is not on the path is shared."""
    if not path:
        return changed
    copied = copy.copy(node)
    copied[path[0]] = _with(node[path[0]], path[1:], changed)
    return copied


def _is_of_ours(thing):
    return getattr(skdyn, type(thing).__name__, None) is type(thing)


@meant_for(_is_of_ours)
def check_a_forged_file_is_refused(thing: BaseEstimator) -> Counter:
    """A changed file is refused by a ``ValueError`` or answers as before; nothing of it is run.

    A changed value, a coefficient say, may change the answers or make them impossible; it runs
    nothing, and whatever was changed, no more memory is taken than ten times the file and 50 MB.
    """
    question: Callable[[Any], Any] = repr
    parameters = thing.get_params(deep=False)
    if parameters.get("max_iter", 0) > 2:  # few numbers to walk
        thing = type(thing)(**parameters | {"max_iter": 2})
    if can_fit(thing):
        X, y = sample_data(thing)
        thing = fit_to_read(thing, X, y)
        question = partial(_answer_to, X[:_N_ROWS])
    return walk(thing, question)


def _answer_to(X, fitted):
    return answer(fitted, X)


def walk(thing, question):
    """Change a saved object place by place; count what came of it.

    Parameters
    ----------
    thing : object
        What :func:`skdyn.io.save` writes.
    question : callable
        A function of it whose answers are compared.

    Returns
    -------
    Counter
        How often each kind of change was refused, gave equal answers or others.
    """
    arrays = {}
    header = _saved(thing, arrays)
    wanted = question(_loaded(header, arrays))
    np.testing.assert_array_equal(wanted, question(thing))
    n_bytes = len(json.dumps(header)) + sum(array.nbytes for array in arrays.values())
    outcomes = Counter()
    _Canary.sang = False
    with (
        _bounded_memory(_TIMES_THE_FILE * n_bytes + _MOST_BYTES),
        warnings.catch_warnings(action="ignore"),  # of overflows by changed numbers
    ):
        for kind, where, forged, forged_arrays in forgeries(header, arrays):
            outcome = _outcome(forged, forged_arrays, question, wanted)
            assert not _Canary.sang, f"{kind} {where}: a text of the file was run"
            right = outcome in ("refused", "equal") or (kind == "value" and outcome == "another")
            assert right, f"{kind} {where}: {outcome}"
            outcomes[f"{kind}: {outcome}"] += 1
    return outcomes


def _outcome(header, arrays, question, wanted):
    try:
        found = question(_loaded(header, arrays))
    except (ValueError, skdyn.exceptions.SolverError) as error:
        return f"outgrew the bound: {error!r}" if _is_of_memory(error) else "refused"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "equal" if np.array_equal(found, wanted) else "another"


def _is_of_memory(error):
    """Whether an error, or what it came from, is that memory ran out."""
    while error is not None:
        if isinstance(error, MemoryError) or "llocate" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


@contextmanager
def _bounded_memory(n_bytes):
    """Let allocations of so many bytes more than now fail, where the system tells and can."""
    statm = Path("/proc/self/statm")
    if not statm.exists():
        yield
        return
    import resource

    taken = int(statm.read_text().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (taken + n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
