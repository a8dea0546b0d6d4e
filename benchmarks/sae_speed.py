"""Samples a second of one training step, everything interleaved in one process.

    python benchmarks/sae.py speed [--sizes 64,512,4096 ...] [--rounds 9] [--only NAME ...]

Columns: milliseconds a step (median of the rounds), thousands of samples a second, and the ratios
to SAELens' step and to the floor, the encoder's product and the top-k of its result, without which
no step is possible. SAELens is stepped by its own ``SAETrainer`` with the defaults of its top-k
variant, overcomplete as its ``train_sae`` does without monitoring; "dense" is the same objective as
skdyn's in plain torch, with a fused Adam. All in float32. scikit-learn's dictionary learning
sees a few rows only (``--rows``). "fit" is the CPU time of sixteen steps as a user asks for them,
what ``fit`` measures before and after them included, beside sixteen of SAELens' own
``SAETrainer.fit`` and of the plain loop over the same rows in random order, which measures nothing.
"curve" is the largest relative distance of the
losses of thirty steps of skdyn from those of dense autograd.
"""

import importlib.util
import time
from functools import partial

import numpy as np
import torch

from skdyn import SparseAutoencoder
from skdyn.autoencoder._network import SparseCoder
from skdyn.autoencoder._objective import ObjectiveSettings, ReconstructionObjective
from skdyn.autoencoder._plan import Plan
from skdyn.training import LeanNet, Stage, TrainingSettings, new_generator

K = 32
SIZES = [
    "64,512,4096", "96,768,2048", "256,2048,2048", "384,3072,1024", "512,8192,1024",
]  # fmt: skip
ALLOCATIONS = ["topk", "batch_topk", "mutual_choice", "feature_choice", "mutual_then_feature"]


def add_arguments(parser):
    parser.add_argument("--sizes", nargs="+", default=SIZES, help="features,latents,batch")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", nargs="+", help="names of rows")
    parser.add_argument(
        "--rows", type=int, default=16, help="of scikit-learn's dictionary learning"
    )


def run(args):
    for size in args.sizes:
        d, m, n = map(int, size.split(","))
        torch.manual_seed(0)
        batches = [torch.from_numpy(data(d, n, seed)) for seed in range(4)]
        steps = contenders(d, m, batches)
        if args.only:
            steps = {name: step for name, step in steps.items() if name in args.only}
        seconds = interleaved(steps, batches, args.rounds)
        print(f"{d} features, {m} latents, batch {n}, k {K}, {torch.get_num_threads()} thread(s)")
        print(f"{'':24}{'ms':>9}{'ksamples/s':>12}{'x SAELens':>11}{'of floor':>10}")
        for name, spent in seconds.items():
            to_peer = seconds.get("SAELens", np.nan) / spent
            to_floor = seconds.get("floor", np.nan) / spent
            print(
                f"{name:24}{1e3 * spent:9.1f}{n / spent / 1e3:12.2f}{to_peer:11.2f}{to_floor:10.2f}"
            )
        if not args.only or "fit" in args.only:
            whole_fits(d, m, n, args.rounds)
        if not args.only:
            spent = dictionary_learning(d, m, batches[0][: args.rows].numpy())
            print(f"{'scikit-learn':24}{'':9}{1e-3 * args.rows / spent:12.4f}")
            print(f"curve {curve_distance(d, m, batches):.1e}", flush=True)


def clock():
    """Seconds: of this process on one thread, lest others on the machine count; else of the day."""
    return time.process_time() if torch.get_num_threads() == 1 else time.perf_counter()


def whole_fits(d, m, n, rounds, n_steps=16):
    """Print how long fits take, interleaved with the plain loop."""
    X = np.concatenate([data(d, n, seed) for seed in range(n_steps)])

    def plain():
        loop, rows = Dense(d, m), torch.from_numpy(X)
        for some in torch.randperm(len(rows)).split(n):
            loop.step(rows[some])

    settings = {"k": K, "max_iter": 1, "batch_size": n, "random_state": 0, "output": "csr"}

    def peer():
        rows = torch.from_numpy(X)
        batches = (rows[some] for some in torch.randperm(len(rows)).split(n))
        saelens_trainer(d, m, n, batches, len(rows)).fit()

    fits = {"SAELens": peer} if importlib.util.find_spec("sae_lens") else {}
    fits = (
        fits
        | {"plain loop": plain}
        | {
            name: partial(SparseAutoencoder(m, allocation=name, aux=aux, **settings).fit, X)
            for name, aux in (("topk", "auxk"), ("feature_then_mutual", "zipf"))
        }
    )
    seconds = interleaved(
        {name: lambda _, fit=fit: fit() for name, fit in fits.items()}, [X], rounds
    )
    for name, spent in seconds.items():
        to_peer, to_plain = (seconds.get(of, np.nan) / spent for of in ("SAELens", "plain loop"))
        print(f"{'fit, ' + name:24}{1e3 * spent:9.0f}{'':12}{to_peer:11.2f}", end="")
        print(f"{to_plain:10.2f} x the plain loop")


def data(d, n, seed):
    """Rows of a few directions of a dictionary, with noise, of unit variance a feature."""
    dictionary = np.random.default_rng(0).normal(size=(4 * d, d))
    rng = np.random.default_rng(seed)
    codes = rng.exponential(size=(n, 4 * d)) * (rng.random((n, 4 * d)) < 8 / (4 * d))
    X = codes @ dictionary + 0.1 * rng.normal(size=(n, d))
    return (X / X.std()).astype(np.float32)


def interleaved(steps, batches, rounds):
    """Median seconds of a step; a first round, in which memory is got, does not count."""
    seconds = {name: [] for name in steps}
    for turn in range(rounds + 1):
        for name, step in steps.items():
            start = clock()
            step(batches[turn % len(batches)])
            seconds[name].append(clock() - start)
    return {name: float(np.median(spent[1:])) for name, spent in seconds.items()}


def contenders(d, m, batches):
    """Map names to functions of a batch that take one training step."""
    steps = {"floor": floor(d, m), "dense": Dense(d, m).step}
    for name in ALLOCATIONS:
        steps[name] = ours(name, d, m, batches[0])[0]
    for name, make in (("SAELens", saelens), ("overcomplete", overcomplete)):
        try:
            steps[name] = make(d, m, len(batches[0]))
        except ImportError as error:
            print(f"{name} is not installed: {error}")
    return steps


def floor(d, m):
    weight, bias = torch.randn(m, d), torch.zeros(m)
    return lambda x: torch.addmm(bias, x, weight.T).topk(K, dim=1)


def ours(name, d, m, x, aux="auxk"):
    """The step of skdyn's own training loop, hooks and revival included, and its network."""
    torch.manual_seed(0)
    coder = SparseCoder(d, d, m, K, name)
    settings = ObjectiveSettings(K, aux=aux, dead_after=10**6)
    # A plan that long stays at its beginning: the schedule is at feature choice.
    objective = ReconstructionObjective(settings, Plan(256_000))
    net = LeanNet(coder, TrainingSettings(learning_rate=1e-3), new_generator(0))
    stage = Stage(objective, (x,), 1, after_step=objective.after_step)
    net.fit_loop(stage)  # one step: the loop is set up
    return lambda x: net.train_step((x,)), coder


class Dense:
    """Top-k codes by dense autograd, as one would write it."""

    def __init__(self, d, m, coder=None):
        coder = SparseCoder(d, d, m, K, "topk") if coder is None else coder
        names = ("encoder_weight", "encoder_bias", "decoder_weight", "decoder_bias")
        self.parameters = [getattr(coder, n).detach().clone().requires_grad_() for n in names]
        self.optimizer = torch.optim.Adam(self.parameters, lr=1e-3, fused=True)

    def step(self, x):
        encoder, bias, decoder, shift = self.parameters
        self.optimizer.zero_grad()
        pre = torch.addmm(bias, x - shift, encoder.T)
        best = pre.topk(K, dim=1)
        codes = torch.zeros_like(pre).scatter(1, best.indices, torch.relu(best.values))
        loss = (codes @ decoder + shift - x).square().mean()
        loss.backward()
        with torch.no_grad():
            along = (decoder.grad * decoder).sum(dim=1, keepdim=True)
            decoder.grad.sub_(along * decoder)
            self.optimizer.step()
            decoder.div_(decoder.norm(dim=1, keepdim=True))
        return loss.detach()


def curve_distance(d, m, batches, n_steps=30):
    step, coder = ours("topk", d, m, batches[0], aux=None)
    dense = Dense(d, m, coder)
    step, coder = fresh(d, m, coder)
    distances = []
    for turn in range(n_steps):
        x = batches[turn % len(batches)]
        expected = dense.step(x).item()
        distances.append(abs(step(x).item() / expected - 1.0))
    return max(distances)


def fresh(d, m, coder):
    """A step that begins with these weights and an optimizer that has seen nothing."""
    settings = ObjectiveSettings(K)
    objective = ReconstructionObjective(settings, Plan(256_000))
    net = LeanNet(coder, TrainingSettings(learning_rate=1e-3), new_generator(0))
    net.criterion_ = objective
    net.stage_ = Stage(objective, (), 1, after_step=objective.after_step)
    return lambda x: net.train_step((x,)), coder


def saelens(d, m, n):
    trainer = saelens_trainer(d, m, n, iter(()), 10**9)
    return lambda x: trainer._train_step(sae=trainer.sae, sae_in=x)


def saelens_trainer(d, m, n, batches, n_rows):
    from sae_lens import LoggingConfig, TopKTrainingSAE, TopKTrainingSAEConfig
    from sae_lens.config import SAETrainerConfig
    from sae_lens.training.sae_trainer import SAETrainer

    sae = TopKTrainingSAE(TopKTrainingSAEConfig(d_in=d, d_sae=m, k=K, device="cpu"))
    config = SAETrainerConfig(
        n_checkpoints=0, checkpoint_path=None, save_final_checkpoint=False,
        total_training_samples=n_rows, device="cpu", autocast=False, lr=1e-3, lr_end=1e-4,
        lr_scheduler_name="constant", lr_warm_up_steps=0, adam_beta1=0.9, adam_beta2=0.999,
        lr_decay_steps=0, n_restart_cycles=1, train_batch_size_samples=n,
        dead_feature_window=1000, feature_sampling_window=2000,
        logger=LoggingConfig(log_to_wandb=False),
    )  # fmt: skip
    return SAETrainer(config, sae, data_provider=batches)


def overcomplete(d, m, n):
    from overcomplete.sae import TopKSAE

    sae = TopKSAE(d, m, top_k=K)
    optimizer = torch.optim.Adam(sae.parameters(), lr=1e-3)

    def step(x):
        optimizer.zero_grad()
        _, _, rebuilt = sae(x)
        (rebuilt - x).square().mean().backward()
        torch.nn.utils.clip_grad_norm_(sae.parameters(), 1.0)
        optimizer.step()

    return step


def dictionary_learning(d, m, X):
    from sklearn.decomposition import MiniBatchDictionaryLearning

    model = MiniBatchDictionaryLearning(m, batch_size=len(X), transform_n_nonzero_coefs=K)
    start = clock()
    model.partial_fit(X)
    return clock() - start
