"""Learned operators beside neuraloperator, DeepXDE and scikit-learn: errors, CPU time and memory.

    python benchmarks/operators.py [GROUP or TASK ...] [--models ...] [--seeds N] [--speed ROUNDS]

Groups are ``first``, ``second``, ``linear``, ``sizes`` and ``shapes``. The first is five tasks that
defaults and settings were chosen on, or on their like: ``darcy16`` is neuraloperator's bundled
data, files ``darcy_train_16.npz`` and ``darcy_test_16.npz`` with arrays x and y in the folder of
``--darcy``; the others are generated. ``energy`` asks for a number, the root mean square of what is
left of a Burgers wave; ``rollout`` for 25 states of the Kuramoto-Sivashinsky equation, chaotic, by
steps that are applied to their own answers. The second are six equations that nothing was chosen
on; ``linear`` are three that are linear in one of two inputs (``operators_equations.py``).
``sizes`` tells the time of an epoch and the memory on 64 x 64 and 128 x 128 points; ``shapes`` runs
``operators_shapes.py``.

Each fit runs alone in a process, on one thread. "error" is the mean relative L2 error on the test
set, "CPU" the processor time of the whole fit, choice of hyperparameters included, "MB" what the
process grew by, "knows" the rank correlation, over test cases, of the error and the standard
deviation that a model gives for it. Several seeds tell the range of errors. The networks of one
size have the same channels, layers, frequencies, epochs and batches. The peers are optional:
``pip install neuraloperator deepxde``, in an environment of their own if they clash.
"""

import argparse
import os
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy starts its threads
os.environ.setdefault("DDE_BACKEND", "pytorch")

import multiprocessing
import resource
import time
from pathlib import Path

import numpy as np
import torch
from operators_equations import EQUATIONS, LINEAR, make_equation
from operators_peers import MODELS, Missing, make_model
from operators_shapes import compare_on_shapes
from scipy.stats import spearmanr
from threadpoolctl import threadpool_limits

from skdyn import KernelOperatorRegressor
from skdyn.datasets import make_burgers, make_darcy, make_kuramoto_sivashinsky
from skdyn.metrics import relative_l2_error

# Epochs of every network and training functions; those of the bundled data bring neuraloperator to
# its usual error.
FIRST = {
    "darcy16": (40, 1000),
    "darcy32": (12, 1000),
    "burgers": (40, 1000),
    "energy": (20, 1000),
    "rollout": (40, 1000),
}
SECOND = {name: (20 if name in ("stirred", "helmholtz") else 40, 300) for name in EQUATIONS}
SIZES = {"size64": (2, 40), "size128": (2, 40)}
GROUPS = {
    "first": FIRST,
    "second": SECOND,
    "linear": {name: (40, 300) for name in LINEAR},
    "sizes": SIZES,
    "shapes": {"shapes": (None, 240)},
}
TASKS = {name: plan for group in GROUPS.values() for name, plan in group.items()}
NETWORKS = ("neuraloperator FNO", "skdyn FNO, same size")

STEPS = np.arange(1.0, 26.0)  # of a rollout: neighbors part by a factor of ten


def load(task, folder, n_samples):
    """Return training and test functions, ``(n, 1, *grid)``."""
    if task == "darcy16":
        if folder is None:
            raise SystemExit("darcy16 needs --darcy FOLDER; leave the task out to go on without.")
        parts = [np.load(folder / f"darcy_{part}_16.npz") for part in ("train", "test")]
        arrays = [part[name][:, None].astype(np.float32) for part in parts for name in "xy"]
        return arrays[0][:n_samples], arrays[1][:n_samples], *arrays[2:]
    n_new = 200
    if task in EQUATIONS or task in LINEAR:
        X, y = make_equation(task, n_samples + n_new, 0)
    elif task in SIZES:  # what fields mean does not matter for time and memory
        n_new = 1
        grid = (int(task[4:]),) * 2
        X = np.random.default_rng(0).standard_normal((n_samples + n_new, 1, *grid))
        y = np.cumsum(X, axis=2)
    elif task == "rollout":  # as many pairs of successive states
        n_samples, n_new = n_samples // len(STEPS), 20
        X, y = make_kuramoto_sivashinsky(n_samples + n_new, 64, times=STEPS, random_state=0)
        X, y = X[:, None], y[:, None]
    elif task == "darcy32":
        X, y = make_darcy(n_samples + n_new, 32, kind="piecewise", random_state=0)
    else:
        X, y = (z[:, None] for z in make_burgers(n_samples + n_new, 128, nu=0.01, random_state=0))
    if task == "energy":
        y = np.sqrt(np.square(y).mean(axis=2))
    X, y = X.astype(np.float32), y.astype(np.float32)
    return X[:n_samples], y[:n_samples], X[n_samples:], y[n_samples:]


def measure(name, task, data, epochs, seed, pipe):
    """Fit and predict in a process of its own; send error, seconds and megabytes."""
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    X, y, X_new, y_new = data
    try:
        model = make_model(name, task, epochs, seed)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        start = time.process_time()
        with threadpool_limits(1):
            model.fit(X, y)
            seconds = time.process_time() - start
            grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
            predicted = np.asarray(model.predict(X_new), dtype=float).reshape(y_new.shape)
            knows = np.nan
            if isinstance(model, KernelOperatorRegressor):
                knows = how_well_known(y_new - predicted, model.predict(X_new, return_std=True)[1])
        pipe.send((relative_l2_error(y_new, predicted), seconds, grown, knows))
    except Missing as missing:
        pipe.send(f"not installed: {missing}")
    except NotImplementedError as reason:
        pipe.send(str(reason))


def how_well_known(errors, std):
    """Return the rank correlation, over cases, of errors and of what was expected of them."""
    sizes = (np.linalg.norm(z.reshape(len(z), -1), axis=1) for z in (errors, std))
    return spearmanr(*sizes).statistic


def run(*call):
    """Return what ``measure`` sends from a process of its own."""
    context = multiprocessing.get_context("fork")
    near, far = context.Pipe()
    process = context.Process(target=measure, args=(*call, far))
    process.start()
    far.close()
    try:
        return near.recv()
    except EOFError:
        return "failed"
    finally:
        process.join()


def compare_speed(task, data, rounds):
    """Print the median processor time of five epochs of the networks of one size, interleaved."""
    seconds = {name: [] for name in NETWORKS}
    for _ in range(rounds):
        for name, times in seconds.items():
            row = run(name, task, data, 5, 0)
            if isinstance(row, str):
                print(f"{task}: {name} {row}")
                return
            times.append(row[1])
    theirs, ours = (np.array(times) for times in seconds.values())
    ratios = theirs / ours
    print(
        f"{task}: {np.median(theirs):.2f} and {np.median(ours):.2f} s, {np.median(ratios):.2f} "
        f"times faster ({ratios.min():.2f} to {ratios.max():.2f})",
        flush=True,
    )


def compare_sizes(task, data, epochs):
    """Print the processor time of an epoch after the first, and the memory of a fit."""
    print(f"\n{task}: {len(data[0])} fields\n{'':28}{'epoch s':>9}{'MB':>8}", flush=True)
    for name in NETWORKS:
        one, more = (run(name, task, data, n, 0) for n in (1, 1 + epochs))
        if isinstance(more, str):
            print(f"{name:28}{more}", flush=True)
            continue
        print(f"{name:28}{(more[1] - one[1]) / epochs:9.2f}{more[2]:8.0f}", flush=True)


def compare_errors(task, data, epochs, names, n_seeds):
    print(f"\n{task}: {len(data[0])} to learn from, {len(data[2])} to test, {epochs} epochs")
    print(f"{'':28}{'error':>9}{'CPU s':>9}{'MB':>8}{'knows':>8}", flush=True)
    for name in names:
        rows = [run(name, task, data, epochs, seed) for seed in range(n_seeds)]
        if isinstance(rows[0], str):
            print(f"{name:28}{rows[0]}", flush=True)
            continue
        error, seconds, grown, knows = np.mean(rows, axis=0)
        errors = [row[0] for row in rows]
        among = f"   {min(errors):.4f} to {max(errors):.4f}" if n_seeds > 1 else ""
        known = f"{knows:8.2f}" if np.isfinite(knows) else " " * 8
        print(f"{name:28}{error:9.4f}{seconds:9.1f}{grown:8.0f}{known}{among}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks", nargs="*", choices=[[], *GROUPS, *TASKS], default=list(GROUPS))
    parser.add_argument("--darcy", type=Path, help="folder of neuraloperator's Darcy data")
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=list(MODELS))
    parser.add_argument("--samples", type=int, help="training functions instead of each task's own")
    parser.add_argument("--epochs", type=int, help="instead of each task's own")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--speed", type=int, metavar="ROUNDS", help="five epochs, interleaved")
    args = parser.parse_args()
    for task in [name for asked in args.tasks for name in GROUPS.get(asked, [asked])]:
        epochs, n_samples = args.epochs or TASKS[task][0], args.samples or TASKS[task][1]
        if task == "shapes":
            compare_on_shapes(n_samples, epochs=epochs)
            continue
        data = load(task, args.darcy, n_samples)
        if args.speed:
            compare_speed(task, data, args.speed)
        elif task in SIZES:
            compare_sizes(task, data, epochs)
        else:
            compare_errors(task, data, epochs, args.models, args.seeds)


if __name__ == "__main__":
    main()
