"""Steps a second on a GPU beside the CPU, waits of the host, and peak memory: one fit a family.

Ten minutes on one GPU; without one it says so and ends. ``--rehearse`` runs the same code, smaller,
with the CPU in the place of the GPU, so that the first machine that has one finds no typing error.

Each model is fitted twice on either device, for one epoch and for several: the difference is the
time of steps alone, without what a first fit prepares. Waits are counted by torch itself, which
warns of each (``torch.cuda.set_sync_debug_mode``), in one further epoch. The sparse coder stands
beside the products of its encoder, of which there are three a step, forwards and backwards.

    python benchmarks/gpu.py
    python benchmarks/gpu.py --rehearse KANRegressor
"""

import argparse
import time
import warnings

import numpy as np
import torch

import skdyn
from skdyn.kan.bases import make_basis
from skdyn.kan.bases._spline_sums import SplineSum

EPOCHS = {"cpu": 1, "cuda": 6}  # that are timed


def tables(n, n_features):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, n_features)).astype(np.float32)
    return X, np.sin(X[:, 0]) + X[:, 1] ** 2


def fields(n, size):
    rng = np.random.default_rng(0)
    waves = rng.normal(size=(n, 8, 1)) * np.sin(np.outer(np.arange(1, 9), np.linspace(0, 3, size)))
    X = waves.sum(axis=1).astype(np.float32)[:, None]
    return X, np.cumsum(X, axis=-1) / size


def series(n, length):
    X = np.random.default_rng(0).normal(size=(n, 3, length)).astype(np.float32).cumsum(axis=2)
    return X, X[:, 0, -1]


def families(part):
    """Yield name, model, data and batch size; ``part`` of their size."""
    few = lambda n: max(64, n // part)  # noqa: E731
    rows = 2**15
    for size in (200, few(8192)):
        yield (
            "KANRegressor",
            skdyn.KANRegressor(hidden_layer_sizes=(64, 64), optimizer="adam", batch_size=size),
            tables(few(rows), 16),
            size,
        )
    for n, size in ((1024, 32), (4096, 1024)):
        data, size = fields(few(n), 256), min(size, few(1024))
        yield "FNORegressor", skdyn.FNORegressor(batch_size=size), data, size
    size = few(1024)
    yield (
        "DeepONetRegressor",
        skdyn.DeepONetRegressor(batch_size=size),
        fields(few(8192), 128),
        size,
    )
    yield "SSMRegressor", skdyn.SSMRegressor(batch_size=size), series(few(4096), 128), size
    yield "NeuralODERegressor", skdyn.NeuralODERegressor(batch_size=size), tables(rows, 16), size
    width, latents, size = few(512), few(16384), few(16384)
    X = tables(4 * size, width)[0]
    for allocation in ("feature_then_mutual", "topk"):
        yield (
            "SparseAutoencoder",
            skdyn.SparseAutoencoder(latents, k=32, batch_size=size, allocation=allocation),
            (X, None),
            size,
        )


def fit(model, data, device, max_iter):
    X, y = data
    model = model.set_params(device=device, max_iter=max_iter, random_state=0, tol=0.0)
    return model.fit(X) if y is None else model.fit(X, y)


def seconds(model, data, device, max_iter):
    start = time.perf_counter()
    fit(model, data, device, max_iter)  # it ends with numbers of the host
    return time.perf_counter() - start


def steps_a_second(model, data, device, n_steps):
    fit(model, data, device, 1)
    times = [seconds(model, data, device, n) for n in (1, 1 + EPOCHS[device])]
    return EPOCHS[device] * n_steps / max(times[1] - times[0], 1e-9)


def waits_a_step(model, data, n_steps):
    """Return how often the host waits in an epoch beyond the first, a step."""
    counts = []
    for n in (1, 2):
        torch.cuda.set_sync_debug_mode("warn")
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                fit(model, data, "cuda", n)
        finally:
            torch.cuda.set_sync_debug_mode("default")
        counts.append(sum("synchroniz" in str(one.message) for one in caught))
    return (counts[1] - counts[0]) / n_steps


def encoder_products(model, X, size, device):
    """Return how many steps of nothing but the encoder's three products a second has."""
    a = torch.as_tensor(X[:size]).to(device)
    w = torch.randn(model.n_components, X.shape[1], device=device)
    float((a @ w.T).sum())  # what a first product prepares
    start = time.perf_counter()
    for _ in range(10):
        codes = a @ w.T
        codes @ w, codes.T @ a
    float(codes.sum())
    return 10 / (time.perf_counter() - start)


def splines(device, part):
    """Print milliseconds of a layer, forwards and backwards: by dense features, and by sums."""
    print(
        f"\n{'grid':<6}{'dense, ms':>12}{'MiB':>8}{'sums, ms':>12}{'MiB':>8}   2^16 rows, 64 to 64"
    )
    for grid in (5, 20, 50):
        basis = make_basis("bspline", 64, 64, grid, 3, "linear").to(device)
        x = torch.randn(2**16 // part, 64, device=device, requires_grad=True)
        weight = torch.randn(64, basis.n_functions + 1, 64, device=device, requires_grad=True)
        found = []
        for combine in (
            lambda x, weight, basis: basis.features(x).flatten(1) @ weight.flatten(0, 1),
            SplineSum.apply,
        ):
            if device == "cuda":
                torch.cuda.reset_peak_memory_stats()
            for n in (1, 10):  # the first prepares
                start = time.perf_counter()
                for _ in range(n):
                    torch.autograd.grad(combine(x, weight, basis).sum(), (x, weight))
                float(torch.ones((), device=device))  # waits for all that came before
            peak = torch.cuda.max_memory_allocated() / 2**20 if device == "cuda" else float("nan")
            found += [f"{100 * (time.perf_counter() - start):>12.2f}", f"{peak:>8.0f}"]
        print(f"{grid:<6}{''.join(found)}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="families; default: all")
    parser.add_argument("--rehearse", action="store_true", help="small, on the CPU alone")
    options = parser.parse_args()
    if not (options.rehearse or torch.cuda.is_available()):
        print("There is no GPU here: nothing to measure. --rehearse runs the script without one.")
        return
    warnings.simplefilter("ignore")
    device = "cpu" if options.rehearse else "cuda"
    place = "the CPU, in place of a GPU" if options.rehearse else torch.cuda.get_device_name()
    print(f"{place}, torch {torch.__version__}, {torch.get_num_threads()} threads\n")
    print(f"{'family':<20}{'batch':>7}{'CPU':>10}{'GPU':>10}{'ratio':>8}{'waits':>7}{'MiB':>8}")
    for name, model, data, size in families(128 if options.rehearse else 1):
        if options.names and name not in options.names:
            continue
        n_steps = -(-len(data[0]) // size)
        here = steps_a_second(model, data, "cpu", n_steps)
        waits, peak = float("nan"), float("nan")
        if device == "cuda":
            torch.cuda.reset_peak_memory_stats()
        there = steps_a_second(model, data, device, n_steps)
        if device == "cuda":
            peak = torch.cuda.max_memory_allocated() / 2**20
            waits = waits_a_step(model, data, n_steps)
        print(f"{name:<20}{size:>7}{here:>10.1f}{there:>10.1f}{there / here:>8.2f}"
              f"{waits:>7.1f}{peak:>8.0f}", flush=True)  # fmt: skip
        if name == "SparseAutoencoder":
            products = encoder_products(model, data[0], size, device)
            print(f"{'  its products':<20}{size:>7}{'':>10}{products:>10.1f}", flush=True)
    if not options.names or "KANRegressor" in options.names:
        splines(device, 128 if options.rehearse else 1)


if __name__ == "__main__":
    main()
