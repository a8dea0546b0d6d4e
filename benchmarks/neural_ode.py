"""What training costs until a neural ODE is right, beside torchdiffeq.

One problem for the first two tables, Lotka and Volterra's equations (or those of the second pile,
``--pile second``, on which nothing was chosen): 20 trajectories of 100 points
are given, 10 others are predicted from their initial states alone, and the error is the mean
squared one over all their points. One network, an MLP 2-64-2 with SiLU. Contestants:

- torchdiffeq on whole trajectories: the textbook way (dopri5, backpropagation, Adam);
- torchdiffeq on windows: the same, on skdyn's own first windows;
- skdyn on windows with Adam: the same algorithm on our solver, nothing else;
- skdyn as it comes: collocation, growing windows, L-BFGS.

Everybody gets the same standardized states and times and, with Adam, the same learning rate. CPU
seconds of one thread, smoothing and everything else included; measuring the error is not timed.
The third table is about the cost of the learned field: penalties from the solver's own estimates.

    python benchmarks/neural_ode.py                  # quick: under four minutes
    python benchmarks/neural_ode.py --seeds 5 --limit 60
"""

import argparse
import statistics
import time
import warnings

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from torchdiffeq import odeint

from skdyn import NeuralODE, NeuralODEClassifier
from skdyn.datasets import make_damped_oscillator, make_lotka_volterra, make_van_der_pol
from skdyn.exceptions import SolverError
from skdyn.training import seeded_rng

TARGET, RATE, WINDOW, RTOL, ATOL = 1e-3, 1e-2, 8, 1e-4, 1e-5


# Defaults were chosen on the first pile, the second was looked at once.
PILES = {
    "first": {"Lotka-Volterra": make_lotka_volterra},
    "second": {"Van der Pol": make_van_der_pol, "oscillator": make_damped_oscillator},
}


class Task:
    """Training and test trajectories, and the scales everybody works in."""

    def __init__(self, make, noise, seed):
        self.X, self.t = make(n_cases=20, noise=noise, random_state=seed)
        self.truth, _ = make(n_cases=10, random_state=1000 + seed)
        self.offset = self.X.mean(axis=(0, 2), keepdims=True)
        self.scale = self.X.std(axis=(0, 2), keepdims=True)

    def tensors(self):
        """Standardized states (t, n, 2) and times, as torchdiffeq wants them."""
        states = ((self.X - self.offset) / self.scale).transpose(2, 0, 1)
        return torch.tensor(states, dtype=torch.float32), torch.tensor(self.t, dtype=torch.float32)

    def error(self, predict):
        """Mean squared error on the test trajectories; infinite where they cannot be solved."""
        try:
            return float(np.mean((predict(self.truth[:, :, 0], self.t) - self.truth) ** 2))
        except (SolverError, AssertionError):
            return float("inf")


class Peer:
    """torchdiffeq with Adam, on windows of ``length`` intervals."""

    def __init__(self, task, length, seed):
        self.task = task
        with seeded_rng(seed):
            self.net = torch.nn.Sequential(
                torch.nn.Linear(2, 64), torch.nn.SiLU(), torch.nn.Linear(64, 2)
            )
        states, times = task.tensors()
        firsts = [*range(0, len(times) - 1 - length, max(1, length // 2)), len(times) - 1 - length]
        self.targets = torch.cat([states[first : first + length + 1] for first in firsts], dim=1)
        self.times = times[: length + 1]
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=RATE, fused=True)

    def step(self):
        self.optimizer.zero_grad()
        loss = (self._solve(self.targets[0], self.times) - self.targets).square().mean()
        loss.backward()
        self.optimizer.step()

    def _solve(self, x0, times):
        return odeint(lambda t, y: self.net(y), x0, times, rtol=RTOL, atol=ATOL)

    @torch.no_grad()
    def predict(self, x0, t):
        task = self.task
        scaled = (x0[:, :, None] - task.offset) / task.scale
        start = torch.tensor(scaled[:, :, 0], dtype=torch.float32)
        ys = self._solve(start, torch.tensor(t, dtype=torch.float32)).permute(1, 2, 0).numpy()
        return ys * task.scale + task.offset


class UntilTarget:
    """A callback of scikit-learn that times a fit and stops it once the target is reached."""

    def __init__(self, task, limit):
        self.task, self.limit = task, limit
        self.begin = time.process_time()
        self.error, self.seconds, self.measuring = float("inf"), 0.0, 0.0

    def setup(self, estimator, context):
        """Nothing to prepare."""

    def teardown(self, estimator, context):
        """Nothing to clean up."""

    def on_fit_task_begin(self, estimator, context):
        """Nothing to do."""

    def on_fit_task_end(self, estimator, context, *, fitted_estimator=None):
        """Note time and error after an epoch."""
        if context.task_name != "epoch" or self.error <= TARGET:
            return self.error <= TARGET
        now = time.process_time()
        self.seconds = now - self.begin - self.measuring
        self.error = self.task.error(fitted_estimator.predict)
        self.measuring += time.process_time() - now
        return self.error <= TARGET or self.seconds > self.limit


def peer_until_target(task, length, seed, limit):
    """CPU seconds of torchdiffeq until the target, or None, and the last error."""
    peer, seconds, error = Peer(task, length, seed), 0.0, float("inf")
    while error > TARGET and seconds < limit:
        begin = time.process_time()
        for _ in range(10):
            peer.step()
        seconds += time.process_time() - begin
        error = task.error(peer.predict)
    return (seconds if error <= TARGET else None), error


def ours_until_target(task, seed, limit, **params):
    """CPU seconds of NeuralODE until the target, or None, and the last error."""
    model = NeuralODE(random_state=seed, device="cpu", **params)
    clock = UntilTarget(task, limit)
    model.set_callbacks(clock).fit(task.X, t=task.t)
    return (clock.seconds if clock.error <= TARGET else None), clock.error


def time_to_target(name, make, seeds, limit):
    adam = {
        "optimizer": "adam", "pretrain": None, "window": WINDOW, "learn_x0": False, "alpha": 0.0,
        "learning_rate": RATE, "batch_size": 10**6, "max_iter": 10**5, "tol": 0.0,
        "n_iter_no_change": 10**5,
    }  # fmt: skip
    contestants = {
        "torchdiffeq, whole trajectories": lambda *a: peer_until_target(a[0], 99, *a[1:]),
        "torchdiffeq, windows": lambda *a: peer_until_target(a[0], WINDOW, *a[1:]),
        "skdyn, the same windows and Adam": lambda *a: ours_until_target(*a, **adam),
        "skdyn as it comes": ours_until_target,
    }
    results = {name: [] for name in contestants}
    for seed in range(seeds):
        task = Task(make, 0.0, seed)
        for who, run in contestants.items():
            results[who].append(run(task, seed, limit))
    print(f"\n{name}, exact data, CPU s to test MSE {TARGET:g} (limit {limit:g} s), {seeds} seeds")
    print(f"{'':34}{'median':>9}  each (error where the limit came first)")
    ours = statistics.median(s or limit for s, _ in results["skdyn as it comes"])
    for who, runs in results.items():
        median = statistics.median(s or limit for s, _ in runs)
        late = ">" if statistics.median(s is None for s, _ in runs) else ""
        each = "  ".join(f"{s:.2f}" if s else f"({e:.1e})" for s, e in runs)
        print(f"{who:34}{late + format(median, '.2f'):>9}  {late}{median / ours:.0f}x   {each}")


def noisy_at_equal_time(name, make, seeds):
    print(f"\n{name}, noise of .1, test MSE against the exact truth, everybody given our CPU time")
    print(f"{'CPU s':>8}{'skdyn':>11}{'whole':>11}{'windows':>11}  (torchdiffeq)")
    table = []
    for seed in range(seeds):
        task = Task(make, 0.1, seed)
        begin = time.process_time()
        model = NeuralODE(random_state=seed, device="cpu").fit(task.X, t=task.t)
        budget = time.process_time() - begin
        row = [budget, task.error(model.predict)]
        for length in (99, WINDOW):
            peer, begin = Peer(task, length, seed), time.process_time()
            while time.process_time() - begin < budget:
                peer.step()
            row.append(task.error(peer.predict))
        table.append(row)
        print(f"{row[0]:8.2f}" + "".join(f"{error:11.2e}" for error in row[1:]))
    medians = [statistics.median(column) for column in zip(*table, strict=True)]
    print(f"{medians[0]:8.2f}" + "".join(f"{error:11.2e}" for error in medians[1:]) + "  median")


def regularization(seeds):
    print("\nHandwritten digits, NeuralODEClassifier: field evaluations at prediction, test error")
    settings = {
        "none": {},
        "error": {"regularization": "error"},
        "stiffness": {"regularization": "stiffness"},
    }
    print(f"{'':12}{'n_fev':>8}{'log-loss':>10}{'accuracy':>10}{'fit s':>8}   n_fev of each seed")
    X, y = load_digits(return_X_y=True)
    for name, params in settings.items():
        rows = []
        for seed in range(seeds):
            parts = train_test_split(X, y, test_size=0.4, random_state=seed)
            begin = time.process_time()
            model = NeuralODEClassifier(
                augment_dim=0, learning_rate=1e-2, max_iter=60, tol=0, rtol=1e-5, atol=1e-6,
                random_state=seed, device="cpu", **params,
            ).fit(parts[0], parts[2])  # fmt: skip
            spent = time.process_time() - begin
            loss = log_loss(parts[3], model.predict_proba(parts[1]))
            n_fev = model.solver_statistics(parts[1]).n_fev
            rows.append((n_fev, loss, model.score(parts[1], parts[3]), spent))
        n_fev, loss, accuracy, spent = (statistics.median(c) for c in zip(*rows, strict=True))
        each = " ".join(str(row[0]) for row in rows)
        print(f"{name:12}{n_fev:8.0f}{loss:10.4f}{accuracy:10.4f}{spent:8.1f}   {each}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=8.0, help="CPU s for each contestant")
    parser.add_argument("--pile", choices=[*PILES], default="first")
    parser.add_argument("--only", choices=["exact", "noisy", "regularization"])
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    for name, make in PILES[options.pile].items():
        if options.only in (None, "exact"):
            time_to_target(name, make, options.seeds, options.limit)
        if options.only in (None, "noisy"):
            noisy_at_equal_time(name, make, options.seeds)
    if options.only in (None, "regularization"):
        regularization(options.seeds)


if __name__ == "__main__":
    main()
