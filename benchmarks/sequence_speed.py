"""CPU seconds and memory of what series cost, beside the peers that are installed.

    python benchmarks/sequence_speed.py [signatures] [steps] [memory]

``signatures``: of 1000 series of 100 points and 5 channels, to depth 4, beside pysiglib.

``steps``: a training step of a neural CDE, one step of the solver a knot, beside the same equation
as a plain loop of Heun's method and in torchcde, by rk4 and by rk4 with its adjoint. All have the
same weights and the same paths; ``error`` is how far the last states are, in the mean, from those
of an adaptive solver to 1e-8, beside how far they moved. Paths are those of BasicMotions where
aeon's files are installed, else random walks.

``memory``: an epoch of a state-space model on 8 series of 10000 points, and what it takes at most.

Runs that are compared are interleaved, and the least of each is printed.
"""

import argparse
import resource
import time
import warnings

import numpy as np
import torch
from sequence import archive

from skdyn import NeuralCDEClassifier, SignatureTransformer, SSMClassifier
from skdyn._series import check_series
from skdyn._series_rows import standard_values
from skdyn.sequence._signature import signatures as signatures_of


def least_seconds(runs, rounds):
    """Return the least CPU seconds of each run."""
    least = dict.fromkeys(runs, np.inf)
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.process_time()
            run()
            least[name] = min(least[name], time.process_time() - start)
    return least


def signatures():
    """Print what signatures cost."""
    X = np.random.default_rng(0).normal(size=(1000, 5, 100)).cumsum(axis=2) / 10
    plain = SignatureTransformer(4, augment=(), rescale=False).fit(X)
    runs = {"ours, from arrays to features": lambda: plain.transform(X)}
    for dtype in (np.float64, np.float32):
        steps = np.diff(X).astype(dtype)
        runs[f"ours, signatures alone, {dtype.__name__}"] = lambda steps=steps: [
            signatures_of(steps[k : k + 16], 4) for k in range(0, 1000, 16)
        ]
    try:
        import pysiglib

        for dtype in (np.float64, np.float32):
            paths = np.ascontiguousarray(X.transpose(0, 2, 1), dtype=dtype)
            runs[f"pysiglib, {dtype.__name__}"] = lambda paths=paths: pysiglib.sig(paths, 4)
    except ImportError:
        print("pysiglib is not installed")
    print("\n1000 series of 100 points and 5 channels, depth 4: CPU s")
    for name, seconds in least_seconds(runs, 5).items():
        print(f"{name:44}{seconds:8.3f}")


def paths_of_motions():
    """Return a batch of 32 series, and which it is."""
    found = archive("BasicMotions")
    if found is None:
        X = np.random.default_rng(0).normal(size=(32, 6, 100)).cumsum(axis=2) / 3
        return X, "random walks of 6 channels"
    return np.stack(found[0][0][:32]), "BasicMotions"


def steps():
    """Print what a training step of a neural CDE costs, and how far it is from the equation."""
    X, which = paths_of_motions()
    y = np.arange(32) % 4
    model = NeuralCDEClassifier(32, max_iter=1, random_state=0).fit(X, y)
    heun = model._module_for(np.dtype("float32")).train().requires_grad_(True)
    series = standard_values(model, check_series(model, X, reset=False))
    start, pieces, n_pieces = map(torch.as_tensor, model._network_inputs(series))
    fine = type(heun)(**{**model._module_config, "solver": "dopri5", "rtol": 1e-8,
                             "atol": 1e-8}).double()  # fmt: skip
    fine.load_state_dict({name: value.double() for name, value in heun.state_dict().items()})
    with torch.no_grad():
        wanted = fine.eval().states(start, pieces, n_pieces)
    start, pieces = start.float(), pieces.float()
    runs = {"ours, Heun": lambda: heun.states(start, pieces, n_pieces)[:, -1],
            "a plain loop of Heun's": lambda: plain(heun, start, pieces)}  # fmt: skip
    try:
        import torchcde
    except ImportError:
        print("torchcde is not installed")
    else:
        knots = torch.cat([0 * start[:, None], pieces[:, :, 0].cumsum(1)], dim=1)
        coefficients = torchcde.linear_interpolation_coeffs(knots)
        for name, adjoint in (("torchcde, rk4", False), ("torchcde, rk4, its adjoint", True)):

            def run(adjoint=adjoint):
                path = torchcde.LinearInterpolation(coefficients)
                return torchcde.cdeint(
                    path, Field(heun.field), heun.start(start), path.interval, adjoint=adjoint,
                    method="rk4", options={"step_size": 1.0},
                )[:, -1]  # fmt: skip

            runs[name] = run
    moved = (wanted[:, -1] - wanted[:, 0]).norm(dim=1)
    errors = {}
    for name, run in runs.items():
        errors[name] = ((run().detach() - wanted[:, -1]).norm(dim=1) / moved).mean().item()
    least = least_seconds(
        {name: lambda run=run: run().square().mean().backward() for name, run in runs.items()}, 6
    )
    print(f"\nforward and backward, {which}, 32 series, 32 states: CPU s, of ours, error")
    ours = least["ours, Heun"]
    for name, seconds in least.items():
        print(f"{name:44}{seconds:8.4f}{seconds / ours:8.2f}{errors[name]:10.1e}")


class Field(torch.nn.Module):
    """A field as torchcde calls it."""

    def __init__(self, field):
        super().__init__()
        self.field = field

    def forward(self, t, z):
        return self.field.matrix(z)


def plain(module, start, pieces):
    """Write the equation down as one does first."""
    z, field = module.start(start), Field(module.field)
    for k in range(pieces.shape[1]):
        move = pieces[:, k, 0][:, :, None]
        first = (field(0.0, z) @ move)[:, :, 0]
        z = z + (first + (field(0.0, z + first) @ move)[:, :, 0]) / 2
    return z


def memory():
    """Print what an epoch of long series takes."""
    X = np.random.default_rng(0).normal(size=(8, 1, 10000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print()
    for t in (None, np.sort(np.random.default_rng(1).uniform(0, 1e4, (8, 10000)), axis=1)):
        begin = time.process_time()
        with warnings.catch_warnings(action="ignore"):
            SSMClassifier(max_iter=1).fit(X, np.arange(8) % 2, t=t)
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        which = "equal steps" if t is None else "own steps"
        print(f"SSM, an epoch of 8 x 10000 points, {which:16}"
              f"{time.process_time() - begin:8.2f} CPU s, {most / 1024:.0f} MB more")  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", nargs="*", default=[], help="signatures, steps, memory")
    torch.set_num_threads(1)
    parts = {"memory": memory, "signatures": signatures, "steps": steps}
    for part in parser.parse_args().what or parts:
        parts[part]()
