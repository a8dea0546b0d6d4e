"""Save and load fitted estimators without code execution: safetensors and JSON in one file.

A pickle runs whatever it holds; this format holds numbers and names only, and of them only those
that the classes declare (``skdyn._state``). The class of an estimator, and of each object it is
made of, is looked up among skdyn's own (and those the reader names), never imported by a path in
the file. A formula is read as arithmetic before anything evaluates it. What a file makes a reader
allocate is bounded by the size of the file.
"""

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar, overload

import numpy as np
from sklearn.base import BaseEstimator

import skdyn
from skdyn._sklearn_kernels import class_of_kernel, is_plain_kernel, rebuilt_kernel
from skdyn._state import LIVE_NAMES, parameter_names
from skdyn._validation import check_parameters
from skdyn.exceptions import MissingExtraError

__all__ = ["load", "save"]

T = TypeVar("T")

# 1 held no estimators within estimators; 2 held what no class had declared.
_FORMAT = 3
_SESSION_ONLY = {"_skl_callbacks"}  # live objects of a session, not part of a model
_DEEPEST = 60  # objects within objects
# Brackets of JSON become objects of Python of some 150 bytes, a file's few bytes each.
_MOST_BRACKETS = 500_000
# What reading a file runs into when the file was made to be unreadable.
_FAILURES = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError,
             MemoryError)  # fmt: skip


def save(estimator: BaseEstimator, path: str | os.PathLike[str]) -> None:
    """Write an estimator to a file.

    Parameters
    ----------
    estimator : estimator
        A skdyn estimator, fitted or not; its parameters may be estimators too.
    path : str or path-like
        The file to write; ``.safetensors`` is a good ending.

    Raises
    ------
    TypeError
        If a parameter or attribute is something the format does not hold, such as a
        ``RandomState`` object; the message names it.
    ValueError
        If :func:`load` would refuse it, for a parameter that ``fit`` would refuse, say.
    MissingExtraError
        If safetensors is not installed.

    Examples
    --------
    >>> import tempfile, os
    >>> from skdyn import NeuralODERegressor, io
    >>> path = os.path.join(tempfile.mkdtemp(), "model.safetensors")
    >>> io.save(NeuralODERegressor(augment_dim=2), path)
    >>> io.load(path)
    NeuralODERegressor(augment_dim=2)
    """
    safetensors = _safetensors()
    header, arrays = _packed(estimator)
    text = json.dumps(header)
    _check_length(text)
    safetensors.save_file(arrays, path, metadata={"skdyn": text})


@overload
def load(
    path: str | os.PathLike[str], kind: None = None, *, trusted: Sequence[type] = ()
) -> BaseEstimator: ...


@overload
def load(path: str | os.PathLike[str], kind: type[T], *, trusted: Sequence[type] = ()) -> T: ...


def load(
    path: str | os.PathLike[str], kind: type | None = None, *, trusted: Sequence[type] = ()
) -> Any:
    """Read an estimator written by :func:`save`.

    Parameters
    ----------
    path : str or path-like
        The file.
    kind : type or None, default=None
        Class that is expected: a file of another one is refused, and type checkers know what comes
        back. None takes any.
    trusted : sequence of classes, default=()
        Estimator classes from outside skdyn that the file may name. Their attributes need no
        declaration: they are restored as the plain values they are, and what these classes do
        with them is theirs to answer for.

    Returns
    -------
    estimator
        As it was saved; on a machine without the device it was trained on, on the CPU.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not one of :func:`save`'s, is of a newer version, names an unknown class or
        none of `kind`, or holds anything else than its classes declare; the message names the file.
    MissingExtraError
        If safetensors is not installed.
    """
    _safetensors()
    if not Path(path).is_file():
        raise FileNotFoundError(f"No file at {str(path)!r}.")
    try:
        thing = _restored(*_content(path), trusted)
    except _FAILURES as error:
        raise ValueError(f"{str(path)!r} cannot be loaded: {error}") from error
    if kind is not None and not isinstance(thing, kind):
        raise ValueError(f"{str(path)!r} holds a {type(thing).__name__}, not a {kind.__name__}.")
    return thing


def _content(path):
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get("skdyn")
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"it is not a safetensors file ({error}).") from error
    if text is None:
        raise ValueError("it was not written by skdyn.io.save.")
    return text, arrays


def _parsed(text):
    _check_length(text)

    def distinct(pairs):
        if len(dict(pairs)) < len(pairs):
            raise ValueError("a name occurs twice in its header.")
        return dict(pairs)

    header = json.loads(text, object_pairs_hook=distinct)
    if not isinstance(header, dict):
        raise ValueError("its header is no dict.")
    return header


def _check_length(text):
    if text.count("{") + text.count("[") > _MOST_BRACKETS:
        raise ValueError(f"it holds more than {_MOST_BRACKETS} lists and dicts.")


def _check_version(header):
    """Refuse a newer format; return what to say of the version if anything else goes wrong."""
    version, number = header.get("skdyn_version"), header.get("format")
    if not isinstance(version, str) or type(number) is not int or len(version) > 40:
        raise ValueError("it was not written by skdyn.io.save.")
    if not 1 <= number <= _FORMAT:
        raise ValueError(
            f"it is of format {number}, written by skdyn {version}; skdyn {skdyn.__version__} "
            f"reads formats 1 to {_FORMAT}. Update skdyn, or save the model again."
        )
    if _numbers(version) == _numbers(skdyn.__version__):
        return ""
    newer = _numbers(version) > _numbers(skdyn.__version__)
    remedy = "Update skdyn." if newer else "Load it there, or fit and save it again."
    return f" It was written by skdyn {version}, and this is {skdyn.__version__}. {remedy}"


def _numbers(version):
    return [int(digits) for digits in re.findall(r"\d{1,9}", version)[:3]]


def _safetensors():
    try:
        import safetensors.numpy
    except ImportError as error:
        raise MissingExtraError(
            "skdyn.io needs safetensors. Install it with: pip install 'skdyn[io]'"
        ) from error
    return safetensors.numpy


# -- writing ---------------------------------------------------------------------------------


def _packed(estimator):
    """Return the header of an estimator's file, and its arrays."""
    arrays = {}
    written = {"format": _FORMAT, "skdyn_version": skdyn.__version__}
    return {**written, **_pack_object(estimator, "", arrays)}, arrays


def _has_state_of_ours(value):
    """Whether it is of a public class that is no estimator but restores itself from plain state."""
    ours = getattr(skdyn, type(value).__name__, None) is type(value)
    return ours and hasattr(value, "__setstate__")


def _pack_object(thing, where, arrays):
    state = {name: v for name, v in thing.__getstate__().items() if name not in _SESSION_ONLY}
    packed = _pack(state, where, arrays)
    _check_parameters(type(thing), state)
    return {"class": type(thing).__name__, "state": packed}


def _check_parameters(cls, state):
    constraints = getattr(cls, "_parameter_constraints", {})
    named = parameter_names(cls) & state.keys() & constraints.keys()
    check_parameters(cls.__name__, constraints, {name: state[name] for name in named})


def _pack(value, where, arrays):
    """Turn a value into JSON, moving numeric arrays into ``arrays`` under their place's name."""
    if isinstance(value, np.generic) and value.dtype.kind in "biufU":
        # Asked before the plain values, from which some of these types derive.
        return {"scalar": value.item(), "dtype": value.dtype.str}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, BaseEstimator) or _has_state_of_ours(value) or is_plain_kernel(value):
        return _pack_object(value, where, arrays)
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        arrays[where] = value.copy(order="C")
        return {"array": where}
    if isinstance(value, np.ndarray) and value.dtype.kind in "OU" and value.ndim == 1:
        labels = [_pack(label, f"{where}.{i}", arrays) for i, label in enumerate(value.tolist())]
        narrow = value.dtype.kind == "U" and _is_borne_out(value.dtype, labels)
        return {"labels": labels, "dtype": value.dtype.str if narrow else "|O"}
    if isinstance(value, list | tuple):
        packed = [_pack(item, f"{where}.{i}", arrays) for i, item in enumerate(value)]
        return {"list" if isinstance(value, list) else "tuple": packed}
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {"dict": {k: _pack(v, f"{where}.{k}".lstrip("."), arrays) for k, v in value.items()}}
    raise TypeError(
        f"{where!r} is a {type(value).__name__}, which the safe format does not hold. Use plain "
        "values (an int for random_state, say), or pickle the estimator."
    )


def _is_borne_out(dtype, labels):
    """Whether an array of texts takes no more memory than a few times its labels."""
    return dtype.itemsize * len(labels) <= 8 * sum(map(len, labels)) + 256


# -- reading ---------------------------------------------------------------------------------


def _restored(text, arrays, trusted=()):
    """Return the estimator of a header and its arrays."""
    header = _parsed(text)
    written_by = _check_version(header)
    try:
        return _unpacked(header, arrays, trusted)
    except _FAILURES as error:
        raise ValueError(f"{error}{written_by}") from error


def _unpacked(header, arrays, trusted):
    reader = _Reader(arrays, trusted)
    if header.keys() != {"format", "skdyn_version", "class", "state"}:
        raise ValueError(f"its header has the names {sorted(header)}.")
    thing = reader.read({"class": header["class"], "state": header["state"]})
    if reader.unused:
        raise ValueError(f"it holds the arrays {sorted(reader.unused)}, which nothing names.")
    return thing


_FORMS = {
    frozenset({"class", "state"}): "_object",
    frozenset({"array"}): "_array",
    frozenset({"scalar", "dtype"}): "_scalar",
    frozenset({"labels", "dtype"}): "_labels",
    frozenset({"dict"}): "_dict",
    frozenset({"list"}): "_items",
    frozenset({"tuple"}): "_items",
}


class _Reader:
    """Reads the nodes of a header: each is a plain value, or a dict of one of few forms."""

    def __init__(self, arrays, trusted):
        self._arrays, self.unused = arrays, set(arrays)
        self._trusted = {cls.__name__: cls for cls in trusted}

    def read(self, node: Any, depth: int = 0) -> Any:
        if depth > _DEEPEST:
            raise ValueError(f"it is nested more than {_DEEPEST} deep.")
        if isinstance(node, list):
            raise ValueError("a list stands where none can.")
        if not isinstance(node, dict):
            return _plain(node)
        form = _FORMS.get(frozenset(node))
        if form is None:
            raise ValueError(f"a node has the names {sorted(node)}, which are none of a kind.")
        return getattr(self, form)(node, depth + 1)

    def _object(self, node, depth):
        cls: Any = self._class(_text(node["class"]))
        state = self.read(node["state"], depth)
        if not isinstance(state, dict):
            raise ValueError(f"the state of {cls.__name__} is no dict.")
        if state.keys() & LIVE_NAMES:
            raise ValueError(f"the state of {cls.__name__} names objects of a session.")
        if class_of_kernel(cls.__name__) is cls:
            return rebuilt_kernel(cls, state)
        _check_parameters(cls, state)
        thing = cls.__new__(cls)
        thing.__setstate__(state)
        return thing

    def _class(self, name):
        cls = self._trusted.get(name) or (getattr(skdyn, name) if name in skdyn.__all__ else None)
        if isinstance(cls, type) and hasattr(cls, "__setstate__"):
            return cls
        if (kernel := class_of_kernel(name)) is not None:
            return kernel
        raise ValueError(
            f"it holds a {name!r}, which is no estimator of skdyn. If you trust the class, pass "
            "it: load(path, trusted=[TheClass])."
        )

    def _array(self, node, depth):
        name = _text(node["array"])
        if name not in self.unused:
            raise ValueError(f"it has no array {name!r}, or names it twice.")
        self.unused.remove(name)
        return self._arrays[name]

    def _scalar(self, node, depth):
        dtype = _dtype(node["dtype"], "biufU")
        value = _plain(node["scalar"])
        kinds = {"b": bool, "i": int, "u": int, "f": float, "U": str}
        if not isinstance(value, kinds[dtype.kind]) or (dtype.kind in "iu" and value is True):
            raise ValueError(f"{value!r} is no scalar of dtype {dtype}.")
        return dtype.type(value)

    def _labels(self, node, depth):
        dtype, labels = _dtype(node["dtype"], "OU"), node["labels"]
        if not isinstance(labels, list) or any(isinstance(v, list | dict) for v in labels):
            raise ValueError("labels are no list of plain values.")
        labels = [_plain(label) for label in labels]
        if dtype.kind == "U" and (
            not _is_borne_out(dtype, list(map(_text, labels)))
            or any(4 * len(_text(label)) > dtype.itemsize for label in labels)
        ):
            raise ValueError(f"its labels are not of the width of {dtype}.")
        array = np.empty(len(labels), dtype=dtype)
        array[:] = labels
        return array

    def _dict(self, node, depth):
        if not isinstance(node["dict"], dict):
            raise ValueError("a dict is none.")
        return {name: self.read(value, depth) for name, value in node["dict"].items()}

    def _items(self, node, depth):
        ((kind, items),) = node.items()
        if not isinstance(items, list):
            raise ValueError(f"a {kind} is none.")
        values = [self.read(item, depth) for item in items]
        return values if kind == "list" else tuple(values)


def _plain(value):
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        raise ValueError("an integer is beyond 64 bits.")
    return value


def _text(value):
    if not isinstance(value, str):
        raise ValueError(f"{value!r:.60} stands where a text should.")
    return value


def _dtype(text, kinds):
    """Return a dtype of the plain ones; numpy reads whole programs of others."""
    known = re.fullmatch(r"[|](O)|[<>|=]([biufU])\d{1,9}", _text(text))
    if not known or (known[1] or known[2]) not in kinds:
        raise ValueError(f"{text!r:.60} is no dtype that a file holds.")
    return np.dtype(text)
