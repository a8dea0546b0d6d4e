"""Neural dynamics as scikit-learn estimators.

Every public estimator is importable from here: ``from skdyn import NeuralODE``. Names are resolved
on first use, so that ``import skdyn`` alone loads neither torch nor scikit-learn.
"""

import ast
from functools import cache
from importlib import import_module
from pathlib import Path

__version__ = "0.1.0"

# Folders that hold no estimators; every other subpackage is a family and is found by itself.
_FLOORS = frozenset(
    {"datasets", "formulas", "inspection", "metrics", "solvers", "testing", "tests", "training"}
)
_SUBMODULES = frozenset({"base", "exceptions", "io"})


@cache
def _public_names():
    """Map each estimator's name to its family, read from the families' ``__all__`` unimported."""
    names = {}
    for init in sorted(Path(__file__).parent.glob("*/__init__.py")):
        family = init.parent.name
        if family in _FLOORS:
            continue
        for node in ast.parse(init.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
                names.update(dict.fromkeys(ast.literal_eval(node.value), family))
    return names


def __getattr__(name):
    if name == "__all__":
        return sorted(_public_names())
    if name in _FLOORS | _SUBMODULES or name in _public_names().values():
        return import_module(f"skdyn.{name}")
    if name in _public_names():
        return getattr(import_module(f"skdyn.{_public_names()[name]}"), name)
    raise AttributeError(f"module 'skdyn' has no attribute {name!r}")


def __dir__():
    return sorted({"__version__", *_FLOORS, *_SUBMODULES, *_public_names()})
