"""Hopfield networks beside scikit-learn's estimators and a plain attention layer.

    python benchmarks/hopfield.py {tables | pooling | imputing | recall} [options]

``tables``: classifiers on tables, their time and memory. ``pooling``: bags of instances.
``imputing``: missing entries. ``recall``: how many patterns a memory holds. Everything runs on one
thread; ``--help`` after a name lists its options.
"""

import argparse
import importlib
import os
import warnings

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy starts its threads

import torch
from threadpoolctl import threadpool_limits

TABLES = {
    "tables": "classifiers on tables",
    "pooling": "bags of instances",
    "imputing": "missing entries",
    "recall": "capacity of memories",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in TABLES.items():
        command = commands.add_parser(name, help=text)
        command.set_defaults(name=name, parser=command)
    given, _ = parser.parse_known_args()
    table = importlib.import_module(f"hopfield_{given.name}")
    table.add_arguments(given.parser)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    with threadpool_limits(1):
        table.run(args)


if __name__ == "__main__":
    main()
