"""README, changelog fragments and the docs' generated pages keep what they promise."""

import doctest
import importlib.util
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

REPOSITORY = Path(__file__).parents[1]
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    'python3 -m venv .venv && .venv/bin/pip install -c constraints.txt ".[plot,progress]" '
    "&& .venv/bin/python examples/quickstart.py",
    'python3 -m venv .venv && .venv/bin/pip install -c constraints.txt -e ".[test]" '
    "&& .venv/bin/python -m pytest",
]


def load(name):
    """Import a module of docs/ by its path: that folder is no package."""
    spec = importlib.util.spec_from_file_location(name, REPOSITORY / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)


def test_readme_holds_exactly_its_two_commands_a_line_each():
    assert [block.strip() for block in blocks(README, "bash")] == COMMANDS


def test_ci_extracts_the_second_command_as_it_is_printed():
    script = (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")
    line = next(line for line in script.splitlines() if line.startswith("mapfile"))
    run = subprocess.run(
        ["bash", "-c", f'{line}; printf "%s\n" "${{commands[1]}}"'],
        capture_output=True,
        text=True,
        check=True,
        cwd=REPOSITORY,
    )
    assert run.stdout.strip() == COMMANDS[1]


def test_readme_fits_one_screen_and_its_code_ten_lines():
    for code in blocks(README, "python"):
        assert len([line for line in code.splitlines() if line.strip()]) <= 10
    assert len(README.splitlines()) < 90


@pytest.mark.slow
def test_the_code_of_the_readme_learns_the_dynamics():
    code, _ = blocks(README, "python")
    names = {}
    exec(compile(code, "README.md", "exec"), names)
    score = names["trajectory_r2_score"](names["truth"], names["forecast"])
    # The page says 0.999; how a machine rounds may cost a little of it.
    assert score > 0.99


@pytest.mark.slow
def test_the_code_of_the_readme_finds_the_formula(capsys):
    _, code = blocks(README, "python")
    exec(compile(code, "README.md", "exec"), {})
    promised = code.splitlines()[-1].split("# ")[1]
    assert capsys.readouterr().out.strip() == promised


def test_the_table_of_the_readme_is_that_of_the_estimators_found():
    pages = load("_pages")
    assert pages.START in README
    assert pages.END in README
    assert "NeuralODERegressor" in pages.estimator_table()
    assert "SINDyRegressor" in pages.estimator_table()
    assert "PolynomialLibrary" not in pages.estimator_table(), "a part of SINDyRegressor"
    assert pages.with_table(README) == README, "run `python docs/_pages.py`"


def test_a_stale_table_is_replaced_and_nothing_else():
    pages = load("_pages")
    text = f"before\n{pages.START}\n| outdated |\n{pages.END}\nafter\n"
    renewed = pages.with_table(text)
    assert "outdated" not in renewed
    assert renewed.startswith("before\n")
    assert renewed.endswith("\nafter\n")
    assert pages.with_table(renewed) == renewed


def test_every_public_module_gets_an_api_page_and_a_stale_one_goes(tmp_path):
    pages = load("_pages")
    (tmp_path / "skdyn.gone.module.rst").write_text("old")
    pages.write_api_pages(tmp_path)
    found = {path.name.removesuffix(".module.rst") for path in tmp_path.iterdir()}
    assert found == set(pages.public_modules())
    assert {"skdyn.datasets", "skdyn.metrics", "skdyn.neural_ode", "skdyn.solvers"} <= found
    assert "make_lorenz63" in (tmp_path / "skdyn.datasets.module.rst").read_text()


def test_the_estimator_of_the_developers_page_works():
    page = (REPOSITORY / "docs" / "developing" / "adding.rst").read_text(encoding="utf-8")
    body = page.split(".. code-block:: python\n", 1)[1]
    lines = []
    for line in body.splitlines():
        if line and not line.startswith("   "):
            break
        lines.append(line[3:])
    names = {"__name__": __name__}
    exec(compile("\n".join(lines), "adding.rst", "exec"), names)
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 2))
    y = np.sin(2 * X[:, 0]) + X[:, 1]
    model = names["ShallowRegressor"](learning_rate=0.03, tol=0, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.9


GUIDES = sorted((REPOSITORY / "docs" / "guide").glob("*.rst"))


@pytest.mark.slow
@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.stem)
def test_examples_of_the_guide_run(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    failed, _ = doctest.testfile(
        str(path), module_relative=False, optionflags=doctest.ELLIPSIS, encoding="utf-8"
    )
    assert failed == 0


# -- the changelog ------------------------------------------------------------------------------


def test_every_fragment_has_a_known_kind_and_a_text():
    changelog = load("_changelog")
    for path, _, text in changelog.fragments(REPOSITORY / "docs" / "changes"):
        assert text.endswith("."), path


def test_fragments_become_a_section_and_go(tmp_path):
    changelog = load("_changelog")
    folder = tmp_path / "changes"
    folder.mkdir()
    (folder / "README.rst").write_text("how")
    (folder / "b.fix.rst").write_text("Mended\nthis.\n")
    (folder / "a.feature.rst").write_text("New that.")
    book = tmp_path / "CHANGELOG.md"
    book.write_text(f"# Changelog\n\n{changelog.MARK}\n## 0.0.1 (2026-01-01)\n")
    changelog.assemble("0.1.0", folder, book, day="2026-02-01")
    text = book.read_text()
    assert text.index("0.1.0 (2026-02-01)") < text.index("0.0.1")
    assert text.index("### New\n\n- New that.") < text.index("### Mended\n\n- Mended this.")
    assert [path.name for path in folder.iterdir()] == ["README.rst"]


def test_the_changelog_can_take_the_next_release():
    changelog = load("_changelog")
    assert changelog.MARK in (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")


def test_a_misnamed_fragment_and_an_empty_release_are_refused(tmp_path):
    changelog = load("_changelog")
    with pytest.raises(ValueError, match="No fragment in"):
        changelog.assemble("1.0", tmp_path, tmp_path / "CHANGELOG.md")
    (tmp_path / "thing.rst").write_text("text")
    with pytest.raises(ValueError, match=r"thing.rst must be named <words>.<kind>.rst"):
        list(changelog.fragments(tmp_path))
