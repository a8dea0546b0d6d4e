"""scikit-learn's kernels as plain values: what files of :mod:`skdyn.io` may hold of them.

They are names and positive numbers, and kernels within kernels; anything else is refused.
"""

from collections.abc import Mapping
from inspect import signature
from numbers import Real
from typing import Any

import numpy as np

__all__ = ["class_of_kernel", "is_plain_kernel", "rebuilt_kernel"]

_MODULE = "sklearn.gaussian_process.kernels"
_NAMES = frozenset({
    "ConstantKernel", "DotProduct", "ExpSineSquared", "Exponentiation", "Matern", "Product", "RBF",
    "RationalQuadratic", "Sum", "WhiteKernel",
})  # fmt: skip
_KERNELS_WITHIN = frozenset({"k1", "k2", "kernel"})
_MAY_BE_ZERO = frozenset({"constant_value", "noise_level", "sigma_0"})
_SMALLEST, _LARGEST = 1e-100, 1e100  # kernels take squares of numbers, and divide by them


def is_plain_kernel(value: object) -> bool:
    """Tell whether a value is a kernel of scikit-learn that a file may hold.

    Parameters
    ----------
    value : object
        Any value.

    Returns
    -------
    bool
    """
    cls = type(value)
    return cls.__module__ == _MODULE and cls.__name__ in _NAMES


def class_of_kernel(name: str) -> type | None:
    """Return the class of such a kernel.

    Parameters
    ----------
    name : str
        Its name.

    Returns
    -------
    type or None
        None for any other name.
    """
    if name not in _NAMES:
        return None
    from sklearn.gaussian_process import kernels  # only where a file holds one

    return getattr(kernels, name)


def rebuilt_kernel(cls: Any, state: Mapping) -> Any:
    """Make a kernel from its parameters.

    Parameters
    ----------
    cls : type
        One of :func:`class_of_kernel`.
    state : dict of str to object
        The parameters.

    Returns
    -------
    kernel

    Raises
    ------
    ValueError
        If one is missing, unknown, or of another kind.
    """
    from sklearn.gaussian_process.kernels import Kernel

    if state.keys() != signature(cls).parameters.keys():
        raise ValueError(f"a {cls.__name__} has the parameters {sorted(state)}.")
    for name, value in state.items():
        if name in _KERNELS_WITHIN:
            right = isinstance(value, Kernel)
        elif name.endswith("_bounds") and isinstance(value, str):
            right = value == "fixed"
        elif name.endswith("_bounds"):
            right = _are_within(value, 0.0, np.inf)
        else:
            least = 0.0 if name in _MAY_BE_ZERO else _SMALLEST
            right = _are_within(value, least, _LARGEST)
            right = right and (name == "length_scale" or isinstance(value, Real))
        if not right:
            raise ValueError(f"{name} of a {cls.__name__} is {value!r:.60}.")
    return cls(**state)


def _are_within(value, least, most):
    """Whether it is a number, or numbers, between two others."""
    try:
        values = np.asarray(value)
    except ValueError:  # lists of unequal lengths
        return False
    plain = values.dtype.kind in "iuf" and values.size > 0
    return plain and bool(((values >= least) & (values <= most)).all())
