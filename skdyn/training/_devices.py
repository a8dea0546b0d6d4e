"""Which device and which precision a fit runs in."""

from collections.abc import Callable

import numpy as np
import torch

# Multiply-adds of a pass over a batch below which a CPU is done before a GPU has been told what to
# do: launching the kernels of a step takes a millisecond, in which a core does about so many.
_PAYS = 2**24
_SHARE = 2**-18  # of a GPU's free memory, in bytes, that is the number of rows worked on at once
_DTYPES = {"float32": torch.float32, "float64": torch.float64}


def resolve_device(device: str, work: Callable[[], int] | None = None) -> torch.device:
    """Turn an estimator's ``device`` parameter into a device that is present.

    Parameters
    ----------
    device : str
        "auto" takes CUDA where there is one and it pays, else the CPU; otherwise a torch device
        string.
    work : callable or None, default=None
        ``work()`` returns the multiply-adds of a pass over a batch; CUDA pays from 2^24 on. It is
        called only where there is a choice. None is much.

    Returns
    -------
    torch.device

    Raises
    ------
    ValueError
        If torch does not know the name or the device is not present.
    """
    if device == "auto":
        pays = torch.cuda.is_available() and (work is None or work() >= _PAYS)
        return torch.device("cuda" if pays else "cpu")
    try:
        resolved = torch.device(device)
        torch.empty(0, device=resolved)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"device={device!r} cannot be used here: {reason} Use device='auto' or 'cpu'."
        ) from error
    if resolved.type == "meta":
        raise ValueError("device='meta' holds no numbers. Use device='auto' or 'cpu'.")
    return resolved


def is_near(tensor: torch.Tensor) -> bool:
    """Say whether the host may look at a tensor's numbers at no cost: they lie in its memory.

    Elsewhere it would wait until all that was begun is done. What can be had in two ways, by a
    look or by more arithmetic, goes by this.

    Parameters
    ----------
    tensor : Tensor
        The tensor.

    Returns
    -------
    bool
    """
    return tensor.device.type == "cpu"


def counted(numbers: torch.Tensor, n: int) -> torch.Tensor:
    """Return how often each of n numbers comes.

    Parameters
    ----------
    numbers : Tensor of shape (n_numbers,)
        Whole numbers from 0 to n - 1.
    n : int
        How many different ones there may be.

    Returns
    -------
    Tensor of shape (n,)
    """
    if is_near(numbers):
        return torch.bincount(numbers, minlength=n)
    counts = torch.zeros(n, dtype=torch.int64, device=numbers.device)
    return counts.scatter_add_(0, numbers.long(), torch.ones_like(numbers, dtype=torch.int64))


def rows_at_once(device: torch.device, on_host: int) -> int:
    """Return how many rows, or points, are answered at once.

    Parameters
    ----------
    device : torch.device
        Where.
    on_host : int
        What suits the caches of a CPU; a GPU takes more where it has the memory for it.

    Returns
    -------
    int
    """
    if device.type != "cuda":
        return on_host
    free, _ = torch.cuda.mem_get_info(device)
    return max(on_host, int(free * _SHARE))


def sent(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Return a tensor of the host on a device; towards CUDA, nobody waits for it.

    Parameters
    ----------
    tensor : Tensor
        On the host.
    device : torch.device
        Where it is needed.

    Returns
    -------
    Tensor
    """
    if device.type != "cuda" or tensor.device.type != "cpu":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def resolve_dtype(dtype: str | np.dtype, device: torch.device | None = None) -> torch.dtype:
    """Turn "float32" or "float64" (or a numpy dtype of that name) into torch's dtype.

    Parameters
    ----------
    dtype : str or numpy.dtype
        The precision's name.
    device : torch.device or None, default=None
        Where it is needed: MPS has no float64 and computes in float32.

    Returns
    -------
    torch.dtype
    """
    if device is not None and device.type == "mps":
        return torch.float32
    return _DTYPES[str(dtype)]
