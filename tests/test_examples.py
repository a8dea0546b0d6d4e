"""Every example of the gallery asks a question. The docs' build runs them: see docs/_gallery.py."""

import ast
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
EXAMPLES = sorted((REPOSITORY / "examples").glob("*/plot_*.py"))


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
