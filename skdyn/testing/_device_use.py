"""What a device would be asked for, counted without one: kernels, and waits of the host for it."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self
from unittest.mock import patch

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from skdyn.training._devices import is_near

__all__ = ["DeviceUse", "as_if_away"]

# Operators after which the host must know what the device computed: a number, or a size.
_ASKED = {
    *(
        "_local_scalar_dense",
        "nonzero",
        "masked_select",
        "equal",
        "bincount",
        "_linalg_check_errors",
    ),
    *("_unique", "_unique2", "unique_dim", "unique_consecutive", "histc", "is_set_to"),
}
_NOTHING = {"empty", "empty_like", "empty_strided", "new_empty", "detach_", "squeeze_", "set_"}
_BY_MASK = {"index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index"}
# Functions that move numbers to the host without an operator, where they are there already.
_FETCHED = {"tolist", "numpy", "cpu", "__array__"}
_SENT = {"tensor", "new_tensor", "from_numpy"}  # from the host, and the host waits
_MADE = {  # on the host, unless a device or a generator of the host is named
    *("arange", "empty", "eye", "full", "linspace", "logspace", "ones", "zeros"),
    *("rand", "randint", "randn", "randperm", "normal", "tril_indices", "triu_indices"),
}


class DeviceUse(TorchFunctionMode):
    """Count what is done in a block as if its tensors lay on a device of their own.

    On the CPU a value is read as soon as it is asked for; on a GPU the host waits until all that
    was begun is done. Whether a step waits can so be told on any machine.

    Attributes
    ----------
    n_kernels : int
        Operators that compute; views are none.
    waits : Counter
        Number of waits by what made them and where: ``"nonzero, _sorted"``.
    devices : Counter
        Number of tensors made, by the type of their device. A number that is put into an
        expression lies on the CPU and costs nothing; it is not counted.

    Examples
    --------
    >>> import torch
    >>> from skdyn.testing._device_use import DeviceUse
    >>> with DeviceUse() as use:
    ...     _ = torch.arange(3, device="cpu").sum().item()
    >>> use.n_kernels, sum(use.waits.values())
    (2, 1)
    """

    def __init__(self) -> None:
        super().__init__()
        self.n_kernels = 0
        self.waits: Counter[str] = Counter()
        self.devices: Counter[str] = Counter()
        self._operators = _Operators(self)

    @property
    def n_waits(self) -> int:
        """Number of waits."""
        return sum(self.waits.values())

    def __enter__(self) -> Self:
        super().__enter__()
        self._operators.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._operators.__exit__(*error)
        super().__exit__(*error)

    def __torch_function__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        name = getattr(func, "__name__", "")
        kwargs = kwargs or {}
        placed = kwargs.get("device") is not None or kwargs.get("generator") is not None
        made = not placed and func is getattr(torch, name, None) and name in _MADE
        if made or name in _FETCHED or name in _SENT:
            self.note_wait(name)
        return func(*args, **kwargs)

    def note_wait(self, name: str) -> None:
        """Count a wait.

        Parameters
        ----------
        name : str
            What made it.
        """
        frame: Any = sys._getframe(1)
        while frame and not _is_of_ours(frame):
            frame = frame.f_back
        self.waits[f"{name}, {frame.f_code.co_name if frame else 'autograd'}"] += 1


class _Operators(TorchDispatchMode):
    def __init__(self, use):
        super().__init__()
        self.use = use

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        kwargs = kwargs or {}
        made = func(*args, **kwargs)
        name = func._schema.name.removeprefix("aten::")
        if _waits(name, args, kwargs):
            self.use.note_wait(name)
        elif not (_is_view(func) or name in _NOTHING or "profiler" in name):
            self.use.n_kernels += 1
        for one in made if isinstance(made, tuple | list) else (made,):
            if isinstance(one, torch.Tensor):
                self.use.devices[one.device.type] += 1
        return made


def _waits(name, args, kwargs):
    if name in _BY_MASK:
        masks = [one for one in args[1] if one is not None and one.dtype == torch.bool]
        filled = name != "index" and len(args) > 2 and args[2].numel() == 1  # a masked fill
        return bool(masks) and not filled
    if name == "repeat_interleave":
        return kwargs.get("output_size") is None
    if name == "_to_copy":
        there = kwargs.get("device")
        return there is not None and torch.device(there).type != args[0].device.type
    return name in _ASKED


def _is_view(func):
    """Whether an operator only looks at memory that there is."""
    returns = func._schema.returns
    return any(one.alias_info and not one.alias_info.is_write for one in returns)


def _is_of_ours(frame):
    path = Path(frame.f_code.co_filename)
    return "skdyn" in path.parts and path.name != Path(__file__).name


@contextmanager
def as_if_away() -> Iterator[None]:
    """Go the ways that are meant for a device of its own, on the CPU.

    Yields
    ------
    None
        Nothing.
    """
    asking = [
        module for name, module in sys.modules.items()
        if name.startswith("skdyn.") and getattr(module, "is_near", None) is is_near
    ]  # fmt: skip
    with ExitStack() as changed:
        for module in asking:
            changed.enter_context(patch.object(module, "is_near", lambda tensor: False))
        yield
