"""Every example of the gallery runs, alone, in an empty folder, without a warning of ours."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
EXAMPLES = sorted((REPOSITORY / "examples").glob("*/plot_*.py"))
# Examples take under a minute alone; the rest is room for a busy machine.
TIMEOUT = 240


def name(path):
    return f"{path.parent.name}/{path.stem}"


def test_there_are_examples():
    assert EXAMPLES


@pytest.mark.parametrize("path", EXAMPLES, ids=name)
def test_example_starts_with_a_title(path):
    lines = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").splitlines()
    assert len(lines) > 3, "say in the docstring what the example answers"
    assert set(lines[1]) == {"="}
    assert len(lines[1]) == len(lines[0]), "underline the title with = to its length"


@pytest.mark.slow
@pytest.mark.parametrize("path", EXAMPLES, ids=name)
def test_example_runs(path, tmp_path):
    warnings = ["UserWarning", "RuntimeWarning", "FutureWarning"]
    run = subprocess.run(
        [sys.executable, *(f"-Werror::{category}" for category in warnings), str(path)],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    assert list(tmp_path.iterdir()) == [], "an example leaves no files behind"


def environment():
    """A plain environment: the example as a user runs it, but with figures that nobody sees."""
    import os

    kept = {key: value for key, value in os.environ.items() if key != "SCIPY_ARRAY_API"}
    return kept | {"MPLBACKEND": "Agg", "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}
