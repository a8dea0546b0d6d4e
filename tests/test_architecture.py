"""The house rules, read from the source: which way a file may look, and what must stand beside it.

Families are found by walking the package; a new one is held to every rule without an edit here.
Each rule is a function of a tree that lists its violations, so that each can be shown to bite.
"""

import ast
import re
from functools import cache, partial
from inspect import isclass
from pathlib import Path

import pytest

import skdyn
from skdyn._state import is_ours

REPOSITORY = Path(__file__).parents[1]
PACKAGE = REPOSITORY / "skdyn"

# A file may import from lower floors only: family -> model_selection -> base, datasets, metrics,
# inspection, scale -> training -> solvers, _dynamics -> exceptions, formulas, _scales, _scratch,
# _typing, _validation -> _time_limit. What is not named here is a family when it is a folder
# (floor 4), and belongs to base when it is a private file beside it (_tabular.py).
FLOORS = {
    "_time_limit": -1,
    "exceptions": 0,
    "formulas": 0,
    "_scales": 0,
    "_scratch": 0,
    "_typing": 0,
    "_validation": 0,
    "_dynamics": 1,
    "solvers": 1,
    "training": 2,
    "base": 3,
    "datasets": 3,
    "metrics": 3,
    "inspection": 3,
    "scale": 3,
    "model_selection": 3.5,
}
FAMILY = 4
ROOF = {"__init__": 5, "io": 6, "testing": 6, "tests": 7}
# Plain torch: usable alone, without scikit-learn.
WITHOUT_SKLEARN = ("solvers", "training")
VAGUE_NAMES = {"utils", "helpers", "misc", "common"}
# Tests of the house itself; every other test mirrors a file of the package.
HOUSE_TESTS = {
    "architecture", "clusters", "contract", "defaults", "device_steps", "docs", "docstrings",
    "examples", "gpu", "imports", "init",
}  # fmt: skip


def sources(root):
    """Yield each source file below ``root`` with its path as parts, without the suffix."""
    for path in sorted(root.rglob("*.py")):
        yield path, path.relative_to(root).with_suffix("").parts


@cache  # the same trees are asked by every rule
def imports(tree):
    """List (line, dotted module, imported name or None) for each import, nested ones too."""
    found = []
    for node in statements(tree):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            found += [(node.lineno, module, alias.name) for alias in node.names]
    return found


def statements(node):
    """Yield a node and the statements in it, nested ones too; expressions are not walked."""
    yield node
    for field in ("body", "handlers", "cases", "orelse", "finalbody"):
        nested = getattr(node, field, None)
        for child in nested if isinstance(nested, list) else ():
            yield from statements(child)


def parse(path):
    return _tree(path.read_text(encoding="utf-8"))


@cache
def _tree(text):
    return ast.parse(text)


def room(parts):
    """The node of the direction rule that a file belongs to: its folder, or itself."""
    if len(parts) == 1 and parts[0] not in FLOORS and parts[0] not in ROOF:
        return "base"
    return parts[0]


def floor(name):
    return FLOORS.get(name, ROOF.get(name, FAMILY))


def target_room(module, name, root):
    """The room that an import of the package leads to, or None for other packages."""
    first, _, rest = module.partition(".")
    if first != "skdyn":
        return None
    # `from skdyn import x` leads to x where that is a file or folder, else to a public name.
    here = rest.split(".")[0] or name
    if here and ((root / here).is_dir() or here in FLOORS or here in ROOF):
        return here
    return room((here,)) if here and (root / f"{here}.py").is_file() else "__init__"


def wrong_arrows(root):
    found = []
    for path, parts in sources(root):
        here = room(parts)
        for line, module, name in imports(parse(path)):
            if module.startswith("."):
                found.append(f"{path.name}:{line} imports relatively; write the full path")
                continue
            if parts == ("__init__",):  # the door leads to every room, for type checkers
                continue
            there = target_room(module, name, root)
            if there is None or there == here or floor(there) < floor(here):
                continue
            found.append(f"{'/'.join(parts)}:{line} in {here} may not import {there}")
    return found


def private_sklearn(root):
    found = []
    for path, parts in sources(root):
        if parts == ("_validation",):
            continue
        for line, module, name in imports(parse(path)):
            pieces = [*module.split("."), name or ""]
            if pieces[0] == "sklearn" and any(piece.startswith("_") for piece in pieces):
                found.append(f"{'/'.join(parts)}:{line} imports private {module}.{name or ''}")
    return found


def sklearn_below(root):
    found = []
    for path, parts in sources(root):
        if room(parts) not in WITHOUT_SKLEARN:
            continue
        for line, module, name in imports(parse(path)):
            hidden = module == "skdyn._validation" or (module, name) == ("skdyn", "_validation")
            if module.split(".")[0] == "sklearn" or hidden:
                found.append(f"{'/'.join(parts)}:{line} imports scikit-learn")
    return found


def eager_matplotlib(root):
    found = []
    for path, parts in sources(root):
        tree = parse(path)
        if not any(module.split(".")[0] == "matplotlib" for _, module, _ in imports(tree)):
            continue
        functions = [n for n in statements(tree) if isinstance(n, ast.FunctionDef)]
        inside = {id(node) for function in functions for node in statements(function)}
        for node in statements(tree):
            if isinstance(node, ast.Import | ast.ImportFrom) and id(node) not in inside:
                modules = [module for _, module, _ in imports(node)]
                if any(module.split(".")[0] == "matplotlib" for module in modules):
                    found.append(f"{'/'.join(parts)}:{node.lineno} imports matplotlib eagerly")
    return found


def vague_files(root):
    return ["/".join(parts) for _, parts in sources(root) if parts[-1].strip("_") in VAGUE_NAMES]


def long_files(root):
    limits = {("base",): 400}  # the crossing between two worlds must stay small
    found = []
    for path, parts in sources(root):
        length = len(path.read_text(encoding="utf-8").splitlines())
        if length > limits.get(parts, 500):
            found.append(f"{'/'.join(parts)} has {length} lines")
    return found


def needs_mirror(path, parts):
    if parts[0] == "tests" or parts[-1] == "__init__":
        return False
    defines = (ast.FunctionDef, ast.ClassDef)
    return any(isinstance(node, defines) for node in parse(path).body)


def unmirrored(root, tests):
    """Sources with code but no test, and tests of no source."""
    wanted = {
        parts: (*parts[:-1], "test_" + parts[-1].lstrip("_"))
        for path, parts in sources(root)
        if needs_mirror(path, parts)
    }
    present = {parts for _, parts in sources(tests) if parts[-1].startswith("test_")}
    found = [
        f"{'/'.join(parts)}.py has no test tests/{'/'.join(test)}.py"
        for parts, test in wanted.items()
        if test not in present
    ]
    optional = {(*parts[:-1], "test_" + parts[-1].strip("_")) for _, parts in sources(root)}
    house = {(f"test_{name}",) for name in HOUSE_TESTS}
    found += [
        f"tests/{'/'.join(test)}.py tests no file of the package"
        for test in sorted(present - optional - house)
    ]
    return found


def clocks(root):
    """Whatever could fail by time, on a busy machine: clocks that are read, limits of time."""
    found = []
    for path, parts in sources(root):
        text = path.read_text(encoding="utf-8")
        if not re.search(r"\b(time|signal|timeout)\b", text):  # walking all tests takes seconds
            continue
        tree = _tree(text)
        lines = [line for line, module, _ in imports(tree) if module in ("time", "signal")]
        lines += [
            node.value.lineno
            for node in ast.walk(tree)
            if isinstance(node, ast.keyword) and node.arg == "timeout"
        ]
        found += [f"{'/'.join(parts)}:{line} judges by the clock" for line in sorted(lines)]
    return found


def families(root):
    return [
        init.parent.name
        for init in sorted(root.glob("*/__init__.py"))
        if init.parent.name not in skdyn._FLOORS
    ]


def bare_families(root, docs, examples):
    """Families without a public list, a page in the guide or an example in the gallery."""
    found = []
    for family in families(root):
        names = [
            node
            for node in parse(root / family / "__init__.py").body
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__"
        ]
        if not (names and ast.literal_eval(names[0].value)):
            found.append(f"{family}/__init__.py has no __all__")
        if not (docs / "guide" / f"{family}.rst").is_file():
            found.append(f"docs/guide/{family}.rst is missing")
        if not list((examples / family).glob("plot_*.py")):
            found.append(f"examples/{family}/plot_*.py is missing")
        if not (examples / family / "GALLERY_HEADER.rst").is_file():
            found.append(f"examples/{family}/GALLERY_HEADER.rst is missing: the gallery skips it")
    return found


def deep_classes(classes):
    """Classes that stand on more of ours than a reader should go through, itself counted."""
    ways = {cls: [base for base in cls.__mro__ if is_ours(base)] for cls in classes}
    return [
        f"{cls.__name__} goes through {len(way)} classes: {', '.join(b.__name__ for b in way)}"
        for cls, way in ways.items()
        if len(way) > 5
    ]


RULES = [wrong_arrows, private_sklearn, sklearn_below, eager_matplotlib, vague_files, long_files]


def test_the_package_keeps_the_rules(ask_all):
    ask_all((rule.__name__, partial(keeps, rule)) for rule in RULES)


def keeps(rule):
    assert rule(PACKAGE) == []


@pytest.mark.parametrize("root", [REPOSITORY / "tests", PACKAGE / "testing"])
def test_no_test_can_fail_by_time(root):
    assert clocks(root) == []


def test_every_file_has_its_mirror_test_and_every_test_its_file():
    assert unmirrored(PACKAGE, REPOSITORY / "tests") == []


def test_every_family_has_a_public_list_a_guide_and_an_example():
    assert bare_families(PACKAGE, REPOSITORY / "docs", REPOSITORY / "examples") == []


def test_a_reader_of_any_public_class_goes_through_five_of_ours_at_most():
    classes = [thing for name in skdyn.__all__ if isclass(thing := getattr(skdyn, name))]
    assert skdyn.FNORegressor in classes
    assert deep_classes(classes) == []


def test_there_are_families_to_check():
    assert "neural_ode" in families(PACKAGE)


# -- each rule bites ----------------------------------------------------------------------------


def test_an_import_is_seen_wherever_a_statement_can_stand():
    """Every kind of statement of this Python that holds others is tried, in each of its places."""
    places = {
        (kind, field)
        for kind in [*ast.stmt.__subclasses__(), ast.ExceptHandler, ast.match_case]
        for field in kind._fields
        if field in ("body", "orelse", "finalbody", "handlers", "cases")
    }
    assert (ast.Try, "handlers") in places
    for kind, field in places:
        holder = kind(**{field: [ast.Import([ast.alias("a.b")], lineno=3)]})
        assert imports(holder) == [(3, "a.b", None)], f"{kind.__name__}.{field}"


def plant(root, files):
    """Write a small package tree."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("file", "line", "complaint"),
    [
        ("solvers/_rk.py", "from skdyn.training import x", "in solvers may not import training"),
        ("training/_net.py", "import skdyn.base", "in training may not import base"),
        ("datasets/_data.py", "from skdyn import metrics", "datasets may not import metrics"),
        ("metrics/_score.py", "from skdyn.family_a import X", "metrics may not import family_a"),
        ("base.py", "from skdyn import family_a", "in base may not import family_a"),
        ("_tabular.py", "from skdyn.family_a._x import X", "in base may not import family_a"),
        ("family_a/_x.py", "from skdyn.family_b import Y", "family_a may not import family_b"),
        ("family_a/_x.py", "from skdyn import AnEstimator", "family_a may not import __init__"),
        ("family_a/_x.py", "import skdyn", "in family_a may not import __init__"),
        ("family_a/_x.py", "from skdyn.testing import check", "family_a may not import testing"),
        ("family_a/_x.py", "def f():\n    import skdyn.family_b", "may not import family_b"),
        ("family_a/_x.py", "from . import _y", "imports relatively"),
        ("_typing.py", "import skdyn.solvers", "in _typing may not import solvers"),
        ("formulas/_x.py", "import skdyn.solvers", "in formulas may not import solvers"),
    ],
)
def test_a_wrong_arrow_is_caught(tmp_path, file, line, complaint):
    empty = ["solvers", "training", "datasets", "metrics", "family_a", "family_b"]
    tree = {f"{name}/__init__.py": "" for name in empty} | {"base.py": "", "testing.py": ""}
    assert wrong_arrows(plant(tmp_path, tree)) == []
    (violation,) = wrong_arrows(plant(tmp_path, {file: line}))
    assert complaint in violation


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("family_a/_x.py", "from skdyn.base import TorchEstimator"),
        ("family_a/_x.py", "from skdyn._tabular import TabularRegressor"),
        ("family_a/_x.py", "from skdyn.family_a._y import Y"),
        ("family_a/_x.py", "from skdyn import solvers"),
        ("base.py", "from skdyn.training import LeanNet"),
        ("_tabular.py", "from skdyn.base import TorchEstimator"),
        ("solvers/_rk.py", "from skdyn.exceptions import SolverError"),
        ("testing.py", "import skdyn"),
        ("io.py", "from skdyn.family_a import X"),
    ],
)
def test_a_right_arrow_passes(tmp_path, file, line):
    tree = {f"{name}/__init__.py": "" for name in ("solvers", "training", "family_a")}
    assert (
        wrong_arrows(plant(tmp_path, tree | {"base.py": "", "_tabular.py": "", file: line})) == []
    )


@pytest.mark.parametrize(
    "line",
    [
        "from sklearn.utils._param_validation import Interval",
        "from sklearn.base import _fit_context",
        "import sklearn.utils._tags",
    ],
)
def test_a_private_name_of_scikit_learn_is_caught_except_in_the_one_file(tmp_path, line):
    assert private_sklearn(plant(tmp_path / "a", {"_validation.py": line})) == []
    assert len(private_sklearn(plant(tmp_path / "b", {"family/_x.py": line}))) == 1
    public = {"family/_x.py": "from sklearn.utils import check_random_state"}
    assert private_sklearn(plant(tmp_path / "c", public)) == []


@pytest.mark.parametrize("folder", WITHOUT_SKLEARN)
def test_scikit_learn_below_the_base_is_caught(tmp_path, folder):
    for number, line in enumerate(
        ["import sklearn", "from skdyn._validation import x", "from skdyn import _validation"]
    ):
        tree = plant(tmp_path / str(number), {f"{folder}/_x.py": f"def f():\n    {line}"})
        assert len(sklearn_below(tree)) == 1
    assert sklearn_below(plant(tmp_path / "other", {"datasets/_x.py": "import sklearn"})) == []


def test_eager_matplotlib_is_caught(tmp_path):
    eager = "class Display:\n    import matplotlib.pyplot as plt\n"
    lazy = "class Display:\n    def plot(self):\n        import matplotlib.pyplot as plt\n"
    assert len(eager_matplotlib(plant(tmp_path / "a", {"inspection/_x.py": eager}))) == 1
    assert eager_matplotlib(plant(tmp_path / "b", {"inspection/_x.py": lazy})) == []


def test_vague_and_long_files_are_caught(tmp_path):
    root = plant(tmp_path, {"family/_utils.py": "", "base.py": "x = 1\n" * 401})
    assert vague_files(root) == ["family/_utils"]
    assert long_files(root) == ["base has 401 lines"]


@pytest.mark.parametrize(
    "code",
    [
        "import time",
        "from time import perf_counter",
        "import signal",
        "import subprocess\nsubprocess.run(['x'], timeout=240)",
    ],
)
def test_a_clock_and_a_limit_of_time_are_caught(tmp_path, code):
    (violation,) = clocks(plant(tmp_path, {"test_x.py": code}))
    assert violation.startswith("test_x:")
    assert clocks(plant(tmp_path, {"test_x.py": "import subprocess\nsubprocess.run(['x'])"})) == []


def test_a_missing_mirror_and_an_orphan_are_caught(tmp_path):
    code = "def f():\n    pass\n"
    root = plant(
        tmp_path / "skdyn", {"kan/_layer.py": code, "base.py": code, "_typing.py": "x = 1"}
    )
    tests = plant(tmp_path / "tests", {"test_base.py": "", "kan/test_splines.py": ""})
    assert unmirrored(root, tests) == [
        "kan/_layer.py has no test tests/kan/test_layer.py",
        "tests/kan/test_splines.py tests no file of the package",
    ]


def test_a_bare_family_is_caught(tmp_path):
    root = plant(tmp_path / "skdyn", {"kan/__init__.py": "__all__ = []"})
    assert len(bare_families(root, tmp_path / "docs", tmp_path / "examples")) == 4
    plant(root, {"kan/__init__.py": '__all__ = ["KANRegressor"]'})
    plant(tmp_path, {"docs/guide/kan.rst": "", "examples/kan/plot_fit.py": ""})
    plant(tmp_path, {"examples/kan/GALLERY_HEADER.rst": ""})
    assert bare_families(root, tmp_path / "docs", tmp_path / "examples") == []


def test_a_sixth_class_in_a_row_is_caught():
    bases = [object]
    for name in "abcdef":
        bases.append(type(name, (bases[-1],), {"__module__": "skdyn.family_a"}))
    foreign = type("g", (bases[5],), {"__module__": "elsewhere"})
    assert deep_classes([*bases[:-1], foreign]) == []
    assert deep_classes(bases) == ["f goes through 6 classes: f, e, d, c, b, a"]
