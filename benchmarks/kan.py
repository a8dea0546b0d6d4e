"""Kolmogorov-Arnold networks beside pykan, dense splines and multilayer perceptrons.

    python benchmarks/kan.py speed

``speed``: one training step (forward, backward, fused Adam) and one prediction of networks of
widths 10-64-64-1 on batches of 1024, float32, one thread, cubic splines on grids of 5, 20 and 50
intervals. Contestants are run in turn, so that a slow moment of the machine hits all alike;
medians. The perceptron has as many weights as ours, in two hidden layers. ``MB`` is the largest sum
of tensors that a step held at a time beyond what it found. "dense" splines evaluate every function
at every point by the recursion of Cox and de Boor, as most implementations do. Install pykan with
``pip install "skdyn[bench]"``; without it the others are measured.
"""

import argparse
import gc
import itertools
import statistics
import sys
import time
import warnings
from pathlib import Path

import torch

from skdyn.kan._network import KAN

WIDTHS, BATCH, ORDER = (10, 64, 64, 1), 1024, 3


class DenseSpline(torch.nn.Module):
    """A layer of splines, all functions evaluated everywhere, autograd doing the rest."""

    def __init__(self, n_in, n_out, grid_size):
        super().__init__()
        step = 2 / grid_size
        knots = torch.arange(-ORDER, grid_size + ORDER + 1) * step - 1
        self.register_buffer("knots", knots)
        self.base = torch.nn.Parameter(torch.randn(n_in, n_out) / n_in**0.5)
        size = n_in * (grid_size + ORDER), n_out
        self.weight = torch.nn.Parameter(0.1 * torch.randn(size) / n_in**0.5)

    def forward(self, x):
        t, point = self.knots, x[..., None]
        values = ((point >= t[:-1]) & (point < t[1:])).to(x.dtype)
        for k in range(1, ORDER + 1):
            left = (point - t[: -k - 1]) / (t[k:-1] - t[: -k - 1])
            right = (t[k + 1 :] - point) / (t[k + 1 :] - t[1:-k])
            values = left * values[..., :-1] + right * values[..., 1:]
        return torch.nn.functional.silu(x) @ self.base + values.flatten(1) @ self.weight


def dense_splines(grid_size):
    pairs = itertools.pairwise(WIDTHS)
    return torch.nn.Sequential(*(DenseSpline(*sizes, grid_size) for sizes in pairs))


def ours(grid_size, x=None):
    sizes = tuple((width, 0) for width in WIDTHS)
    module = KAN(sizes, "bspline", grid_size, ORDER, "linear")
    if x is not None:
        module.adapt(x)
    return module


def perceptron(n_weights):
    """Two hidden layers of the width that gives the number of weights."""
    n_in, n_out = WIDTHS[0], WIDTHS[-1]
    linear = n_in + n_out + 2
    width = round(((linear**2 + 4 * (n_weights - n_out)) ** 0.5 - linear) / 2)
    return torch.nn.Sequential(
        torch.nn.Linear(n_in, width), torch.nn.SiLU(),
        torch.nn.Linear(width, width), torch.nn.SiLU(), torch.nn.Linear(width, n_out),
    )  # fmt: skip


def pykan(grid_size, fast):
    # This file bears the name of pykan's package: its folder must not be searched.
    sys.path = [path for path in sys.path if Path(path).resolve() != Path(__file__).parent]
    import kan

    # auto_save would write every state of the model to the working directory.
    module = kan.KAN(width=list(WIDTHS), grid=grid_size, k=ORDER, seed=0, auto_save=False)
    return module.speed() if fast else module


def n_weights(module):
    return sum(weight.numel() for weight in module.parameters() if weight.requires_grad)


def training_step(module, x, y):
    weights = [weight for weight in module.parameters() if weight.requires_grad]
    optimizer = torch.optim.Adam(weights, lr=1e-3, fused=True)

    def step():
        optimizer.zero_grad()
        torch.nn.functional.mse_loss(module(x), y).backward()
        optimizer.step()

    return step


def prediction(module, x):
    def predict():
        with torch.inference_mode():
            module(x)

    return predict


def seconds(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def peak_bytes(run):
    """Follow the tensors that come and go; the most they held together, beyond the start."""
    with torch.profiler.profile(profile_memory=True) as profile:
        run()
    events = profile.profiler.kineto_results.events()
    changes = [(e.start_ns(), e.nbytes()) for e in events if e.name() == "[memory]"]
    return max(itertools.accumulate(change for _, change in sorted(changes)))


def contestants(grid_size, x, with_pykan):
    """Modules by name."""
    mine = ours(grid_size, x)
    found = {
        "skdyn, adapted grid": mine,
        "skdyn, uniform grid": ours(grid_size),
        "perceptron": perceptron(n_weights(mine)),
        "dense splines": dense_splines(grid_size),
    }
    if with_pykan:
        found["pykan, speed()"] = pykan(grid_size, fast=True)
        found["pykan, default"] = pykan(grid_size, fast=False)
    return found


def speed(options):
    """Print one table a grid."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(BATCH, WIDTHS[0], generator=generator)
    y = torch.sin(3 * x[:, :1]) + x[:, 1:2] * x[:, 2:3]
    for grid_size in options.grids:
        modules = contestants(grid_size, x, options.pykan)
        steps = {name: training_step(module, x, y) for name, module in modules.items()}
        predicts = {name: prediction(module, x) for name, module in modules.items()}
        times = {name: ([], []) for name in modules}
        for i in range(options.rounds):
            for name in modules:
                if name == "pykan, default" and i >= options.slow_rounds:
                    continue
                gc.collect()
                for log, run in zip(times[name], (steps[name], predicts[name]), strict=True):
                    run()  # lest one pay for the caches and memory that the one before left
                    log.append(1e3 * seconds(run))
        medians = {name: [statistics.median(log) for log in logs] for name, logs in times.items()}
        mine, mlp = medians["skdyn, adapted grid"], medians["perceptron"]
        print(f"\nG = {grid_size}, k = {ORDER}, widths {WIDTHS}, batch {BATCH}")
        print(f"{'':22}{'weights':>9}{'step ms':>10}{'/ ours':>8}{'/ MLP':>8}"
              f"{'predict ms':>12}{'/ ours':>8}{'MB':>8}")  # fmt: skip
        for name, (step, predict) in medians.items():
            print(f"{name:22}{n_weights(modules[name]):>9}{step:>10.2f}{step / mine[0]:>8.2f}"
                  f"{step / mlp[0]:>8.2f}{predict:>12.2f}{predict / mine[1]:>8.2f}"
                  f"{peak_bytes(steps[name]) / 1e6:>8.1f}", flush=True)  # fmt: skip


TABLES = {"speed": speed}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", nargs="*", choices=TABLES, default=list(TABLES))
    parser.add_argument("--rounds", type=int, default=30, help="of the speed table")
    parser.add_argument("--slow-rounds", type=int, default=3, help="of pykan's default mode")
    parser.add_argument("--grids", type=int, nargs="+", default=[5, 20, 50])
    parser.add_argument("--no-pykan", dest="pykan", action="store_false")
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    for table in options.table:
        TABLES[table](options)


if __name__ == "__main__":
    main()
