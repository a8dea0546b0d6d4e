"""Run the code that the docs show outside of the gallery: guide, docstrings, README and quickstart.

``python docs/_run_code.py`` runs all of it, each page and each docstring in an empty folder, and
fails with those whose code fails or prints something else. CI runs it before it builds the docs,
which run the gallery.
"""

import contextlib
import doctest
import importlib
import io
import os
import pkgutil
import re
import subprocess
import sys
import tempfile
import traceback
from pathlib import Path

import numpy as np
import torch

import skdyn

REPOSITORY = Path(__file__).resolve().parents[1]
GUIDE = REPOSITORY / "docs" / "guide"
LANDING = REPOSITORY / "docs" / "index.rst"
README = REPOSITORY / "README.md"
QUICKSTART = REPOSITORY / "examples" / "quickstart.py"
OURS = ("UserWarning", "RuntimeWarning", "FutureWarning")
# How a machine rounds may cost a little of a score that a page promises.
SCORE_TOLERANCE = 0.01
AS_PRINTED = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def run_page(path):
    """Run the examples of a page of the guide, and compare what they print."""
    failed, tried = doctest.testfile(
        str(path), module_relative=False, optionflags=doctest.ELLIPSIS, encoding="utf-8"
    )
    if failed:
        raise AssertionError(f"{failed} of {tried} examples failed")


def docstrings(package):
    """Yield the docstrings with examples of a package's modules, and of what is written in them.

    Each is to be run from nothing: what it uses it imports, as a reader must.
    """
    names = [
        module.name for module in pkgutil.walk_packages(package.__path__, package.__name__ + ".")
    ]
    for name in [package.__name__, *names]:
        found = doctest.DocTestFinder(exclude_empty=True).find(
            importlib.import_module(name), name, globs={}
        )
        yield from (each for each in found if each.examples)


def run_docstring(test):
    """Run the examples of a docstring, and compare what they print."""
    told = []
    failed, tried = doctest.DocTestRunner(optionflags=AS_PRINTED).run(test, out=told.append)
    if failed:
        raise AssertionError(f"{''.join(told)}\n{failed} of {tried} examples failed")


def run_snippets(path):
    """Run the Python of a page in Markdown; each block prints what its last comment promises."""
    text = path.read_text(encoding="utf-8")
    for code in re.findall(r"^```python\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, path.name, "exec"), {"__name__": path.name})
        promised = code.rstrip().splitlines()[-1].split("# ")[-1].split(": ")[-1]
        if not _agree(printed.getvalue().strip(), promised):
            raise AssertionError(f"{promised} is promised, {printed.getvalue().strip()} printed")


def _agree(printed, promised):
    try:
        return abs(float(printed) - float(promised)) <= SCORE_TOLERANCE
    except ValueError:
        return printed == promised


def run_quickstart(path):
    """Run README's first example as its command does, but with our warnings as errors."""
    strict = [f"-Werror::{category}" for category in OURS]
    subprocess.run(
        [sys.executable, *strict, str(path), "--output", "plot.png"],
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    left = sorted(file.name for file in Path().iterdir())
    if left != ["plot.png"]:
        raise AssertionError(f"it should leave one plot, plot.png, but left {left}")


def in_an_empty_folder(run, page):
    """Run one page or docstring; tell what went wrong and return whether nothing did."""
    # First weights of a bare module are left to chance, which should be the same every time.
    np.random.seed(0)  # noqa: NPY002  (the generator behind random_state=None)
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        try:
            run(page)
        except Exception:
            traceback.print_exc()
            print(f"FAILED: the code of {page}", file=sys.stderr)
            return False
    return True


def main():
    """Run everything, and exit with an error if anything failed."""
    pages = [(run_page, path) for path in [LANDING, *sorted(GUIDE.glob("*.rst"))]]
    pages += [(run_snippets, README), (run_quickstart, QUICKSTART)]
    pages += [(run_docstring, test) for test in docstrings(skdyn)]
    ran = [in_an_empty_folder(run, page) for run, page in pages]
    print(f"the code of {sum(ran)} of {len(ran)} pages and docstrings runs")
    return 0 if all(ran) else 1


if __name__ == "__main__":
    sys.exit(main())
