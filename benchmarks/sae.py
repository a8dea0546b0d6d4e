"""Sparse autoencoders beside SAELens, overcomplete and scikit-learn.

    python benchmarks/sae.py {speed | quality | networks | memory} [options]

``speed``: samples a second of a training step. ``quality``: what is learned of a known dictionary.
``networks``: how well dictionaries stand in for layers of two networks trained here.
``memory``: a fit on an array larger than what it may hold. ``--help`` after a name lists its
options. The peers come with the extra ``sae-peer``, in an environment of its own.
"""

import argparse
import importlib
import os
import warnings

# Before numpy starts its threads; a number from outside is kept.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

TABLES = {
    "speed": "samples a second of a training step",
    "quality": "what is learned of a known dictionary",
    "networks": "how well dictionaries stand in for layers of two networks",
    "memory": "a fit on an array larger than what it may hold",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in TABLES.items():
        command = commands.add_parser(name, help=text)
        command.set_defaults(name=name, parser=command)
    given, _ = parser.parse_known_args()
    table = importlib.import_module(f"sae_{given.name}")
    table.add_arguments(given.parser)
    args = parser.parse_args()
    del args.parser  # it cannot be sent to another process
    warnings.simplefilter("ignore")
    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    table.run(args)


if __name__ == "__main__":
    main()
