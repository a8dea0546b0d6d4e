"""How many random patterns of bits a memory restores, by interaction, load and noise.

    python benchmarks/hopfield.py recall [--bits 64] [--queries 300] [--figure FILE]

Queries are stored patterns with 10, 20 or 30 % of their bits flipped, exactly that many, at random
places. Recall is the share of them that come back without a wrong bit; of states of real numbers
(softmax) the signs count. "ms" is the time of retrieval, a query, mean over the three. All
parameters are defaults.
"""

import time

import numpy as np

from skdyn import HopfieldMemory
from skdyn.hopfield import PolynomialInteraction

NOISE = (0.1, 0.2, 0.3)
LOADS = (3, 6, 12, 25, 50, 100, 300, 1000, 2000, 10_000)
INTERACTIONS = {
    "hebb": "hebb",
    "pseudo-inverse": "pseudo_inverse",
    "polynomial, order 3": PolynomialInteraction(order=3),
    "polynomial, order 4": PolynomialInteraction(order=4),
    "polynomial, order 8": PolynomialInteraction(order=8),
    "exponential": "exponential",
    "softmax": "softmax",
}


def add_arguments(parser):
    parser.add_argument("--bits", type=int, default=64)
    parser.add_argument("--queries", type=int, default=300, help="per load and noise")
    parser.add_argument("--loads", type=int, nargs="+", default=LOADS, help="numbers of patterns")
    parser.add_argument("--only", nargs="+", choices=INTERACTIONS, default=list(INTERACTIONS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--figure", help="draw the curves to this file")


def run(args):
    print(f"{'':22}{'patterns':>10}" + "".join(f"{f'{p:.0%}':>7}" for p in NOISE) + f"{'ms':>9}")
    curves = {}
    for name in args.only:
        curves[name] = []
        for load in args.loads:
            recall, seconds = recall_of(INTERACTIONS[name], load, args)
            curves[name].append(recall)
            figures = "".join(f"{value:7.3f}" for value in recall)
            print(f"{name:22}{load:10d}{figures}{1e3 * seconds:9.2f}", flush=True)
    if args.figure:
        draw(curves, args)


def recall_of(interaction, load, args):
    """Return the recall at each noise, and the mean seconds a query takes."""
    rng = np.random.default_rng(args.seed)
    patterns = rng.choice([-1.0, 1.0], size=(load, args.bits))
    memory = HopfieldMemory(interaction).fit(patterns)
    recall, seconds = [], 0.0
    for noise in NOISE:
        truth = patterns[rng.integers(load, size=args.queries)]
        order = rng.random(truth.shape).argsort(axis=1)
        queries = np.where(order < round(noise * args.bits), -truth, truth)
        start = time.perf_counter()
        found = memory.transform(queries)
        seconds += time.perf_counter() - start
        recall.append((np.sign(found) == truth).all(axis=1).mean())
    return recall, seconds / (len(NOISE) * args.queries)


def draw(curves, args):
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 3, figsize=(14, 3.4), sharey=True, layout="constrained")
    for column, (ax, noise) in enumerate(zip(axes, NOISE)):
        for name, recall in curves.items():
            ax.plot(args.loads, [values[column] for values in recall], ".-", label=name)
        ax.set(xscale="log", xlabel="patterns stored", title=f"{noise:.0%} of the bits flipped")
    axes[0].set_ylabel("recalled without a wrong bit")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center")
    figure.savefig(args.figure, dpi=150)
