"""Forward and backward through an ODE solver, side by side with torchdiffeq and torchode.

Run ``python benchmarks/ode_solve.py`` after ``pip install "skdyn[bench]"``. One thread, float32,
the same weights everywhere, runs interleaved so that a slow moment of the machine hits all alike;
medians. ``overhead`` is time over (NFE x one forward and backward of the row's own field);
``error`` is the largest deviation from scipy's DOP853 at 1e-11 over the requested times.

``--overhead`` needs no peers: what a solve forward and backward costs beside as many evaluations of
its field, forward and backward, in seconds of the processor, in turn; where gradients are wanted
and, forward alone, where they are not. ``--large`` compares the same solves with torchdiffeq's.
"""

import argparse
import copy
import statistics
import time

import numpy as np
import torch
from scipy.integrate import solve_ivp

from skdyn.solvers import MLPField, solve_ode

RTOL, ATOL, N_TIMES = 1e-5, 1e-6, 50


class UserField(torch.nn.Module):
    """A field as a user writes it; counts its evaluations."""

    def __init__(self, dim, width):
        super().__init__()
        self.net = torch.nn.Sequential(
            torch.nn.Linear(dim, width), torch.nn.SiLU(), torch.nn.Linear(width, dim)
        )
        self.n_fev = 0

    def forward(self, t, y):
        """Evaluate the network."""
        self.n_fev += 1
        return self.net(y)


def make_fields(dim, width, seed):
    """The same weights as a user's module and as an ``MLPField``."""
    generator = torch.Generator().manual_seed(seed)
    user, fused = UserField(dim, width), MLPField(dim, (width,))
    with torch.no_grad():
        for parameter in user.parameters():
            bound = 1.6 / parameter.shape[-1] ** 0.5 if parameter.ndim == 2 else 0.5
            parameter.uniform_(-bound, bound, generator=generator)
        for layer, linear in zip(fused.layers, (user.net[0], user.net[2])):
            layer.load_state_dict(linear.state_dict())
    return user, fused


def reference(user, y0, t):
    """States by DOP853 in float64, shape (t, n, d)."""
    field = copy.deepcopy(user).double()

    def slope(_, y):
        with torch.no_grad():
            return field(None, torch.from_numpy(y).view(y0.shape)).numpy().ravel()

    start = y0.double().numpy().ravel()
    solution = solve_ivp(
        slope, (t[0], t[-1]), start, "DOP853", t.double().numpy(), rtol=1e-11, atol=1e-11
    )
    return solution.y.T.reshape(len(t), *y0.shape)


def torchode_solver(field, method):
    """Torchode's autodiff adjoint with an integral controller of the same tolerances."""
    import torchode as to

    class Autonomous(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.field = field

        def forward(self, t, y):
            return self.field(t, y)

    term = to.ODETerm(Autonomous())
    step = {"dopri5": to.Dopri5, "tsit5": to.Tsit5}[method](term=term)
    control = to.IntegralController(atol=ATOL, rtol=RTOL, term=term)
    return to.AutoDiffAdjoint(step, control)


def make_runs(user, fused, y0, t, method):
    """Name -> (function that solves and returns (n, t, d), field)."""
    import torchdiffeq
    import torchode as to

    options = dict(rtol=RTOL, atol=ATOL)
    runs = {
        "skdyn, user's module": (
            lambda: solve_ode(user, y0, t, solver=method, **options).ys,
            user,
        ),
        "skdyn, MLPField": (lambda: solve_ode(fused, y0, t, solver=method, **options).ys, fused),
    }
    # torchdiffeq has no tsit5: its rows always run dopri5.
    peer = dict(method="dopri5", **options)
    runs["torchdiffeq, backprop"] = (
        lambda: torchdiffeq.odeint(user, y0, t, **peer).transpose(0, 1),
        user,
    )
    runs["torchdiffeq, adjoint"] = (
        lambda: torchdiffeq.odeint_adjoint(user, y0, t, **peer).transpose(0, 1),
        user,
    )
    solver = torchode_solver(user, method)
    grid = t.expand(len(y0), -1).contiguous()
    runs["torchode"] = (
        lambda: solver.solve(to.InitialValueProblem(y0=y0, t_eval=grid)).ys,
        user,
    )
    return runs


def forward_backward(solve, field):
    """One training-like pass; seconds and the states."""
    field.zero_grad(set_to_none=True)
    start = time.perf_counter()
    ys = solve()
    ys.square().mean().backward()
    return time.perf_counter() - start, ys.detach()


def field_cost(field, y0, repeats=200):
    """Median seconds of one forward and backward of a field by itself."""
    y, times = y0.clone().requires_grad_(), []
    for _ in range(repeats):
        start = time.perf_counter()
        field(torch.tensor(0.0), y).backward(y0)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def count_evaluations(name, solve, user, fused, y0, t, method):
    """Evaluations of the forward pass."""
    if name == "skdyn, MLPField":
        return solve_ode(fused, y0, t, solver=method, rtol=RTOL, atol=ATOL).stats.n_fev
    user.n_fev = 0
    solve()
    return user.n_fev


def measure(dim, batch, method, width, repeats, seed=0):
    """Print one table."""
    user, fused = make_fields(dim, width, seed)
    generator = torch.Generator().manual_seed(seed + 1)
    y0 = torch.randn(batch, dim, generator=generator)
    t = torch.linspace(0, 5, N_TIMES)
    truth = reference(user, y0, t)
    runs = make_runs(user, fused, y0, t, method)
    times = {name: [] for name in runs}
    errors = {}
    for round_ in range(repeats + 2):
        for name, (solve, field) in runs.items():
            if name == "torchdiffeq, adjoint" and round_ > 2 + repeats // 5:
                continue
            seconds, ys = forward_backward(solve, field)
            errors[name] = np.abs(ys.transpose(0, 1).double().numpy() - truth).max()
            if round_ >= 2:
                times[name].append(seconds)
    base = statistics.median(times["torchdiffeq, backprop"])
    print(f"\ndim {dim}, batch {batch}, width {width}, {method} (torchdiffeq: dopri5)")
    print(f"{'':24}{'ms':>9}{'speed-up':>10}{'error':>10}{'NFE':>6}{'overhead':>10}")
    for name, (solve, field) in runs.items():
        median = statistics.median(times[name])
        n_fev = count_evaluations(name, solve, user, fused, y0, t, method)
        overhead = median / (n_fev * field_cost(field, y0))
        print(
            f"{name:24}{1e3 * median:9.2f}{base / median:9.2f}x{errors[name]:10.1e}"
            f"{n_fev:6d}{overhead:10.2f}"
        )


class Convolution(torch.nn.Module):
    """A field of images."""

    def __init__(self, channels):
        super().__init__()
        self.net = torch.nn.Sequential(
            torch.nn.Conv2d(channels, 16, 3, padding=1),
            torch.nn.Tanh(),
            torch.nn.Conv2d(16, channels, 3, padding=1),
        )

    def forward(self, t, y):
        """Evaluate the network."""
        return self.net(y)


def large_cases():
    """Name -> (field, the field as a peer takes it, initial states, options)."""
    user, fused = make_fields(16, 64, 0)
    rows, images = torch.randn(2000, 16), 0.5 * torch.randn(32, 4, 16, 16)
    images_field = Convolution(4)
    return {
        "MLPField": (fused, user, rows, {}),
        "MLPField, per sample": (fused, user, rows, {"step_control": "per_sample"}),
        "user's module": (user, user, rows, {}),
        "user's module, per sample": (user, user, rows, {"step_control": "per_sample"}),
        "convolution": (images_field, images_field, images, {}),
    }


def measure_large(repeats):
    """Print how many times faster than torchdiffeq solves of many cases are."""
    import torchdiffeq

    t, options = torch.linspace(0, 5, N_TIMES), {"rtol": RTOL, "atol": ATOL}
    print(f"\n{'batch 2000, dim 16':28}{'both ways':>12}{'forward alone':>15}  (torchdiffeq: 1)")
    for name, (field, plain, y0, own) in large_cases().items():

        def ours(field=field, y0=y0, own=own):
            return solve_ode(field, y0, t, solver="dopri5", **options, **own).ys

        def theirs(field=plain, y0=y0):
            return torchdiffeq.odeint(field, y0, t, method="dopri5", **options)

        ratios = []
        for _ in range(repeats):
            both = [seconds_of(lambda f=f: f().square().mean().backward()) for f in (theirs, ours)]
            with torch.no_grad():
                alone = [seconds_of(theirs), seconds_of(ours)]
            ratios.append((both[0] / both[1], alone[0] / alone[1]))
        both, alone = np.median(ratios, axis=0)
        print(f"{name:28}{both:11.2f}x{alone:14.2f}x", flush=True)


def measure_overhead(repeats):
    """Print what solves cost beside the bare evaluations that they make."""
    t = torch.linspace(0, 5, N_TIMES)
    print(f"\n{'batch 2000, dim 16':28}{'NFE':>6}{'overhead':>10}{'forward alone':>15}")
    for name, (field, _, y0, options) in large_cases().items():

        def solve(field=field, y0=y0, options=options):
            return solve_ode(field, y0, t, solver="dopri5", rtol=RTOL, atol=ATOL, **options)

        ratios = [overhead(field, y0, solve) for _ in range(repeats)]
        both, forward, n_fev = np.median(ratios, axis=0)
        print(f"{name:28}{n_fev:6.0f}{both:10.2f}{forward:15.2f}", flush=True)


def overhead(field, y0, solve):
    """Time over that of bare evaluations, with gradients and without; and their number."""
    found = solve()
    n_fev, grad = found.stats.n_fev, torch.ones_like(found.ys)
    both = seconds_of(lambda: solve().ys.backward(grad))
    both /= seconds_of(lambda: bare(field, y0, n_fev, backward=True))
    with torch.no_grad():
        forward = seconds_of(solve)
        forward /= seconds_of(lambda: bare(field, y0, n_fev, backward=False))
    return both, forward, n_fev


def bare(field, y0, n_fev, *, backward):
    """Evaluate a field as often as a solve does."""
    time_ = torch.tensor(0.0)
    for _ in range(n_fev):
        y = y0.clone().requires_grad_(backward)
        slope = field(time_, y)
        if backward:
            slope.backward(y0)


def seconds_of(run):
    start = time.process_time()
    run()
    return time.process_time() - start


def main():
    """Parse the command line and print all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--quick", action="store_true", help="dopri5 on the two ends only")
    parser.add_argument("--overhead", action="store_true", help="beside bare evaluations alone")
    parser.add_argument("--large", action="store_true", help="batch 2000 and images, torchdiffeq")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.overhead or arguments.large:
        (measure_overhead if arguments.overhead else measure_large)(arguments.repeats)
        return
    sizes = [(2, 64), (16, 512)] if arguments.quick else [(2, 64), (2, 512), (16, 64), (16, 512)]
    for method in ("dopri5",) if arguments.quick else ("dopri5", "tsit5"):
        for dim, batch in sizes:
            measure(dim, batch, method, arguments.width, arguments.repeats)


if __name__ == "__main__":
    main()
