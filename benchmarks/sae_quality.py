"""How much of a known dictionary sparse autoencoders learn, at equal sparsity and equal steps.

    python benchmarks/sae.py quality [--seeds 0 1 2] [--only NAME ...] [--l0 7.4] [--k 8] ...

Data: ``make_superposition``, scaled to a mean norm of the root of n_features as SAELens does, split
into training rows (a sixteenth of all that is seen, so that each row comes 16 times) and 16384 test
rows. Everything sees the same rows, 256 a step. SAELens trains with its own ``SAETrainer``,
overcomplete with its own ``train_sae``, both at a learning rate of 1e-3 that falls linearly over
the last fifth of the steps; skdyn with its defaults. ``--rate`` sets the rate of all: run it for
several and compare each at its best. Coefficients of the variants with a penalty are searched until
L0 is as asked.

L0, unexplained variance and dead share are those of the test rows, coded one by one as after
training (batch top-k by its threshold). "matched" is the mean cosine of the true components and
the learned ones, paired one to one; "max" without the pairing; "recall" the share of the true
components found at a cosine of .9; "s" is CPU time, on one thread.
"""

import contextlib
import io
import time

import numpy as np
import torch

from skdyn import SparseAutoencoder
from skdyn.autoencoder.allocations import ALLOCATIONS
from skdyn.datasets import make_superposition
from skdyn.metrics import (
    dead_fraction,
    dictionary_recall,
    feature_absorption,
    fraction_variance_unexplained,
    l0,
    matched_cosine,
    mean_max_cosine,
)

EPOCHS = 16
N_TEST = 16_384
PEERS_RATE = 1e-3
PENALIZED = ("relu", "gated", "SAELens standard", "SAELens gated")


def add_arguments(parser):
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--only", nargs="+", help="names of rows, or what they begin with")
    parser.add_argument("--features", type=int, default=64)
    parser.add_argument("--components", type=int, default=256, help="true ones")
    parser.add_argument("--latents", type=int, default=256)
    parser.add_argument("--l0", type=float, default=7.4, help="true active components a row")
    parser.add_argument("--k", type=int, default=8, help="active latents a row")
    parser.add_argument("--exponent", type=float, default=1.0)
    parser.add_argument("--offset", type=float, default=5.0)
    parser.add_argument("--correlation", type=float, default=0.3)
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--rate", type=float, help="one learning rate for all")
    parser.add_argument("--absorption", action="store_true", help="measure it (slow)")


def run(args):
    names = [*ALLOCATIONS, *SAELENS, "overcomplete TopK"]
    if args.only:
        names = [name for name in names if name.startswith(tuple(args.only))]
    data = {seed: dataset(args, seed) for seed in args.seeds}
    columns = ("FVU", "matched", "max", "recall", "dead", "L0", "s")
    print(f"{'':24}" + "".join(f"{name:>9}" for name in columns), flush=True)
    for name in names:
        coefficient = searched(name, args) if name in PENALIZED else None
        rows = [scores(name, args, *data[seed], seed, coefficient) for seed in args.seeds]
        for label, values in (("", np.mean(rows, axis=0)), ("  worst", worst(rows))):
            figures = "".join(f"{value:9.3f}" for value in values[:-1])
            print(f"{label or name:24}{figures}{values[-1]:9.1f}", flush=True)


def worst(rows):
    """Per column the value of the worst seed; of L0 and the time the largest."""
    lowest, highest = np.min(rows, axis=0), np.max(rows, axis=0)
    return [highest[0], *lowest[1:4], *highest[4:]]


def dataset(args, seed):
    n_train = args.steps * args.batch // EPOCHS
    X, codes, dictionary = make_superposition(
        n_train + N_TEST,
        args.features,
        args.components,
        l0=args.l0,
        exponent=args.exponent,
        offset=args.offset,
        correlation=args.correlation,
        noise=args.noise,
        random_state=seed,
    )
    X *= np.sqrt(args.features) / np.linalg.norm(X, axis=1).mean()
    X = X.astype(np.float32)
    return X[:n_train], X[n_train:], codes[n_train:], dictionary


def scores(name, args, X, X_test, true_codes, dictionary, seed, coefficient=None):
    """Train one and return its row of the table."""
    torch.manual_seed(seed)
    start = time.process_time()
    if name in SAELENS:
        learned = saelens(name, args, X, coefficient)
    elif name == "overcomplete TopK":
        learned = overcomplete(args, X)
    else:
        learned = skdyn(name, args, X, seed, coefficient)
    seconds = time.process_time() - start
    codes, reconstruction, components = learned(X_test)
    if args.absorption:
        share = feature_absorption(codes, components, true_codes, dictionary, min_cosine=0.4)
        print(f"  absorption {share:.4f}")
    return (
        fraction_variance_unexplained(X_test, reconstruction),
        matched_cosine(dictionary, components),
        mean_max_cosine(dictionary, components),
        dictionary_recall(dictionary, components),
        dead_fraction(codes),
        l0(codes),
        seconds,
    )


def searched(name, args, n_tries=6):
    """Penalty at which a training on data of its own ends at the L0 asked for."""
    data = dataset(args, 1000)
    low, high = 1e-3, 1e3
    for _ in range(n_tries):
        middle = np.sqrt(low * high)
        if scores(name, args, *data, 1000, middle)[5] > args.k:
            low = middle
        else:
            high = middle
    return np.sqrt(low * high)


def skdyn(name, args, X, seed, coefficient):
    model = SparseAutoencoder(
        args.latents,
        k=args.k,
        allocation=name,
        output="csr",
        max_iter=EPOCHS,
        batch_size=args.batch,
        random_state=seed,
        **({} if coefficient is None else {"l1_coefficient": coefficient}),
        **({} if args.rate is None else {"learning_rate": args.rate}),
    ).fit(X)

    def learned(X):
        codes = model.transform(X)
        return codes, model.inverse_transform(codes), model.components_

    return learned


class Batches:
    """Rows in a new order each epoch, without end."""

    def __init__(self, X, size):
        self.X, self.size, self.order = X, size, X.new_empty(0, dtype=torch.long)

    def __iter__(self):
        return self

    def __next__(self):
        if not len(self.order):
            self.order = torch.randperm(len(self.X))
        batch, self.order = self.order[: self.size], self.order[self.size :]
        return self.X[batch]


SAELENS = {
    "SAELens TopK": "TopK",
    "SAELens BatchTopK": "BatchTopK",
    "SAELens JumpReLU": "JumpReLU",
    "SAELens Matryoshka": "MatryoshkaBatchTopK",
    "SAELens gated": "Gated",
    "SAELens standard": "Standard",
}


def saelens(name, args, X, coefficient):
    import sae_lens
    from sae_lens.config import LoggingConfig, SAETrainerConfig
    from sae_lens.training.sae_trainer import SAETrainer

    kind = SAELENS[name]
    settings = {}
    if "TopK" in kind:
        settings["k"] = args.k
    if kind == "JumpReLU":
        settings |= {"jumprelu_sparsity_loss_mode": "quadratic", "target_l0": args.k}
        settings["l0_warm_up_steps"] = args.steps // 5
    if kind.startswith("Matryoshka"):
        settings["matryoshka_widths"] = [args.latents // n for n in (8, 4, 2, 1)]
    if coefficient is not None:
        settings["l1_coefficient"] = coefficient
    config = getattr(sae_lens, f"{kind}TrainingSAEConfig")(
        d_in=args.features, d_sae=args.latents, **settings
    )
    sae = getattr(sae_lens, f"{kind}TrainingSAE")(config)
    rate = args.rate or PEERS_RATE
    trainer = SAETrainer(
        cfg=SAETrainerConfig(
            total_training_samples=args.steps * args.batch,
            train_batch_size_samples=args.batch,
            lr=rate,
            lr_end=rate / 10,
            lr_decay_steps=args.steps // 5,
            logger=LoggingConfig(log_to_wandb=False),
        ),
        sae=sae,
        data_provider=Batches(torch.from_numpy(X), args.batch),
    )
    with contextlib.redirect_stderr(io.StringIO()):  # its progress bar
        trainer.fit()
    sae.eval()

    @torch.no_grad()
    def learned(X):
        X = torch.from_numpy(X)
        if "Batch" in kind:
            # As its saved form does: a threshold on the codes instead of the batch's largest.
            codes, before = sae.encode_with_hidden_pre(X)
            codes = before.relu() * (before > sae.topk_threshold)
        else:
            codes = sae.encode(X)
        return codes.numpy(), sae.decode(codes).numpy(), sae.W_dec.numpy()

    return learned


def overcomplete(args, X):
    from overcomplete.sae import TopKSAE, train_sae

    sae = TopKSAE(args.features, args.latents, top_k=args.k)
    rate = args.rate or PEERS_RATE
    optimizer = torch.optim.Adam(sae.parameters(), lr=rate)
    # Tensor batches as in the others' loops, without a DataLoader between.
    batches = Batches(torch.from_numpy(X), args.batch)
    steps = args.steps // EPOCHS
    fall = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, 0.1 + 4.5 * (1 - step / args.steps))
    )

    class Epoch:
        def __iter__(self):
            return (next(batches) for _ in range(steps))

    def mse(x, x_hat, before, codes, dictionary):
        return (x - x_hat).square().mean()

    with contextlib.redirect_stdout(io.StringIO()):
        train_sae(sae, Epoch(), mse, optimizer, scheduler=fall, nb_epochs=EPOCHS, monitoring=0)
    sae.eval()

    @torch.no_grad()
    def learned(X):
        codes = sae.encode(torch.from_numpy(X))[1]
        return codes.numpy(), sae.decode(codes).numpy(), sae.get_dictionary().numpy()

    return learned
