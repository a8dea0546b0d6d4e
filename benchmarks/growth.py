"""How time and memory grow with the data: one estimator a family, at 10^3 to 10^6 rows.

Each point is a process of its own, on one thread: CPU seconds of ``fit`` and of ``predict``, and
by how much the resident memory grew at its peak, beside the size of the data. Two columns tell the
exponent from a size to the next: 1 is linear. Training runs for as many epochs at each size, so
that the growth is that of the work, not of the patience.

    python benchmarks/growth.py                    # 10^3 to 10^5
    python benchmarks/growth.py --up-to 1e6 --only kan sparse_coder

Where a method is worse than linear by its nature (a kernel's factor, a memory that is asked by all
of its rows) it says so in the last column.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import time
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")


def table(n):
    """Rows of ten columns, and a number for each."""
    import numpy as np

    X = np.random.default_rng(0).normal(size=(n, 10)).astype(np.float32)
    return X, np.sin(X[:, 0]) + X[:, 1] * X[:, 2]


def classes(n):
    """The same with two classes."""
    X, y = table(n)
    return X, y > 0


def bags(n):
    """Bags of ten rows."""
    X, y = classes(n)
    return list(X.reshape(-1, 10, 10)), y[::10]


def cases(n):
    """Trajectories of a damped oscillator, a hundred points each."""
    from skdyn.datasets import make_damped_oscillator

    return make_damped_oscillator(n_cases=max(1, n // 100), n_timepoints=100, random_state=0)


def fields(n):
    """Smooth functions on 64 points; a row is a function."""
    from skdyn.datasets import make_gaussian_random_field

    X = make_gaussian_random_field(n // 10, 64, random_state=0)[:, None]
    return X, X.cumsum(axis=2) / 64


def series(n):
    """Series of a hundred points in three channels."""
    import numpy as np

    X = np.random.default_rng(0).normal(size=(n // 100, 3, 100)).cumsum(axis=2)
    return X, X[:, 0, -1] > 0


def models():
    """Name each family's estimator, its data, and what is to be expected."""
    from skdyn import (
        FNORegressor,
        HopfieldClassifier,
        HopfieldImputer,
        HopfieldOutlierDetector,
        HopfieldPoolingClassifier,
        KANRegressor,
        KernelOperatorRegressor,
        NeuralODE,
        NeuralODERegressor,
        SignatureTransformer,
        SINDyRegressor,
        SparseAutoencoder,
        StudentTProcessRegressor,
    )

    few = {"max_iter": 2, "tol": 0, "random_state": 0}
    return {
        "kan": (KANRegressor((8,), optimizer="adam", **few), table, ""),
        "kan_auto": (KANRegressor(max_iter=2, random_state=0), table, "curvature to 20,000 rows"),
        "depth": (NeuralODERegressor(alpha=1.0, **few), table, ""),
        "neural_ode": (NeuralODE(**few), cases, ""),
        "sindy": (SINDyRegressor(), cases, ""),
        "hopfield": (HopfieldClassifier(mode="stored"), classes, "asks all rows: square"),
        "imputer": (HopfieldImputer(), table, "asks all rows: square"),
        "outliers": (HopfieldOutlierDetector(), table, "asks all rows: square"),
        "bags": (HopfieldPoolingClassifier(embedding="features", random_state=0), bags, ""),
        "fno": (FNORegressor(hidden_channels=16, n_modes=8, **few), fields, ""),
        "kernel_operator": (KernelOperatorRegressor(random_state=0), fields, "a factor: cube"),
        "sparse_coder": (SparseAutoencoder(64, k=8, **few), table, ""),
        "signatures": (SignatureTransformer(), series, ""),
        "student_t": (StudentTProcessRegressor(optimizer=None), table, "a factor: cube"),
    }


def one(name, n):
    """Measure one point, in this process."""
    import resource

    import numpy as np

    warnings.simplefilter("ignore")
    model, data, _ = models()[name]
    small = data(300 if data is not fields else 200)  # imports and first calls are not the fit's
    given = dict(zip(("t",), small[1:], strict=True)) if data is cases else {}
    warm = type(model)(**model.get_params())
    warm.fit(small[0], **given) if data is cases else warm.fit(*small)
    X, y = data(n)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.process_time()
    model.fit(X, t=y) if data is cases else model.fit(X, y)
    fitted = time.process_time()
    if name == "neural_ode":
        model.predict(X[:, :, 0], t=y)
    elif hasattr(model, "predict"):
        model.predict(X)
    else:
        model.transform(X)
    asked = time.process_time()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    size = sum(np.asarray(part).nbytes for part in (X if isinstance(X, list) else [X]))
    print(json.dumps([fitted - begun, asked - fitted, peak / 1e3, size / 1e6]))


def main():
    """Print a table a family."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--up-to", type=float, default=1e5)
    parser.add_argument("--only", nargs="*")
    parser.add_argument("--limit", type=float, default=120, help="seconds a point")
    parser.add_argument("--point", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.point:
        one(asked.point[0], int(asked.point[1]))
        return
    print(f"{'':16}{'rows':>9}{'fit, s':>9}{'power':>7}{'answer, s':>11}{'power':>7}"
          f"{'peak, MB':>10}{'data, MB':>10}")  # fmt: skip
    for name, (_, _, remark) in models().items():
        if asked.only and name not in asked.only:
            continue
        before = None
        for n in (10**power for power in range(3, int(math.log10(asked.up_to)) + 1)):
            command = [sys.executable, __file__, "--point", name, str(n)]
            try:
                done = subprocess.run(
                    command, capture_output=True, text=True, timeout=asked.limit, check=True
                )
            except subprocess.TimeoutExpired:
                print(f"{name:16}{n:9}  more than {asked.limit:.0f} s  {remark}")
                break
            except subprocess.CalledProcessError as error:
                print(f"{name:16}{n:9}  {error.stderr.strip().splitlines()[-1]}")
                break
            now = json.loads(done.stdout)
            powers = [
                "" if before is None else f"{math.log10(max(b, 1e-3) / max(a, 1e-3)):.1f}"
                for a, b in zip(before or now, now, strict=True)
            ]
            print(f"{name:16}{n:9}{now[0]:9.2f}{powers[0]:>7}{now[1]:11.2f}{powers[1]:>7}"
                  f"{now[2]:10.0f}{now[3]:10.1f}  {remark}", flush=True)  # fmt: skip
            before = now


if __name__ == "__main__":
    main()
