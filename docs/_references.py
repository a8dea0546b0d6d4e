"""References that Sphinx does not resolve by itself: short names of ours, other packages' pages.

A name is ours under any path that imports it (``skdyn.kan.KANRegressor`` is ``KANRegressor`` is
``skdyn.KANRegressor``). Those of other packages lead to the page where that project puts its public
names; no inventory is fetched, and a name that cannot be imported stays a dead reference.
"""

from pydoc import locate

from docutils import nodes

_PAGES = {
    "joblib": "https://joblib.readthedocs.io/en/stable/generated/{}.html",
    "matplotlib": "https://matplotlib.org/stable/api/_as_gen/{}.html",
    "numpy": "https://numpy.org/doc/stable/reference/generated/{}.html",
    "pandas": "https://pandas.pydata.org/docs/reference/api/{}.html",
    "scipy": "https://docs.scipy.org/doc/scipy/reference/generated/{}.html",
    "sklearn": "https://scikit-learn.org/stable/modules/generated/{}.html",
    "torch": "https://docs.pytorch.org/docs/stable/generated/{}.html",
}


def resolve(app, env, node, contnode):
    """Lead a reference to one of our pages by its last name, or to another project's page."""
    target = node.get("reftarget", "")
    if node.get("refdomain") != "py" or not target:
        return None
    package = target.partition(".")[0]
    if package in _PAGES and locate(target) is not None:
        return nodes.reference(
            "", "", contnode, internal=False, refuri=_PAGES[package].format(target)
        )
    name = _ours(target, env.domains.python_domain.objects)
    if name is None:
        return None
    return env.domains.python_domain.resolve_xref(
        env, node["refdoc"], app.builder, "obj", name, node, contnode
    )


def _ours(target, known):
    """Return the one name with a page that a target may stand for, or None."""
    last = target.rpartition(".")[2]
    called = [name for name in known if name.rpartition(".")[2] == last]
    if target.startswith("skdyn."):
        there = locate(target)
        called = [name for name in called if there is not None and locate(name) is there]
    classes = [name for name in called if known[name].objtype in ("class", "function", "module")]
    # The shortest path is the one that people import.
    return min(classes, key=lambda name: (name.count("."), name), default=None)
