"""What class and function pages show beside the docstring: the guide's page, a display's picture.

``conf.py`` hands both to the templates of ``autosummary``. A picture is drawn by the display's own
example, so that it is never older than the code.
"""

import contextlib
import doctest
import importlib
import inspect
import io
import warnings
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt

PICTURES = Path(__file__).parent / "api" / "generated" / "pictures"
# The page of the guide for what has no page of its family's name.
PAGE_OF = {
    "_checkpoint": "autoencoder",
    "base": "estimators",
    "datasets": "data",
    "exceptions": "estimators",
    "formulas": "estimators",
    "inspection": "displays",
    "io": "estimators",
    "metrics": "data",
    "testing": "/developing/testing",
    "training": "layers",
}


def context(modules):
    """Map the public names of modules to their page of the guide and, for displays, the picture."""
    names = [
        f"{door}.{name}"
        for module in modules
        for name in importlib.import_module(module).__all__
        for door in {module, "skdyn"}
        if hasattr(importlib.import_module(door), name)
        and hasattr(_resolve(f"{door}.{name}"), "__module__")
    ]
    return {
        "guide_page": {name: guide_page(name) for name in names},
        "picture": {name: picture(name) for name in names},
    }


def guide_page(fullname):
    """Return the page of the guide to which a public name belongs."""
    family = _resolve(fullname).__module__.split(".")[1]
    page = PAGE_OF.get(family, family)
    return page if page.startswith("/") else f"/guide/{page}"


def picture(fullname, folder=PICTURES):
    """Draw a display by its own example; return the picture's name, None for what is no display."""
    cls = _resolve(fullname)
    if not (inspect.isclass(cls) and cls.__name__.endswith("Display")):
        return None
    target = folder / f"{cls.__name__}.png"
    source = Path(inspect.getfile(cls))
    if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
        folder.mkdir(parents=True, exist_ok=True)
        _last_figure(cls).savefig(target, dpi=100)
        plt.close("all")
    return target.name


def _last_figure(cls):
    """Run the examples of a class until one has drawn something."""
    plt.close("all")
    mpl.use("agg")
    for test in doctest.DocTestFinder(exclude_empty=True).find(cls, globs={}):
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings(action="ignore"):
            for example in test.examples:
                exec(compile(example.source, test.name, "single"), test.globs)
        if plt.get_fignums():
            return plt.gcf()
    raise ValueError(f"no example of {cls.__name__} draws a figure")


def _resolve(fullname):
    module, _, name = fullname.rpartition(".")
    return getattr(importlib.import_module(module), name)
