"""How well sparse autoencoders stand in for layers of two networks, beside published recipes.

    python benchmarks/sae.py networks [--piles code1 digits ...] [--only NAME ...] [--k 8] ...

Networks, trained here: a character transformer of two layers, 64 wide, on the sources of Python's
standard library, and a perceptron of two hidden layers on scikit-learn's digits. Piles of
activations: ``code1`` and ``code2`` (residual stream after a layer, on sources that the network
saw none of), ``early1`` (layer 1 when a quarter of its training was done), ``docs1`` and ``docs2``
(on Python's own documentation), ``digits1`` and ``digits2`` (hidden layers), and two of
``make_superposition``, ``synthetic1`` and ``synthetic2`` (twice as many atoms, other frequencies).
Defaults were chosen on ``code1``, ``early1``, ``digits1`` and ``synthetic1``.

Peers are written after their papers in plain torch, since SAELens needs an environment of its own
(``quality`` has it): BatchTopK (Bussmann et al. 2024) and TopK (Gao et al. 2024) with the auxiliary
loss on dead latents, JumpReLU (Rajamanoharan et al. 2024) with a target of k. All start with the
decoder's bias at the data's mean and the encoder at the decoder's transpose, see rows scaled to a
mean norm of the root of their width, and get a rate that is searched (``--rates``) on each pile by
the variance of rows that training does not see.

FVU is of 12,800 rows that training does not see; "loss" is the share of the network's loss that is
recovered (mean ablation); "dead" the share of latents that are never active there; "matched" and
"recall" compare with known atoms; "s" is CPU time, of the best rate alone.
"""

import sysconfig
import time
from functools import cache
from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch.nn.functional import cross_entropy, normalize

from skdyn import SparseAutoencoder
from skdyn.autoencoder import collect_activations, loss_recovered
from skdyn.datasets import make_superposition
from skdyn.metrics import (
    dead_fraction,
    dictionary_recall,
    fraction_variance_unexplained,
    l0,
    matched_cosine,
)

WIDTH, CONTEXT, CHARACTERS = 64, 64, 128
N_TRAIN, N_TEST = 48_000, 12_800
PILES = (
    "code1", "early1", "code2", "docs1", "docs2", "digits1", "digits2", "synthetic1", "synthetic2",
)  # fmt: skip


def add_arguments(parser):
    parser.add_argument("--piles", nargs="+", default=list(PILES), choices=PILES)
    parser.add_argument("--only", nargs="+", help="names of rows, or what they begin with")
    parser.add_argument("--latents", type=int, default=512)
    parser.add_argument("--k", type=int, default=8)
    parser.add_argument("--steps", type=int, default=2250)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--rates", type=float, nargs="+", default=[1e-3, 3e-3, 1e-2])
    parser.add_argument("--kept", type=Path, help="folder of networks that were trained before")
    parser.add_argument("--set", nargs="*", default=[], help="of skdyn, such as learning_rate=0.01")


def run(args):
    names = [name for name in COACHES if not args.only or name.startswith(tuple(args.only))]
    columns = ("FVU", "loss", "dead", "L0", "matched", "recall", "rate", "s")
    print(f"{'':12}{'':20}" + "".join(f"{name:>9}" for name in columns), flush=True)
    for pile in args.piles:
        data = load(pile, args)
        for name in names:
            rows = np.array([row(name, data, seed, args) for seed in args.seeds])
            figures = "".join(f"{value:9.4f}" for value in rows.mean(axis=0))
            print(f"{pile:12}{name:20}{figures}", flush=True)


def row(name, data, seed, args):
    """Train one at each of its rates and return the best one's row of the table."""
    found = []
    for rate in [None] if name == "skdyn" else args.rates:
        start = time.process_time()
        coder = COACHES[name](data.train, rate, seed, args)
        seconds = time.process_time() - start
        codes, rebuilt, atoms = coder(data.test)
        share = data.recovered(coder)
        known = data.atoms
        found.append((
            fraction_variance_unexplained(data.test, rebuilt), share, dead_fraction(codes),
            l0(codes), *(
                (np.nan, np.nan) if known is None
                else (matched_cosine(known, atoms), dictionary_recall(known, atoms))
            ), rate or np.nan, seconds,
        ))  # fmt: skip
    return min(found)


# -- networks --------------------------------------------------------------------------------------


class Block(torch.nn.Module):
    """Causal attention and a perceptron, each added to what it reads."""

    def __init__(self):
        super().__init__()
        self.norms = torch.nn.ModuleList(torch.nn.LayerNorm(WIDTH) for _ in range(2))
        self.into, self.out = torch.nn.Linear(WIDTH, 3 * WIDTH), torch.nn.Linear(WIDTH, WIDTH)
        self.wide = torch.nn.Sequential(
            torch.nn.Linear(WIDTH, 4 * WIDTH), torch.nn.GELU(), torch.nn.Linear(4 * WIDTH, WIDTH)
        )

    def forward(self, x):
        n, length, _ = x.shape
        parts = self.into(self.norms[0](x)).view(n, length, 3, 4, WIDTH // 4).permute(2, 0, 3, 1, 4)
        seen = torch.nn.functional.scaled_dot_product_attention(*parts, is_causal=True)
        x = x + self.out(seen.transpose(1, 2).reshape(x.shape))
        return x + self.wide(self.norms[1](x))


class Transformer(torch.nn.Module):
    """Two blocks between an embedding of characters and a guess of the next."""

    def __init__(self):
        super().__init__()
        self.characters = torch.nn.Embedding(CHARACTERS, WIDTH)
        self.places = torch.nn.Parameter(0.02 * torch.randn(CONTEXT, WIDTH))
        self.blocks = torch.nn.ModuleList([Block(), Block()])
        self.guess = torch.nn.Sequential(
            torch.nn.LayerNorm(WIDTH), torch.nn.Linear(WIDTH, CHARACTERS)
        )

    def forward(self, tokens):
        x = self.characters(tokens) + self.places[: tokens.shape[1]]
        for block in self.blocks:
            x = block(x)
        return self.guess(x)


@cache
def texts():
    """Characters of the standard library: its sources, in two halves, and its documentation."""
    folder = Path(sysconfig.get_paths()["stdlib"])
    sources = sorted(folder.glob("*.py")) + sorted(folder.glob("[a-z]*/*.py"))
    sources = [path for path in sources if "test" not in str(path) and "site-" not in str(path)]
    halves = ["".join(map(read, sources[start::2][:150])) for start in (0, 1)]
    docs = read(folder / "pydoc_data" / "topics.py").encode().decode("unicode_escape")
    return [characters(text) for text in (*halves, docs)]


def read(path):
    return path.read_text(encoding="utf-8", errors="ignore")


def characters(text):
    codes = np.frombuffer(text.encode("ascii", errors="ignore"), dtype=np.uint8)
    return torch.from_numpy(codes.astype(np.int64))


def windows(text, n, seed):
    """Cut n stretches out of a text, one character longer than the context."""
    starts = np.random.default_rng(seed).choice(len(text) // CONTEXT - 2, n, replace=False)
    places = torch.from_numpy(starts * CONTEXT)[:, None] + torch.arange(CONTEXT + 1)
    return text[places]


def trained(network, batches, n_steps, rate, keep_at=()):
    """Train a network on batches and return copies of its weights at some steps, and the last."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate)
    fall = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=n_steps)
    kept = []
    for step in range(n_steps):
        if step in keep_at:
            kept.append({name: w.clone() for name, w in network.state_dict().items()})
        x, y = batches(step)
        optimizer.zero_grad()
        cross_entropy(network(x).flatten(0, -2), y.flatten()).backward()
        optimizer.step()
        fall.step()
    return [*kept, network.state_dict()]


def train_transformer(n_steps=1500, n_rows=32):
    torch.manual_seed(0)
    cut = windows(texts()[0], n_steps * n_rows % 40_000 + 20_000, seed=0)

    def batch(step):
        some = cut[torch.arange(step * n_rows, (step + 1) * n_rows) % len(cut)]
        return some[:, :-1], some[:, 1:]

    return trained(Transformer(), batch, n_steps, 3e-3, keep_at=(n_steps // 4,))


def perceptron():
    layers = (torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 64), torch.nn.ReLU())
    return torch.nn.Sequential(*layers, torch.nn.Linear(64, 10))


def digits():
    """Digits, each also shifted and noisy: what a network of this width is trained on."""
    X, y = load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    images = X.reshape(-1, 8, 8) / 16
    moved = [np.roll(images, shift, axis) for shift in (-1, 1) for axis in (1, 2)]
    every = np.concatenate([images, *moved] * 7)[: N_TRAIN + N_TEST]
    every = every + 0.1 * rng.normal(size=every.shape)
    order = rng.permutation(len(every))
    labels = np.concatenate([y] * 35)[: len(every)]
    flat = every.reshape(len(every), 64)[order].astype(np.float32)
    return torch.from_numpy(flat), torch.from_numpy(labels[order])


def train_perceptron(n_steps=1500):
    torch.manual_seed(0)
    X, y = digits()

    def batch(step):
        some = torch.arange(step * 128, (step + 1) * 128) % N_TRAIN
        return X[some], y[some]

    return trained(perceptron(), batch, n_steps, 3e-3)


def network_weights(name, args):
    """Return weights, from the folder of those that were trained before if there is one."""
    path = None if args.kept is None else args.kept / f"{name}.pt"
    if path is not None and path.is_file():
        return torch.load(path)
    weights = {"transformer": train_transformer, "perceptron": train_perceptron}[name]()
    if path is not None:
        args.kept.mkdir(parents=True, exist_ok=True)
        torch.save(weights, path)
    return weights


# -- piles -----------------------------------------------------------------------------------------


class Pile:
    """Rows to train on, rows to look at, and where in which network they come from."""

    def __init__(self, rows, atoms=None, network=None, layer="", inputs=None, targets=None):
        self.train, self.test = rows[:N_TRAIN], rows[N_TRAIN:]
        self.atoms, self.network, self.layer = atoms, network, layer
        self.inputs, self.targets = inputs, targets

    def recovered(self, coder):
        """Return the share of the network's loss that is recovered."""
        if self.network is None:
            return np.nan

        def loss(output, target):
            return cross_entropy(output.flatten(0, -2), target.flatten())

        if isinstance(coder, Ours):
            return loss_recovered(
                self.network, self.inputs, self.layer, coder.model, loss, targets=self.targets
            ).share
        return recovered_by_hand(self, coder, loss)


@torch.no_grad()
def recovered_by_hand(pile, coder, loss):
    """The same of what is no estimator of skdyn."""
    layer = dict(pile.network.named_modules())[pile.layer]
    mean = torch.from_numpy(pile.test.mean(axis=0))
    ways = (
        lambda y: y,
        lambda y: torch.from_numpy(coder(y.flatten(0, -2).numpy())[1]).view(y.shape),
        lambda y: mean.expand_as(y),
    )
    losses = []
    for way in ways:
        hook = layer.register_forward_hook(lambda _, __, y, way=way: way(y))
        losses.append(loss(pile.network(pile.inputs), pile.targets).item())
        hook.remove()
    plain, with_coder, without = losses
    return (without - with_coder) / (without - plain)


def load(name, args):
    kind, number = name[:-1], int(name[-1])
    if kind == "synthetic":
        X, _, atoms = make_superposition(
            N_TRAIN + N_TEST, WIDTH, 256 * number, l0=7.4, exponent=1.0 + 0.3 * (number - 1),
            offset=5.0, correlation=0.3 / number, random_state=number,
        )  # fmt: skip
        return Pile(X.astype(np.float32), atoms)
    if kind == "digits":
        network, layer = perceptron(), {1: "1", 2: "3"}[number]
        network.load_state_dict(network_weights("perceptron", args)[-1])
        X, y = digits()
        rows = collect_activations(network, X, layer)
        return Pile(rows, None, network.eval(), layer, X[N_TRAIN:], y[N_TRAIN:])
    early, last = network_weights("transformer", args)
    network, layer = Transformer(), f"blocks.{number - 1}"
    network.load_state_dict(early if kind == "early" else last)
    text = texts()[2 if kind == "docs" else 1]
    cut = windows(text, (N_TRAIN + N_TEST) // CONTEXT, seed=1)
    rows = collect_activations(network, cut[:, :-1], layer, transform=lambda y: y.flatten(0, 1))
    unseen = cut[N_TRAIN // CONTEXT :]
    return Pile(rows, None, network.eval(), layer, unseen[:, :-1], unseen[:, 1:])


# -- coaches ---------------------------------------------------------------------------------------


class Ours:
    def __init__(self, model):
        self.model = model

    def __call__(self, X):
        codes = self.model.transform(X)
        return codes, self.model.inverse_transform(codes), self.model.components_


def skdyn(X, rate, seed, args):
    given = dict(one.split("=") for one in args.set)
    given = {name: literal(value) for name, value in given.items()}
    epochs = max(1, round(args.steps * args.batch / len(X)))
    settings = {"k": args.k, "max_iter": epochs, "batch_size": args.batch, "random_state": seed}
    return Ours(SparseAutoencoder(args.latents, output="csr", **settings | given).fit(X))


def literal(text):
    from ast import literal_eval

    try:
        return literal_eval(text)
    except (ValueError, SyntaxError):
        return text


class Peer(torch.nn.Module):
    """What the published recipes share: scaled inputs, tied start, unit decoders, dead latents."""

    dead_after, aux_coefficient = 256_000, 1 / 32  # rows; the papers' millions are for longer runs

    def __init__(self, X, args):
        super().__init__()
        self.k = args.k
        self.scale = float(np.sqrt(X.shape[1]) / np.linalg.norm(X, axis=1).mean())
        decoder = normalize(torch.randn(args.latents, X.shape[1]), dim=1)
        self.decoder = torch.nn.Parameter(decoder)
        self.encoder = torch.nn.Parameter(decoder.T.clone())
        self.bias = torch.nn.Parameter(torch.zeros(args.latents))
        self.center = torch.nn.Parameter(torch.from_numpy(X.mean(axis=0) * self.scale))
        self.idle = torch.zeros(args.latents)
        self.threshold, self.n_thresholds = torch.zeros(()), 0

    def loss(self, x, progress):
        pre = (x - self.center) @ self.encoder + self.bias
        codes = self.codes(pre, progress)
        rebuilt = codes @ self.decoder + self.center
        self.idle = (self.idle + len(x)) * (codes == 0).all(dim=0)
        fit = (rebuilt - x).square().mean()
        return fit + self.penalty(pre, codes, progress) + self.revival(pre, x - rebuilt.detach())

    def revival(self, pre, missing):
        dead = self.idle >= self.dead_after
        if not dead.any():
            return 0.0
        some = pre[:, dead].relu()
        best = some.topk(min(some.shape[1], missing.shape[1] // 2), dim=1)
        codes = torch.zeros_like(some).scatter(1, best.indices, best.values)
        return self.aux_coefficient * (codes @ self.decoder[dead] - missing).square().mean()

    def penalty(self, pre, codes, progress):
        return 0.0

    def learnt(self, X):
        x = torch.from_numpy(X) * self.scale
        codes = self.used((x - self.center) @ self.encoder + self.bias)
        rebuilt = (codes @ self.decoder + self.center) / self.scale
        return codes.numpy(), rebuilt.numpy(), self.decoder.numpy()


class BatchTopK(Peer):
    def codes(self, pre, progress):
        active = pre.relu()
        smallest = active.flatten().topk(self.k * len(pre)).values[-1]
        self.n_thresholds += 1  # a running mean, as in the paper's code
        rate = max(1 / self.n_thresholds, 0.01)
        self.threshold = self.threshold + rate * (smallest.detach() - self.threshold)
        return active * (active >= smallest)

    def used(self, pre):
        return pre.relu() * (pre > self.threshold)


class TopK(Peer):
    def codes(self, pre, progress):
        best = pre.relu().topk(self.k, dim=1)
        return torch.zeros_like(pre).scatter(1, best.indices, best.values)

    def used(self, pre):
        return self.codes(pre, 1.0)


class JumpReLU(Peer):
    bandwidth, strength, warmup = 0.05, 1.0, 0.2

    def __init__(self, X, args):
        super().__init__(X, args)
        self.log_threshold = torch.nn.Parameter(torch.full((args.latents,), float(np.log(0.001))))

    def codes(self, pre, progress):
        return pre.relu() * Step.apply(pre.detach(), self.log_threshold.exp(), self.bandwidth)

    def penalty(self, pre, codes, progress):
        n = Step.apply(pre.detach(), self.log_threshold.exp(), self.bandwidth).sum(dim=1).mean()
        return self.strength * min(1.0, progress / self.warmup) * (n / self.k - 1).square()

    def used(self, pre):
        return pre.relu() * (pre > self.log_threshold.exp())


class Step(torch.autograd.Function):
    """A step whose gradient by the threshold is that of a ramp."""

    @staticmethod
    def forward(ctx, pre, threshold, bandwidth):
        ctx.save_for_backward(((pre - threshold).abs() < bandwidth / 2) / bandwidth)
        return (pre > threshold).to(pre)

    @staticmethod
    def backward(ctx, gradient):
        return None, -(gradient * ctx.saved_tensors[0]).sum(dim=0), None


def coached(kind):
    def train(X, rate, seed, args):
        torch.manual_seed(seed)
        peer = kind(X, args)
        rows = torch.from_numpy(X) * peer.scale
        optimizer = torch.optim.Adam(peer.parameters(), lr=rate, betas=(0.9, 0.999), fused=True)
        order = torch.empty(0, dtype=torch.long)
        for step in range(args.steps):
            if len(order) < args.batch:
                order = torch.randperm(len(rows))
            some, order = order[: args.batch], order[args.batch :]
            progress = step / args.steps
            optimizer.param_groups[0]["lr"] = rate * min(1.0, 5 * (1 - progress))
            optimizer.zero_grad()
            peer.loss(rows[some], progress).backward()
            with torch.no_grad():
                weight, gradient = peer.decoder, peer.decoder.grad
                gradient -= (gradient * weight).sum(dim=1, keepdim=True) * weight
                optimizer.step()
                weight.copy_(normalize(weight, dim=1))
        peer.requires_grad_(False)
        return peer.learnt

    return train


COACHES = {
    "skdyn": skdyn,
    "BatchTopK": coached(BatchTopK),
    "TopK": coached(TopK),
    "JumpReLU": coached(JumpReLU),
}
