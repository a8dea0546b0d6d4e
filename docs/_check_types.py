"""Show the package, and the code that its docs show, to a type checker, as editors do.

``python docs/_check_types.py`` runs basedpyright over the package and over the code of README,
guide, docstrings and quickstart; it fails on any error. CI runs it.
"""

import doctest
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import _run_code

import skdyn

CHECKER = [sys.executable, "-m", "basedpyright", "--pythonpath", sys.executable]
SETTINGS = {
    "typeCheckingMode": "standard",
    "extraPaths": [str(_run_code.REPOSITORY)],  # checkers see no editable install
    # As in a notebook: a value alone in a line is shown, and a name is used again.
    "reportUnusedExpression": False,
    "reportRedeclaration": False,
}
# What scikit-learn, which has no types, is guessed to return would be most of what is told.
DECLARED = {"useLibraryCodeForTypes": False}


# What editors must know of: classes through the door, and what their methods return.
KNOWN = """
from typing import assert_type

import numpy as np

import skdyn
from skdyn import KANRegressor, NeuralODE, io
from skdyn.metrics import trajectory_r2_score

model = KANRegressor(max_iter=5).fit([[0.0], [1.0]], [0.0, 1.0])
assert_type(model, KANRegressor)
assert_type(model.score([[0.0]], [0.0]), float)
assert_type(skdyn.NeuralODE(), NeuralODE)
assert_type(io.load("model.safetensors", KANRegressor), KANRegressor)
assert_type(trajectory_r2_score(np.zeros((3, 1)), np.zeros((3, 1))), float)
"""


def first_steps():
    """Yield a name and the code of what a newcomer runs: README's blocks, and the quickstart."""
    yield "known", KNOWN
    blocks = re.findall(r"(?ms)^```python\n(.*?)^```$", _run_code.README.read_text("utf-8"))
    for number, block in enumerate(blocks):
        yield f"readme_{number}", block
    yield "quickstart", _run_code.QUICKSTART.read_text("utf-8")


def pages():
    """Yield a name and the code of each page of the guide and each docstring."""
    parser = doctest.DocTestParser()
    for page in [_run_code.LANDING, *sorted(_run_code.GUIDE.glob("*.rst"))]:
        examples = parser.get_examples(page.read_text(encoding="utf-8"))
        yield f"guide_{page.stem}", "".join(example.source for example in examples)
    for test in _run_code.docstrings(skdyn):
        yield test.name.replace(".", "_"), "".join(example.source for example in test.examples)


def errors_in(scripts, settings):
    """Check scripts, each by itself; return whether there is an error, which the checker tells."""
    with tempfile.TemporaryDirectory() as folder:
        for name, code in scripts:
            Path(folder, f"{name}.py").write_text(code, encoding="utf-8")
        Path(folder, "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
        return bool(subprocess.run([*CHECKER, "--project", folder]).returncode)


def main():
    """Check everything; exit with an error if the checker finds one."""
    failed = bool(subprocess.run(CHECKER, cwd=_run_code.REPOSITORY).returncode)
    failed |= errors_in(first_steps(), SETTINGS)
    failed |= errors_in(pages(), SETTINGS | DECLARED)
    sys.exit(failed)


if __name__ == "__main__":
    main()
