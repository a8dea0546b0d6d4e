"""Two laws for the examples of the gallery: no warning of ours, and no file left behind.

sphinx-gallery runs each example in its folder, all in one process, and calls these (named in
``conf.py``). What breaks a law counts as an example that raises: the build of the docs fails.
"""

import contextlib
import warnings
from pathlib import Path

OURS = (UserWarning, RuntimeWarning, FutureWarning)

_filters = contextlib.ExitStack()
_files = {}


def hold_to_the_laws(gallery_conf, fname, when):
    """Make warnings errors before an example, and no longer after it; note the files there are."""
    _filters.close()
    if when == "before":
        _filters.enter_context(warnings.catch_warnings())
        for category in OURS:
            warnings.simplefilter("error", category)
        # matplotlib says so when the clock does, on a busy machine.
        warnings.filterwarnings("ignore", 'Creating legend with loc="best" can be slow')
        _files.clear()
        _files.update(_listing(gallery_conf))


def refuse_new_files(block, block_vars, gallery_conf):
    """Compare the files with those from before; sphinx-gallery asks as for a block's pictures."""
    changed = _listing(gallery_conf).items() - _files.items()
    if changed:
        names = ", ".join(sorted(path.name for path, _ in changed))
        raise FileExistsError(f"an example leaves no files behind; this one wrote {names}")
    return ""


def _listing(gallery_conf):
    """Map the files of the examples to when they were written: one written again is new, too."""
    return {
        path: path.stat().st_mtime_ns
        for folder in gallery_conf["examples_dirs"]
        for path in Path(gallery_conf["src_dir"], folder).resolve().rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
