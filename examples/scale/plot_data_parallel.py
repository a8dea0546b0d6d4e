"""
Training one model with two processes
=====================================

Within :func:`~skdyn.scale.data_parallel` each process of a ``torch.distributed`` group computes its
share of every batch. Is the model the same as that of one process? Here both run on this machine;
``torchrun`` starts the processes on several machines in the same way.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

# %%
# A script that every process runs
# --------------------------------
# ``fit`` is called as ever. Every process passes the same data and the same ``random_state``; the
# first one saves what was learned. Without a group, ``data_parallel`` changes nothing.

SCRIPT = """
import os, sys
import numpy as np
import torch.distributed as dist
from skdyn import KANRegressor
from skdyn.scale import data_parallel

if "RANK" in os.environ:
    dist.init_process_group("gloo")
X = np.random.default_rng(0).uniform(-1, 1, (1000, 3))
y = np.sin(3 * X[:, 0]) * X[:, 1] + X[:, 2] ** 2
model = KANRegressor(
    (8,), optimizer="adam", batch_size=100, max_iter=15, tol=0, random_state=0
)
with data_parallel():
    model.fit(X, y)
if os.environ.get("RANK", "0") == "0":
    np.savez(sys.argv[1], curve=model.loss_curve_, answers=model.predict(X))
if dist.is_initialized():
    dist.destroy_process_group()
"""
folder = tempfile.TemporaryDirectory()
script = Path(folder.name) / "train.py"
script.write_text(SCRIPT)
alone, together = Path(folder.name) / "alone.npz", Path(folder.name) / "together.npz"

# %%
# One process, then two
# ---------------------

calm = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
subprocess.run([sys.executable, script, alone], check=True, env=calm)
torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
subprocess.run([*torchrun, script, together], check=True, env=calm)

one, two = np.load(alone), np.load(together)
print(f"largest difference of a loss:   {np.abs(one['curve'] - two['curve']).max():.1e}")
print(f"largest difference of an answer: {np.abs(one['answers'] - two['answers']).max():.1e}")

# %%
# The same curve
# --------------
# The losses agree to the rounding of 32-bit numbers: each step adds up the shares of both processes
# before it moves the weights.

figure, axes = plt.subplots(figsize=(6, 3.5), layout="constrained")
axes.semilogy(one["curve"], "o", fillstyle="none", label="one process")
axes.semilogy(two["curve"], "-", label="two processes")
axes.set(title="Two processes train the model of one", xlabel="epoch", ylabel="loss")
axes.legend()
plt.show()
