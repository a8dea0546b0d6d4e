"""A module from arrays and a configuration, which may both have been forged.

The module is built on torch's meta device first, where a tensor has a shape and no memory. Only
when its weights are those that are there, one by one, is it built in earnest.
"""

import inspect
from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from skdyn._state import check_size, read_value
from skdyn._validation import check_parameters
from skdyn.training import arrays_to_state, seeded_rng, state_to_arrays

__all__ = ["rebuilt_module"]

# Tensors made while a module is built, about 8 for each it keeps: a forged number of layers stops.
_TENSORS, _TENSORS_AN_ARRAY = 500, 50
# A skeleton has no numbers to draw; on the meta device each draw still goes through Python.
_DRAWN_IN_PLACE = {torch.Tensor.uniform_, torch.Tensor.normal_, torch.nn.init.kaiming_uniform_}
_DRAWN = {torch.rand, torch.randn}
_OF_ONE_SHAPE = {torch.nn.functional.normalize}  # nor to compute
_AS_IT_IS = _DRAWN_IN_PLACE | _OF_ONE_SHAPE
_ITEMS = 16  # of a tuple in a configuration; more where there are as many weights


def rebuilt_module(
    build: Callable[..., torch.nn.Module],
    config: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
    *,
    constraints: Mapping[str, list] = MappingProxyType({}),
    no_sizes: Collection[str] = (),
    not_finite: Collection[str] = (),
    may_lack: Collection[str] = (),
) -> torch.nn.Module:
    """Build a module and give it its weights.

    Parameters
    ----------
    build : callable
        ``build(**config)`` returns the module. Where its return is annotated, the annotations of
        that class's constructor say of what kinds the configuration is.
    config : dict of str to object
        Numbers, texts, and tuples of them.
    arrays : dict of str to ndarray
        The weights.
    constraints : dict of str to list, default={}
        What texts and fractions of these names may be, as scikit-learn writes it.
    no_sizes : collection of str, default=()
        Integers of ``config`` that are no sizes, and may be large.
    not_finite : collection of str, default=()
        Arrays that may hold NaN and infinity.
    may_lack : collection of str, default=()
        Arrays that were added later: where they are not there, a new module's are right.

    Returns
    -------
    torch.nn.Module
        In the arrays' precision and in evaluation mode.

    Raises
    ------
    ValueError
        If the configuration builds no module, or another one than the arrays are of.
    """
    _check_arrays(arrays, not_finite)
    config = _read_config(build, config)
    _check_config(config, arrays, constraints, no_sizes)
    try:
        with _Skeletons(_TENSORS + _TENSORS_AN_ARRAY * len(arrays)), torch.device("meta"):
            skeleton = build(**config).state_dict()
    except Exception as error:  # whatever a forged configuration runs into
        raise ValueError(f"Its configuration builds no module: {error}") from error
    lacking = (skeleton.keys() - arrays.keys()) & set(may_lack)
    _compare({name: skeleton[name] for name in skeleton.keys() - lacking}, arrays)
    with seeded_rng(0):  # every weight drawn here is overwritten at once
        module = build(**config)
    new = state_to_arrays(module)
    return arrays_to_state(module, {**arrays, **{name: new[name] for name in lacking}})


class _Skeletons(TorchFunctionMode):
    """Lets a number of skeletons of tensors be made, and nothing be drawn for them."""

    def __init__(self, most):
        super().__init__()
        self._left = most

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function in _AS_IT_IS:
            tensor = args[0] if args else kwargs["tensor"]
            if tensor.is_meta:
                return tensor
        if function in _DRAWN and torch.device(kwargs.get("device", "cpu")).type == "meta":
            function = torch.empty
            kwargs = {name: value for name, value in kwargs.items() if name != "generator"}
        made = function(*args, **kwargs)
        if isinstance(made, torch.Tensor) and made.is_meta:
            self._left -= 1
        if self._left < 0:
            raise ValueError("it has far more parts than there are weights")
        return made


def _read_config(build, config):
    module = inspect.get_annotations(build, eval_str=True).get("return")
    if module is None:
        return config
    kinds = inspect.get_annotations(module.__init__, eval_str=True)
    return {k: read_value(value, kinds.get(k, object), k) for k, value in config.items()}


def _check_config(config, arrays, constraints, no_sizes):
    n_numbers = sum(array.size for array in arrays.values())
    named = {name: value for name, value in config.items() if isinstance(value, str | float)}
    check_parameters(
        "The module", constraints, {k: v for k, v in named.items() if k in constraints}
    )
    for name in config.keys() - set(no_sizes):
        _check_sizes(config[name], n_numbers, max(_ITEMS, len(arrays)), name)


def _check_sizes(value, n_numbers, n_items, name):
    if isinstance(value, tuple | list):
        if len(value) > n_items:
            raise ValueError(f"{name} of the module has more entries than there are weights.")
        for item in value:
            _check_sizes(item, n_numbers, n_items, name)
    elif isinstance(value, int) and not isinstance(value, bool):
        check_size(value, n_numbers, f"{name} of the module")


def _check_arrays(arrays, not_finite):
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiub":
            raise ValueError(f"{name} of the module must be an array of numbers.")
        if array.dtype.kind == "f" and name not in not_finite and not np.isfinite(array).all():
            raise ValueError(f"{name} of the module holds NaN or infinity.")


def _compare(skeleton, arrays):
    """Refuse arrays of other names, shapes or kinds than a module has."""
    if skeleton.keys() != arrays.keys():
        raise ValueError(
            "The module's weights and its configuration disagree about the names "
            f"{sorted(skeleton.keys() ^ arrays.keys())}."
        )
    floats = {array.dtype for array in arrays.values() if array.dtype.kind == "f"}
    if len(floats) > 1 or not floats <= {np.dtype("float32"), np.dtype("float64")}:
        raise ValueError(f"The module's weights are of several precisions, or of none: {floats}.")
    for name, tensor in skeleton.items():
        array = arrays[name]
        same_kind = tensor.is_floating_point() == (array.dtype.kind == "f")
        if not tensor.is_floating_point():
            same_kind = str(tensor.dtype) == f"torch.{array.dtype}"
        if tuple(tensor.shape) != array.shape or not same_kind:
            raise ValueError(
                f"{name} of the module must be of shape {tuple(tensor.shape)} and dtype like "
                f"{tensor.dtype}; got shape {array.shape} and dtype {array.dtype}."
            )
