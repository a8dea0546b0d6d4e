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

TABLES = ["tables", "pooling", "imputing", "recall"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], add_help=False)
    parser.add_argument("table", choices=TABLES)
    given, rest = parser.parse_known_args()
    table = importlib.import_module(f"hopfield_{given.table}")
    options = argparse.ArgumentParser(
        prog=f"hopfield.py {given.table}", description=table.__doc__.splitlines()[0]
    )
    table.add_arguments(options)
    args = options.parse_args(rest)
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    with threadpool_limits(1):
        table.run(args)


if __name__ == "__main__":
    main()
