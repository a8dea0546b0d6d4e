"""What is written from the package itself: the API's pages, README's table, the package's door.

``conf.py`` calls this when the docs are built; ``python docs/_pages.py`` renews the table of
estimators in README.md and the names in ``skdyn/__init__.py``, which tests compare.
"""

import ast
import importlib
import pkgutil
import re
import textwrap
from pathlib import Path

import skdyn

DOCS = Path(__file__).parent
README = DOCS.parent / "README.md"
DOOR = DOCS.parent / "skdyn" / "__init__.py"
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
        # Under the names that people import: an estimator's page is skdyn.NeuralODE.
        door = "skdyn" if set(module.__all__) <= set(skdyn.__all__) else name
        entries = "".join(
            f"   {entry}\n"
            for entry in module.__all__
            if entry not in above and not described_elsewhere(module, entry)
        )
        wanted[folder / f"{name}.module.rst"] = (
            f"{name}\n{'=' * len(name)}\n\n.. automodule:: {name}\n   :no-members:\n\n"
            f".. currentmodule:: {door}\n\n.. autosummary::\n   :toctree: .\n   :nosignatures:\n\n"
            f"{entries}"
        )
    for stale in set(folder.glob("*.module.rst")) - set(wanted):
        stale.unlink()
    for path, text in wanted.items():
        # Left alone when unchanged, so that a second build reads only what is new.
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    return sorted(wanted)


def described_elsewhere(module, entry):
    """Whether a name is kept for old imports only: its own folder offers it, too."""
    home = ".".join(getattr(getattr(module, entry), "__module__", module.__name__).split(".")[:2])
    if not home.startswith("skdyn.") or home.startswith("skdyn._"):
        return False  # a shared file's name has its page where it is offered
    if module.__name__.startswith(home):
        return False
    return entry in getattr(importlib.import_module(home), "__all__", ())


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


def offered(package):
    """Map each family's name to its ``__all__``, read unimported from the folder of the package."""
    found = {}
    for init in sorted(package.glob("*/__init__.py")):
        for node in ast.parse(init.read_text(encoding="utf-8")).body:
            family = init.parent.name not in skdyn._FLOORS
            if family and isinstance(node, ast.Assign) and node.targets[0].id == "__all__":
                found[init.parent.name] = sorted(ast.literal_eval(node.value))
    return found


def with_names(door):
    """Return the text of ``skdyn/__init__.py`` with the present names between its markers."""
    families = offered(DOOR.parent)
    family_of = {name: family for family, names in families.items() for name in sorted(names)}
    modules = sorted({*families, *skdyn._FLOORS, *skdyn._SUBMODULES} - {"tests"})

    def wrapped(opening, pieces, closing, indent):
        lines = textwrap.wrap(", ".join(pieces) + ",", 96 - len(indent), break_long_words=False)
        return [indent + opening, *(f"{indent}    {line}" for line in lines), indent + closing]

    lines = ["if TYPE_CHECKING:"]
    imports = {"skdyn": [f"{name} as {name}" for name in modules]}
    imports |= {f"skdyn.{family}": names for family, names in families.items()}
    for module, names in imports.items():
        lines += wrapped(f"from {module} import (", names, ")", "    ")
    names = sorted(family_of)
    lines += ["", *wrapped("__all__ = [", [f'"{name}"' for name in names], "]", "")]
    lines += wrapped(
        "_FAMILY_OF = {", [f'"{name}":~"{family_of[name]}"' for name in names], "}", ""
    )
    text = "".join(f"{line}\n" for line in lines).replace("~", " ")
    before, _, after = re.split("(?s)(?<=# isort: off\n)(.*?)(?=# isort: on\n)", door)
    return before + text + after


if __name__ == "__main__":
    DOOR.write_text(with_names(DOOR.read_text(encoding="utf-8")), encoding="utf-8")
    README.write_text(with_table(README.read_text(encoding="utf-8")), encoding="utf-8")
