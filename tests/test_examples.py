"""Every example of the gallery asks a question. The docs' build runs them: see docs/_gallery.py."""

import ast
import re
from pathlib import Path

import pytest

from skdyn import inspection
from skdyn.testing import all_estimators

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


@pytest.mark.parametrize("path", EXAMPLES, ids=name)
def test_example_ends_with_a_picture(path):
    last = path.read_text(encoding="utf-8").split("\n# %%")[-1]
    assert re.search(r"plt\.show\(\)|Display\b.*\(|\.plot\(|figure", last), (
        "draw the answer at the end"
    )


def test_every_estimator_and_display_is_in_an_example():
    shown = "\n".join(path.read_text(encoding="utf-8") for path in EXAMPLES)
    wanted = [estimator for estimator, cls in all_estimators() if cls.__module__.count(".") == 2]
    wanted += [display for display in inspection.__all__ if display.endswith("Display")]
    assert [one for one in wanted if not re.search(rf"\b{one}\b", shown)] == []
