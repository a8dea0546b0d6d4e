"""
Predicting more rows than fit in memory
=======================================

A model that was trained on a few hundred rows often has to answer for millions.
:func:`~skdyn.scale.map_rows` reads them from a file block by block and writes the answers to
another file. How much memory does that take, and are the answers those of ``predict_proba``?
"""

import tempfile
import tracemalloc
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons

from skdyn import KANClassifier
from skdyn.scale import map_rows

SIDE = 1_000

# %%
# A model and a file of rows
# --------------------------
# The rows are the points of a fine grid, so that the answers make a picture.

X, y = make_moons(300, noise=0.2, random_state=0)
model = KANClassifier((4,), max_iter=40, random_state=0).fit(X, y)

folder = tempfile.TemporaryDirectory()
path = Path(folder.name) / "rows.npy"
rows = np.lib.format.open_memmap(path, "w+", dtype=np.float64, shape=(SIDE * SIDE, 2))
across, up = np.linspace(-1.5, 2.5, SIDE), np.linspace(-1.0, 1.5, SIDE)
rows[:, 0], rows[:, 1] = np.tile(across, SIDE), np.repeat(up, SIDE)
rows.flush()
print(f"{len(rows)} rows, {path.stat().st_size / 1e6:.0f} MB on disk")

# %%
# Block by block into a file
# --------------------------
# The array is opened with ``mmap_mode="r"``, which reads nothing yet. NumPy reports what it
# allocates, so ``tracemalloc`` can tell the largest amount held at one time.

tracemalloc.start()
out = Path(folder.name) / "answers.npy"
map_rows(model, np.load(path, mmap_mode="r"), "predict_proba", out=out, block_size=20_000)
peak = tracemalloc.get_traced_memory()[1]
tracemalloc.stop()
answers = np.load(out, mmap_mode="r")
print(f"NumPy held at most {peak / 1e6:.1f} MB; the answers take {answers.nbytes / 1e6:.0f} MB")

# %%
# The same answers
# ----------------

some = slice(12_345, 345_678, 1_000)
difference = np.abs(answers[some] - model.predict_proba(rows[some])).max()
print(f"largest difference from predict_proba on {len(answers[some])} rows: {difference:.1e}")

# %%
# What the model says
# -------------------

figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
picture = axes.imshow(
    answers[:, 1].reshape(SIDE, SIDE),
    origin="lower",
    cmap="RdBu_r",
    vmin=0,
    vmax=1,
    extent=(across[0], across[-1], up[0], up[-1]),
    aspect="auto",
)
axes.scatter(*X.T, c=y, cmap="RdBu_r", edgecolor="white", s=20)
axes.set(title=f"Probability of the second class at {len(rows)} points")
figure.colorbar(picture, ax=axes)
plt.show()
