"""What the state of a public class may hold: the names and kinds that its annotations declare.

A class declares what it learns where it is annotated anyway, in its body::

    class SINDyRegressor(PlainState, BaseEstimator):
        coef_: Annotated[np.ndarray, Shape("equations terms")]
        control_names_: list[str]
        implicit_library_: FeatureLibrary | None
        inclusion_: Annotated[float, OPTIONAL]

:class:`PlainState` holds ``__setstate__`` to it, and with it pickles, copies and the files of
:mod:`skdyn.io`: a name that is not declared, one that is missing, and a value of another kind or
shape are refused. Parameters need no declaration: theirs are the constructor's names.

What later versions added, parameters too, has a default that answers as those before it did::

        _moves: Annotated[np.ndarray, Since(lambda state: np.ones(state["n_features_in_"], bool))]

A class from outside skdyn may leave its own attributes undeclared; they can then be any plain
values. What it inherits from a class of ours is held to that one's declarations.
"""

import collections.abc
import functools
import inspect
import math
import types
import typing
from numbers import Integral, Real
from typing import Any, NamedTuple, Self

import numpy as np
from sklearn.base import BaseEstimator

__all__ = [
    "ANY_NUMBER",
    "LIVE_NAMES",
    "OPTIONAL",
    "OneOf",
    "PlainState",
    "Shape",
    "Since",
    "check_size",
    "declared_names",
    "read_state",
    "read_value",
    "without_caches",
]

OPTIONAL = "optional"  # marks an attribute that not every fit sets
ANY_NUMBER = "any number"  # marks a float that may be infinite or NaN

_LONGEST_TEXT = 100_000
_LARGEST_SIZE = 2**18  # points of a grid, say, where no array of that size is there to bear it out
# What scikit-learn keeps in every estimator: settings of its own, and live objects of a session.
LIVE_NAMES = frozenset({
    "_metadata_request", "_skl_callbacks", "_callback_fit_ctx", "_skl_callbacks_to_teardown",
    "_parent_callback_ctx",
})  # fmt: skip
_OF_SCIKIT_LEARN = LIVE_NAMES | {"_sklearn_output_config"}


class Shape(NamedTuple):
    """Rule of an array.

    Attributes
    ----------
    axes : str
        A name or number for each axis. A name stands for one size throughout a state: that of the
        integer of this name there, if there is one. ``_`` is any size and ``...`` any number of
        axes.
    dtype : str, default="f"
        Kinds of numbers, as numpy's letters: floats; "b" truth values, "iu" integers, "OU" text.
    finite : bool, default=True
        Whether NaN and infinity are refused.
    """

    axes: str
    dtype: str = "f"
    finite: bool = True


class OneOf(NamedTuple):
    """Rule of a text.

    Attributes
    ----------
    texts : collection of str
        What it may be.
    """

    texts: collections.abc.Collection[str]


class Since(NamedTuple):
    """Marks an attribute that was added later: states saved before lack it.

    Attributes
    ----------
    default : callable
        From such a state to the value with which it answers as it did then.
    """

    default: collections.abc.Callable[[dict], Any]


class PlainState:
    """Base of the classes that are restored from the names and kinds they declare."""

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is computed when asked for."""
        return without_caches(type(self), super().__getstate__())

    def __copy__(self) -> Self:
        """Copy by hand: callbacks look at copies in the middle of ``fit``, a state half way."""
        made = type(self).__new__(type(self))
        vars(made).update(vars(self))
        return made

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = read_state(type(self), state)
        self._check_state(state)
        restore = getattr(super(), "__setstate__", None)
        if restore is None:
            vars(self).update(state)  # frozen objects refuse setattr
        else:
            restore(state)

    @classmethod
    def _check_state(cls, state):
        """Refuse a state whose parts do not fit each other, where shapes alone do not tell."""


def without_caches(cls, state):
    """Return a state without what is computed when asked for: caches are never state."""
    caches = {
        name
        for base in cls.__mro__
        for name, value in vars(base).items()
        if isinstance(value, functools.cached_property)
    }
    return {name: value for name, value in (state or {}).items() if name not in caches}


def is_ours(cls):
    """Tell whether a class is skdyn's own."""
    return cls.__module__.partition(".")[0] == "skdyn"


@functools.lru_cache(maxsize=512)
def parameter_names(cls):
    """Return the names of a class's parameters, as scikit-learn finds them."""
    return frozenset(cls._get_param_names() if hasattr(cls, "_get_param_names") else ())


@functools.lru_cache(maxsize=512)
def declared_names(cls):
    """Return what a class declares.

    Parameters
    ----------
    cls : type
        The class.

    Returns
    -------
    dict of str to type
        Kinds, ready to be compared with; with the bases' declarations.
    """
    found = {}
    for base in reversed(cls.__mro__):
        if base.__module__.partition(".")[0] in ("sklearn", "builtins", "abc", "typing"):
            continue
        found |= inspect.get_annotations(base, eval_str=True)
    return {
        name: kind
        for name, kind in found.items()
        if typing.get_origin(kind) is not typing.ClassVar and name != "_parameter_constraints"
    }


def read_state(cls, state):
    """Compare a state with what its class declares.

    Parameters
    ----------
    cls : type
        The class.
    state : dict of str to object
        What ``__setstate__`` got.

    Returns
    -------
    dict of str to object
        The state, with named tuples where the class declares them.

    Raises
    ------
    ValueError
        If a name is unknown or missing, or a value of another kind or shape.
    """
    declared, parameters = declared_names(cls), parameter_names(cls)
    if not isinstance(state, dict):
        raise ValueError(f"The state of {cls.__name__} is no dict; got {type(state).__name__}.")
    missing = parameters - state.keys()
    if is_ours(cls):
        unknown = state.keys() - declared.keys() - parameters - _OF_SCIKIT_LEARN
        if unknown:
            raise ValueError(
                f"The state of {cls.__name__} has the unknown names {sorted(unknown)}. A class "
                "declares what it keeps by annotations in its body, see skdyn/_state.py."
            )
        always = not issubclass(cls, BaseEstimator)
        if always or state.keys() & declared.keys() - parameters:  # an estimator that is fitted
            needed = {name for name, kind in declared.items() if not _is_optional(kind)}
            missing |= needed - state.keys()
    later = {name: since for name in missing if (since := _since(declared.get(name)))}
    missing -= later.keys()
    if missing:
        raise ValueError(
            f"The state of {cls.__name__} lacks {sorted(missing)}. It was changed, or is of "
            "another version of skdyn."
        )
    state = state | {name: since.default(state) for name, since in later.items()}
    sizes = _known_sizes(state)
    read = dict(state)
    for name in declared.keys() & state.keys():
        try:
            read[name] = _read(state[name], declared[name], sizes)
        except _Mismatch as error:
            raise ValueError(f"{name} of {cls.__name__} must be {error}.") from None
    return read


def read_value(value, kind, what):
    """Return a value that must be of a kind; ``what`` names it in the error."""
    try:
        return _read(value, kind, {})
    except _Mismatch as error:
        raise ValueError(f"{what} must be {error}.") from None


def check_size(size, borne_out, what):
    """Refuse a size that would make arrays far larger than those that are there.

    Parameters
    ----------
    size : int
        The size.
    borne_out : int
        Numbers in the arrays that are there.
    what : str
        Whose size it is, for the message.

    Raises
    ------
    ValueError
        If it is negative, or larger than those arrays and than any usual grid.
    """
    if not 0 <= size <= max(borne_out, _LARGEST_SIZE):
        raise ValueError(
            f"{what} must be a size from 0 to {max(borne_out, _LARGEST_SIZE)}; got {size}."
        )


def _known_sizes(state):
    """Return the integers of a state, which name sizes of its arrays."""
    held = {**(state.get("_module_config") or {}), **state} if isinstance(
        state.get("_module_config"), dict
    ) else state  # fmt: skip
    return {name: value for name, value in held.items() if _is_int(value)}


class _Mismatch(Exception):
    """A value is not of a kind; the message says what it should be and what it is."""


def _is_int(value):
    return isinstance(value, Integral) and not isinstance(value, bool)


def _is_optional(kind):
    return OPTIONAL in getattr(kind, "__metadata__", ())


def _since(kind):
    """Return the mark of an attribute that was added later, or None."""
    marks = getattr(kind, "__metadata__", ())
    return next((mark for mark in marks if isinstance(mark, Since)), None)


def _read(value, kind, sizes):
    """Return a value that is of a kind, or raise."""
    marks = getattr(kind, "__metadata__", ())
    kind = kind.__origin__ if marks else kind
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if kind in (Any, object):
        return value
    if origin in (types.UnionType, typing.Union):
        return _read_one_of(value, inside, marks, sizes)
    if origin is typing.Literal:
        _expect(isinstance(value, str | int) and value in inside, f"one of {inside}", value)
    elif origin in (list, tuple, dict):
        return _read_container(value, origin, inside, sizes)
    elif origin is collections.abc.Callable:
        _expect(callable(value), "a function", value)
    elif kind is np.ndarray:
        _check_array(value, next((m for m in marks if isinstance(m, Shape)), Shape("...")), sizes)
    elif hasattr(kind, "_fields"):
        _expect(isinstance(value, tuple) and len(value) == len(kind._fields),
                f"a tuple ({', '.join(kind._fields)})", value)  # fmt: skip
        kinds = typing.get_type_hints(kind, include_extras=True)
        own = dict(zip(kind._fields, value, strict=True))
        sizes = sizes | {name: item for name, item in own.items() if _is_int(item)}
        return kind(*(_read(v, kinds[f], sizes) for f, v in zip(kind._fields, value, strict=True)))
    else:
        _check_plain(value, kind, ANY_NUMBER in marks)
        for mark in marks:
            if isinstance(mark, OneOf):
                _expect(value in mark.texts, f"one of {list(mark.texts)}", value)
    return value


def _read_one_of(value, kinds, marks, sizes):
    failures = []
    for kind in kinds:
        try:
            return _read(value, typing.Annotated[(kind, *marks)] if marks else kind, sizes)
        except _Mismatch as error:
            failures.append(error)
    raise _Mismatch(" or ".join(str(f).partition("; got")[0] for f in failures)
                    + f"; got {_shown(value)}")  # fmt: skip


def _read_container(value, origin, inside, sizes):
    _expect(isinstance(value, origin), f"a {origin.__name__}", value)
    if origin is dict:
        _expect(all(isinstance(key, str) for key in value), "a dict with names", value)
        return {key: _read(item, inside[1], sizes) for key, item in value.items()}
    if origin is list or inside[1:] == (...,):
        return origin(_read(item, inside[0], sizes) for item in value)
    _expect(len(value) == len(inside), f"a tuple of {len(inside)}", value)
    return tuple(_read(item, kind, sizes) for item, kind in zip(value, inside, strict=True))


def _check_plain(value, kind, any_number):
    if kind is bool:
        _expect(isinstance(value, bool | np.bool_), "True or False", value)
    elif kind is int:
        _expect(_is_int(value), "an integer", value)
    elif kind is float:
        number = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
        _expect(number and (any_number or math.isfinite(value)), "a finite number", value)
    elif kind is str:
        _expect(isinstance(value, str) and len(value) <= _LONGEST_TEXT,
                f"a text of at most {_LONGEST_TEXT} characters", value)  # fmt: skip
    elif kind in (None, type(None)):
        _expect(value is None, "None", value)
    else:
        _expect(isinstance(value, kind), f"a {kind.__name__}", value)


def _check_array(value, rule, sizes):
    _expect(isinstance(value, np.ndarray), "an array", value)
    _expect((value.dtype.kind in rule.dtype and value.dtype.itemsize <= 8) or
            (value.dtype.kind in rule.dtype and value.dtype.kind in "OU"),
            f"an array of a dtype of the kinds {rule.dtype!r}", value)  # fmt: skip
    axes = rule.axes.split()
    shape = value.shape
    if "..." in axes:
        axes, shape = axes[: axes.index("...")], shape[: axes.index("...")]
    expected = tuple(_size_of(axis, sizes) for axis in axes)
    fits = len(shape) == len(axes) and all(
        want is None or have == want for have, want in zip(shape, expected, strict=True)
    )
    _expect(fits, f"an array of shape ({rule.axes}), here {expected}", value)
    for axis, size in zip(axes, shape, strict=True):
        if not axis.isdigit() and axis != "_":
            sizes.setdefault(axis, size)
    if rule.finite and value.dtype.kind == "f":
        _expect(np.isfinite(value).all(), "an array of finite numbers", value)


def _size_of(axis, sizes):
    return int(axis) if axis.isdigit() else sizes.get(axis)


def _expect(holds, wanted, value):
    if not holds:
        raise _Mismatch(f"{wanted}; got {_shown(value)}")


def _shown(value):
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and dtype {value.dtype}"
    shown = repr(value)
    return f"{shown[:60]}{'...' if len(shown) > 60 else ''}, a {type(value).__name__}"
