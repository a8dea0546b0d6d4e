"""Sphinx configuration: API pages and gallery are made from the package and the examples."""

import os
import re
import sys
import warnings
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import _class_pages  # noqa: E402
import _pages  # noqa: E402
import _references  # noqa: E402

import skdyn  # noqa: E402

API_PAGES = _pages.write_api_pages(HERE / "api" / "generated")

project = "skdyn"
author = "the skdyn developers"
copyright = author
version = release = skdyn.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "sphinx-mathjax-offline",
]
nitpicky = True
templates_path = ["_templates"]
exclude_patterns = ["_build", "changes", "gallery/**/*.ipynb", "**/sg_execution_times.rst"]
default_role = "code"

# Named, because a second build does not know pages that are new since the first.
autosummary_generate = [str(path) for path in API_PAGES]
autosummary_context = _class_pages.context(_pages.public_modules())
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_use_plots = False

html_theme = "pydata_sphinx_theme"
html_title = f"skdyn {version}"
html_static_path = [folder for folder in ["_static"] if (HERE / folder).is_dir()]
html_css_files = ["narrow.css"]
html_show_sourcelink = False
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True
html_theme_options = {"show_prev_next": False, "secondary_sidebar_items": ["page-toc"]}
# Where versions lie side by side (`_versions.py`), each page shows a menu of them.
if docs_url := os.environ.get("SKDYN_DOCS_URL", "").rstrip("/"):
    html_theme_options |= {
        "switcher": {"json_url": f"{docs_url}/versions.json", "version_match": version},
        "check_switcher": False,  # the site may not be served yet
        "navbar_end": ["version-switcher", "theme-switcher", "navbar-icon-links"],
        "show_version_warning_banner": True,
    }

sphinx_gallery_conf = {
    "examples_dirs": ["../examples"],
    "gallery_dirs": ["gallery"],
    # SKDYN_GALLERY=0 builds the pages of the gallery without running the examples.
    "plot_gallery": os.environ.get("SKDYN_GALLERY", "1") != "0",
    "filename_pattern": r"[\\/]plot_",
    # The quickstart writes a picture, and draws its own progress: `_run_code.py` runs it.
    "ignore_pattern": r"quickstart\.py|__init__\.py",
    # Named by their path: functions would keep Sphinx from storing its configuration.
    "reset_modules": ("matplotlib", "_gallery.hold_to_the_laws"),
    "reset_modules_order": "both",
    "image_scrapers": ("matplotlib", "_gallery.refuse_new_files"),
    "download_all_examples": False,
    "backreferences_dir": "api/generated/backreferences",
    "doc_module": ("skdyn",),
    "show_memory": False,
    "show_signature": False,
    # A display that ends a block is drawn; its name and address in memory say nothing.
    "capture_repr": ("_repr_html_",),
    "remove_config_comments": True,
    "write_computation_times": False,
}
warnings.filterwarnings("ignore", category=UserWarning, message=".*Matplotlib is currently using")


def skip_foreign_members(app, what, name, member, skip, options):
    """Leave out what is inherited from scikit-learn: it refers to scikit-learn's own guide."""
    owner = getattr(member, "__module__", None) or getattr(
        getattr(member, "fget", None), "__module__", "skdyn"
    )
    return True if not owner.startswith("skdyn") else None


def guard_docstring(app, what, name, obj, options, lines):
    """Keep reStructuredText from reading meaning into names.

    A fitted attribute inside of a shape, ``(n_features_in_,)``, would be a link, and the first
    initial of an author, ``E. Lorenz``, the fifth item of a list.
    """
    lines[:] = [
        line if "``" in line else re.sub(r"(?<=[( ])(\w+_)(?=[,)])", r"``\1``", line)
        for line in lines
    ]
    lines[:] = [re.sub(r"^(\s*\.\. \[\d+\] [A-Z])\. ", r"\1\\. ", line) for line in lines]


def setup(app):
    """Connect the hooks above; the second one before numpydoc reads the docstring."""
    app.connect("autodoc-skip-member", skip_foreign_members)
    app.connect("autodoc-process-docstring", guard_docstring, priority=100)
    app.connect("missing-reference", _references.resolve)
