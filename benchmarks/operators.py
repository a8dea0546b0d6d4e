"""Learned operators beside neuraloperator, DeepXDE and scikit-learn: errors, CPU time and memory.

    python benchmarks/operators.py [TASK ...] [--darcy FOLDER] [--models ...] [--speed ROUNDS]

``darcy16`` is neuraloperator's bundled data, files ``darcy_train_16.npz`` and ``darcy_test_16.npz``
with arrays x and y in the folder of ``--darcy``; ``darcy32``, ``burgers`` and others are generated.
``energy`` asks for a number, the root mean square of what is left of a Burgers wave; ``rollout``
for 25 states of the Kuramoto-Sivashinsky equation, chaotic, by steps that are applied to their own
answers.

Each fit runs alone in a process, on one thread. "error" is the mean relative L2 error on the test
set, "CPU" the processor time of the whole fit, choice of hyperparameters included, "memory" what
the process grew by. The networks of one size have the same channels, layers, frequencies, epochs
and batches. The peers are optional: ``pip install neuraloperator deepxde``, in an environment of
their own if they clash.
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
from operators_peers import MODELS, Missing, make_model
from threadpoolctl import threadpool_limits

from skdyn.datasets import make_burgers, make_darcy, make_kuramoto_sivashinsky
from skdyn.metrics import relative_l2_error

# Epochs of every network; those of the bundled data bring neuraloperator to its usual error.
TASKS = {"darcy16": 40, "darcy32": 12, "burgers": 40, "energy": 20, "rollout": 40}

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
    if task == "rollout":  # as many pairs of successive states
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
        pipe.send((relative_l2_error(y_new, predicted), seconds, grown))
    except Missing as missing:
        pipe.send(f"not installed: {missing}")
    except NotImplementedError as reason:
        pipe.send(str(reason))


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
    seconds = {name: [] for name in ("neuraloperator FNO", "skdyn FNO, same size")}
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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks", nargs="*", choices=[[], *TASKS], default=list(TASKS))
    parser.add_argument("--darcy", type=Path, help="folder of neuraloperator's Darcy data")
    parser.add_argument("--models", nargs="+", choices=list(MODELS), default=list(MODELS))
    parser.add_argument("--samples", type=int, default=1000, help="training functions")
    parser.add_argument("--epochs", type=int, help="instead of each task's own")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--speed", type=int, metavar="ROUNDS", help="five epochs, interleaved")
    args = parser.parse_args()
    for task in args.tasks:
        data = load(task, args.darcy, args.samples)
        if args.speed:
            compare_speed(task, data, args.speed)
            continue
        epochs = args.epochs or TASKS[task]
        print(f"\n{task}: {len(data[0])} to learn from, {len(data[2])} to test, {epochs} epochs")
        print(f"{'':28}{'error':>9}{'CPU s':>9}{'MB':>8}", flush=True)
        for name in args.models:
            rows = [run(name, task, data, epochs, seed) for seed in range(args.seeds)]
            if isinstance(rows[0], str):
                print(f"{name:28}{rows[0]}", flush=True)
                continue
            error, seconds, grown = np.mean(rows, axis=0)
            print(f"{name:28}{error:9.4f}{seconds:9.1f}{grown:8.0f}", flush=True)


if __name__ == "__main__":
    main()
