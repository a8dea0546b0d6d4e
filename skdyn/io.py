"""Save and load fitted estimators without code execution: safetensors and JSON in one file.

A pickle runs whatever it holds; this format holds numbers and names only. The class of an
estimator, and of each estimator it is made of, is looked up among skdyn's own (and those the reader
names), never imported by a path in the file.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator

import skdyn
from skdyn.exceptions import MissingExtraError

__all__ = ["load", "save"]

_FORMAT = 2  # 1 held no estimators within estimators
_SESSION_ONLY = {"_skl_callbacks"}  # live objects of a session, not part of a model


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
    arrays = {}
    header = {
        "format": _FORMAT,
        "skdyn_version": skdyn.__version__,
        **_pack_object(estimator, "", arrays),
    }
    _safetensors().save_file(arrays, path, metadata={"skdyn": json.dumps(header)})


def load(path: str | os.PathLike[str], *, trusted: Sequence[type] = ()) -> BaseEstimator:
    """Read an estimator written by :func:`save`.

    Parameters
    ----------
    path : str or path-like
        The file.
    trusted : sequence of classes, default=()
        Estimator classes from outside skdyn that the file may name.

    Returns
    -------
    estimator
        As it was saved; on a machine without the device it was trained on, on the CPU.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not one of :func:`save`'s or names an unknown class.
    MissingExtraError
        If safetensors is not installed.
    """
    _safetensors()
    from safetensors import SafetensorError, safe_open

    if not Path(path).is_file():
        raise FileNotFoundError(f"No file at {str(path)!r}.")
    try:
        with safe_open(path, framework="numpy") as file:
            header = json.loads((file.metadata() or {}).get("skdyn", "null"))
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise ValueError(f"{str(path)!r} is not a safetensors file: {error}") from error
    if header is None or header["format"] > _FORMAT:
        raise ValueError(
            f"{str(path)!r} was not written by skdyn.io.save of this version or an earlier one "
            f"(here: {skdyn.__version__}). Save it again, or update skdyn."
        )
    return _unpack_object(header, arrays, trusted)


def _safetensors():
    try:
        import safetensors.numpy
    except ImportError as error:
        raise MissingExtraError(
            "skdyn.io needs safetensors. Install it with: pip install 'skdyn[io]'"
        ) from error
    return safetensors.numpy


def _known_class(name, trusted):
    known = {cls.__name__: cls for cls in trusted}
    cls = known.get(name) or (getattr(skdyn, name) if name in skdyn.__all__ else None)
    if isinstance(cls, type) and hasattr(cls, "__setstate__"):
        return cls
    raise ValueError(
        f"The file holds a {name!r}, which is no estimator of skdyn. If you trust the class, pass "
        "it: load(path, trusted=[TheClass])."
    )


def _has_state_of_ours(value):
    """Whether it is of a public class that is no estimator but restores itself from plain state."""
    ours = getattr(skdyn, type(value).__name__, None) is type(value)
    return ours and hasattr(value, "__setstate__")


def _pack_object(thing, where, arrays):
    state = {name: v for name, v in thing.__getstate__().items() if name not in _SESSION_ONLY}
    return {"class": type(thing).__name__, "state": _pack(state, where, arrays)}


def _unpack_object(packed, arrays, trusted):
    cls = _known_class(packed["class"], trusted)
    thing = cls.__new__(cls)
    thing.__setstate__(_unpack(packed["state"], arrays, trusted))
    return thing


def _pack(value, where, arrays):
    """Turn a value into JSON, moving numeric arrays into ``arrays`` under their place's name."""
    if isinstance(value, np.generic) and value.dtype.kind in "biufU":
        # Asked before the plain values, from which some of these types derive.
        return {"scalar": value.item(), "dtype": value.dtype.str}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, BaseEstimator) or _has_state_of_ours(value):
        return _pack_object(value, where, arrays)
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        arrays[where] = value.copy(order="C")
        return {"array": where}
    if isinstance(value, np.ndarray) and value.dtype.kind in "OU" and value.ndim == 1:
        labels = [_pack(label, f"{where}.{i}", arrays) for i, label in enumerate(value.tolist())]
        return {"labels": labels, "dtype": value.dtype.str}
    if isinstance(value, list | tuple):
        packed = [_pack(item, f"{where}.{i}", arrays) for i, item in enumerate(value)]
        return {"list" if isinstance(value, list) else "tuple": packed}
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {"dict": {k: _pack(v, f"{where}.{k}".lstrip("."), arrays) for k, v in value.items()}}
    raise TypeError(
        f"{where!r} is a {type(value).__name__}, which the safe format does not hold. Use plain "
        "values (an int for random_state, say), or pickle the estimator."
    )


def _unpack(packed, arrays, trusted):
    if not isinstance(packed, dict):
        return packed
    if "class" in packed:
        return _unpack_object(packed, arrays, trusted)
    if "array" in packed:
        return arrays[packed["array"]]
    if "scalar" in packed:
        return np.dtype(packed["dtype"]).type(packed["scalar"])
    if "dict" in packed:
        return {key: _unpack(value, arrays, trusted) for key, value in packed["dict"].items()}
    kind = next(kind for kind in ("labels", "list", "tuple") if kind in packed)
    items = [_unpack(item, arrays, trusted) for item in packed[kind]]
    if kind == "labels":
        return np.array(items, dtype=packed["dtype"])
    return items if kind == "list" else tuple(items)
