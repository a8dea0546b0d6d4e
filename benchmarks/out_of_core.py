"""Memory that a fit takes of rows and fields on disk: RssAnon at its peak beside the files' size.

python benchmarks/out_of_core.py [GIGABYTES]
"""

import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path

import numpy as np

from skdyn import FNORegressor, KANRegressor, NeuralODERegressor

N_COLUMNS, N_BLOCK = 256, 2**14
GRID, N_FIELDS = (64, 64), 2**10  # in a block


def anonymous():
    """Return the process's memory that is no file, in GB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("RssAnon:")[1].split()[0]) / 2**20


def made(path, n_rows):
    """Write standard normal rows, and return them as a memmap with targets."""
    rng, targets = np.random.default_rng(0), []
    with path.open("wb") as file:
        for _ in range(n_rows // N_BLOCK):
            block = rng.standard_normal((N_BLOCK, N_COLUMNS), dtype=np.float32)
            block.tofile(file)
            targets.append(np.sin(block[:, 0]) + block[:, 1])
    y = np.concatenate(targets)
    return np.memmap(path, np.float32, "r", shape=(len(y), N_COLUMNS)), y


def made_fields(folder, n_fields):
    """Write random waves, and their squares as targets; return both as memmaps."""
    rng, names = np.random.default_rng(0), (folder / "fields", folder / "answers")
    k, x = np.arange(1, 9), np.linspace(0, np.pi, GRID[0])
    waves = (np.sin(k[:, None] * x)[:, :, None] * np.cos(k[:, None] * x)[:, None]).reshape(8, -1)
    with names[0].open("wb") as inputs, names[1].open("wb") as answers:
        for _ in range(n_fields // N_FIELDS):
            block = (rng.standard_normal((N_FIELDS, 8)) @ waves).astype(np.float32)
            block.tofile(inputs)
            np.square(block).tofile(answers)
    shape = (n_fields // N_FIELDS * N_FIELDS, 1, *GRID)
    return tuple(np.memmap(name, np.float32, "r", shape=shape) for name in names)


def peak_of(fit):
    """Run a fit; return the anonymous memory that it took at its peak, and its seconds."""
    before, seen, over = anonymous(), [0.0], threading.Event()

    def watch():
        while not over.wait(0.02):
            seen.append(anonymous())

    watcher, start = threading.Thread(target=watch), time.perf_counter()
    watcher.start()
    fit()
    over.set()
    watcher.join()
    return max(seen) - before, time.perf_counter() - start


def main(gigabytes):
    n_rows = int(gigabytes * 2**30) // (4 * N_COLUMNS)
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        X, y = made(Path(folder) / "rows", n_rows)
        shown = {"batch_size": 2**13, "max_iter": 1, "dtype": "float32", "random_state": 0}
        models = (
            KANRegressor((4,), grid_sizes=3, optimizer="adam", **shown),
            NeuralODERegressor((16,), solver="euler", **shown),
        )
        for model in models:
            fit = model.fit
            name = type(model).__name__
            small = X[: 2**14], y[: 2**14]
            model.fit(*small)  # what the first fit imports is none of the rows'
            peak, seconds = peak_of(lambda fit=fit: fit(X, y))
            r2 = model.score(*small)
            print(f"{name}: {X.nbytes / 2**30:.1f} GB, RssAnon {peak:.2f} GB, {seconds:.0f} s, "
                  f"R2 {r2:.3f}", flush=True)  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:  # scaled, they take as much once more
        X, y = made_fields(Path(folder), int(gigabytes * 2**30) // (8 * GRID[0] * GRID[1]))
        model = FNORegressor(
            4, hidden_channels=4, n_layers=1, batch_size=500, max_iter=1, random_state=0
        )
        model.fit(X[:1000], y[:1000])
        peak, seconds = peak_of(lambda: model.fit(X, y))
        r2 = model.score(X[:1000], y[:1000])
        print(f"FNORegressor: {X.nbytes / 2**29:.1f} GB, RssAnon {peak:.2f} GB, {seconds:.0f} s, "
              f"R2 {r2:.3f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 1.0)
