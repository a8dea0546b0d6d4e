"""Memory of a fit on an array larger than it is allowed to hold.

An array on disk (``--gigabytes``) is fitted for one epoch, scored and transformed by a process
whose limit is the sum of what it held before, four times the weights (gradients and two moments
beside them) and ``--allowed`` gigabytes. The system enforces it (RLIMIT_DATA, which counts all
private memory), and the first line shows that it bites. "peak" is the largest resident set, mapped
pages of the file included, above the one before. Linux only.
"""

import multiprocessing
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from skdyn import SparseAutoencoder

GB = 1024**3


def add_arguments(parser):
    parser.add_argument("--gigabytes", type=float, default=4.0, help="size of the array on disk")
    parser.add_argument("--allowed", type=float, default=1.5, help="gigabytes above the weights")
    parser.add_argument("--features", type=int, default=512)
    parser.add_argument("--latents", type=int, default=1024)
    parser.add_argument("--k", type=int, default=16)
    parser.add_argument("--batch", type=int, default=4096)
    parser.add_argument("--folder", default=None, help="where the array lies for the while")


def write(path, n_rows, n_features):
    """Write rows that are sums of a few directions; each block has signs of its own."""
    rng = np.random.default_rng(0)
    n_block = min(n_rows, 2**15)
    codes = rng.exponential(size=(n_block, 4 * n_features)) * (rng.random((n_block, 1)) < 0.1)
    directions = rng.normal(size=(4 * n_features, n_features))
    block = (codes @ directions).astype("f")
    X = np.lib.format.open_memmap(path, "w+", dtype="f", shape=(n_rows, n_features))
    for start in range(0, n_rows, n_block):
        signs = rng.choice(np.array([-1, 1], dtype="f"), n_features)
        X[start : start + n_block] = (block * signs)[: n_rows - start]
    X.flush()


def status(name):
    """Return a size that the system tells of this process, in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status tells no {name}: this needs Linux.")


def measure(path, args):
    """Fit, score and transform under the limit; in a process of its own."""
    torch.set_num_threads(1)
    model = SparseAutoencoder(
        args.latents, k=args.k, batch_size=args.batch, max_iter=1, output="csr",
        random_state=0,
    )  # fmt: skip
    small = np.random.default_rng(0).normal(size=(2 * args.batch, args.features)).astype("f")
    model.fit(small).transform(small)  # loads what loads late
    X = np.load(path, mmap_mode="r")
    weights = 4 * sum(weight.nbytes for weight in model.module_.parameters())
    limit = status("VmData") + weights + int(args.allowed * GB)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    before = status("VmRSS")
    print(f"{X.nbytes / GB:.2f} GB of {len(X)} rows; allowed: {args.allowed} GB and the weights")
    try:
        np.array(X)
        print("np.array(X)     the limit does not bite")
    except MemoryError:
        print("np.array(X)     MemoryError")
    for name in ("fit", "score", "transform"):
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        start = time.perf_counter()
        result = getattr(model, name)(X)
        seconds, peak = time.perf_counter() - start, status("VmHWM") - before
        print(
            f"{name:12s} {seconds:6.1f} s {len(X) / seconds:10.0f} rows/s   "
            f"peak {peak / GB:5.2f} GB",
            flush=True,
        )
        if name == "transform":
            print(f"             codes {(result.data.nbytes + result.indices.nbytes) / GB:.2f} GB")


def run(args):
    n_rows = int(args.gigabytes * GB / 4 / args.features)
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        path = Path(folder) / "rows.npy"
        write(path, n_rows, args.features)
        process = multiprocessing.get_context("spawn").Process(target=measure, args=(path, args))
        process.start()
        process.join()
    if process.exitcode:
        raise SystemExit(f"The process ended with {process.exitcode}.")
