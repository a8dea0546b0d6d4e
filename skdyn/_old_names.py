"""Parameters that were called something else: the old name is taken for two minor releases.

A class says in its body what was renamed::

    class KANRegressor(TorchEstimator):
        _old_names = {"solver": "optimizer"}

Its constructor and ``set_params`` then take the old name with a FutureWarning, as does reading
the attribute; files and pickles that hold it load in silence. A fitted attribute is listed
likewise. Signatures, and so editors and ``get_params``, know the new names only. Where the new
name is private, only files and pickles take the old one: there is nothing to write instead.
"""

import functools
import inspect
from typing import Any

from skdyn.exceptions import warn_user

__all__ = ["renamed_state", "take_old_names"]


def take_old_names(cls: type) -> None:
    """Let a class take the names in its ``_old_names``, beside those of the classes it extends.

    Parameters
    ----------
    cls : type
        The class, as it has just been made.
    """
    names = _public(getattr(cls, "_old_names", {}))
    if names and "__init__" in vars(cls):
        _wrap(cls, "__init__", names)
    if "_old_names" not in vars(cls):
        return
    if names and hasattr(cls, "set_params"):
        _wrap(cls, "set_params", names)
    for old, new in _public(vars(cls)["_old_names"]).items():
        setattr(cls, old, _Renamed(old, new))


def _public(names):
    return {old: new for old, new in names.items() if not new.startswith("_")}


def renamed_state(cls: type, state: dict[str, Any]) -> dict[str, Any]:
    """Return a state under the names of today.

    Parameters
    ----------
    cls : type
        The class.
    state : dict of str to object
        What was saved.

    Returns
    -------
    dict of str to object
        The same values; names that are in use again, or twice, are left as they are.
    """
    names = getattr(cls, "_old_names", {})
    return {
        new if (new := names.get(name)) and new not in state else name: value
        for name, value in state.items()
    }


class _Renamed:
    """Attribute that is read under another name."""

    def __init__(self, old, new):
        self.old, self.new = old, new

    def __get__(self, instance, owner=None):
        if instance is None:
            raise AttributeError(self.old)  # the class has no such thing: it is not listed
        value = getattr(instance, self.new)
        _tell(type(instance), self.old, self.new)
        return value

    def __set__(self, instance, value):
        _tell(type(instance), self.old, self.new)
        setattr(instance, self.new, value)


def _wrap(cls, method, names):
    """Replace a method by one that renames its keywords first."""
    inner = getattr(cls, method)
    if getattr(inner, "_takes", None) == names:
        return

    @functools.wraps(inner)
    def renaming(self, *args, **given):
        return inner(self, *args, **_renamed_keywords(type(self), inner, args, given, names))

    renaming._takes = names  # pyright: ignore[reportAttributeAccessIssue]: a mark of ours
    setattr(cls, method, renaming)


def _renamed_keywords(cls, inner, args, given, names):
    kept = {}
    for name, value in given.items():
        part, dots, rest = name.partition("__")
        new = names.get(part)
        if new is None:
            kept[name] = value
            continue
        _tell(cls, part, new)
        if f"{new}{dots}{rest}" in given or new in _positional(inner, args):
            raise TypeError(
                f"{cls.__name__} got {part} and {new}, which is the name of the same parameter "
                f"now. Pass {new} alone."
            )
        kept[f"{new}{dots}{rest}"] = value
    return kept


def _positional(inner, args):
    """Return the names of the parameters that were passed by position, ``self`` first."""
    return list(inspect.signature(inner).parameters)[: len(args) + 1]


def _tell(cls, old, new):
    warn_user(
        f"{old} of {cls.__name__} is called {new} now; the old name goes two minor releases after "
        f"the one that brought the new. Write {new}.",
        FutureWarning,
    )
