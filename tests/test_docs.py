"""README, changelog fragments and the docs' generated pages keep what they promise."""

import importlib.util
import inspect
import json
import os
import re
import subprocess
import sys
import warnings
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


def test_the_door_offers_what_the_families_do():
    pages = load("_pages")
    door = pages.DOOR.read_text(encoding="utf-8")
    assert pages.with_names(door) == door, "run `python docs/_pages.py`"
    assert pages.offered(pages.DOOR.parent)["kan"] == ["KANClassifier", "KANRegressor"]
    stale = door.replace("KANClassifier", "KANGone")
    assert stale != door
    assert pages.with_names(stale) == door


def test_shared_parameters_are_said_in_the_words_of_the_table():
    parameters = load("_parameters")
    for path, text in parameters.renewed_files().items():
        assert text == path.read_text(encoding="utf-8"), "run `python docs/_parameters.py`"


def test_other_words_of_a_shared_parameter_are_replaced_and_nothing_else():
    parameters = load("_parameters")
    text = """    Parameters
    ----------
    clip_norm : float, \\
            default=1.0
        Something else,
        on two lines.
    own : int
        Of this class.

    """
    renewed = parameters.renewed(text, "NeuralODE", parameters.table())
    assert "    clip_norm : float or None, default=1.0\n        Largest norm" in renewed
    assert "Something" not in renewed
    assert renewed.endswith("to it.\n    own : int\n        Of this class.\n\n    ")
    assert parameters.renewed(renewed, "NeuralODE", parameters.table()) == renewed
    of_own = {("NeuralODE", "own"): ("float", "Else."), (None, "own"): ("str", "Of all.")}
    assert parameters.renewed(text, "NeuralODE", of_own).endswith(
        "own : float\n        Else.\n\n    "
    )
    assert parameters.renewed(text, "Other", of_own).endswith("own : str\n        Of all.\n\n    ")


def test_every_estimator_that_trains_says_the_parameters_of_the_table():
    parameters = load("_parameters")
    words = parameters.table()
    trained = [cls for _, cls in parameters.all_estimators()
               if issubclass(cls, parameters.TorchEstimator)]  # fmt: skip
    shared = {name for cls, name in words if cls is None}
    assert len(trained) > 15
    for cls in trained:
        own = set(inspect.signature(cls).parameters)
        assert len(own & shared) >= 12, cls
    used = {(cls.__name__, name) for cls in trained for name in inspect.signature(cls).parameters}
    assert {entry for entry in words if entry[0]} <= used
    assert shared <= {name for _, name in used}


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


# -- code on pages, which CI runs with docs/_run_code.py ----------------------------------------


def runs(name, page, text):
    """Whether the runner of pages is content with this one."""
    code = load("_run_code")
    page.write_text(text)
    return code.in_an_empty_folder(getattr(code, name), page)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Title\n=====\n\n>>> 1 + 1\n2\n>>> print('a long line')\na ... line\n", True),
        ("Title\n=====\n\n>>> 1 + 1\n3\n", False),
        (">>> 1 / 0\n", False),
        (">>> open('left.txt', 'w').close()\n", True),
    ],
)
def test_a_page_whose_code_fails_or_prints_something_else_is_told(text, expected, tmp_path, capfd):
    page = tmp_path / "page.rst"
    assert runs("run_page", page, text) is expected
    assert ("FAILED" in capfd.readouterr().err) is not expected
    assert list(tmp_path.iterdir()) == [page], "code of pages runs in a folder of its own"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("print(0.9985)  # R2: 0.999", True),
        ("print(0.9)  # R2: 0.999", False),
        ("x = 1\nprint('exp(x)')  # exp(x)", True),
        ("print('exp(y)')  # exp(x)", False),
        ("print(nothing)  # exp(x)", False),
    ],
)
def test_what_a_snippet_promises_it_prints(code, expected, tmp_path, capfd):
    text = f"Words.\n\n```python\n{code}\n```\n\n```bash\nnot python\n```\n"
    assert runs("run_snippets", tmp_path / "page.md", text) is expected
    assert ("FAILED" in capfd.readouterr().err) is not expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", True),
        ("warnings.warn('this is deprecated', FutureWarning)", False),
        ("open('other.txt', 'w').close()", False),
    ],
)
def test_the_quickstart_may_neither_warn_nor_leave_more_than_its_plot(line, expected, tmp_path):
    text = f"import sys, warnings\nopen(sys.argv[2], 'w').close()\n{line}\n"
    assert runs("run_quickstart", tmp_path / "quickstart.py", text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (">>> 1 + 1\n2", True),
        (">>> 1 + 1\n3", False),
        (">>> np.ones(1)\narray([1.])", False),  # which it does not import
    ],
)
def test_a_docstring_whose_code_fails_or_leans_on_its_module_is_told(text, expected, tmp_path):
    code = load("_run_code")
    (tmp_path / "shown").mkdir()
    lines = ["import numpy as np", "class Shown:", "    @property", "    def it(self):"]
    lines += [f'        """It.\n\n{text}\n"""']
    (tmp_path / "shown" / "__init__.py").write_text("")
    (tmp_path / "shown" / "_module.py").write_text("\n".join(lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(tmp_path)
        (test,) = code.docstrings(importlib.import_module("shown"))
    for name in ("shown", "shown._module"):
        sys.modules.pop(name)
    assert code.in_an_empty_folder(code.run_docstring, test) is expected


def test_guide_docstrings_readme_and_quickstart_are_run_by_ci(monkeypatch):
    code = load("_run_code")
    ran = []
    monkeypatch.setattr(code, "in_an_empty_folder", lambda run, page: ran.append(page) or True)
    assert code.main() == 0
    docs = REPOSITORY / "docs"
    guide = [docs / "index.rst", *sorted((docs / "guide").glob("*.rst"))]
    pages = [*guide, REPOSITORY / "README.md", REPOSITORY / "examples" / "quickstart.py"]
    assert ran[: len(pages)] == pages
    shown = [test.name for test in ran[len(pages) :]]
    # What private files hold is found where it is written.
    assert {"skdyn.io.save", "skdyn.testing._estimators.all_estimators"} <= set(shown)
    assert len(shown) == len(set(shown)) > 100
    monkeypatch.setattr(code, "in_an_empty_folder", lambda run, path: path != guide[1])
    assert code.main() == 1
    script = (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert ".venv/bin/python docs/_run_code.py" in script


# -- the crawler, which walks through the built site --------------------------------------------


@pytest.fixture
def site(tmp_path):
    """Three pages, one of which nobody leads to, and the source of the first."""
    link = '<a class="headerlink" href="#top">#</a>'
    pages = {
        "index.html": f'<h1 id="top">A &amp; B{link}</h1><a href="sub/two.html#here">two</a>',
        "sub/two.html": '<p id="here"></p><a href="../index.html#top">back</a>',
        "lost.html": '<a href="gone.html">gone</a> <a href="index.html#nowhere">place</a>',
    }
    for name, text in pages.items():
        path = tmp_path / "html" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "index.rst").write_text("A & B\n=====\n\nSwallowed\n---------\n")
    return tmp_path


def test_the_crawler_finds_dead_links_far_pages_and_lost_headings(site):
    crawl = load("_crawl")
    root = site / "html"
    pages = crawl.read_site(root)
    assert crawl.dead_links(pages, root) == [
        "lost.html leads to gone.html, which is not there",
        "lost.html leads to index.html#nowhere, a place that is not on that page",
    ]
    assert crawl.clicks(pages, root) == {"index.html": 0, "sub/two.html": 1}
    assert crawl.lost_headings(pages, site) == ["index.html lacks the heading 'Swallowed'"]


def test_references_lead_to_the_one_page_of_a_name_and_no_dead_one_passes():
    references = load("_references")
    known = dict.fromkeys(["skdyn.NeuralODE", "skdyn.NeuralODE.fit"], None)

    class Object:
        objtype = "class"

    known = dict.fromkeys(known, Object)
    assert references._ours("skdyn.neural_ode.NeuralODE", known) == "skdyn.NeuralODE"
    assert references._ours("NeuralODE", known) == "skdyn.NeuralODE"
    assert references._ours("skdyn.neural_ode.NoSuch", known) is None


def test_ci_walks_through_the_site():
    script = (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert ".venv/bin/python docs/_crawl.py docs/_build/html" in script


# -- the laws of the gallery, which the build of the docs holds it to ------------------------------


@pytest.fixture
def strict_gallery(tmp_path):
    """The laws at work on a folder with one example, as between sphinx-gallery's two calls."""
    folder = tmp_path / "examples" / "family"
    folder.mkdir(parents=True)
    (folder / "plot_it.py").write_text("an example")
    laws = load("_gallery")
    conf = {"src_dir": str(tmp_path / "docs"), "examples_dirs": ["../examples"]}
    laws.hold_to_the_laws(conf, "plot_it.py", "before")
    yield lambda: laws.refuse_new_files(None, {}, conf), folder
    laws.hold_to_the_laws(conf, "plot_it.py", "after")


@pytest.mark.parametrize("category", [UserWarning, RuntimeWarning, FutureWarning])
def test_a_warning_is_an_error_in_an_example_and_only_there(category, tmp_path):
    laws = load("_gallery")
    conf = {"src_dir": str(tmp_path), "examples_dirs": []}
    with pytest.warns(category, match="before"):
        warnings.warn("before", category, stacklevel=1)
    laws.hold_to_the_laws(conf, "plot_it.py", "before")
    with pytest.raises(category, match="within"):
        warnings.warn("within", category, stacklevel=1)
    laws.hold_to_the_laws(conf, "plot_it.py", "after")
    with pytest.warns(category, match="after"):
        warnings.warn("after", category, stacklevel=1)


def test_the_docs_name_the_laws_of_the_gallery():
    conf = (REPOSITORY / "docs" / "conf.py").read_text(encoding="utf-8")
    laws = load("_gallery")
    for name in ("hold_to_the_laws", "refuse_new_files"):
        assert f'"_gallery.{name}"' in conf
        assert callable(getattr(laws, name))


def test_a_file_left_or_written_again_by_an_example_is_refused(strict_gallery):
    refuse_new_files, folder = strict_gallery
    assert refuse_new_files() == ""
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "plot_it.pyc").write_text("")
    assert refuse_new_files() == ""
    os.utime(folder / "plot_it.py", ns=(1, 1))
    with pytest.raises(FileExistsError, match=r"no files behind; this one wrote plot_it\.py"):
        refuse_new_files()
    (folder / "model.pickle").write_text("")
    with pytest.raises(FileExistsError, match=r"wrote model\.pickle, plot_it\.py"):
        refuse_new_files()


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
    assert text.index("### New\n\n- New that.") < text.index("### Fixed\n\n- Mended this.")
    assert [path.name for path in folder.iterdir()] == ["README.rst"]


def test_later_fragments_join_the_section_of_an_unreleased_version(tmp_path):
    changelog = load("_changelog")
    folder, book = tmp_path / "changes", tmp_path / "CHANGELOG.md"
    folder.mkdir()
    book.write_text(
        f"# Changelog\n\n{changelog.MARK}\n## 0.1.0 (2026-01-01)\n\n### New\n\n- Old.\n"
    )
    for kind, text in (("feature", "New this."), ("feature", "New that."), ("fix", "Mended.")):
        (folder / f"a.{kind}.rst").write_text(text)
        changelog.assemble("0.2.0", folder, book, day="unreleased")
    text = book.read_text()
    assert text.count("## 0.2.0 (unreleased)") == 1
    assert "### New\n\n- New that.\n- New this.\n\n### Fixed\n\n- Mended.\n\n## 0.1.0" in text
    assert text.endswith("### New\n\n- Old.\n")


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


# -- versions side by side ----------------------------------------------------------------------


def test_the_docs_of_versions_lie_side_by_side_and_the_newest_release_is_first(tmp_path):
    versions = load("_versions")
    site, built = tmp_path / "site", tmp_path / "built"
    built.mkdir()
    with pytest.raises(ValueError, match=r"no index\.html: build the docs into it first"):
        versions.put(built, site, "https://example.org/docs", "0.9.0")
    for version in ("0.9.0", "0.10.0", "0.11.0rc1", "0.9.0"):
        (built / "index.html").write_text(f"pages of {version}")
        found = versions.put(built, site, "https://example.org/docs", version)
    assert found == ["0.11.0rc1", "0.10.0", "0.9.0"]
    assert (site / "0.9.0" / "index.html").read_text() == "pages of 0.9.0"
    menu = json.loads((site / "versions.json").read_text())
    assert [entry["version"] for entry in menu if entry["preferred"]] == ["0.10.0"]
    assert menu[2]["url"] == "https://example.org/docs/0.9.0/"
    assert 'url=0.10.0/index.html"' in (site / "index.html").read_text()
