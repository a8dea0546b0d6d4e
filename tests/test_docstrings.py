"""Docstrings of everything public, found by walking the package: complete, true and with examples.

Their examples are run by ``docs/_run_code.py``. A test walks all there is and tells what it finds
wrong: one test a docstring would take longer to deal out than to run.
"""

import ast
import dataclasses
import importlib
import inspect
import pkgutil
import re
from typing import NamedTuple

import pytest
from numpydoc.docscrape import NumpyDocString
from numpydoc.validate import validate

import skdyn

# numpydoc's checks that hold here; https://numpydoc.readthedocs.io lists them all. Left out are
# those of taste (line of the opening quotes, extended summaries, See Also for everything).
CHECKS = {
    "GL03",  # no double blank lines
    "GL05",  # no tabs
    "GL06",  # known sections only
    "GL07",  # sections in order
    "GL08",  # there is a docstring
    "SS01",  # there is a summary
    "SS03",  # it ends with a period
    "SS04",  # without leading spaces
    "SS06",  # on one line
    "PR01",  # every parameter is documented
    "PR02",  # no parameter that is not there
    "PR03",  # in the order of the signature
    "PR04",  # with a type
    "PR05",  # without a period after it
    "PR06",  # bool, not boolean
    "PR07",  # with a description
    "PR08",  # that starts with a capital
    "PR09",  # and ends with a period
    "PR10",  # and a space before the colon
    "RT01",  # what is returned is documented
    "RT04",  # and its description starts with a capital
    "RT05",  # and ends with a period
    "YD01",  # what is yielded is documented
}
# As in scikit-learn: `self : object` is described by the name of the class.
FOR_METHODS = CHECKS - {"RT04", "RT05"}


def public_modules():
    """Names of all modules whose path holds no underscore, tests excepted."""
    yield "skdyn"
    for module in pkgutil.walk_packages(skdyn.__path__, "skdyn."):
        pieces = module.name.split(".")
        if not any(piece.startswith("_") for piece in pieces) and "tests" not in pieces:
            yield module.name


def public_objects():
    """Map "module.name" to each function and class of the modules' ``__all__``, once each."""
    found = {}
    for module_name in public_modules():
        module = importlib.import_module(module_name)
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            if inspect.isfunction(thing) or inspect.isclass(thing):
                # The longest path is where it lives; skdyn itself only points to it.
                found[thing] = f"{module_name}.{name}"
    return {path: thing for thing, path in found.items()}


def public_methods(cls):
    """Names of the methods and properties that a class of the package writes itself."""
    foreign = [base for base in cls.__mro__[1:] if not base.__module__.startswith("skdyn")]
    for name, value in vars(cls).items():
        written = inspect.isfunction(value) or isinstance(
            value, property | classmethod | staticmethod
        )
        # skorch and torch tell what their hooks are for; users see ours only with a docstring.
        hook = not value.__doc__ and any(hasattr(base, name) for base in foreign)
        if written and not name.startswith("_") and not hook:
            yield name


MODULES = list(public_modules())
OBJECTS = public_objects()
METHODS = [
    f"{path}.{name}"
    for path, thing in OBJECTS.items()
    if inspect.isclass(thing)
    for name in public_methods(thing)
]


def wrong(found):
    """What a walk found wrong: {where: complaints} without the places that have none."""
    return {where: complaints for where, complaints in found if complaints}


def is_exception(thing):
    return inspect.isclass(thing) and issubclass(thing, Exception)


def find(path):
    """Resolve "skdyn.a.Class.method"."""
    thing = skdyn
    for piece in path.split(".")[1:]:
        thing = getattr(thing, piece, None) or importlib.import_module(f"{thing.__name__}.{piece}")
    return thing


def is_record(thing):
    """Whether a class only names values: a named tuple or a dataclass."""
    return hasattr(thing, "_fields") or dataclasses.is_dataclass(thing)


def undocumented_fields(record):
    """Fields of a record that neither Parameters nor Attributes tell."""
    document = NumpyDocString(inspect.cleandoc(record.__doc__))
    told = [item.name for part in ("Parameters", "Attributes") for item in document[part]]
    told = {name for names in told for name in names.split(", ")}
    return [name for name in inspect.signature(record).parameters if name not in told]


def complaints(path, checks):
    thing = find(path)
    if is_exception(thing) or is_record(thing):
        # An exception's base says its parameters once; a record's are checked below.
        checks = checks - {"PR01"}
    return [f"{code} {text}" for code, text in validate(path)["errors"] if code in checks]


def test_the_walk_finds_what_is_there():
    assert "skdyn.datasets.make_lorenz63" in OBJECTS
    assert "skdyn.neural_ode.NeuralODERegressor" in OBJECTS


def test_every_module_says_what_it_is_and_what_it_offers():
    for module in MODULES:
        thing = importlib.import_module(module)
        assert thing.__doc__, f"{module} has no docstring"
        assert len(set(thing.__all__)) == len(thing.__all__) > 0, module
        assert all(hasattr(thing, name) for name in thing.__all__), module


def test_docstrings_are_complete():
    assert wrong((path, complaints(path, CHECKS)) for path in OBJECTS) == {}


# The backend's settings are the estimators' parameters, which are told there.
RECORDS = [path for path in OBJECTS if is_record(OBJECTS[path]) and "skdyn.training." not in path]


def test_every_field_of_a_record_is_told():
    assert wrong((path, undocumented_fields(OBJECTS[path])) for path in RECORDS) == {}


def test_docstrings_of_methods_are_complete():
    assert wrong((path, complaints(path, FOR_METHODS)) for path in METHODS) == {}


# In TeX a pair of backslashes ends a line, and what follows is shown as letters: "dot x".
ESCAPED_TWICE = re.compile(r"math:.*\\\\[A-Za-z]")


def test_no_formula_is_escaped_twice():
    documents = {path: inspect.getdoc(find(path)) or "" for path in [*OBJECTS, *METHODS]}
    assert wrong((path, ESCAPED_TWICE.findall(text)) for path, text in documents.items()) == {}
    assert ESCAPED_TWICE.search(r".. math:: \\dot x")
    assert not ESCAPED_TWICE.search(r":math:`\dot x`")


def test_an_incomplete_docstring_and_an_untold_field_are_caught(monkeypatch):
    class Record(NamedTuple):
        """Two numbers.

        Attributes
        ----------
        a : int
            One.
        """

        a: int
        b: int

    def bare(x):
        """Do it"""

    monkeypatch.setattr(skdyn.exceptions, "bare", bare, raising=False)
    assert undocumented_fields(Record) == ["b"]
    told = {text.split()[0] for text in complaints("skdyn.exceptions.bare", CHECKS)}
    assert told == {"SS03", "PR01"}
    assert wrong([("here", []), ("there", ["PR01"])]) == {"there": ["PR01"]}


# -- defaults -----------------------------------------------------------------------------------


def documented_parameters(docstring):
    """Yield name, type without default, text of the default and description of each parameter."""
    for item in NumpyDocString(inspect.cleandoc(docstring))["Parameters"]:
        kind, _, default = item.type.partition("default=")
        names, defaults = item.name.split(", "), default.split(", ")
        if len(defaults) != len(names) or len(names) == 1:
            defaults = [default.strip()] * len(names)  # one for all, or a tuple's own commas
        for name, value in zip(names, defaults):
            yield name.lstrip("*"), kind.strip(" ,"), value or None, " ".join(item.desc)


def same_value(written, default):
    """Whether the text after ``default=`` stands for the value in the signature."""
    try:
        value = eval(compile(ast.parse(written, mode="eval"), "default", "eval"), {})
    except Exception:
        return False
    both_nan = value != value and default != default
    return type(value) is type(default) and (value == default or both_nan)


def wrong_defaults(docstring, signature):
    found = []
    for name, kind, written, _ in documented_parameters(docstring):
        # "y : Ignored" is scikit-learn's word for what is there for the sake of the interface.
        if name not in signature.parameters or kind == "Ignored":
            continue
        default = signature.parameters[name].default
        if default is inspect.Parameter.empty:
            if written is not None:
                found.append(f"{name} has no default but is documented with {written}")
        elif written is None or not same_value(written, default):
            told = "without a default" if written is None else f"with default={written}"
            found.append(f"{name}={default!r} is documented {told}")
    return found


def has_signature(path):
    thing = find(path)
    if isinstance(thing, property) or not callable(thing) or not thing.__doc__:
        return False
    try:
        inspect.signature(thing)
    except ValueError:
        return False
    return True


def test_documented_defaults_are_those_of_the_signature():
    things = {path: find(path) for path in filter(has_signature, [*OBJECTS, *METHODS])}
    assert things
    assert wrong(
        (path, wrong_defaults(thing.__doc__, inspect.signature(thing)))
        for path, thing in things.items()
    ) == {}  # fmt: skip


def test_a_wrong_default_is_caught():
    def method(a, b=1, c="x", d=(0.0, 1.0)):
        """Do it.

        Parameters
        ----------
        a : int, default=3
            One.
        b : int, default=2
            Two.
        c : str
            Three.
        d : tuple of float, default=(0.0, 1.0)
            Four.
        """

    found = wrong_defaults(method.__doc__, inspect.signature(method))
    assert [line.split("=")[0].split()[0] for line in found] == ["a", "b", "c"]


# -- twins --------------------------------------------------------------------------------------


def twins():
    """Groups of siblings whose shared parameters must be told in the same words."""
    from skdyn.base import TorchEstimator

    networks, generators = [], []
    for path, thing in OBJECTS.items():
        network = inspect.isclass(thing) and issubclass(thing, TorchEstimator)
        # Without early stopping and "lbfgs", as sparse autoencoders are, the words must differ.
        stops = "early_stopping" in inspect.signature(thing).parameters if network else False
        if stops and path.count(".") == 2:
            networks.append(path)
        # Those of trajectories; make_superposition draws something else.
        generator = path.startswith("skdyn.datasets.make_")
        if generator and "n_timepoints" in inspect.signature(thing).parameters:
            generators.append(path)
    pairs = {
        path.removesuffix("Regressor"): [path.replace("Regressor", "Classifier"), path]
        for path in networks
        if path.endswith("Regressor") and path.replace("Regressor", "Classifier") in networks
    }
    return {"networks": sorted(networks), "generators": sorted(generators), **pairs}


# Parameters that mean something of its own in each estimator are compared within no group.
OWN_MEANING = {"n_cases", "n_channels", "n_timepoints", "x0", "growth", "omega", "beta"}


def differing_words(paths, docstrings):
    """Parameters that siblings document in different words, default values aside."""
    words, found = {}, []
    for path, docstring in zip(paths, docstrings):
        for name, kind, _, description in documented_parameters(docstring):
            words.setdefault(name, {}).setdefault((kind, description), []).append(path)
    for name, versions in words.items():
        if len(versions) > 1 and name not in OWN_MEANING:
            found.append(f"{name}: {versions}")
    return found


def shared_vocabulary(paths):
    """Parameters that the networks' base owns and none of them gives other values."""
    from skdyn.base import TorchEstimator

    constraints = [getattr(find(path), "_parameter_constraints", {}) for path in paths]
    return {
        name
        for name, values in TorchEstimator._parameter_constraints.items()
        if all(known.get(name, values) is values for known in constraints)
    }


@pytest.mark.parametrize("group", twins())
def test_twins_tell_the_same_parameter_in_the_same_words(group):
    paths = twins()[group]
    assert len(paths) > 1
    found = differing_words(paths, [find(path).__doc__ for path in paths])
    if group == "networks":
        found = [line for line in found if line.split(":")[0] in shared_vocabulary(paths)]
    assert found == []


def test_different_words_are_caught():
    docstring = "Do.\n\nParameters\n----------\ntol : float, default={}\n    {}\n"
    same = [docstring.format(1, "A."), docstring.format(2, "A.")]
    assert differing_words(["a", "b"], same) == []
    assert len(differing_words(["a", "b"], [docstring.format(1, t) for t in ("A.", "B.")])) == 1


# -- examples -----------------------------------------------------------------------------------


def needs_example(path):
    """Whether a user would look for an example: not for the backend, errors or mere records."""
    thing = OBJECTS[path]
    backend = path.split(".")[1] in {"training", "base", "testing"}
    return not (backend or is_exception(thing) or is_record(thing))


def example_lines(thing):
    return [line for line in (thing.__doc__ or "").splitlines() if line.strip().startswith(">>>")]


def test_an_example_shows_everything():
    """In its own docstring, or in that of a sibling it goes with (load with save)."""
    needed = list(filter(needs_example, OBJECTS))
    assert needed
    assert [path for path in needed if not is_shown(path)] == []


def is_shown(path):
    module, name = path.rsplit(".", 1)
    siblings = [thing for other, thing in OBJECTS.items() if other.rsplit(".", 1)[0] == module]
    shown = any(name in line for thing in siblings for line in example_lines(thing))
    return shown or bool(example_lines(OBJECTS[path]))
