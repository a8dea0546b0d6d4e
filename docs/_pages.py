"""Pages written from the package itself: the API, and the table of estimators.

``conf.py`` calls this when the docs are built; ``python docs/_pages.py`` renews the table in
README.md, which a test compares.
"""

import importlib
import pkgutil
import re
from pathlib import Path

import skdyn

DOCS = Path(__file__).parent
README = DOCS.parent / "README.md"
START, END = "<!-- estimators: start -->", "<!-- estimators: end -->"


def public_modules():
    """Names of the modules with an API page: those whose path holds no underscore."""
    for module in pkgutil.walk_packages(skdyn.__path__, "skdyn."):
        pieces = module.name.split(".")
        if not any(piece.startswith("_") for piece in pieces) and "tests" not in pieces:
            yield module.name


def write_api_pages(folder):
    """Write one page a module, its docstring and a table of what it offers; return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {}
    for name in public_modules():
        module = importlib.import_module(name)
        # What a folder lifts to its family's page is described there.
        family = importlib.import_module(name.rpartition(".")[0])
        above = set() if family is skdyn else set(family.__all__)
        entries = "".join(f"   {entry}\n" for entry in module.__all__ if entry not in above)
        wanted[folder / f"{name}.module.rst"] = (
            f"{name}\n{'=' * len(name)}\n\n.. automodule:: {name}\n   :no-members:\n\n"
            f".. currentmodule:: {name}\n\n.. autosummary::\n   :toctree: .\n   :nosignatures:\n\n"
            f"{entries}"
        )
    for stale in set(folder.glob("*.module.rst")) - set(wanted):
        stale.unlink()
    for path, text in wanted.items():
        # Left alone when unchanged, so that a second build reads only what is new.
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    return sorted(wanted)


def estimator_rows():
    """Yield family and name of each estimator of a family.

    Left out are the parts that are given to them, which live one folder deeper.
    """
    from skdyn.testing import all_estimators

    for name, cls in all_estimators():
        _, family, *deeper, _ = cls.__module__.split(".")
        if not deeper:
            yield family, name


def estimator_table():
    """The README's table of families and their estimators, in Markdown."""
    names = {}
    for family, name in estimator_rows():
        names.setdefault(family, []).append(f"`{name}`")
    rows = "".join(
        f"| `{family}` | {importlib.import_module(f'skdyn.{family}').__doc__.splitlines()[0]} "
        f"| {', '.join(names[family])} |\n"
        for family in sorted(names)
    )
    return "| family | what it is | estimators |\n|---|---|---|\n" + rows


def with_table(readme):
    """Return the README's text with the present table between its markers."""
    pattern = re.compile(f"{re.escape(START)}.*?{re.escape(END)}", re.DOTALL)
    return pattern.sub(lambda match: f"{START}\n{estimator_table()}{END}", readme)


if __name__ == "__main__":
    README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
