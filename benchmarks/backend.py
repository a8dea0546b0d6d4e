"""What the backend costs beside the arithmetic it must do.

One network (an MLP with one hidden layer of 64), one problem (1000 x 10 regression), one number of
epochs, trained by

- a hand-written torch loop (the floor; once with fused Adam and once as it is usually written),
- skdyn's shared backend,
- stock skorch (NeuralNetRegressor with its defaults, no validation split, no printing),
- scikit-learn's MLPRegressor (its own numpy implementation, Adam, no stopping).

Contestants are run in turn and the medians of their CPU-bound wall times are printed, with the
median of the ratios to the floor taken round by round.

    python benchmarks/backend.py            # batch 128 and full batch
    python benchmarks/backend.py --rounds 3 --epochs 20
"""

import argparse
import statistics
import time
import warnings

import numpy as np
import skorch
import torch
from sklearn.neural_network import MLPRegressor

from skdyn.training import LeanNet, Stage, TrainingSettings, new_generator, seeded_rng

N, D, HIDDEN, RATE = 1000, 10, 64, 1e-3


def make_data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N, D)).astype(np.float32)
    y = np.sin(X[:, :1]) + X[:, 1:2] * X[:, 2:3] + 0.1 * rng.normal(size=(N, 1)).astype(np.float32)
    return X, y.astype(np.float32)


def make_module():
    with seeded_rng(0):
        return torch.nn.Sequential(
            torch.nn.Linear(D, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, 1)
        )


def hand_written(X, y, batch, epochs, fused=True):
    module = make_module()
    optimizer = torch.optim.Adam(module.parameters(), lr=RATE, fused=fused)
    X, y = torch.from_numpy(X), torch.from_numpy(y)
    generator = new_generator(0)
    for _ in range(epochs):
        if batch < len(X):
            parts = torch.randperm(len(X), generator=generator).split(batch)
            batches = ((X[rows], y[rows]) for rows in parts)
        else:
            batches = [(X, y)]
        for inputs, targets in batches:
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(module(inputs), targets)
            loss.backward()
            optimizer.step()
    return torch.nn.functional.mse_loss(module(X), y).item()


def usual(X, y, batch, epochs):
    return hand_written(X, y, batch, epochs, fused=False)


def backend(X, y, batch, epochs):
    settings = TrainingSettings(
        learning_rate=RATE, batch_size=batch, tol=0.0, n_iter_no_change=epochs
    )
    net = LeanNet(make_module(), settings, new_generator(0))
    loss = lambda module, X, y: torch.nn.functional.mse_loss(module(X), y)  # noqa: E731
    return net.run([Stage(loss, (X, y), epochs)]).loss_curve[-1]


def stock_skorch(X, y, batch, epochs):
    net = skorch.NeuralNetRegressor(
        make_module(), optimizer=torch.optim.Adam, lr=RATE, max_epochs=epochs, batch_size=batch,
        iterator_train__shuffle=True, train_split=None, verbose=0,
    )  # fmt: skip
    return net.fit(X, y).history[-1, "train_loss"]


def scikit_learn(X, y, batch, epochs):
    model = MLPRegressor(
        hidden_layer_sizes=(HIDDEN,), batch_size=batch, max_iter=epochs, learning_rate_init=RATE,
        alpha=0.0, tol=0.0, n_iter_no_change=epochs + 1, random_state=0,
    )  # fmt: skip
    return 2 * model.fit(X, y[:, 0]).loss_


CONTESTANTS = {
    "hand-written torch, fused Adam": hand_written,
    "hand-written torch, plain Adam": usual,
    "skdyn backend": backend,
    "stock skorch": stock_skorch,
    "scikit-learn MLPRegressor": scikit_learn,
}


def measure(batch, epochs, rounds):
    X, y = make_data()
    times = {name: [] for name in CONTESTANTS}
    losses = {}
    for train in CONTESTANTS.values():  # warm up
        train(X, y, batch, 2)
    for _ in range(rounds):
        for name, train in CONTESTANTS.items():
            start = time.perf_counter()
            losses[name] = train(X, y, batch, epochs)
            times[name].append(time.perf_counter() - start)
    return times, losses


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    for batch in (128, N):
        times, losses = measure(batch, options.epochs, options.rounds)
        floor = times["hand-written torch, fused Adam"]
        print(f"\n{N} x {D}, MLP {HIDDEN}, batch {batch}, {options.epochs} epochs, "
              f"{options.rounds} rounds, one thread")  # fmt: skip
        print(f"{'':34}{'ms/epoch':>10}{'ratio':>8}{'last loss':>12}")
        for name, seconds in times.items():
            ratio = statistics.median(a / b for a, b in zip(seconds, floor, strict=True))
            each = statistics.median(seconds) / options.epochs * 1e3
            print(f"{name:34}{each:>10.3f}{ratio:>8.2f}{losses[name]:>12.4f}")


if __name__ == "__main__":
    main()
