"""
Learning a dictionary from a file
=================================

The activations of a network are soon larger than the memory.
:class:`~skdyn.SparseAutoencoder` reads them from a file, block by block, and mixes them in a
buffer. How much memory does that take, and does it learn as well as from memory? Here the
activations are simulated, so that the dictionary behind them is known, and few enough to be fitted
both ways.
"""

import tempfile
import threading
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from skdyn import SparseAutoencoder
from skdyn.datasets import make_superposition
from skdyn.metrics import matched_cosine

N_ROWS, N_FEATURES, N_COMPONENTS = 400_000, 64, 96

# %%
# A file, part by part
# --------------------
# With activations of your own :func:`~skdyn.autoencoder.collect_activations` does it with ``out=``.
# To save time the same 20,000 rows come in each part, with other noise. The third quarter of the
# file is shifted to one side, as if its texts were of another kind: training must mix it with the
# rest.

X, _, dictionary = make_superposition(20_000, N_FEATURES, N_COMPONENTS, l0=4.0, random_state=0)
rng = np.random.default_rng(0)
folder = tempfile.TemporaryDirectory()
path = Path(folder.name) / "activations.npy"
disk = np.lib.format.open_memmap(path, "w+", dtype=np.float32, shape=(N_ROWS, N_FEATURES))
for start in range(0, N_ROWS, len(X)):
    shift = 0.5 if N_ROWS / 2 <= start < 0.75 * N_ROWS else 0.0
    noise = rng.standard_normal(X.shape, dtype=np.float32)
    disk[start : start + len(X)] = X + 0.02 * noise + shift
disk.flush()
del disk, noise
print(f"{path.stat().st_size / 1e6:.0f} MB on disk")

# %%
# What the process holds
# ----------------------
# The *resident* memory of this process as the system tells it, looked at every few milliseconds
# while a model is fitted, less what it was before: Python and torch alone are some hundred
# megabytes. They take more the first time they train, so that a small fit comes before all.
# Linux tells it in ``/proc``; elsewhere the first figure stays empty.


def resident():
    """Return the megabytes that this process holds in memory."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1000 for line in lines if line.startswith("VmRSS")), np.nan)


def watched(work):
    """Run something; return its result and the memory it took over time."""
    begin, before, seen, done = time.perf_counter(), resident(), [], threading.Event()

    def look():
        while not done.wait(0.02):
            seen.append((time.perf_counter() - begin, resident() - before))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        return work(), np.array(seen)
    finally:
        done.set()
        watcher.join()


# %%
# Fit it from the file with two buffers, and from memory, into which the last fit copies it.


def fit(buffer_size, in_memory=False):
    """Learn a dictionary in two epochs."""
    rows = np.load(path, mmap_mode="r")
    model = SparseAutoencoder(
        N_COMPONENTS, k=4, allocation="topk", max_iter=2, learning_rate=3e-3,
        batch_size=1000, buffer_size=buffer_size, random_state=0,
    )  # fmt: skip
    return model.fit(np.array(rows) if in_memory else rows)


SparseAutoencoder(N_COMPONENTS, k=4, max_iter=2).fit(X)
runs = {
    "4,000 rows": watched(lambda: fit(4_000)),
    "40,000 rows": watched(lambda: fit(40_000)),
    "in memory": watched(lambda: fit(4_000, in_memory=True)),
}
for name, (model, memory) in runs.items():
    cosine = matched_cosine(dictionary, model.components_)
    print(f"{name:12s} {memory[:, 1].max():4.0f} MB, matched cosine {cosine:.3f}")

# %%
# Left: from the file, memory is bounded by the buffer, a few times its rows, however long the file.
# Not even that much shows where memory that was freed before is used again.
# In memory there are the rows and, in each epoch, their copy in a new order. Right: blocks are read
# in random order, so that already a buffer of a hundredth of the file mixes it well enough to find
# the same dictionary.

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
for name, (_, memory) in runs.items():
    left.plot(*memory.T, label=name)
left.set(xlabel="seconds", ylabel="resident memory above the start, MB", ylim=(0, None))
left.legend(title="buffer", frameon=False, loc="center right")
cosines = [matched_cosine(dictionary, model.components_) for model, _ in runs.values()]
bars = right.barh(list(runs), cosines, color=[f"C{number}" for number in range(3)])
right.bar_label(bars, fmt="%.3f", padding=-40, color="white")
right.set(xlabel="matched cosine with the truth", xlim=(0, 1))
right.invert_yaxis()
folder.cleanup()
plt.show()
