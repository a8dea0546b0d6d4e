"""The package says that it is typed: every public function and method bears it out."""

import ast
import functools
import importlib
import inspect
import pkgutil
import re
import sys
import typing
from numbers import Integral, Real
from pathlib import Path

import numpy as np
import pytest
import torch

import skdyn
from skdyn import _typing
from skdyn._validation import Interval, StrOptions
from skdyn.testing import all_estimators

SHAPES = [name for name, value in vars(_typing).items() if typing.get_origin(value)]


def public_objects():
    """Map "module.name" to each function and class of a public module's ``__all__``, once each."""
    found = {}
    for info in pkgutil.walk_packages(skdyn.__path__, "skdyn."):
        if ".tests" in info.name or info.name.rpartition(".")[2].startswith("_"):
            continue
        module = importlib.import_module(info.name)
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            written = inspect.isclass(thing) or inspect.isfunction(inspect.unwrap(thing))
            if written and thing.__module__.startswith("skdyn"):
                found[thing] = f"{thing.__module__}.{name}"
    return {path: thing for thing, path in found.items()}


def plain_function(value):
    """The function behind a method or property; None for what is neither."""
    if isinstance(value, property):
        return value.fget
    if isinstance(value, functools.cached_property):
        return value.func
    if isinstance(value, classmethod | staticmethod):
        return value.__func__
    return value if inspect.isfunction(value) else None


def public_functions(thing, package="skdyn"):
    """Yield (name, function) of a function, or of what a class offers and the package wrote.

    What a class inherits from a private base of the package counts, and its ``__init__``.
    """
    if not inspect.isclass(thing):
        yield thing.__name__, thing
        return
    for name in dir(thing):
        if name.startswith("_") and name != "__init__":
            continue
        owner = next((base for base in thing.__mro__ if name in vars(base)), None)
        if owner is not None and owner.__module__.startswith(package):
            function = plain_function(vars(owner)[name])
            if function is not None and function.__module__.startswith(package):
                yield f"{thing.__name__}.{name}", function


def unhinted(function):
    """Names of the parameters, and "return", that have no annotation."""
    signature = inspect.signature(function)
    named = [
        name
        for position, (name, parameter) in enumerate(signature.parameters.items())
        if parameter.annotation is parameter.empty
        and not (position == 0 and name in ("self", "cls"))
    ]
    return named + ["return"] * (signature.return_annotation is signature.empty)


@functools.cache
def names_for_checkers(module):
    """Names that a module imports only while types are checked."""
    names = {}
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            exec(compile(ast.Module(node.body, []), module.__name__, "exec"), names)
    return names


OBJECTS = public_objects()


def test_the_walk_finds_what_public_modules_offer():
    assert "skdyn.datasets._chaotic.make_lorenz63" in OBJECTS
    assert "skdyn.neural_ode._regressor.NeuralODERegressor" in OBJECTS
    inherited = dict(public_functions(skdyn.NeuralODERegressor))
    assert "NeuralODERegressor.partial_fit" in inherited


def every_function():
    """Yield where it was found, and the function, of all that is public; inherited ones once."""
    seen = set()
    for path, thing in OBJECTS.items():
        for name, function in public_functions(thing):
            if function not in seen:
                seen.add(function)
                yield f"{path}: {name}", function


def test_every_parameter_and_return_value_has_a_hint():
    found = {where: unhinted(function) for where, function in every_function()}
    assert {where: missing for where, missing in found.items() if missing} == {}


def test_every_hint_names_something_that_exists():
    for _, function in every_function():
        module = sys.modules[function.__module__]
        typing.get_type_hints(inspect.unwrap(function), localns=names_for_checkers(module))


ATOMS = {"boolean": {"bool"}, "verbose": {"int"}, "array-like": {"ArrayLike"},
         callable: {"Callable"}, "random_state": {"int", "RandomState", "None"},
         None: {"None"}, Real: {"float"}, Integral: {"int"}, list: {"Sequence"},
         tuple: {"Sequence"}, np.ndarray: {"ndarray"}}  # fmt: skip


def atoms_of(constraint):
    """What a hint says of a value that scikit-learn's constraint lets through."""
    if isinstance(constraint, StrOptions):
        return {"str"}
    if isinstance(constraint, Interval):
        return ATOMS[constraint.type]
    return ATOMS.get(constraint) or {constraint.__name__}


def spelled(hint):
    """A hint without modules and what is inside, whether or not its module reads hints late."""
    text = hint if isinstance(hint, str) else inspect.formatannotation(hint)
    return re.sub(r"\w+\.|\[.*?\]", "", text)


def test_hints_of_parameters_say_what_their_constraints_do():
    found = {}
    for name, estimator in all_estimators():
        written = inspect.get_annotations(estimator.__init__)
        for parameter, constraints in estimator._parameter_constraints.items():
            if parameter in written:
                hint = spelled(written[parameter])
                allowed = set().union(*map(atoms_of, constraints))
                if set(hint.split(" | ")) != allowed:
                    found[name, parameter] = f"{hint!r} for {sorted(allowed)}"
    assert found == {}


def test_a_signature_is_short_enough_to_read():
    lengths = {n: len(str(inspect.signature(c.fit))) for n, c in all_estimators()}
    assert {name: length for name, length in lengths.items() if length > 300} == {}


def test_a_hint_that_names_nothing_is_caught():
    def function(x: "nothing_of_this_name"): ...  # noqa: F821

    with pytest.raises(NameError, match="nothing_of_this_name"):
        typing.get_type_hints(function, localns=names_for_checkers(sys.modules[__name__]))


def test_a_missing_hint_is_caught():
    def bare(x, *, y: int = 0): ...

    class Base:
        def inherited(self, x: int): ...

    class Public(Base):
        def __init__(self, x): ...

        @property
        def value(self): ...

        @classmethod
        def make(cls, x) -> int: ...

        @functools.cached_property
        def later(self) -> int: ...

        def _private(self, x): ...

    assert unhinted(bare) == ["x", "return"]
    found = {name: unhinted(f) for name, f in public_functions(Public, package=__name__)}
    assert found == {
        "Public.__init__": ["x", "return"],
        "Public.inherited": ["return"],
        "Public.later": [],
        "Public.make": ["x"],
        "Public.value": ["return"],
    }


def test_the_package_ships_its_marker():
    assert (Path(skdyn.__file__).parent / "py.typed").is_file()


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_names_an_array_and_letters_of_the_dictionary(name):
    def function(x): ...

    function.__annotations__ = {"x": getattr(_typing, name)}
    hint = typing.get_type_hints(function, {"torch": torch}, include_extras=True)["x"]
    array, shape = typing.get_args(hint)
    assert array in (torch.Tensor, np.ndarray)
    assert set(shape.split()) <= set(re.findall(r"^    (\w)   ", _typing.__doc__, re.MULTILINE))


def test_there_are_shapes():
    assert {"States", "Trajectories", "Series"} <= set(SHAPES)
